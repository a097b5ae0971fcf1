"""Clocks that were set while a session ran: what is timed by them is put back on one clock.

Recorders that write the time of day see it jump when a time server corrects it, when daylight saving time begins or
ends, and at midnight where the date is left out. Audio is sent in order, so a frame cannot have gone out before the one
that stands in front of it; and no connection lives through an hour without audio, as the service ends it after minutes.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from sttdoctor.evidence import Event, Frame, Open, Session

_BACK_S = 0.25
"""Less is the disorder of threads that write one log."""
_MOST_STEPS = 3
"""Nobody sets a clock more often while a session runs: such times are in disorder."""
_FURTHEST_S = 2 * 86_400.0
"""A date that is wrong by more is no clock that was set by a day, an hour or less; such times tell nothing."""
_SUMMER_S, _AT_ONCE_S = (1800.0, 3600.0), 1.0


def mend_clock(session: Session) -> Session:
    """Return a session in which time goes on evenly where its clock was set; itself where it was not.

    Backward steps count from a quarter of a second to two days, forward ones where they are the half hour or hour of
    daylight saving time.
    """
    audio = [place for place, event in enumerate(session.events) if _is_timed_audio(event)]
    events = session.events
    times = [event.t or 0.0 for event in events]
    steps = [
        (before, after)
        for before, after in pairwise(audio)
        if _is_step(times[after] - times[before]) and not _is_apart(events, before, after)
    ]
    if not 1 <= len(steps) <= _MOST_STEPS:
        return session
    usual_s = max(0.0, float(np.median(np.diff([times[place] for place in audio]))))
    shifts = np.zeros(len(events))
    for before, after in steps:
        shifts[_find_begin(events, before, after)] += times[before] + usual_s - times[after]
    return replace(session, events=tuple(map(_move, events, np.cumsum(shifts).tolist())))


def _is_timed_audio(event: Event) -> bool:
    return isinstance(event, Frame) and event.sent and event.binary and event.t is not None


def _is_step(seconds: float) -> bool:
    return -_FURTHEST_S < seconds < -_BACK_S or any(abs(seconds - hour) <= _AT_ONCE_S for hour in _SUMMER_S)


def _is_apart(events: Sequence[Event], before: int, after: int) -> bool:
    """Whether a connection was opened between two frames: each may have a clock of its own."""
    return any(isinstance(event, Open) for event in events[before + 1 : after])


def _find_begin(events: Sequence[Event], before: int, after: int) -> int:
    """The first event that the clock timed after it was set: it is nearer to the frame behind the step."""
    old, new = events[before].t or 0.0, events[after].t or 0.0
    for place in range(before + 1, after):
        t = events[place].t
        if t is not None and abs(t - new) < abs(t - old):
            return place
    return after


def _move(event: Event, shift: float) -> Event:
    return event if not shift or event.t is None else replace(event, t=round(event.t + shift, 6))
