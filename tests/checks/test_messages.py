import base64
from dataclasses import replace

import numpy as np
import pytest
from builders import causes, drained, report, session, status, steady, turn, with_audio
from common import FIXTURES

from sttdoctor.analysis.decoding import MULAW_TABLE
from sttdoctor.evidence import Close, Frame

AUDIO = base64.b64encode(np.random.default_rng(0).bytes(3200)).decode()
SPEECH = (FIXTURES / "audio" / "mulaw-8k.raw").read_bytes()
MANUAL = "wss://api.cartesia.ai/stt/websocket?model=ink-2&encoding=pcm_mulaw&sample_rate=8000"


def sent(*messages, url=None, seconds=2.0):
    fields = {"url": url} if url else {}
    return session(steady(seconds), sends=[(2.55 + i / 100, message) for i, message in enumerate(messages)], **fields)


@pytest.mark.parametrize("messages", [[{"type": "close"}], [{"type": "config", "turn": {"end_timeout_ms": 900}}], []])
def test_the_protocol_passes(messages):
    assert causes(sent(*messages), "messages") == {}


@pytest.mark.parametrize("word", ["finalize", "close", "done"])
def test_bare_words_are_the_matter_of_the_endpoint_check(word):
    assert causes(sent(word), "messages") == {}
    assert causes(sent(word), "endpoint") == {"endpoint.mixed-up": "fail"}
    assert causes(sent(word, url=MANUAL), "endpoint") == {}


def test_json_commands_on_the_manual_endpoint_are_mixed_up():
    assert causes(sent({"type": "close"}, url=MANUAL), "endpoint") == {"endpoint.mixed-up": "fail"}


@pytest.mark.parametrize(
    ("message", "vendor"),
    [
        ({"type": "KeepAlive"}, "Deepgram"),
        ({"type": "CloseStream"}, "Deepgram"),
        ({"type": "Finalize"}, "Deepgram"),
        ({"type": "session.update", "session": {}}, "OpenAI"),
        ({"type": "input_audio_buffer.commit"}, "OpenAI"),
        ({"type": "Terminate"}, "AssemblyAI"),
        ({"message": "EndOfStream"}, "Speechmatics"),
    ],
)
def test_a_command_of_another_vendor_is_named_with_what_to_use_instead(message, vendor):
    (finding,) = report(sent(message), "messages").checks[0].findings
    assert (finding.cause, finding.status) == ("messages.unknown-command", "fail")
    assert vendor in finding.summary
    assert finding.fix.startswith("Instead of ")


@pytest.mark.parametrize("message", [{"type": "hello"}, {"x": 1}, ["a"], 5, "hi", {"type": {"a": 1}}])
def test_any_other_message_is_a_warning(message):
    assert causes(sent(message), "messages") == {"messages.unknown-command": "warn"}


@pytest.mark.parametrize(
    "message",
    [
        {"type": "input_audio_buffer.append", "audio": AUDIO},
        {"message_type": "input_audio_chunk", "audio_base_64": AUDIO, "sample_rate": 16000},
        {"event": "media", "media": {"payload": AUDIO[:216]}},
        AUDIO,
        "\x00" * 800,
    ],
)
def test_audio_in_text_frames(message):
    subject = sent(*[message] * 20, seconds=0)
    (finding,) = report(subject, "messages").checks[0].findings
    assert (finding.cause, finding.status, finding.confidence) == ("messages.audio-as-text", "fail", 0.95)


def test_audio_as_text_is_the_root_of_the_silence():
    subject = sent(*[{"type": "input_audio_buffer.append", "audio": AUDIO}] * 20, seconds=0)
    assert [d.cause for d in report(subject).diagnoses] == ["messages.audio-as-text"]


S16 = "wss://api.cartesia.ai/stt/turns/websocket?model=ink-2&encoding=pcm_s16le&sample_rate=16000"


@pytest.mark.parametrize(
    ("cut", "expected"),
    [
        ([], {}),
        ([40], {"messages.partial-samples": "fail"}),
        ([79], {"messages.partial-samples": "warn"}),
        (range(0, 80, 2), {"messages.partial-samples": "fail"}),
    ],
)
def test_frames_that_cut_a_sample(cut, expected):
    lengths = np.full(80, 0.1)
    lengths[list(cut)] += 1 / 8000  # one byte more
    assert causes(session(steady(8), lengths, url=S16), "messages") == expected


def test_audio_after_the_close_command():
    subject = session(steady(8), command=7.0, close=(8.5, "server", 1000))
    (finding,) = report(subject, "messages").checks[0].findings
    assert finding.cause == "messages.audio-after-close"
    assert "1.00 s" in finding.summary or "0.90 s" in finding.summary


def test_a_capture_without_sends_is_unknown():
    assert status(drained(lacks=frozenset({"send"})), "messages") == "unknown"


def test_text_that_is_not_json():
    subject = drained()
    frame = Frame(500, 3.0, True, 4, text="hey")
    assert causes(type(subject)((*subject.events, frame), url=subject.url), "messages") == {
        "messages.unknown-command": "warn"
    }


def test_one_message_is_counted_as_one():
    (finding,) = report(sent({"type": "hello"}), "messages").checks[0].findings
    assert finding.summary == "1 message is not part of this protocol: hello."
    (finding,) = report(sent({"type": "hello"}, {"type": "hello"}), "messages").checks[0].findings
    assert finding.summary == "2 messages are not part of this protocol: hello."


def told(*messages, **fields):
    (finding,) = report(sent(*messages, **fields), "messages").checks[0].findings
    return finding


def test_the_vendor_of_audio_in_text_is_named():
    message = {"type": "input_audio_buffer.append", "audio": AUDIO}
    finding = told(*[message] * 3, seconds=0)
    assert finding.summary == (
        "3 text frames carry audio (input_audio_buffer.append, OpenAI's format); no binary frame was sent."
    )
    assert told(*[{"type": "mine", "audio": AUDIO}] * 2).summary == (
        "2 text frames carry audio (mine); binary frames carry the rest."
    )
    assert told(AUDIO).summary == "1 text frame carries audio; binary frames carry the rest."


@pytest.mark.parametrize(
    ("message", "cause"),
    [
        ({"a": {"audio": AUDIO}}, "audio-as-text"),
        ({"a": {"b": {"audio": AUDIO}}}, "audio-as-text"),
        ({"a": {"b": {"c": {"audio": AUDIO}}}}, "unknown-command"),
        ({"audio": "A" * 40}, "audio-as-text"),
        ({"audio": "A" * 39}, "unknown-command"),
        ({"words": AUDIO}, "unknown-command"),
        ("A" * 200, "audio-as-text"),
        ("A" * 199, "unknown-command"),
        ("\x00" * 21 + "Hi, " * 50, "unknown-command"),  # 9.5 % are not readable
        ("\x00" * 23 + "Hi, " * 50, "audio-as-text"),  # 10.3 %
    ],
)
def test_what_counts_as_audio_in_text(message, cause):
    assert told(message).cause == f"messages.{cause}"


def test_a_word_that_came_as_json_is_named_like_one_that_did_not():
    assert "'hello'" in told("hello").summary and causes(sent("finalize"), "messages") == {}


def test_of_several_close_commands_the_first_counts():
    subject = session(steady(8), command=7.0, sends=[(7.5, {"type": "close"})], close=(8.5, "server", 1000))
    (finding,) = report(subject, "messages").checks[0].findings
    assert finding.summary.startswith(("1.00 s", "0.90 s")) and finding.evidence[0].t == pytest.approx(7.0, abs=0.11)


def test_text_frames_are_counted_and_a_strange_one_is_less_sure():
    (result,) = report(sent({"type": "hello"}, {"type": "close"}), "messages").checks
    assert result.measurements == {"text_frames": 2}
    assert result.findings[0].confidence == 0.7
    assert told({"type": "KeepAlive"}).confidence == 0.95


@pytest.mark.parametrize(
    ("cut", "words", "lines"),
    [
        ([79], "1 of 80 frames does not hold whole samples (only the last one).", [82]),
        ([40], "1 of 80 frames does not hold whole samples.", [43]),
        ([10, 20, 30, 79], "4 of 80 frames do not hold whole samples.", [13, 23, 33]),
    ],
)
def test_frames_that_cut_a_sample_are_counted_and_three_are_shown(cut, words, lines):
    lengths = np.full(80, 0.1)
    lengths[cut] += 1 / 8000
    (finding,) = report(session(steady(8), lengths, url=S16), "messages").checks[0].findings
    assert finding.summary == words
    assert [(e.note, e.line) for e in finding.evidence] == [("801 bytes", line) for line in lines]


def test_audio_after_the_close_command_of_a_later_connection_is_found():
    late = session(steady(8), command=7.0, close=(8.5, "server", 1000))
    both = type(late)((*drained().events, *late.events), url=late.url)
    assert causes(both, "messages") == {"messages.audio-after-close": "fail"}


def test_long_names_of_messages_are_cut():
    message = {"audio": AUDIO}
    kinds = [{"type": letter * 40, **message} for letter in "abc"]
    assert told(*kinds).summary == f"3 text frames carry audio ({'a' * 40}, {'b' * 38}); binary frames carry the rest."


def numbers(count=800):
    return np.random.default_rng(2).integers(-9000, 9000, count).tolist()


@pytest.mark.parametrize(
    ("message", "says", "advice"),
    [
        (",".join(map(str, numbers())), "as numbers with commas", "String(samples)"),
        (numbers(), "as JSON lists of numbers", "JSON.stringify"),
        ({"type": "Buffer", "data": numbers()}, "as Buffers that went through JSON", "send the Buffer itself"),
        ({str(i): n for i, n in enumerate(numbers())}, "as typed arrays", "send the array itself"),
        ("[object ArrayBuffer]", "its content is lost", "send the ArrayBuffer"),
        (AUDIO, "carry audio;", "Leave out base64"),
        (str(b"\x00\x01" * 80), "as Python prints it", "send the bytes themselves"),
    ],
)
def test_the_fix_names_how_audio_became_text(message, says, advice):
    finding = told(*[message] * 20, seconds=0)
    assert (finding.cause, finding.status) == ("messages.audio-as-text", "fail")
    assert says in finding.summary and advice in finding.fix and "binary frames" in finding.fix


def test_audio_as_text_beside_a_key_in_the_url_comes_first():
    url = S16 + "&api_key=REDACTED"
    subject = session([], sends=[(i / 10, {"type": "Buffer", "data": numbers()}) for i in range(30)], url=url)
    assert [d.cause for d in report(subject).diagnoses] == ["messages.audio-as-text", "connection.key-in-url"]


OPEN_TURN = turn(1.0, "Hello", "Hello there")
DONE_TURN = turn(1.0, "Hello", "Hello there.", end=4.5)


def with_binary(content, at, t=None, events=OPEN_TURN, close=(11.0, "client", 1000), **fields):
    """A session that holds a command in a binary frame at a moment; of its audio the lengths are kept."""
    subject = session(steady(5) if t is None else t, events=events, **fields)
    rows = [event for event in subject.events if event.t < at]
    rows += [Frame(900, at, True, len(content), binary=True, content=content)]
    rows += [event for event in subject.events if event.t >= at]
    return type(subject)((*rows, Close(999, *close)), url=subject.url, transcript=subject.transcript)


@pytest.mark.parametrize("content", [b'{"type":"close"}', b"close", b'{"type":"done"}', b'{"type":"CloseStream"}'])
def test_a_close_command_in_a_binary_frame_is_the_root_of_what_is_lost(content):
    (first, *rest) = report(with_binary(content, 5.0)).diagnoses
    assert (first.cause, first.status) == ("messages.command-as-binary", "fail")
    assert set(first.explains) == {"continuity.stopped", "drain.no-close", "turns.left-open"} and rest == []
    assert "binary" in first.summary


def test_a_command_in_a_binary_frame_cuts_no_sample_and_is_no_audio():
    subject = with_binary(b'{"type":"close"}\n', 5.0)
    assert set(causes(subject, "messages")) == {"messages.command-as-binary"}
    assert report(subject, "chunking").checks[0].measurements["frames"] == 50


def test_settings_in_a_binary_frame_are_no_root_of_a_missing_close():
    subject = with_binary(b'{"type":"config","turn":{"end_timeout_ms":900}}', 0.05, close=(5.0, "client", 1000))
    found = [d.cause for d in report(subject).diagnoses]
    assert set(found) == {"messages.command-as-binary", "drain.no-close"}


def test_a_binary_close_that_the_server_took_does_no_harm():
    assert "messages.command-as-binary" not in causes(
        with_binary(b'{"type":"close"}', 5.0, events=DONE_TURN, close=(5.3, "server", 1000)), "messages"
    )


def test_the_word_of_another_vendor_in_a_binary_frame_has_its_own_advice():
    (finding,) = report(with_binary(b'{"type":"CloseStream"}', 5.0), "messages").checks[0].findings
    assert 'Instead of CloseStream: send {"type":"close"}' in finding.fix


ANSWER = {
    "type": "error",
    "title": "Invalid client message",
    "status_code": 400,
    "error_code": None,
    "message": 'Unrecognized message type "WORD". Expected one of: "done", "close", "config".',
}


def refused(word, at=5.0, close=(11.0, "client", 1000), seconds=5.0):
    message = {**ANSWER, "message": ANSWER["message"].replace("WORD", word)}
    subject = session(steady(seconds), events=OPEN_TURN, sends=[(at, {"type": word})], close=close)
    rows = list(subject.events)
    place = next(i for i, event in enumerate(rows) if event.t > at)
    rows.insert(place, Frame(800, at + 0.1, False, 9, message=message))
    return type(subject)(tuple(rows), url=subject.url)


@pytest.mark.parametrize("word", ["finalize", "KeepAlive", "CloseStream", "frobnicate", "session.update", "Finalize"])
@pytest.mark.parametrize("at", [0.05, 2.05, 5.0])
def test_a_word_that_the_service_refused_comes_first_whatever_the_word(word, at):
    (first, *_) = report(refused(word, at)).diagnoses
    assert (first.cause, first.status) == ("messages.unknown-command", "fail")
    assert "server.error-event" in first.explains
    assert f'Unrecognized message type "{word}"' in first.summary


def test_done_ends_a_session_as_close_does():
    subject = session(
        steady(5), events=DONE_TURN, sends=[(5.0, {"type": "done"})], close=(5.3, "server", 1000), transcript=None
    )
    assert report(subject).diagnoses == ()
    late = session(steady(8), sends=[(7.0, {"type": "done"})], close=(8.5, "server", 1000))
    assert causes(late, "messages") == {"messages.audio-after-close": "fail"}


def test_finalize_is_told_as_the_end_of_audio_and_not_as_a_keep_alive():
    subject = session(steady(5), events=OPEN_TURN, sends=[(5.05, {"type": "finalize"})], close=(9.0, "client", 1000))
    (first, *rest) = report(subject).diagnoses
    assert first.cause == "messages.unknown-command" and rest == []
    assert "the manual endpoint's end of audio" in first.summary
    assert 'send {"type":"close"}' in first.fix and "silence" not in first.fix


def test_finalize_between_two_turns_is_left_out():
    assert "turns end by themselves" in told({"type": "finalize"}, seconds=5.0).fix


@pytest.mark.parametrize("word", ["eos", "end_of_stream", "stop_audio", "flush"])
def test_a_word_that_means_the_end_explains_the_missing_close(word):
    subject = session(steady(5), events=OPEN_TURN, sends=[(5.05, {"type": word})], close=(9.0, "client", 1000))
    (first, *rest) = report(subject).diagnoses
    assert (first.cause, first.status) == ("messages.unknown-command", "fail") and rest == []


def test_a_greeting_does_not_explain_a_missing_close():
    subject = session(steady(5), events=OPEN_TURN, sends=[(0.05, {"type": "hello"})], close=(5.0, "client", 1000))
    assert [d.cause for d in report(subject).diagnoses] == ["drain.no-close", "messages.unknown-command"]


def test_a_text_that_the_capture_left_out_is_not_judged():
    subject = drained()
    frame = Frame(500, 3.0, True, 40, text="", elided=True)
    assert causes(type(subject)((*subject.events, frame), url=subject.url), "messages") == {}


REASON = "frame with 2400053 bytes exceeds limit of 1048576 bytes"


@pytest.mark.parametrize(
    ("by", "chunk_s", "reason", "words", "fix"),
    [
        (
            "client",
            0.1,
            REASON,
            "an event of 2400053 bytes was larger than it accepts (the limit was 1048576 b",
            "max_size",
        ),
        ("client", 0.1, "frame with 2400053 bytes ...s limit of 1048576 bytes", "1048576", "maxPayload"),
        ("client", 0.1, "Message size 5000000 exceeds limit 4194304", "5000000 bytes was larger", "max_msg_size"),
        ("client", 0.1, "", "client's library closed with code 1009: an event was larger than it accepts.", "max_size"),
        ("server", 0.1, "", "a message of the client was too big for it (the largest has 800 bytes)", "100 ms"),
        ("unknown", 0.1, "", "an event was larger", "max_size"),
        ("unknown", 20.0, "", "a message of the client was too big for it (the largest has 160000 b", "100 ms"),
    ],
)
def test_a_message_that_was_too_big_is_told_with_the_side_that_has_to_change(by, chunk_s, reason, words, fix):
    events = turn(1.0, "Hello")
    subject = session(steady(60, chunk_s), chunk_s, events=events, close=(60.0, by, 1009, reason))
    first = report(subject).diagnoses[0]
    assert (first.cause, first.status) == ("messages.too-big", "fail")
    assert words in first.summary and fix in first.fix
    assert "turns.left-open" in first.explains


@pytest.mark.parametrize("code", [1000, 1006, 1008, 1010])
def test_another_code_is_no_big_message(code):
    assert "messages.too-big" not in causes(session(steady(5), close=(5.0, "server", code, REASON)), "messages")


@pytest.mark.parametrize(
    ("frame", "says", "advice"),
    [
        ({"message": '{"type": "close"}'}, "close (written as JSON twice)", "encode the object once"),
        ({"text": '"{\\"type\\": \\"close\\"}"'}, "close (written as JSON twice)", "encode the object once"),
        ({"text": "{'type': 'close'}"}, "close (in what is not JSON)", "str() of a dictionary"),
        ({"text": '{"type": close}'}, "close (in what is not JSON)", "made by json.dumps"),
        ({"message": {"event": "close"}}, "close (under another key than type)", "name it under type"),
        ({"message": {"type": "Close"}}, "Close", 'instead of close: send {"type":"close"}'),
        ({"message": {"type": "CLOSE"}}, "CLOSE", 'send {"type":"close"}'),
    ],
)
def test_a_right_word_that_is_written_wrongly_ends_nothing(frame, says, advice):
    subject = session(steady(5), events=OPEN_TURN)
    rows = (*subject.events, Frame(900, 5.0, True, 17, **frame), Close(999, 9.0, "client", 1000))
    (first, *rest) = report(type(subject)(rows, url=subject.url)).diagnoses
    assert (first.cause, first.status) == ("messages.unknown-command", "fail") and rest == []
    assert says in first.summary and advice.lower() in first.fix.lower()


@pytest.mark.parametrize(
    "message", [{"type": "close"}, {"type": "close", "reason": "done"}, {"event": "x", "type": "done"}]
)
def test_a_right_command_may_carry_more_keys(message):
    assert causes(sent(message), "messages") == {}


@pytest.mark.parametrize(
    ("audio", "expected"), [(b"\xff" * 70_000, "warn"), ((SPEECH * 2)[:70_000], "fail"), (None, "fail")]
)
def test_silence_after_the_close_command_is_no_loss(audio, expected):
    subject = session(steady(8), command=6.0, close=(8.5, "server", 1000))
    found = causes(subject if audio is None else with_audio(subject, audio), "messages")
    assert found == {"messages.audio-after-close": expected}


def finalized(times):
    """Speech on the manual endpoint, and so many words to flush it."""
    length = len(SPEECH) / 8000
    base = session(steady(length), sends=[(at, "finalize") for at in times], url=MANUAL)
    return with_audio(base, SPEECH)


def loud_times():
    """Three times in the middle of what is loudest for eight tenths of a second."""
    level = np.abs(MULAW_TABLE[np.frombuffer(SPEECH, np.uint8)])[: len(SPEECH) // 800 * 800].reshape(-1, 800).mean(1)
    softest = np.lib.stride_tricks.sliding_window_view(level, 8).min(axis=1)
    return sorted(0.1 * (int(at) + 4) + 0.05 for at in np.argsort(softest)[-3:])


def test_finalize_in_mid_speech_is_early():
    assert causes(finalized(loud_times()), "messages") == {"messages.early-finalize": "warn"}


def test_finalize_behind_the_speech_is_right_although_music_goes_on():
    sound = np.tile(np.append(MULAW_TABLE[np.frombuffer(SPEECH, np.uint8)], np.zeros(24000)), 2)
    at = np.arange(len(sound)) / 8000
    music = sum(np.sin(2 * np.pi * 220 * k * at) / k for k in (1, 2, 3)) * np.exp(-4 * (at % 0.3))
    half = len(sound) // 2
    music[:2000] = music[-4000:] = music[half - 8000 : half - 2000] = 0  # it has rests
    order = np.argsort(MULAW_TABLE, kind="stable")
    between = (MULAW_TABLE[order][1:] + MULAW_TABLE[order][:-1]) / 2
    codes = order[np.searchsorted(between, sound + 0.1 * music)].astype(np.uint8).tobytes()
    times = [half / 8000 * n - 3 + after for n in (1, 2) for after in (0.5, 1.0)]
    base = session(steady(len(sound) / 8000), sends=[(t, "finalize") for t in times], url=MANUAL)
    assert causes(with_audio(base, codes), "messages") == {}


def test_finalize_behind_the_speech_is_right():
    subject = with_audio(session(steady(10), sends=[(7.6, "finalize"), (8.4, "finalize")], url=MANUAL), SPEECH[:56000])
    assert causes(subject, "messages") == {}


@pytest.mark.parametrize(
    ("client", "right", "wrong"),
    [
        ("cartesia-python/4.2.0", "json.dumps", "JSON.stringify"),
        ("Python/3.12 websockets/15.0.1", "json.dumps", "JSON.stringify"),
        ("cartesia-js/4.2.0", "JSON.stringify", "json.dumps"),
        ("Mozilla/5.0 (X11) Firefox/140.0", "JSON.stringify", "json.dumps"),
    ],
)
def test_a_fix_is_in_the_language_of_the_client(client, right, wrong):
    frame = Frame(900, 4.0, True, 16, binary=True, content=b'{"type":"close"}')
    subject = session(steady(4), events=turn(1.0, "Hello"), client=client, close=(20.0, "client", 1000))
    subject = replace(subject, events=(*subject.events[:-1], frame, subject.events[-1]))
    (found,) = [f for f in report(subject, "messages").checks[0].findings if f.cause == "messages.command-as-binary"]
    assert right in found.fix and wrong not in found.fix
