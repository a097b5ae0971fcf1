import json
import subprocess

from sttdoctor.program import build_command


def test_the_same_package_runs_and_nothing_of_the_current_folder(tmp_path):
    (tmp_path / "sttdoctor").mkdir()
    for name in ("json.py", "click.py", "sttdoctor/__init__.py"):
        (tmp_path / name).write_text("raise SystemExit('a file of the current folder was run')")
    path = tmp_path / "s.jsonl"
    path.write_text('{"type":"session","schema":"sttdoctor.session/1"}\n{"type":"open","status":101}\n')
    command = build_command("sttdoctor.cli", "replay", str(path), "--format", "json", "--fail-on", "never")
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True)
    assert json.loads(done.stdout)["subject"]["path"] == str(path)
