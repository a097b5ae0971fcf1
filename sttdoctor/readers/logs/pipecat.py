"""The log of pipecat's Cartesia service for turns, at DEBUG or TRACE.

At DEBUG it holds the URL, the beginning and the end of each turn with its whole text, and the close command; TRACE adds
the updates, and every frame of audio that is handed to the service, with its size. Nothing tells how the connection was
closed, and `turn.eager_end` has no line of its own.
Source: https://github.com/pipecat-ai/pipecat/tree/main/src/pipecat/services/cartesia
"""

import json
import re
from typing import Any

from sttdoctor.readers.logs import line as log_line
from sttdoctor.readers.logs import marks as log_marks
from sttdoctor.readers.logs.base import Log
from sttdoctor.readers.logs.connection import LogConnection
from sttdoctor.readers.sockets import Wanted

SOURCE = "pipecat log"
CLIENT = "pipecat"

_NAME = r"Cartesia [\w.-]{1,20} ASR"
_CONNECT = re.compile(rf"\bConnecting to {_NAME}: (wss?://\S+)")
_CONNECTED = re.compile(rf"\b{_NAME} connected \(request_id=([^)\s]{{1,100}})\)")
_TURN = re.compile(rf"\b{_NAME} turn\.(start|update|end)\b(?:: (.*))?")
_ERROR = re.compile(rf"\b{_NAME} error \[([^\]]{{0,100}})\]: (.*)")
_CLOSING = re.compile(rf"\bSending close command to {_NAME}")
_SILENCE = re.compile(r"\bNo audio received for (\d{1,7}) ms\. Sending silence to Cartesia")
_AUDIO = re.compile(
    r"\bPushing \w{0,40}AudioRawFrame#\d{1,12}\([^)]{0,300} size: (\d{1,9}),[^)]{0,300}\)"
    r" downstream from \S{1,200} to Cartesia\w{0,40}STTService#"
)
_AGAIN = re.compile(r"\bCartesia\w{0,40}STTService#\d+ reconnecting, attempt \d")
_RATE = re.compile(r"[?&]sample_rate=(\d{1,6})\b")
_SAMPLE_BYTES = 2  # the service sends 16-bit audio only


class PipecatLog(Log):
    """Follows the connections that a log of pipecat tells of."""

    label = "pipecat at DEBUG"

    def __init__(self, wanted: Wanted) -> None:
        super().__init__(wanted)
        self.marks = re.compile(
            log_marks.PIPECAT + rb"|Sending close command to Cartesia|Sending silence to Cartesia|AudioRawFrame#\d"
            rb"|STTService#\d+ reconnecting|connection: HTTP "
        )
        self._current: LogConnection | None = None
        self._request: str | None = None
        self._rate = 0
        self._is_open = False
        self._again = False

    @staticmethod
    def knows(text: str) -> bool:
        """Whether a line is one that the service wrote at DEBUG or TRACE."""
        return _CONNECT.search(text) is not None or _TURN.search(text) is not None

    def _add(self, line: int, content: bytes) -> None:
        text = log_line.plain(content)
        if (found := _CONNECT.search(text)) is not None:
            self._begin(self._time(log_line.prefix_of(found)), found[1])
            return
        current = self._current
        if (found := _TURN.search(text)) is not None:
            current = current or self._begin(self._time(log_line.prefix_of(found)), None)
            said = {} if found[2] is None else {"transcript": found[2]}
            self._message(current, line, found, False, {"type": f"turn.{found[1]}", "request_id": self._request} | said)
        elif current is None:
            return
        elif (found := _CONNECTED.search(text)) is not None:
            self._request, self._is_open = found[1], True
            current.answered(line, self._time(log_line.prefix_of(found)), 101)
            self._message(current, line, found, False, {"type": "connected", "request_id": self._request})
        elif (found := _ERROR.search(text)) is not None:
            self._message(current, line, found, False, {"type": "error", "error_code": found[1], "message": found[2]})
        elif (found := log_line.REFUSED.search(text)) is not None:
            current.answered(line, self._time(log_line.prefix_of(found)), int(found[1]))
        elif _AGAIN.search(text) is not None:
            self._again = True
        else:
            self._add_sent(current, line, text)

    def _add_sent(self, current: LogConnection, line: int, text: str) -> None:
        if (found := _CLOSING.search(text)) is not None:
            self._message(current, line, found, True, {"type": "close"})
        elif not self._is_open:
            return
        elif (found := _AUDIO.search(text)) is not None:
            current.lacks.discard("send")
            current.binary(line, self._time(log_line.prefix_of(found)), True, int(found[1]), None)
        elif (found := _SILENCE.search(text)) is not None and "send" not in current.lacks:
            size = self._rate * int(found[1]) // 1000 * _SAMPLE_BYTES
            current.binary(line, self._time(log_line.prefix_of(found)), True, size, None)

    def _message(
        self, current: LogConnection, line: int, found: re.Match[str], sent: bool, message: dict[str, Any]
    ) -> None:
        text = json.dumps({key: value for key, value in message.items() if value is not None})
        current.text(line, self._time(log_line.prefix_of(found)), sent, text, len(text))

    def _begin(self, time: log_line.Time, url: str | None) -> LogConnection:
        self._request, self._is_open = None, False
        rate = _RATE.search(url or "")
        self._rate = int(rate[1]) if rate is not None else 0
        if self._again and self._current is not None:
            self._again = False
            self._current.again()
            return self._current
        found = self._collector(len(url or ""))
        self._current = LogConnection("client", time, None, url, found, source=SOURCE, client=CLIENT)
        self._current.lacks = {"send", "audio", "headers", "close"}
        self.connections.append(self._current)
        return self._current
