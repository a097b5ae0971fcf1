"""`--plot`: all figures on one page, and the same figures as SVG inside an HTML page."""

import struct

import numpy as np
import pytest
from common import FIXTURES, HEADER, OPEN, jsonl, one_sentence

from sttdoctor.reporting.data.values import Latency, Stream, TurnSpan, Waveform
from sttdoctor.reporting.figures.pictures import STAND_INS, inline
from sttdoctor.reporting.figures.sound import PAPER, draw_waveform
from sttdoctor.reporting.figures.stream import draw_latency, draw_stream

AUDIO = FIXTURES / "audio" / "mulaw-8k.raw"
FEW = ("--select", "encoding")


@pytest.mark.parametrize(("suffix", "begins"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("PDF", b"%PDF")])
def test_a_picture_is_of_the_kind_of_its_suffix(run, tmp_path, suffix, begins):
    path = tmp_path / f"p.{suffix}"
    done = run("check", AUDIO, "--encoding", "pcm_mulaw", "--sample-rate", 8000, *FEW, "--plot", path)
    assert (done.code, done.err) == (0, "") and done.out.startswith("PASS")
    content = path.read_bytes()
    assert content.startswith(begins)
    if suffix == "png":
        assert struct.unpack(">I", content[16:20]) == (1200,)


def test_a_session_is_drawn_too(run, tmp_path):
    path = tmp_path / "p.svg"
    done = run("replay", FIXTURES / "sessions" / "stream-muted.jsonl", "--select", "continuity", "--plot", path)
    assert (done.code, done.err) == (1, "")
    assert path.read_text().count("<image") >= 1


@pytest.mark.parametrize("name", ["p.gif", "p", "p.png.txt"])
def test_another_suffix_is_refused_before_anything_is_judged(run, name):
    assert "a picture is .png, .svg or .pdf, not" in one_sentence(run("check", "missing.raw", "--plot", name))


def test_a_picture_that_cannot_be_written_is_one_sentence(run):
    assert "cannot write missing/p.png" in one_sentence(run("check", AUDIO, *FEW, "--plot", "missing/p.png"))


def test_nothing_to_draw_is_one_sentence(run, tmp_path):
    said = one_sentence(
        run("replay", "-", "--plot", tmp_path / "p.png", stdin=jsonl({**HEADER, "clock": "none"}, OPEN))
    )
    assert "nothing to draw" in said


def test_a_picture_never_overwrites_the_capture(run, tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(AUDIO.read_bytes())
    assert "is an input" in one_sentence(run("check", path, "--plot", path))


def drawn(draw, *exhibit):
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3))
    draw(figure, *exhibit)
    return inline(figure, "f")


def test_a_thousand_turns_and_events_are_a_few_shapes():
    turns = tuple(TurnSpan(i, float(i), i + 0.5) for i in range(1000))
    stream = Stream((), 1.0, turns, {"text updates": np.arange(1000.0)}, 0.0, 1000.0)
    assert len(drawn(draw_stream, stream, STAND_INS, True)) < 150_000
    latency = Latency(np.arange(120), np.ones(120), np.ones(120), np.ones(120), 1.5, 600)
    assert len(drawn(draw_latency, latency, STAND_INS, True)) < 90_000


def test_an_inline_figure_has_text_no_styles_and_ids_of_its_own():
    wave = Waveform(0.1, -np.ones(50), np.ones(50), ((1.0, 2.0),), 1.0, (0.5, 3.0), 5.0, "x")
    svg = drawn(draw_waveform, wave, STAND_INS)
    assert "style=" not in svg and "DOCTYPE" not in svg and "seconds of audio</text>" in svg
    assert 'fill="var(--main)"' in svg and 'id="f-' in svg
    plain = drawn(draw_waveform, wave, PAPER)
    assert PAPER.main in plain and "var(" not in plain
