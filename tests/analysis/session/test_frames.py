import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from resonances import encoded, voice

from sttdoctor.analysis.session import frames as analysis
from sttdoctor.analysis.session.frame_headers import find_field
from sttdoctor.analysis.session.repeats import find_repeats
from sttdoctor.encodings import ENCODINGS

NAN = {"pcm_f16le": b"\x01\x7c", "pcm_f32le": b"\x01\x00\x80\x7f", "f32be": b"\x7f\x80\x00\x01"}


def ask_all(frames, encoding):
    active = analysis.select_active(frames, encoding)
    find_repeats(frames, active, encoding)
    find_field(frames, active, encoding)
    analysis.find_tails(frames, active, encoding)
    analysis.is_two_streams(frames, active, encoding)
    return analysis.measure_border_jump(frames, encoding)


@pytest.mark.parametrize("encoding", NAN)
def test_a_signalling_nan_makes_no_warning(encoding):
    rng = np.random.default_rng(1)
    noise = [rng.bytes(ENCODINGS[encoding].width * 160) for _ in range(80)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ask_all([frame[: -len(NAN[encoding])] + NAN[encoding] for frame in noise], encoding)


@given(st.lists(st.binary(max_size=400), max_size=30), st.sampled_from(sorted(ENCODINGS)))
def test_any_frames_are_answered_without_a_warning(frames, encoding):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ask_all(frames, encoding)


@pytest.mark.parametrize(("step", "low", "high"), [(0.1, 0.0, 1.5), (0.55, 2.0, 99.0)])
def test_borders_tell_whether_frames_go_on(step, low, high):
    data = encoded(voice(34.0), "pcm_s16le").tobytes()
    frames = [data[2 * round(i * step * 16_000) :][:3200] for i in range(60)]
    assert low <= analysis.measure_border_jump(frames, "pcm_s16le") <= high
