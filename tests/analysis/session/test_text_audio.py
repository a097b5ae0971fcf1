import base64
import json
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sttdoctor.analysis.session.text_audio import text_form
from sttdoctor.evidence import Frame
from sttdoctor.readers.frames import elided_frame, text_frame

SAMPLES = np.random.default_rng(1).integers(-3000, 3000, 160).astype("<i2")
BYTES = SAMPLES.tobytes()
FLOATS = (SAMPLES / 32768).astype("<f4")
BASE64 = base64.b64encode(BYTES).decode()


def form(text):
    return text_form(text_frame(1, 0.0, True, text))


def as_json(value):
    return json.dumps(value)


FORMS = [
    (BASE64, "base64"),
    (as_json(BASE64), "base64"),
    (as_json({"type": "audio", "audio": BASE64}), "base64"),
    (as_json({"type": "audio", "audioData": BASE64}), "base64"),
    (as_json({"event": "media", "media": {"payload": BASE64}}), "base64"),
    ("data:audio/webm;codecs=opus;base64," + BASE64, "data-url"),
    (as_json({"audio": "data:audio/wav;base64," + BASE64}), "data-url"),
    (BYTES.hex(), "hex"),
    (as_json({"data": BYTES.hex()}), "hex"),
    (",".join(map(str, SAMPLES)), "numbers"),
    (",".join(f"{value:.7g}" for value in FLOATS), "numbers"),
    (" ".join(map(str, SAMPLES)), "numbers"),
    (as_json(SAMPLES.tolist()), "list"),
    (as_json(FLOATS.tolist()), "list"),
    (as_json([FLOATS.tolist(), FLOATS.tolist()]), "list"),
    (as_json({"type": "audio", "samples": SAMPLES.tolist()}), "list"),
    (as_json({"type": "Buffer", "data": list(BYTES)}), "buffer"),
    (as_json({"audio": {"type": "Buffer", "data": list(BYTES)}}), "buffer"),
    (as_json({str(i): int(value) for i, value in enumerate(SAMPLES)}), "typed-array"),
    (as_json({"type": "audio", "data": {str(i): float(v) for i, v in enumerate(FLOATS)}}), "typed-array"),
    (str(BYTES), "python"),
    (str(bytearray(BYTES)), "python"),
    (str(np.arange(5000) / 7), "python"),
    (repr(SAMPLES), "python"),
    ("<memory at 0x7f0c3c1d2ec0>", "python"),
    ("[object ArrayBuffer]", "object"),
    ("[object Int16Array]", "object"),
    ("[object Blob]", "object"),
    (BYTES.decode("latin-1"), "raw"),
    (BYTES.decode("utf-8", errors="replace"), "raw"),
    ("\x00" * 640, "raw"),
]


@pytest.mark.parametrize(("text", "expected"), FORMS, ids=[f"{name}-{i}" for i, (_, name) in enumerate(FORMS)])
def test_the_form_tells_how_audio_became_text(text, expected):
    assert form(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "close",
        "0.5",
        "1,2,3",
        '{"type": "close"}',
        as_json({"type": "config", "turn": {"start_threshold": 0.8, "end_threshold": 0.2, "end_timeout_ms": 900}}),
        as_json({"type": "Buffer"}),
        as_json({"type": "hello", "data": [1, 2, 3]}),
        as_json({"type": "hello", "terms": [str(i) for i in range(40)]}),
        as_json({str(i): "word" for i in range(40)}),
        as_json({"type": "hello", "note": "x" * 400}),
        "Please transcribe what I say next, and mind the names. " * 20,
        "the quick brown fox jumps over the lazy dog " * 20,
        "Füße, naïve café, 東京, 🎤 " * 20,
        "[object Object]",
    ],
)
def test_other_text_carries_no_audio(text):
    assert form(text) is None


@pytest.mark.parametrize(
    ("shown", "size", "expected"),
    [
        ('{"type":"input_audio_buffer.append","audio":"AAABAP//AQAB...BAP//"}', 4300, "base64"),
        ('{"type":"Buffer","data":[249,255,2,0,251,255...,255]}', 10021, "buffer"),
        ('{"0":3,"1":-7,"2":12,"3":...,"159":3}', 2100, "typed-array"),
        ("[-7,2,-5,7,-10,14,18,-15,13,12,25...,2,-7]", 4887, "list"),
        ("-7,2,-5,7,-10,14,18,-15,13,12,25...,2,-7", 4887, "numbers"),
        ("b'\\x00\\x00\\x01\\x00...\\x00'", 12000, "python"),
        ("AAABAP//AQABAP//AQABAP//AQABAP//AQABAP//AQABAP//...AP//", 4300, "base64"),
        ('{"type":"config","turn":{"end_timeout_ms":900}...}', 300, None),
        ('{"type":"close"...}', 300, None),
        ("-7,2,-5,7,-10...", 100, None),
    ],
)
def test_a_message_whose_middle_is_gone_is_told_by_its_beginning(shown, size, expected):
    assert text_form(elided_frame(1, 0.0, True, shown, size)) == expected


def test_audio_is_told_although_redaction_left_little_of_it():
    short = replace(text_frame(1, 0.0, True, "AAECAwQFBgcICQoLREDACTED"), size=4000)
    assert text_form(short) == "base64" and text_form(replace(short, size=24)) is None


@given(st.binary(min_size=320, max_size=2000), st.sampled_from(["base64", "hex", "buffer", "list", "python"]))
def test_any_bytes_are_found_in_every_form(data, how):
    texts = {
        "base64": base64.b64encode(data).decode(),
        "hex": data.hex(),
        "buffer": as_json({"type": "Buffer", "data": list(data)}),
        "list": as_json(list(data)),
        "python": str(data),
    }
    assert form(texts[how]) == how or (how == "base64" and form(texts[how]) == "hex")


@given(st.lists(st.floats(-1, 1), min_size=16, max_size=200))
def test_any_numbers_with_commas_are_samples(values):
    assert form(",".join(map(str, values))) == "numbers"
    assert form(as_json(values)) == "list"


@pytest.mark.parametrize("unit", ["1,", "1 ", "1", " ", "1.", "1e5,", "b'\\", "[1,", "a", "1...", ",", "A=", '{"0":1,'])
def test_a_long_text_that_is_nearly_of_a_form_takes_no_time(unit):
    """A backtracking pattern would need hours."""
    assert form(unit * 20000 + "\x00x") in (None, "raw", "base64", "numbers")


@pytest.mark.parametrize("unit", ["1,", "1, ", "1.5e3;", "b'\\x00", "\\\\", "[1, ", "QUFB", "a\n", "1,...,"])
def test_no_text_takes_memory_beyond_its_own_length(unit):
    text = unit * (400_000 // len(unit))
    frames = [Frame(1, 0.0, True, len(text), text=start + text + end) for start in ("", "b'", "[") for end in ("", "x")]
    frames += [Frame(1, 0.0, True, len(text), text=f"{text}...{text}", elided=True)]
    tracemalloc.start()
    for frame in frames:
        text_form(frame)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 6 * len(text)
