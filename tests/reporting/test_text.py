from dataclasses import replace

import builders
import hostile
import pytest
from common import FIXTURES, HEADER, jsonl
from hypothesis import given

import sttdoctor
from sttdoctor.checks.base import Evidence, Finding
from sttdoctor.comparison import compare_with_older
from sttdoctor.report import CheckResult, Diagnosis, Report
from sttdoctor.reporting.text import render, show_side_by_side

FORMAT = {"encoding": None, "sample_rate": None}
SUBJECT = {
    "kind": "session",
    "path": "call.jsonl",
    "declared": {"encoding": "pcm_s16le", "sample_rate": 16000},
    "estimated": {"encoding": "pcm_s16le", "sample_rate": 24000, "sample_rates": [24000, 22050], "channels": 1},
}
EVIDENCE = tuple(Evidence(f"note {number}", line=number) for number in range(1, 5))
FINDING = Finding("pacing.too-fast", "fail", 0.97, "Twice as fast.", "Slow down.", EVIDENCE)


def result(status="fail", answer="Answer.", findings=(FINDING,)):
    return CheckResult("pacing", "At the right pace?", status, answer, tuple(findings), {"ratio": 2}, "https://a.b")


def report(subject=SUBJECT, diagnoses=(), checks=(), listen=None, **more):
    return Report({**SUBJECT, **subject}, tuple(diagnoses), tuple(checks), listen or {}, **more)


def test_the_diagnosis_comes_first_and_then_the_questions():
    rate = CheckResult("sample-rate", "Which rate?", "pass", "So.", (), {}, "https://a.b", reading="24000 or 22050 Hz")
    text = render(report(diagnoses=[Diagnosis(FINDING, ("chunking.too-small",))], checks=[result(), rate]))
    assert text.splitlines() == [
        "FAIL  pacing.too-fast: Slow down.",
        "call.jsonl",
        "declared pcm_s16le at 16000 Hz, sounds like 24000 or 22050 Hz",
        "Checks: 1 failed, 1 passed.",
        "",
        "1. pacing.too-fast (fail, 97 % sure)",
        "   Twice as fast.",
        "   Fix: Slow down.",
        "   At:  line 1: note 1",
        "   At:  line 2: note 2",
        "   This also explains chunking.too-small.",
        "",
        "fail     At the right pace? Answer. See 1.",
        "pass     sample-rate",
    ]


def test_what_the_diagnosis_told_is_not_said_again():
    text = render(report(diagnoses=[Diagnosis(FINDING)], checks=[result(answer=FINDING.summary)]))
    assert text.count("Twice as fast.") == 1 and "At the right pace?" not in text
    text = render(report(diagnoses=[Diagnosis(FINDING)], checks=[result(answer=FINDING.summary)]), verbose=True)
    assert text.count("Twice as fast.") == 2 and "fail     At the right pace? See 1.\n" in text


def named(name, status):
    return CheckResult(name, f"About {name}?", status, f"It is {name}.", (), {}, "https://a.b")


EACH = [named("a", "pass"), named("b", "not_applicable"), named("c", "unknown"), named("d", "warn"), named("e", "pass")]


def test_beside_a_diagnosis_what_passed_is_only_named_and_comes_last():
    text = render(report(diagnoses=[Diagnosis(FINDING)], checks=[*EACH, result()]))
    assert text.splitlines()[-5:] == [
        "fail     At the right pace? Answer. See 1.",
        "warn     About d? It is d.",
        "unknown  About c? It is c.",
        "pass     a, e",
        "n/a      b",
    ]


@pytest.mark.parametrize("diagnoses", [[Diagnosis(FINDING)], []])
def test_all_answers_in_the_order_of_the_checks_where_they_are_asked_for(diagnoses):
    text = render(report(diagnoses=diagnoses, checks=EACH), verbose=True)
    answers = [line for line in text.splitlines() if "About" in line]
    assert answers == [f"{word:<9}About {name}? It is {name}." for word, name in zip(WORDS, "abcde", strict=True)]


WORDS = ("pass", "n/a", "unknown", "warn", "pass")


@pytest.mark.parametrize("path", ["format-24k-declared-16k.jsonl.gz", "joining-stripped.jsonl", "stream-muted.jsonl"])
def test_a_report_of_a_faulty_session_fits_a_screen(path, monkeypatch):
    monkeypatch.chdir(FIXTURES / "sessions")  # a long path would take lines of its own
    text = render(sttdoctor.replay(path), width=80)
    assert len(text.partition("\nListen\n")[0].splitlines()) <= 24


def test_a_report_of_a_healthy_session_is_a_few_lines_and_every_answer_where_it_is_asked_for():
    judged = sttdoctor.replay(FIXTURES / "sessions" / "healthy-several-turns.jsonl")
    text, whole = (render(judged, width=80, verbose=verbose) for verbose in (False, True))
    count = len(judged.checks)
    first = text.splitlines()[0]
    assert first == f"PASS  Checks: {count - 1} passed, 1 not judged (language)."
    assert len(text.splitlines()) <= 12 and text.isascii()
    assert [check.id for check in judged.checks if check.quiet] == ["language"] and "language," not in text
    assert whole.count("?") >= len(judged.checks)


def test_the_only_check_that_was_asked_for_gives_its_answer():
    assert "pass     About a? It is a.\n" in render(report(checks=[named("a", "pass")]))


def test_equal_answers_stand_once():
    checks = [replace(named(name, "unknown"), answer="No audio.") for name in "abc"] + [named("d", "unknown")]
    text = render(report(checks=checks))
    assert text.splitlines()[-2:] == ["unknown  a, b, c: No audio.", "unknown  About d? It is d."]


def test_of_a_refused_handshake_the_rest_is_one_line():
    refused = sttdoctor.replay(jsonl(HEADER, {"type": "open", "t": 0.1, "status": 503}))
    text, rest = render(refused, width=80), len(refused.checks) - 1
    (line,) = [line for line in text.splitlines() if line.startswith("n/a")]
    assert line == f"n/a      {rest} checks: The handshake was refused, so there was no session to judge."
    assert "unknown" not in text


def test_a_number_stays_with_its_unit():
    for width in range(40, 80):
        text = render(report(checks=[result(answer="It took 12.5 s and 16000 Hz at 97 % now")]), width=width)
        assert all(not line.endswith(("12.5", "16000", "97")) for line in text.splitlines())


def test_verbose_shows_all_evidence_measurements_and_the_page():
    text = render(report(diagnoses=[Diagnosis(FINDING)], checks=[result()]), verbose=True)
    for part in ("note 4", "ratio: 2", "https://a.b"):
        assert part in text


def test_nothing_declared_and_nothing_told():
    subject = {"declared": FORMAT, "estimated": {**FORMAT, "sample_rates": None, "channels": None}}
    assert "nothing declared\n" in render(report(subject))
    checks = [CheckResult("encoding", "Which?", "unknown", "It cannot tell.", (), {}, "https://a.b")]
    assert "nothing declared; the format cannot be told\n" in render(report(subject, checks=checks))


@pytest.mark.parametrize(("count", "words"), [(1, "1 damaged line, "), (2, "2 damaged lines, ")])
def test_damage_is_told_with_its_first_line(count, words):
    capture = {"damaged_lines": count, "damage": [{"line": 7, "note": "not JSON"}]}
    text = render(report({"capture": capture}))
    assert words in text and "(line 7: not JSON)" in text


@pytest.mark.parametrize("colour", [True, False])
def test_colour_only_where_asked(colour):
    text = render(report(diagnoses=[Diagnosis(FINDING)], checks=[result()]), colour=colour)
    assert ("\x1b[" in text) == colour


@pytest.mark.parametrize("width", [0, 40, 80, 120])
def test_lines_keep_to_the_width_but_commands_stay_whole(width):
    listen = {"declared": "ffplay " + "x" * 300}
    long = Finding("pacing.too-fast", "fail", 0.9, "word " * 80, "fix " * 80)
    text = render(
        report(diagnoses=[Diagnosis(long)], checks=[result(answer="answer " * 50)], listen=listen), width=width
    )
    lines = text.splitlines()[2:]
    assert any(listen["declared"] in line for line in lines)
    assert all(len(line) <= max(width, 40) for line in lines if "ffplay" not in line)


def test_the_listen_commands():
    listen = {"convert": "sttdoctor convert a -o b", "declared": "ffplay a", "estimated": "ffplay b"}
    tail = [
        "Listen",
        "  extract       sttdoctor convert a -o b",
        "  as declared   ffplay a",
        "  as detected   ffplay b",
    ]
    assert render(report(listen=listen)).splitlines()[-4:] == tail
    assert render(report(listen={**listen, "estimated": "ffplay a"})).splitlines()[-1] == tail[-2]
    assert "Listen" not in render(report(listen={"declared": None}))


def test_a_command_that_would_not_run_once_escaped_is_left_out():
    assert "ffplay" not in render(report(listen={"declared": "ffplay 'a\x1b.raw'"}))


def test_the_differences_of_a_comparison_are_counted_and_listed_where_all_is_asked_for():
    difference = {"check": "pacing", "what": "status", "this": "fail", "other": "pass"}
    compared = report(against={"path": "b\x1b", "status": "pass", "differences": [difference]})
    assert "Against b\\x1b (pass)\n  1 answer or measurement differs; -v lists them\n" in render(compared)
    sides = "  check and what differs: this session | the other\n"
    assert f'{sides}  pacing status: "fail" | "pass"\n' in render(compared, verbose=True)
    same = render(report(against={"path": None, "status": "pass", "differences": []}))
    assert "  no difference\n" in same and sides not in same


@pytest.mark.parametrize("verbose", [True, False])
@pytest.mark.parametrize("name", hostile.TEXTS)
def test_hostile_text_of_a_capture_is_escaped(name, verbose):
    judged = hostile.judged(name)
    assert judged.status == "fail" and not any(check.crashed for check in judged.checks)
    text = render(judged, verbose=verbose)
    assert hostile.controls(text) == {"\n"} and len(text) < 40_000
    if name == "terminal":
        assert "\\x1b[31mred" in text


@given(text=hostile.texts)
def test_whatever_stands_in_a_capture_is_escaped(text):
    for verbose in (True, False):
        assert hostile.controls(render(hostile.report(text), verbose=verbose)) == {"\n"}


def transcribed(expected, got=None, encoding="pcm_s16le"):
    transcript = {"expected": expected, "got": got, "turns": []}
    return Report({"declared": {"encoding": encoding, "sample_rate": None}, "transcript": transcript}, (), ())


def side_by_side(before, after, columns=80):
    return show_side_by_side(compare_with_older(after, before), columns)


def test_two_columns():
    text = side_by_side(transcribed("Good morning.", "Goodmorning"), transcribed(None, encoding=None))
    lines = [line.split("  ") for line in text.splitlines()]
    assert [line[0] for line in lines] == ["", "status", "causes", "format", "text"]
    assert "'Goodmorning'" in text and "not in the capture" in text and "nothing declared" in text


def test_the_better_side_of_each_line_is_marked():
    text = side_by_side(
        builders.report(builders.session(builders.steady(8, 2.0), 2.0)), builders.report(builders.drained())
    )
    rows = {line[:13].strip(): line[13:] for line in text.splitlines()}
    assert rows["status"].split() == ["FAIL", "*", "PASS"] and rows["causes"].split()[-2:] == ["*", "none"]
    assert rows["chunk"].split() == ["2000", "ms", "*", "100", "ms"]
    assert text.endswith("* the better side\n") and "better" not in side_by_side(transcribed("a"), transcribed("a"))


@pytest.mark.parametrize("columns", [20, 50, 200])
def test_long_and_hostile_text_is_bounded(columns):
    text = side_by_side(transcribed("\x1b[31m\n" + "wo\u202erd " * 500), transcribed("x" * 5000), columns)
    assert "\x1b" not in text and "\u202e" not in text and len(text) < 40_000
    assert max(map(len, text.splitlines())) <= max(columns, 13 + 42)
