import base64

from command_lines import ROWS
from common import AUDIO, HEADER, OPEN, jsonl, one_sentence


def test_nothing_empty_stays_behind_when_there_is_no_audio_to_convert(run, tmp_path):
    target = tmp_path / "s.raw"
    refused = run("convert", "-", "-o", target, stdin=jsonl(HEADER, OPEN, {"type": "send", "t": 1, "bytes": 9}))
    assert "no audio content" in one_sentence(refused) and not target.exists()


def test_convert_tells_what_cannot_be_written(run, tmp_path):
    refused = run("convert", "-", "-o", tmp_path / "missing" / "s.jsonl", stdin=ROWS)
    assert "s.jsonl: there is no directory" in one_sentence(refused)


def test_convert_writes_the_audio_as_sent_and_rows_that_read_the_same(run, tmp_path):
    assert run("convert", "-", "-o", tmp_path / "s.RAW", stdin=jsonl(HEADER, OPEN, AUDIO, AUDIO)).code == 0
    assert (tmp_path / "s.RAW").read_bytes() == 2 * base64.b64decode(AUDIO["audio"])
    first = run("convert", "-", stdin=jsonl(HEADER, OPEN, AUDIO)).out
    assert run("convert", "-", stdin=first.encode()).out == first
