import ctypes
import json
import subprocess
from types import SimpleNamespace

from sttdoctor.program import build_command, keep_memory


def test_the_same_package_runs_and_nothing_of_the_current_folder(tmp_path):
    (tmp_path / "sttdoctor").mkdir()
    for name in ("json.py", "click.py", "sttdoctor/__init__.py"):
        (tmp_path / name).write_text("raise SystemExit('a file of the current folder was run')")
    path = tmp_path / "s.jsonl"
    path.write_text('{"type":"session","schema":"sttdoctor.session/1"}\n{"type":"open","status":101}\n')
    command = build_command("sttdoctor.cli", "replay", str(path), "--format", "json", "--fail-on", "never")
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True)
    assert json.loads(done.stdout)["subject"]["path"] == str(path)


def test_the_c_library_is_told_to_keep_memory_and_need_not_listen(monkeypatch):
    told = []
    monkeypatch.setattr(ctypes, "CDLL", lambda _: SimpleNamespace(mallopt=lambda *option: told.append(option)))
    keep_memory()
    assert [option for option, _ in told] == [-1, -3] and min(size for _, size in told) >= 1 << 20
    monkeypatch.setattr(ctypes, "CDLL", lambda _: SimpleNamespace())
    keep_memory()
