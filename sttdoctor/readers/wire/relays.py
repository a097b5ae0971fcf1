"""Connections that a capture shows twice: on both sides of a proxy, or before and behind an address translation."""

from collections.abc import Iterator, Sequence

from sttdoctor.evidence import Frame
from sttdoctor.readers.conversation import Conversation

_LEAST_FRAMES = 3
_MAX_COMPARED = 50


def without_relayed(conversations: Sequence[Conversation]) -> list[Conversation]:
    """Return the conversations without those in which a proxy says what another one told it.

    Such a connection lies within the other: what is sent comes later in it, what is received earlier.
    """
    if len(conversations) > _MAX_COMPARED:
        return list(conversations)
    return [
        inner for inner in conversations if not any(_relays(outer, inner) for outer in conversations if outer != inner)
    ]


def _relays(outer: Conversation, inner: Conversation) -> bool:
    sent, received = list(_frames(outer, True)), list(_frames(outer, False))
    passed_on, answered = list(_frames(inner, True)), list(_frames(inner, False))
    if min(len(sent), len(passed_on)) < _LEAST_FRAMES:
        return False
    return _follow(passed_on, sent) and _follow(received, answered)


def _follow(later: list[Frame], earlier: list[Frame]) -> bool:
    """Whether the same frames come in a second place, each after it came in the first; the last may be missing."""
    return len(later) <= len(earlier) and all(
        first.t is not None and second.t is not None and second.t >= first.t and _content(first) == _content(second)
        for first, second in zip(earlier, later, strict=False)
    )


def _frames(conversation: Conversation, sent: bool) -> Iterator[Frame]:
    return (event for event in conversation.found.events if isinstance(event, Frame) and event.sent == sent)


def _content(frame: Frame) -> tuple[object, ...]:
    return frame.size, frame.audio, frame.message, frame.text
