from builders import session, steady, turn

from sttdoctor.analysis.send_timeline import connections
from sttdoctor.analysis.turns import expected_text, turns


def found(*events):
    (connection,) = connections(session(steady(1), events=events))
    return turns(connection.frames)


def test_the_text_is_every_end_as_it_is():
    two = found(*turn(0.1, "Hi", "Hi there.", end=1.0), *turn(2.0, " How", " How are you? ", end=3.0))
    assert expected_text(two) == "Hi there. How are you? "
    assert [t.start_t for t in two] == [0.1, 2.0]
    assert two[0].pieces == [("update", "Hi"), ("update", "Hi there."), ("end", "Hi there.")]


def test_an_open_turn_keeps_its_partial_text_and_adds_nothing():
    (only,) = found(*turn(0.1, "Hi", "Hi th"))
    assert (only.end, only.partial, expected_text([only])) == (None, "Hi th", "")


def test_lost_events_still_give_turns():
    only_ends = found((1.0, "turn.end", "One."), (2.0, "turn.end", " Two."))
    assert expected_text(only_ends) == "One. Two."
    assert len(only_ends) == 2


def test_an_eager_end_that_is_taken_back_stays_in_its_turn():
    (only,) = found(
        (0.1, "turn.start", None), (0.5, "turn.eager_end", "A"), (0.6, "turn.resume", None), (1.0, "turn.end", "A b")
    )
    assert only.pieces == [("eager_end", "A"), ("end", "A b")]


def test_texts_that_are_no_strings_count_as_empty():
    (only,) = found((0.1, "turn.start", None), (1.0, "turn.end", 5))
    assert only.end == ""
