import base64
import io
import json
import random
import time
from datetime import UTC, datetime

import pytest

from sttdoctor.readers.capture import read_capture
from sttdoctor.readers.wire.tap import MAX_TEXT_BYTES
from sttdoctor.record.journal import create_file, free_names
from sttdoctor.record.recording import Heading, Recording, to_file

HEADERS = {"Authorization": "Bearer sk_car_canary1234", "User-Agent": "client/1"}
URL = "ws://127.0.0.1/stt/turns/websocket?model=ink-2&access_token=canary5678"


def recorded():
    file = io.BytesIO()
    recording = Recording(Heading(URL, HEADERS, "test", "proxy"), to_file(file))
    recording.opened(101, {"Set-Cookie": "id=canary9999"})
    recording.message(True, b"\x00\x01\xff")
    recording.message(True, '{"type":"close","api_key":"canary4321"}')
    recording.message(False, "plain words")
    recording.closed("server", 1000, "bye access_token=canary8765")
    recording.transcript("My password is tulip.")
    return file.getvalue()


def test_what_is_recorded_is_read_back():
    session = read_capture(recorded())
    opened, audio, command, text, close = session.events
    assert (session.clock, session.source, session.client) == ("proxy", "test", "client/1")
    assert (opened.status, audio.audio, command.type, text.text, close.code) == (
        101,
        b"\x00\x01\xff",
        "close",
        "plain words",
        1000,
    )
    assert (audio.sent, command.sent, text.sent, close.by) == (True, True, False, "server")
    assert session.transcript.text == "My password is tulip."


def test_no_secret_is_written():
    assert b"canary" not in recorded()


def test_a_key_of_the_handshake_is_hidden_wherever_it_is_repeated():
    key = "Zephyr-Quartz-Violin"
    file = io.BytesIO()
    recording = Recording(Heading(f"{URL}&key={key}2", {"X-API-Key": key}, "test", "proxy"), to_file(file))
    recording.opened(401, {"x-echo": f"<{key}>"}, f"nope: {key}")
    recording.message(False, json.dumps({"type": "x", "note": f"{key} {key}2", key: 1}))
    recording.message(True, f"my {key}2")
    recording.message(True, b"\0\1" * 100 + key.encode() + b"\0\1" * 100)
    recording.closed("server", 1008, f"nope {key}")
    recording.transcript(f"Hi {key}.")
    rows = [json.loads(row) for row in file.getvalue().splitlines()]
    assert any(b"\1REDACTED\0" in base64.b64decode(row.get("audio", "")) for row in rows)
    assert b"Quartz" not in file.getvalue() and b"nope: REDACTED" in file.getvalue()


def test_times_never_go_back():
    rows = []
    recording = Recording(Heading(URL, {}, "test", "server"), rows.append)
    recording.message(True, b"\x00")
    recording.message(True, b"\x00", at=0.0)
    assert [row["t"] >= 0 for row in rows[1:]] == [True, True]
    assert rows[2]["t"] == rows[1]["t"]


def test_each_row_is_flushed_as_one_line():
    class File(io.BytesIO):
        flushed = 0

        def flush(self):
            self.flushed += 1

    file = File()
    recording = Recording(Heading(URL, {}, "test", "proxy"), to_file(file))
    recording.message(True, b"\x00")
    lines = file.getvalue().splitlines()
    assert file.flushed == len(lines) == 2
    assert all(json.loads(line) for line in lines)


def test_what_a_file_takes_in_parts_is_written_whole():
    class File(io.BytesIO):
        def write(self, data):
            return super().write(data[:7])

    file = File()
    recording = Recording(Heading(URL, {}, "test", "proxy"), to_file(file))
    recording.message(True, bytes(100))
    assert [json.loads(line)["type"] for line in file.getvalue().splitlines()] == ["session", "send"]


def test_a_line_is_one_write_into_an_unbuffered_file(tmp_path):
    _, file = create_file(free_names(str(tmp_path / "session.jsonl")))
    lengths = []
    with file:
        write = to_file(file)
        for size in (10, 5000, 100_000):
            write({"type": "send", "t": 0.0, "audio": "A" * size})
            lengths.append((tmp_path / "session.jsonl").stat().st_size)
    assert isinstance(file, io.RawIOBase)
    assert lengths == sorted(set(lengths)) and lengths[-1] > 105_000


def test_a_text_beyond_the_bound_keeps_its_length():
    rows = []
    recording = Recording(Heading(URL, {}, "test", "proxy"), rows.append)
    recording.message(False, '"' + "ü" * MAX_TEXT_BYTES + '"')
    recording.message(False, '"' + "a" * (MAX_TEXT_BYTES - 2) + '"')
    assert rows[1]["elided"] and (rows[1]["text"], rows[1]["length"]) == ("", 2 * MAX_TEXT_BYTES + 2)
    assert len(rows[2]["json"]) == MAX_TEXT_BYTES - 2


@pytest.mark.parametrize(
    ("content", "kept"),
    [
        (b"%41" * (MAX_TEXT_BYTES // 2), False),
        (b"%41" * (MAX_TEXT_BYTES // 2) + b"\xff", False),
        ("ж".encode() * MAX_TEXT_BYTES + b"a" * 16, False),
        (bytes(2 * MAX_TEXT_BYTES), True),
        (random.Random(1).randbytes(2 * MAX_TEXT_BYTES) + b"a" * 16, True),
        (b"%41" * (MAX_TEXT_BYTES // 4), True),
    ],
)
def test_a_binary_frame_of_long_text_keeps_its_length_and_one_of_sound_its_content(content, kept):
    rows = []
    recording = Recording(Heading(URL, {}, "test", "proxy"), rows.append)
    recording.message(True, content)
    if kept:
        assert base64.b64decode(rows[1]["audio"]) == content
    else:
        assert rows[1]["bytes"] == len(content) and "audio" not in rows[1]


def test_it_begins_when_it_is_said_to():
    rows = []
    recording = Recording(Heading(URL, {}, "test", "proxy"), rows.append, time.monotonic() - 3600)
    recording.message(True, b"\0")
    ago = datetime.now(UTC) - datetime.fromisoformat(rows[0]["started_at"])
    assert abs(ago.total_seconds() - 3600) < 60 and abs(rows[1]["t"] - 3600) < 60


def test_of_bytes_from_the_server_the_length_is_kept():
    rows = []
    recording = Recording(Heading(URL, {}, "test", "proxy"), rows.append)
    recording.message(False, b"abc")
    recording.left_out(True, True, 5)
    recording.left_out(True, False, 6)
    assert [
        {key: row[key] for key in row if key not in ("type", "t") and row[key] is not None} for row in rows[1:]
    ] == [
        {"bytes": 3},
        {"bytes": 5},
        {"text": "", "elided": True, "length": 6},
    ]
