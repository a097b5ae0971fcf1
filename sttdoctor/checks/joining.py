"""Are you joining transcripts correctly?

Needs all events with their text, and the text that the application ended up with. The text of a session is every
`turn.end` appended as it is; updates and eager ends replace each other within a turn. The check builds the text that
each joining mistake would give and names the mistake whose text is the application's.
"""

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from sttdoctor import missing
from sttdoctor.analysis.facts import Facts
from sttdoctor.analysis.session.join_excerpts import Shown, is_longer
from sttdoctor.analysis.session.join_spelling import Spelling, keeps_apart, lacks_words
from sttdoctor.analysis.session.turns import Turn, join_expected, join_updates
from sttdoctor.checks.base import TROUBLESHOOTING, Answer, Cause, Check, Evidence, Finding, Status, answer, unknown

if TYPE_CHECKING:  # loaded for what has a text to explain
    from sttdoctor.analysis.session.join_hypotheses import Join
    from sttdoctor.analysis.session.text_changes import Change

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
    "letters, which tell the events that were used, then white space, case and punctuation. Where that does not tell, "
    "what else applications do to text (escaping, another charset, labels, cutting, ...) is taken back, one or two "
    "changes at a time. The simplest that fits is named; where nothing fits, the nearest with the differences.",
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
            "Eager ends were appended in addition to the ends, or instead of them.",
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
            "Case, punctuation, white space or single words were changed after joining.",
            "Keep the text as it came, and normalise a copy: for comparisons, for display, for what comes after.",
        ),
        Cause(
            "joining.turns-missing",
            "fail",
            "Turns are missing from the application's text.",
            "Append every turn.end, also those that come after the close command and those while you speak.",
        ),
        Cause(
            "joining.turns-repeated",
            "fail",
            "Turns, or words of them, appear more than once in the application's text.",
            "Append each turn.end once; look for a second handler, or for a display that is appended to itself.",
        ),
        Cause(
            "joining.partial-kept",
            "fail",
            "An unfinished text is shown as final.",
            "When a turn.end comes, replace what you show of its turn with its text. If the connection is lost before, "
            "mark the turn as unfinished.",
        ),
        Cause(
            "joining.order",
            "fail",
            "The turns are not in the order in which they were spoken.",
            "Append each turn.end when it arrives: one handler at a time, no await between reading an event and "
            "appending its text; sort by the order of arrival, not by the time at which something was stored.",
        ),
        Cause(
            "joining.words-merged",
            "fail",
            "Words that were said twice appear once: the application takes the second for a duplicate.",
            "Do not look for repeats or overlaps: turns do not overlap, so append every turn.end as it is; to ignore "
            "an event that is delivered twice, compare its place in the stream, not its text.",
        ),
        Cause(
            "joining.truncated",
            "fail",
            "A part of the text is cut off.",
            "Look for a limit that the text passes through: a slice such as text[:255], the length of a database "
            "column (VARCHAR), maxlength of a field, a longest line of a log; raise it, or store the text in pieces.",
        ),
        Cause(
            "joining.wrong-charset",
            "fail",
            "The text was written in one character encoding and read in another.",
            'Events are UTF-8: decode whole messages as UTF-8, open files with encoding="utf-8", send text with '
            "charset=utf-8, and give database connections and columns UTF-8 (utf8mb4).",
        ),
        Cause(
            "joining.escaped",
            "fail",
            "The text is still escaped for HTML, for a URL or for JSON.",
            "Keep the text as it came and escape it once, where it is put into a page, an address or a message; do not "
            "escape what the framework escapes (textContent, JSX, templates), and read JSON with a parser.",
        ),
        Cause(
            "joining.labels-added",
            "fail",
            "Names, times, tags, marks or a program's word for an empty value are mixed in with the words.",
            "Store the text by itself and labels in fields of their own, and put them together for display only. If "
            "this is only what you show, nothing is wrong.",
        ),
        Cause(
            "joining.text-added",
            "warn",
            "The text holds words before or after the turns of this capture that no event of it has.",
            "Clear the text when a session begins: a variable, a list or a component that outlives the session before "
            "still holds what was said in it. If the application continues an earlier text on purpose, nothing is "
            "wrong.",
        ),
        Cause(
            "joining.unrelated",
            "warn",
            "The application's text is not made from these events.",
            "Make sure that the text and the capture come from the same session, and that it is no translation "
            "or summary.",
        ),
    ),
    docs=TROUBLESHOOTING,
    judge=lambda facts: _judge(facts),
)

_SHOWN = 300


def _is_beyond(facts: Facts, join: "Join", got: str) -> bool:
    """Whether the text holds more than a capture of a part of the session can show, and nothing wrong in that part."""
    if join.exact:
        return bool(join.beyond) and join.habit == "ends" and join.rest is None and not join.changes
    return not facts.shown.begins and is_longer(got, join_expected(facts.turns), facts.limits["joining.similar"])


def _more_than_shown(shown: Shown) -> missing.Missing:
    lost = "begins after the session did" if not shown.begins else "stops before the session ended"
    text = f"The application's text holds more than this capture can show, which {lost}"
    text += " and stops before it ended" if not shown.begins and not shown.ends else ""
    return missing.Missing("the whole session", f"{text}. Record from the handshake to the close.")


_AS_IT_IS = "The application's text is every final text joined as it is."
_STILL_OPEN = "The application's text is every final text, and what was known of the turn in which the capture stops."
_LAID_OUT = "The application's text is every final text; only its layout differs (lines, quotes, spaces)."
_ABOUT_JOINING = frozenset(
    f"joining.{what}"
    for what in (
        "updates-joined", "eager-ends-joined", "separator-added", "whitespace-stripped", "normalized", "turns-missing",
        "turns-repeated", "partial-kept",
    )
)  # fmt: skip
_BY_UPDATES = frozenset(
    f"joining.{what}"
    for what in ("updates-joined", "eager-ends-joined", "partial-kept", "turns-repeated", "truncated", "unrelated")
)
"""What is told by the events between the beginning and the end of a turn."""

_KEPT_APART = (
    "The turns of this capture have no white space where they meet; the application put some there, and nothing else."
)

_SAID = {
    "order": "holds all turns in a different order",
    "words-merged": "holds what was said twice only once",
    "truncated": "is cut",
}

_OF_WORDS = "holds words twice that were said once"
_ADD_NOTHING = (
    "Append the transcript of each turn.end as it is and nothing else: it holds all words of its turn. Look for what "
    "adds a part of them again (the last word, a word list beside the text, a piece that overlaps)."
)

_COMPARE_OWN = (
    "If these are the answers of an agent or the words of another speaker, nothing is wrong: every final text is there "
    "as it came. If not, find out what writes into the text besides turn.end."
)
_KEEP_END = (
    "Look for a limit of about {0} characters that the text passes through: a slice such as text[:{0}], the length of "
    "a database column (VARCHAR), maxlength of a field, a longest line of a log; raise it, or store the text in "
    "pieces."
)
_QUOTE = (
    "Look for what the text passes through as code: a command line (sh -c, xdotool type '...'), SQL, a URL, CSV or a "
    "template, where this character ends the text. Hand the text over as an argument of its own, without a shell "
    "(subprocess.run([..., text])), as a parameter of the query, or encode it for the place."
)
_SPLIT = (
    "Look for where the application splits the text of a turn at this character and keeps the first part alone, such "
    "as text.split(',')[0]: keep the whole text."
)
_KEEP_SENTENCES = (
    "Append the whole transcript of each turn.end: a turn may hold several sentences or lines. Look for a split at "
    "the end of a sentence or line that keeps the first part alone (split('.')[0], a regular expression, readline())."
)
_KEEP_EDGES = (
    "Take the text of each turn from its turn.end alone: text += event.transcript. Do not clear a buffer at turn.start "
    "or cut the text where your own voice detection begins or ends."
)
_KEEP_BEGINNING = (
    "Keep the text from its beginning: look for a slice such as text[-{0}:], a list with a longest length or a "
    "display that drops old lines, and keep the whole text beside what you show."
)

_READ_ON = (
    "Keep reading after a turn.end, and append every turn.end until the server closes: do not leave the loop, return "
    "or remove the handler at the first one."
)
_APPEND = "Append every turn.end to what is there (text += event.transcript); the last one must not replace the others."

_WHEN = {
    "updates-joined": "updates are appended instead of replaced",
    "eager-ends-joined": "eager ends are appended as if they were ends",
    "turns-missing": "turns are left out",
    "turns-repeated": "turns are appended more than once",
    "partial-kept": "an unfinished text is shown as final",
    "order": "the turns are in a different order",
    "words-merged": "what was said twice is taken for a duplicate",
    "truncated": "a part of it is cut off",
}

_GUESSED = 0.5
_LOOK = (
    "Compare the places below with the events: words are missing, changed or put in. Append every turn.end as it is, "
    "and turn off whatever rewrites the text (a corrector, a language model, a filter) until the two are the same."
)


def _judge(facts: Facts) -> Answer:
    session, turns = facts.session, facts.turns
    if session is None or session.lacks & {"receive", "text"}:
        return unknown(missing.TEXTS)
    if "events" in session.lacks and not any(turn.end is not None for turn in turns):
        return unknown(missing.KINDS)
    expected = join_expected(turns)
    measured: dict[str, Any] = {"turns": len(turns), "expected_characters": len(expected)}
    if any(turn.elided for turn in turns):
        return unknown(missing.TEXTS, measured)
    if session.transcript is None:
        text = "The application's text is not known; give it with --transcript."
        text += f" Joined, the events say: {_quote(expected)}" if expected else " The events hold no final text."
        wrong = join_updates(turns)
        measured["updates_joined"] = _cut(wrong) if wrong != expected else None
        return unknown(missing.Missing("the application's text", text), measured)
    got = session.transcript.text
    if not expected and not got.strip():
        return answer("There is no text to join.", [], measured)
    return _compare(facts, got, expected, measured, session.transcript.line)


def _compare(facts: Facts, got: str, expected: str, measured: dict[str, Any], line: int | None) -> Answer:
    from sttdoctor.analysis.session.join_hypotheses import explain

    join = facts.join or explain(got, facts.turns, facts.shown)
    changed = [change.cause for change in join.changes]
    measured |= {"habit": join.habit, "similarity": round(join.similarity, 4), "changes": changed}
    if join.beyond:
        measured["beyond_characters"] = join.beyond
    if _is_beyond(facts, join, got):
        return unknown(_more_than_shown(facts.shown), measured)
    place = (Evidence("the application's text", line),)
    differing = _list_differences(join.got or got, join.text) if join.beyond else _list_differences(got, expected)
    findings = [_tell_change(change, (*place, *differing)) for change in join.changes]
    if not join.exact:
        findings.insert(0, _tell_nearest(join, join.got or got, facts.limits["joining.similar"], place))
    elif join.habit != "ends":
        findings.insert(0, _tell_habit(facts, join, join.got or got, expected, place))
    elif join.rest is not None:
        if facts.ends_turns and not findings and keeps_apart(got, [turn.end or "" for turn in facts.turns]):
            return answer(_KEPT_APART, [], measured)
        findings.insert(0, _tell_spelling(join.rest, list(join.turns), (*place, *differing)))
    guessed = not join.exact or any(finding.cause in _BY_UPDATES for finding in findings)
    if guessed and facts.session is not None and "events" in facts.session.lacks:
        return unknown(missing.KINDS, measured)
    if not findings:
        if join.habit == "ends" and join.detail:
            return answer(_STILL_OPEN, [], measured)
        same = got.rstrip("\r\n") == expected.rstrip("\r\n")
        return answer(_AS_IT_IS if same else _LAID_OUT, [], measured)
    rule = facts.endpoint.joining if facts.endpoint is not None else None
    if rule is not None and findings[0].cause in _ABOUT_JOINING:
        findings[0] = replace(findings[0], fix=rule)
    findings.sort(key=lambda finding: finding.status != "fail")
    return answer(findings[0].summary, findings, measured)


def _tell_habit(facts: Facts, join: "Join", got: str, expected: str, place: tuple[Evidence, ...]) -> Finding:
    if join.habit == "text-added":
        summary = f"The application's text is every final text, and {join.detail} that no event of this capture holds."
        return CHECK.find(join.habit, "warn", join.sure, summary, (*place, *_list_differences(got, expected)))
    if join.habit == "turns-missing" and (finding := _tell_missing(facts, join, place)):
        return finding
    exactly = f"is exactly what comes out when {_WHEN[join.habit]}"
    said = _OF_WORDS if _repeats_words(join) else _SAID.get(join.habit, exactly)
    summary = f"The application's text {said}: {join.detail}."
    if join.rival:
        summary += f" With these events the text would be the same when {_WHEN[join.rival]}."
    turn = facts.turns[join.turn] if join.turn is not None else None
    if turn is not None:
        place = (*place, Evidence(f"the end of turn {(join.turn or 0) + 1}", turn.end_line, turn.end_t))
    sure = 0.65 if join.rival else join.sure
    return CHECK.find(join.habit, "fail", sure, summary, (*place, *_list_differences(got, expected)), _fix(join))


def _repeats_words(join: "Join") -> bool:
    """Whether words stand there twice, and no whole turns."""
    return join.habit == "turns-repeated" and join.turn is not None


def _fix(join: "Join") -> str | None:
    """The fix where it depends on which part is missing, None for the cause's own."""
    if join.habit == "text-added" and " between them" in join.detail:
        return _COMPARE_OWN
    if join.habit != "truncated":
        return _ADD_NOTHING if _repeats_words(join) else None
    if join.detail.startswith("the "):
        return _KEEP_EDGES
    if join.detail.startswith("in "):
        return _KEEP_SENTENCES
    if " turns end where " in join.detail:
        return _QUOTE if _is_code(join.detail) else f"{_SPLIT} Or else: {_QUOTE[0].lower()}{_QUOTE[1:]}"
    size = len(join.got)
    return _KEEP_END.format(size) if join.detail.startswith("it ends") else _KEEP_BEGINNING.format(size)


def _is_code(detail: str) -> bool:
    """Whether turns end where a character stood that ends a text in code."""
    from sttdoctor.analysis.session.join_readings import MARKS_OF_CODE

    return any(f"end where {mark!r} stood" in detail for mark in MARKS_OF_CODE)


def _tell_missing(facts: Facts, join: "Join", place: tuple[Evidence, ...]) -> Finding | None:
    """Which turns the text holds where that tells what the application does: the first ones alone, or the last one."""
    unused, finished = facts.unused_ends, [i for i, turn in enumerate(facts.turns, 1) if turn.end is not None]
    missing, kept = [end.number for end in unused], len(finished) - len(unused)
    if not unused or not kept or not unused[0].readable:
        return None
    first = unused[0]
    if missing == finished[kept:]:
        came = first.left_after_s
        left = f"; turn {first.number} ended {came:.1f} s before the client left" if came else ""
        gone = "the last turn is missing" if len(missing) == 1 else f"the last {len(missing)} turns are missing"
        summary = f"The application's text ends with turn {finished[kept - 1]} of {len(finished)}: {gone}{left}."
        fix = _READ_ON
    elif missing == finished[:-1] and len(missing) > 1:
        summary = f"The application's text is the last of {len(finished)} turns alone."
        fix = _APPEND
    else:
        return None
    evidence = (*place, Evidence(f"the end of turn {first.number}", first.turn.end_line, first.turn.end_t))
    return CHECK.find("turns-missing", "fail", 0.65 if join.rival else 0.97, summary, evidence, fix)


def _tell_spelling(rest: Spelling, turns: list[Turn], evidence: tuple[Evidence, ...]) -> Finding:
    at = _find_white_space(turns)
    # where no turn brings its own white space, a separator may repair what the capture lost
    doubtful = rest.harmless or (rest.habit == "separator-added" and at is None)
    status: Status = "warn" if doubtful else "fail"
    fix = None
    if rest.habit == "separator-added" and not rest.harmless:
        fix = _JOIN + (f" In this capture the space is already at the {at} of the turns." if at else "")
    summary = f"The words are right, but {rest.detail}."
    return CHECK.find(rest.habit, status, 0.6 if doubtful else 0.97, summary, evidence, fix)


def _tell_change(change: "Change", evidence: tuple[Evidence, ...]) -> Finding:
    status: Status = "warn" if change.harmless else "fail"
    summary = f"The application's text comes from these events, but {change.detail}."
    return CHECK.find(change.cause, status, 0.7 if change.harmless else 0.95, summary, evidence, change.fix or None)


def _find_white_space(turns: list[Turn]) -> str | None:
    """Where the turns bring the white space between them: at their `start` or `end`, None where they bring none."""
    borders = list(pairwise(turn.end for turn in turns if turn.end))
    if any(after[0].isspace() for _, after in borders):
        return "start"
    return "end" if any(before[-1].isspace() for before, _ in borders) else None


def _tell_nearest(join: "Join", got: str, similar: float, place: tuple[Evidence, ...]) -> Finding:
    evidence = (*place, *_list_differences(got, join.text))
    if join.similarity < similar:
        summary = (
            f"The application's text does not come from these events (nearest reading: {join.similarity:.0%} alike)."
        )
        sure = 0.6 if join.changes else 0.8  # what was done to the text is surer than where it comes from
        return CHECK.find("unrelated", "warn", sure, summary, evidence)
    habit = "normalized" if join.habit == "ends" else join.habit
    nearest = "the joined final texts" if join.habit == "ends" else f"what comes out when {_WHEN[join.habit]}"
    none = "No way of joining that is known gives" if join.searched else "No way of joining that could be tried gives"
    summary = f"{none} the application's text; it is {join.similarity:.0%} like {nearest}."
    # who rewrites a text may want that; who only loses words of it does not
    status: Status = "fail" if habit != "normalized" or lacks_words(got, join.text) else "warn"
    status = status if join.similarity >= 0.8 else "warn"
    return CHECK.find(habit, status, round(_GUESSED * join.similarity, 2), summary, evidence, _LOOK)


def _list_differences(got: str, expected: str) -> tuple[Evidence, ...]:
    """The first places at which the application's text departs from the right one."""
    from sttdoctor.analysis.session.join_hypotheses import find_differences

    pairs = (_show_spaces(*pair) for pair in find_differences(got, expected))
    return tuple(Evidence(_describe_difference(right, wrong)) for right, wrong in pairs if right or wrong)


def _describe_difference(right: str, wrong: str) -> str:
    if not right:
        return f"{_quote(wrong, 80)} is there, but in no event"
    if not wrong:
        return f"{_quote(right, 80)} is missing"
    return f"should be {_quote(right, 80)}, is {_quote(wrong, 80)}"


def _show_spaces(right: str, wrong: str) -> tuple[str, str]:
    """Both texts, with a sign for each space where white space is all that differs."""
    if "".join(right.split()) != "".join(wrong.split()):
        return right, wrong
    return right.replace(" ", "\u2423"), wrong.replace(" ", "\u2423")


def _quote(text: str, length: int = _SHOWN) -> str:
    return repr(_cut(text, length))


def _cut(text: str, length: int = _SHOWN) -> str:
    return text if len(text) <= length else text[: length - 3] + "..."
