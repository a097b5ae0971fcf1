"""Which word of one text is which word of the other."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from sttdoctor.exhibits.alignment import matches, split, unglued

WORDS = st.lists(st.sampled_from(["a", "bee", "Cow.", "dog,", "  e", "f\n", "o'hare"]), max_size=12).map(" ".join)


@given(WORDS, WORDS)
def test_matches_rise_on_both_sides(right, theirs):
    one, other = split(right), split(theirs)
    found = list(matches(one, other, [0] * len(one.words)))
    assert all(a < c and b < d for (a, b), (c, d) in pairwise(found))
    assert all(one.keys[a] == other.keys[b] for a, b in found)


@given(WORDS)
def test_a_text_matches_itself_word_for_word(text):
    one = split(text)
    assert list(matches(one, one, [0] * len(one.words))) == [(i, i) for i in range(len(one.words))]
    assert "".join(gap + word for gap, word in zip(one.gaps, [*one.words, ""], strict=True)) == text


def test_a_whole_stretch_wins_over_scattered_words():
    one, other = split("we went home early"), split("we we went we went home we went home early")
    assert [b for _, b in matches(one, other, [0, 0, 0, 0])] == [6, 7, 8, 9]


def test_only_words_made_of_known_words_are_taken_apart():
    known = {"hello", "there", "mary"}
    assert unglued(split("HelloThereMary helloo"), known).words == ["Hello", "There", "Mary", "helloo"]
