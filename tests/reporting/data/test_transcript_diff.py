"""The application's text aligned with the events, turn by turn."""

import builders
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sttdoctor.analysis.facts import Facts
from sttdoctor.analysis.session.join_spelling import words_of
from sttdoctor.reporting.data import alignment
from sttdoctor.reporting.data import transcript_diff as module
from sttdoctor.reporting.data.transcript_diff import MAX_PIECE, wording
from sttdoctor.thresholds import DEFAULTS

ENDS = ("Mary rolled the barrel.", " Bobby ripped the ledger.", " He turned sharply.")


def subject(got, ends=ENDS, updates=()):
    events = []
    for number, end in enumerate(ends):
        events += builders.turn(1.0 + number, *updates, end, end=1.8 + number, step=0.1)
    return Facts(DEFAULTS, session=builders.session(builders.steady(5), events=events, transcript=got))


def compared(got, ends=ENDS):
    """(kind, text as it should be, text as it is) of what differs, by turn."""
    found = wording(subject(got, ends))
    return {
        turn.number: [(piece.kind, piece.text, piece.got) for piece in turn.pieces if piece.kind != "same"]
        for turn in found.turns
        if any(piece.kind != "same" for piece in turn.pieces)
    }


def test_the_right_text_has_no_marks():
    found = wording(subject("".join(ENDS)))
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
    found = wording(subject("Good morning all", ("Good mor", "ning all")))
    assert not found.counts


def test_without_the_applications_text_the_right_one_is_shown():
    found = wording(subject(None))
    assert found.got is None and [turn.pieces[0].text for turn in found.turns] == list(ENDS)


def test_without_any_turn_the_applications_text_is_an_addition():
    found = wording(subject("Hello", ()))
    assert [(piece.kind, piece.got) for turn in found.turns for piece in turn.pieces] == [("added", "Hello")]
    assert wording(subject(None, ())) is None


def test_long_texts_are_cut_and_say_so():
    found = wording(subject("y" * (module.MAX_GOT + 1), ("x" * 1_000_000,)))
    shown = [piece.text + piece.got for turn in found.turns for piece in turn.pieces]
    assert found.remark and max(map(len, shown)) < 2 * MAX_PIECE and "characters left out" in shown[0]


WORDS = st.lists(st.sampled_from(["a", "bee", "Cow.", "dog,", "  e", "f\n", "\u202eg", "o'hare"]), max_size=12).map(
    " ".join
)


@given(st.lists(WORDS, max_size=4), WORDS)
def test_no_text_is_lost_whatever_the_texts_are(ends, got):
    found = wording(subject(got, ends))
    right = ["".join(piece.text for piece in turn.pieces) for turn in found.turns if turn.number]
    assert "".join(right) == "".join(ends)
    theirs = "".join(piece.got for turn in found.turns for piece in turn.pieces)
    assert words_of(theirs) == words_of(got)


def test_what_is_left_out_of_a_piece_is_counted_once():
    words = [f"word{number}" for number in range(2000)]
    (turn,) = wording(subject("", (" ".join(words),))).turns
    (piece,) = turn.pieces
    length = len(" ".join(words))
    assert piece.kind == "missing" and f"[... {length - MAX_PIECE} characters left out ...]" in piece.text
    assert piece.text.count("left out") == 1


def test_texts_that_cannot_be_compared_word_by_word_say_so(monkeypatch):
    assert wording(subject("a b c")).remark == ""
    monkeypatch.setattr(alignment, "_MAX_CELLS", 4)
    assert "not compared word by word" in wording(subject("a b c")).remark
