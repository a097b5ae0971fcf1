"""What `convert --no-audio` and `--no-text` leave of a capture."""

import base64
import json

import captures
import pytest
from captures import FORMATS
from rows import written
from verdicts import LACKS, verdicts

from sttdoctor.anonymize import drop_audio, drop_text
from sttdoctor.evidence import Frame
from sttdoctor.readers.capture import read_capture


@pytest.mark.parametrize("options", [["--no-audio"], ["--no-text"], ["--no-audio", "--no-text"]])
@pytest.mark.parametrize("name", FORMATS)
def test_what_is_private_is_left_out(run, name, options):
    done = run("convert", "-", *options, stdin=FORMATS[name])
    assert done.code == 0
    rows = [json.loads(line) for line in done.out.splitlines()]
    if "--no-audio" in options:
        assert "audio" in rows[0]["lacks"] and not any("audio" in row for row in rows)
    if "--no-text" in options:
        assert "text" in rows[0]["lacks"] and "ello th" not in done.out and "library" not in done.out
    before, after = dict(verdicts(FORMATS[name])), dict(verdicts(done.out.encode()))
    assert (before.pop("joining") == after["joining"]) == ("--no-text" not in options or "text" in LACKS[name])
    assert after.pop("joining")[0] == "unknown" or "--no-text" not in options
    assert before.pop("frames") and after.pop("frames")  # judged by the content of the frames
    assert before.pop("connection") and after.pop("connection") and after == before


def test_private_words_leave_text_frames_and_terms():
    rows = captures.session_jsonl() + b"".join(
        json.dumps(row).encode() + b"\n"
        for row in (
            {"type": "send", "t": 3.61, "text": "finalize"},
            {"type": "send", "t": 3.62, "text": "a private word"},
            {"type": "send", "t": 3.63, "json": {"type": "audio", "audio": "QUJD" * 90, "note": "a private word"}},
            {"type": "receive", "t": 3.64, "json": ["a private word"]},
            {"type": "transcript", "text": "a private word"},
        )
    )
    rows = rows.replace(b"sample_rate=8000", b"sample_rate=8000&keyterm=private&key%74erm=private&keywords=private")
    quiet = written(drop_text(read_capture(rows)))
    assert b"private" not in quiet and b'"finalize"' in quiet and b"keyterm=REDACTED" in quiet
    mute = written(drop_audio(read_capture(rows)))
    assert b"QUJD" not in mute and b"a private word" in mute


@pytest.mark.parametrize(
    ("content", "left"),
    [
        (b'{"type": "config", "note": "a private word", "turn": {"x": 1}}', {"type": "config", "turn": {"x": 1}}),
        (b'{"event": "CloseStream", "message": "private"}', {"event": "CloseStream"}),
        ('{"type": "config", "note": "Gr\u00fc\u00dfe"}'.encode(), {"type": "config"}),
        (b"a private word", None),
        ("Gr\u00fc\u00dfe".encode(), None),
    ],
)
def test_private_words_leave_binary_frames_that_keep_their_size(content, left):
    row = {"type": "send", "t": 3.6, "audio": base64.b64encode(content).decode()}
    before = read_capture(captures.session_jsonl() + json.dumps(row).encode() + b"\n")
    after = drop_text(before)
    kept = next(event for event in reversed(after.events) if isinstance(event, Frame) and event.binary and event.sent)
    assert kept.audio is not None and len(kept.audio) == kept.size == len(content)
    assert json.loads(kept.audio) == left if left else not kept.audio.strip()
    assert "audio" not in read_capture(written(after)).lacks


@pytest.mark.parametrize(
    "content", [b"finalize", b'"done"', b"abcdefghijklmnopqrst" * 8, b"aZ" * 100, b"\0\0\1\0" * 40]
)
def test_binary_frames_without_words_are_left_as_they_are(content):
    row = {"type": "send", "t": 3.6, "audio": base64.b64encode(content).decode()}
    session = read_capture(captures.session_jsonl() + json.dumps(row).encode() + b"\n")
    assert any(isinstance(event, Frame) and event.audio == content for event in drop_text(session).events)


@pytest.mark.parametrize(
    "message",
    [
        [7777] * 160,
        {"type": "Buffer", "data": [7777] * 160},
        {"samples": [0.7777] * 160},
        dict.fromkeys("abcdefghijklmnop", 7777),
    ],
)
def test_audio_that_went_out_as_numbers_is_left_out_too(message):
    row = json.dumps({"type": "send", "t": 3.61, "json": message}).encode() + b"\n"
    mute = written(drop_audio(read_capture(captures.session_jsonl() + row)))
    assert b"7777" not in mute


def test_audio_as_numbers_is_still_told_when_the_numbers_are_gone():
    for message in ([7777] * 160, {"type": "Buffer", "data": [7777] * 160}):
        row = json.dumps({"type": "send", "t": 3.61, "json": message}).encode() + b"\n"
        found = dict(verdicts(written(drop_audio(read_capture(captures.session_jsonl() + row)))))
        assert found["messages"][0] == "fail"
