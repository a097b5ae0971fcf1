"""Files that a command writes: whole or not at all, and over nothing else unless that is asked for."""

import os
import stat
import subprocess
import threading

import pytest
from command_lines import DECLARED, FAULTY, HEALTHY, TOOL, WITH_AUDIO
from common import one_sentence
from disk import small_files

from sttdoctor.errors import InputError, UsageError
from sttdoctor.outputs import check_spared, write_whole

OLD = b"what was there before"


def files(folder):
    return sorted(path.name for path in folder.iterdir())


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "report.txt"


def write(path, content=b"new", **options):
    with write_whole(path, **options) as file:
        file.write(content)


def test_a_file_stands_under_its_name_when_it_is_whole_and_not_before(path, tmp_path):
    with write_whole(path) as file:
        file.write(b"new")
        file.flush()
        assert not path.exists()
    assert path.read_bytes() == b"new" and files(tmp_path) == ["report.txt"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("force", [True, False])
def test_what_is_not_finished_leaves_nothing_and_what_was_there(path, tmp_path, error, force):
    def fail():
        with write_whole(path, force) as file:
            file.write(b"half")
            raise error

    with pytest.raises(error):
        fail()
    assert files(tmp_path) == []
    path.write_bytes(OLD)
    with pytest.raises(error):
        fail()
    assert files(tmp_path) == ["report.txt"] and path.read_bytes() == OLD


def test_a_file_that_is_there_is_written_over_only_by_force(path, tmp_path):
    path.write_bytes(OLD)
    with pytest.raises(UsageError, match="exists; --force writes over it"):
        write(path)
    assert path.read_bytes() == OLD
    write(path, force=True)
    assert path.read_bytes() == b"new" and files(tmp_path) == ["report.txt"]


def test_an_empty_file_and_the_same_content_are_no_loss(path):
    path.write_bytes(b"")
    write(path)
    write(path)
    assert path.read_bytes() == b"new"


def test_a_link_is_followed_only_by_force_and_stays_a_link(path, tmp_path):
    target = tmp_path / "elsewhere"
    path.symlink_to(target)
    for content in (None, OLD, b""):
        if content is not None:
            target.write_bytes(content)
        with pytest.raises(UsageError, match=r"is a link to .*elsewhere; --force writes there"):
            write(path)
        assert not target.exists() if content is None else target.read_bytes() == content
    write(path, force=True)
    assert path.is_symlink() and target.read_bytes() == b"new"


def test_permissions_are_those_of_the_file_before_or_as_the_umask_has_it(path):
    before = os.umask(0o027)
    try:
        write(path)
        assert mode_of(path) == 0o640
        path.chmod(0o604)
        write(path, b"other", force=True)
        assert mode_of(path) == 0o604
        write(path, b"speech", force=True, private=True)
        assert mode_of(path) == 0o600
    finally:
        os.umask(before)


def test_pipes_and_devices_are_written_to_as_they_are(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    read = []
    reader = threading.Thread(target=lambda: read.append((tmp_path / "pipe").read_bytes()))
    reader.start()
    write(tmp_path / "pipe")
    reader.join()
    assert read == [b"new"]
    write("/dev/null")
    with pytest.raises(InputError, match="cannot write /dev/full: No space left on device"):
        write("/dev/full", bytes(100_000))


@pytest.mark.parametrize(("name", "says"), [("", "Is a directory"), ("missing/r.txt", "there is no directory")])
def test_what_cannot_be_written_is_told_before_any_work(tmp_path, name, says):
    for attempt in (lambda: check_spared((str(tmp_path / name),), (), False), lambda: write(tmp_path / name)):
        with pytest.raises(InputError, match=says):
            attempt()


def test_inputs_and_other_outputs_are_spared_even_by_force(path, tmp_path):
    path.write_bytes(OLD)
    (tmp_path / "link").symlink_to(path)
    os.link(path, tmp_path / "name")
    for output in (path, tmp_path / "link", tmp_path / "name"):
        with pytest.raises(UsageError, match="is an input"):
            check_spared((None, str(output)), (None, "-", str(path)), force=True)
    with pytest.raises(UsageError, match="is to be written twice"):
        check_spared((str(path), str(tmp_path / "." / "report.txt")), (), force=True)
    check_spared((str(path), None, "/dev/stdout", "/dev/stdout"), (), force=False)


WRITES = {
    "report.txt": ("check", FAULTY, *DECLARED, "-o"),
    "report.json": ("check", FAULTY, *DECLARED, "-o"),
    "report.html": ("check", FAULTY, *DECLARED, "-o"),
    "figures.png": ("check", FAULTY, *DECLARED, "--plot"),
    "figures.pdf": ("check", FAULTY, *DECLARED, "--plot"),
    "sound.wav": ("check", FAULTY, *DECLARED, "--wav"),
    "session.jsonl": ("convert", WITH_AUDIO, "-o"),
    "sound.raw": ("convert", WITH_AUDIO, "-o"),
}


@pytest.mark.parametrize("name", WRITES)
def test_no_command_writes_over_a_file_or_through_a_link_unless_it_is_asked_to(run, tmp_path, monkeypatch, name):
    # a page tells the minute in which it was made
    monkeypatch.setattr("sttdoctor.reporting.data.collect.tell_now", lambda: "2026-01-01 00:00 UTC")
    path, target = tmp_path / name, tmp_path / "target"
    path.write_bytes(OLD)
    assert f"{name} exists; --force writes over it" in one_sentence(run(*WRITES[name], path))
    assert path.read_bytes() == OLD and files(tmp_path) == [name]
    assert run(*WRITES[name], path, "--force").code != 2
    made = path.read_bytes()
    assert made != OLD
    assert run(*WRITES[name], path).code != 2  # the same content is no loss
    assert path.read_bytes() == made
    path.unlink()
    path.symlink_to(target)
    assert f"{name} is a link to" in one_sentence(run(*WRITES[name], path))
    assert files(tmp_path) == [name]
    assert mode_of(tmp_path) & 0o700 and run(*WRITES[name], path, "--force").code != 2
    assert target.read_bytes() == made


@pytest.mark.parametrize("name", ["sound.wav", "session.jsonl", "sound.raw"])
def test_what_was_said_is_for_the_owner_alone(run, tmp_path, name):
    run(*WRITES[name], tmp_path / name)
    assert mode_of(tmp_path / name) == 0o600


@pytest.mark.parametrize("name", WRITES)
def test_a_full_disk_leaves_the_file_of_before_and_no_part_of_the_new_one(run, tmp_path, name):
    path = tmp_path / name
    path.write_bytes(OLD)
    with small_files(300):
        done = run(*WRITES[name], path, "--force")
    assert f"cannot write {path}: File too large" in one_sentence(done)
    assert path.read_bytes() == OLD and files(tmp_path) == [name]


def test_the_configuration_is_an_input(run, tmp_path):
    config = tmp_path / "limits.md"
    config.write_text("[pacing]\nmin_s = 5\n")
    assert "is an input" in one_sentence(run("check", HEALTHY, "--config", config, "-o", config, "--force"))
    config = config.rename(tmp_path / "limits.csv")
    assert "is an input" in one_sentence(run("triage", HEALTHY, "--config", config, "-o", config, "--force"))
    assert config.read_text().startswith("[pacing]")


def test_standard_output_has_a_name():
    done = subprocess.run([*TOOL, "convert", WITH_AUDIO, "-o", "/dev/stdout"], capture_output=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"") and done.stdout.startswith(b'{"type":')
