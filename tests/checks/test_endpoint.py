import numpy as np
import pytest
from builders import URL, causes, drained, report, session, status, steady, turn, with_audio

from sttdoctor.evidence import Frame


def test_the_right_language_passes():
    assert status(drained(), "endpoint") == "pass"


MANUAL = "wss://x/stt/websocket?model=ink-2&encoding=pcm_mulaw&sample_rate=8000"


@pytest.mark.parametrize(
    ("events", "url", "summary"),
    [
        (
            [(1.0, "transcript", None)],
            URL,
            "The URL is that of /stt/turns/websocket, but the events are those of /stt/websocket.",
        ),
        (
            [(1.0, "turn.start", None)],
            MANUAL,
            "The URL is that of /stt/websocket, but the events are those of /stt/turns/websocket.",
        ),
    ],
)
def test_events_of_the_other_endpoint(events, url, summary):
    (finding,) = found(session(steady(5), events=events, url=url))
    assert (finding.cause, finding.status, finding.confidence) == ("endpoint.mixed-up", "fail", 0.8)
    assert finding.summary == summary


@pytest.mark.parametrize(
    ("sends", "url"),
    [
        ([(1.0, "finalize"), (2.0, "done"), (3.0, "close")], MANUAL),
        ([(1.0, {"type": "config"}), (2.0, {"type": "close"})], URL),
    ],
)
def test_the_language_of_the_endpoint_itself_is_right(sends, url):
    (result,) = report(session(steady(5), sends=sends, url=url), "endpoint").checks
    path = "/stt/websocket" if url == MANUAL else "/stt/turns/websocket"
    assert result.findings == () and result.answer == f"The client uses the language of {path}."


def test_without_url_the_events_tell():
    assert report(drained(url=None), "endpoint").checks[0].measurements["endpoint"] == "auto"
    manual = session(steady(5), events=[(1.0, "flush_done", None)], url=None)
    assert report(manual, "endpoint").checks[0].measurements["endpoint"] == "manual"
    (untold,) = report(session(steady(5), url=None), "endpoint").checks
    assert (untold.status, untold.crashed) == ("unknown", False)


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


def found(subject):
    return report(subject, "endpoint").checks[0].findings


@pytest.mark.parametrize(
    ("sends", "url", "summary", "fix"),
    [
        (
            [(1.0, "finalize"), (2.0, "close")],
            "wss://x/stt/turns/websocket",
            "'finalize' was sent as a bare word to /stt/turns/websocket; that command belongs to /stt/websocket.",
            "Leave out finalize and other bare words",
        ),
        (
            [(1.0, {"type": "config"}), (2.0, {"type": "close"})],
            "wss://x/stt/websocket",
            "'config' was sent as a JSON message to /stt/websocket; that command belongs to /stt/turns/websocket.",
            "Send bare words here",
        ),
    ],
)
def test_the_first_word_of_the_other_language_is_told(sends, url, summary, fix):
    (finding,) = found(session(steady(3), sends=sends, url=url))
    assert (finding.summary, finding.confidence) == (summary, 0.95) and finding.fix.startswith(fix)
    assert (finding.evidence[0].line, finding.evidence[0].t) == (14, 1.0)


def test_a_bare_word_that_the_server_sends_is_no_language_of_the_client():
    subject = session(steady(3))
    word = Frame(900, 2.0, False, 5, text="done")
    assert causes(type(subject)((*subject.events, word), url=subject.url), "endpoint") == {}


def test_of_bare_words_that_were_no_json_the_first_is_told():
    subject = session(steady(3))
    words = [Frame(900 + i, 3.0 + i, True, 5, text=text) for i, text in enumerate(("finalize", "close"))]
    (finding,) = found(type(subject)((*subject.events, *words), url=subject.url))
    assert finding.summary.startswith("'finalize' was sent as a bare word")
    assert (finding.evidence[0].line, finding.evidence[0].t) == (900, 3.0)


@pytest.mark.parametrize(("seconds", "expected"), [(10.0, 0), (10.1, 1)])
def test_batch_fits_more_than_ten_seconds_at_once(seconds, expected):
    batch = [f for f in found(session(np.full(round(seconds * 10), 50.0))) if f.cause == "endpoint.batch-fits"]
    assert len(batch) == expected
    for finding in batch:
        assert finding.summary == "10 s of audio were sent in 0.0 s; the batch endpoint suits a whole recording."
        assert finding.confidence == 0.8


@pytest.mark.parametrize(("speed", "expected"), [(2.9, set()), (3.1, {"endpoint.batch-fits"})])
def test_batch_fits_what_is_sent_at_three_times_realtime(speed, expected):
    assert set(causes(session(steady(60) / speed + 1000), "endpoint")) == expected


def test_what_cannot_be_decoded_may_be_a_whole_recording_too():
    text = with_audio(session(np.arange(300) * 0.01), b"0.12, 0.13, -0.5, 0.7\n" * 11_000)
    assert causes(text, "endpoint") == {"endpoint.batch-fits": "warn"}


def pushed(holes, length=3.0, events=None, speed=1.0):
    t = steady(16)
    for i in range(holes):
        t[30 * (i + 1) :] += length * speed
    return session(t / speed, events=turn(0.5, "Hello", end=2.0) if events is None else events)


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        (pushed(2), set()),
        (pushed(3), {"endpoint.manual-fits"}),
        (pushed(3, length=1.4), set()),
        (pushed(3, length=1.6), {"endpoint.manual-fits"}),
        (pushed(3, events=turn(0.5, "Hello")), set()),
        (pushed(3, events=[]), set()),
    ],
)
def test_manual_fits_three_pauses_and_a_finished_turn(subject, expected):
    assert set(causes(subject, "endpoint")) == expected


def test_the_pauses_are_counted():
    (finding,) = found(pushed(4))
    assert finding.summary == "Audio pauses 4 times: the client itself seems to know when the user speaks."
    assert finding.confidence == 0.7


def test_large_chunks_are_no_pauses():
    assert causes(session(steady(40, 2.0), 2.0, events=turn(0.5, "Hello", end=2.0)), "endpoint") == {}


@pytest.mark.parametrize(
    ("message", "url", "mixed"),
    [
        ({"type": "done"}, URL, False),
        ({"type": "finalize"}, URL, False),  # of no endpoint in this form
        ("done", URL, True),
        ({"type": "finalize"}, MANUAL, True),
        ({"type": "done"}, MANUAL, True),
    ],
)
def test_the_form_of_a_command_tells_whose_it_is(message, url, mixed):
    found = causes(session(steady(5), sends=[(5.0, message)], url=url), "endpoint")
    assert found == ({"endpoint.mixed-up": "fail"} if mixed else {})


def test_a_bare_word_at_the_end_explains_the_waiting():
    events = turn(1.0, "Hello", "Hello there")
    subject = session(steady(5), events=events, sends=[(5.0, "finalize")], close=(11.0, "client", 1000))
    (first, *rest) = report(subject).diagnoses
    assert first.cause == "endpoint.mixed-up" and rest == []
