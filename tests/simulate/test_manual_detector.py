import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tones import RATE, sound

from sttdoctor.simulate.manual_detector import ManualDetector
from sttdoctor.simulate.words import FRAME_S, Script

SCRIPT = Script(("One two three.", "Four five."), 2.5)


def ear(script=SCRIPT):
    return ManualDetector(script.words(RATE), RATE, {}, "id")


def finals(events):
    return [event["text"] for event in events if event["type"] == "transcript" and event["is_final"]]


def test_finalize_gives_the_rest_and_says_so():
    subject = ear()
    interim = list(subject.hear(sound(1.0)))
    assert interim and not finals(interim) and all("One".startswith(event["text"][:3]) for event in interim)
    events, ends = subject.obey("finalize")
    assert [event["type"] for event in events] == ["transcript", "flush_done"] and not ends
    assert finals(events) == ["One two three."]
    assert subject.obey("finalize")[0] == [{"type": "flush_done", "request_id": "id"}]


def test_close_and_its_older_name_end_the_session():
    for word in ("close", "done"):
        subject = ear()
        list(subject.hear(sound(1.0)))
        events, ends = subject.obey(word)
        assert [event["type"] for event in events] == ["transcript", "done"] and ends


def test_commands_are_bare_words():
    assert ear().obey('{"type":"close"}') == ([], False)


def test_without_finalize_a_longer_silence_ends_an_utterance():
    events = list(ear().hear(sound(1.0, -1.6, 1.0, -1.6)))
    assert finals(events) == ["One two three.", " Four five."]


def test_finals_in_long_speech_split_anywhere_and_join_without_separator():
    long = "One two three four five six seven eight nine ten eleven twelve."
    subject = ear(Script((long,), 2.5))
    events = [*subject.hear(sound(4.5)), *subject.obey("close")[0]]
    texts = finals(events)
    assert len(texts) == 2 and "".join(texts) == long
    assert texts[0][-1] != " " and texts[1][0] != " "  # inside a word


@settings(deadline=None)  # a busy machine is no failure
@given(loud=st.lists(st.booleans(), max_size=400), asks=st.lists(st.integers(0, 399), max_size=4))
def test_finals_give_the_whole_text_for_any_sound(loud, asks):
    subject = ear()
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
