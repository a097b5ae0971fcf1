"""What a session looks like while it runs: seconds of audio, backlog and the open turn, from its rows. No I/O."""

from urllib.parse import parse_qs, urlsplit

from sttdoctor.encodings import ENCODINGS, meant_by
from sttdoctor.record.recording import Row
from sttdoctor.values import immutable

_DRAIN_SPEED = 1.1  # as in the checks: a clock that drifts never fills the bucket


_SHOWN = 200  # characters of the open turn, from its end


@immutable
class Glance:
    """What a session looks like at one moment.

    Attributes:
        sent: Bytes of audio so far.
        audio_s: Seconds of audio so far as declared, None without a declaration.
        turn: The end of the text of the open turn, None where no turn is open.
        waiting_s: Seconds of audio that waited at the service when audio last came.
        filled_t: When that was.
    """

    sent: int = 0
    audio_s: float | None = None
    turn: str | None = None
    waiting_s: float = 0.0
    filled_t: float = 0.0

    def backlog_s(self, t: float) -> float:
        """Return the seconds of audio that wait at the service at a time: a bucket emptied at 1.1 times realtime."""
        return max(0.0, self.waiting_s - _DRAIN_SPEED * (t - self.filled_t))


class Meter:
    """Watches the rows of one session.

    Args:
        url: Of the session.
        ends: Takes the final texts: of each `turn.end`, or of each final `transcript` of the manual endpoint.

    Attributes:
        sent: Bytes of audio so far.
        audio_s: Seconds of audio so far as declared, None without a declaration.
        turn: The end of the text of the open turn so far, None where no turn is open.
        t: Seconds of the last row.
    """

    def __init__(self, url: str, ends: list[str] | None = None) -> None:
        self.sent = 0
        self.turn: str | None = None
        self._ends = ends
        self.t = 0.0
        self._bytes_per_s = _read_declared(url)
        self._waiting_s = 0.0
        self._filled_t = 0.0

    @property
    def audio_s(self) -> float | None:
        """Seconds of audio so far as declared, None without a declaration."""
        return self.sent / self._bytes_per_s if self._bytes_per_s else None

    def backlog_s(self, t: float) -> float:
        """Return the seconds of audio that wait at the service at a time, as `Glance` has it."""
        return self.glance().backlog_s(t)

    def glance(self) -> Glance:
        """Return how the session looks now."""
        return Glance(self.sent, self.audio_s, self.turn, self._waiting_s, self._filled_t)

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
                self._end(event.get("text"))

    def _hear(self, kind: object, transcript: object) -> None:
        if kind == "turn.start":
            self.turn = ""
        elif kind == "turn.end":
            self.turn = None
            self._end(transcript)
        elif self.turn is not None and isinstance(transcript, str):
            self.turn = transcript[-_SHOWN:]

    def _end(self, text: object) -> None:
        if self._ends is not None:
            self._ends.append(text if isinstance(text, str) else "")


def _size(row: Row) -> int:
    audio: str | None = row.get("audio")
    if audio is None:
        return int(row.get("bytes", 0))
    return len(audio) // 4 * 3 - audio.count("=", -2)


def _read_declared(url: str) -> float:
    """Return the declared bytes a second, 0 where the declaration is missing or makes no sense."""
    query = parse_qs(urlsplit(url).query, max_num_fields=1000)
    encoding, rate = meant_by(query.get("encoding", [None])[0]), query.get("sample_rate", [""])[0]
    plain = rate.isascii() and rate.isdigit() and len(rate) < 8
    return float(ENCODINGS[encoding].width * int(rate)) if encoding and plain else 0.0
