"""The summary of a triage as text: what it tells, and that it fits a screen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from triage_rows import MIXED, row, summed

from sttdoctor.checks import all_causes
from sttdoctor.triage.text import render

CAUSES = list(all_causes())


def test_the_text_tells_how_many_what_to_do_and_the_worst():
    lines = render(summed(MIXED)).splitlines()
    assert lines[0] == "7 captures: 3 fail, 1 warn, 1 unknown, 1 pass, 1 could not be judged"
    assert lines[2].split() == ["what", "comes", "first", "all", "fail", "warn", "share", "the", "worst"]
    assert lines[3].split() == ["pacing.burst", "3", "2", "1", "43", "%", "2"]
    assert lines[4].startswith("    Send audio no faster than it was spoken")
    assert any(line.split() == ["could", "not", "be", "judged", "1", "14", "%", "7:", "is", "empty"] for line in lines)
    assert "<1 %" in render(summed([row("x", "fail", "pacing.burst", 1.0), *[row()] * 999]))


def test_a_group_that_has_a_fault_of_its_own_stands_first():
    lines = [" ".join(line.split()) for line in render(summed(MIXED, "client")).splitlines()]
    assert lines[-4:] == [
        "By client",
        "sdk/2 3 pacing.burst 100 %",
        "sdk/1 2 drain.no-close 50 %, pass 50 %",
        "(not told) 2 could not be judged 50 %, unknown 50 %",
    ]


def test_many_groups_are_cut_short():
    assert render(summed([row(client=str(n)) for n in range(30)], "client")).endswith("  and 24 more groups\n")


def test_of_many_causes_the_most_frequent_are_named_and_where_the_others_stand():
    rows = [row(f"{cause} {n}", "fail", cause, 0.9) for n, cause in enumerate(CAUSES)]
    text = render(summed([*rows, row("more", "fail", CAUSES[-1], 0.9)]))
    assert text.splitlines()[3].startswith(CAUSES[-1])
    assert "more causes: -o FILE has a table of all, --html DIR a page" in text


@pytest.mark.parametrize("width", [80, 120])
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["fail", "warn", "pass", "error", "unknown"]),
            st.sampled_from(CAUSES),
            st.text(st.characters(codec="utf-8"), min_size=1, max_size=200),
        ),
        min_size=1,
        max_size=60,
    ),
    st.booleans(),
)
def test_it_fits_a_screen_whatever_the_captures_are(width, found, grouped):
    rows = [
        row(name, status, cause if status in ("fail", "warn") else None, 0.5, client=name, error=name)
        for status, cause, name in found
    ]
    lines = render(summed(rows, *(["client", "path"] if grouped else [])), width).splitlines()
    assert len(lines) <= 24 and all(len(line) <= width for line in lines)
