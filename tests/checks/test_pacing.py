import numpy as np
import pytest
from builders import causes, drained, report, session, status, steady, with_audio
from common import FIXTURES
from hypothesis import given, settings
from hypothesis import strategies as st


def burst(seconds, at=5.0, length=12.0):
    t = steady(length)
    first = round(at * 10)
    t[first : first + round(seconds * 10)] = t[first]
    t[first + round(seconds * 10) :] -= seconds
    return t


@pytest.mark.parametrize(
    ("seconds", "expected"), [(0.8, {}), (2.0, {"pacing.burst": "warn"}), (4.5, {"pacing.burst": "fail"})]
)
def test_a_burst_in_mid_session(seconds, expected):
    assert causes(session(burst(seconds)), "pacing") == expected


@pytest.mark.parametrize(
    ("speed", "expected"),
    [
        (0.7, {"pacing.too-slow": "fail"}),
        (0.86, {"pacing.too-slow": "warn"}),
        (0.95, {}),
        (1.0, {}),
        (1.05, {}),
        (1.2, {"pacing.too-fast": "warn"}),
        (1.6, {"pacing.too-fast": "fail"}),
        (5.0, {"pacing.too-fast": "fail"}),
    ],
)
def test_the_speed(speed, expected):
    assert causes(session(steady(12 if speed > 1.5 else 8) / speed), "pacing") == expected


def test_a_file_sent_without_pacing_is_a_burst():
    assert causes(session(np.arange(300) * 0.001), "pacing") == {"pacing.burst": "fail"}


def test_a_flush_after_the_handshake_is_harmless():
    t = np.concatenate([np.zeros(15), np.arange(1, 80) * 0.1])
    assert causes(session(t), "pacing") == {}


def test_backlog_after_a_hole_belongs_to_continuity():
    t = np.maximum(steady(12), np.where((steady(12) > 4) & (steady(12) < 7), 7.0, 0))
    found = causes(session(t))
    assert {cause for cause in found if cause.startswith("pacing")} == set()
    assert found["continuity.stalled"] == "fail"


def test_a_burst_far_larger_than_the_hole_before_it_is_still_told():
    t = burst(6.0)
    t[50:] += 1.0
    assert causes(session(t), "pacing") == {"pacing.burst": "fail"}


def test_a_burst_names_its_place():
    (finding,) = report(session(burst(4.5)), "pacing").checks[0].findings
    assert finding.evidence[0].t == pytest.approx(5.0, abs=1.5)
    assert finding.evidence[0].line is not None


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"url": None}, "--encoding"),
        ({"clock": "none"}, "no times"),
        ({"resolution": 1.0}, "too coarse"),
    ],
)
def test_missing_evidence_is_told(fields, words):
    (result,) = report(session(steady(8), **fields), "pacing").checks
    assert result.status == "unknown"
    assert words in result.answer


def test_no_audio():
    assert status(session([]), "pacing") == "unknown"


@pytest.mark.long
@pytest.mark.parametrize("chunk_s", [0.02, 0.1, 0.2])
def test_drift_of_a_sound_card_over_an_hour(chunk_s):
    assert causes(session(steady(3600, chunk_s) * 1.001, chunk_s), "pacing") == {}
    assert causes(session(steady(3600, chunk_s) * 0.999, chunk_s), "pacing") == {}


@settings(max_examples=40)
@given(
    st.floats(-1e5, 1e5),
    st.sampled_from([0.02, 0.05, 0.1, 0.16, 0.2]),
    st.integers(0, 2**32 - 1),
    st.floats(0, 1.5),
)
def test_a_healthy_session_stays_healthy(shift, chunk_s, seed, start_burst):
    rng = np.random.default_rng(seed)
    t = np.maximum(steady(8, chunk_s) - start_burst, 0)
    t = np.sort(t + rng.uniform(0, 0.08, len(t))) + shift
    subject = session(t, chunk_s)
    found = causes(subject)
    assert {cause for cause in found if cause.split(".")[0] in ("pacing", "continuity", "chunking")} == set()


def test_a_healthy_session_passes():
    assert status(drained(), "pacing") == "pass"


def two_bursts(first, second):
    """Bursts at 5 s and at 21 s of a session that flows in between."""
    t = burst(first, length=30)
    t[210 : 210 + round(second * 10)] = t[210]
    t[210 + round(second * 10) :] -= second
    return session(t)


@pytest.mark.parametrize(
    ("first", "second", "expected", "at"),
    [(2.0, 4.5, "fail", 18), (4.5, 2.0, "fail", 5), (1.8, 2.0, "warn", 5)],
)
def test_of_several_bursts_the_first_of_the_worst_is_told(first, second, expected, at):
    (finding,) = report(two_bursts(first, second), "pacing").checks[0].findings
    assert finding.status == expected
    assert finding.evidence[0].t == pytest.approx(at, abs=1.5)


def test_of_two_bursts_that_are_equally_bad_the_first_is_told():
    t = burst(4.5, length=70)
    t[600:645] = t[600]  # when all of the first has drained
    t[645:] -= 4.5
    (finding,) = report(session(t), "pacing").checks[0].findings
    assert (finding.cause, finding.status, finding.evidence[0].t) == ("pacing.burst", "fail", 5.0)


def test_amounts_times_and_lines_are_those_of_the_capture():
    (result,) = report(session(steady(12) / 1.6 + 50), "pacing").checks
    (finding,) = result.findings
    first, peak = finding.evidence
    # chunks of 0.1 s every 62.5 ms, from line 3 on
    assert first.t == pytest.approx(50 + (first.line - 3) / 16) and peak.t == pytest.approx(50 + (peak.line - 3) / 16)
    audio, clock = (peak.line - first.line + 1) / 10, peak.t - first.t
    assert finding.summary.startswith(f"{audio:.1f} s of audio were sent in {clock:.1f} s; by then 3.0 s")
    assert peak.line == 122 and result.measurements["max_backlog_s"] == pytest.approx(3.037)


@pytest.mark.parametrize(
    ("later", "expected"), [(4.5, {"pacing.too-fast": "warn"}), (5.5, {"pacing.too-fast": "fail"})]
)
def test_what_waits_after_a_hole_is_excused_by_it_for_a_while_only(later, expected):
    t = np.maximum(steady(30), np.where((steady(30) > 4) & (steady(30) < 7), 7.0, 0))
    first = round((7 + later) * 10)
    t[first : first + 30] = t[first]
    t[first + 30 :] -= 3
    assert causes(session(t), "pacing") == expected


def test_a_block_of_silence_that_fills_a_hole_is_excused_by_it():
    t, lengths = steady(10), np.full(100, 0.1)
    t[50:] += 5
    lengths[50] = 5.0
    assert causes(session(t, lengths), "pacing") == {}


def test_a_burst_before_a_hole_is_not_excused_by_it():
    t = burst(2.5, at=3.0, length=20)
    t[(t > 8) & (t < 11)] = 11.0
    assert causes(session(t), "pacing") == {"pacing.burst": "warn"}


@pytest.mark.parametrize(("speed", "expected"), [(0.86, "pacing.too-slow"), (1.2, "pacing.too-fast")])
def test_the_speed_is_told_from_the_first_chunk_on(speed, expected):
    (finding,) = report(session(steady(8) / speed + 50), "pacing").checks[0].findings
    assert (finding.cause, finding.confidence) == (expected, 0.95)
    assert finding.summary.startswith(f"Audio flows at {speed:.2f} times realtime, measured over ")
    (place,) = finding.evidence
    assert (place.note, place.line, place.t) == (f"from here on, {speed:.2f} s of audio a second", 3, 50.0)


def test_the_speed_of_a_session_that_passes_is_measured():
    (result,) = report(session(steady(8) / 0.97), "pacing").checks
    assert result.answer == "Audio flows at 0.97 times realtime."
    assert result.measurements["speed"] == 0.97
    (result,) = report(session(steady(8) * 0.97), "pacing").checks
    assert result.measurements["speed"] == 1.0309
    # 80 chunks of 97 ms; the first 1.5 s are left out, from 1.552 s on
    assert result.measurements["speed_measured_s"] == 6.11


def test_audio_too_short_for_a_speed():
    (result,) = report(session(steady(0.4)), "pacing").checks
    assert (result.status, result.answer) == ("pass", "No burst; the audio is too short to show a speed.")
    assert result.measurements == {"speed": None, "max_backlog_s": 0.0}


def test_a_connection_without_audio_hides_nothing_of_the_next():
    first, second = session([], close=(0.1, "server", 1000)), session(burst(4.5))
    both = type(first)((*first.events, *second.events), url=first.url)
    assert causes(both, "pacing") == {"pacing.burst": "fail"}


HIDDEN = np.concatenate([steady(8.0), 9.0 + np.arange(25.0)])
SPEECH = (FIXTURES / "audio" / "mulaw-8k.raw").read_bytes()
STARVED = np.cumsum(np.random.default_rng(5).uniform(0.5, 0.67, 40))


def slow(subject):
    (found,) = report(subject, "pacing").checks[0].findings
    assert (found.cause, found.status) == ("pacing.too-slow", "fail")
    return found


@pytest.mark.parametrize(
    ("client", "says", "not_says"),
    [
        ("Mozilla/5.0 (X11) Chrome/131", ["hidden", "worker"], []),
        (None, ["this period", "hidden", "worker"], []),
        ("websockets/15.0 python", ["this period"], ["hidden", "worker", "browser"]),
    ],
)
def test_a_timer_that_is_held_back_is_told_by_its_beat_and_the_fix_fits_the_client(client, says, not_says):
    found = slow(session(HIDDEN, client=client))
    assert "one frame goes out every 1.00 s, 25 times" in found.summary
    assert all(word in found.fix for word in says) and not any(word in found.fix.lower() for word in not_says)


def pieces(step):
    """Chunks of 0.1 s of speech, each so many seconds further on in it."""
    size = 800
    at = [round(number * step * 8000) % (len(SPEECH) - size) for number in range(len(STARVED))]
    return with_audio(session(STARVED), b"".join(SPEECH[start : start + size] for start in at))


def test_frames_that_do_not_continue_one_another_mean_audio_that_is_lost():
    found = slow(pieces(0.55))
    assert "lost" in found.summary and "overrun" in found.fix


def test_frames_that_continue_one_another_are_late_and_not_lost():
    found = slow(pieces(0.1))
    assert "late rather than lost" in found.summary and "overrun" not in found.fix


def test_quiet_chunks_that_a_gate_drops_are_told_from_a_sender_that_is_late():
    sound = np.frombuffer((FIXTURES / "audio" / "s16-16k.raw").read_bytes(), "<i2")
    url = "wss://api.cartesia.ai/stt/turns/websocket?model=ink-2&encoding=pcm_s16le&sample_rate=16000"
    voice = np.resize(sound[np.abs(sound) > 200], (9, 8, 1600))  # nine words of 0.8 s, with 0.3 s between them
    fading = np.interp(np.arange(12800), [0, 3200, 9600, 12800], [0, 1, 1, 0]).reshape(8, 1600)
    times = (np.arange(9)[:, None] * 1.1 + np.arange(8) * 0.1).ravel() + np.random.default_rng(1).uniform(0, 0.01, 72)
    gated = slow(with_audio(session(times, 0.4, url=url), (voice * fading).astype("<i2").tobytes()))
    assert "left out" in gated.summary and "late" not in gated.summary and "silence" in gated.fix
    late = slow(with_audio(session(times, 0.4, url=url), voice.astype("<i2").tobytes()))
    assert "left out" not in late.summary
    drifting = times + np.repeat(np.arange(9) * 0.04, 8)
    unsteady = slow(with_audio(session(drifting, 0.4, url=url), (voice * fading).astype("<i2").tobytes()))
    assert "left out" not in unsteady.summary


def test_half_of_each_buffer_is_told_from_samples_that_were_dropped():
    speech = 3 * (FIXTURES / "audio" / "s16-16k.raw").read_bytes()
    url = "wss://api.cartesia.ai/stt/turns/websocket?model=ink-2&encoding=pcm_s16le&sample_rate=16000"
    kept = b"".join(speech[at : at + 1024] for at in range(0, len(speech) - 2048, 2048))
    times = np.arange(len(kept) // 1024) * 0.064
    (finding,) = report(with_audio(session(times, 0.128, url=url), kept), "pacing").checks[0].findings
    assert (
        finding.cause == "pacing.too-slow" and "lost" in finding.summary and "in bytes, not in samples" in finding.fix
    )


def test_very_few_bytes_without_their_content_may_be_compressed():
    (finding,) = report(session(np.arange(60) * 0.2, 0.01), "pacing").checks[0].findings
    assert (finding.cause, finding.status) == ("pacing.too-slow", "fail")
    assert finding.confidence <= 0.5 and "compressed" in finding.fix
    (finding,) = report(session(np.arange(60) * 0.2, 0.1), "pacing").checks[0].findings
    assert finding.confidence > 0.9 and "compressed" not in finding.fix
