from builders import session, steady, turn

from sttdoctor.analysis.session.timeline import split_connections
from sttdoctor.analysis.session.turns import collect_turns, join_expected
from sttdoctor.evidence import Frame


def found(*events):
    (connection,) = split_connections(session(steady(1), events=events))
    return collect_turns(connection.frames)


def test_the_text_is_every_end_as_it_is():
    two = found(*turn(0.1, "Hi", "Hi there.", end=1.0), *turn(2.0, " How", " How are you? ", end=3.0))
    assert join_expected(two) == "Hi there. How are you? "
    assert [t.start_t for t in two] == [0.1, 2.0]
    assert two[0].pieces == [("update", "Hi"), ("update", "Hi there."), ("end", "Hi there.")]


def test_an_open_turn_keeps_its_partial_text_and_adds_nothing():
    (only,) = found(*turn(0.1, "Hi", "Hi th"))
    assert (only.end, only.partial, join_expected([only])) == (None, "Hi th", "")


def test_lost_events_still_give_turns():
    only_ends = found((1.0, "turn.end", "One."), (2.0, "turn.end", " Two."))
    assert join_expected(only_ends) == "One. Two."
    assert len(only_ends) == 2


def test_an_eager_end_that_is_taken_back_stays_in_its_turn():
    (only,) = found(
        (0.1, "turn.start", None), (0.5, "turn.eager_end", "A"), (0.6, "turn.resume", None), (1.0, "turn.end", "A b")
    )
    assert only.pieces == [("eager_end", "A"), ("end", "A b")]


def test_texts_that_are_no_strings_count_as_empty():
    (only,) = found((0.1, "turn.start", None), (1.0, "turn.end", 5))
    assert only.end == ""


def received(*messages):
    return collect_turns([Frame(10 + i, i / 10, False, 9, message=message) for i, message in enumerate(messages)])


def final(text, is_final=True):
    return {"type": "transcript", "text": text, "is_final": is_final}


def test_lines_and_times_of_a_turn():
    first, second = received(
        {"type": "turn.start"},
        {"type": "turn.update", "transcript": "A"},
        {"type": "turn.end", "transcript": "A."},
        {"type": "turn.update", "transcript": "B"},
        {"type": "turn.end", "transcript": "B."},
    )
    assert (first.line, first.start_t, first.end_line, first.end_t) == (10, 0.0, 12, 0.2)
    assert (second.line, second.start_t, second.end_line, second.end_t) == (13, 0.3, 14, 0.4)


def test_a_second_start_begins_a_turn_of_its_own():
    first, second = received({"type": "turn.start"}, {"type": "turn.start"}, {"type": "turn.end", "transcript": "A"})
    assert (first.end, second.end, second.line) == (None, "A", 11)


def test_what_the_client_sends_and_what_is_unknown_is_no_turn():
    sent = [Frame(1, 0.0, True, 9, message=message) for message in ({"type": "turn.start"}, final("Hi"))]
    assert collect_turns(sent) == []
    assert received({"type": "connected"}, {"transcript": "Hi"}, "turn.end", None) == []


def test_on_the_manual_endpoint_each_final_is_a_piece():
    first, second, third = received(final("Hel", False), final("Hello"), final(" you."), final("Wh", False))
    assert (first.pieces, first.end, first.line, first.end_line) == (
        [("update", "Hel"), ("end", "Hello")],
        "Hello",
        10,
        11,
    )
    assert (second.pieces, third.partial, third.end) == ([("end", " you.")], "Wh", None)
    assert join_expected([first, second, third]) == "Hello you."


def test_final_is_final_only_where_it_is_true():
    assert [turn.end for turn in received(final("A", 1), final("B", "true"), final("C"))] == ["C"]


def test_a_text_that_is_not_whole_marks_its_turn():
    frames = [
        Frame(1, 0.0, False, 9, message={"type": "turn.update", "transcript": "A...B"}, elided=True),
        Frame(2, 0.1, False, 9, message={"type": "turn.end", "transcript": "AB"}),
        Frame(3, 0.2, False, 9, message={"type": "turn.end", "transcript": "C"}),
    ]
    assert [turn.elided for turn in collect_turns(frames)] == [True, False]


def test_the_partial_text_is_the_last_before_the_end():
    (only,) = received(
        {"type": "turn.update", "transcript": "A"},
        {"type": "turn.eager_end", "transcript": "A b"},
        {"type": "turn.end", "transcript": "A b."},
    )
    assert only.partial == "A b"
    assert received({"type": "turn.end", "transcript": "A"})[0].partial is None
