"""Reading along: from the bytes that pass between client and service to the rows of a session. No network."""

import time
from collections.abc import Callable

from sttdoctor.live.http_head import END, BadHeadError, Head, agreed, body_of
from sttdoctor.live.journal import Journal
from sttdoctor.live.tap import Closing, Message, Tap

MAX_BODY_BYTES = 64 << 10  # of a refusal, that is recorded
MAX_EARLY_BYTES = 1 << 20  # from the client before the handshake is answered

Take = Callable[[bytes], None]


class Along:
    """Reads one connection, from behind the client's request on.

    Args:
        journal: Takes what happens.
        tell: Takes a sentence about what went wrong.

    Attributes:
        from_client: Takes the next bytes of the client.
        from_server: Takes the next bytes of the service.
    """

    def __init__(self, journal: Journal, tell: Callable[[str], None]) -> None:
        self.from_client: Take = self._take_early
        self.from_server: Take = self._take_answer
        self._journal = journal
        self._tell = tell
        self._early = bytearray()
        self._answer = bytearray()
        self._refusal: tuple[Head, float] | None = None
        self._closing: tuple[str, Closing, float] | None = None

    def end(self, gone: str | None) -> None:
        """Write what is known about the end.

        Args:
            gone: The side that was gone first (`client`, `server` or `unknown`), where none sent a close frame; None
                where neither was, because the proxy stops.
        """
        self._note_refusal()
        if self._closing is not None:
            by, closing, at = self._closing
            self._journal.recording.closed(by, closing.code, closing.reason, at)
        elif self._journal.status in (None, 101) and gone is not None:
            self._journal.recording.closed(gone, 1006)

    def _take_early(self, data: bytes) -> None:
        if len(self._early) < MAX_EARLY_BYTES:
            self._early += data

    def _take_answer(self, data: bytes) -> None:
        self._answer += data
        while (end := self._answer.find(END)) >= 0:
            try:
                head = Head.parse(bytes(self._answer[:end]))
                status = head.status
            except BadHeadError as error:
                self._tell(f"the answer to the handshake cannot be read: {error}")
                self.from_server = _ignore
                return
            del self._answer[: end + len(END)]
            if status == 101:
                self._upgraded(head)
                return
            if status >= 200:
                self._refusal = head, time.monotonic()
                self.from_server = self._take_body
                self._take_body(b"")
                return

    def _upgraded(self, head: Head) -> None:
        self._journal.recording.opened(101, head.headers())
        packed = agreed(head)
        to_server, to_client = Tap(packed.to_server), Tap(packed.to_client)
        self.from_client = lambda data: self._note(True, to_server.feed(data))
        self.from_server = lambda data: self._note(False, to_client.feed(data))
        self.from_client(bytes(self._early))
        self.from_server(bytes(self._answer))
        self._early, self._answer = bytearray(), bytearray()

    def _take_body(self, data: bytes) -> None:
        self._answer += data
        del self._answer[MAX_BODY_BYTES:]
        if self._refusal is not None and self._refusal[0].get("content-length") == str(len(self._answer)):
            self._note_refusal()

    def _note_refusal(self) -> None:
        if self._refusal is not None and self._journal.status is None:
            head, at = self._refusal
            self._journal.recording.opened(head.status, head.headers(), body_of(head, bytes(self._answer)), at)

    def _note(self, sent: bool, items: list[Message | Closing]) -> None:
        for item in items:
            if isinstance(item, Closing):
                if self._closing is None:
                    self._closing = "client" if sent else "server", item, time.monotonic()
            elif item.content is None:
                self._journal.recording.left_out(sent, item.binary, item.size)
            else:
                content = item.content if item.binary else item.content.decode(errors="replace")
                self._journal.recording.message(sent, content)


def _ignore(_data: bytes) -> None:
    pass
