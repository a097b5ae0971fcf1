import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from resonances import encoded

from sttdoctor.analysis.session.repeats import find_replays
from sttdoctor.evidence import Frame, FrameContents

RATE = 16000
VOICE = (np.random.default_rng(3).standard_normal(12 * RATE) * 3000).astype("<i2").tobytes()


def cut(data, size=640):
    return contents([data[i : i + size] for i in range(0, len(data), size)])


def contents(pieces):
    return FrameContents([Frame(1, 0.1, True, len(piece), True, piece) for piece in pieces])


def replayed(places, length=RATE):
    """The voice with so many bytes before each of these places once more."""
    out, last = b"", 0
    for place in places:
        out, last = out + VOICE[last:place] + VOICE[place - length : place], place
    return out + VOICE[last:]


def found(data, encoding="pcm_s16le", rate=2.0 * RATE):
    return find_replays(cut(data), encoding, rate)


@pytest.mark.parametrize("length", [6400, 19202, 50000])
def test_stretches_that_are_sent_twice_in_a_row_are_counted_wherever_frames_begin(length):
    replays = found(replayed([70002, 150000, 260004], length))
    assert replays is not None and replays.count == 3
    assert replays.usual_s == pytest.approx(length / 32000, rel=0.01)
    assert replays.share == pytest.approx(3 * length / (len(VOICE) + 3 * length), rel=0.02)
    assert replays.first == 70002 // 640


@pytest.mark.parametrize(
    "data",
    [
        VOICE,
        replayed([70002]),  # once may be meant
        VOICE[:40000] * 4,  # a loop
        VOICE[:64000] + VOICE[64000:128000] + VOICE[:64000] + VOICE[64000:128000],  # played again later
        bytes(200_000),
        (9000 * np.sin(np.arange(100_000) * 2 * np.pi / 37)).astype("<i2").tobytes(),
        VOICE[:10],
        b"",
    ],
)
def test_what_comes_once_comes_round_or_is_silent_is_sent_once(data):
    assert found(data) is None


def test_samples_of_one_byte_are_compared_at_every_byte():
    data = replayed([70001, 150003], 8001)
    replays = find_replays(cut(data, 160), "pcm_mulaw", 8000.0)
    assert replays is not None and replays.count == 2
    assert replays.usual_s == pytest.approx(1.0, rel=0.01)


@given(st.binary(max_size=3000), st.sampled_from(["pcm_s16le", "pcm_mulaw", "pcm_f32le"]), st.floats(1, 1e6))
def test_any_bytes_are_answered(data, encoding, rate):
    replays = find_replays(contents([data[:100], b"", data[100:]]), encoding, rate)
    assert replays is None or (replays.count >= 2 and 0 < replays.share <= 1)


def test_a_recording_that_is_played_twice_and_coded_anew_is_no_ring_that_is_read_too_far():
    rng = np.random.default_rng(8)
    clip = rng.standard_normal(3 * 8000) * 0.02
    sound = np.concatenate([clip, rng.standard_normal(8000) * 0.02, clip * 1.002])
    assert found(encoded(sound, "pcm_mulaw").tobytes(), "pcm_mulaw", 8000.0) is None
