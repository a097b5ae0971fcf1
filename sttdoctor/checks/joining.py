"""Are you joining transcripts correctly?

Needs all events with their text, and the text that the application ended up with. The text of a session is every
`turn.end` appended as it is; updates and eager ends replace each other within a turn. The check builds the text that
each joining mistake would give and names the mistake whose text is the application's.
"""

from dataclasses import replace
from itertools import pairwise
from typing import Any

from sttdoctor import missing
from sttdoctor.analysis.facts import Facts
from sttdoctor.analysis.session import join_hypotheses
from sttdoctor.analysis.session.turns import Turn, expected_text
from sttdoctor.checks.base import TROUBLESHOOTING, Answer, Cause, Check, Evidence, Finding, Status, answer, unknown

_SHOWN = 300


def _judge(facts: Facts) -> Answer:
    session, turns = facts.session, facts.turns
    if session is None or session.lacks & {"receive", "text"}:
        return unknown(missing.TEXTS)
    expected = expected_text(turns)
    measured: dict[str, Any] = {"turns": len(turns), "expected_characters": len(expected)}
    if any(turn.elided for turn in turns):
        return unknown(missing.TEXTS, measured)
    if session.transcript is None:
        text = "The application's text is not known; give it with --transcript."
        text += f" It should be: {_quote(expected)}" if expected else " The events hold no final text."
        wrong = join_hypotheses.updates_text(turns)
        measured["updates_joined"] = _cut(wrong) if wrong != expected else None
        return unknown(missing.Missing("the application's text", text), measured)
    got = session.transcript.text
    if not expected and not got.strip():
        return answer("There is no text to join.", [], measured)
    return _compare(facts, got, expected, measured, session.transcript.line)


def _compare(facts: Facts, got: str, expected: str, measured: dict[str, Any], line: int | None) -> Answer:
    turns = facts.turns
    join = facts.join or join_hypotheses.explain(got, turns)
    measured |= {"habit": join.habit, "similarity": round(join.similarity, 4)}
    place = (Evidence("the application's text", line),)
    if join.exact and join.habit != "ends":
        finding = _habit_finding(facts, join, got, expected, place)
    elif join.exact:
        changed = join_hypotheses.spelling(got, turns, expected)
        if changed is None:
            return answer("The application's text is every final text joined as it is.", [], measured)
        if facts.ends_turns and join_hypotheses.keeps_apart(got, turns):
            return answer(_KEPT_APART, [], measured)
        finding = _spelling_finding(*changed, turns, expected, got, place)
    else:
        finding = _nearest_finding(join, got, facts.limits["joining.similar"], place)
    rule = facts.endpoint.joining if facts.endpoint is not None else None
    if rule is not None and finding.cause != "joining.unrelated":
        finding = replace(finding, fix=rule)
    return answer(finding.summary, [finding], measured)


_KEPT_APART = (
    "The turns of this capture have no white space where they meet; the application put some there, and nothing else."
)


def _habit_finding(
    facts: Facts, join: join_hypotheses.Join, got: str, expected: str, place: tuple[Evidence, ...]
) -> Finding:
    if join.habit == "turns-missing" and (finding := _missing_finding(facts, join, place)):
        return finding
    summary = f"The application's text comes out exactly when {_WHEN[join.habit]}: {join.detail}."
    if join.rival:
        summary += f" With these events it would be the same when {_WHEN[join.rival]}."
    return CHECK.finding(
        join.habit, "fail", 0.65 if join.rival else 0.97, summary, (*place, *_differences(got, expected))
    )


def _missing_finding(facts: Facts, join: join_hypotheses.Join, place: tuple[Evidence, ...]) -> Finding | None:
    """Which turns the text holds where that tells what the application does: the first ones alone, or the last one."""
    unused, finished = facts.unused_ends, [i for i, turn in enumerate(facts.turns, 1) if turn.end is not None]
    missing, kept = [end.number for end in unused], len(finished) - len(unused)
    if not unused or not kept or not unused[0].readable:
        return None
    first = unused[0]
    if missing == finished[kept:]:
        came = first.left_after_s
        left = f"; turn {first.number} ended {came:.1f} s before the client left" if came else ""
        summary = f"The application's text ends with turn {finished[kept - 1]} of {len(finished)}{left}."
        fix = _READ_ON
    elif missing == finished[:-1] and len(missing) > 1:
        summary = f"The application's text is the last of {len(finished)} turns alone."
        fix = _APPEND
    else:
        return None
    evidence = (*place, Evidence(f"the end of turn {first.number}", first.turn.end_line, first.turn.end_t))
    return CHECK.finding("turns-missing", "fail", 0.65 if join.rival else 0.97, summary, evidence, fix)


_READ_ON = (
    "Read on after a turn.end and append every turn.end until the server closes: do not leave the loop, return or "
    "remove the handler at the first one."
)
_APPEND = "Append every turn.end to what is there (text += event.transcript); the last one must not replace the others."


_WHEN = {
    "updates-joined": "updates are appended instead of replaced",
    "eager-ends-joined": "eager ends are appended beside the ends",
    "turns-missing": "turns are left out",
    "turns-repeated": "turns are appended more than once",
    "partial-kept": "an unfinished text is shown as final",
}


def _spelling_finding(
    habit: str, detail: str, turns: list[Turn], expected: str, got: str, place: tuple[Evidence, ...]
) -> Finding:
    trimmed = got.strip() == expected.strip()  # the whole text, which does no harm to its words
    at = _white_space(turns)
    # where no turn brings its own white space, a separator may repair what the capture lost
    repaired = habit == "separator-added" and at is None
    status: Status = "warn" if trimmed or repaired else "fail"
    confidence = 0.6 if trimmed or repaired else 0.97
    summary = f"The words are right, but {detail}."
    fix = None
    if habit == "separator-added" and not trimmed:
        fix = _JOIN + (f" In this capture the space is already at the {at} of the turns." if at else "")
    return CHECK.finding(habit, status, confidence, summary, (*place, *_differences(got, expected)), fix)


def _white_space(turns: list[Turn]) -> str | None:
    """Where the turns bring the white space between them: at their `start` or `end`, None where they bring none."""
    borders = list(pairwise(turn.end for turn in turns if turn.end))
    if any(after[0].isspace() for _, after in borders):
        return "start"
    return "end" if any(before[-1].isspace() for before, _ in borders) else None


def _nearest_finding(join: join_hypotheses.Join, got: str, similar: float, place: tuple[Evidence, ...]) -> Finding:
    evidence = (*place, *_differences(got, join.text))
    if join.similarity < similar:
        summary = (
            f"The application's text does not come from these events (nearest reading: {join.similarity:.0%} alike)."
        )
        return CHECK.finding("unrelated", "warn", 0.8, summary, evidence)
    habit = "normalized" if join.habit == "ends" else join.habit
    nearest = "the joined final texts" if join.habit == "ends" else f"what comes out when {_WHEN[join.habit]}"
    none = "No single habit gives" if join.searched else "No habit that could be tried gives"
    summary = f"{none} the application's text; it is {join.similarity:.0%} like {nearest}."
    status: Status = "fail" if join.similarity >= 0.8 else "warn"
    return CHECK.finding(habit, status, round(0.8 * join.similarity, 2), summary, evidence)


def _differences(got: str, expected: str) -> tuple[Evidence, ...]:
    """The first places at which the application's text departs from the right one."""
    pairs = (_visible(*pair) for pair in join_hypotheses.first_differences(got, expected))
    return tuple(Evidence(_difference(right, wrong)) for right, wrong in pairs if right or wrong)


def _difference(right: str, wrong: str) -> str:
    if not right:
        return f"{_quote(wrong, 80)} stands there and in no event"
    if not wrong:
        return f"{_quote(right, 80)} is missing"
    return f"should be {_quote(right, 80)}, is {_quote(wrong, 80)}"


def _visible(right: str, wrong: str) -> tuple[str, str]:
    """Both texts, with a sign for each space where white space is all that differs."""
    if "".join(right.split()) != "".join(wrong.split()):
        return right, wrong
    return right.replace(" ", "\u2423"), wrong.replace(" ", "\u2423")


def _quote(text: str, length: int = _SHOWN) -> str:
    return repr(_cut(text, length))


def _cut(text: str, length: int = _SHOWN) -> str:
    return text if len(text) <= length else text[: length - 3] + "..."


_JOIN = 'Join with nothing: text += event["transcript"].'

CHECK = Check(
    id="joining",
    order=110,
    question="Are you joining transcripts correctly?",
    kinds=("session",),
    needs="all events with their full text, and the text that the application ended up with",
    why="Text within a turn is cumulative: each update repeats what came before. Appending updates doubles words, and "
    "stripping or separating the turns glues or splits them, because every space is already inside the strings.",
    how="The text that each habit would give is built from the events and compared with the application's: first the "
    "letters, which tell the events that were used, then white space, case and punctuation. The simplest habit that "
    "fits is named; where none fits, the nearest with the differences.",
    causes=(
        Cause(
            "joining.updates-joined",
            "fail",
            "Updates were appended, although each one repeats the turn so far.",
            "Append the transcript of each turn.end only; let turn.update replace what you show of the open turn.",
        ),
        Cause(
            "joining.eager-ends-joined",
            "fail",
            "Eager ends were appended beside or instead of the ends.",
            "Treat turn.eager_end as a preview that turn.resume may take back; append the turn.end only.",
        ),
        Cause(
            "joining.separator-added",
            "fail",
            "Something was put between the turns.",
            _JOIN + " The space is already in the turns.",
        ),
        Cause(
            "joining.whitespace-stripped",
            "fail",
            "White space at the borders of the turns was stripped.",
            "Append the transcript as it is, without strip() or trim(); strip the whole text for display only.",
        ),
        Cause(
            "joining.normalized",
            "fail",
            "Case, punctuation or white space was changed after joining.",
            "Keep the text as it came; normalise a copy for comparisons.",
        ),
        Cause(
            "joining.turns-missing",
            "fail",
            "Turns are missing in the application's text.",
            "Append every turn.end, also those that come after the close command and those while you speak.",
        ),
        Cause(
            "joining.turns-repeated",
            "fail",
            "Turns stand more than once in the application's text.",
            "Append each turn.end once; look for a second handler, or for a display that is appended to itself.",
        ),
        Cause(
            "joining.partial-kept",
            "fail",
            "An unfinished text is shown as final.",
            "Replace what you show of the open turn by the turn.end; after a lost connection mark it as unfinished.",
        ),
        Cause(
            "joining.unrelated",
            "warn",
            "The application's text is not made from these events.",
            "Make sure that the text and the capture come from the same session.",
        ),
    ),
    docs=TROUBLESHOOTING,
    judge=_judge,
)
