import base64

import pytest

from sttdoctor.record.meter import Meter

URL = "ws://x/stt/turns/websocket?encoding=pcm_s16le&sample_rate=16000"


def send(t, size):
    return {"type": "send", "t": t, "audio": base64.b64encode(bytes(size)).decode()}


def event(t, **keys):
    return {"type": "receive", "t": t, "json": keys}


def test_audio_and_backlog():
    meter = Meter(URL)
    for number in range(30):
        meter.see(send(0.05 * number, 3200))  # twice as fast as realtime
    assert meter.audio_s == 3.0
    assert meter.backlog_s(1.45) == pytest.approx(3.0 - 1.45 * 1.1)
    assert meter.backlog_s(10.0) == 0.0


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 3200])
def test_sizes_are_those_of_the_bytes(size):
    meter = Meter(URL)
    meter.see(send(0.0, size))
    meter.see({"type": "send", "t": 0.0, "bytes": 7})
    meter.see({"type": "send", "t": 0.0, "json": {"type": "close"}})
    assert meter.sent == size + 7


@pytest.mark.parametrize(
    "url", ["ws://x/", f"{URL}0000000000", "ws://x/?encoding=opus&sample_rate=16000", "ws://x/?sample_rate=1"]
)
def test_without_a_declaration_there_are_no_seconds(url):
    meter = Meter(url)
    meter.see(send(0.0, 10))
    assert (meter.sent, meter.audio_s, meter.backlog_s(1.0)) == (10, None, 0.0)


def test_turns():
    ends = []
    meter = Meter(URL, ends)
    meter.see(event(1.0, type="turn.start"))
    meter.see(event(1.1, type="turn.update", transcript="Hel"))
    assert meter.turn == "Hel"
    meter.see(event(1.2, type="turn.end", transcript="Hello."))
    meter.see({"type": "receive", "t": 1.3, "text": "junk"})
    assert (meter.turn, ends, meter.t) == (None, ["Hello."], 1.3)


def test_the_manual_endpoint():
    ends = []
    meter = Meter(URL, ends)
    for final in (False, True):
        meter.see(event(1.0, type="transcript", text=" hi", is_final=final))
    assert ends == [" hi"]
