import numpy as np
import pytest
from builders import causes, drained, report, session, status, steady, turn

from sttdoctor.evidence import Frame


def test_the_right_language_passes():
    assert status(drained(), "endpoint") == "pass"


def test_events_of_the_other_endpoint():
    subject = session(steady(5), events=[(1.0, "transcript", None)])
    assert causes(subject, "endpoint") == {"endpoint.mixed-up": "fail"}


def test_without_url_the_events_tell():
    assert report(drained(url=None), "endpoint").checks[0].measurements["endpoint"] == "auto"
    manual = session(steady(5), events=[(1.0, "flush_done", None)], url=None)
    assert report(manual, "endpoint").checks[0].measurements["endpoint"] == "manual"
    assert status(session(steady(5), url=None), "endpoint") == "unknown"


def test_a_bare_close_explains_what_is_lost():
    subject = drained()
    events = [e for e in subject.events if not (isinstance(e, Frame) and e.type == "close")]
    bare = Frame(700, 8.0, True, 5, text="close")
    (first, *_) = report(type(subject)((*events[:-1], bare, events[-1]), url=subject.url)).diagnoses
    assert first.cause == "endpoint.mixed-up"


@pytest.mark.parametrize(("seconds", "clock", "expected"), [(30, 1.0, "batch-fits"), (8, 0.5, None), (30, 30.0, None)])
def test_a_whole_recording_fits_batch(seconds, clock, expected):
    t = steady(seconds) * (clock / seconds)
    found = set(causes(session(t), "endpoint"))
    assert found == ({f"endpoint.{expected}"} if expected else set())


def test_a_remark_comes_last():
    diagnoses = report(session(np.arange(300) * 0.001)).diagnoses
    assert [d.cause for d in diagnoses][-1] == "endpoint.batch-fits"
    assert diagnoses[0].cause == "pacing.burst"


def test_push_to_talk_fits_manual():
    t = steady(12)
    for start in (30, 60, 90):
        t[start:] += 3.0
    subject = session(t, events=turn(0.5, "Hello", end=2.0))
    assert causes(subject, "endpoint") == {"endpoint.manual-fits": "warn"}
