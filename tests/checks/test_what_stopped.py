from dataclasses import replace

import numpy as np
import pytest
from builders import causes, drained, report, session, steady, turn, with_audio
from common import FIXTURES

from sttdoctor.evidence import Close, Frame, Open

SPEECH = FIXTURES / "audio" / "s16-16k.raw"
SAID = turn(1.0, "Hello", "Hello there.", end=6.5)
OPEN = turn(1.0, "Hello", "Hello there.")
NEW = {"continuity.nothing-sent", "continuity.capture-died", "continuity.blocked"}


def mute_client(stayed_s=14.0, by="client", code=1000, extra=(), **fields):
    """Connected, and no audio."""
    hello = Frame(3, 0.1, sent=False, size=9, message={"type": "connected", "request_id": "r1"})
    events = (Open(2, 0.05, 101), hello, *extra, Close(9, 0.05 + stayed_s, by, code))
    return replace(session([], **fields), events=events)


def test_a_client_that_sends_no_frame_of_audio_is_told_so():
    found = report(mute_client()).diagnoses[0]
    assert (found.cause, found.status) == ("continuity.nothing-sent", "fail")
    assert "14.0 s" in found.summary and "Queue" in found.fix


@pytest.mark.parametrize(
    "subject",
    [
        mute_client(2.0),
        mute_client(lacks=frozenset({"audio"})),
        mute_client(lacks=frozenset({"send"})),
        mute_client(extra=(Frame(4, 1.0, sent=True, size=90, message={"type": "audio", "audio": "AAAA"}),)),
        mute_client(extra=(Frame(4, 1.0, sent=False, size=90, message={"type": "error", "message": "no"}),)),
        drained(),
    ],
)
def test_who_sent_something_or_cannot_have_been_seen_to_did_not_send_nothing(subject):
    assert "continuity.nothing-sent" not in causes(subject)


def voiced(seconds, quiet_from=None):
    """Six seconds of real speech in mu-law that end in its loudest stretch, or in silence behind a moment."""
    pcm = np.tile(np.frombuffer(SPEECH.read_bytes(), "<i2")[::2].astype(float) / 32768, 3)
    size = 2400
    levels = [np.square(pcm[at : at + size]).sum() for at in range(round(seconds * 8000), len(pcm) - size, size)]
    end = round(seconds * 8000) + int(np.argmax(levels)) * size + size
    codes = np.frombuffer(mu_law(pcm[end - round(seconds * 8000) : end]), np.uint8).copy()
    if quiet_from is not None:
        codes[round(quiet_from * 8000) :] = 0xFF
    return codes.tobytes()


def mu_law(samples):
    """G.711 in its textbook form."""
    level = np.minimum(np.abs(samples) * 32635, 32635).astype(int) + 0x84
    exponent = np.floor(np.log2(level)).astype(int) - 7
    code = (exponent << 4) | ((level >> (exponent + 3)) & 0x0F) | np.where(samples < 0, 0x80, 0)
    return (~code & 0xFF).astype(np.uint8).tobytes()


def stopped(quiet_from=None, **fields):
    subject = session(steady(6), events=OPEN, **{"command": 20.0, "close": (20.3, "server", 1000), **fields})
    return with_audio(subject, voiced(6, quiet_from))


def test_audio_that_ends_in_full_voice_with_the_socket_open_is_a_capture_that_died():
    found = report(stopped(), "continuity").diagnoses[0]
    assert (found.cause, found.status) == ("continuity.capture-died", "fail")
    assert "mid-speech" in found.summary and "device or route" in found.fix


def test_audio_that_ends_in_silence_was_stopped():
    assert causes(stopped(quiet_from=5.0), "continuity") == {"continuity.stopped": "fail"}


def test_without_sound_nobody_knows_how_the_audio_ended():
    lengths = session(steady(6), events=OPEN, command=20.0, close=(20.3, "server", 1000))
    assert causes(lengths, "continuity") == {"continuity.stopped": "fail"}


def test_a_client_that_closes_in_full_voice_did_not_lose_its_capture():
    assert "continuity.capture-died" not in causes(stopped(command=6.0, close=(6.4, "server", 1000)))


def held(read_at, clock="client"):
    """Four seconds without a frame, made up for at once; one event is read at this time."""
    times = np.where(steady(10) > 3.0, np.maximum(steady(10), 7.0), steady(10))
    events = [(1.0, "turn.start", None), (2.6, "turn.update", "Hello"), (read_at, "turn.update", "Hello there."),
              (10.5, "turn.end", "Hello there.")]  # fmt: skip
    return session(times, events=events, command=10.6, close=(10.9, "server", 1000), clock=clock)


def test_a_client_that_neither_sent_nor_read_and_then_did_both_at_once_was_blocked():
    found = report(held(7.001)).diagnoses[0]
    assert (found.cause, found.status) == ("continuity.blocked", "fail")
    assert "was blocked" in found.summary and "event loop" in found.fix


@pytest.mark.parametrize("subject", [held(5.0), held(7.2), held(7.001, clock="server"), held(7.001, clock="proxy")])
def test_a_client_that_went_on_reading_was_not_blocked(subject):
    assert "continuity.stalled" in causes(subject, "continuity")
    assert "continuity.blocked" not in causes(subject, "continuity")


@pytest.mark.parametrize("subject", [drained(), drained(60.0), session(steady(7), events=SAID)])
def test_nothing_stopped_in_a_healthy_session(subject):
    assert not NEW & causes(subject).keys()
