"""Whether the times of a capture can be those of a session: some tools write a number where they have no time."""

from dataclasses import replace

from sttdoctor.evidence import Frame, Session

_LEAST_FRAMES = 3
_COARSE_S = 1.0


def keep_real_times(session: Session) -> Session:
    """Return the session without times that are none, and with the resolution that its times show.

    Times that are all the same (-1 and 0 are usual) are none: nobody sends and receives in one moment. Whole seconds
    that several messages share come from a clock that is no finer.
    """
    times = [event.t for event in session.events if isinstance(event, Frame) and event.t is not None]
    if session.clock == "none" or len(times) < _LEAST_FRAMES:
        return session
    moments = set(times)
    if len(moments) == 1:
        return replace(session, events=tuple(replace(event, t=None) for event in session.events), clock="none")
    shared = 2 * len(moments) < len(times)
    if shared and len(moments) >= _LEAST_FRAMES and all(t % _COARSE_S == 0 for t in moments):
        return replace(session, resolution=max(session.resolution, _COARSE_S))
    return session
