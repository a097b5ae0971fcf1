"""A WebSocket out of the bytes of its TCP connection, in order: the handshake, then the frames of both directions.

Whoever has the bytes (a packet capture, a net log of a browser) feeds them with their times. No I/O.
"""

from collections.abc import Callable

from sttdoctor.evidence import Control, Event, Frame
from sttdoctor.readers.collector import CONNECTION_BYTES, Budget, Collector, json_cost
from sttdoctor.readers.conversation import Conversation
from sttdoctor.readers.frames import text_frame
from sttdoctor.readers.sockets import Wanted, is_wanted
from sttdoctor.readers.stream import FREE_BYTES, MAX_RATIO
from sttdoctor.readers.wire.http_head import END, BadHeadError, Head, body_of, read_agreement
from sttdoctor.readers.wire.tap import MAX_TEXT_BYTES, Beat, Closing, Item, Message, Room, Tap

MAX_REQUEST_BYTES = 16 << 10
"""Of the head of a request; what is longer is none of a WebSocket."""

_MAX_EARLY_BYTES = 1 << 20  # from the client before the handshake is answered
_MAX_ANSWER_BYTES = 64 << 10  # of the head and of the body of a refusal
_LOST = 1006


class Wires:
    """The connections of one capture.

    Args:
        wanted: Which WebSocket is asked for, from 1; those that are not are only counted.

    Attributes:
        conversations: The WebSockets so far, in the order of their requests.
    """

    def __init__(self, wanted: Wanted) -> None:
        self.conversations: list[Conversation] = []
        self._wanted = wanted
        self._budget = Budget()
        self._room = Room()

    def begin(self, is_secure: bool = False) -> "Wire":
        """Return what reads one more connection; `is_secure`: its bytes were decrypted."""
        return Wire(self._register, is_secure, self._room)

    def _register(self, line: int) -> Conversation:
        self._budget.take(CONNECTION_BYTES)
        found = Collector(self._budget, is_wanted(self._wanted, len(self.conversations) + 1))
        self.conversations.append(Conversation(found, line))
        return self.conversations[-1]


class Wire:
    """Reads one connection.

    Args:
        register: Makes the conversation of a WebSocket that begins at a line of the capture; raises FullError.
        is_secure: Whether the bytes were decrypted.
        room: What messages of all connections may hold that are still coming.

    Attributes:
        conversation: What was found, None where no WebSocket began.
        is_done: Nothing more is to be learned from it.
    """

    def __init__(self, register: Callable[[int], Conversation], is_secure: bool, room: Room) -> None:
        self.conversation: Conversation | None = None
        self.is_done = False
        self._register = register
        self._scheme = "wss" if is_secure else "ws"
        self._room = room
        self._taps: tuple[Tap, Tap] | None = None
        self._sent, self._received = bytearray(), bytearray()
        self._sent_line = 0
        self._sent_t: float | None = None
        self._refusal: tuple[Head, int, float | None] | None = None
        self._end: tuple[int, float | None, str] | None = None
        self._raw = self._unpacked = 0
        self._tunnels = False

    def feed(self, sent: bool, data: bytes, line: int, t: float | None) -> None:
        """Take the next bytes of one direction.

        Args:
            sent: From client to server.
            data: The bytes.
            line: Where they stand in the capture.
            t: When, in seconds since the epoch; None where that is not known.

        Raises:
            FullError: Nothing more can be held.
        """
        if self.is_done:
            return
        if self._taps is not None:
            self._read_frames(sent, data, line, t)
        elif sent:
            self._sent += data
            self._sent_line, self._sent_t = line, t
            self._read_request(line, t)
        else:
            self._received += data
            self._read_answer(line, t)

    def end(self, by: str, line: int, t: float | None) -> None:
        """Note that a side (`client`, `server` or `unknown`) ended the TCP connection; the first one counts."""
        self._end = self._end or (line, t, by)

    def lose(self, line: int, what: str) -> None:
        """Forget what stands behind a line, and read no further: what is missing there cannot be told from silence."""
        if self.conversation is not None and self.conversation.loss is None:
            self.conversation.lose(line, what)
        self._stop()

    def finish(self) -> None:
        """Nothing more comes: tell the refusal or the loss that it was."""
        conversation = self.conversation
        if conversation is not None and self._refusal is not None:
            head, line, t = self._refusal
            body = body_of(head, bytes(self._received))
            conversation.answer(line, self._time(line, t), head.status, head.headers(), body)
        elif conversation is not None and conversation.loss is None and self._end is not None:
            line, t, by = self._end
            conversation.close(line, self._time(line, t), by, _LOST)
        self._stop()

    def _stop(self) -> None:
        for tap in self._taps or ():
            tap.close()
        self._sent, self._received = bytearray(), bytearray()
        self.is_done = True

    def _read_request(self, line: int, t: float | None) -> None:
        """Read the request where it is complete; the connection is given up where it is none."""
        if self.conversation is None and not self._tunnels:
            end = self._sent.find(END)
            if end < 0 and len(self._sent) <= MAX_REQUEST_BYTES and _may_ask(self._sent):
                return
            try:
                head = Head.parse(bytes(self._sent[: max(end, 0)]))
            except BadHeadError:
                self._stop()
                return
            del self._sent[: end + len(END)]
            self._take_request(head, line, t)
        if len(self._sent) > _MAX_EARLY_BYTES:
            self.lose(line, "more than a megabyte was sent before the handshake was answered")

    def _take_request(self, head: Head, line: int, t: float | None) -> None:
        method, _, rest = head.start.partition(" ")
        if method == "CONNECT":
            self._tunnels = True
        elif method == "GET" and head.upgrades:
            self.conversation = self._register(line)
            target = rest.rpartition(" ")[0]
            if target.lower().startswith(("http://", "https://")):  # as a client asks a proxy
                url = f"{self._scheme}://{target.partition('://')[2]}"
            else:
                url = f"{self._scheme}://{head.get('host')}{target}"
            self.conversation.ask(url, head.headers(), self._time(line, t))
            self._read_answer(line, t)  # of packets that were captured out of order
        else:
            self._stop()

    def _read_answer(self, line: int, t: float | None) -> None:
        if self._refusal is not None:
            del self._received[_MAX_ANSWER_BYTES:]
            return
        asked = self.conversation is not None or self._tunnels
        while asked and (end := self._received.find(END)) >= 0:
            try:
                head = Head.parse(bytes(self._received[:end]))
                status = head.status
            except BadHeadError as error:
                self.lose(line, f"the answer to the handshake cannot be read: {error}")
                return
            del self._received[: end + len(END)]
            if self._tunnels:
                self._tunnels = False
                if not 200 <= status < 300:
                    self._stop()
                return
            if status == 101 or status >= 200:
                self._take_answer(head, status, line, t)
                return
        if len(self._received) > _MAX_ANSWER_BYTES:
            self.lose(line, "the answer to the handshake has no end")

    def _take_answer(self, head: Head, status: int, line: int, t: float | None) -> None:
        assert self.conversation is not None
        if status != 101:
            self._refusal = head, line, t
            return
        self.conversation.answer(line, self._time(line, t), status, head.headers(), None)
        packed = read_agreement(head)
        self._taps = (
            Tap(packed.to_client, room=self._room, beats=True),
            Tap(packed.to_server, room=self._room, beats=True),
        )
        early, rest = bytes(self._sent), bytes(self._received)
        self._sent, self._received = bytearray(), bytearray()
        self._read_frames(True, early, self._sent_line, self._sent_t)
        self._read_frames(False, rest, line, t)

    def _read_frames(self, sent: bool, data: bytes, line: int, t: float | None) -> None:
        if self._taps is None or not data:
            return
        self._raw += len(data)
        for item in self._taps[sent].feed(data):
            self._note(sent, item, line, self._time(line, t))
        if self._unpacked > FREE_BYTES + MAX_RATIO * self._raw:
            self.lose(line, f"its messages unpack to more than {MAX_RATIO} times their size")

    def _note(self, sent: bool, item: Item, line: int, t: float | None) -> None:
        conversation = self.conversation
        assert conversation is not None
        if isinstance(item, Closing):
            conversation.close(line, t, "client" if sent else "server", item.code, item.reason)
            return
        try:
            event, cost = _event(sent, item, line, t)
        except ValueError as error:
            conversation.found.damage(line, str(error))
            return
        if isinstance(item, Message):
            self._unpacked += len(item.content or b"")
        conversation.found.add(event, cost)

    def _time(self, line: int, t: float | None) -> float | None:
        assert self.conversation is not None
        if t is None:
            return None
        if t >= 0 and self.conversation.found.is_time(t):
            return t
        self.conversation.found.damage(line, "a time out of range")
        return None


def _may_ask(begun: bytearray) -> bool:
    return begun.startswith((b"GET ", b"CONNECT ")) or len(begun) < len(b"CONNECT ")


def _event(sent: bool, item: Message | Beat, line: int, t: float | None) -> tuple[Event, int]:
    """Return what a message is, and what it costs beside its audio."""
    if isinstance(item, Beat):
        return Control(line, t, sent, item.kind), 0
    content = item.content
    if item.binary:
        return Frame(line, t, sent, item.size, binary=True, content=content if sent else None), 0
    if content is None or len(content) > MAX_TEXT_BYTES:
        return Frame(line, t, sent, item.size, text="", elided=True), 0
    return text_frame(line, t, sent, content.decode(errors="replace")), json_cost(content)
