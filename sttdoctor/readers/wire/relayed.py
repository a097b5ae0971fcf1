r"""Streams of which each part stands below a line that says which way it went: socat, ngrep, tcpflow, curl's trace.

    > 2026/11/30 22:07:54.770189  length=345 from=0 to=344
     47 45 54 20 2f 73 74 74 2f 74 75 72 6e 73 2f 77  GET /stt/turns/w

    T 2026/11/30 22:07:54.758065 127.0.0.1:50372 -> 127.0.0.1:7001 [AP] #4
      47 45 54 20 2f 73 74 74    2f 74 75 72 6e 73 2f 77    GET /stt/turns/w

    127.000.000.001.50372-127.000.000.001.07001:
    0000: 4745 5420 2f73 7474 2f74 7572 6e73 2f77 6562 736f 636b 6574 3f65 6e63 6f64 696e  GET /stt/turns/w

    22:13:17.485019 => Send header, 343 bytes (0x157)
    0000: 47 45 54 20 2f 73 74 74 2f 74 75 72 6e 73 2f 77 GET /stt/turns/w

What programs print of a handshake that was refused is such a stream as well: curl's --trace-ascii, HTTPie's --verbose,
`http.client` with its debuglevel.
Sources: http://www.dest-unreach.org/socat/doc/socat.html (options -x and -v), https://github.com/jpr5/ngrep (option -x)
and https://github.com/simsong/tcpflow (options -c and -D) and https://curl.se/docs/manpage.html#--trace, and what their
versions 1.7.4, 1.47, 1.6.1 and 7.88 write.
"""

import re
from collections.abc import Iterator
from io import BufferedReader, BytesIO
from typing import NamedTuple

from sttdoctor.evidence import Session
from sttdoctor.readers.collector import FullError, Loss
from sttdoctor.readers.logs import line as log_line
from sttdoctor.readers.sockets import Wanted, choose
from sttdoctor.readers.stream import StreamError, numbered_lines

_HEADING = re.compile(
    rb"(?P<way>[<>]) (?P<at>\d{4}/\d\d/\d\d \d\d:\d\d:\d\d)(?:\.(?P<part>\d{6,9}))? {1,2}length=\d{1,9}"
    rb" from=(?P<begin>\d{1,18}) to=\d{1,18}\s*\Z"
    rb"|T (?:(?P<when>[\d/]{10} [\d:]{8}(?:\.\d{1,9})?) )?"
    rb"(?P<of>\S{3,60}:\d{1,5}) -> (?P<to>\S{3,60}:\d{1,5})\s[^\n]{0,60}\Z"
    rb"|(?:(?P<clock>[\d:.]{8,18}) )?(?P<arrow>=>|<=) (?:Send|Recv) (?P<what>header|data), \d{1,9} bytes"
    rb" \(0x[0-9a-f]{1,8}\)\s*\Z"
    rb"|(?:\S{0,200}/)?(?P<source>[\da-fA-F:.]{5,45}\.\d{5})-(?P<target>[\da-fA-F:.]{5,45}\.\d{5}):\s*\Z"
)
_BEGINS = re.compile(
    rb"^(?:(?:[\d:.]{8,18} )?=> Send header, |"
    rb"[<>] \d{4}/\d\d/\d\d [\d:.]{8,18} {1,2}length=|T (?:[\d/]{10} [\d:.]{8,18} )?\S{3,60} -> |"
    rb"(?:\S{0,200}/)?[\da-fA-F:.]{5,45}\.\d{5}-[\da-fA-F:.]{5,45}\.\d{5}: *\r?$)",
    re.MULTILINE,
)
_EIGHT = rb"(?:[0-9a-f]{2} ){7}[0-9a-f]{2}"
_ROW = re.compile(
    rb" {1,2}(?P<pairs>" + _EIGHT + rb" {1,4}(?:[0-9a-f]{2} ){0,7}[0-9a-f]{2}|(?:[0-9a-f]{2} ){0,7}[0-9a-f]{2})"
    rb"(?: {2}| ?\r?\Z)"
    rb"|[0-9a-f]{4,8}: (?P<fours>(?:[0-9a-f]{4} ){0,15}[0-9a-f]{2}(?:[0-9a-f]{2})?)(?: {2}| ?\r?\Z)"
)
_LONG_ROW = re.compile(rb"(?: [0-9a-f]{2}){1,65536}\s*\Z")  # the bytes of a part in one row
_OF_CURL = re.compile(
    rb"(?P<offset>[0-9a-f]{4,8}): (?:(?P<pairs>(?:[0-9a-f]{2} ){1,16})(?: {3}|.{1,16}\Z)|(?P<text>.{0,64})\Z)"
)
_OF_OTHERS = re.compile(rb"(?:[\d:.]{8,18} )?(?:==|=>|<=) ")  # of curl, without bytes of the connection
_HEADS = re.compile(
    rb"\s{0,20}(GET /\S{0,8000} HTTP/1\.[01]\r?\n(?:[\w-]{1,100}:[^\n]{0,8000}\n){1,100})\s{1,20}"
    rb"(HTTP/1\.[01] \d{3}[^\n]{0,200}\n(?:[\w-]{1,100}:[^\n]{0,8000}\n){0,100})\s{0,20}([^\0]{0,60000})"
)
_SENT_LITERAL = re.compile(rb"^send: (b'GET /[^\n]{1,16000}')\s{0,4}$", re.MULTILINE)
_REPLY = re.compile(
    rb"^reply: '(HTTP/1\.[01] \d{3}[^'\n\\]{0,200})[^\n]{0,20}\n((?:header: [^\n]{1,8000}\n){0,100})([^\0]{0,60000})",
    re.MULTILINE,
)
_ENDS = frozenset((b"client", b"server"))  # where no address names them
_MOST_CONNECTIONS = 10_000
_UPGRADED = (b"HTTP/1.1 101", b"HTTP/1.0 101")
_STATUS = re.compile(rb"\A\d{3} ")  # before a body that a program printed
_HEAD_BYTES = 1 << 16
_STREAM_BEGINS = (b"GET ", b"CONNECT ", b"HTTP/1.1 ")
_RESOLUTION_S = 1e-6
_NOTHING = "the bytes hold no WebSocket connection from its handshake on; start the tool before the client connects"


class _Part(NamedTuple):
    """Bytes of one direction; `sender` and `receiver` name a connection, `is_first`: a new one may begin here."""

    sender: bytes
    receiver: bytes
    is_first: bool
    data: bytes
    line: int
    t: float | None


def holds_relayed(head: bytes) -> bool:
    """Whether the first bytes of a capture (unpacked) are such a stream, from the handshake on."""
    if _BEGINS.search(head) is None:
        return bool(_heads_in(head))
    part = next(_parts(BufferedReader(BytesIO(head))), None)
    return part is not None and part.data.startswith(_STREAM_BEGINS)


def read_relayed(stream: BufferedReader, path: str | None = None, connection: Wanted = None) -> Session:
    """Read one WebSocket of what such a tool printed.

    Args:
        stream: Binary.
        path: Where it came from.
        connection: Which socket, from 1; None where there is one that can be meant.

    Raises:
        InputError: No socket that can be read, or several without a choice.
        OSError: The file cannot be read.
    """
    from sttdoctor.readers.wire.websocket import Wire, Wires

    head = stream.peek(_HEAD_BYTES)[:_HEAD_BYTES]
    parts = _parts(stream) if _BEGINS.search(head) is not None else iter(_heads_in(head))
    wires, loss = Wires(connection), None
    open_wires: dict[frozenset[bytes], tuple[bytes, Wire]] = {}  # with the client of each
    every: list[Wire] = []
    try:
        for part in parts:
            name = frozenset((part.sender, part.receiver))
            begun = open_wires.get(name)
            if begun is None or (part.is_first and part.sender == begun[0]):
                if len(every) >= _MOST_CONNECTIONS:
                    raise FullError(f"more than {_MOST_CONNECTIONS} connections")
                client = part.receiver if part.data.startswith(b"HTTP/") else part.sender
                # a program that prints what it sends has not encrypted it yet, whatever the scheme
                begun = open_wires[name] = client, wires.begin(is_secure=name == _ENDS)
                every.append(begun[1])
            begun[1].feed(part.sender == begun[0], part.data, part.line, part.t)
    except FullError as error:
        loss = Loss(1, str(error))
    except StreamError as error:
        loss = Loss(error.line, str(error))
    for wire in every:
        wire.finish()
    sockets = [item.socket("stream in hexadecimal", _RESOLUTION_S, path, loss) for item in wires.conversations]
    return choose(sockets, connection, path or "the capture", loss, _NOTHING)


def _parts(stream: BufferedReader) -> Iterator[_Part]:
    """Yield each row of bytes with the way that the line above it names."""
    heading: _Part | None = None
    of_curl: _Curl | None = None
    upgraded = False
    for number, line in numbered_lines(stream):
        if line is None:
            continue
        found = _HEADING.match(line) if line[:1].strip() else None
        is_end = found is not None or _OF_OTHERS.match(line) is not None
        if is_end and heading is not None and of_curl is not None and (rest := of_curl.end()):
            yield heading._replace(data=rest, line=number)
        if found is not None:
            heading = _heading_of(found, number)
            of_curl = _Curl(found["what"] == b"header") if found["what"] else None
        elif is_end:
            heading = None
        elif heading is not None:
            data = _bytes_of(line) if of_curl is None else of_curl.bytes_of(line, upgraded)
            upgraded |= data.startswith(_UPGRADED)
            if data:
                yield heading._replace(data=data, line=number)
                heading = heading._replace(is_first=False)
    if heading is not None and of_curl is not None and (rest := of_curl.end()):
        yield heading._replace(data=rest)


class _Curl:
    """Takes the bytes out of the rows below one line of a trace of curl.

    Args:
        is_head: They are of a head, of which each row is a line; a longer one goes on at the next offset.
    """

    def __init__(self, is_head: bool) -> None:
        self._is_head = is_head
        self._end: int | None = None  # of the text so far

    def bytes_of(self, line: bytes, upgraded: bool) -> bytes:
        """Return the bytes of a row; none of a text in which they cannot be told, since frames follow the handshake."""
        found = _OF_CURL.match(line.rstrip(b"\r"))
        if found is None:
            return b""
        if found["pairs"]:
            return bytes.fromhex(found["pairs"].decode("ascii"))
        if not self._is_head:
            return b"" if upgraded else found["text"]
        offset = int(found["offset"], 16)
        between = b"\r\n" if self._end is not None and offset != self._end else b""
        self._end = offset + len(found["text"])
        return between + found["text"]

    def end(self) -> bytes:
        """Return what ends them."""
        return b"\r\n" if self._end is not None else b""


def _heads_in(head: bytes) -> list[_Part]:
    """What a program printed of a request and its answer, where they stand as they are or in a literal of Python."""
    found = _HEADS.match(head)
    if found is not None:
        request, answer, body = found.groups()
    else:
        sent, reply = _SENT_LITERAL.search(head), _REPLY.search(head)
        if sent is None or reply is None:
            return []
        request = log_line.literal(sent[1].decode("latin-1")).encode("latin-1", errors="replace").rstrip()
        answer = reply[1].rstrip() + b"\n" + reply[2].replace(b"header: ", b"")
        body = _STATUS.sub(b"", reply[3], count=1)
    whole = _as_sent(answer) + (b"" if answer.startswith(_UPGRADED) else body)
    return [
        _Part(b"client", b"server", True, _as_sent(request), 1, None),
        _Part(b"server", b"client", False, whole, 1, None),
    ]


def _as_sent(head: bytes) -> bytes:
    lines = (line.strip() for line in head.split(b"\n"))
    return b"\r\n".join(line for line in lines if line) + b"\r\n\r\n"


def _heading_of(found: re.Match[bytes], line: int) -> _Part:
    if found["way"]:
        ends = (b"client", b"server") if found["way"] == b">" else (b"server", b"client")
        part = found["part"] or b"0"
        if len(part) == 9 and part.startswith(b"000"):  # microseconds, with zeros before them
            part = part[3:]
        return _Part(*ends, int(found["begin"]) == 0, b"", line, _time_of(found["at"] + b"." + part))
    if found["arrow"]:
        ends = (b"client", b"server") if found["arrow"] == b"=>" else (b"server", b"client")
        return _Part(*ends, False, b"", line, _time_of(found["clock"]))
    if found["of"]:
        return _Part(found["of"], found["to"], False, b"", line, _time_of(found["when"]))
    return _Part(found["source"], found["target"], False, b"", line, None)


def _time_of(text: bytes | None) -> float | None:
    stamp = log_line.stamp_of(text.decode("ascii")) if text else None
    return stamp.seconds if stamp is not None else None


def _bytes_of(line: bytes) -> bytes:
    found = _ROW.match(line)
    if found is not None:
        return bytes.fromhex((found["pairs"] or found["fours"]).decode("ascii"))
    return bytes.fromhex(line.decode("ascii")) if _LONG_ROW.match(line) is not None else b""
