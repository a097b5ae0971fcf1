"""What a session looks like while it runs: seconds of audio, backlog and the open turn, from its rows. No I/O."""

from urllib.parse import parse_qs, urlsplit

from sttdoctor.encodings import ENCODINGS, meant_by
from sttdoctor.live.recording import Row

_DRAIN_SPEED = 1.1  # as in the checks: a clock that drifts never fills the bucket


class Meter:
    """Watches the rows of one session.

    Attributes:
        sent: Bytes of audio so far.
        audio_s: Seconds of audio so far as declared, None without a declaration.
        turn: The text of the open turn so far, None where no turn is open.
        ends: The final texts so far: of each `turn.end`, or of each final `transcript` of the manual endpoint.
        t: Seconds of the last row.
    """

    def __init__(self, url: str) -> None:
        self.sent = 0
        self.turn: str | None = None
        self.ends: list[str] = []
        self.t = 0.0
        self._bytes_per_s = _declared(url)
        self._waiting_s = 0.0
        self._filled_t = 0.0

    @property
    def audio_s(self) -> float | None:
        """Seconds of audio so far as declared, None without a declaration."""
        return self.sent / self._bytes_per_s if self._bytes_per_s else None

    def backlog_s(self, t: float) -> float:
        """Return the seconds of audio that wait at the service at a time: a bucket emptied at 1.1 times realtime."""
        return max(0.0, self._waiting_s - _DRAIN_SPEED * (t - self._filled_t))

    def see(self, row: Row) -> None:
        """Take the next row."""
        self.t = row.get("t", 0.0)
        if row["type"] == "send" and (size := _size(row)):
            self.sent += size
            self._waiting_s = self.backlog_s(self.t) + (size / self._bytes_per_s if self._bytes_per_s else 0.0)
            self._filled_t = self.t
        elif row["type"] == "receive" and isinstance(event := row.get("json"), dict):
            self._hear(event.get("type"), event.get("transcript"))
            if event.get("type") == "transcript" and event.get("is_final") is True:
                self.ends.append(str(event.get("text", "")))

    def _hear(self, kind: object, transcript: object) -> None:
        if kind == "turn.start":
            self.turn = ""
        elif kind == "turn.end":
            self.turn = None
            self.ends.append(transcript if isinstance(transcript, str) else "")
        elif self.turn is not None and isinstance(transcript, str):
            self.turn = transcript


def _size(row: Row) -> int:
    audio: str | None = row.get("audio")
    if audio is None:
        return int(row.get("bytes", 0))
    return len(audio) // 4 * 3 - audio.count("=", -2)


def _declared(url: str) -> float:
    """Return the declared bytes a second, 0 where the declaration is missing or makes no sense."""
    query = parse_qs(urlsplit(url).query, max_num_fields=1000)
    encoding, rate = meant_by(query.get("encoding", [None])[0]), query.get("sample_rate", [""])[0]
    plain = rate.isascii() and rate.isdigit() and len(rate) < 8
    return float(ENCODINGS[encoding].width * int(rate)) if encoding and plain else 0.0
