"""What a line of a log that is read has in it, whichever library wrote it: told by its message, whatever stands round it."""

import re

LIBRARY = (
    rb"[<>=WC](?: (?:(?:TEXT|BINARY|CONT|CLOSE|PING|PONG|GET) |HTTP/1|connection is %s)"
    rb"|ebSocket (?:message: |API|connection: HTTP )|onnecting to ws)"
)
"""Of `websockets` and of the Cartesia SDK. It begins with one character of a few, for which a search is quick."""

TRACE = rb"\+\+(?:Sent|Rcv) decoded: fin=|--- (?:request|response) header ---"
"""Of `websocket-client`."""

PIPECAT = rb"Cartesia Ink-2 ASR(?: connected \(|: wss?://| turn\.| error \[)"
"""Of pipecat's service for turns."""

ANY = re.compile(LIBRARY % b"" + rb"|" + TRACE + rb"|" + PIPECAT)
"""Any of them."""
