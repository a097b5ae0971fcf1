import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sttdoctor.analysis.session.join_readings import collapse, read_parts, read_rearranged

THREE = ["Yes, I said no.", " No, I never did that.", " Could you call me back?"]


def first(readings):
    reading = next(readings, None)
    return (reading.habit, reading.turn) if reading else None


@pytest.mark.parametrize(
    ("order", "says"),
    [([1, 0, 2], "turn 2 comes before turn 1"), ([0, 2, 1], "turn 3 comes before turn 2"), ([2, 1, 0], "newest")],
)
def test_another_order_is_told_with_its_place(order, says):
    (reading, *_) = read_rearranged("".join(THREE[i] for i in order), THREE)
    assert reading.habit == "order" and says in reading.detail


@given(st.permutations([" a", " ab", " aba", " b", " a", " bab"]))
def test_every_order_is_found(order):
    turns = [" a", " ab", " aba", " b", " a", " bab"]
    reading = next(read_rearranged("".join(order), turns))
    assert reading.habit == "order" and reading.text.replace(" ", "") == "".join(order).replace(" ", "")


@pytest.mark.parametrize(
    ("got", "ends", "turn"),
    [
        ("Yes, I said no, I never did that.", THREE[:2], 1),
        ("the cooperation nightfall begins", ["the cooperation", " operation nightfall begins"], 1),
    ],
)
def test_an_end_and_a_beginning_that_are_alike_stand_once(got, ends, turn):
    assert first(read_rearranged(got, ends)) == ("words-merged", turn)


@pytest.mark.parametrize(
    ("got", "ends"),
    [
        ("It was very late.", ["It was very very late."]),
        ("I said so. Then I left.", ["I said so. Then I left.", " I said so."]),
    ],
)
def test_what_was_said_twice_stands_once(got, ends):
    assert first(read_rearranged(got, ends)) == ("words-merged", None)


def test_runs_of_equal_words_and_phrases_are_one():
    assert collapse(list("aabababc")) == list("abc")
    assert collapse(["no", "no", "i", "mean", "i", "mean", "no"]) == ["no", "i", "mean", "no"]


@pytest.mark.parametrize(
    ("got", "turn", "says"),
    [
        ("Yes, I said no. No, I nev", 1, "ends after 25 characters, inside 'never' in turn 2"),
        ("Yes, I said no. No, I never...", 1, "after 'never' in turn 2"),
        ("id that. Could you call me back?", 1, "begins inside 'did' in turn 2"),
        ("never did that. Could you call", 1, "a piece out of the middle, and begins after 'I' in turn 2"),
        ("I said no. I never did that. you call me back?", 0, "the first words of turns 1, 2, 3 are missing"),
        (
            "Yes, I said no. I never did that. Could you call me back?",
            1,
            "first words of turn 2 are missing, such as 'no'",
        ),
        ("Yes, I said. No, I never did. Could you call me", 0, "the last words of turns 1, 2, 3 are missing"),
    ],
)
def test_a_part_is_told_with_its_place(got, turn, says):
    (reading, *_) = read_parts(got, THREE)
    assert (reading.habit, reading.turn) == ("truncated", turn)
    assert says in reading.detail


@pytest.mark.parametrize("got", ["", "Yes", "call", "Something else.", "".join(THREE)])
def test_what_may_be_chance_or_is_all_is_no_part(got):
    assert first(read_parts(got, THREE)) is None


_ends = st.lists(st.text("ab .", max_size=6), max_size=5)


@given(st.text("ab .", max_size=20), _ends)
@example("a.a", ["a"])  # a turn that stands there twice
@example("babb", ["bab", "b"])  # the letters of all turns in their order
def test_any_text_gets_an_answer(got, ends):
    for reading in (*read_rearranged(got, ends), *read_parts(got, ends)):
        assert reading.habit in ("order", "words-merged", "truncated", "turns-repeated") and 0 < reading.sure <= 1


@pytest.mark.parametrize(
    ("got", "says"),
    [
        ("Yes, I said said no. No, I never did that. Could you call me back?", "'said' in turn 1"),
        ("Yes, I said no. No, I never did that. Could you call me back? call me back", "'call me back' in turn 3"),
        ("Yes yes, I I said said no. no No, no I never did that. Could you call me back?", "and so do 4 more"),
    ],
)
def test_words_that_stand_twice_and_were_said_once_are_told(got, says):
    (reading, *_) = read_rearranged(got, THREE)
    assert reading.habit == "turns-repeated" and says in reading.detail


def test_words_that_were_said_twice_are_no_repeats():
    assert not list(read_rearranged("No, no, no. It is.", ["No, no, no.", " It is."]))
    assert not list(read_rearranged("Yes, I said so. No, I never did that. Could you call me back?", THREE))


def test_first_words_that_stand_before_them_were_taken_for_an_overlap():
    ends = ["We met on Monday.", " Monday the shop was closed.", " Closed the whole week, in fact.", " In fact it was."]
    (reading, *_) = read_parts("We met on Monday. the shop was closed. whole week, in fact. it was.", ends)
    assert reading.habit == "words-merged" and "stand at the end of the turn before" in reading.detail
    (reading, *_) = read_parts("We met on Monday. shop was closed. week, in fact. it was.", ends)
    assert reading.habit == "truncated"


def test_turns_that_end_at_a_quote_are_told_with_it():
    ends = ["I don't know.", " It isn't there.", " Yes."]
    found = next(read_parts("I don It isn Yes.", ends))
    assert (found.habit, found.turn) == ("truncated", 0)
    assert found.detail.startswith("2 of 3 turns") and '"\'"' in found.detail
    assert not any("turns end where" in other.detail for other in read_parts("I don't know. It isn Yes.", ends))


def test_the_first_sentence_of_each_turn_is_told_as_that():
    ends = ["Hello. My name is Anna.", " A table. Please.", " For four. On Friday."]
    found = next(read_parts("Hello. A table. For four.", ends))
    assert found.detail.startswith("in 3 of 3 turns only the first sentence") and found.sure <= 0.85
    found = next(read_parts("Hello there I would", ["Hello there\nMy name is Anna", " I would\nPlease"]))
    assert "only the first line" in found.detail


def test_a_character_of_code_is_surer_in_more_turns_and_another_is_not():
    ends = ["I don't know.", " It isn't there.", " He can't come."]
    assert next(read_parts("I don It isn He can", ends)).sure == 0.95
    assert next(read_parts("I don It isn", ends[:2])).sure == 0.85
    assert next(read_parts("Well So Then", ["Well, I know.", " So, it is there.", " Then, he comes."])).sure == 0.85
