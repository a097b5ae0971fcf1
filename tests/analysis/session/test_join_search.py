from random import Random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from turns import make

from sttdoctor.analysis.session import join_hypotheses, join_search
from sttdoctor.analysis.session.join_search import TooManyStepsError, find_simplest_reading
from sttdoctor.analysis.session.join_spelling import extract_letters


def costs(parts, turns):
    """What a reading departs from every turn as it ended."""
    own = {"end": 0, "partial": 3}
    there = {part.turn for part in parts}
    missing = sum(bool(turn.end) and i not in there for i, turn in enumerate(turns))
    times = [
        len(extract_letters(p.text)) // len(extract_letters(turns[p.turn].end)) for p in parts if p.kind == "repeated"
    ]
    return 2 * missing + sum(own.get(part.kind, 0) for part in parts) + sum(1 + count for count in times)


def cheapest(letters, turns):
    """The same by trying everything: turn by turn, the least cost of each place in the text."""
    best = {0: 0}
    for turn in turns:
        end = turn.end or ""
        ways = [(extract_letters(end) * times, times + 1 if times > 1 else 0) for times in (1, 2, 3, 4) if end]
        ways += [("", 2 if end else 0), *((extract_letters(text), 3) for kind, text in turn.pieces if kind != "end")]
        following = {}
        for place, cost in best.items():
            for key, more in ways:
                if letters.startswith(key, place):
                    at = place + len(key)
                    following[at] = min(following.get(at, cost + more), cost + more)
        best = following
    return best.get(len(letters))


_word = st.text("ab", min_size=1, max_size=3)
_turn = st.tuples(st.lists(_word, min_size=1, max_size=3), st.booleans()).map(lambda made: make(*made[0], end=made[1]))


@example([make("a", end=False), make("a", "b")], "a")  # the open turn costs nothing where it is left out
@given(st.lists(_turn, max_size=6), st.text("ab", max_size=12))
def test_no_reading_is_simpler(turns, letters):
    parts = find_simplest_reading(letters, turns, extract_letters)
    found = cheapest(letters, turns)
    assert (parts is None) == (found is None)
    if parts is not None:
        assert "".join(extract_letters(part.text) for part in parts) == letters
        assert [part.turn for part in parts] == sorted({part.turn for part in parts})
        assert costs(parts, turns) == found


@given(st.lists(st.lists(_word, min_size=1, max_size=3), min_size=1, max_size=6), st.data())
def test_whatever_is_left_out_repeated_or_unfinished_is_read(texts, data):
    turns = [make(*texts) for texts in texts]
    chosen = [data.draw(st.sampled_from(["", t.end, t.end * 2, t.end * 4, t.pieces[0][1]])) for t in turns]
    assert find_simplest_reading("".join(chosen), turns, extract_letters) is not None


@pytest.fixture
def steps_for(monkeypatch):
    def allow(number):
        monkeypatch.setattr(join_search, "MAX_STEPS", number)
        monkeypatch.setattr(join_search, "_STEPS_A_TEXT", 0)

    return allow


def speech(count):
    """Turns of eight words with three updates each."""
    choose = Random(1)
    words = ["".join(choose.choices("abcdefghijklmnopqrstuvwxyz", k=5)) for _ in range(500)]
    texts = [" " + " ".join(choose.choices(words, k=8)) for _ in range(count)]
    return [make(text[:12], text[:24], text) for text in texts]


SPEECH = speech(200)
SAME = [make("Yes. ") for _ in range(200)]


@pytest.mark.parametrize(
    ("turns", "text"),
    [
        (SPEECH, "".join(t.end for t in SPEECH[::2])),
        (SPEECH, "".join(t.end for t in SPEECH[:-1])),
        (SPEECH, "".join(t.pieces[1][1] for t in SPEECH)),
        (SPEECH, "".join(t.end * (1 + i % 3) for i, t in enumerate(SPEECH))),
        (SPEECH, "".join(t.end for t in SPEECH[:-1]) + "something else"),
        (SPEECH, "something else"),
        (SAME, "Yes. " * 199),
        (SAME, "Yes. " * 100),
        (SAME, "Yes. " * 199 + "No."),
        ([make("a ") for _ in range(200)], "a" * 199 + "b"),
    ],
)
def test_the_steps_grow_with_the_number_of_turns_alone(steps_for, turns, text):
    steps_for(30 * len(turns))
    find_simplest_reading(extract_letters(text), turns, extract_letters)


def test_a_text_with_too_many_readings_is_given_up(steps_for):
    turns = [make("a" * (1 + i % 3)) for i in range(200)]
    steps_for(2_000)
    with pytest.raises(TooManyStepsError):
        find_simplest_reading("a" * 200, turns, extract_letters)
    join = join_hypotheses.explain("a" * 200, turns)
    assert not join.searched and not join.exact


def test_long_versions_cost_more_than_one_step(steps_for):
    steps_for(20)
    with pytest.raises(TooManyStepsError):
        find_simplest_reading("a" * 200_000, [make("a" * 100_000)] * 3, extract_letters)


def test_a_version_of_any_length_is_found():
    for length in (1, 2, 3, 7, 8, 9, 63, 64, 65, 200):
        word = ("abcdefghijklmnopqrstuvwxyz" * 8)[:length]
        (part,) = find_simplest_reading(word, [make("zz"), make(word)], extract_letters)
        assert (part.turn, part.kind, part.text) == (1, "end", word)
