"""The command as a process: signals, pipes, a full disk, streams that are closed."""

import os
import signal
import subprocess

import pytest
from command_lines import DECLARED, ENCODING_ONLY, FAULTY, HEALTHY, TOOL


def test_a_signal_interrupts_a_process_without_a_traceback():
    process = subprocess.Popen([*TOOL, "check", "-"], stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(bytes(1 << 20))  # more than a pipe holds: it is reading by then
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130 and b"Traceback" not in err


def shell(line: str, *arguments: object, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run a shell line in which "$@" stands for `python -m sttdoctor ARGUMENTS`."""
    command = ["sh", "-c", line, "sh", *TOOL, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, env={**os.environ, **environment}, timeout=60)


def test_a_reader_that_leaves_early_changes_nothing_about_the_verdict():
    line = '{ "$@"; echo $? >&2; } | true'
    done = shell(line, "check", FAULTY, *DECLARED, *ENCODING_ONLY, "-v")
    assert done.stderr.strip() == b"1"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
def test_a_full_disk_is_told():
    done = shell('"$@" >/dev/full', "check", HEALTHY, *DECLARED, *ENCODING_ONLY)
    assert done.returncode == 2 and done.stderr == b"sttdoctor: cannot write standard output: No space left on device\n"


def test_closed_standard_streams_are_survived():
    done = shell('"$@" >&- <&-', "check", FAULTY, *DECLARED, *ENCODING_ONLY)
    assert (done.returncode, done.stderr) == (1, b"")


def test_standard_output_that_is_not_utf_8(tmp_path):
    path = tmp_path / "Zürich \udcff.raw"
    path.write_bytes(HEALTHY.read_bytes())
    done = shell('"$@"', "check", path, *DECLARED, *ENCODING_ONLY, PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"Z\\xfcrich \\udcff.raw" in done.stdout
