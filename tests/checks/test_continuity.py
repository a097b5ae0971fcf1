from dataclasses import replace

import numpy as np
import pytest
from builders import causes, drained, report, session, steady, turn

from sttdoctor.evidence import Frame


def with_hole(length, at=4.0, total=10.0, **fields):
    t = steady(total)
    t[round(at * 10) :] += length
    end = total + length
    return session(t, command=end, close=(end + 0.2, "server", 1000), **fields)


OPEN = turn(1.0, "Hello", "Hello there")
SHUT = turn(1.0, "Hello", "Hello there.", end=2.5)


@pytest.mark.parametrize(
    ("length", "events", "expected"),
    [
        (0.4, OPEN, {}),
        (0.8, OPEN, {"continuity.muted": "warn"}),
        (3.0, OPEN, {"continuity.muted": "fail"}),
        (1.8, SHUT, {}),
        (3.0, SHUT, {"continuity.muted": "warn"}),
        (100.0, SHUT, {"continuity.muted": "warn"}),
        (176.0, SHUT, {"continuity.muted": "fail"}),
    ],
)
def test_audio_stops_and_goes_on_where_it_was(length, events, expected):
    assert causes(with_hole(length, events=events), "continuity") == expected


def test_a_turn_that_ends_in_the_hole_had_all_its_audio():
    events = turn(1.0, "Hello", "Hello there.", end=4.6)
    assert causes(with_hole(1.8, events=events), "continuity") == {}


@pytest.mark.parametrize(
    ("length", "expected"),
    [(0.8, {}), (1.5, {"continuity.stalled": "warn"}), (2.6, {"continuity.stalled": "fail"})],
)
def test_audio_stops_and_catches_up(length, expected):
    t = steady(12)
    t = np.maximum(t, np.where((t > 4) & (t < 4 + length), 4 + length, 0))
    assert causes(session(t, events=OPEN), "continuity") == expected


@pytest.mark.parametrize(("length", "expected"), [(0.55, {}), (3.0, {"continuity.stalled": "fail"})])
def test_one_block_of_silence_covers_a_hole(length, expected):
    t, lengths = steady(10), np.full(100, 0.1)
    t[40:] += length
    lengths[40] = length
    assert causes(session(t, lengths, events=OPEN), "continuity") == expected


@pytest.mark.parametrize(("rest", "expected"), [(0.1, {}), (2.0, {"continuity.muted": "fail"})])
def test_what_follows_a_hole_must_be_long_enough_to_tell_a_stall_from_silence(rest, expected):
    assert causes(with_hole(1.2, at=4.0, total=4.0 + rest, events=OPEN), "continuity") == expected


def test_audio_ends_with_a_turn_open():
    subject = session(steady(5), events=OPEN, close=(11.0, "client", 1000))
    assert causes(subject, "continuity") == {"continuity.stopped": "fail"}
    first = report(subject).diagnoses[0]
    assert (first.cause, first.explains) == ("continuity.stopped", ("drain.no-close", "turns.left-open"))


def test_audio_ends_and_the_turn_ends_by_itself():
    subject = session(steady(5), events=turn(1.0, "Hello.", end=5.4), command=9.0, close=(9.2, "server", 1000))
    assert causes(subject, "continuity") == {}


def test_the_close_command_ends_a_hole():
    subject = session(steady(5), events=OPEN, command=5.2, close=(9.0, "server", 1000))
    assert causes(subject, "continuity") == {}


def test_keep_alive_messages_instead_of_audio():
    sends = [(4.5 + i, {"type": "KeepAlive"}) for i in range(3)]
    subject = with_hole(4.0, events=OPEN, sends=sends)
    (finding,) = report(subject, "continuity").checks[0].findings
    assert (finding.cause, finding.status) == ("continuity.keepalive", "fail")
    assert "3 messages (KeepAlive)" in finding.summary


@pytest.mark.parametrize("text", ["", " "])
def test_empty_messages_instead_of_audio(text):
    subject = with_hole(4.0, events=OPEN, sends=[(4.5 + i, text) for i in range(3)])
    (finding,) = report(subject, "continuity").checks[0].findings
    assert finding.cause == "continuity.keepalive" and "3 messages (empty)" in finding.summary


def test_the_server_closes_an_idle_socket():
    subject = session(steady(5), events=SHUT, close=(185.0, "server", 1001))
    found = causes(subject, "continuity")
    assert found == {"continuity.idle-timeout": "fail"}


def test_holes_of_one_kind_are_one_finding_with_all_places():
    t = steady(12)
    t[40:] += 2
    t[80:] += 3
    (finding,) = report(session(t, events=OPEN), "continuity").checks[0].findings
    assert [round(e.t) for e in finding.evidence] == [6, 13]


def test_healthy():
    assert causes(drained(), "continuity") == {}


def test_length_and_place_are_those_of_the_capture():
    (result,) = report(with_hole(3.0, events=OPEN), "continuity").checks
    (finding,) = result.findings
    assert result.measurements == {"holes": 1, "longest_hole_s": 3.0}
    assert finding.summary.startswith("No audio was sent for 3.0 s while a turn was open (from 4.0 s); then")
    assert [(e.line, e.t) for e in finding.evidence] == [(46, pytest.approx(7.0))]


def test_healthy_audio_measures_no_hole():
    assert report(drained(), "continuity").checks[0].measurements == {"holes": 0, "longest_hole_s": 0.0}


@pytest.mark.parametrize("speed", [1.0, 0.5])
def test_the_end_counts_from_where_the_audio_ran_out_at_the_clients_own_speed(speed):
    end = 8.0 / speed
    subject = session(steady(8, 0.2) / speed, 0.2, events=OPEN, close=(end + 6, "client", 1000))
    (finding,) = report(subject, "continuity").checks[0].findings
    assert finding.summary.startswith(f"No audio was sent for 6.0 s while a turn was open (from {end:.1f} s)")
    assert (finding.evidence[0].line, finding.evidence[0].t) == (45, pytest.approx(end + 6))


def test_the_worst_hole_is_told_and_five_places_are_named():
    t = steady(20)
    for place, length in ((40, 0.8), (60, 0.8), (80, 3), (100, 1), (120, 1), (140, 1)):
        t[place:] += length
    (result,) = report(session(t, events=OPEN), "continuity").checks
    (finding,) = result.findings
    assert result.measurements == {"holes": 6, "longest_hole_s": 3.0}
    assert "for 3.0 s" in finding.summary and finding.status == "fail"
    assert [e.line for e in finding.evidence] == [86, 46, 66, 106, 126]


@pytest.mark.parametrize("message", [{"type": "config", "turn": {}}])
def test_a_command_in_a_hole_is_no_keep_alive(message):
    subject = with_hole(3.0, events=OPEN, sends=[(5.5, message)])
    assert causes(subject, "continuity") == {"continuity.muted": "fail"}


def test_audio_that_outlasts_the_socket_leaves_no_hole():
    """The last frame holds 5 s, sent at once; the socket closes 1 s later."""
    t, lengths = steady(8), np.full(80, 0.1)
    lengths[-1] = 5.0
    (result,) = report(session(t, lengths, events=OPEN, close=(8.9, "client", 1000)), "continuity").checks
    assert (result.status, result.measurements) == ("pass", {"holes": 0, "longest_hole_s": 0.0})


def test_the_end_counts_from_the_end_of_the_last_frame():
    t, lengths = steady(8), np.full(80, 0.1)
    lengths[-1] = 0.4  # from 7.9 to 8.3 s
    subject = session(t, lengths, events=OPEN, close=(14.3, "client", 1000))
    (finding,) = report(subject, "continuity").checks[0].findings
    assert "for 6.0 s while a turn was open (from 8.3 s), and the socket stayed open" in finding.summary


@pytest.mark.parametrize(
    ("times", "words"),
    [((5.5,), "1 message (KeepAlive) was sent instead"), ((3.0, 5.5, 6.0, 7.5), "2 messages (KeepAlive) were sent")],
)
def test_messages_outside_a_hole_are_not_counted(times, words):
    subject = with_hole(3.0, events=OPEN, sends=[(t, {"type": "KeepAlive"}) for t in times])
    (finding,) = report(subject, "continuity").checks[0].findings
    assert words in finding.summary and finding.confidence == 0.95


@pytest.mark.parametrize(("resolution", "expected"), [(0.0, "fail"), (0.05, "fail"), (0.2, "warn")])
def test_a_coarse_clock_takes_from_the_hole_what_it_may_have_added(resolution, expected):
    assert causes(with_hole(1.1, events=OPEN, resolution=resolution), "continuity") == {"continuity.muted": expected}


@pytest.mark.parametrize(
    ("subject", "cause", "confidence"),
    [
        (with_hole(3.0, events=OPEN), "muted", 0.95),
        (session(steady(5), events=OPEN, close=(11.0, "client", 1000)), "stopped", 0.95),
        (session(steady(5), events=SHUT, close=(185.0, "server", 1001)), "idle-timeout", 0.95),
        (session(np.maximum(steady(12), np.where((steady(12) > 4) & (steady(12) < 7), 7, 0))), "stalled", 0.9),
    ],
)
def test_how_sure_each_cause_is(subject, cause, confidence):
    (finding,) = report(subject, "continuity").checks[0].findings
    assert (finding.cause, finding.confidence) == (f"continuity.{cause}", confidence)


def test_lumps_of_a_timer_are_one_finding_with_the_period_and_the_count():
    t = np.concatenate([steady(8.0), *(9.1 + beat + np.arange(10) * 0.002 for beat in range(24))])
    (found,) = report(session(t, client="Mozilla/5.0 Firefox/140"), "continuity").checks[0].findings
    assert (found.cause, found.status) == ("continuity.stalled", "warn")
    assert "10 frames go out at once every 1.00 s, 24 times" in found.summary and "hidden" in found.fix


@pytest.mark.parametrize("words", ["Your request timed out because no new audio was received.", "Request Timeout"])
def test_an_error_about_audio_that_did_not_come_is_the_servers_idle_limit(words):
    subject = session(steady(5), events=turn(1.0, "Hello", end=4.0), close=(20.5, "server", 1011))
    error = Frame(90, 20.4, False, 9, message={"type": "error", "title": words, "status_code": 408})
    found = report(replace(subject, events=(*subject.events[:-1], error, subject.events[-1]))).diagnoses[0]
    assert found.cause == "continuity.idle-timeout"
    assert "server.error-event" in found.explains and words[:30] in found.summary


@pytest.mark.parametrize(("tail_s", "expected"), [(1.6, {}), (6.0, {"continuity.stopped": "fail"})])
def test_what_comes_after_a_capture_that_is_cut_is_not_known(tail_s, expected):
    events = [*turn(1.0, *(["And so"] * 3)), (5.0 + tail_s, "turn.update", "And so my")]
    assert causes(session(steady(5), events=events), "continuity") == expected


@pytest.mark.parametrize(
    ("encoding", "silence"), [("pcm_mulaw", "bytes 0xFF"), ("pcm_alaw", "bytes 0xD5"), ("pcm_f32le", "zero bytes")]
)
def test_silence_is_told_in_the_encoding_that_was_declared(encoding, silence):
    url = f"wss://api.cartesia.ai/stt/turns/websocket?model=ink-2&encoding={encoding}&sample_rate=8000"
    times = np.concatenate([np.arange(1, 31) * 0.1, 8 + np.arange(30) * 0.1])
    found = report(session(times, events=turn(1.0, "Hello"), url=url), "continuity").checks[0].findings
    assert [silence in finding.fix for finding in found if finding.cause == "continuity.muted"] == [True]
