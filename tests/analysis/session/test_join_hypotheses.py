import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from turns import make

from sttdoctor.analysis.session import join_hypotheses, join_spelling
from sttdoctor.analysis.session.join_excerpts import Shown
from sttdoctor.analysis.session.turns import Turn, join_expected, join_updates

TWO = [
    make("Hi", "Hi there.", eager=["Hi there."]),
    make(" How", " How are", " How are you?", eager=[" How are", " How are you?"]),
]


@pytest.mark.parametrize(
    ("got", "habit"),
    [
        ("Hi there. How are you?", "ends"),
        ("HiHi there.Hi there. How How are How are you? How are you?", "updates-joined"),
        ("Hi Hi there. How How are How are you?", "updates-joined"),
        ("Hi there.Hi there. How are How are you? How are you?", "eager-ends-joined"),
        (" How are you?", "turns-missing"),
        ("Hi there.", "turns-missing"),
        ("Hi there. How are you? How are you?", "turns-repeated"),
        ("Hi there. How are you?Hi there. How are you?", "turns-repeated"),
        ("Hi there. How are", "partial-kept"),
        ("HI THERE, HOW ARE YOU", "ends"),
    ],
)
def test_the_habit_that_gives_the_text_is_named(got, habit):
    join = join_hypotheses.explain(got, TWO)
    assert (join.habit, join.exact) == (habit, True)


def test_a_partial_of_the_open_turn():
    join = join_hypotheses.explain("Hi there. How", [TWO[0], make(" How", " How are", end=False)])
    assert (join.habit, join.exact) == ("partial-kept", True)


@pytest.mark.parametrize("before", [[], [make("Hi there.")], [make("Hi there.", "Hi there.")]])
def test_the_one_update_of_a_turn_that_never_ended_was_kept_rather_than_appended(before):
    turns = [*before, make(" How are", end=False)]
    join = join_hypotheses.explain("Hi there. How are" if before else " How are", turns)
    assert (join.habit, join.rival) == ("partial-kept", "updates-joined")
    assert join_hypotheses.explain("Hi there. How", [make("Hi there.", " How", end=False)]).habit == "updates-joined"


def test_turns_that_only_started_and_a_text_that_none_of_them_has():
    assert join_hypotheses.explain("0", [Turn(1), Turn(2)]).exact is False


def test_two_habits_with_one_result_are_both_told():
    once = [make("Well", "Well yes.", eager=["Well yes."])]
    join = join_hypotheses.explain("Well yes.Well yes.", once)
    assert (join.habit, join.rival) == ("eager-ends-joined", "turns-repeated")


def test_a_missing_turn_without_an_eager_end_is_missing():
    join = join_hypotheses.explain("Hi there.", [TWO[0], make(" How", " How are you?")])
    assert (join.habit, join.rival) == ("turns-missing", "eager-ends-joined")


def test_no_habit_fits_gives_the_nearest():
    join = join_hypotheses.explain("Hi there. How were you today?", TWO)
    assert (join.habit, join.exact) == ("ends", False)
    assert 0.5 < join.similarity < 1


def test_an_unrelated_text_is_not_similar():
    assert join_hypotheses.explain("Hello.", []).similarity == 0.0
    assert join_hypotheses.explain("Colourless green ideas sleep furiously.", TWO).similarity < 0.3


@pytest.mark.parametrize(
    ("got", "habit"),
    [
        ("Hi there. How are you?", None),
        ("Hi there. How are you?\n", None),
        ("Hi there.How are you?", "whitespace-stripped"),
        ("Hi there.  How are you?", "separator-added"),
        ("Hi there.\n How are you?", "separator-added"),
        ("Hi there.\nHow are you?", None),
        ("Hi there.\n\nHow are you?", None),
        ("Hi\nthere. How\nare you?", None),
        ("hi there.  how are you?", "separator-added"),
        ("hi therehow are you", "whitespace-stripped"),
        ("Hi there, How are you?", "normalized"),
        ("hi there. how are you?", "normalized"),
        ("Hi there How are you", "normalized"),
        ("Hi  there. How  are you?", "separator-added"),
    ],
)
def test_spelling(got, habit):
    found = join_spelling.find_spelling(got, TWO, join_expected(TWO))
    assert (found[0] if found else None) == habit


@pytest.mark.parametrize(
    ("got", "habit", "words"),
    [
        ("A,b.C d.", "whitespace-stripped", "3 characters of white space less"),
        ("A,  b.   C  d.", "separator-added", "3 characters of white space more"),
        ("a, B. c  d.", "normalized", "upper and lower case were changed"),
        ("a, b. c d.", "normalized", "upper and lower case were changed"),
        ("A b C d", "normalized", "punctuation was removed"),
        ("a b c d", "normalized", "punctuation was removed and case was changed"),
        ("A; b. C  d.", "normalized", "punctuation was changed"),
    ],
)
def test_what_was_done_to_the_spelling_is_told(got, habit, words):
    found = join_spelling.find_spelling(got, [make("A, b."), make(" C  d.")], "A, b. C  d.")
    assert found[0] == habit and words in found[1]


TEN = [make(f" {word}") for word in ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")]


@pytest.mark.parametrize(
    ("kept", "detail"),
    [
        ([3], "turns 1, 2, 3, 5, 6, 7, 8, 9 ... missing"),
        ([3, 9], "turns 1, 2, 3, 5, 6, 7, 8, 9 missing"),
        ([0, 1, 2, 4, 5, 6, 7, 8, 9], "turn 4 missing"),
        ([0, 1, 2, 3, 3, 4, 5, 6, 7, 8, 9], "turn 4 more than once"),
        ([0, 0, 1, 2, 3, 3, 3, 4, 5, 6, 7, 8, 9], "turns 1, 4 more than once"),
        ([0, 1, 2, 3, 3, 3, 3, 4, 5, 6, 7, 8, 9], "turn 4 more than once"),
        ([], "turns 1, 2, 3, 4, 5, 6, 7, 8 ... missing"),
    ],
)
def test_the_turns_are_numbered(kept, detail):
    assert join_hypotheses.explain("".join(TEN[i].end for i in kept), TEN).detail == detail


@pytest.mark.parametrize(
    ("got", "habit", "detail"),
    [
        ("Hi there. How", "partial-kept", "turn 2 in an unfinished version"),
        ("Hi there. How are you? How are you?", "turns-repeated", "turn 2 more than once"),
        ("Hi How are you?", "partial-kept", "turn 1 in an unfinished version"),
    ],
)
def test_what_a_turn_stands_as_is_told(got, habit, detail):
    join = join_hypotheses.explain(got, TWO)
    assert (join.habit, join.detail, join.text) == (habit, detail, got)


def test_a_text_that_appended_updates_give_too_is_not_missing_a_turn():
    join = join_hypotheses.explain(" a", [make(" a"), make(" a")])
    assert (join.habit, join.rival) == ("updates-joined", "")
    join = join_hypotheses.explain("", [make("Hi")])  # no eager end gives nothing, but that is no habit
    assert (join.habit, join.rival) == ("turns-missing", "")


def test_of_equal_turns_the_later_ones_are_missing():
    three = [make(" a", eager=[" a"]), make(" a"), make(" a")]
    assert join_hypotheses.explain(" a", three).detail == "turns 2, 3 missing"
    assert join_hypotheses.explain(" a a", three).detail == "turn 3 missing"


def test_updates_that_repeat_may_be_left_out():
    join = join_hypotheses.explain("HiHi there.", [make("Hi", "Hi there.", "Hi there.")])
    assert (join.habit, join.detail) == (
        "updates-joined",
        "every update and every final text was appended, repeats left out",
    )


_words = st.text("abcdefgh", min_size=1, max_size=5)
_turns = st.lists(st.lists(_words, min_size=1, max_size=4), min_size=1, max_size=5).map(
    lambda turns: [
        make(*[(" " if i else "") + " ".join(words[: n + 1]) for n in range(len(words))])
        for i, words in enumerate(turns)
    ]
)


@given(_turns)
def test_the_right_text_is_always_right(turns):
    join = join_hypotheses.explain(join_expected(turns), turns)
    assert (join.habit, join.exact) == ("ends", True)
    assert join_spelling.find_spelling(join_expected(turns), turns, join_expected(turns)) is None


@given(_turns)
def test_joined_updates_are_always_explained_exactly(turns):
    join = join_hypotheses.explain(join_updates(turns), turns)
    assert join.exact
    assert join.habit != "ends"


@given(st.text(max_size=80), _turns)
def test_any_text_gets_an_answer(got, turns):
    join = join_hypotheses.explain(got, turns)
    assert 0 <= join.similarity <= 1
    if join.exact and join.habit == "ends":
        join_spelling.find_spelling(got, turns, join_expected(turns))


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("one two three four", "One, two THREE four!", 1.0),
        ("one two three four", "one three four", 6 / 7),
        ("one two", "two one", 0.5),
        ("one", "two", 0.0),
        ("", "one", 0.0),
        ("one", "", 0.0),
        ("one", "one " * 8, 2 / 9),
        ("one", "one " * 9, 0.0),  # more than eight times as long
    ],
)
def test_similarity_is_the_share_of_words_in_common_in_order(a, b, expected):
    assert join_hypotheses.measure_similarity(a, b) == pytest.approx(expected)


def test_similarity_counts_the_first_4000_words():
    assert join_hypotheses.measure_similarity("a " * 4000 + "b", "a " * 4000 + "c") == 1.0
    assert join_hypotheses.measure_similarity("a " * 3999 + "b", "a " * 3999 + "c") == pytest.approx(1 - 1 / 4000)


def test_texts_of_few_words_that_stand_very_often_are_compared_in_no_time():
    begun = time.process_time()
    assert join_hypotheses.measure_similarity("the cat " * 2000, "cat the " * 2000) == pytest.approx(1 - 1 / 4000)
    assert time.process_time() - begun < 1


def test_an_appended_display_of_many_turns_is_cut_and_told_by_its_beginning():
    turns = [make(f" turn {number:04}") for number in range(1000)]
    shown, text = [], ""
    for turn in turns:
        text += turn.end
        shown.append(text)
    join = join_hypotheses.explain("".join(shown), turns)
    assert (join.habit, join.exact) == ("updates-joined", True)
    texts = [text for _, text, _ in join_hypotheses._list_candidates(turns, 10_000)]
    assert max(map(len, texts[-1:])) < 21_000  # one text more than what is allowed


@pytest.mark.parametrize(
    ("got", "right", "places"),
    [
        ("a b c", "a b c", []),
        ("a x c", "a b c", [("b", "x")]),
        ("a c", "a b c", [("a b c", "a c")]),
        ("a b b c", "a b c", [("b c", "b b c")]),
        ("a  b", "a b", [("a b", "a  b")]),
        ("a", "a b", [("a b", "a")]),
        ("x b y d z", "a b c d e", [("a", "x"), ("c", "y"), ("e", "z")]),
        ("w x y z", "a b c d", [("a b c d", "w x y z")]),
        ("1 a 2 a 3 a 4 a", "a a a a", [("a", "1 a"), ("a a", "a 2 a"), ("a a", "a 3 a")]),
    ],
)
def test_the_first_places_that_differ_are_told(got, right, places):
    assert join_hypotheses.find_differences(got, right) == places


def test_of_a_long_text_the_words_from_the_first_that_differs_are_compared():
    right = [str(number) for number in range(9000)]
    got = [*right[:5000], "x", *right[5000:]]
    assert join_hypotheses.find_differences(" ".join(got), " ".join(right)) == [
        ("4999 5000", "4999 x 5000"),
        ("6998 6999", "6998"),
    ]


YES = [make("H", "Hi."), make(" Ye", " Yes."), make(" Ye", " Yes."), make(" B", " Bye."), make(" B", " Bye.")]


def test_a_turn_that_was_said_before_may_have_been_taken_for_a_repeat():
    join = join_hypotheses.explain("Hi. Yes. Bye.", YES[:4])
    assert (join.habit, join.rival, join.turn) == ("words-merged", "turns-missing", 2)
    assert join_hypotheses.explain("Hi. Yes. Yes.", YES[:4]).habit == "turns-missing"
    join = join_hypotheses.explain("Hi. Bye.", [YES[0], *YES[3:]])
    assert (join.habit, join.rival) == ("turns-missing", "words-merged")  # at the end of a session turns are lost


LONG = [
    make("One two three four.", "One two three four."),
    make(" Five", " Five six", " Five six seven."),
    make(" Eight."),
]


def test_an_update_of_the_last_text_is_kept_rather_than_cut():
    join = join_hypotheses.explain("One two three four. Five", LONG)
    assert (join.habit, join.rival) == ("partial-kept", "truncated")
    join = join_hypotheses.explain("One two three four. Five six...", LONG)
    assert (join.habit, join.rival) == ("truncated", "partial-kept")


def test_two_changes_at_once_are_taken_back():
    text = "Caf\u00c3\u00a9 &amp;amp; more"
    join = join_hypotheses.explain(text, [make("Café & more")])
    assert (join.habit, join.exact, join.rest) == ("ends", True, None)
    assert sorted(change.cause for change in join.changes) == ["escaped", "wrong-charset"]


def test_a_habit_behind_a_change_is_told_with_it():
    join = join_hypotheses.explain("Tea &amp; cakes.Tea &amp; cakes.", [make("Tea & cakes.", "Tea & cakes.")])
    assert join.exact and join.habit in ("turns-repeated", "updates-joined")
    assert [change.cause for change in join.changes] == ["escaped"]


LATE = Shown(begins=False)
NO_NO = [make(" No, no, no, I said no."), make(" No", " No no.", eager=[" No no."])]
YES_YES = [make("Yes.", "Yes."), make("Yes.", "Yes.", eager=["Yes."])]
ON = [make(" One, two, three, four."), make(" One", " One, two, three, four, five.")]


@pytest.mark.parametrize(
    ("got", "turns"),
    [
        ("No no no no no. No, no, no, I said no. No no.", NO_NO),
        ("Yes. Yes. Yes.", YES_YES),  # turns without white space of their own, put apart
        ("One, two, three. One, two, three, four. One, two, three, four, five.", ON),
    ],
)
def test_what_was_said_before_a_capture_began_may_have_been_the_same(got, turns):
    join = join_hypotheses.explain(got, turns, LATE)
    assert (join.habit, join.rest, join.beyond > 0) == ("ends", None, True)


@pytest.mark.parametrize(
    "row", ["{0},{1}", '{0}\t"{1}"', "INFO:app:final: {1}", "Anna Smith \u2013 {1}", "Dialogue: 0,0:0{0}.00,,{1}"]
)
def test_rows_around_each_turn_are_labels_whatever_their_form(row):
    turns = [make("Hi there."), make(" How are you?"), make(" Fine."), make(" Bye.")]
    got = "\n".join(row.format(number, turn.end.strip()) for number, turn in enumerate(turns))
    join = join_hypotheses.explain(got, turns)
    assert (join.habit, [change.cause for change in join.changes]) == ("ends", ["labels-added"])


def test_a_talk_with_the_answers_in_it_holds_every_final_text():
    turns = [make("Where is my order?"), make(" The red one, please."), make(" Thank you, that is all.")]
    answers = ["Let me look it up.", "It leaves on Monday.", "Goodbye!"]
    got = "\n".join(f"{turn.end.strip()}\n{said}" for turn, said in zip(turns, answers, strict=True))
    join = join_hypotheses.explain(got, turns)
    assert (join.habit, join.exact) == ("text-added", True)
    assert "between them ('Let me look it up.')" in join.detail
    mangled = got.replace("red one", "read one")
    assert join_hypotheses.explain(mangled, turns).habit != "text-added"
