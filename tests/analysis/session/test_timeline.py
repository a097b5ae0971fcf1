import pytest
from builders import causes, drained

from sttdoctor.analysis.session.timeline import is_close_command, make_timeline, split_connections
from sttdoctor.endpoints.cartesia import AUTO, MANUAL
from sttdoctor.evidence import Close, Frame, Open, Session


def frame(line, t, size=800, **fields):
    return Frame(line, t, True, size, **{"binary": True, **fields})


def test_a_second_open_begins_a_new_connection():
    events = (Open(1, 0.0, 101), frame(2, 0.1), Close(3, 1.0, "server", 1011), Open(4, 2.0, 101), frame(5, 2.1))
    first, second = split_connections(Session(events))
    assert (first.close.code, second.close) == (1011, None)
    assert [f.line for f in second.audio_frames] == [5]


def test_rows_before_the_open_belong_to_the_first_connection():
    (only,) = split_connections(Session((frame(1, 0.0), Open(2, 0.1, 101), frame(3, 0.2))))
    assert len(only.audio_frames) == 2


def test_times_never_fall_and_frames_without_a_time_are_left_out():
    (connection,) = split_connections(Session((frame(1, 1.0), frame(2, None), frame(3, 0.5), frame(4, 2.0))))
    line = make_timeline(connection, 8000)
    assert line.t_s.tolist() == [1.0, 1.0, 2.0]
    assert line.audio_s.tolist() == [0.1, 0.1, 0.1]
    assert line.line.tolist() == [1, 3, 4]


def test_absurd_times_stay_finite_in_arithmetic():
    (connection,) = split_connections(Session((frame(1, -1e300), frame(2, 0.0), frame(3, 1e308))))
    assert (make_timeline(connection, 8000).t_s ** 2).max() < 1e25


def test_a_timeline_without_audio_is_empty():
    (connection,) = split_connections(Session((Open(1, 0.0, 101),)))
    assert len(make_timeline(connection, 8000)) == 0


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"message": {"type": "close"}}, True),
        ({"message": "close"}, True),
        ({"text": "close"}, True),
        ({"text": "done"}, True),
        ({"text": "finalize"}, False),
        ({"message": {"type": "CloseStream"}}, False),
        ({"message": ["close"]}, False),
        ({"message": {"type": ["close"]}}, False),
    ],
)
def test_close_command(fields, expected):
    assert is_close_command(frame(1, 0.0, binary=False, **fields)) is expected


def test_what_the_server_sends_or_what_is_audio_is_no_command():
    received = Frame(1, 0.0, False, 5, message={"type": "close"})
    assert not is_close_command(received)
    assert not any(is_close_command(f) for f in split_connections(drained())[0].audio_frames)


@pytest.mark.parametrize(
    ("fields", "endpoint", "expected"),
    [
        ({"message": {"type": "close"}}, AUTO, True),
        ({"message": {"type": "close"}}, MANUAL, False),
        ({"message": "close"}, AUTO, False),
        ({"message": "close"}, MANUAL, True),
        ({"text": "done"}, MANUAL, True),
        ({"text": "done"}, AUTO, False),
    ],
)
def test_the_close_command_of_each_endpoint(fields, endpoint, expected):
    assert is_close_command(frame(1, 0.0, binary=False, **fields), endpoint) is expected


def test_audio_comes_from_the_client_alone_and_events_from_the_server():
    frames = (frame(1, 0.0), frame(2, 0.1, binary=False, text="hi"), Frame(3, 0.2, False, 9, binary=True))
    (connection,) = split_connections(Session(frames))
    assert [f.line for f in connection.audio_frames] == [1]
    assert [f.line for f in connection.received] == [3]


def test_of_several_closes_the_first_counts():
    (only,) = split_connections(Session((frame(1, 0.0), Close(2, 1.0, "server", 1011), Close(3, 2.0, "client", 1000))))
    assert (only.open, only.close.code) == (None, 1011)


def test_three_opens_are_three_connections():
    parts = split_connections(Session((Open(1, 0.0, 101), Open(2, 1.0, 503), frame(3, 1.5), Open(4, 2.0, 101))))
    assert [part.open.status for part in parts] == [101, 503, 101]
    assert [len(part.frames) for part in parts] == [0, 1, 0]


def test_the_turns_of_a_connection_are_what_it_received():
    (only,) = split_connections(drained())
    assert [turn.end for turn in only.turns] == ["Hello there."]


def test_sizes_and_the_last_thinkable_time():
    (connection,) = split_connections(Session((frame(1, -2e12, 100), frame(2, 2e12, 300))))
    line = make_timeline(connection, 1000)
    assert (line.size.tolist(), line.audio_s.tolist(), line.t_s.tolist()) == ([100, 300], [0.1, 0.3], [-1e12, 1e12])


def test_a_connection_that_was_there_when_the_capture_began_is_one_of_its_own():
    healthy = drained()
    late = Session((*healthy.events[40:], *healthy.events), url=healthy.url)
    assert [item.open is None for item in split_connections(late)] == [True, False]
    assert causes(late) == {}
    early = Session((healthy.events[1], *healthy.events), url=healthy.url)  # a frame that was logged too early
    assert len(split_connections(early)) == 1
