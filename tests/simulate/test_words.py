import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sttdoctor.errors import InputError
from sttdoctor.simulate.words import FRAME_S, MAX_SCRIPT_BYTES, Script, default_script, read_script

FRAME = np.zeros(20)


@settings(deadline=None)  # a busy machine is no failure
@given(st.lists(st.booleans(), max_size=300))
def test_words_only_ever_grow(spoken):
    words = Script(("One two three.",), 2.5).words(1000)
    words.begin()
    shown = [""]
    for loud in spoken:
        words.hear(FRAME, loud)
        shown += [words.so_far(), words.guess()][: 1 + (not loud)]
    shown.append(words.end())
    assert shown[-1] == "One two three."
    assert all("One two three.".startswith(text) for text in shown)


def test_words_appear_at_their_pace():
    words = Script(("One two three.",), 2.0).words(1000)
    words.begin()
    for _ in range(round(0.5 / FRAME_S)):
        words.hear(FRAME, True)
    assert (words.so_far(), words.guess()) == ("One", "One two")


def test_a_script_begins_again_after_its_end():
    words = Script(("One.", "Two.")).words(1000)
    texts = []
    for _ in range(3):
        words.begin()
        texts.append(words.end())
    assert texts == ["One.", "Two.", "One."]


def test_a_script_of_one_connection_is_its_own():
    script = Script(("One.", "Two."))
    first, second = script.words(1000), script.words(1000)
    first.begin()
    first.begin()
    second.begin()
    assert (first.end(), second.end()) == ("Two.", "One.")


def test_the_script_that_ships_has_turns():
    assert len(default_script().turns) > 3
    assert not [turn for turn in default_script().turns if turn.startswith("#")]


def test_a_script_is_read(tmp_path):
    path = tmp_path / "script.txt"
    path.write_text("\ufeffHi there.\n\n# a remark\n  How are you?  \n", encoding="utf-8")
    assert read_script(path).turns == ("Hi there.", "How are you?")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "cannot read the script"),
        (b"\n# only this\n", "holds no text"),
        (b"\x89PNG\r\n", "is no UTF-8 text"),
        (b"RIFF\0\0\0\0WAVE", "is no UTF-8 text"),
        (b"a" * (MAX_SCRIPT_BYTES + 1), "larger"),
    ],
)
def test_a_script_that_is_of_no_use(tmp_path, content, says):
    path = tmp_path / "script.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=says):
        read_script(path)
