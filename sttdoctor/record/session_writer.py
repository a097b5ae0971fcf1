"""Reading along: from the bytes that pass between client and service to the rows of a session. No network."""

from collections.abc import Callable

from sttdoctor.readers.wire.http_head import END, MAX_HEAD_BYTES, BadHeadError, Head, body_of, read_agreement
from sttdoctor.readers.wire.tap import Closing, Item, Message, Room, Tap
from sttdoctor.record.journal import Journal

MAX_BODY_BYTES = 64 << 10  # of a refusal, that is recorded
MAX_EARLY_BYTES = 1 << 20  # from the client before the handshake is answered

Take = Callable[[bytes, float], None]


class SessionWriter:
    """Reads one connection, from behind the client's request on.

    Args:
        journal: Takes what happens.
        tell: Takes a sentence about what went wrong.
        room: What messages may hold that are still coming.

    Attributes:
        from_client: Takes the next bytes of the client, and when they came (on the clock of `time.monotonic`).
        from_server: The same of the service.
    """

    def __init__(self, journal: Journal, tell: Callable[[str], None], room: Room) -> None:
        self.from_client: Take = self._take_early
        self.from_server: Take = self._take_answer
        self._journal = journal
        self._tell = tell
        self._room = room
        self._taps: tuple[Tap, ...] = ()
        self._early = bytearray()
        self._early_t = 0.0
        self._answer = bytearray()
        self._refusal: tuple[Head, float] | None = None
        self._closing: tuple[str, Closing, float] | None = None

    @property
    def is_closing(self) -> bool:
        """Whether a side has sent a close frame."""
        return self._closing is not None

    def end(self, gone: str | None, at: float) -> None:
        """Write what is known about the end.

        Args:
            gone: The side that was gone first (`client`, `server` or `unknown`), where none sent a close frame; None
                where neither was, because the proxy stops.
            at: When.
        """
        self._note_refusal()
        if self._closing is not None:
            by, closing, closed_at = self._closing
            self._journal.recording.closed(by, closing.code, closing.reason, closed_at)
        elif self._journal.status in (None, 101) and gone is not None:
            self._journal.recording.closed(gone, 1006, at=at)

    def close(self) -> None:
        """Leave the room to others."""
        for tap in self._taps:
            tap.close()

    def _take_early(self, data: bytes, at: float) -> None:
        self._early += data
        self._early_t = at
        if len(self._early) > MAX_EARLY_BYTES:
            self._tell("a client sends much before the handshake is answered; what it sends is not recorded")
            self._early = bytearray()
            self.from_client = _ignore

    def _take_answer(self, data: bytes, at: float) -> None:
        searched = max(0, len(self._answer) - len(END) + 1)
        self._answer += data
        while (end := self._answer.find(END, searched)) >= 0:
            try:
                head = Head.parse(bytes(self._answer[:end]))
                status = head.status
            except BadHeadError as error:
                self._give_up(str(error))
                return
            del self._answer[: end + len(END)]
            searched = 0
            if status == 101:
                self._note_upgrade(head, at)
                return
            if status >= 200:
                self._refusal = head, at
                self.from_client, self.from_server = _ignore, self._take_body
                self._take_body(b"", at)
                return
        if len(self._answer) > MAX_HEAD_BYTES:
            self._give_up("it has no end")

    def _give_up(self, why: str) -> None:
        self._tell(f"the answer to the handshake cannot be read: {why}")
        self._answer, self._early = bytearray(), bytearray()
        self.from_server = self.from_client = _ignore

    def _note_upgrade(self, head: Head, at: float) -> None:
        self._journal.recording.opened(101, head.headers(), at=at)
        packed = read_agreement(head)
        to_server, to_client = Tap(packed.to_server, room=self._room), Tap(packed.to_client, room=self._room)
        self._taps = to_server, to_client
        if self.from_client != _ignore:
            self.from_client = lambda data, at: self._note(True, to_server.feed(data), at)
        self.from_server = lambda data, at: self._note(False, to_client.feed(data), at)
        self.from_client(bytes(self._early), self._early_t)
        self.from_server(bytes(self._answer), at)
        self._early, self._answer = bytearray(), bytearray()

    def _take_body(self, data: bytes, _at: float) -> None:
        self._answer += data
        del self._answer[MAX_BODY_BYTES:]
        if self._refusal is not None and self._refusal[0].get("content-length") == str(len(self._answer)):
            self._note_refusal()

    def _note_refusal(self) -> None:
        if self._refusal is not None and self._journal.status is None:
            head, at = self._refusal
            self._journal.recording.opened(head.status, head.headers(), body_of(head, bytes(self._answer)), at)

    def _note(self, sent: bool, items: list[Item], at: float) -> None:
        for item in items:
            if isinstance(item, Closing):
                if self._closing is None:
                    self._closing = "client" if sent else "server", item, at
            elif not isinstance(item, Message):
                continue
            elif item.content is None:
                self._journal.recording.left_out(sent, item.binary, item.size, at)
            else:
                content = item.content if item.binary else item.content.decode(errors="replace")
                self._journal.recording.message(sent, content, at)


def _ignore(_data: bytes, _at: float) -> None:
    pass
