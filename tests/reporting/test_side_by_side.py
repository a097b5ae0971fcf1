import pytest

from sttdoctor.report import Report
from sttdoctor.reporting.side_by_side import show_side_by_side


def report(expected, got=None, encoding="pcm_s16le"):
    transcript = {"expected": expected, "got": got, "turns": []}
    return Report({"declared": {"encoding": encoding, "sample_rate": None}, "transcript": transcript}, (), ())


def test_two_columns():
    text = show_side_by_side(report("Good morning.", "Goodmorning"), report(None, encoding=None), 80)
    lines = [line.split("  ") for line in text.splitlines()]
    assert [line[0] for line in lines] == ["", "status", "format", "causes", "text", ""]
    assert "'Good morning.'" in text and "the application had 'Goodmorning'" in text and "not in the capture" in text
    assert "nothing" in text


@pytest.mark.parametrize("width", [20, 50, 200])
def test_long_and_hostile_text_is_bounded(width):
    text = show_side_by_side(report("\x1b[31m\n" + "wo\u202erd " * 500), report("x" * 5000), width)
    assert "\x1b" not in text and "\u202e" not in text and len(text) < 40_000
    assert max(map(len, text.splitlines())) <= max(width, 9 + 42)
