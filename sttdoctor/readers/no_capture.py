"""What a file is that is no capture, and what gives one: told by its first bytes, once nothing in it could be read."""

import re

from sttdoctor.errors import InputError
from sttdoctor.readers.logs.wrapping import wrapping_of

RECORD = "record with sttdoctor record: the client connects to it instead of the service, and nothing else changes"

_CHECK = "sttdoctor check reads audio, if it is headerless"
_NO_SOUND = "it shows what was on a screen, not what was sent"
_ITSELF = "send the log or the HAR itself"
_BURP = rb"\s*(?:<\?xml[^>]{0,200}\?>\s*)?(?:<!DOCTYPE items.{0,2000})?<items burpVersion"
_NODE = rb"^(?:NET|HTTP|TLS|STREAM|FETCH|UNDICI|WEBSOCKET) \d+: "
_REQUESTS = rb"\s*\{\s*\"(?:info|_type|collection)\":.{0,4000}(?:postman|insomnia)"

_SIGNATURES: tuple[tuple[re.Pattern[bytes], str], ...] = tuple(
    (re.compile(pattern, re.DOTALL), f"{what}, no capture; {advice}")
    for pattern, what, advice in (
        (rb"RIFF.{4}WAVE", "a WAV file", _CHECK),
        (rb"FORM.{4}AIF", "an AIFF file", _CHECK),
        (rb"fLaC", "a FLAC file", _CHECK),
        (rb"OggS", "an Ogg file", _CHECK),
        (rb"ID3|\xff[\xfb\xf3\xf2]", "an MP3 file", _CHECK),
        (rb".{4}ftyp(?:M4A|M4B)", "an MPEG-4 audio file", _CHECK),
        (rb".{4}ftyp", "an MPEG-4 file", _NO_SOUND),
        (rb"\x1aE\xdf\xa3", "a WebM or Matroska file", _NO_SOUND),
        (rb"%PDF-", "a PDF file", _ITSELF),
        (rb"\x89PNG\r\n|\xff\xd8\xff|GIF8", "a picture", _ITSELF),
        (
            rb"7z\xbc\xaf\x27\x1c|Rar!|BZh|\xfd7zXZ|\x28\xb5\x2f\xfd",
            "a packed file",
            "give what is in it",
        ),
        (rb".{257}ustar", "an archive", "give the capture in it, or run sttdoctor triage, which reads archives"),
        (rb"SQLite format 3\x00", "a database", _ITSELF),
        (rb"\s*<(?:!DOCTYPE html|html)", "a web page", _ITSELF),
        (_BURP, "an export of Burp", RECORD),
        (rb"\s*<\?xml", "an XML file", RECORD),
        (_REQUESTS, "a collection of requests", RECORD),
    )
)

_LOGS: tuple[tuple[re.Pattern[bytes], str], ...] = tuple(
    (re.compile(pattern, re.MULTILINE), f"{what}; {advice}")
    for pattern, what, advice in (
        (
            rb"\bpipecat\.[a-z]",
            "a log of pipecat above DEBUG, which holds no events",
            "log at DEBUG, or at TRACE to have the updates and the sizes of what is sent",
        ),
        (rb"\blivekit\.(?:plugins|agents)\b", "a log of livekit-agents, which shows no frames at any level", RECORD),
        (
            rb"\bWebsocket connected\b| - goodbye\s*$|\bwebsocket (?:DEBUG|INFO|ERROR)\b",
            "a log of websocket-client without its trace",
            "call websocket.enableTrace(True) before it connects",
        ),
        (
            rb"\bwebsockets\.(?:client|server)\b|^connection (?:open|closed)\s*$",
            "a log of websockets above DEBUG, which holds no frames",
            "log at level DEBUG, with WEBSOCKETS_MAX_LOG_SIZE=10000000 to have the audio too",
        ),
        (rb"\baiohttp\.[a-z]", "a log of aiohttp, which shows no frames at any level", RECORD),
        (rb"\bUsing selector: \w+", "a log of asyncio, which shows no frames, and neither does aiohttp's", RECORD),
        (_NODE, "the debug output of Node, which shows no frames", RECORD),
        (
            rb"\btungstenite::",
            "a log of tungstenite above TRACE, which holds no frames",
            "log at TRACE (RUST_LOG=tungstenite=trace)",
        ),
        (rb"<-- 101 |--> GET wss?://\S", "a log of OkHttp's interceptor, which shows the handshake only", RECORD),
        (rb"\bSystem\.Net\.WebSockets\b", "a trace of .NET, which shows no frames", RECORD),
        (rb"\bCFNetwork\b|\bnw_(?:connection|protocol)_", "a log of Apple's CFNetwork, which shows no frames", RECORD),
        (
            rb"\bWebSocket (?:Text|Binary|Connection Close)\b",
            "the list of packets of Wireshark, which lacks what they hold",
            "save the packets themselves (pcapng)",
        ),
    )
)


class NoCaptureError(InputError):
    """Nothing in a file could be read."""


def describe(head: bytes) -> str | None:
    """Return what a file is that begins with these bytes, and what to do; None where it is nothing that is known."""
    wrapping = wrapping_of(head)
    signature = next((sentence for pattern, sentence in _SIGNATURES if pattern.match(head)), None)
    text = head if wrapping is None else wrapping.head
    return signature or next((sentence for pattern, sentence in _LOGS if pattern.search(text)), None)
