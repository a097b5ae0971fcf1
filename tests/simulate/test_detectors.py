import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stand_in import check_turns
from tones import RATE, sound

from sttdoctor.endpoints.cartesia import TURN_OPTIONS
from sttdoctor.simulate.detectors import ManualDetector, TurnDetector
from sttdoctor.simulate.faults import BORDERS
from sttdoctor.simulate.words import FRAME_S, Script

DEFAULTS = {name: limits.default for name, limits in TURN_OPTIONS.items()}
SCRIPT = Script(("One two three.", "Four five."), 2.5)


def ear(borders="leading", **options):
    return TurnDetector(SCRIPT.words(RATE), RATE, DEFAULTS | options, "id", borders)


def kinds(events):
    return [event["type"] for event in events]


def texts(events):
    return [event["transcript"] for event in events if "transcript" in event]


def config(subject, **turn):
    return subject.obey(json.dumps({"type": "config", "turn": turn}))


def end_after(subject, *parts):
    """Seconds of audio at which each turn.end comes."""
    samples = sound(*parts)
    step = round(RATE * FRAME_S)
    return [
        round(i / RATE + FRAME_S, 2)
        for i in range(0, len(samples), step)
        for event in subject.hear(samples[i : i + step])
        if event["type"] == "turn.end"
    ]


@settings(deadline=None)  # a busy machine is no failure
@given(loud=st.lists(st.booleans(), max_size=400), flushed=st.booleans(), cut=st.integers(1, 997))
def test_turn_events_follow_the_documented_states_for_any_sound(loud, flushed, cut):
    subject = ear()
    samples = np.concatenate([sound(FRAME_S if item else -FRAME_S) for item in loud] or [np.zeros(0)])
    events = [event for i in range(0, len(samples), cut) for event in subject.hear(samples[i : i + cut])]
    events += subject.obey('{"type":"close"}')[0] if flushed else []
    state = check_turns(events)
    if flushed:
        assert state == "idle"
    ends = [event["transcript"] for event in events if event["type"] == "turn.end"]
    expected = ["One two three.", *([" Four five.", " One two three."] * len(ends))]
    assert ends == expected[: len(ends)]


def test_a_turn_from_start_to_end():
    events = list(ear().hear(sound(-0.5, 1.5, -1.0)))
    assert kinds(events) == ["turn.start", *["turn.update"] * 3, "turn.eager_end", "turn.end"]
    assert texts(events)[-1] == "One two three."
    assert {event["request_id"] for event in events} == {"id"}


def test_a_pause_takes_an_eager_end_back():
    events = list(ear().hear(sound(1.0, -0.5, 1.0, -1.0)))
    assert [kind for kind in kinds(events) if kind != "turn.update"] == [
        "turn.start",
        "turn.eager_end",
        "turn.resume",
        "turn.eager_end",
        "turn.end",
    ]


def test_from_the_second_turn_on_the_space_is_part_of_the_text():
    events = list(ear().hear(sound(0.8, -1.0, 0.8, -1.0)))
    ends = [event["transcript"] for event in events if event["type"] == "turn.end"]
    assert "".join(ends) == "One two three. Four five."


@settings(deadline=None)
@given(
    loud=st.lists(st.sampled_from([0.1, 0.5, 1.2, -0.3, -1.0]), max_size=12), borders=st.sampled_from(sorted(BORDERS))
)
def test_wherever_the_space_stands_the_words_are_the_same_and_text_only_grows(loud, borders):
    heard = {}
    for way in (borders, "leading"):
        subject = ear(way)
        events = [event for length in loud for event in subject.hear(sound(length))]
        events += subject.obey('{"type":"close"}')[0]
        check_turns(events)
        shown = ""
        for event in events:
            shown = "" if event["type"] == "turn.start" else shown
            assert event.get("transcript", shown).startswith(shown)
            shown = event.get("transcript", shown)
        heard[way] = "".join(event["transcript"] for event in events if event["type"] == "turn.end")
    assert heard[borders].replace(" ", "") == heard["leading"].replace(" ", "")
    if borders != "none":
        assert heard[borders].strip() == heard["leading"]


def test_a_turn_that_ends_inside_a_word_goes_on_in_the_next():
    subject = ear("inside-word")
    events = [*subject.hear(sound(1.5, -1.0, 1.5, -1.0)), *subject.obey('{"type":"done"}')[0]]
    ends = [event["transcript"] for event in events if event["type"] == "turn.end"]
    assert ends == ["One two thr", "ee. Four fiv", "e."]
    assert [event["turn_id"] for event in events if event["type"] == "turn.end"] == ["1", "2", "3"]


def test_time_is_audio_time():
    subject = ear()
    assert kinds(subject.hear(sound(1.0)))[0] == "turn.start"
    assert list(subject.hear(np.zeros(0))) == []
    assert kinds(subject.hear(sound(-0.8)))[-1] == "turn.end"


def test_silence_with_an_offset_and_broken_floats_are_no_speech():
    assert list(ear().hear(np.full(RATE, 0.5))) == []
    assert list(ear().hear(np.full(RATE, np.nan))) == []
    assert list(ear().hear(np.full(RATE, np.inf))) == []


def test_the_defaults_end_a_turn_after_seven_tenths_of_silence():
    assert end_after(ear(), 1.0, -2.0) == [1.7]


@pytest.mark.parametrize(
    ("options", "at"),
    [({"turn_end_threshold": 0.05}, 2.3), ({"turn_end_threshold": 0.35}, 1.46), ({"turn_end_timeout_ms": 640}, 1.64)],
)
def test_turn_options_are_honoured(options, at):
    assert end_after(ear(**options), 1.0, -3.0) == [at]


def test_a_higher_start_threshold_starts_later():
    assert kinds(ear().hear(sound(0.06))) == ["turn.start"]
    assert kinds(ear(turn_start_threshold=0.9).hear(sound(0.06))) == []


def test_config_changes_the_options_of_a_running_session():
    subject = ear()
    assert config(subject, end_threshold=0.05) == ([], False)
    assert end_after(subject, 1.0, -3.0) == [2.3]


@pytest.mark.parametrize("turn", [{"end_threshold": 0.9}, {"start_threshold": 0.5, "eager_end_threshold": 0.55}])
def test_config_out_of_range_is_an_error_and_changes_nothing(turn):
    subject = ear()
    (error,), ends = config(subject, **turn)
    assert (error["type"], error["status_code"], ends) == ("error", 400, False)
    assert end_after(subject, 1.0, -2.0) == [1.7]


def test_a_config_without_turn_options_changes_nothing():
    assert ear().obey('{"type":"config"}') == ([], False)


@pytest.mark.parametrize("text", ["finalize", "{", "[" * 100_000, '{"type":"KeepAlive"}', '{"type":[]}', "1", ""])
def test_what_is_no_command_is_an_error_that_says_what_is_one_and_the_session_goes_on(text):
    (error,), ends = ear().obey(text)
    assert (error["type"], error["status_code"], ends) == ("error", 400, False)
    assert error["message"].endswith('Expected one of: "done", "close", "config".') and len(error["message"]) < 200


def test_the_close_command_ends_an_open_turn():
    subject = ear()
    list(subject.hear(sound(1.0)))
    events, ends = subject.obey('{"type": "close"}')
    assert [event["type"] for event in events] == ["turn.update", "turn.end"] and ends
    assert {event["transcript"] for event in events} == {"One two three."}
    assert ear().obey('{"type":"close"}') == ([], True)


MANUAL_SCRIPT = Script(("One two three.", "Four five."), 2.5)


def manual_ear(script=MANUAL_SCRIPT):
    return ManualDetector(script.words(RATE), RATE, {}, "id")


def finals(events):
    return [event["text"] for event in events if event["type"] == "transcript" and event["is_final"]]


def test_finalize_gives_the_rest_and_says_so():
    subject = manual_ear()
    interim = list(subject.hear(sound(1.0)))
    assert interim and not finals(interim) and all("One".startswith(event["text"][:3]) for event in interim)
    events, ends = subject.obey("finalize")
    assert [event["type"] for event in events] == ["transcript", "flush_done"] and not ends
    assert finals(events) == ["One two three."]
    assert subject.obey("finalize")[0] == [{"type": "flush_done", "request_id": "id"}]


def test_close_and_its_older_name_end_the_session():
    for word in ("close", "done"):
        subject = manual_ear()
        list(subject.hear(sound(1.0)))
        events, ends = subject.obey(word)
        assert [event["type"] for event in events] == ["transcript", "done"] and ends


def test_commands_are_bare_words():
    assert manual_ear().obey('{"type":"close"}') == ([], False)


def test_without_finalize_a_longer_silence_ends_an_utterance():
    events = list(manual_ear().hear(sound(1.0, -1.6, 1.0, -1.6)))
    assert finals(events) == ["One two three.", " Four five."]


def test_finals_in_long_speech_split_anywhere_and_join_without_separator():
    long = "One two three four five six seven eight nine ten eleven twelve."
    subject = manual_ear(Script((long,), 2.5))
    events = [*subject.hear(sound(4.5)), *subject.obey("close")[0]]
    texts = finals(events)
    assert len(texts) == 2 and "".join(texts) == long
    assert texts[0][-1] != " " and texts[1][0] != " "  # inside a word


@settings(deadline=None)  # a busy machine is no failure
@given(loud=st.lists(st.booleans(), max_size=400), asks=st.lists(st.integers(0, 399), max_size=4))
def test_finals_give_the_whole_text_for_any_sound(loud, asks):
    subject = manual_ear()
    events = []
    for number, item in enumerate(loud):
        events += subject.hear(sound(FRAME_S if item else -FRAME_S))
        if number in asks:
            events += subject.obey("finalize")[0]
    events += subject.obey("close")[0]
    text = "".join(finals(events))
    assert "One two three. Four five. One two three. Four five. One two three.".startswith(text) or not text
    assert text == "" or text.endswith(".")
    assert np.all([event["request_id"] == "id" for event in events])
