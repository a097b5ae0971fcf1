"""Latency on timelines whose numbers can be checked by hand: chunks of 0.1 s."""

import numpy as np
import pytest
from builders import steady, timeline

from sttdoctor.analysis.session.latency import (
    TurnLatency,
    find_sent,
    measure_first_text_s,
    measure_latencies,
    measure_spoken,
)
from sttdoctor.analysis.session.turns import Turn

STEADY = timeline(steady(10))


def ended(end_t, start_t=0.5, line=7):
    return Turn(line, start_t=start_t, end_t=end_t, end_line=line + 1, end="Hello.")


@pytest.mark.parametrize(
    ("audio_s", "expected"), [(0.05, (0.0, 0)), (0.15, (0.1, 1)), (9.95, (9.9, 99)), (50.0, (9.9, 99))]
)
def test_the_frame_that_holds_a_position(audio_s, expected):
    assert find_sent(STEADY, audio_s) == (pytest.approx(expected[0]), expected[1])


def test_a_position_at_the_border_of_two_frames_is_the_end_of_the_first():
    assert find_sent(timeline([0, 1, 2], 0.5), 0.5) == (0.0, 0)


@pytest.mark.parametrize(
    ("after", "until", "expected"),
    [
        (-1.0, 20.0, 3.0),  # all of it
        (0.95, 2.95, 2.0),  # the first stretch
        (1.45, 2.45, 1.0),  # a part of it
        (3.5, 4.5, 0.0),  # between the two
        (2.45, 5.45, 1.0),  # half a second of each
        (0.0, 0.9, 0.0),  # before both
        (6.5, 9.0, 0.0),  # behind both
        (5.0, 2.0, 0.0),  # never negative
    ],
)
def test_active_audio_sent_between_two_moments(after, until, expected):
    active = [(1.0, 3.0), (5.0, 6.0)]
    assert measure_spoken(STEADY, active, [after], [until]) == pytest.approx([expected])


def test_what_is_sent_at_the_first_moment_does_not_count_and_at_the_last_it_does():
    line = timeline([0.0, 1.0, 2.0, 3.0], 1.0)
    assert measure_spoken(line, [(0.0, 4.0)], [1.0, 0.0, -0.5], [2.0, 3.0, 0.0]).tolist() == [1.0, 3.0, 1.0]


def test_without_active_audio_nothing_is_spoken():
    assert measure_spoken(STEADY, [], [0.0, 1.0], [5.0, 6.0]).tolist() == [0.0, 0.0]


def test_a_turn_is_measured_from_its_last_active_audio():
    waiting = np.linspace(0, 0.99, 100)
    (only,) = measure_latencies(STEADY, waiting, [(1.0, 3.0)], [ended(3.9)])
    # the last active audio is in frame 29, sent at 2.9 s; eleven frames of 0.1 s follow up to 3.9 s
    assert (only.line, only.t) == (8, 3.9)
    assert (only.total_s, only.waiting_s, only.silent_s) == (pytest.approx(1.0), pytest.approx(0.29), 0.0)
    assert only.service_s == pytest.approx(0.71)


@pytest.mark.parametrize(
    ("active", "expected"),
    [
        ([(1.0, 1.5), (1.9, 8.0)], []),  # music behind the speaker, which goes on
        ([(0.2, 8.0)], []),
        ([(0.1, 0.3), (0.4, 2.0), (3.2, 8.0)], [1.9]),  # new speech, as the turn should have ended long ago
        ([(1.0, 3.0), (3.2, 4.2)], [0.1]),  # the voice fades away
    ],
)
def test_sound_that_goes_on_across_the_end_of_a_turn_hides_where_its_speech_ended(active, expected):
    found = measure_latencies(STEADY, np.zeros(100), active, [ended(3.8 if len(expected) else 4.0)])
    assert [one.total_s for one in found] == [pytest.approx(one, abs=0.05) for one in expected]


def test_clock_time_without_audio_is_the_clients_share():
    t = steady(4)
    t[30:] += 2.0  # nothing from 3.0 to 5.0 s
    (only,) = measure_latencies(timeline(t), np.zeros(40), [(1.0, 3.0)], [ended(5.5)])
    assert (only.total_s, only.silent_s) == (pytest.approx(2.6), pytest.approx(2.0))
    assert only.service_s == pytest.approx(0.6)


def test_a_block_that_fills_a_pause_afterwards_came_too_late():
    t, lengths = steady(6), np.full(60, 0.1)
    t[30:] += 1.0
    lengths[30] = 1.1  # one block of silence for the second from 3.0 to 4.0 s
    (only,) = measure_latencies(timeline(t, lengths), np.zeros(60), [(1.0, 3.0)], [ended(4.2)])
    assert (only.total_s, only.silent_s) == (pytest.approx(1.3), pytest.approx(1.0))
    assert only.service_s == pytest.approx(0.3)


def test_the_service_never_takes_less_than_nothing():
    assert TurnLatency(1, 2.0, 0.5, 0.4, 0.3).service_s == 0.0
    assert TurnLatency(1, 2.0, 0.5, 0.1, 0.3).service_s == pytest.approx(0.1)


def test_each_turn_takes_the_last_speech_before_its_end():
    active = [(1.0, 3.0), (5.0, 6.0)]
    found = measure_latencies(STEADY, np.zeros(100), active, [ended(4.0), ended(6.4, 5.2), ended(8.0, 7.0)])
    assert [latency.total_s for latency in found] == pytest.approx([1.1, 0.5, 2.1])


def test_speech_that_is_still_being_sent_belongs_to_the_next_turn():
    (only,) = measure_latencies(STEADY, np.zeros(100), [(1.0, 2.4), (3.5, 6.0)], [ended(4.0)])
    assert only.total_s == pytest.approx(1.7)
    assert measure_latencies(STEADY, np.zeros(100), [(1.0, 3.0)], [ended(2.0)]) == []


@pytest.mark.parametrize("missing", ["end", "end_t", "end_line", "start_t"])
def test_a_turn_without_a_clock_or_an_end_is_passed_over(missing):
    half, whole = ended(4.0), ended(4.5)
    setattr(half, missing, None)
    assert [latency.t for latency in measure_latencies(STEADY, np.zeros(100), [(1.0, 3.0)], [half, whole])] == [4.5]


def test_without_audio_or_activity_there_is_no_latency():
    assert measure_latencies(timeline([]), np.zeros(0), [(1.0, 3.0)], [ended(4.0)]) == []
    assert measure_latencies(STEADY, np.zeros(100), [], [ended(4.0)]) == []


def test_the_first_text_counts_from_the_first_active_audio():
    assert measure_first_text_s(STEADY, [(1.0, 3.0), (5.0, 6.0)], [1.9, 1.6, 2.4]) == pytest.approx(0.6)
    assert measure_first_text_s(STEADY, [(1.0, 3.0)], [0.5]) == 0.0
    assert measure_first_text_s(STEADY, [(1.0, 3.0)], []) is None
    assert measure_first_text_s(STEADY, [], [1.0]) is None
    assert measure_first_text_s(timeline([]), [(1.0, 3.0)], [1.0]) is None


def test_activity_beyond_what_was_sent_ends_with_the_last_frame():
    (only,) = measure_latencies(STEADY, np.zeros(100), [(1.0, 50.0)], [ended(10.4)])
    assert (only.total_s, only.silent_s) == (pytest.approx(0.5), pytest.approx(0.4))


def test_sound_that_fades_away_as_its_turn_ends_belongs_to_it():
    (only,) = measure_latencies(STEADY, np.zeros(100), [(1.0, 3.0), (3.5, 6.0)], [ended(5.8)])
    assert only.total_s == pytest.approx(0.0, abs=0.1)
