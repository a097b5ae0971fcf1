"""Tnetstrings: what is written is read, and what is damaged is told."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wires import tnetstring

from sttdoctor.readers.tnetstring import DamagedError, OddValueError, Tnetstrings

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(st.characters(codec="utf-8")) | st.binary(),
    lambda items: st.lists(items, max_size=5) | st.dictionaries(st.text("abc", max_size=4), items, max_size=4),
    max_leaves=12,
)


def over(content: bytes) -> Tnetstrings:
    return Tnetstrings(io.BufferedReader(io.BytesIO(content)))


@given(st.lists(values, max_size=4))
def test_values_one_behind_the_other_come_back(items):
    strings = over(b"".join(map(tnetstring, items)))
    found = []
    while not strings.is_done:
        found.append(strings.value())
    assert found == items


def test_a_dictionary_is_walked_through_and_a_null_is_an_empty_one():
    strings = over(tnetstring({"a": [1, 2.5], "b": b"x", "c": None}) + b"0:~")
    found = {}
    for key in strings.members():
        found[key] = [strings.value() for _ in strings.elements()] if key == "a" else strings.skip()
    assert found == {"a": [1, 2.5], "b": None, "c": None}
    assert list(strings.members()) == [] and strings.is_done


@pytest.mark.parametrize("content", [b"", b"x:1,", b"5:ab,", b"-1:a,", b"9999999999999:", b"3:abc", b":,", b"1"])
def test_what_is_no_tnetstring_is_damage(content):
    with pytest.raises(DamagedError):
        over(content).value()


@pytest.mark.parametrize("content", [b"3:abc#", b"3:inf^", b"3:abc?", b"4:9:a,]", tnetstring([0] * 9)])
def test_a_value_that_cannot_be_used_is_passed(content):
    strings = over(content + b"1:7#")
    with pytest.raises((OddValueError, DamagedError)):
        strings.value(parts=5)
    assert strings.value() == 7


def test_values_nested_deep_are_refused_without_recursion():
    nested = b"0:]"
    for _ in range(3000):
        nested = b"%d:%b]" % (len(nested), nested)
    with pytest.raises(OddValueError):
        over(nested).value()


@given(st.binary(max_size=60))
def test_any_bytes_are_values_or_damage(content):
    strings = over(content)
    try:
        while not strings.is_done:
            strings.value()
    except (DamagedError, OddValueError):
        pass
