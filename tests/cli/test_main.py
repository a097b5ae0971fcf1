import json
import re
import sys
from xml.etree import ElementTree

import pytest
from command_lines import DECLARED, ENCODING_ONLY, FAULTY, HEALTHY, ROWS, WITH_AUDIO
from common import AUDIO, FIXTURES, HEADER, OPEN, jsonl, one_sentence

import sttdoctor
from sttdoctor.cli import options
from sttdoctor.encodings import SUPPORTED


@pytest.fixture
def recorded(tmp_path):
    """A healthy session of two turns that holds the lengths of its audio only."""
    path = tmp_path / "call.jsonl"
    path.write_bytes(ROWS)
    return path


def test_a_healthy_file_passes(run):
    done = run("check", HEALTHY, *DECLARED)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("PASS  ") and "\x1b" not in done.out


def test_a_fault_is_exit_code_1(run):
    done = run("check", FAULTY, "--encoding", "pcm_s16le", *ENCODING_ONLY)
    assert done.code == 1 and "1. encoding.mismatch (fail" in done.out


@pytest.mark.parametrize(
    ("statuses", "codes"),
    [
        (["pass"], (0, 0, 0, 0)),
        (["pass", "not_applicable"], (0, 0, 0, 0)),
        (["unknown", "pass"], (0, 0, 1, 0)),
        (["warn", "pass"], (0, 1, 1, 0)),
        (["fail", "warn"], (1, 1, 1, 0)),
    ],
)
def test_the_exit_code_follows_fail_on(statuses, codes):
    checks = tuple(sttdoctor.report.CheckResult("x", "?", status, "", (), {}, "") for status in statuses)
    report = sttdoctor.report.Report({}, (), checks)
    assert tuple(options.exit_code(report, limit) for limit in ("fail", "warn", "unknown", "never")) == codes


@pytest.mark.parametrize(("limit", "code"), [("fail", 0), ("unknown", 1), ("never", 0)])
def test_fail_on_is_obeyed(run, limit, code):
    assert run("check", "-", "--fail-on", limit, *ENCODING_ONLY, stdin=bytes(100)).code == code


def test_json_is_all_that_stands_on_standard_output(run):
    done = run("check", HEALTHY, *DECLARED, "--format", "json")
    report = json.loads(done.out)
    assert (done.code, done.err) == (0, "")
    assert (report["schema"], report["status"]) == ("sttdoctor.report/1", "pass")
    assert report["subject"]["declared"] == {"encoding": "pcm_s16le", "sample_rate": 16000}


@pytest.mark.parametrize(
    ("name", "arguments", "is_json"),
    [("r.json", (), True), ("R.JSON", (), True), ("r.txt", (), False), ("r.json", ("--format", "text"), False)],
)
def test_a_report_goes_to_a_file_in_the_form_of_its_name(run, tmp_path, recorded, name, arguments, is_json):
    done = run("replay", recorded, "-o", tmp_path / name, *arguments)
    assert (done.code, done.out) == (0, "") and done.err.startswith("PASS  ") and name in done.err
    assert (tmp_path / name).read_text().startswith("{" if is_json else "PASS")


def test_a_report_goes_to_several_files_and_the_answer_is_said_once(run, tmp_path, recorded):
    done = run("replay", recorded, "-o", tmp_path / "r.json", "-o", tmp_path / "r.md")
    assert done.code == 0 and done.err.count("PASS  ") == 1 and done.err.count("\n") == 1
    assert json.loads((tmp_path / "r.json").read_text())["status"] == "pass"
    assert (tmp_path / "r.md").read_text().startswith("## PASS ")
    assert run("replay", recorded, "-o", tmp_path / "x.md", "-o", tmp_path / "x.md").code == 2


def test_each_of_several_audio_files_is_judged_by_itself(run):
    alone = [run("check", path, *DECLARED).out for path in (FAULTY, HEALTHY)]
    done = run("check", FAULTY, HEALTHY, *DECLARED)
    assert (done.code, done.out) == (1, "\n".join(alone))
    assert run("check", HEALTHY, HEALTHY, *DECLARED).code == 0


def test_reports_of_several_files_are_one_list_or_one_run_for_programs(run):
    several = ("check", FAULTY, HEALTHY, *DECLARED, "--format")
    assert [report["status"] for report in json.loads(run(*several, "json").out)] == ["fail", "pass"]
    suites = ElementTree.fromstring(run(*several, "junit").out)
    assert [(suite.get("id"), suite.get("failures")) for suite in suites] == [("0", "2"), ("1", "0")]
    lines = run(*several, "github").out.splitlines()
    assert lines[0].startswith("::error ") and lines[-1].startswith("::notice ") and all(lines)


def test_a_file_that_cannot_be_read_leaves_the_others_judged_and_is_exit_code_2(run, tmp_path):
    done = run("check", tmp_path / "no.raw", HEALTHY, *DECLARED, "-o", tmp_path / "r.txt")
    assert done.code == 2 and done.err.startswith("sttdoctor: cannot read ") and "\nPASS  " in done.err
    assert (tmp_path / "r.txt").read_text().startswith("PASS  ")
    assert run("check", tmp_path / "no.raw", tmp_path / "none.raw").code == 2


def test_standard_input_is_read_like_a_file(run):
    audio = run("check", "-", *DECLARED, *ENCODING_ONLY, "--format", "json", stdin=HEALTHY.read_bytes())
    assert json.loads(audio.out)["subject"]["path"] is None and audio.code == 0
    session = run("replay", "-", stdin=ROWS)
    assert session.code == 0 and session.out.startswith("PASS  ") and "\nthe capture\n" in session.out


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
@pytest.mark.parametrize("from_file", [True, False])
@pytest.mark.parametrize(("text", "code"), [("Hi there. Bye.", 0), ("Hi there.Bye.", 1)])
def test_the_text_of_the_application_comes_from_a_file_or_standard_input(
    run, tmp_path, recorded, ending, from_file, text, code
):
    path = tmp_path / "text.txt"
    path.write_bytes(b"\xef\xbb\xbf" + (text + ending).encode())
    source = path if from_file else "-"
    done = run("replay", recorded, "--transcript", source, stdin=path.read_bytes())
    assert done.code == code, done.out


@pytest.mark.parametrize(
    ("content", "from_file"),
    [(b"RIFF\x24\x80\x00\x00WAVE", True), (b"\x00\x01" * 9, False), ("Hi there.".encode("utf-16"), True)],
)
def test_a_transcript_that_is_no_text_is_refused(run, tmp_path, recorded, content, from_file):
    path = tmp_path / "audio.raw"
    path.write_bytes(content)
    done = run("replay", recorded, "--transcript", path if from_file else "-", stdin=content)
    name = path if from_file else "standard input"
    assert done.code == 2 and done.out == ""
    assert done.err == (
        f"sttdoctor: {name} is no UTF-8 text; --transcript takes the text that the application ended up with\n"
    )


def test_a_transcript_without_an_end_is_refused(run, tmp_path, recorded, monkeypatch):
    monkeypatch.setattr(sys.modules["sttdoctor.cli.replay"], "_LONGEST_TEXT", 1 << 20)
    path = tmp_path / "text.txt"
    path.write_bytes(b"a" * ((1 << 20) + 1))
    assert "is longer than 1 MiB" in one_sentence(run("replay", recorded, "--transcript", path))


def test_select_and_ignore(run, recorded):
    chosen = run("replay", recorded, "--select", "drain, chunking", "--ignore", "chunking", "--format", "json")
    assert [check["id"] for check in json.loads(chosen.out)["checks"]] == ["drain"]


def test_set_wins_over_config(run, tmp_path, recorded):
    path = tmp_path / "limits.toml"
    path.write_text("[chunking]\nwarn_ms = 30\nfail_ms = 40\n")
    judge = ("replay", recorded, "--select", "chunking")
    assert run(*judge).code == 0
    assert run(*judge, "--config", path).code == 1
    assert run(*judge, "--config", path, "--set", "chunking.warn_ms=300").code == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["check"], "Missing argument 'AUDIO...'; see sttdoctor check --help"),
        (["chekc", HEALTHY], "No such command 'chekc'. Did you mean 'check'?"),
        (["a.raw"], "No such command 'a.raw'; see sttdoctor --help"),
        (["check", "-", "-"], "only one AUDIO can be standard input"),
        (["check", "a.raw", "b.raw", "-o", "r.html"], "r.html holds the report of one AUDIO; sttdoctor triage --html"),
        (["check", "a.raw", "b.raw", "--plot", "p.png"], "--plot is of one AUDIO"),
        (
            ["check", HEALTHY, "--select", "pacing"],
            "leave no check to run; of bare audio there are container, encoding",
        ),
        (["check", "missing.raw", "-o", "r.docx"], "no report ends in .docx; there are .txt, .json, .md,"),
        (["replay", "missing.jsonl", "-o", "r.docx"], "or say which one with --format"),
        (["check", HEALTHY, "--config", HEALTHY], "is not TOML: it is not text"),
        (["explain", "pacing.backlog_fail_s"], "is a threshold; sttdoctor explain pacing shows it"),
        (["convert", "missing.jsonl", "-o", "a.wav"], "the bytes as sent go to a .raw file"),
        (["check", HEALTHY, "--nope"], "No such option"),
        (["check", HEALTHY, "--foramt", "json"], "No such option '--foramt'. (Did you mean one of"),
        (["check", HEALTHY, "--select", "pacign"], "there is no check 'pacign'; did you mean pacing?"),
        (["check", HEALTHY, "--ignore", "sample_rate"], "did you mean sample-rate?"),
        (["check", HEALTHY, "--select", "xyz"], "there is no check 'xyz'; there are container, encoding"),
        (["check", HEALTHY, "--set", "backlog_fail_s=5"], "did you mean pacing.backlog_fail_s?"),
        (["check", HEALTHY, "--encoding", "pcm_s16l"], "unknown encoding 'pcm_s16l'; did you mean pcm_s16le?"),
        (["check", HEALTHY, "--format", "jsno"], "'jsno' is not one of"),
        (["check", HEALTHY, "--format", "jsno"], "Did you mean json?"),
        (["check", HEALTHY, "--fail-on", "warning"], "Did you mean warn?"),
        (["check", HEALTHY, "-o", "r.htlm"], "no report ends in .htlm; did you mean .htm"),
        (["check", HEALTHY, "--plot", "r.pgn"], "did you mean .png?"),
        (["triage", "calls", "--group-by", "cleint"], "no column 'cleint' to group by; did you mean client?"),
        (["explain", "too-fast"], "did you mean pacing.too-fast?"),
        (["check", HEALTHY, "--set", "pacing.backlog_fial_s=5"], "did you mean pacing.backlog_fail_s?"),
        (["check", HEALTHY, "--set", "pacing.min_s"], "NAME=VALUE"),
        (["check", HEALTHY, "--config", "missing.toml"], "cannot read missing.toml"),
        (["check", HEALTHY, "--encoding", "mp3"], "unknown encoding 'mp3'"),
        (["check", HEALTHY, "--sample-rate", "0"], "between 1 and 1000000"),
        (["check", HEALTHY, "--sample-rate", "x"], "is not a valid integer"),
        (["check", HEALTHY, "--format", "xml"], "'xml' is not one of"),
        (
            ["check", HEALTHY, *ENCODING_ONLY, "-o", "missing/r.txt"],
            "cannot write missing/r.txt: there is no directory missing",
        ),
        (["check", HEALTHY, *DECLARED, *ENCODING_ONLY, "--wav", "missing/a.wav"], "cannot write missing/a.wav"),
        (["check", "-", "--wav", "a.wav"], "no audio that can be decoded"),
        (["check", "missing\x1b.raw"], r"cannot read missing\x1b.raw: No such file"),
        (["check", FIXTURES], "is a directory"),
        (["check", "-"], "the audio is empty"),
        (["replay", FIXTURES], "is a directory"),
        (["replay", "-"], "the capture is empty"),
        (["replay", HEALTHY], "is not a session capture"),
        (["replay", "-", "--transcript", "-"], "only one of SESSION, --transcript and --against"),
        (["replay", "-", "--transcript", "missing.txt"], "cannot read missing.txt"),
        (["convert", HEALTHY], "is not a session capture"),
        (["replay", HEALTHY], f"is not a session capture; for audio run: sttdoctor check {HEALTHY}; "),
        (["check", FIXTURES / "sessions" / "healthy-several-turns.jsonl"], "judge it with sttdoctor replay"),
        (["check", FIXTURES / "sessions" / "format-24k-declared-16k.jsonl.gz"], "judge it with sttdoctor replay"),
        (["check", FIXTURES / "captures" / "muted-chromium.har"], "judge it with sttdoctor replay"),
    ],
)
def test_what_cannot_be_used_is_told_in_one_sentence(run, tmp_path, monkeypatch, arguments, says):
    monkeypatch.chdir(tmp_path)
    stdin = bytes(100) if "--wav" in arguments else b""
    assert says in one_sentence(run(*arguments, stdin=stdin))


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "x", "-o", "x"],
        ["check", "x", "--wav", "./x"],
        ["replay", "x", "-o", "x"],
        ["convert", "x", "-o", "x"],
    ],
)
def test_the_evidence_is_never_written_over(run, tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    content = jsonl(HEADER, OPEN, AUDIO)
    (tmp_path / "x").write_bytes(content)
    assert "is an input" in one_sentence(run(*arguments))
    assert (tmp_path / "x").read_bytes() == content


@pytest.mark.parametrize("command", ["check", "replay", "convert"])
@pytest.mark.parametrize(
    "content", [b"x", bytes(range(256)) * 40, b"{" * 5000, b"\x1f\x8b" + bytes(50), b'{"type":"session"}']
)
def test_odd_bytes_give_a_sentence_or_an_honest_report(run, command, content):
    done = run(command, "-", stdin=content)
    assert done.code in (0, 1, 2) and "Traceback" not in done.err
    if done.code == 2:
        one_sentence(done)
    elif command != "convert":
        assert done.err == "" and "crashed" not in done.out


def test_100_mb_of_zeros_are_silent_and_tell_no_format(run, tmp_path):
    path = tmp_path / "zeros.raw"
    with path.open("wb") as file:
        file.truncate(100_000_000)
    report = json.loads(run("check", path, *DECLARED, "--format", "json").out)
    answers = {check["id"]: check["status"] for check in report["checks"]}
    assert [diagnosis["cause"] for diagnosis in report["diagnoses"]] == ["signal.silent"]
    assert (answers["encoding"], answers["sample-rate"]) == ("unknown", "unknown")
    assert "crashed" not in str(report)


def test_help_and_version(run):
    assert run("--version").out == f"sttdoctor, version {sttdoctor.__version__}\n"
    for command in ([], ["check"], ["replay"], ["convert"], ["explain"]):
        done = run(*command, "--help")
        assert done.code == 0 and done.out.startswith("Usage:") and done.out.isascii()
    assert set(re.findall(r"pcm_\w+", run("check", "--help").out)) == set(SUPPORTED)
    bare = run()
    assert bare.code == 2 and bare.out.startswith("Usage:")


@pytest.mark.parametrize(
    ("environment", "coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
)
def test_colour_is_for_terminals_that_want_it(run, monkeypatch, recorded, environment, coloured):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(type(sys.stdout), "isatty", lambda _self: True)
    done = run("replay", recorded, "--select", "drain")
    assert ("\x1b[32m" in done.out) == coloured


def test_a_defect_keeps_its_traceback(run, monkeypatch):
    def broken(*_arguments):
        raise ZeroDivisionError

    monkeypatch.setattr("sttdoctor.api.examine", broken)
    with pytest.raises(ZeroDivisionError):
        run("check", HEALTHY)


def test_too_little_memory_is_told(run, monkeypatch):
    def hungry(*_arguments):
        raise MemoryError

    monkeypatch.setattr("sttdoctor.api.examine", hungry)
    assert "more memory" in one_sentence(run("check", HEALTHY))


@pytest.mark.parametrize("estimate", ["encoding", "rate"])
@pytest.mark.parametrize("selection", [(), ("--select", "drain,chunking")])
def test_an_estimate_that_crashes_leaves_the_others_running(run, monkeypatch, estimate, selection):
    def broken(*_arguments):
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(f"sttdoctor.analysis.audio_facts.estimate_{estimate}", broken)
    report = json.loads(run("replay", WITH_AUDIO, "--format", "json", *selection).out)
    answers = {check["id"]: check for check in report["checks"]}
    assert answers["drain"]["status"] == answers["chunking"]["status"] == "pass"
    if not selection:
        crashed = answers[estimate.replace("rate", "sample-rate")]
        assert crashed["status"] == "unknown" and "ZeroDivisionError: oops" in crashed["answer"]
    assert report["listen"]["declared"] and report["subject"]["estimated"]["sample_rate"] is None


def test_interrupted_is_130(run, monkeypatch):
    def interrupted(*_arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("sttdoctor.api.examine", interrupted)
    done = run("check", HEALTHY)
    assert (done.code, done.out.strip(), done.err.strip()) == (130, "", "")


KEY = "sk_car_aBcDeFgHiJkLmNoPqRsTuVwX"


@pytest.mark.parametrize(
    "arguments",
    [
        (KEY,),
        ("explain", KEY),
        ("check", KEY),
        ("check", "-", "--select", KEY),
        ("check", "-", "--encoding", KEY),
        ("check", "-", "--format", KEY),
        ("check", "-", f"--{KEY}"),
        ("check", "-", "--set", f"{KEY}=3"),
        ("check", "-", "--sample-rate", KEY),
        ("simulate", "--fault", KEY),
        ("simulate", "--fault", f"rejected={KEY}"),
        ("record", "--listen", KEY),
        ("triage", "-", "--group-by", KEY),
    ],
)
def test_a_key_in_an_argument_is_not_repeated(run, arguments):
    assert KEY not in one_sentence(run(*arguments, stdin=bytes(100)))


@pytest.mark.parametrize(
    "arguments",
    [
        ("triage", ".", "--time-limit", "nan"),
        ("triage", ".", "--time-limit", "inf"),
        ("triage", ".", "--memory-limit", "99999999999999"),
        ("triage", ".", "--jobs", "99999999999"),
        ("serve", "--time-limit", "nan"),
        ("serve", "--memory-limit", "99999999999999"),
        ("serve", "--jobs", "100000"),
        ("simulate", "--idle-timeout", "nan"),
        ("simulate", "--buffer", "nan"),
        ("simulate", "--fault-after", "nan"),
        ("simulate", "--fault-after", "inf"),
        ("simulate", "--fault", "slow=nan"),
    ],
)
def test_what_is_no_number_within_its_bounds_is_refused(run, arguments):
    sentence = one_sentence(run(*arguments))
    assert "is not in the range" in sentence or "is a number from" in sentence
