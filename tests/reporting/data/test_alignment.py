"""Which word of one text is which word of the other."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sttdoctor.reporting.data import alignment
from sttdoctor.reporting.data.alignment import matches, split, unglued

WORDS = st.lists(st.sampled_from(["a", "bee", "Cow.", "dog,", "  e", "f\n", "o'hare"]), max_size=12).map(" ".join)


@given(WORDS, WORDS)
def test_matches_rise_on_both_sides(right, theirs):
    one, other = split(right), split(theirs)
    found, whole = matches(one, other, [0] * len(one.words))
    assert whole
    assert all(a < c and b < d for (a, b), (c, d) in pairwise(found))
    assert all(one.keys[a] == other.keys[b] for a, b in found)


@given(WORDS)
def test_a_text_matches_itself_word_for_word(text):
    one = split(text)
    assert matches(one, one, [0] * len(one.words)) == ([(i, i) for i in range(len(one.words))], True)
    assert "".join(gap + word for gap, word in zip(one.gaps, [*one.words, ""], strict=True)) == text


def test_a_whole_stretch_wins_over_scattered_words():
    one, other = split("we went home early"), split("we we went we went home we went home early")
    assert [b for _, b in matches(one, other, [0, 0, 0, 0])[0]] == [6, 7, 8, 9]


def test_only_words_made_of_known_words_are_taken_apart():
    known = {"hello", "there", "mary"}
    assert unglued(split("HelloThereMary helloo"), known).words == ["Hello", "There", "Mary", "helloo"]


def test_a_word_is_taken_apart_into_as_few_as_it_can_be():
    known = {"a", "an", "other", "another", "n"}
    assert unglued(split("anotheranother"), known).words == ["another", "another"]
    assert unglued(split("anan"), known).words == ["an", "an"]


def of_turns(turns):
    """A text of turns, and of each word the turn that it stands in."""
    return split(" ".join(turns)), [number for number, turn in enumerate(turns) for _ in turn.split()]


TURNS = [f"this is sentence {number} of many" for number in range(300)]


@pytest.mark.parametrize(
    ("said", "rounds"),
    [(TURNS, 24), (TURNS[::2], 24), ([turn for turn in TURNS for _ in range(3)], 24), (TURNS[150:], 24), (["x"], 301)],
)
def test_what_is_searched_grows_little_faster_than_the_text(monkeypatch, said, rounds):
    right, of_turn = of_turns(TURNS)
    theirs = split(" ".join(said))
    length = sum(map(len, theirs.words)) + len(theirs.words) + 1
    monkeypatch.setattr(alignment, "_MAX_SEARCHED", rounds * length)
    assert matches(right, theirs, of_turn)[1]


def test_turns_that_are_nowhere_are_looked_for_up_to_a_bound(monkeypatch):
    right, of_turn = of_turns([f"a a b{number}" for number in range(300)])
    monkeypatch.setattr(alignment, "_MAX_SEARCHED", 10_000)
    found, whole = matches(right, split("a " * 300), of_turn)
    assert not whole and len(found) == 300  # what is not found as a whole is aligned word by word


@given(st.lists(st.sampled_from("ab"), max_size=12), st.lists(st.sampled_from("ab"), min_size=3, max_size=4))
def test_a_turn_is_found_where_it_stands_last(theirs, wanted):
    places = [i for i in range(len(theirs) - len(wanted) + 1) if theirs[i : i + len(wanted)] == wanted]
    found, _ = alignment._anchors(wanted, theirs, [0] * len(wanted))
    assert found == ([(0, len(wanted), places[-1])] if places else [])
