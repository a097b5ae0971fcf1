import pytest

from sttdoctor.literals import read_literal


@pytest.mark.parametrize(
    "text",
    ["{'a': {[1]}}", "{'msg': 'x', 'extra': {[]: 1}}", f"{'9' * 400}+1j", "[" * 10_000, "open('x')", "\0", "(", "1_"],
)
def test_what_is_no_literal_is_none(text):
    assert read_literal(text) is None


def test_a_literal_is_its_value():
    assert read_literal("{'a': [b'1', (2.5, None)]}") == {"a": [b"1", (2.5, None)]}
