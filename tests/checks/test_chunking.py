import numpy as np
import pytest
from builders import causes, drained, report, session, status, steady


@pytest.mark.parametrize(
    ("chunk_s", "expected"),
    [
        (0.002, {"chunking.too-small": "warn"}),
        (0.006, {}),
        (0.02, {}),
        (0.1, {}),
        (0.3, {}),
        (0.4, {"chunking.too-large": "warn"}),
        (1.0, {"chunking.too-large": "warn"}),
        (1.5, {"chunking.too-large": "fail"}),
    ],
)
def test_the_length_of_chunks(chunk_s, expected):
    assert causes(session(steady(12, chunk_s), chunk_s), "chunking") == expected


def test_a_short_last_chunk_and_one_block_of_silence_do_not_count():
    lengths = np.full(80, 0.1)
    lengths[40], lengths[-1] = 0.6, 0.01
    assert causes(session(steady(8), lengths), "chunking") == {}


def test_one_long_chunk_among_three_does_not_make_a_habit():
    assert causes(session([0, 0.1, 0.2], [0.1, 0.1, 2.0]), "chunking") == {}


def test_a_whole_file_in_one_chunk():
    (result,) = report(session([0.0], 30.0), "chunking").checks
    assert result.findings[0].cause == "chunking.too-large"
    assert result.findings[0].evidence[0].line == 3


def test_without_a_declaration_or_without_audio_it_is_unknown():
    assert status(session(steady(5), url="wss://x/stt/turns/websocket"), "chunking") == "unknown"
    assert status(session([]), "chunking") == "unknown"


def test_a_threshold_changes_the_verdict():
    assert report(session(steady(8), 0.1), "chunking", chunking__warn_ms=50).status == "warn"


def test_a_long_chunk_at_realtime_is_one_diagnosis():
    connected = [(0.1, "connected", None)]
    subject = session(np.arange(6) * 2.0, 2.0, events=connected, command=12.0, close=(12.2, "server", 1000))
    diagnoses = report(subject).diagnoses
    assert [d.cause for d in diagnoses] == ["chunking.too-large"]


def test_healthy():
    assert status(drained(), "chunking") == "pass"


def test_what_is_measured_has_three_digits_of_a_millisecond():
    lengths = np.arange(1, 23) * 161 / 8000  # of 22 frames the 95th percentile lies between the 20th and the 21st
    (result,) = report(session(steady(2.2), lengths), "chunking").checks
    expected = {"frames": 22, "median_ms": 231.438, "p95_ms": 421.619, "min_ms": 20.125, "max_ms": 442.75}
    assert result.measurements == expected


@pytest.mark.parametrize(("frames", "expected"), [(19, {}), (20, {"chunking.too-large": "warn"})])
def test_from_20_frames_on_the_95th_percentile_decides(frames, expected):
    lengths = np.full(frames, 0.1)
    lengths[::2] = 0.5
    lengths[: frames // 2 + 2] = 0.1
    assert float(np.percentile(lengths, 95)) == 0.5 and float(np.median(lengths)) == 0.1
    assert causes(session(steady(frames / 10), lengths), "chunking") == expected


@pytest.mark.parametrize(
    ("chunk_s", "answer"),
    [
        (0.005, "Chunks are 5 ms long."),
        (0.1, "Chunks are 100 ms long."),
        (0.999, "Audio is sent in chunks of 999 ms (95 % are up to 999 ms); about 100 ms is right."),
        (1.0, "Audio is sent in chunks of 1.0 s (95 % are up to 1.0 s); about 100 ms is right."),
        (2.5, "Audio is sent in chunks of 2.5 s (95 % are up to 2.5 s); about 100 ms is right."),
        (0.002, "Audio is sent in chunks of 2 ms; about 100 ms is right."),
    ],
)
def test_lengths_are_told_in_their_unit(chunk_s, answer):
    (result,) = report(session(steady(20 * chunk_s, chunk_s), chunk_s), "chunking").checks
    assert result.answer == answer
    assert [f.confidence for f in result.findings] == [0.95] * len(result.findings)


def test_the_longest_chunk_of_all_connections_is_the_place():
    first, second = session(steady(5, 0.5), 0.5), session(np.arange(4) * 0.5 + 9, [0.5, 0.5, 0.75, 0.5])
    both = type(first)((*first.events, *second.events), url=first.url)
    ((place,),) = [f.evidence for f in report(both, "chunking").checks[0].findings]
    assert (place.note, place.line, place.t) == ("the longest chunk holds 0.75 s of audio", 5, 10.0)
