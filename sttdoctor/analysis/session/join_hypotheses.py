"""Which joining habit makes the application's text out of the events.

Works by hypothesis. First the words: which events would have to be appended so that the letters of the
application's text come out, white space, case and punctuation aside. Then the spelling: what happened to white space,
case and punctuation at the borders and inside. Where neither tells, whatever else may have been done to the text
(escaping, another charset, labels, ...) is taken back, one or two changes at a time, and the same is asked again. The
simplest that fits is named; where nothing does, the nearest.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import accumulate, chain, islice, pairwise

from sttdoctor.analysis.session import join_readings
from sttdoctor.analysis.session.join_excerpts import Shown, excerpts
from sttdoctor.analysis.session.join_search import TooManyStepsError, find_simplest_reading
from sttdoctor.analysis.session.join_spelling import (
    Spelling,
    cut_beginning,
    extract_letters,
    find_spelling,
    keeps_apart,
    list_words,
    tidy,
)
from sttdoctor.analysis.session.text_changes import Before, Change, list_changes, split_by_turns
from sttdoctor.analysis.session.turns import Turn, collect_texts, join_expected
from sttdoctor.endpoints.base import Piece
from sttdoctor.values import immutable

_WORDS = 4_000
_BEGINNING = 400_000  # characters: the words that are compared stand in them
_DIFFERING = 2_000
_CHANGED = 2_000_000  # characters that are read to look behind changes, over all that are tried
_TRIED = 24  # changes, and pairs of them
_SHARE = 10  # of the steps of a search is what one of these gets
_BETTER = 0.05
_WHOLE = Shown()
_RUNNING = 1_000_000  # characters, or twice the application's text: appended displays grow with the square of the turns


@immutable
class Join:
    """How a text comes about.

    Attributes:
        habit: `ends` (right), or what follows `joining.` in the cause that it stands for.
        text: What the habit gives, verbatim.
        exact: Whether it gives the application's text, spelling aside.
        similarity: 0..1, of the two texts as sequences of words.
        detail: A clause for the reader: which turns, how many updates.
        rival: Another habit that gives the same text from these events, "" where there is none.
        searched: Whether all ways in which the turns may stand in the text were looked at; where not, some habit may
            give it all the same.
        lacking: Index of each finished turn whose final text is not in the application's.
        sure: 0..1, that it is this habit where it gives the text and no other does.
        turn: Index of the turn where it shows, None where it is no single one.
        changes: What was done to the text besides joining.
        rest: What was done to white space, case and punctuation, None where nothing was or it cannot be told.
        got: The application's text without these changes.
        turns: The turns that this comes from; as received, or changed where a change cannot be taken back.
        beyond: Characters of the application's text of which a capture that is only a part of the session can show
            nothing; the rest of the text is what this is about.
    """

    habit: str
    text: str
    exact: bool
    similarity: float
    detail: str = ""
    rival: str = ""
    searched: bool = True
    lacking: tuple[int, ...] = ()
    sure: float = 0.97
    turn: int | None = None
    changes: tuple[Change, ...] = ()
    rest: Spelling | None = None
    got: str = ""
    turns: Sequence[Turn] = ()
    beyond: int = 0


def _drop_repeated(texts: Iterable[str]) -> list[str]:
    kept: list[str] = []
    for text in texts:
        if not kept or kept[-1] != text:
            kept.append(text)
    return kept


def _list_candidates(turns: Sequence[Turn], most: int, length: int = 0) -> Iterator[tuple[str, str, str]]:
    """(habit, text, detail) of the habits that are the same for all turns, simplest first.

    Args:
        turns: All turns.
        most: Characters after which the text of an appended display is cut.
        length: Characters of the application's text, which tell how often a text stands in it.
    """
    every = ("update", "eager_end", "end")
    lists = (
        ("updates-joined", ("update", "end"), "every update and every final text was appended"),
        ("updates-joined", every, "every event with a transcript was appended"),
        ("updates-joined", ("update",), "every update was appended"),
        ("updates-joined", ("update", "eager_end"), "every event before the final one was appended"),
        ("eager-ends-joined", ("eager_end", "end"), "every eager end and every end was appended"),
        ("eager-ends-joined", ("eager_end",), "every eager end was appended"),
    )
    for habit, kinds, detail in lists:
        yield habit, "".join(collect_texts(turns, kinds)), detail
    for habit, kinds, detail in lists[:4]:
        yield habit, "".join(_drop_repeated(collect_texts(turns, kinds))), detail + ", repeats left out"
    kept = (_drop_repeated(collect_texts([turn], ("eager_end", "end"))) for turn in turns)
    yield "eager-ends-joined", "".join(chain.from_iterable(kept)), "eager ends that were taken back stayed"
    right = join_expected(turns)
    for count in {2, max(2, round(length / max(1, len(right))))}:
        often = "twice" if count == 2 else f"{count} times"
        each = (turn.end * count for turn in turns if turn.end is not None)
        yield "turns-repeated", "".join(each), f"every final text was appended {often}"
        yield "turns-repeated", right * count, f"the whole text is there {often}"
    stages = [piece for turn in turns for piece in _list_stages(turn)]
    if any(kind == "update" for kind, _ in stages):
        habit = "eager-ends-joined" if any(kind == "eager_end" for kind, _ in stages) else "updates-joined"
        text = "".join(text for _, text in stages)
        yield habit, text, "each stage of a turn was appended (its last update, its eager end, its end)"
    yield "updates-joined", "".join(_append_displays(turns, most)), "the text so far was appended with each event"


def _list_stages(turn: Turn) -> Iterator[Piece]:
    """The events of a turn without the updates that another one follows."""
    followed = pairwise(chain(turn.pieces, [("", "")]))
    return (piece for piece, (after, _) in followed if not piece[0] == after == "update")


def _append_displays(turns: Sequence[Turn], most: int) -> Iterator[str]:
    """Texts of an application that appends its whole display each time a turn ends, until they are long enough."""
    total = 0
    for text in accumulate(turn.end for turn in turns if turn.end is not None):
        if total > most:
            return
        total += len(text)
        yield text


def explain(got: str, turns: Sequence[Turn], shown: Shown = _WHOLE) -> Join:
    """Name the habit that gives the application's text, or the nearest one.

    Args:
        got: The application's text.
        turns: All turns of the session, in order.
        shown: Which part of the session the capture holds.
    """
    start = Before(got, turns, _UNCHANGED)
    direct, searched = _find_exact(got, turns)
    if direct is not None:
        ended = _end_open(direct, turns, shown)
        if ended is not None:
            return _finish(replace(direct, habit="ends", detail=_OPEN), Before(got, ended, _UNCHANGED), ())
        direct = _finish(direct, start, ())
        if not shown.begins and (_are_words_twice(direct) or _holds_ends_alone(direct, start)):
            direct = _right_end(start) or direct  # what was said before the capture began may have been the same
        if _is_explained(direct):
            return direct
    elif not shown.whole and (right := _find_right_part(shown, start)) is not None:
        return right  # what stands beside a right part was not captured, so no change of it can be told
    tried = list(_look_behind(start)) if got.strip() else []
    for before, changed in tried:
        join, _ = _find_exact(before.got, before.turns, _SHARE)
        if join is not None:
            join = _finish(join, before, changed)
            if direct is None or (join.habit == direct.habit and _is_explained(join)):
                return join
    if direct is not None:
        return direct
    cut: Join | None = None
    for before, changed in [(start, ()), *tried] if searched else []:
        found = next(join_readings.read_parts(before.got, _list_ends(before.turns)), None)
        if found is not None:
            join = _finish(_make_join(found), before, changed)
            if _is_explained(join):
                return join
            cut = cut or join
    if cut is not None:
        return cut
    if not shown.whole and (join := _excerpt(shown, [(start, ()), *tried])) is not None:
        return join
    return _find_added(start) or _find_nearest_behind(start, searched, tried)


_UNCHANGED = Change("", "")
_QUOTED = 80
_ENDS_A_TURN = ".,!?;:\u2026"
_LEAST_PIECE = 6  # letters of an update that stands in a text by no chance
_SURE_EXCERPT = 20  # letters: a shorter piece may stand in a text by chance


def _are_words_twice(join: Join) -> bool:
    """Whether a text holds words of a turn twice, and no whole turns."""
    return join.habit == "turns-repeated" and join.turn is not None


def _holds_ends_alone(direct: Join, start: Before) -> bool:
    """Whether a text that seems to be wrong can be read as final texts, some of them more than once."""
    if direct.habit == "ends":
        return False
    try:
        read = _read_mixed(extract_letters(start.got), start.turns, _SHARE)
    except TooManyStepsError:
        return False
    return read is not None and read.habit == "turns-repeated"


_OPEN = "with the open turn as far as it was"


def _end_open(join: Join, turns: Sequence[Turn], shown: Shown) -> list[Turn] | None:
    """The turns as if the open one had ended as it stands in a text, where the capture stops in it; else None."""
    if join.habit != "partial-kept" or join.lacking or shown.ends or turns[-1].end is not None:
        return None
    kept = [text for _, text in turns[-1].pieces if join.text.endswith(text)]
    return [*turns[:-1], replace(turns[-1], end=max(kept, key=len))] if kept else None


def _right_end(start: Before) -> Join | None:
    """The end of a text that is every final text of the capture as it is, None where there is none."""
    return _find_right_part(Shown(begins=False), start)


def _find_right_part(shown: Shown, start: Before) -> Join | None:
    """A part of a text that is every final text of the capture as it is, None where there is none."""
    join = _excerpt(shown, [(start, ())])
    return join if join is not None and join.habit == "ends" and join.rest is None else None


def _updates_within(before: Before) -> Join | None:
    """Every update of the capture somewhere in a text, None where they do not stand there or are too few."""
    letters, least = extract_letters(before.got), len(extract_letters(join_expected(before.turns))) + _SURE_EXCERPT
    for kinds in (("update", "eager_end", "end"), ("update", "end"), ("update",)):
        text = "".join(collect_texts(before.turns, kinds))
        if len(extract_letters(text)) > least and extract_letters(text) in letters:
            beyond = max(0, len(before.got) - len(text))
            return Join("updates-joined", text, True, 1.0, "every update was appended", sure=0.8, beyond=beyond)
    return None


def _excerpt(shown: Shown, tried: Sequence[tuple[Before, tuple[Change, ...]]]) -> Join | None:
    """The part of a text that comes out of the turns where the capture is only a part of the session.

    Every place at which the turns may stand is tried, and the one where nothing is wrong wins; unless every update
    stands there, too, which nobody says.
    """
    best: Join | None = None
    for before, changed in tried:
        appended = _updates_within(before)
        if appended is not None:
            return replace(appended, changes=changed, got=before.got, turns=before.turns)
        for part in excerpts(before.got, before.turns, shown):
            join, _ = _find_exact(part.got, part.turns, _SHARE)
            ended = _end_open(join, part.turns, shown) if join is not None else None
            if join is not None and ended is not None:
                join, part = replace(join, habit="ends", detail=_OPEN), replace(part, turns=ended)
            if join is None or (join.habit != "ends" and len(extract_letters(part.got)) < _SURE_EXCERPT):
                continue
            if _are_words_twice(join):
                continue  # words twice may as well be updates that the capture does not show
            join = _finish(join, Before(part.got, part.turns, before.change), changed)
            if join.habit == "ends" and keeps_apart(part.got, _list_ends(part.turns)):
                join = replace(join, rest=None)
            join = replace(join, beyond=len(before.got) - len(part.got), sure=min(join.sure, 0.8))
            if join.habit == "ends" and join.rest is None:
                return join
            if join.rest is None or join.rest.plain or join.rest.harmless:
                best = best or join
    return best


def _find_added(start: Before) -> Join | None:
    """Every final text as it is, and before or behind them words of which no event tells; None for another text."""
    right = join_expected(start.turns)
    letters, spoken = extract_letters(start.got), extract_letters(right)
    at = letters.find(spoken) if len(spoken) >= _SURE_EXCERPT else -1
    if at < 0:
        return _find_put_between(start) if len(spoken) >= _SURE_EXCERPT else None
    before = cut_beginning(start.got, at)
    behind = start.got[len(cut_beginning(start.got, at + len(spoken))) :].lstrip(_ENDS_A_TURN)
    kept = _find_kept_piece(start.turns, extract_letters(before), extract_letters(behind))
    if kept is not None:
        where = "before" if before else "behind"
        detail = f"turn {kept + 1} in an unfinished version as well, {where} all final texts"
        return Join("partial-kept", start.got, True, 1.0, detail, sure=0.9, turn=kept, got=start.got, turns=start.turns)
    sides = [(where, text.split()) for where, text in (("before", before), ("after", behind)) if extract_letters(text)]
    told = " and ".join(f"{len(words)} word{'s' * (len(words) > 1)} {where} them" for where, words in sides)
    detail = f"{told} ({' '.join(sides[0][1])[:_QUOTED]!r})"
    alike = len(spoken) / len(letters)
    return Join("text-added", right, True, alike, detail, sure=0.9, got=start.got, turns=start.turns)


def _find_put_between(start: Before) -> Join | None:
    """Every final text as it is, and between them what no event says, as in a talk that is shown with its answers."""
    apart = split_by_turns(start.got, start.turns)
    words = list_words(" ".join(apart or ()))
    heard = {word for turn in start.turns for _, text in turn.pieces for word in list_words(text)}
    if not apart or not words or sum(word in heard for word in words) > _OF_TURNS * len(words):
        return None
    shown = next(text for text in apart if extract_letters(text))
    detail = f"{len(words)} word{'s' * (len(words) > 1)} between them ({' '.join(shown.split())[:_QUOTED]!r})"
    right = join_expected(start.turns)
    alike = measure_similarity(start.got, right)
    return Join("text-added", right, True, alike, detail, sure=0.8, got=start.got, turns=start.turns)


_OF_TURNS = 0.6  # of the words that were put in: more of them are versions of a turn


def _find_kept_piece(turns: Sequence[Turn], before: str, behind: str) -> int | None:
    """The turn of which what stands on one side of all final texts is a version before its end."""
    piece = behind if not before else before if not behind else ""
    if len(piece) < _LEAST_PIECE:
        return None
    for number in range(len(turns) - 1, -1, -1):
        if any(kind != "end" and extract_letters(text) == piece for kind, text in turns[number].pieces):
            return number
    return None


def _is_explained(join: Join) -> bool:
    """Whether nothing but white space differs from what the habit gives, so that nothing else was done to the text."""
    if join.habit == "ends":
        return join.rest is None or join.rest.plain
    if any(change.loose for change in join.changes):
        return True
    got, text = ("".join(tidy(text).split()) for text in (join.got, join.text))
    return got == text or (join.habit == "truncated" and got.strip(".") == text.strip("."))


def _list_ends(turns: Sequence[Turn]) -> list[str]:
    return [turn.end or "" for turn in turns]


def _look_behind(start: Before) -> Iterator[tuple[Before, tuple[Change, ...]]]:
    """The text as if one change, then as if two, had not been made; as many as are affordable."""
    left, room = _TRIED, _CHANGED
    level: list[tuple[Before, tuple[Change, ...]]] = [(start, ())]
    for _ in range(2):
        following: list[tuple[Before, tuple[Change, ...]]] = []
        for before, changed in level:
            room -= len(before.got) + sum(len(text) for turn in before.turns for _, text in turn.pieces)
            if room < 0:
                return
            for one in list_changes(before.got, before.turns):
                if extract_letters(one.got) and one.change.cause not in {change.cause for change in changed}:
                    left, room = left - 1, room - len(one.got)
                    if left < 0 or room < 0:
                        return
                    following.append((one, (*changed, one.change)))
                    yield following[-1]
        level = following


def _finish(join: Join, before: Before, changed: tuple[Change, ...]) -> Join:
    """A join with what was changed, and what besides happened to its spelling."""
    rest = None
    if join.habit == "ends":
        right = join_expected(before.turns)
        loose = any(change.loose for change in changed)
        if not loose or list_words(before.got) != list_words(right):
            rest = find_spelling(before.got, before.turns, right)
        if loose and rest is not None and rest.habit != "whitespace-stripped":
            rest = None
    return replace(join, changes=changed, rest=rest, got=before.got, turns=before.turns)


def _find_exact(got: str, turns: Sequence[Turn], share: int = 1) -> tuple[Join | None, bool]:
    """The simplest habit that gives a text letter by letter, and whether all were tried.

    Args:
        got: The text.
        turns: All turns.
        share: One in so many of the steps of a search may be taken.
    """
    ends = join_expected(turns)
    letters = extract_letters(got)
    if letters == extract_letters(ends):
        return Join("ends", ends, True, 1.0), True
    candidates = _list_candidates(turns, max(_RUNNING, 2 * len(got)), len(got))
    fitting = [join for join in candidates if join[1] and extract_letters(join[1]) == letters]
    mixed, searched = None, True
    try:
        mixed = _read_mixed(letters, turns, share)
    except TooManyStepsError:
        searched = False
    missing = mixed is not None and mixed.habit == "turns-missing"
    if mixed is not None and missing and fitting and fitting[0][0] == "eager-ends-joined":
        # all turns with an eager end, and no other: leaving out a turn is the more usual mistake
        return replace(mixed, rival="eager-ends-joined"), True
    if mixed is not None and mixed.habit == "partial-kept" and not mixed.lacking and fitting:
        # of the turn that never ended one update is known: every finished turn stands there as it should
        return replace(mixed, rival=fitting[0][0]), True
    if fitting:
        habit, text, detail = fitting[0]
        rival = next((other for other, _, _ in fitting if other != habit), "")
        return Join(habit, text, True, 1.0, detail, rival), True
    if mixed is not None:
        return _prefer_simpler(mixed, got, letters, turns), True
    # where not all was tried, a turn that is missing cannot be told from one that was merged
    found = next(join_readings.read_rearranged(got, _list_ends(turns)), None) if searched else None
    return (_make_join(found) if found is not None else None), searched


def _make_join(found: join_readings.Reading) -> Join:
    return Join(found.habit, found.text, True, 1.0, found.detail, sure=found.sure, turn=found.turn)


def _prefer_simpler(mixed: Join, got: str, letters: str, turns: Sequence[Turn]) -> Join:
    """A reading turn by turn, or what says the same with less: turns that were said twice, or a text that was cut."""
    if mixed.habit == "turns-missing" and (again := _find_repeated_turn(mixed.lacking, turns)) is not None:
        if not any(extract_letters(turn.end or "") for turn in turns[mixed.lacking[-1] + 1 :]):
            return replace(mixed, rival="words-merged")  # the text ends there, which is more usual
        detail = f"turn {mixed.lacking[0] + 1} says the same as turn {again + 1}, and is there once"
        return replace(mixed, habit="words-merged", detail=detail, rival="turns-missing", turn=mixed.lacking[0])
    if mixed.habit == "partial-kept":
        ends = _list_ends(turns)
        merged = next(join_readings.read_rearranged(got, ends), None)
        if merged is not None:  # what the unfinished turn lacks is just what the next one begins with
            return replace(_make_join(merged), rival="partial-kept")
        cut = join_readings.read_part(got, letters, [extract_letters(end) for end in ends], ends)
        if cut is not None and cut.text == join_expected(turns)[: len(cut.text)]:
            if join_readings.is_limited(got):
                return replace(_make_join(cut), rival="partial-kept")
            return replace(mixed, turn=cut.turn, rival="truncated" if len(mixed.lacking) > 1 else "")
    return mixed


def _find_repeated_turn(missing: Sequence[int], turns: Sequence[Turn]) -> int | None:
    """The turn that the first missing one repeats, where exactly the turns that repeat another are missing."""
    letters = [extract_letters(turn.end or "") for turn in turns]
    for near in (True, False):
        first: dict[str, int] = {}
        repeating = {}
        for number, said in enumerate(letters):
            if not said:
                continue
            if said in first:
                repeating[number] = first[said]
            first = {said: number} if near else {said: number, **first}
        if set(repeating) == set(missing):
            return repeating[missing[0]]
    return None


def _read_mixed(letters: str, turns: Sequence[Turn], share: int = 1) -> Join | None:
    """Read the text as turns of which some are missing, repeated or stand in an unfinished version.

    Raises:
        TooManyStepsError: It is not known whether it can be read so.
    """
    parts = find_simplest_reading(letters, turns, extract_letters, share)
    if parts is None:
        return None
    numbers = {kind: [part.turn for part in parts if part.kind == kind] for kind in ("partial", "repeated")}
    there = {part.turn for part in parts}
    missing = [i for i, turn in enumerate(turns) if i not in there and turn.end and extract_letters(turn.end)]
    text = "".join(part.text for part in parts)
    habit, detail = _describe_reading(numbers["partial"], numbers["repeated"], missing)
    lacking = sorted({*missing, *(i for i in numbers["partial"] if turns[i].end is not None)})
    return Join(habit, text, True, 1.0, detail, lacking=tuple(lacking))


def _describe_reading(partial: Sequence[int], repeated: Sequence[int], missing: Sequence[int]) -> tuple[str, str]:
    if partial:
        return "partial-kept", f"{_list_numbers(partial)} in an unfinished version"
    if repeated:
        return "turns-repeated", f"{_list_numbers(repeated)} more than once"
    return "turns-missing", f"{_list_numbers(missing)} missing"


def _list_numbers(chosen: Sequence[int]) -> str:
    shown = ", ".join(str(number + 1) for number in chosen[:8])
    return ("turn " if len(chosen) == 1 else "turns ") + shown + (" ..." if len(chosen) > 8 else "")


def _find_nearest_behind(start: Before, searched: bool, tried: Sequence[tuple[Before, tuple[Change, ...]]]) -> Join:
    """The nearest habit, behind the change that makes the text more alike, if one does."""
    near = replace(_find_nearest(start.got, start.turns), searched=searched, got=start.got, turns=start.turns)
    for before, changed in tried:
        if len(changed) == 1:
            right = join_expected(before.turns)
            alike = measure_similarity(before.got, right)
            if alike > near.similarity + _BETTER:
                near = Join("ends", right, False, alike, "", "", searched, got=before.got, turns=before.turns)
                near = replace(near, changes=changed)
    return near


def _find_nearest(got: str, turns: Sequence[Turn]) -> Join:
    """The habit whose text is most similar in words; `ends` wins a tie."""
    options = chain([("ends", join_expected(turns), "")], _list_candidates(turns, _RUNNING))
    last = next((turn.partial for turn in reversed(turns) if turn.end is None and turn.partial), None)
    if last:
        unfinished = join_expected(turns) + last
        options = chain(options, [("partial-kept", unfinished, "the open turn in an unfinished version")])
    joins = (Join(habit, text, False, measure_similarity(got, text), detail) for habit, text, detail in options if text)
    return max(joins, key=lambda join: join.similarity, default=Join("ends", "", False, 0.0))


def measure_similarity(a: str, b: str) -> float:
    """Share (0..1) of words that two texts have in common in order, by `rapidfuzz`; of the first 4,000 words each.

    Twice the longest common subsequence over the words of both.
    """
    words_a, words_b = _split_words(a), _split_words(b)
    if not words_a or not words_b or min(len(words_a), len(words_b)) * 8 < max(len(words_a), len(words_b)):
        return 0.0
    from rapidfuzz.distance import Indel

    return Indel.normalized_similarity(words_a, words_b)


def _split_words(text: str) -> list[str]:
    beginning = unicodedata.normalize("NFKC", text[:_BEGINNING]).casefold()
    return [match.group() for match in islice(re.finditer(r"\w+", beginning), _WORDS)]


def find_differences(got: str, right: str, most: int = 3) -> list[tuple[str, str]]:
    """Return the first places at which the application's text departs from the right one: (right, the application's).

    Words between single spaces are compared, 2,000 from the first on that differs. Where one of the two has nothing
    there, the words around the place are a part of both.

    Args:
        got: The application's text.
        right: The right one.
        most: Places that are returned.
    """
    from rapidfuzz.distance import Indel

    alike = _count_alike(right, got)
    border = right.rfind(" ", 0, alike)  # in front of the first word that differs
    start = right.rfind(" ", 0, border) + 1 if border >= 0 else 0
    ours, theirs = (text[start:].split(" ", _DIFFERING + 1)[: _DIFFERING + 1] for text in (right, got))
    equal = [part for part in Indel.opcodes(ours, theirs) if part.tag == "equal"]
    starts = [(0, 0), *((part.src_end, part.dest_end) for part in equal)]
    ends = [*((part.src_start, part.dest_start) for part in equal), (len(ours), len(theirs))]
    between = ((slice(a, c), slice(b, d)) for (a, b), (c, d) in zip(starts, ends, strict=True) if (a, b) != (c, d))
    return [_strip_alike(ours, theirs, one, other) for one, other in islice(between, most)]


def _count_alike(a: str, b: str) -> int:
    """Count the characters that two texts have in common at their beginning."""
    low, high = 0, min(len(a), len(b))
    while low < high:
        middle = (low + high + 1) // 2
        if a.startswith(b[low:middle], low):
            low = middle
        else:
            high = middle - 1
    return low


def _strip_alike(ours: list[str], theirs: list[str], one: slice, other: slice) -> tuple[str, str]:
    texts = " ".join(ours[one]), " ".join(theirs[other])
    if all(text.strip() for text in texts):
        return texts
    before = 1 if one.start and other.start else 0
    return (
        " ".join(ours[one.start - before : one.stop + 1]),
        " ".join(theirs[other.start - before : other.stop + 1]),
    )
