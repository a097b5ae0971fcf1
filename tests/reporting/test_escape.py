import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sttdoctor.reporting.escape import for_terminal


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("Zürich 東京 naïve 👍", "Zürich 東京 naïve 👍"),
        ("\x1b[31mred\x1b]0;title\x07", r"\x1b[31mred\x1b]0;title\x07"),
        ("a\u202eb\u2066c\u200f", r"a\u202eb\u2066c\u200f"),
        ("a\0b\rc\nd\te", r"a\x00b\rc\nd\te"),
        ("\ud800\udcff", r"\ud800\udcff"),
        ("\x9b31m", r"\x9b31m"),
        ("a\u2028b\ufeff", r"a\u2028b\ufeff"),
    ],
)
def test_what_controls_a_terminal_is_shown_instead(text, shown):
    assert for_terminal(text) == shown


@given(st.text(st.characters(codec=None)))
def test_nothing_shown_is_a_control_character(text):
    shown = for_terminal(text)
    assert not any(unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp") for char in shown)
    assert for_terminal(shown) == shown
