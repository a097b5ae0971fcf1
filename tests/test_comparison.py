import json
from dataclasses import replace

import numpy as np
from builders import drained, report, session, steady

from sttdoctor.comparison import compare, compare_with_older, summarize
from sttdoctor.report import CheckResult


def test_a_report_does_not_differ_from_itself():
    assert compare(report(drained()), report(drained())) == []


def test_what_differs_is_named():
    found = {
        (d.check, d.what): (d.first, d.second) for d in compare(report(drained()), report(session(steady(8, 2.0), 2.0)))
    }
    assert found["chunking", "status"] == ("pass", "fail")
    assert found["chunking", "median_ms"] == (100.0, 2000.0)
    assert found["drain", "status"] == ("pass", "unknown")


def test_numbers_that_are_close_are_the_same():
    jitter = steady(8) + np.linspace(0, 0.004, 80)
    assert not any(d.what == "speed" for d in compare(report(session(steady(8))), report(session(jitter))))


def test_the_comparison_is_a_part_of_the_report():
    both = compare_with_older(report(drained()), report(session(steady(8, 2.0), 2.0)))
    told = json.loads(both.to_json())["against"]
    assert told["status"] == "fail"
    assert {"check": "chunking", "what": "status", "this": "pass", "other": "fail"} in told["differences"]
    assert "against" not in json.loads(report(drained()).to_json())


def rows_of(this, other):
    return {row["what"]: row for row in summarize(report(this), report(other))}


def test_what_a_reader_compares_first_names_the_better_side():
    rows = rows_of(session(steady(8, 2.0), 2.0), drained())
    assert list(rows)[:4] == ["status", "causes", "format", "pace"]
    assert {what for what, row in rows.items() if row["better"] == "other"} >= {"status", "causes", "chunk_ms"}
    assert (rows["chunk_ms"]["this"], rows["chunk_ms"]["other"]) == (2000.0, 100.0)
    back = rows_of(drained(), session(steady(8, 2.0), 2.0))
    assert {what for what, row in back.items() if row["better"] == "this"} >= {"status", "causes", "chunk_ms"}


def test_no_side_is_better_where_both_are_the_same_or_one_cannot_be_judged():
    assert all(row["better"] is None for row in rows_of(drained(), drained()).values())
    unjudged = replace(report(drained()), checks=(), diagnoses=())
    rows = {row["what"]: row["better"] for row in summarize(report(session(steady(8, 2.0), 2.0)), unjudged)}
    assert set(rows.values()) == {None}


def test_a_slower_side_is_not_the_better_one_because_its_check_found_less():
    slow, fast = (
        CheckResult("latency", "Is it late?", status, "It is.", (), {"end_of_turn_median_s": median}, "https://a.b")
        for status, median in (("pass", 0.74), ("warn", 0.55))
    )
    for side, better in ((slow, None), (replace(slow, status="warn"), "other")):
        rows = {row["what"]: row["better"] for row in summarize(only(side), only(fast))}
        assert rows["end_of_turn_s"] == better


def only(check):
    return replace(report(drained()), checks=(check,))
