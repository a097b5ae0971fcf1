"""Settings of a project: which file is found, what it may say, and what is told of it."""

import json

import pytest
from command_lines import DECLARED, ENCODING_ONLY, HEALTHY, ROWS
from common import one_sentence

from sttdoctor.cli.config import find_config, load_config
from sttdoctor.errors import InputError, UsageError

LIMIT = "[chunking]\nwarn_ms = 30\nfail_ms = 40\n"
SHARED = "[tool.sttdoctor.chunking]\nwarn_ms = 30\nfail_ms = 40\n"


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A repository with a folder in which the command runs, and a capture there."""
    (tmp_path / "project" / ".git").mkdir(parents=True)
    folder = tmp_path / "project" / "calls"
    write(folder / "call.jsonl", ROWS)
    monkeypatch.chdir(folder)
    return tmp_path / "project"


@pytest.mark.parametrize(
    "text",
    [
        "[pacing]\nbacklog_fail_s = 5\n[sample-rate]\nfail_below = 0.1",
        "pacing.backlog_fail_s = 5.0\nsample-rate.fail_below = 0.1\n",
        '"pacing.backlog_fail_s" = 5\r\n"sample-rate.fail_below" = 0.1',
        b"\xef\xbb\xbf[pacing]\nbacklog_fail_s = 5\n[sample-rate]\nfail_below = 0.1",
    ],
)
def test_a_file_holds_tables_or_dotted_names(tmp_path, text):
    config = load_config(str(write(tmp_path / "limits.toml", text)))
    assert config.thresholds == {"pacing.backlog_fail_s": 5.0, "sample-rate.fail_below": 0.1}
    assert not config.is_found and not config.options


@pytest.mark.parametrize("ids", ['["language", "latency"]', '"language,latency"'])
@pytest.mark.parametrize("name", ["fail-on", "fail_on"])
def test_a_file_holds_what_is_judged_too(tmp_path, ids, name):
    config = load_config(str(write(tmp_path / "x.toml", f'ignore = {ids}\n{name} = "never"\n')))
    assert config.options == {"ignore": "language,latency", "fail_on": "never"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[pacing]\nbacklog_fial_s = 5", r"did you mean pacing\.backlog_fail_s"),
        ("backlog_fail_s = 5", r"there is no setting 'backlog_fail_s'; did you mean pacing\.backlog_fail_s"),
        ("[pacing.more]\nbacklog_fail_s = 5", r"unknown threshold 'pacing\.more'"),
        ('ignroe = ["language"]', "did you mean ignore"),
        ("pacing = 3", r"write \[pacing\] and below it, for instance, .* = "),
        ('ignore = ["langage"]', "did you mean language"),
        ("ignore = 5", "takes a list of checks"),
        ("select = [5]", "takes a list of checks"),
        ('fail-on = "warning"', "did you mean warn"),
        ("fail-on = 5", "there are fail, warn, unknown, never"),
        *(
            (f"[pacing]\nbacklog_fail_s = {value}", "takes a number")
            for value in ("true", "[5]", "{ a = 5 }", "nan", "inf", "-1", "2026-01-01", "1" + 400 * "0")
        ),
    ],
)
def test_a_setting_that_makes_no_sense_is_told_with_its_file(tmp_path, text, says):
    with pytest.raises(UsageError, match=rf"x\.toml: .*{says}"):
        load_config(str(write(tmp_path / "x.toml", text)))


@pytest.mark.parametrize("text", ["[pacing", b"\xff\xfe", "x = " + "[" * 5000, "x = " + "1" * 5000, "a = 1\na = 2"])
def test_what_is_not_toml_is_an_input_error(tmp_path, text):
    with pytest.raises(InputError, match="is not TOML"):
        load_config(str(write(tmp_path / "x.toml", text)))


@pytest.mark.parametrize("name", ["missing.toml", ""])
def test_a_file_that_cannot_be_read_is_an_input_error(tmp_path, name):
    with pytest.raises(InputError, match="cannot read"):
        load_config(str(tmp_path / name))


def test_a_file_without_an_end_is_refused(tmp_path):
    with pytest.raises(InputError, match="longer than 1 MiB"):
        load_config(str(write(tmp_path / "x.toml", "#" * ((1 << 20) + 1))))


@pytest.mark.parametrize(
    ("where", "name", "text"),
    [
        ("calls", "sttdoctor.toml", LIMIT),
        (".", "sttdoctor.toml", LIMIT),
        ("calls", "pyproject.toml", SHARED),
        (".", "pyproject.toml", SHARED),
    ],
)
def test_settings_of_the_project_are_found_from_its_folders_and_told(run, project, where, name, text):
    write(project / where / name, text)
    judge = ("replay", "call.jsonl", "--select", "chunking")
    done = run(*judge)
    told = name if where == "calls" else f"../{name}"
    assert (done.code, done.err) == (1, f"settings from {told} (--no-config leaves them out)\n")
    left_out = run(*judge, "--no-config")
    assert (left_out.code, left_out.err) == (0, "")


def test_the_nearest_settings_count_and_an_own_file_comes_before_the_shared_one(project):
    write(project / "sttdoctor.toml", "pacing.min_s = 1")
    write(project / "calls" / "pyproject.toml", "[project]\nname = 'sttdoctor-calls'\n")
    assert find_config(str(project / "calls")).path == "../sttdoctor.toml"
    write(project / "calls" / "pyproject.toml", "[tool.sttdoctor]\npacing.min_s = 2")
    assert find_config(str(project / "calls")).path == "pyproject.toml"
    write(project / "calls" / "sttdoctor.toml", "pacing.min_s = 3")
    assert find_config(str(project / "calls")).thresholds == {"pacing.min_s": 3.0}


def test_nothing_above_the_root_of_a_repository_or_outside_of_one_is_read(project, tmp_path):
    write(tmp_path / "sttdoctor.toml", "broken")
    assert find_config(str(project / "calls")).path is None
    (tmp_path / "loose").mkdir()
    assert find_config(str(tmp_path / "loose")).path is None


@pytest.mark.usefixtures("project")
def test_settings_beside_a_capture_that_somebody_sent_are_not_read(run, tmp_path):
    sent = write(tmp_path / "sent" / "call.jsonl", ROWS)
    write(tmp_path / "sent" / "sttdoctor.toml", LIMIT)
    done = run("replay", sent, "--select", "chunking")
    assert (done.code, done.err) == (0, "")


def test_another_tools_broken_file_is_no_concern_of_ours(run, project):
    for content in (b"[project\xff", "[project\n"):
        write(project / "pyproject.toml", content)
        assert run("replay", "call.jsonl", "--select", "chunking").code == 0


def test_the_command_line_wins_over_a_named_file_and_that_over_a_found_one(run, project):
    write(project / "sttdoctor.toml", 'select = ["drain"]\nfail-on = "never"\n' + LIMIT)
    named = write(project / "limits.toml", LIMIT)

    def checks(*more):
        report = json.loads(run("replay", "call.jsonl", "--format", "json", *more).out)
        return [check["id"] for check in report["checks"]]

    assert checks() == ["drain"]
    assert checks("--select", "chunking") == ["chunking"]
    assert run("replay", "call.jsonl", "--select", "chunking").code == 0
    assert run("replay", "call.jsonl", "--select", "chunking", "--fail-on", "fail").code == 1
    assert len(checks("--config", named)) > 1
    limits = ("--set", "chunking.warn_ms=300", "--set", "chunking.fail_ms=400", "--fail-on", "warn")
    assert run("replay", "call.jsonl", "--select", "chunking", *limits).code == 0


def test_wrong_settings_are_one_sentence(run, project):
    write(project / "sttdoctor.toml", "[pacing]\nbacklog_fial_s = 5\n")
    said = one_sentence(run("check", HEALTHY, *DECLARED, *ENCODING_ONLY))
    assert said == "../sttdoctor.toml: unknown threshold 'pacing.backlog_fial_s'; did you mean pacing.backlog_fail_s?"


def test_a_folder_or_a_shared_file_without_a_table_is_not_passed_over(tmp_path):
    (tmp_path / "sttdoctor.toml").mkdir()
    with pytest.raises(InputError, match=r"sttdoctor\.toml is no file"):
        find_config(str(tmp_path))
    (tmp_path / "sttdoctor.toml").rmdir()
    write(tmp_path / "pyproject.toml", "[tool]\nsttdoctor = 5")
    with pytest.raises(UsageError, match=r"tool\.sttdoctor is no table"):
        find_config(str(tmp_path))
    write(tmp_path / "pyproject.toml", "[tool.sttdoctor]\n".encode("utf-16"))
    with pytest.raises(InputError, match="is not text"):
        find_config(str(tmp_path))
