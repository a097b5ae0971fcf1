"""Measurements as a reader sees them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sttdoctor.reporting.html.measured import list_measured

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("max_backlog_s", 1.71134, "1.711 s"),
        ("median_ms", 100.0, "100 ms"),
        ("wire_bytes_per_s", 48005.31, "48005 bytes a second"),
        ("judged_bytes", 24480, "24480 bytes"),
        ("seconds", 4.0, "4 s"),
        ("frames", 57, "57"),
        ("decidable", False, "no"),
        ("clipped_share", 0.0, "0 %"),
        ("clipped_share", 0.0123, "1.23 %"),
        ("stereo_probability", 0.99999, "> 99 %"),
        ("probabilities", {"8000": 0.02, "16000": 0.978, "24000": 1e-6}, "16000: 98 %; 8000: 2 %"),
        ("habit", "ends", "ends"),
        ("changes", ["joining.order", "joining.escaped"], "joining.order; joining.escaped"),
        ("stretches", [{"from_s": 0.132, "line": 4, "chunk_ms": 33.333}], "from 0.132 s, line 4, chunk 33.33 ms"),
    ],
)
def test_a_value_has_its_unit(name, value, shown):
    assert [(row.name, row.value) for row in list_measured({name: value}, {})] == [(name, shown)]


def test_a_row_begins_with_what_it_means_without_words_for_programs():
    meanings = {
        "speed": "audio seconds for each second of clock, where audio flows; null where too little was sent",
        "max_backlog_s": "most audio that waited at once, seconds",
    }
    rows = list_measured({"speed": 1.0, "max_backlog_s": 0.5, "longest_hole_s": 1.0}, meanings)
    assert [row.meaning for row in rows] == [
        "Audio seconds for each second of clock, where audio flows",
        "Most audio that waited at once",
        "longest hole",
    ]


def test_what_holds_nothing_is_left_out_and_a_hundred_rows_are_cut():
    assert list_measured({"a": None, "b": "", "c": [], "d": {}}, {}) == []
    rows = list_measured({f"n{i}": i for i in range(100)}, {})
    assert len(rows) == 61 and (rows[-1].meaning, rows[-1].value) == ("and more", "40")


@given(st.dictionaries(st.sampled_from(["probabilities", "clipped_share", "x_s", "x", ""]), VALUES))
def test_any_value_of_json_is_shown_in_one_piece(values):
    rows = list_measured(values, {})
    assert {row.name for row in rows} <= set(values) and all(isinstance(row.value, str) for row in rows)
