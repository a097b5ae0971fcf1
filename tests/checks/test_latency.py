import numpy as np
import pytest
from builders import causes, drained, report, session, status, steady, turn, with_audio
from common import FIXTURES

from sttdoctor.analysis.decoding import decode
from sttdoctor.analysis.session.latency import TurnLatency
from sttdoctor.analysis.signal.activity import BLOCK_S, find_active_blocks, list_spans_s, measure_block_levels
from sttdoctor.checks import latency

SPEECH = (FIXTURES / "audio" / "mulaw-8k.raw").read_bytes()
SILENCE = b"\xff" * 8000
SPOKEN_S = len(SPEECH) / 8000


def spoken(end_after, silence_s=6.0, **fields):
    """Speech, then silence that is sent on; the turn ends `end_after` seconds after the speech."""
    total = SPOKEN_S + silence_s
    events = turn(0.8, "And so", "And so my fellow", end=SPOKEN_S + end_after)
    subject = session(steady(total), events=events, command=total, close=(total + 0.3, "server", 1000), **fields)
    return with_audio(subject, SPEECH + SILENCE * 20)


@pytest.mark.parametrize(
    ("end_after", "limits", "expected"),
    [
        (0.6, {}, {}),
        (3.5, {}, {"latency.end-of-turn": "warn"}),
        (4.5, {"timeout": 1000}, {"latency.end-of-turn": "fail"}),
    ],
)
def test_the_end_of_a_turn(end_after, limits, expected):
    base = "wss://api.cartesia.ai/stt/turns/websocket?model=ink-2&encoding=pcm_mulaw&sample_rate=8000"
    url = base + (f"&turn_end_timeout_ms={limits['timeout']}" if limits else "")
    assert causes(spoken(end_after, url=url), "latency") == expected


@pytest.mark.parametrize(
    ("at", "turn_settings", "expected"),
    [
        (1.0, {"end_timeout_ms": 1000}, "fail"),  # 4.5 s are beyond it and its margin
        (SPOKEN_S + 1, {"end_timeout_ms": 1000}, "warn"),  # the default was in force when the speech ended
        (SPOKEN_S + 5, {"end_timeout_ms": 1000}, "warn"),  # after the turn
        (1.0, {"end_timeout_ms": 100}, "warn"),  # out of range: the service does not take it
        (1.0, {"end_timeout_ms": "soon"}, "warn"),
        (1.0, {"turn_end_timeout_ms": 1000}, "warn"),  # a config message has the names without turn_
        (1.0, None, "warn"),
    ],
)
def test_a_config_message_changes_the_timeout(at, turn_settings, expected):
    subject = spoken(4.5, sends=[(at, {"type": "config", "turn": turn_settings})])
    assert causes(subject, "latency") == {"latency.end-of-turn": expected}


def test_a_longer_timeout_of_a_config_message_excuses():
    url = "wss://api.cartesia.ai/stt/turns/websocket?model=ink-2&encoding=pcm_mulaw&sample_rate=8000"
    longer = [(2.0, {"type": "config", "turn": {"end_timeout_ms": 8000}})]
    subject = spoken(4.5, url=url + "&turn_end_timeout_ms=1000", sends=longer)
    assert causes(subject, "latency") == {"latency.end-of-turn": "warn"}


def test_the_measured_delay():
    measured = report(spoken(0.6), "latency").checks[0].measurements
    assert measured["end_of_turn_median_s"] == pytest.approx(0.6, abs=0.35)
    assert measured["of_it_waiting_s"] < 0.2
    assert measured["first_text_s"] == pytest.approx(1.1, abs=0.6)
    assert "end_of_turn_p90_s" not in measured


@pytest.mark.parametrize("count", [19, 20])
def test_from_20_turns_on_the_90th_percentile_is_told(count):
    totals = 0.1234567 * np.arange(1, count + 1)
    found = latency._summarize([TurnLatency(1, 9.0, total, 0.5 * total, 0.3 * total) for total in totals])
    expected = {
        "turns_measured": 20,
        "end_of_turn_median_s": 1.296,
        "end_of_turn_max_s": 2.469,
        "of_it_waiting_s": 0.648,
        "of_it_without_audio_s": 0.389,
        "of_it_service_s": 0.259,
        "end_of_turn_p90_s": 2.235,
    }
    assert found == expected if count == 20 else "end_of_turn_p90_s" not in found


def test_audio_that_waits_is_the_clients_share():
    t = np.arange(round(SPOKEN_S * 10)) * 0.05  # twice as fast as spoken
    subject = session(t, events=turn(0.8, "And so", end=SPOKEN_S + 0.5))
    found = causes(with_audio(subject, SPEECH), "latency")
    assert set(found) == {"latency.backlog"}


def test_events_that_come_in_lumps():
    texts = [(6.0 + i / 1000, "turn.update", "word " * (i + 1)) for i in range(6)]
    events = [(0.8, "turn.start", None), (1.0, "turn.update", "word "), *texts, (6.5, "turn.end", "word " * 6)]
    subject = session(steady(8), events=events)
    assert causes(subject, "latency") == {"latency.slow-reader": "fail"}
    assert causes(session(steady(8), events=events, clock="server"), "latency") == {}


@pytest.mark.parametrize(("speed", "expected"), [(0.93, {"latency.backlog": "warn"}), (0.999, {}), (1.0, {})])
def test_audio_that_falls_behind_the_clock(speed, expected):
    assert causes(session(steady(25) / speed), "latency") == expected
    assert causes(session(steady(3600, 0.2) / max(speed, 0.999), 0.2), "latency") == {}


def test_without_sound_the_end_of_speech_is_unknown():
    assert status(drained(), "latency") == "unknown"
    assert status(drained(url=None), "latency") == "unknown"


def test_activity_finds_speech_in_silence():
    samples = np.concatenate([np.zeros(8000), decode(SPEECH, "pcm_mulaw"), np.zeros(8000)])
    spans = list_spans_s(find_active_blocks(measure_block_levels(samples, 8000)))
    assert 0.9 < spans[0][0] < 1.6
    assert spans[-1][1] < 1.1 + SPOKEN_S


@pytest.mark.parametrize("samples", [np.zeros(8000), np.zeros(3), np.full(8000, np.nan), np.full(8000, 0.5)])
def test_silence_is_not_active(samples):
    assert not find_active_blocks(measure_block_levels(samples, 8000)).any()


def test_short_clicks_are_not_active():
    samples = np.zeros(16000)
    samples[4000 : 4000 + int(2 * BLOCK_S * 8000)] = 0.5 * np.sin(np.arange(int(2 * BLOCK_S * 8000)))
    assert list_spans_s(find_active_blocks(measure_block_levels(samples, 8000))) == []


def lumps(gap, lump_s=0.005, sent_until=8.0, count=6):
    """An event, nothing for `gap` seconds, then several within `lump_s`."""
    late = 1.0 + gap
    texts = [(late + lump_s * i / 3, "turn.update", "word " * (i + 1)) for i in range(count)]
    events = [(0.8, "turn.start", None), (1.0, "turn.update", "word "), *texts]
    times = steady(12)
    return session(times[(times < sent_until) | (times > late)], events=events)


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        (lumps(3.1), {"latency.slow-reader": "warn"}),
        (lumps(2.9), {}),
        (lumps(5.9), {"latency.slow-reader": "warn"}),
        (lumps(6.1), {"latency.slow-reader": "fail"}),
        (lumps(5.0, lump_s=0.04), {"latency.slow-reader": "warn"}),
        (lumps(5.0, lump_s=0.06), {}),
        (lumps(5.0, count=3), {}),
        (lumps(5.0, sent_until=1.35), {}),  # three chunks in the gap
        (lumps(5.0, sent_until=1.45), {"latency.slow-reader": "warn"}),  # four
    ],
)
def test_a_reader_is_slow_beyond_each_limit(subject, expected):
    assert causes(session_at_3_s(subject), "latency") == {}
    found = report(subject, "latency", latency__reader_gap_s=3.0).checks[0].findings
    assert {f.cause: f.status for f in found} == expected


def session_at_3_s(subject):
    """The same where events wait at the other side."""
    return type(subject)(subject.events, url=subject.url, clock="server")


def test_the_lump_is_the_place():
    (finding,) = report(lumps(5.0), "latency", latency__reader_gap_s=3.0).checks[0].findings
    assert finding.summary.startswith("No event was read for 5.0 s")
    assert finding.evidence[0].t == pytest.approx(6.0)


def test_the_longest_time_between_events_is_measured():
    assert report(lumps(5.0), "latency").checks[0].measurements["event_gap_max_s"] == 5.0


def test_what_is_behind_the_clock_is_told_in_seconds():
    (result,) = report(session(steady(25) / 0.93), "latency").checks
    (finding,) = result.findings
    behind_s = result.measurements["audio_behind_clock_s"]
    assert finding.summary == f"Audio is sent at 0.93 times realtime, and is {behind_s:.1f} s late by the end."
    assert behind_s == pytest.approx(0.07 * 25 / 0.93, abs=0.2)
    assert finding.evidence[0].t == pytest.approx(24.9 / 0.93)


def test_what_is_behind_the_clock_is_less_sure_than_what_waited():
    (finding,) = report(session(steady(25) / 0.93), "latency").checks[0].findings
    assert (finding.cause, finding.confidence) == ("latency.backlog", 0.75)


@pytest.mark.parametrize(("peak", "expected"), [(0.1, "warn"), (0.01, "unknown")])
def test_the_end_of_faint_speech_is_not_measured(peak, expected):
    sound, values = decode(SPEECH, "pcm_mulaw"), decode(bytes(range(256)), "pcm_mulaw")
    quiet = np.abs(np.subtract.outer(sound * (peak / np.abs(sound).max()), values)).argmin(axis=1).astype(np.uint8)
    (result,) = report(with_audio(spoken(3.5), quiet.tobytes() + SILENCE * 20), "latency").checks
    assert result.status == expected
    assert ("turns_measured" in result.measurements) == (expected == "warn")
