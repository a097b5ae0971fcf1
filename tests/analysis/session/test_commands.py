import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sttdoctor.analysis.session.commands import audio_texts, commands, is_audio, is_command_bytes, is_known, refused
from sttdoctor.endpoints.cartesia import AUTO, ENDPOINTS, MANUAL
from sttdoctor.endpoints.foreign import FOREIGN_COMMANDS, meaning_of
from sttdoctor.evidence import Frame
from sttdoctor.readers.frames import text_frame


def binary(content, line=1, t=0.0):
    return Frame(line, t, True, len(content), binary=True, audio=content)


def sent(message, line=1, t=0.0):
    return text_frame(line, t, True, message if isinstance(message, str) else json.dumps(message))


def error(t, line=9, **fields):
    return Frame(line, t, False, 9, message={"type": "error", **fields})


def told(frames):
    return commands(frames, audio_texts(frames))


def answered(frames):
    return refused(frames, told(frames), AUTO)


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
