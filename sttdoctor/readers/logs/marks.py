"""What a line of a log has in it that one of the libraries wrote whose logs are read, whatever stands round it."""

import re

from sttdoctor.readers.logs.packed import PACKED

LIBRARY = (
    rb"[<>=WC](?: (?:(?:TEXT|BINARY|CONT|CLOSE|PING|PONG|GET) |HTTP/1|connection is %s)"
    rb"|ebSocket (?:message: |API|connection: HTTP )|onnecting to ws)"
)
"""Of `websockets` and of the Cartesia SDK. It begins with one character of a few, for which a search is quick."""

TRACE = rb"[-+ s](?:\+(?:Sent|Rcv) decoded: fin=|-- (?:request|response) header ---%s)"
"""Of `websocket-client`; likewise. More that begins so has room at its end."""

PIPECAT = rb"Cartesia [\w.-]{1,20} ASR(?: connected \(|: wss?://| turn\.| error \[)"
"""Of pipecat's service for turns."""

TUNGSTENITE = rb"<FRAME>"
"""Of tungstenite."""

EVENT = (
    rb"turn\.(?:start|update|eager_end|resume|end)\b|[Tt]urn(?:Start|Update|EagerEnd|Resume|End)\w{0,5} ?[({\[]"
    rb"|is_?[Ff]inal\b"
)
"""Of a program that prints the events it receives."""

_ERROR = rb"\bstatus_?[cC]ode\W"
"""Of one that prints the error that it received instead."""

EVENTS = re.compile(EVENT)
"""Likewise."""

TYPE = re.compile(rb"turn\.(?:start|update|eager_end|resume|end)")
"""The type of such an event."""

_LIBRARIES = b"|".join((LIBRARY % b"", TRACE % b"", PIPECAT, TUNGSTENITE))
LIBRARIES = re.compile(_LIBRARIES)
"""Of any library."""

ANY = re.compile(_LIBRARIES + b"|" + EVENT + b"|" + _ERROR + b"|" + PACKED)
"""Any of them."""
