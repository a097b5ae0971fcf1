import base64
import json
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sttdoctor.analysis.session.commands import (
    find_audio_texts,
    is_audio,
    is_command_bytes,
    is_known,
    list_commands,
    match_refused,
    tell_text_form,
)
from sttdoctor.endpoints.cartesia import AUTO, ENDPOINTS, MANUAL
from sttdoctor.endpoints.foreign import FOREIGN_COMMANDS, meaning_of
from sttdoctor.evidence import Frame
from sttdoctor.readers.frames import elided_frame, text_frame

SAMPLES = np.random.default_rng(1).integers(-3000, 3000, 160).astype("<i2")
BYTES = SAMPLES.tobytes()
FLOATS = (SAMPLES / 32768).astype("<f4")
BASE64 = base64.b64encode(BYTES).decode()


def binary(content, line=1, t=0.0):
    return Frame(line, t, True, len(content), binary=True, content=content)


def sent(message, line=1, t=0.0):
    return text_frame(line, t, True, message if isinstance(message, str) else json.dumps(message))


def error(t, line=9, **fields):
    return Frame(line, t, False, 9, message={"type": "error", **fields})


def told(frames):
    return list_commands(frames, find_audio_texts(frames))


def answered(frames):
    return match_refused(frames, told(frames), AUTO)


@pytest.mark.parametrize(
    "content",
    [
        b'{"type":"close"}',
        b'{"type": "close"}\n',
        b' {"type":"config","turn":{"end_timeout_ms":900}}',
        b'{"type":"KeepAlive"}',
        b'{"message":"EndOfStream","last_seq_no":3}',
        b'{"eof" : 1}',
        b'{"terminate_session": true}',
        b"close",
        b'"close"',
        b"finalize\n",
        b"done",
        b"CloseStream",
        '{"type":"close"}'.encode("utf-16-le"),
    ],
)
def test_a_command_in_a_binary_frame_is_no_audio(content):
    assert is_command_bytes(binary(content)) and not is_audio(binary(content))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00" * 640,
        b"{" * 16,
        b"{}",
        b'{"a":1}',
        b'{"type":"input_audio_buffer.append","audio":"AAAA"}',
        b'{"type":"chunk","data":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16]}',
        b'{"type":"' + b"x" * 5000 + b'"}',
        b"hello",
        b"RIFF$\x00\x00\x00WAVE",
    ],
)
def test_everything_else_in_a_binary_frame_is_audio(content):
    assert not is_command_bytes(binary(content)) and is_audio(binary(content))


def test_of_a_frame_that_was_kept_as_its_length_nothing_is_known():
    assert is_audio(Frame(1, 0.0, True, 17, binary=True))


def test_what_the_server_sends_is_neither():
    assert not is_audio(Frame(1, 0.0, False, 17, binary=True))
    assert told([Frame(1, 0.0, False, 9, message={"type": "close"})]) == []


@given(st.lists(st.integers(-32768, 32767), min_size=80, max_size=800))
def test_samples_are_never_a_command(samples):
    assert is_audio(binary(np.array(samples, dtype="<i2").tobytes()))


@pytest.mark.parametrize(
    ("word", "means"),
    [
        ("close", "close"),
        ("finalize", "flush"),
        ("CloseStream", "close"),
        ("KeepAlive", "keep-alive"),
        ("heartbeat", "keep-alive"),
        ("ping", "keep-alive"),
        ("mapping", "other"),
        ("end_of_stream", "close"),
        ("eos", "close"),
        ("endOfUtterance", "flush"),
        ("session.configure", "settings"),
        ("hello", "other"),
    ],
)
def test_the_meaning_of_a_word(word, means):
    assert meaning_of(word) == means


@pytest.mark.parametrize("word", FOREIGN_COMMANDS)
def test_every_word_of_another_service_has_advice(word):
    assert all(endpoint.instead[FOREIGN_COMMANDS[word].means] for endpoint in ENDPOINTS)


def test_a_command_knows_whether_audio_follows():
    frames = [sent({"type": "finalize"}), binary(b"\x01\x00" * 80), sent({"type": "finalize"}), binary(b"")]
    assert [command.audio_follows for command in told(frames)] == [True, False]
    text = [sent({"type": "finalize"}), sent({"audio": "AAAA" * 30})]
    assert [command.audio_follows for command in told(text)] == [True]


@pytest.mark.parametrize(
    ("message", "endpoint", "known"),
    [
        ({"type": "close"}, AUTO, True),
        ({"type": "done"}, AUTO, True),
        ({"type": "config"}, AUTO, True),
        ({"type": "finalize"}, AUTO, False),
        ("finalize", AUTO, True),  # a mix-up, which the endpoint check tells
        ({"type": "finalize"}, MANUAL, True),
        ({"type": "close"}, MANUAL, True),
        ("done", MANUAL, True),
        ({"type": "KeepAlive"}, None, False),
        ("EOS", AUTO, False),
    ],
)
def test_which_commands_are_known(message, endpoint, known):
    (command,) = told([sent(message)])
    assert is_known(command, endpoint) is known


TOLD = 'Unrecognized message type "finalize". Expected one of: "done", "close", "config".'


@pytest.mark.parametrize(
    ("said", "delay", "answers"),
    [
        ({"title": "Invalid client message", "message": TOLD, "status_code": 400}, 9.0, True),
        ({"title": "Error", "message": 'What is "finalize"?', "status_code": 400}, 9.0, True),
        ({"title": "Bad request", "message": "Could not parse JSON", "status_code": 400}, 9.0, True),
        ({"title": "Bad request", "message": "No.", "status_code": 400}, 0.5, True),
        ({"title": "Bad request", "message": "No.", "status_code": 400}, 1.5, False),
        ({"title": "Invalid client message", "message": TOLD}, 9.0, True),
        ({"title": "Invalid client message", "message": TOLD, "status_code": 500}, 0.1, False),
        ({"title": "Too many", "message": "Limit reached", "status_code": 429}, 0.1, False),
        ({"title": 3, "message": None, "status_code": "400"}, 0.1, False),
    ],
)
def test_the_error_that_answers_an_unknown_message(said, delay, answers):
    frames = [sent({"type": "finalize"}, t=5.0), error(5.0 + delay, **said)]
    assert bool(answered(frames)) is answers


def test_an_error_is_the_answer_to_the_word_that_it_names():
    frames = [sent({"type": "hello"}, line=1), sent({"type": "finalize"}, line=2), error(3.0, message=TOLD)]
    ((command, answer),) = answered(frames)
    assert (command.word, answer.line) == ("finalize", 9)


def test_an_error_without_an_unknown_message_answers_none():
    assert answered([sent({"type": "close"}), error(0.1, message="Unrecognized", status_code=400)]) == []


def test_errors_and_messages_by_the_thousand_are_matched_one_to_one():
    frames = [f for i in range(2000) for f in (sent({"type": "x"}, line=2 * i), error(0.1, line=2 * i + 1, title="?"))]
    frames += [error(0.1, message="Unrecognized message") for _ in range(2000)]
    assert len(answered(frames)) == 64


def form(text):
    return tell_text_form(text_frame(1, 0.0, True, text))


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
    assert tell_text_form(elided_frame(1, 0.0, True, shown, size)) == expected


def test_audio_is_told_although_redaction_left_little_of_it():
    short = replace(text_frame(1, 0.0, True, "AAECAwQFBgcICQoLREDACTED"), size=4000)
    assert tell_text_form(short) == "base64" and tell_text_form(replace(short, size=24)) is None


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
        tell_text_form(frame)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 6 * len(text)
