"""What is no capture is named, with the one thing that gives a capture."""

import pytest
from common import FIXTURES
from dresses import DRESSES

from sttdoctor.errors import InputError
from sttdoctor.readers import read_capture

FILES = {
    "WAV": b"RIFF\x24\x00\x00\x00WAVEfmt ",
    "FLAC": b"fLaC\x00\x00\x00\x22",
    "MPEG-4 file": b"\x00\x00\x00\x20ftypisom",
    "MPEG-4 audio": b"\x00\x00\x00\x20ftypM4A ",
    "WebM": b"\x1aE\xdf\xa3\x01\x00",
    "PDF": b"%PDF-1.7\n",
    "picture": b"\x89PNG\r\n\x1a\n",
    "packed": b"7z\xbc\xaf\x27\x1c\x00\x04",
    "archive": bytes(257) + b"ustar\x0000" + bytes(200),
    "web page": b"<!DOCTYPE html><html></html>",
    "Burp": b'<?xml version="1.0"?>\n<!DOCTYPE items [\n<!ELEMENT items (item*)>\n]>\n<items burpVersion="2026.1">',
    "XML": b'<?xml version="1.0"?><session/>',
    "collection": b'{"info": {"name": "x", "schema": "https://schema.getpostman.com/json/collection/v2.1.0"}}',
}
LOGS = {
    "aiohttp": "2026-11-29 21:14:20,889 aiohttp.client DEBUG hello",
    "asyncio": "2026-11-29 21:14:20,889 asyncio DEBUG Using selector: EpollSelector",
    "livekit-agents": "21:21:17,696 livekit.plugins.cartesia DEBUG Established new Cartesia STT WebSocket connection",
    "websocket-client": "2026-11-29 21:21:17,696 websocket INFO Websocket connected",
    "pipecat": "21:21:17.696 | INFO | pipecat.services.cartesia:x:1 - Cartesia Ink-2 ASR connected (request_id=1)",
    "websockets above DEBUG": "INFO:websockets.client:hello",
    "Node": "HTTP 15023: outgoing message end.",
    "tungstenite": "[TRACE tungstenite::protocol] Frames still in queue: 0",
    "OkHttp": "okhttp.OkHttpClient: <-- 101 Switching Protocols wss://api.cartesia.ai/ (80ms)",
    "CFNetwork": "Task <1>.<1> [CFNetwork:Summary] response_status=101",
    "Wireshark": "   12 0.5 127.0.0.1 127.0.0.1 WebSocket 90 WebSocket Binary [FIN] [MASKED]",
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_named_for_what_it_is(name):
    with pytest.raises(InputError, match=f"is an? .*{name}.*; "):
        read_capture(FILES[name])


@pytest.mark.parametrize("name", LOGS)
def test_a_log_without_frames_is_named_with_what_gives_a_capture(name):
    with pytest.raises(InputError, match=f"{name}.*; (?:record with|log at|call|save)"):
        read_capture(f"app started\n{LOGS[name]}\n".encode())


@pytest.mark.parametrize("dress", ["docker", "cloudwatch", "utf-16", "table"])
def test_it_is_named_in_any_dress(dress):
    lines = [(float(number), line) for number, line in enumerate(("app started", LOGS["aiohttp"], "x", "y"))]
    with pytest.raises(InputError, match="aiohttp"):
        read_capture(DRESSES[dress](lines))


def test_what_is_nothing_known_keeps_the_general_sentence():
    with pytest.raises(InputError, match="is not a session capture"):
        read_capture(b"hello\nworld\n")


def test_an_audio_file_of_the_fixtures_is_named():
    with pytest.raises(InputError, match="FLAC"):
        read_capture(FIXTURES / "source" / "mary.flac")
