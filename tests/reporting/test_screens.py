"""Typical reports fit the screen of a terminal: 24 lines of 80 columns, with the command and the prompt."""

import pytest
from common import FIXTURES

import sttdoctor
from sttdoctor.reporting.text import render

COLUMNS, LINES = 80, 24
REFUSED = (
    b'{"type":"session","schema":"sttdoctor.session/1","url":"wss://api.cartesia.ai/stt/turns/websocket?model=ink-2'
    b'&encoding=linear16&sample_rate=16000","headers":{"authorization":"Bearer REDACTED"}}\n'
    b'{"type":"open","t":0.2,"status":401,"body":"{\\"error\\":\\"Invalid API key\\"}"}\n'
)
SESSIONS = {
    "sessions/healthy-several-turns.jsonl": "PASS",
    "sessions/healthy-no-transcript.jsonl": "PASS",
    "sessions/format-24k-declared-16k.jsonl.gz": "FAIL  sample-rate.mismatch: ",
    "sessions/joining-everything-joined.jsonl": "FAIL  joining.updates-joined: ",
    "sessions/stream-burst.jsonl.gz": "FAIL  pacing.burst: ",
    "sessions/stream-keepalive.jsonl": "FAIL  continuity.keepalive: ",
    "sessions/stream-stopped-reading.jsonl.gz": "FAIL  drain.stopped-reading: ",
    "captures/muted-websocket-client.log.gz": "FAIL  continuity.muted: ",
    "captures/healthy-sdk.log": "PASS",
}


def fits(report, answer):
    text = render(report, width=COLUMNS)
    lines = text.splitlines()
    assert text.startswith(answer)
    above, _, commands = text.partition("\nListen\n")
    assert all(len(line) <= COLUMNS for line in above.splitlines()), text
    assert all(line.startswith("  ") for line in commands.splitlines())
    rows = sum(max(1, -(-len(line) // COLUMNS)) for line in lines)  # commands stand on one line to be copied
    assert rows <= LINES, text


@pytest.mark.parametrize(("path", "answer"), SESSIONS.items())
def test_a_session_fits_a_screen(path, answer):
    fits(sttdoctor.replay(FIXTURES / path), answer)


def test_a_refused_handshake_fits_a_screen():
    fits(sttdoctor.replay(REFUSED), "FAIL  connection.bad-auth: ")


@pytest.mark.parametrize(
    ("name", "answer"),
    [("f32-declared-s16.raw", "FAIL  encoding.mismatch: "), ("silence.raw", "FAIL  signal.silent: ")],
)
def test_bare_audio_fits_a_screen(name, answer):
    fits(sttdoctor.check(FIXTURES / "audio" / name, encoding="pcm_s16le", sample_rate=8000), answer)


def test_a_comparison_fits_a_screen_below_the_report():
    from sttdoctor.comparison import compare_with_older

    before, after = (sttdoctor.replay(FIXTURES / "sessions" / name) for name in (
        "format-24k-declared-16k.jsonl.gz", "healthy-several-turns.jsonl"))  # fmt: skip
    shown = render(compare_with_older(after, before), width=COLUMNS).partition("\nAgainst ")[2].partition("\nListen")[0]
    assert len(shown.splitlines()) <= LINES and "* the better side" in shown
