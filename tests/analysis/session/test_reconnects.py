import numpy as np
import pytest

from sttdoctor.analysis.session.reconnects import Reconnect, reconnects
from sttdoctor.analysis.session.timeline import Connection
from sttdoctor.evidence import Close, Frame, Open

NOISE = np.random.default_rng(0).integers(0, 256, 1 << 17, dtype=np.uint8).tobytes()
COMMAND = Frame(40, 3.0, True, 17, message={"type": "close"})
TURN = Frame(39, 2.0, False, 9, message={"type": "turn.start"})
LOST = Close(50, 3.0, "unknown", 1006)


def sent(*chunks, t=0.0, line=2):
    return [Frame(line + i, t + 0.1 * i, True, len(c), binary=True, audio=c) for i, c in enumerate(chunks)]


def chunks(start, stop, size=800):
    return [NOISE[i * size : (i + 1) * size] for i in range(start, stop)]


def made(frames, close=LOST, line=1, t=0.0):
    return Connection(Open(line, t, 101), tuple(frames), close)


AFTER = made(sent(*chunks(60, 70), t=5.0, line=61), line=60, t=4.8)


def test_place_and_gap_of_a_reconnect():
    first = made(sent(*chunks(0, 20)))  # the last chunk of 0.1 s at 1.9 s
    (found,) = reconnects([first, AFTER], 8000)
    assert found == Reconnect(60, 4.8, False, pytest.approx(3.0), 0.0)
    (found,) = reconnects([first, AFTER], None)
    assert found == Reconnect(60, 4.8, False, pytest.approx(3.1), 0.0)


@pytest.mark.parametrize(
    ("events", "expected"), [((), False), (("turn.start",), True), (("turn.start", "turn.end"), False)]
)
def test_whether_a_turn_was_open(events, expected):
    received = [Frame(30 + i, 1.0 + i, False, 9, message={"type": kind}) for i, kind in enumerate(events)]
    (found,) = reconnects([made([*sent(*chunks(0, 20)), *received]), AFTER], 8000)
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
    assert len(list(reconnects([made([*sent(*chunks(0, 20)), *frames], close), AFTER], 8000))) == count


def test_a_connection_without_audio_or_a_handshake_that_is_not_seen_is_no_reconnect():
    assert list(reconnects([made([]), AFTER], 8000)) == []
    assert list(reconnects([made(sent(*chunks(0, 20))), Connection(None, AFTER.frames, None)], 8000)) == []
    assert list(reconnects([AFTER], 8000)) == []


def test_each_further_handshake_is_found():
    parts = [made(sent(*chunks(0, 20))), AFTER, made(sent(*chunks(80, 90), t=8.0), line=90, t=7.5)]
    assert [found.line for found in reconnects(parts, 8000)] == [60, 90]


def test_without_times_or_audio_no_gap_is_known():
    first = made(sent(*chunks(0, 20)))
    (found,) = reconnects([first, made([], line=60)], 8000)
    assert found.audio_missing_s == 0.0
    timeless = [Frame(61, None, True, 800, binary=True)]
    (found,) = reconnects([first, made(timeless, line=60)], 8000)
    assert found.audio_missing_s == 0.0
    (found,) = reconnects([made(timeless), AFTER], 8000)
    assert found.audio_missing_s == 0.0


def test_audio_that_overlaps_in_time_is_not_missing():
    (found,) = reconnects([made(sent(*chunks(0, 20), t=4.0)), AFTER], 8000)
    assert found.audio_missing_s == 0.0


def again(old, new, rate=8000):
    (found,) = reconnects([made(sent(*old)), made(sent(*new, t=5.0), line=60)], rate)
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
