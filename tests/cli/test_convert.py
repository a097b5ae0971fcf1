import base64

import pytest
from command_lines import ROWS
from common import AUDIO, FIXTURES, HEADER, OPEN, jsonl, one_sentence


def test_nothing_empty_stays_behind_when_there_is_no_audio_to_convert(run, tmp_path):
    target = tmp_path / "s.raw"
    refused = run("convert", "-", "-o", target, stdin=jsonl(HEADER, OPEN, {"type": "send", "t": 1, "bytes": 9}))
    assert "no audio content" in one_sentence(refused) and not target.exists()


def test_convert_tells_what_cannot_be_written(run, tmp_path):
    refused = run("convert", "-", "-o", tmp_path / "missing" / "s.jsonl", stdin=ROWS)
    assert "s.jsonl: there is no directory" in one_sentence(refused)


@pytest.mark.parametrize("name", ["a.har", "a.PCAP", "a.log"])
def test_convert_writes_no_other_capture(run, tmp_path, name):
    done = run("convert", FIXTURES / "sessions" / "healthy-several-turns.jsonl", "-o", tmp_path / name)
    assert done.code == 2 and "a.jsonl" in done.err and not list(tmp_path.iterdir())


def test_convert_writes_the_audio_as_sent_and_rows_that_read_the_same(run, tmp_path):
    assert run("convert", "-", "-o", tmp_path / "s.RAW", stdin=jsonl(HEADER, OPEN, AUDIO, AUDIO)).code == 0
    assert (tmp_path / "s.RAW").read_bytes() == 2 * base64.b64decode(AUDIO["audio"])
    first = run("convert", "-", stdin=jsonl(HEADER, OPEN, AUDIO)).out
    assert run("convert", "-", stdin=first.encode()).out == first
