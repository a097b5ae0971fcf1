"""Any capture: session JSONL, which tells itself by its first row, or one of the other formats."""

import io
import math
import os
import shlex
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from sttdoctor.errors import InputError, NoCaptureError
from sttdoctor.evidence import Frame, Session
from sttdoctor.readers.session_jsonl import begins_with_header, read_rows
from sttdoctor.readers.sockets import Wanted
from sttdoctor.readers.stream import Source, StreamError, Transcoded, open_stream, utf8_of, utf16_of
from sttdoctor.redact import is_text

_HEAD_BYTES = 1 << 16
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def read_capture(source: Source, connection: Wanted = None) -> Session:
    """Read a session from a capture of any known format, plain or gzip.

    Args:
        source: A path, bytes or a binary file object.
        connection: Which socket of a capture that holds several, from 1.

    Raises:
        InputError: The capture is missing, unreadable or of no known format, or holds several sockets and no choice
            was made; the message lists them.
    """
    path = str(source) if isinstance(source, str | os.PathLike) else None
    name = path or "the capture"
    try:
        with open_stream(source) as stream:
            head, whole = _text_of(stream)
            if not head:
                raise InputError(f"{name} is empty")
            return _read(head, whole, path, connection)
    except OSError as error:
        raise InputError(f"cannot read {name}: {error.strerror or error}") from None
    except ValueError as error:
        raise InputError(f"cannot read {name}: {error}") from None


def read_session(sources: Sequence[Source], connection: Wanted = None) -> Session:
    """Read one client's session from one capture or several, in the order of their times.

    Args:
        sources: As for `read_capture`; the path of a folder stands for all captures in it.
        connection: As for `read_capture`, of each.

    Raises:
        InputError: As from `read_capture`; or several captures are not one client's session, or a folder holds none.
    """
    captures = [capture for source in sources for capture in _in_folder(source)]
    sessions = [read_capture(capture, connection) for capture in captures]
    if len(sessions) == 1:
        return sessions[0]
    from sttdoctor.readers.joining import MOST_IN_FOLDER_S, ApartError, Part, join

    if any(one.started_at == other.started_at and one.events == other.events for one, other in pairwise(sessions)):
        raise InputError("the same capture is given twice")
    try:
        is_folder = captures != list(sources)
        most = MOST_IN_FOLDER_S if is_folder else math.inf
        whole = join([Part(session) for session in sessions], is_told=True, most_between_s=most)
    except ApartError as error:
        raise InputError(
            f"the captures are not one client's session: {error}; give one of them, or run sttdoctor triage, which "
            "judges each by itself"
        ) from None
    paths = [str(source) for source in sources if isinstance(source, str | os.PathLike)]
    return replace(whole, path=paths[0] if paths else None, more=tuple(paths[1:]))


def _in_folder(source: Source) -> list[Source]:
    if not isinstance(source, str | os.PathLike) or not os.path.isdir(source):
        return [source]
    from sttdoctor.readers.har.files import holds_messages
    from sttdoctor.readers.joining import MAX_JOINED

    files = sorted(entry.path for entry in os.scandir(source) if entry.is_file() and not entry.name.startswith("."))
    heads = ((path, _head_of(path)) for path in files)
    found: list[Source] = [path for path, head in heads if holds_session(head) and not holds_messages(head)]
    if not found:
        raise InputError(f"{source} is a directory without a capture")
    if len(found) > MAX_JOINED:
        raise InputError(f"{source} holds {len(found)} captures, more than a session has; sttdoctor triage judges each")
    return found


def holds_session(head: bytes) -> bool:
    """Whether the first bytes (unpacked) are those of a capture that `read_capture` knows."""
    encoding = utf16_of(head)
    text = utf8_of(head, encoding) if encoding else head.removeprefix(_BYTE_ORDER_MARK)
    if begins_with_header(text):
        return True
    from sttdoctor.readers.formats import FORMATS

    return any(form.holds(text) for form in FORMATS)


def is_session_file(path: str) -> bool:
    """Whether a regular file begins as a capture does that is no log, plain or gzip; nothing else is opened."""
    head = _head_of(path)
    is_json = head.removeprefix(_BYTE_ORDER_MARK).lstrip()[:1] == b"{"
    if is_json and holds_session(head):
        return True
    from sttdoctor.readers.mitmproxy import holds_flows
    from sttdoctor.readers.wire.pcap import holds_packets

    return holds_packets(head) or holds_flows(head)


def _head_of(path: str) -> bytes:
    """Return the first bytes of a regular file, none of anything else or where it is damaged."""
    if not os.path.isfile(path):
        return b""
    try:
        with open_stream(path) as stream:
            return _text_of(stream)[0]
    except (OSError, ValueError):  # damage is for who reads it to judge
        return b""


def _read(head: bytes, stream: io.BufferedReader, path: str | None, connection: Wanted) -> Session:
    try:
        return keep_real_times(_pick_reader(head)(stream, path, connection))
    except NoCaptureError as error:
        from sttdoctor.readers.formats import FORMATS
        from sttdoctor.readers.no_capture import describe

        what = describe(head)
        if what is None:
            *most, last = (form.label for form in FORMATS if form.label)
            told = [str(error), f"sttdoctor replay reads {', '.join(most)} and {last}"]
            told.insert(2 if is_text(head) else 1, f"for audio run: sttdoctor check {shlex.quote(path or 'FILE')}")
            raise InputError("; ".join(told)) from None
        raise InputError(f"{path or 'the capture'} is {what}") from None


def _pick_reader(head: bytes) -> Callable[[io.BufferedReader, str | None, Wanted], Session]:
    if begins_with_header(head):  # the other formats are not even loaded
        return read_rows
    from sttdoctor.readers.formats import pick_reader

    return pick_reader(head)


def _text_of(stream: Any) -> tuple[bytes, io.BufferedReader]:
    """Return the first bytes, and a stream that begins with them; UTF-16 becomes UTF-8."""
    head, whole = _rewind(stream)
    encoding = utf16_of(head)
    return _rewind(Transcoded(whole, encoding)) if encoding else (head, whole)


class _Rewound(io.RawIOBase):
    """What was looked at, then the rest of the stream."""

    def __init__(self, head: bytes, rest: Any) -> None:
        self._head = head
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._head and isinstance(self._rest, io.BufferedIOBase):
            return self._rest.readinto1(buffer)
        block = self._head[: len(buffer)] or self._rest.read1(len(buffer))
        self._head = self._head[len(block) :]
        buffer[: len(block)] = block
        return len(block)


def _rewind(stream: Any) -> tuple[bytes, io.BufferedReader]:
    """Return the first bytes without a byte order mark, and a stream that begins with them.

    Damage shows again when the stream is read.

    Raises:
        StreamError: A gzip stream is damaged before its first byte.
    """
    head = b""
    try:
        while len(head) < _HEAD_BYTES and (block := stream.read1(_HEAD_BYTES - len(head))):
            head += block
    except StreamError:
        if not head:
            raise
    head = head.removeprefix(_BYTE_ORDER_MARK)
    return head, io.BufferedReader(_Rewound(head, stream), 1 << 20)


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
