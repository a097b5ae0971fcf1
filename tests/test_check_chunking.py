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
    diagnoses = report(session(np.arange(6) * 2.0, 2.0, command=12.0, close=(12.2, "server", 1000))).diagnoses
    assert [d.cause for d in diagnoses] == ["chunking.too-large"]


def test_healthy():
    assert status(drained(), "chunking") == "pass"
