"""What is no capture is named, with the one thing that gives a capture."""

import io
import json
import zipfile

import pytest
from common import FIXTURES
from dresses import DRESSES

from sttdoctor.errors import InputError
from sttdoctor.readers.capture import read_capture
from sttdoctor.readers.formats import FORMATS

EVENTS = b"".join(b'{"type": "turn.%s", "request_id": "a1", "transcript": "Hi."}' % kind for kind in (b"start", b"end"))
FILES = {
    "WAV": b"RIFF\x24\x00\x00\x00WAVEfmt ",
    "FLAC": b"fLaC\x00\x00\x00\x22",
    "MPEG-4 file": b"\x00\x00\x00\x20ftypisom",
    "MPEG-4 audio": b"\x00\x00\x00\x20ftypM4A ",
    "WebM": b"\x1aE\xdf\xa3\x01\x00",
    "PDF": b"%PDF-1.7\n",
    "picture": b"\x89PNG\r\n\x1a\n",
    "packed": b"7z\xbc\xaf\x27\x1c\x00\x04",
    "packets in base64": b"1MOyoQIABAAAAAAAAAAAAAAABAABAAAA",
    "zstd": b"\x28\xb5\x2f\xfd\x04\x00",
    "lz4": b"\x04\x22\x4d\x18\x64\x40",
    "packets of another tool": b"snoop\0\0\0\0\0\0\x02\0\0\0\x04" + b'{"type": "turn.end"}\n' * 4,
    "packet capture in hexadecimal": b"00000000: d4c3 b2a1 0200 0400 0000 0000 0000 0000  ................\n",
    "list of packets": b'<?xml version="1.0" encoding="utf-8"?>\n<psml version="0" creator="wireshark/4.0.17">',
    "archive": bytes(257) + b"ustar\x0000" + bytes(200),
    "web page": b"<!DOCTYPE html><html></html>",
    "Burp": b'<?xml version="1.0"?>\n<!DOCTYPE items [\n<!ELEMENT items (item*)>\n]>\n<items burpVersion="2026.1">',
    "XML": b'<?xml version="1.0"?><session/>',
    "AVI": b"RIFF\x24\x00\x00\x00AVI LIST",
    "QuickTime": b"\x00\x00\x00\x14ftypqt  ",
    "word processor": rb"{\rtf1\ansi log}" + b" " * 600,
    "Microsoft Office": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
    "SQLite": b"SQLite format 3\0" + bytes(600),
    "Parquet": b"PAR1\x15\x04\x15" + EVENTS,
    "Arrow": b"ARROW1\0\0" + EVENTS,
    "Avro": b"Obj\x01\x04\x16avro.schema" + EVENTS,
    "pickle": b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00]\x94(" + EVENTS,
    "BSON": b"\x50\x00\x00\x00\x07_id\x00" + EVENTS,
    "MessagePack": b"\x83\xa2ts\xcb\xa4data" + EVENTS,
    "CBOR": b"\xa2\x64type\x64data" + EVENTS,
    "event log of Windows": b"ElfFile\0" + bytes(600),
    "metrics of k6": b"metric_name,timestamp,metric_value,check\nws_msgs_sent,1795986895,1,\n",
    "Zeek": b"#separator \\x09\n#path\thttp\n",
    "session of Charles": b"<?xml version='1.0'?>\n<?charles serialisation-version='2.0' ?>\n<charles-session/>",
    "JMeter": b'<?xml version="1.0"?>\n<jmeterTestPlan version="1.2"/>',
    "lzma": b"\x5d\0\0\x80\0" + b"\xff" * 8 + b"\0x",
    "packed file in base64": b"H4sIAAAAAAAAA4vJ5OUCAAAAAAAAAAAA\n",
    "property list": b"bplist00" + bytes(40),
    "requests": b"type: collection.insomnia.rest/5.0\nname: Scratch\n",
    "Charles": b'[{"status":"COMPLETE","method":"GET","scheme":"https","webSocket":true}]',
    "Performance panel": b'{"metadata":{"source":"DevTools"},\n"traceEvents":[]}',
    "webrtc-internals": b'{"getUserMedia":[],"PeerConnections":{}}',
    "OpenTelemetry": b'{"resourceSpans":[{"resource":{}}]}',
    "TLS keys": b"# made by a browser\nCLIENT_RANDOM " + b"a" * 64 + b" " + b"b" * 96 + b"\n",
    "mail": b"Return-Path: <a@example.com>\nSubject: two\n lines\nMIME-Version: 1.0\n\nhello\n",
    "subtitles": b"1\r\n00:00:00,000 --> 00:00:02,000\r\nHello there.\r\n",
    "copied from a browser": b"curl 'wss://api.cartesia.ai/stt/turns/websocket' \\\n  -H 'Upgrade: websocket'\n",
    "collection of requests": b"meta {\n  name: stt\n  type: ws\n}\nws {\n  url: wss://api.cartesia.ai\n}\n",
    "a mail": b"From a@example.com Sun Nov 29 21:20:00 2026\nSubject: x\nMIME-Version: 1.0\n\nhello\n",
    "collection": b'{"info": {"name": "x", "schema": "https://schema.getpostman.com/json/collection/v2.1.0"}}',
}
LOGS = {
    "aiohttp": "2026-11-29 21:14:20,889 aiohttp.client DEBUG hello",
    "asyncio": "2026-11-29 21:14:20,889 asyncio DEBUG Using selector: EpollSelector",
    "livekit-agents": "21:21:17,696 livekit.plugins.cartesia DEBUG Established new Cartesia STT WebSocket connection",
    "trio-websocket": "2026-11-30 07:40:34,105 trio-websocket DEBUG client-0 sending 306 bytes",
    "Autobahn": "07:40:46,746 autobahn.asyncio.websocket.WebSocketClientProtocol DEBUG _connectionLost: None",
    "websocket-client": "2026-11-29 21:21:17,696 websocket INFO Websocket connected",
    "pipecat": "21:21:17.696 | INFO | pipecat.services.cartesia:x:1 - Cartesia Ink-2 ASR connected (request_id=1)",
    "websockets above DEBUG": "INFO:websockets.client:hello",
    "Node": "HTTP 15023: outgoing message end.",
    "tungstenite": "[TRACE tungstenite::protocol] Frames still in queue: 0",
    "OkHttp": "okhttp.OkHttpClient: <-- 101 Switching Protocols wss://api.cartesia.ai/ (80ms)",
    "CFNetwork": "Task <1>.<1> [CFNetwork:Summary] response_status=101",
    "the manual endpoint": "DEBUG | pipecat.services.cartesia.stt:x:1 - Connecting to Cartesia STT",
    "tcpdump": "06:43:31.031222 IP 127.0.0.1.48586 > 127.0.0.1.8766: Flags [P.], seq 1:78, ack 3, length 77",
    "ngrep": "interface: lo (127.0.0.0/255.0.0.0)",
    "mitmdump": "127.0.0.1:48586 <- WebSocket text message <- 127.0.0.1:8766/stt/turns/websocket?model=ink-2",
    "system calls": '1234 06:38:24.584 write(5, "\\202\\376"..., 3208) = 3208',
    "an access log": '{"level":"info","request":{"method":"GET","uri":"/stt"},"status":101}',
    "Firefox": "2026-11-30 19:20:15.057 UTC - [Parent 1: Main]: D/nsWebSocket WebSocketChannel::Close() 7f45",
    "picows": "2026-11-30 19:20:11,969 picows.client.6 INFO WS connection established",
    "list of connections": "TCP Conversations",
    "curl": "== Info: Connected to api.cartesia.ai",
    "wget": "--2026-11-30 22:13:17--  https://api.cartesia.ai/stt/turns/websocket",
    "wscat": "Connected (press CTRL+C to quit)",
    "websocat": "[INFO  websocat::ws_client_peer] Connected to ws",
    "requests": 'INFO:httpx:HTTP Request: GET https://a/ "HTTP/1.1 200 OK"',
    "browser": "WebSocket connection to 'wss://api.cartesia.ai/stt/turns/websocket' failed: ",
    "Twilio": '{"event":"media","media":{"payload":"f39/"},"streamSid":"MZ1"}',
    "with an event of the service": "received {'type': 'turn.update', 'transcript': 'Hello'}",
    "access log": '10.0.0.1 - - [30/Nov/2026:06:38:24 +0000] "GET /stt/turns/websocket HTTP/1.1" 101 4523',
    "error of a program": "Traceback (most recent call last):",
    "Wireshark": "   12 0.5 127.0.0.1 127.0.0.1 WebSocket 90 WebSocket Binary [FIN] [MASKED]",
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_named_for_what_it_is(name):
    with pytest.raises(InputError, match=f"is (?:an? )?.*{name}.*; "):
        read_capture(FILES[name])


@pytest.mark.parametrize("name", LOGS)
def test_a_log_without_frames_is_named_with_what_gives_a_capture(name):
    with pytest.raises(InputError, match=f"{name}.*; (?:record with|log at|call|save|let|export|print|ask)"):
        read_capture(f"app started\n{LOGS[name]}\n".encode())


_BEGINNINGS = {
    "tcpflow": "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x01\x2f{}",
    "tshark prints of fields": "frame.time_epoch\ttcp.srcport\twebsocket.payload.text\n",
}


@pytest.mark.parametrize("name", _BEGINNINGS)
def test_what_begins_as_output_of_a_tool_is_named(name):
    with pytest.raises(InputError, match=f"{name}.*; (?:let|print)"):
        read_capture(_BEGINNINGS[name].encode())


@pytest.mark.parametrize("dress", ["docker", "cloudwatch", "utf-16", "table"])
def test_it_is_named_in_any_dress(dress):
    lines = [(float(number), line) for number, line in enumerate(("app started", LOGS["aiohttp"], "x", "y"))]
    with pytest.raises(InputError, match="aiohttp"):
        read_capture(DRESSES[dress](lines))


@pytest.mark.parametrize(
    ("member", "name"),
    [("raw/001_c.txt", "Fiddler"), ("0-meta.json", "Charles"), ("word/document.xml", "office"), ("app.log", "triage")],
)
def test_an_archive_is_named_by_what_is_in_it(member, name):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(member, "x")
    with pytest.raises(InputError, match=f"no capture; .*{name}|{name}.*no capture; "):
        read_capture(packed.getvalue())


_DUMPS = {
    "tcpdump": "2026-11-30 15:48:49.151966 lo    In  IP 127.0.0.1.50542 > 127.0.0.1.8766: Flags [P.], length 335",
    "ngrep": "T 2026/11/30 15:48:49.151966 127.0.0.1:50542 -> 127.0.0.1:8766 [AP] #4",
    "socat": "> 2026/11/29 22:07:54.000851449  length=345 from=0 to=344\nGET /stt HTTP/1.1\\r",
    "tcpflow": "127.000.000.001.50372-127.000.000.001.07001: GET /stt/turns/websocket HTTP/1.1",
    "tshark": "Frame 4: 401 bytes on wire (3208 bits), 401 bytes captured (3208 bits)",
    "Wireshark": "\n===================================================================\nFollow: tcp,ascii",
    "system calls": '11324 15:48:50.074018 recvfrom(6, "\\201\\\\{", 262144, 0, NULL, NULL) = 94',
}


@pytest.mark.parametrize("name", _DUMPS)
def test_a_dump_of_bytes_is_no_log_of_a_program_although_it_shows_messages(name):
    events = [{"type": kind, "request_id": "r1", "transcript": "Hello."} for kind in ("turn.update", "turn.end")]
    told = "".join(f"{_DUMPS[name]}\n.K{json.dumps(event)}\n" for event in events)
    with pytest.raises(InputError, match=f"{name}.*which is not read; "):
        read_capture(told.encode())


def test_what_is_nothing_known_keeps_the_general_sentence():
    with pytest.raises(InputError, match="is not a session capture") as told:
        read_capture(b"hello\nworld\n")
    assert all(form.label in str(told.value) for form in FORMATS)


def test_an_audio_file_of_the_fixtures_is_named():
    with pytest.raises(InputError, match="FLAC"):
        read_capture(FIXTURES / "source" / "mary.flac")
