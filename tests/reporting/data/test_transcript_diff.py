"""The application's text aligned with the events, turn by turn.

Which word of one text is which word of the other.
"""

from itertools import pairwise

import builders
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sttdoctor.analysis.facts import Facts
from sttdoctor.analysis.session.join_spelling import extract_letters
from sttdoctor.reporting.data import transcript_diff as module
from sttdoctor.reporting.data.transcript_diff import MAX_PIECE, diff_transcript, match_words, split, unglue
from sttdoctor.thresholds import DEFAULTS

ENDS = ("Mary rolled the barrel.", " Bobby ripped the ledger.", " He turned sharply.")

SOME_WORDS = st.lists(st.sampled_from(["a", "bee", "Cow.", "dog,", "  e", "f\n", "o'hare"]), max_size=12).map(" ".join)


def subject(got, ends=ENDS, updates=()):
    events = []
    for number, end in enumerate(ends):
        events += builders.turn(1.0 + number, *updates, end, end=1.8 + number, step=0.1)
    return Facts(DEFAULTS, session=builders.session(builders.steady(5), events=events, transcript=got))


def compared(got, ends=ENDS):
    """(kind, text as it should be, text as it is) of what differs, by turn."""
    found = diff_transcript(subject(got, ends))
    return {
        turn.number: [(piece.kind, piece.text, piece.got) for piece in turn.pieces if piece.kind != "same"]
        for turn in found.turns
        if any(piece.kind != "same" for piece in turn.pieces)
    }


def test_the_right_text_has_no_marks():
    found = diff_transcript(subject("".join(ENDS)))
    assert not found.counts
    assert ["".join(piece.text for piece in turn.pieces) for turn in found.turns] == list(ENDS)
    assert [(turn.number, turn.start_t_s, turn.updates) for turn in found.turns] == [
        (1, 1.0, 1),
        (2, 2.0, 1),
        (3, 3.0, 1),
    ]


@pytest.mark.parametrize(
    ("got", "marks"),
    [
        ("Mary rolled the barrel.Bobby ripped the ledger. He turned sharply.", {1: [("glued", ". ", ".")]}),
        ("Mary rolled the barrel.\n Bobby ripped the ledger. He turned sharply.", {1: [("spaced", ". ", ".\n ")]}),
        (ENDS[0] + ENDS[2], {2: [("missing", " Bobby ripped the ledger.", "")]}),
        ("".join(ENDS) + ENDS[2], {2: [("repeated", "", " He turned sharply")]}),
        ("Mary rolled the Barrel. Bobby ripped the ledger. He turned sharply.", {1: [("changed", "barrel", "Barrel")]}),
        ("Mary rolled the barrel, Bobby ripped the ledger. He turned sharply.", {1: [("changed", ". ", ", ")]}),
        ("".join(ENDS) + " Press one for sales", {3: [("added", "", " Press one for sales")]}),
        (" ".join(ENDS).strip() + "\n", {1: [("spaced", ". ", ".  ")], 2: [("spaced", ". ", ".  ")]}),
        ("".join(ENDS) + "\n", {}),
    ],
)
def test_each_mistake_is_marked_where_it_is(got, marks):
    assert compared(got) == marks


def test_appended_updates_show_as_what_is_repeated():
    got = "Mary Mary rolled the Mary rolled the barrel. Bobby Bobby ripped the ledger. He turned sharply."
    assert compared(got) == {
        1: [("repeated", "", "Mary Mary rolled the"), ("repeated", "", " Bobby")],
    }


def test_words_that_were_run_together_are_taken_apart():
    ends = ("Hello", " there", " Mary")
    assert compared("HellothereMary", ends) == {1: [("glued", " ", "")], 2: [("glued", " ", "")]}


def test_a_turn_may_end_inside_a_word():
    found = diff_transcript(subject("Good morning all", ("Good mor", "ning all")))
    assert not found.counts


def test_without_the_applications_text_the_right_one_is_shown():
    found = diff_transcript(subject(None))
    assert found.got is None and [turn.pieces[0].text for turn in found.turns] == list(ENDS)


def test_without_any_turn_the_applications_text_is_an_addition():
    found = diff_transcript(subject("Hello", ()))
    assert [(piece.kind, piece.got) for turn in found.turns for piece in turn.pieces] == [("added", "Hello")]
    assert diff_transcript(subject(None, ())) is None


def test_long_texts_are_cut_and_say_so():
    found = diff_transcript(subject("y" * (module.MAX_GOT + 1), ("x" * 1_000_000,)))
    shown = [piece.text + piece.got for turn in found.turns for piece in turn.pieces]
    assert found.remark and max(map(len, shown)) < 2 * MAX_PIECE and "characters left out" in shown[0]


WORDS = st.lists(st.sampled_from(["a", "bee", "Cow.", "dog,", "  e", "f\n", "\u202eg", "o'hare"]), max_size=12).map(
    " ".join
)


@given(st.lists(WORDS, max_size=4), WORDS)
def test_no_text_is_lost_whatever_the_texts_are(ends, got):
    found = diff_transcript(subject(got, ends))
    right = ["".join(piece.text for piece in turn.pieces) for turn in found.turns if turn.number]
    assert "".join(right) == "".join(ends)
    theirs = "".join(piece.got for turn in found.turns for piece in turn.pieces)
    assert extract_letters(theirs) == extract_letters(got)


def test_what_is_left_out_of_a_piece_is_counted_once():
    words = [f"word{number}" for number in range(2000)]
    (turn,) = diff_transcript(subject("", (" ".join(words),))).turns
    (piece,) = turn.pieces
    length = len(" ".join(words))
    assert piece.kind == "missing" and f"[... {length - MAX_PIECE} characters left out ...]" in piece.text
    assert piece.text.count("left out") == 1


def test_texts_that_cannot_be_compared_word_by_word_say_so(monkeypatch):
    assert diff_transcript(subject("a b c")).remark == ""
    monkeypatch.setattr(module, "_MAX_CELLS", 4)
    assert "not compared word by word" in diff_transcript(subject("a b c")).remark


@given(SOME_WORDS, SOME_WORDS)
def test_matches_rise_on_both_sides(right, theirs):
    one, other = split(right), split(theirs)
    found, whole = match_words(one, other, [0] * len(one.words))
    assert whole
    assert all(a < c and b < d for (a, b), (c, d) in pairwise(found))
    assert all(one.keys[a] == other.keys[b] for a, b in found)


@given(SOME_WORDS)
def test_a_text_matches_itself_word_for_word(text):
    one = split(text)
    assert match_words(one, one, [0] * len(one.words)) == ([(i, i) for i in range(len(one.words))], True)
    assert "".join(gap + word for gap, word in zip(one.gaps, [*one.words, ""], strict=True)) == text


def test_a_whole_stretch_wins_over_scattered_words():
    one, other = split("we went home early"), split("we we went we went home we went home early")
    assert [b for _, b in match_words(one, other, [0, 0, 0, 0])[0]] == [6, 7, 8, 9]


def test_only_words_made_of_known_words_are_taken_apart():
    known = {"hello", "there", "mary"}
    assert unglue(split("HelloThereMary helloo"), known).words == ["Hello", "There", "Mary", "helloo"]


def test_a_word_is_taken_apart_into_as_few_as_it_can_be():
    known = {"a", "an", "other", "another", "n"}
    assert unglue(split("anotheranother"), known).words == ["another", "another"]
    assert unglue(split("anan"), known).words == ["an", "an"]


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
    monkeypatch.setattr(module, "_MAX_SEARCHED", rounds * length)
    assert match_words(right, theirs, of_turn)[1]


def test_turns_that_are_nowhere_are_looked_for_up_to_a_bound(monkeypatch):
    right, of_turn = of_turns([f"a a b{number}" for number in range(300)])
    monkeypatch.setattr(module, "_MAX_SEARCHED", 10_000)
    found, whole = match_words(right, split("a " * 300), of_turn)
    assert not whole and len(found) == 300  # what is not found as a whole is aligned word by word


@given(st.lists(st.sampled_from("ab"), max_size=12), st.lists(st.sampled_from("ab"), min_size=3, max_size=4))
def test_a_turn_is_found_where_it_stands_last(theirs, wanted):
    places = [i for i in range(len(theirs) - len(wanted) + 1) if theirs[i : i + len(wanted)] == wanted]
    found, _ = module._find_anchors(wanted, theirs, [0] * len(wanted))
    assert found == ([(0, len(wanted), places[-1])] if places else [])
