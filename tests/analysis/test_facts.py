import numpy as np
import pytest
from builders import URL, drained, session, steady

from sttdoctor.analysis.facts import Facts, join_audio
from sttdoctor.analysis.rate.estimate import RateEstimate
from sttdoctor.evidence import Audio, Declared, Frame, Session
from sttdoctor.thresholds import DEFAULTS


def declared(url, **override):
    made = Facts(DEFAULTS, session=Session((), url=url), declared=Declared(**override))
    return made.declared.encoding, made.declared.sample_rate


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (URL, ("pcm_mulaw", 8000)),
        ("wss://x/?encoding=linear16&sample_rate=16000", ("linear16", 16000)),
        ("wss://x/?sample_rate=16k", (None, None)),
        ("wss://x/?sample_rate=0", (None, None)),
        ("wss://x/?sample_rate=-8000", (None, None)),
        ("wss://x/?sample_rate=" + "9" * 5000, (None, None)),
        ("wss://x/?sample_rate=\u0663\u0662", (None, None)),
        ("http://[", (None, None)),
        (None, (None, None)),
    ],
)
def test_what_a_url_declares(url, expected):
    assert declared(url) == expected


def test_the_caller_overrides_the_url():
    assert declared(URL, sample_rate=16000) == ("pcm_mulaw", 16000)


@pytest.mark.parametrize(
    ("name", "meant"), [("linear16", "pcm_s16le"), ("PCMU", "pcm_mulaw"), ("pcm_f32le", "pcm_f32le"), ("opus", None)]
)
def test_a_foreign_name_is_judged_by_what_it_means(name, meant):
    assert Facts(DEFAULTS, session=Session(()), declared=Declared(name)).declared.meant == meant


def test_the_audio_of_a_session_is_joined_and_places_are_known():
    frames = tuple(Frame(10 + i, i * 0.1, True, 4, binary=True, content=bytes([i]) * 4) for i in range(3))
    facts = Facts(DEFAULTS, session=Session(frames, url=URL))
    assert facts.audio.data.tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert [facts.find_frame(offset) for offset in (0, 3, 4, 11, 12)] == [
        (10, 0.0),
        (10, 0.0),
        (11, 0.1),
        (12, 0.2),
        (None, None),
    ]


def test_a_frame_without_content_leaves_the_audio_unknown():
    assert join_audio(drained()) is None
    assert join_audio(Session(())) is None


def test_duration_and_request_ids():
    facts = Facts(DEFAULTS, session=drained(8.0))
    assert facts.duration_s == pytest.approx(8.3)
    assert facts.request_ids == ["r1"]
    assert Facts(DEFAULTS, session=Session(())).duration_s is None


def test_without_a_clock_there_are_no_timelines():
    assert Facts(DEFAULTS, session=session(steady(2), clock="none")).timelines == []


def test_the_byte_rate_names_the_true_rate():
    facts = Facts(DEFAULTS, session=session(steady(10), 0.15), audio=Audio(np.zeros(1, np.uint8)))
    assert facts.longest_speed.ratio == pytest.approx(1.5, rel=0.01)
    assert facts.format_ratio == 1.5
    assert facts.wire_rate == 12000
    assert facts.true_speed == pytest.approx(1.0, rel=0.01)


@pytest.mark.parametrize(("declared_at", "is_long"), [(8000, True), (None, True), (24000, False)])
def test_what_is_short_as_declared_is_not_long_by_a_far_lower_rate(declared_at, is_long):
    declaration = Declared("pcm_s16le", declared_at)
    sound = Facts(DEFAULTS, audio=Audio(np.zeros(24000 * 2 * 6, np.uint8)), declared=declaration).sound
    low = RateEstimate({8000: 0.9, 24000: 0.1}, 8.0, 1.0)
    other = RateEstimate({8000: 0.8, 24000: 0.2}, 5.0, 1.0)
    sound.__dict__.update(layout=sound.declared_layout, _loudest_rate=low, rate_parts=[(0, other), (1, other)])
    assert sound.is_long == is_long
    assert (sound.rate.probabilities != low.probabilities) == is_long
