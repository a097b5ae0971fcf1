import base64

import numpy as np
import pytest
from builders import causes, drained, report, session, status, steady

from sttdoctor.evidence import Frame

AUDIO = base64.b64encode(np.random.default_rng(0).bytes(3200)).decode()
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
    frame = Frame(500, 3.0, True, 4, text="ping")
    assert causes(type(subject)((*subject.events, frame), url=subject.url), "messages") == {
        "messages.unknown-command": "warn"
    }


def test_one_message_is_counted_as_one():
    (finding,) = report(sent({"type": "hello"}), "messages").checks[0].findings
    assert finding.summary == "1 message is not a part of the protocol: hello."
    (finding,) = report(sent({"type": "hello"}, {"type": "hello"}), "messages").checks[0].findings
    assert finding.summary == "2 messages are not a part of the protocol: hello."


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
        ([79], "1 of 80 frames is no whole number of samples (only the last one).", [82]),
        ([40], "1 of 80 frames is no whole number of samples.", [43]),
        ([10, 20, 30, 79], "4 of 80 frames are no whole number of samples.", [13, 23, 33]),
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
