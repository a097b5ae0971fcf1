from dataclasses import replace

import numpy as np
import pytest
from builders import drained, report, session, steady, turn
from hypothesis import given
from hypothesis import strategies as st

from sttdoctor.analysis.session.loss import LIMITS_S, Reconnect, find_loss, find_reconnects
from sttdoctor.analysis.session.timeline import Connection, split_connections
from sttdoctor.endpoints.cartesia import AUTO
from sttdoctor.evidence import Close, Control, Frame, Open

SAID = turn(1.0, "Hello", "Hello there.", end=6.5)
OPEN = turn(1.0, "Hello", "Hello there.")

NOISE = np.random.default_rng(0).integers(0, 256, 1 << 17, dtype=np.uint8).tobytes()
COMMAND = Frame(40, 3.0, True, 17, message={"type": "close"})
TURN = Frame(39, 2.0, False, 9, message={"type": "turn.start"})
LOST = Close(50, 3.0, "unknown", 1006)


def lost(seconds=7.0, at=67.0, events=SAID, by="unknown", code=1006, **fields):
    """Audio for some seconds, and an end that nobody asked for."""
    return session(steady(seconds), events=events, close=(at, by, code), **fields)


def loss_of(subject):
    return find_loss(split_connections(subject)[0], AUTO, subject.resolution)


def first(subject):
    return report(subject).diagnoses[0]


@pytest.mark.parametrize(
    ("idle_s", "limit_s"), [(59.7, 60), (50.01, 50), (61.2, 60), (300.1, 300), (600.1, 600), (899.5, 900)]
)
def test_what_lay_idle_for_a_usual_limit_was_cut_in_between(idle_s, limit_s):
    subject = lost(at=6.9 + idle_s)
    loss = loss_of(subject)
    assert (loss.how, loss.limit_s) == ("idle", limit_s)
    found = first(subject)
    assert (found.cause, found.status) == ("connection.idle-cut", "fail")
    assert "drain.connection-lost" in found.explains
    assert f"{idle_s:.1f} s" in found.summary and "silence" in found.fix and "ping every 20 s" in found.fix


@pytest.mark.parametrize(
    ("name", "idle_s", "said"), [("nginx/1.22.1", 60.0, "proxy_read_timeout"), (None, 50.0, "haproxy")]
)
def test_the_fix_names_what_to_raise_in_the_product_that_has_this_limit(name, idle_s, said):
    subject = passed_through(lost(at=6.9 + idle_s), name)
    assert said in first(subject).fix


@pytest.mark.parametrize("idle_s", [10.0, 19.8, 30.1])
def test_a_limit_that_somebody_set_counts_where_the_handshake_passed_a_proxy_that_has_one(idle_s):
    subject = lost(at=6.9 + idle_s)
    assert loss_of(subject) is None
    found = first(passed_through(subject, "nginx/1.22.1"))
    assert (found.cause, found.status) == ("connection.idle-cut", "warn") and "heartbeat" in found.summary
    assert loss_of(passed_through(lost(at=6.9 + 25.0), "nginx/1.22.1")) is None


@pytest.mark.parametrize(
    "fields", [{"by": "client"}, {"code": None}, {"by": "server", "code": None}, {"resolution": 1.0}]
)
def test_no_set_limit_is_told_where_the_client_may_have_left_or_the_clock_is_coarse(fields):
    resolution = fields.pop("resolution", 0.0)
    subject = replace(passed_through(lost(at=6.9 + 30.0, **fields), "nginx/1.22.1"), resolution=resolution)
    assert loss_of(subject) is None


def test_two_cuts_of_one_length_are_no_chance():
    once = passed_through(lost(at=6.9 + 30.0), "nginx/1.22.1")
    again = [replace(item, t=item.t + 60.0) for item in once.events]
    found = report(replace(once, events=(*once.events, *again)), "connection").checks[0].findings
    assert ("connection.idle-cut", "fail") in [(finding.cause, finding.status) for finding in found]


def passed_through(subject, server):
    """The same session, with the name of a server in the answer to its handshake."""
    if server is None:
        return subject
    events = [replace(item, headers={"server": server}) if isinstance(item, Open) else item for item in subject.events]
    return replace(subject, events=tuple(events))


def test_a_time_that_is_no_usual_limit_is_none():
    assert loss_of(lost(at=6.9 + 20.1)) is None
    assert loss_of(lost(at=6.9 + 26.0)) is None


def test_an_open_turn_that_waits_for_silence_is_explained_by_the_cut():
    found = first(lost(events=OPEN, seconds=2.0, at=62.0))
    assert found.cause == "connection.idle-cut" and "continuity.stopped" in found.explains


def test_where_audio_flowed_to_the_end_the_limit_is_one_of_each_direction_and_only_pings_help():
    found = first(lost(seconds=66.5, at=66.51))
    assert found.cause == "connection.idle-cut" and "each direction" in found.summary
    assert "silence is not enough" in found.fix


@pytest.mark.parametrize("seconds", [7.0, 12.0])
@pytest.mark.parametrize("waited_s", [0.01, 1.0, 61.4, 900.0])
def test_a_connection_that_was_sent_to_and_gave_nothing_back_was_dead(seconds, waited_s):
    found = first(lost(seconds=seconds, at=seconds - 0.1 + waited_s, events=OPEN))
    assert (found.cause, found.status) == ("connection.dead", "fail")
    assert f"{seconds - 0.1 + waited_s - 1.6:.0f} s while a turn was open" in found.summary
    assert "close command" not in found.fix and "ping" in found.fix


@pytest.mark.parametrize(
    "subject",
    [
        drained(),
        drained(70.0),
        lost(code=1000, by="client"),
        lost(code=1001, by="server"),
        lost(code=None, by="client"),
        lost(command=7.1),
        lost(at=6.9 + 26.0),
        lost(at=6.9 + 181.0),
        lost(seconds=5.0, at=5.0, events=OPEN),
        lost(seconds=0.0, events=SAID),
        session(steady(7), events=SAID),
    ],
)
def test_other_ends_are_neither_a_cut_nor_dead(subject):
    assert loss_of(subject) is None
    assert not {"connection.idle-cut", "connection.dead"} & {d.cause for d in report(subject).diagnoses}


@pytest.mark.parametrize("deaf_s", [15.5, 60.0])
def test_a_client_that_leaves_after_it_sent_for_long_with_a_turn_open_and_no_event_left_a_dead_connection(deaf_s):
    seconds = 1.6 + deaf_s
    found = first(lost(seconds=seconds, at=seconds, events=OPEN, by="client", code=1000))
    assert (found.cause, found.status) == ("connection.dead", "fail")
    assert {"drain.no-close", "turns.left-open"} <= set(found.explains)
    assert "then the client closed the socket" in found.summary


@pytest.mark.parametrize("events", [SAID, turn(1.0, "Hello", "Hello there.", step=3.0)])
def test_a_client_that_leaves_soon_or_with_no_turn_open_left_no_dead_connection(events):
    assert loss_of(lost(seconds=20.0, at=20.0, events=events, by="client", code=1000)) is None


PINGED = {"by": "client", "code": 1011}


def pinged(idle_s, pongs=(), answered=False):
    """A ping that goes out after so many idle seconds, and the client's leaving 20 s later."""
    subject = lost(at=6.9 + idle_s + 20.0, **PINGED)
    close = replace(subject.events[-1], reason="keepalive ping timeout")
    controls = [Control(900 + n, t, False, "pong") for n, t in enumerate(pongs)]
    controls += [Control(990, 6.9 + idle_s, True, "ping")]
    controls += [Control(991, 7.0 + idle_s, False, "pong")] if answered else []
    return replace(subject, events=(*subject.events[:-1], *controls, close))


@pytest.mark.parametrize("pongs", [(), (16.0,)])
def test_a_ping_without_an_answer_after_a_long_idle_time_shows_that_the_connection_had_been_cut(pongs):
    found = first(pinged(30.0, pongs))
    assert (found.cause, found.status) == ("connection.idle-cut", "fail")
    assert "drain.connection-lost" in found.explains
    assert "for 30 s" in found.summary and "count messages only" in found.fix


@pytest.mark.parametrize("subject", [pinged(5.0), pinged(30.0, answered=True)])
def test_a_ping_that_was_answered_or_came_soon_shows_no_cut(subject):
    assert loss_of(subject) is None


def test_pings_count_as_traffic():
    subject = lost()
    pings = tuple(Control(100 + n, 7.0 + 17 * n, True, "ping") for n in range(3))
    connection = split_connections(subject)[0]
    alive = type(connection)(connection.open, connection.frames, connection.close, pings)
    assert loss_of(subject) is not None and find_loss(alive, AUTO) is None


@given(
    st.floats(0, 2000),
    st.sampled_from(["client", "server", "unknown"]),
    st.sampled_from([None, 1000, 1001, 1006, 1011]),
)
def test_a_limit_is_near_the_time_that_passed(idle_s, by, code):
    loss = loss_of(lost(at=6.9 + idle_s, by=by, code=code))
    if loss is not None:
        assert code in (None, 1006) and loss.how == "idle"
        assert loss.limit_s in LIMITS_S or loss.limit_s % 10 == 0
        assert -0.6 <= loss.silent_s - loss.limit_s <= 1.7
        assert np.isclose(loss.silent_s, idle_s)


def sent(*chunks, t=0.0, line=2):
    return [Frame(line + i, t + 0.1 * i, True, len(c), binary=True, content=c) for i, c in enumerate(chunks)]


def chunks(start, stop, size=800):
    return [NOISE[i * size : (i + 1) * size] for i in range(start, stop)]


def made(frames, close=LOST, line=1, t=0.0):
    return Connection(Open(line, t, 101), tuple(frames), close)


AFTER = made(sent(*chunks(60, 70), t=5.0, line=61), line=60, t=4.8)


def test_place_and_gap_of_a_reconnect():
    first = made(sent(*chunks(0, 20)))  # the last chunk of 0.1 s at 1.9 s
    (found,) = find_reconnects([first, AFTER], 8000)
    assert found == Reconnect(60, 4.8, False, pytest.approx(3.0), 0.0)
    (found,) = find_reconnects([first, AFTER], None)
    assert found == Reconnect(60, 4.8, False, pytest.approx(3.1), 0.0)


@pytest.mark.parametrize(
    ("events", "expected"), [((), False), (("turn.start",), True), (("turn.start", "turn.end"), False)]
)
def test_whether_a_turn_was_open(events, expected):
    received = [Frame(30 + i, 1.0 + i, False, 9, message={"type": kind}) for i, kind in enumerate(events)]
    (found,) = find_reconnects([made([*sent(*chunks(0, 20)), *received]), AFTER], 8000)
    assert found.turn_open is expected


@pytest.mark.parametrize(
    ("frames", "close", "count"),
    [
        ([COMMAND], Close(50, 3.0, "server", 1000), 0),
        ([COMMAND], Close(50, 3.0, "unknown", 1000), 0),
        ([COMMAND], Close(50, 3.0, "client", 1000), 0),
        ([COMMAND], Close(50, 3.0, "client", 1006), 0),
        ([], Close(50, 3.0, "client", 1000), 0),
        ([], Close(50, 3.0, "client", 1005), 0),
        ([], Close(50, 3.0, "client", None), 0),
        ([], Close(50, 3.0, "client", 1006), 1),
        ([], Close(50, 3.0, "client", 1011), 1),
        ([TURN], Close(50, 3.0, "client", 1000), 1),
        ([TURN, COMMAND], None, 1),
        ([COMMAND], Close(50, 3.0, "server", 1011), 1),
        ([COMMAND], Close(50, 3.0, "server", 999), 1),
        ([COMMAND], None, 0),
        ([], None, 1),
        ([], Close(50, 3.0, "server", 1000), 1),
    ],
)
def test_a_connection_that_was_drained_is_complete(frames, close, count):
    assert len(list(find_reconnects([made([*sent(*chunks(0, 20)), *frames], close), AFTER], 8000))) == count


def test_a_connection_without_audio_or_a_handshake_that_is_not_seen_is_no_reconnect():
    assert list(find_reconnects([made([]), AFTER], 8000)) == []
    assert list(find_reconnects([made(sent(*chunks(0, 20))), Connection(None, AFTER.frames, None)], 8000)) == []
    assert list(find_reconnects([AFTER], 8000)) == []


def test_each_further_handshake_is_found():
    parts = [made(sent(*chunks(0, 20))), AFTER, made(sent(*chunks(80, 90), t=8.0), line=90, t=7.5)]
    assert [found.line for found in find_reconnects(parts, 8000)] == [60, 90]


def test_without_times_or_audio_no_gap_is_known():
    first = made(sent(*chunks(0, 20)))
    (found,) = find_reconnects([first, made([], line=60)], 8000)
    assert found.audio_missing_s == 0.0
    timeless = [Frame(61, None, True, 800, binary=True)]
    (found,) = find_reconnects([first, made(timeless, line=60)], 8000)
    assert found.audio_missing_s == 0.0
    (found,) = find_reconnects([made(timeless), AFTER], 8000)
    assert found.audio_missing_s == 0.0


def test_audio_that_overlaps_in_time_is_not_missing():
    (found,) = find_reconnects([made(sent(*chunks(0, 20), t=4.0)), AFTER], 8000)
    assert found.audio_missing_s == 0.0


def again(old, new, rate=8000):
    (found,) = find_reconnects([made(sent(*old)), made(sent(*new, t=5.0), line=60)], rate)
    return found.sent_again_s


def test_audio_that_is_sent_again_is_measured_to_the_byte():
    assert again(chunks(0, 20), [*chunks(15, 20), *chunks(40, 50)]) == 4000 / 8000
    assert again(chunks(0, 20), chunks(15, 17)) == 1600 / 8000  # all of the second connection
    assert again(chunks(0, 20), [NOISE[100:5000], b"\0" * 800]) == 4900 / 8000  # from the middle of a chunk
    assert again(chunks(0, 20), chunks(40, 50)) == 0.0
    assert again(chunks(0, 20), chunks(15, 20), None) == 0.0


def test_less_than_a_probe_cannot_be_told():
    assert again(chunks(0, 20), [NOISE[:511]]) == 0.0
    assert again(chunks(0, 20), [NOISE[:512]]) == 512 / 8000
    assert again([NOISE[:511]], chunks(0, 20)) == 0.0


def test_silence_is_not_audio_sent_again():
    silence = b"\xff" * 8000
    assert again([silence], [silence]) == 0.0
    # after silence of whole probes the sound tells
    assert again([silence, *chunks(0, 20)], [b"\xff" * 1024, *chunks(0, 10)]) == 8000 / 8000


@pytest.mark.parametrize(("values", "expected"), [(8, 0.0), (9, 1024 / 8000)])
def test_what_varies_less_than_nine_values_tells_nothing(values, expected):
    block = bytes(range(values)) * (1024 // values + 1)
    assert again([block[:1024]], [block[:1024]]) == expected
