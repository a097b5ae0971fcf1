"""A session on its clock, thinned to what a page can show."""

from dataclasses import replace

import builders
import numpy as np
import pytest

from sttdoctor.analysis.facts import Facts
from sttdoctor.evidence import Frame
from sttdoctor.reporting.data.stream import _thin, show_latency, show_stream
from sttdoctor.thresholds import DEFAULTS


def laid_out(session, detected=None):
    return show_stream(Facts(DEFAULTS, session=session), detected)


def test_a_healthy_session_keeps_to_the_clock():
    found = laid_out(builders.drained(8.0))
    (part,) = found.sending
    assert (part.bursts, part.gaps, part.frames) == ((), (), 80)
    assert np.allclose(part.ahead_s, 0.1) and part.sent_s[-1] == pytest.approx(8.0)
    assert [(turn.number, turn.start_t_s, turn.end_t_s) for turn in found.turns] == [(1, 1.0, 8.2)]
    assert sorted(found.events) == ["client messages", "text updates"]


def test_bursts_and_gaps_stand_where_they_are():
    t = np.concatenate(
        [builders.steady(4), 4 + builders.steady(5) * 0.02, 4.1 + builders.steady(2), 9.0 + builders.steady(2)]
    )
    (part,) = laid_out(builders.session(t, close=(11.2, "client", 1000))).sending
    ((start, end),) = part.bursts
    assert 3.9 <= start <= 4.2 and end <= 4.2 and part.burst_s[0] > 3
    ((start, end),) = part.gaps
    assert start == pytest.approx(6.1, abs=0.15) and end == pytest.approx(9.0)


def test_audio_that_stops_before_the_end_is_a_gap():
    (part,) = laid_out(builders.session(builders.steady(4), close=(9.0, "client", 1000))).sending
    assert part.gaps == ((pytest.approx(4.0), 9.0),) and part.end_t_s == 9.0


def test_a_wrong_declaration_shows_as_another_speed():
    found = laid_out(builders.session(builders.steady(4) / 2), detected=2 * builders.BYTES_PER_S)
    assert found.speed_as_detected == 0.5


def test_an_open_turn_has_no_end():
    found = laid_out(builders.session(builders.steady(4), events=builders.turn(1.0, "Hello")))
    assert found.turns[0].end_t_s is None


def test_without_a_clock_there_is_nothing():
    assert laid_out(builders.session(builders.steady(4), clock="none")) is None


@pytest.mark.parametrize("count", [2, 500, 50_000])
def test_thinning_keeps_the_ends_the_extremes_and_what_is_marked(count):
    values = np.random.default_rng(3).standard_normal(count)
    chosen = _thin(np.arange(count) * 0.1, values, [0, 1])
    assert len(chosen) <= 1000 and (np.diff(chosen) > 0).all()
    assert {0, 1, count - 1, int(values.argmax()), int(values.argmin())} <= set(chosen.tolist())


def test_latencies_carry_the_number_of_their_turn():
    from common import FIXTURES

    from sttdoctor.api import session_facts

    facts = session_facts(str(FIXTURES / "sessions" / "healthy-several-turns.jsonl"), None, None, None, None)
    found = show_latency(facts)
    assert found.number.tolist() == [1, 2, 3] and found.turns == 3
    assert (found.service_s > 0).all() and found.warn_s == DEFAULTS["latency.end_of_turn_warn_s"]
    assert show_latency(Facts(DEFAULTS, session=builders.drained())) is None


def test_a_command_in_a_binary_frame_is_shown_with_the_messages():
    subject = builders.drained()
    frame = Frame(900, 9.0, True, 16, binary=True, content=b'{"type":"close"}')
    found = laid_out(replace(subject, events=(*subject.events, frame)))
    assert 9.0 in found.events["client messages"]
