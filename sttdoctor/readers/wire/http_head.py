"""The heads of HTTP/1.1 messages (RFC 9112) as a proxy needs them: read, and changed as little as can be. No I/O."""

import re
import zlib
from dataclasses import dataclass
from functools import cached_property
from typing import Self

from sttdoctor.readers.wire.tap import Inflate, inflater
from sttdoctor.values import immutable

MAX_HEAD_BYTES = 64 << 10
MAX_FIELDS = 200
END = b"\r\n\r\n"
_FOLD = re.compile(r"\r\n[ \t]+")  # a field that goes on in the next line (section 5.2), which a proxy unfolds

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


class BadHeadError(ValueError):
    """Bytes that are no head of an HTTP message; the message says why."""


@dataclass(frozen=True)
class Head:
    """A start line and its fields.

    Attributes:
        start: The first line: of a request or of an answer.
        fields: (name, value), in order and as they were written; a value that went on in the next line is one.
    """

    start: str
    fields: tuple[tuple[str, str], ...]

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a head, without the empty line at its end.

        Raises:
            BadHeadError: It is none.
        """
        if data.count(b"\r\n") > MAX_FIELDS:
            raise BadHeadError(f"there are more than {MAX_FIELDS} headers")
        start, *lines = _FOLD.sub(" ", data.decode("latin-1")).split("\r\n")
        if start.count(" ") < 1 or "HTTP/1." not in start:
            raise BadHeadError("this is no HTTP/1.1")
        fields = [line.partition(":") for line in lines]
        if not all(colon and name.strip() for name, colon, _ in fields):
            raise BadHeadError("a header has no name")
        return cls(start, tuple((name, value.strip()) for name, _, value in fields))

    def values(self, name: str) -> list[str]:
        """Return all values of a field."""
        return [value for key, value in self.fields if key.lower() == name]

    def get(self, name: str) -> str:
        """Return the value of a field, joined by commas where it stands several times, empty where it is absent."""
        return ", ".join(self.values(name))

    def headers(self) -> dict[str, str]:
        """Return the fields by lower-case name."""
        return {key.lower(): self.get(key.lower()) for key, _ in self.fields}

    @cached_property
    def upgrades(self) -> bool:
        """Whether a request asks for a WebSocket."""
        return self.get("upgrade").lower() == "websocket"

    @property
    def target(self) -> str:
        """Path and query of a request.

        Raises:
            BadHeadError: It asks for something else: another host, a tunnel.
        """
        method, _, rest = self.start.partition(" ")
        target = rest.rpartition(" ")[0]
        if method == "CONNECT" or not target.startswith("/"):
            raise BadHeadError(
                "this is not an HTTP proxy: give its address to the client as the address of the service"
            )
        return target

    @property
    def status(self) -> int:
        """Status of an answer.

        Raises:
            BadHeadError: There is none.
        """
        code = self.start.split(" ")[1]
        if not (code.isascii() and code.isdigit() and len(code) == 3):
            raise BadHeadError("the status is no number")
        return int(code)

    def towards(self, host: str, prefix: str) -> bytes:
        """Return the bytes of a request for another host; nothing else is changed for a WebSocket.

        Any other request is the last of its connection, since the one after it would have to be changed as well.

        Raises:
            BadHeadError: The service could read it as another request than the one that is read here.
        """
        target = self.target
        _refuse_doubtful(self)
        lines = [f"{self.start.partition(' ')[0]} {prefix}{target} {self.start.rpartition(' ')[2]}"]
        for name, value in self.fields:
            if name.lower() == "host":
                value = host
            if name.lower() in ("connection", "proxy-connection", "keep-alive") and not self.upgrades:
                continue
            lines.append(f"{name}: {value}")
        lines += [] if self.upgrades else ["Connection: close"]
        return "\r\n".join(lines).encode("latin-1") + END


def _refuse_doubtful(head: Head) -> None:
    for name, value in head.fields:
        if not _NAME.fullmatch(name):
            raise BadHeadError("the name of a header holds a space or another character that no name may have")
        if _CONTROL.search(value):
            raise BadHeadError(f"the header {name} holds a line break or another control character")
    if _CONTROL.search(head.start):
        raise BadHeadError("the request line holds a control character")
    if len(head.values("host")) != 1:
        raise BadHeadError("a request names its Host, once")


def answer(status: str, text: str) -> bytes:
    """Return a whole answer of the proxy's own, as the last of its connection."""
    body = text.encode() + b"\n"
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"Connection: close\r\n\r\n" + body


@immutable
class Agreed:
    """How the messages of both directions are packed, as the answer to the handshake says.

    Attributes:
        to_server: Unpacks what the client sends, None where nothing is packed.
        to_client: Unpacks what the server sends.
    """

    to_server: Inflate | None = None
    to_client: Inflate | None = None


def read_agreement(response: Head) -> Agreed:
    """Return what was agreed about compression; other extensions mark their frames and are not understood."""
    name, *parameters = [part.strip().lower() for part in response.get("sec-websocket-extensions").split(";")]
    if name != "permessage-deflate":
        return Agreed()
    return Agreed(
        inflater("client_no_context_takeover" not in parameters),
        inflater("server_no_context_takeover" not in parameters),
    )


def body_of(head: Head, data: bytes) -> str | None:
    """Return the text of an answer's body, None where it is packed in a way that is not understood."""
    if "chunked" in head.get("transfer-encoding").lower():
        data = _join(data)
    packing = head.get("content-encoding").lower()
    if packing in ("gzip", "deflate"):
        try:
            data = zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(data, MAX_HEAD_BYTES)
        except zlib.error:
            return None
    elif packing not in ("", "identity"):
        return None
    return data.decode(errors="replace")


def _join(data: bytes) -> bytes:
    """Join the chunks of a body (RFC 9112, section 7.1), as far as they are there."""
    parts = []
    while data:
        size, _, data = data.partition(b"\r\n")
        try:
            length = int(size.partition(b";")[0], 16)
        except ValueError:
            break
        parts.append(data[:length])
        data = data[length + 2 :] if length > 0 else b""
    return b"".join(parts)
