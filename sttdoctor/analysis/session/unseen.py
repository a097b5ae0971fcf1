"""What a capture left out without saying so, told by what it holds.

A recorder that writes one direction alone, or text messages alone, looks like a client that never sends, or like a
connection on which nothing comes back. The answers tell the two apart: nobody is heard who sends no audio, a server
that ends the connection as it was asked to has read what was sent, and a text of the application came from somewhere.
"""

import re
from collections.abc import Iterable
from dataclasses import replace

from sttdoctor.analysis.session.commands import find_audio_texts
from sttdoctor.analysis.session.timeline import is_close_command
from sttdoctor.analysis.session.turns import collect_turns
from sttdoctor.evidence import Close, Frame, Session


def state_unseen(session: Session) -> Session:
    """Return a session with all that its capture lacks, also what the capture does not say it lacks."""
    frames = [event for event in session.events if isinstance(event, Frame)]
    unseen = frozenset(_find_unseen(session, frames)) - session.lacks
    return replace(session, lacks=session.lacks | unseen) if unseen else session


def _find_unseen(session: Session, frames: list[Frame]) -> Iterable[str]:
    if not any(not frame.sent for frame in frames):
        return ("receive", "text") if frames and (_has_words(session) or _was_answered(session, frames)) else ()
    if any(frame.sent and frame.binary for frame in frames):
        return ()
    if not collect_turns(frames) or find_audio_texts(tuple(frames)):
        return ()
    return ("audio",) if any(frame.sent for frame in frames) else ("send", "audio")


def _has_words(session: Session) -> bool:
    """Whether the application has a text that only the service can have given: no state, and no error."""
    text = session.transcript.text if session.transcript is not None else ""
    words = text.split()
    return len(words) > _LONGEST_STATE or (any(map(str.isalnum, text)) and _STATE.search(text) is None)


_LONGEST_STATE = 10  # words
_STATE = re.compile(
    r"^\W*(?:error|exception|traceback|listening|connecting|waiting|loading|recording|transcrib\w+|speak now|n/a|null"
    r"|none|undefined|nothing|silence|hold to|tap to|click to|press)\b|^\W*\w*(?:Error|Exception)\b"
    r"|\b(?:no|without) (?:speech|transcri\w+|text|result|audio)|\b(?:could|can) ?not (?:be )?(?:transcri|connect|hear)"
    r"|\b(?:timed out|timeout|failed to|unavailable|please wait|start speaking)\b|^\s*[\[(<{].*[\])>}]\s*$",
    re.IGNORECASE,
)
"""What applications show instead of a text."""


def _was_answered(session: Session, frames: list[Frame]) -> bool:
    """Whether the server closed after the close command, as it does when it has answered everything."""
    commanded = any(frame.sent and is_close_command(frame) for frame in frames if not frame.binary)
    ends = [event for event in session.events if isinstance(event, Close)]
    return commanded and any(end.by != "client" and end.code in _AS_ASKED for end in ends)


_AS_ASKED = (1000, 1005)
