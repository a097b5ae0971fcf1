"""What may import what: the direction of flow of docs/architecture.md, and a light command line."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest
from common import FIXTURES

import sttdoctor

ROOT = Path(sttdoctor.__file__).parent
HEAVY = {
    "numpy",
    "scipy",
    "matplotlib",
    "websockets",
    "joblib",
    "jinja2",
    "distributed",
    "rapidfuzz",
    "starlette",
    "uvicorn",
}


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT.parent).with_suffix("").parts).removesuffix(".__init__")


def imported(path: Path) -> set[str]:
    """Modules of the package that a file imports, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            names |= {name for name in whole if name in MODULES} or {node.module}
    return {name for name in names if name.split(".")[0] == "sttdoctor"}


MODULES = {module_name(path): path for path in sorted(ROOT.rglob("*.py"))}
GRAPH = {name: imported(path) for name, path in MODULES.items()}

EVIDENCE = (
    "sttdoctor.errors",
    "sttdoctor.encodings",
    "sttdoctor.evidence",
    "sttdoctor.redact",
    "sttdoctor.endpoints",
    "sttdoctor.literals",
)
TOOLS = tuple(f"sttdoctor.analysis.{tool}" for tool in ("decoding", "excerpt", "arrays"))
TOPICS = tuple(f"sttdoctor.analysis.{topic}" for topic in ("container", "encoding", "rate", "signal", "session"))
CHECKED = (*EVIDENCE, "sttdoctor.missing", "sttdoctor.sources", "sttdoctor.analysis")
LANGUAGE = "sttdoctor.values"
"""How a class is made, which knows nothing of what it holds: for every room."""
ALLOWED = {
    LANGUAGE: (),
    "sttdoctor.evidence": ("sttdoctor.encodings",),
    "sttdoctor.readers": (*EVIDENCE, "sttdoctor.readers"),
    **dict.fromkeys(TOOLS, (*EVIDENCE, *TOOLS)),
    **dict.fromkeys(TOPICS, (*EVIDENCE, *TOOLS, *TOPICS)),
    "sttdoctor.analysis": (),
    "sttdoctor.analysis.audio_facts": (*EVIDENCE, *TOOLS, *TOPICS),
    "sttdoctor.analysis.remedies": (*EVIDENCE, *TOOLS, *TOPICS),
    "sttdoctor.analysis.facts": CHECKED,
    "sttdoctor.checks": (*CHECKED, "sttdoctor.checks"),
    "sttdoctor.program": (),
    "sttdoctor.net": ("sttdoctor.errors",),
    "sttdoctor.record": (
        *EVIDENCE,
        "sttdoctor.program",
        "sttdoctor.readers",
        "sttdoctor.net",
        "sttdoctor.record",
    ),
    "sttdoctor.simulate": (
        *EVIDENCE,
        "sttdoctor.program",
        "sttdoctor.analysis",
        "sttdoctor.net",
        "sttdoctor.record",
        "sttdoctor.simulate",
    ),
    "sttdoctor.resend": (
        "sttdoctor",
        *EVIDENCE,
        "sttdoctor.readers.wire.tap",
        "sttdoctor.analysis",
        "sttdoctor.checks.base",
        "sttdoctor.report",
        "sttdoctor.listen",
        "sttdoctor.api",
        "sttdoctor.net",
        "sttdoctor.record",
        "sttdoctor.resend",
    ),
    "sttdoctor.report": ("sttdoctor", "sttdoctor.checks.base"),
    "sttdoctor.guides": (),
    "sttdoctor.reporting": (
        "sttdoctor",
        "sttdoctor.encodings",
        "sttdoctor.errors",
        "sttdoctor.outputs",
        "sttdoctor.report",
        "sttdoctor.checks.base",
        "sttdoctor.reporting",
    ),
    "sttdoctor.reporting.data": (
        *CHECKED,
        "sttdoctor.thresholds",
        "sttdoctor.checks",
        "sttdoctor.guides",
        "sttdoctor.listen",
        "sttdoctor.report",
        "sttdoctor.reporting.data",
    ),
    "sttdoctor.testing": (),
    "sttdoctor.testing.plugin": ("sttdoctor.errors", "sttdoctor.testing.fixture"),
    "sttdoctor.anonymize": EVIDENCE,
    "sttdoctor.thresholds": ("sttdoctor.errors",),
    "sttdoctor.outputs": ("sttdoctor.errors",),
    "sttdoctor.policy": (),
    "sttdoctor.errors": ("sttdoctor.redact",),
    "sttdoctor.missing": (),
    "sttdoctor.encodings": (),
    "sttdoctor.literals": (),
    "sttdoctor.sources": ("sttdoctor.encodings",),
    "sttdoctor.quirks": (),
    "sttdoctor.endpoints": ("sttdoctor.endpoints",),
    "sttdoctor.redact": ("sttdoctor.redact",),
    "sttdoctor.diagnosis": ("sttdoctor.analysis", "sttdoctor.checks", "sttdoctor.report"),
    "sttdoctor.comparison": ("sttdoctor.checks.base", "sttdoctor.report"),
    "sttdoctor.listen": (*CHECKED, "sttdoctor.outputs", "sttdoctor.report"),
    "sttdoctor.api": (
        *CHECKED,
        "sttdoctor.readers",
        "sttdoctor.thresholds",
        "sttdoctor.checks",
        "sttdoctor.diagnosis",
        "sttdoctor.report",
        "sttdoctor.listen",
    ),
    "sttdoctor.testing.fixture": (
        *EVIDENCE,
        "sttdoctor.outputs",
        "sttdoctor.readers",
        "sttdoctor.thresholds",
        "sttdoctor.policy",
        "sttdoctor.report",
        "sttdoctor.api",
        "sttdoctor.reporting",
        "sttdoctor.net",
        "sttdoctor.record",
        "sttdoctor.simulate",
    ),
    "sttdoctor.serve": (
        "sttdoctor",
        "sttdoctor.errors",
        "sttdoctor.encodings",
        "sttdoctor.program",
        "sttdoctor.net",
        "sttdoctor.outputs",
        "sttdoctor.reporting",
        "sttdoctor.triage",
        "sttdoctor.serve",
    ),
    "sttdoctor.triage": (
        "sttdoctor",
        "sttdoctor.program",
        *CHECKED,
        "sttdoctor.readers",
        "sttdoctor.checks",
        "sttdoctor.listen",
        "sttdoctor.report",
        "sttdoctor.api",
        "sttdoctor.outputs",
        "sttdoctor.reporting",
        "sttdoctor.triage",
    ),
}


DOORS = {"sttdoctor", "sttdoctor.__main__", "sttdoctor.cli"}
"""The interface for Python and the command line: they may import everything, as nothing that they import needs them."""


def within(name: str, room: str) -> bool:
    return name == room or (room != "sttdoctor" and name.startswith(room + "."))


def room_of(name: str) -> str | None:
    """The innermost room of a module."""
    return max((room for room in ALLOWED.keys() | DOORS if within(name, room)), key=len, default=None)


@pytest.mark.parametrize("room", ALLOWED)
def test_a_room_imports_only_from_the_rooms_before_it(room):
    inside = {name: names for name, names in GRAPH.items() if room_of(name) == room}
    assert inside
    wrong = {
        (name, other)
        for name, names in inside.items()
        for other in names
        if not any(within(other, allowed) for allowed in (LANGUAGE, *ALLOWED[room]))
    }
    assert wrong == set()


def test_every_module_is_in_one_room():
    """A new module needs a line in `ALLOWED` that says what it may import."""
    assert {name for name in MODULES if room_of(name) is None} == set()


def test_nothing_but_the_version_comes_from_the_front_door():
    """Where a room may import from `sttdoctor` itself: a constant, and not the interface that stands on that room."""
    other = [
        (name, alias.name)
        for name, path in MODULES.items()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module == "sttdoctor"
        for alias in node.names
        if f"sttdoctor.{alias.name}" not in MODULES and alias.name != "__version__"
    ]
    assert other == []


def test_checks_do_not_import_each_other():
    """A check is a module, or a package of its concepts."""
    package = "sttdoctor.checks"
    shared = {package, f"{package}.base", f"{package}.slow_sender"}
    links = {
        (name, other)
        for name, names in GRAPH.items()
        if within(name, package)
        for other in names
        if within(other, package) and other not in shared and name.split(".")[:3] != other.split(".")[:3]
    }
    assert links == set()


def test_only_the_command_line_knows_the_command_line():
    assert {name for name, names in GRAPH.items() if any(within(other, "sttdoctor.cli") for other in names)} <= {
        name for name in GRAPH if within(name, "sttdoctor.cli") or name == "sttdoctor.__main__"
    }


def modules_after(code: str) -> set[str]:
    program = f"import json, sys\n{code}\nprint('\\n' + json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    "code",
    [
        "import sttdoctor",
        "import sttdoctor.cli\nsys.argv = ['sttdoctor', '--help']\ntry: sttdoctor.cli.main()\nexcept SystemExit: pass",
    ],
)
def test_the_start_is_light(code):
    loaded = modules_after(code)
    assert "sttdoctor" in loaded
    assert not HEAVY & loaded


def test_a_check_of_audio_does_not_import_what_it_does_not_need():
    path = FIXTURES / "audio" / "s16-16k.raw"
    loaded = modules_after(f"import sttdoctor\nsttdoctor.check({str(path)!r}, encoding='pcm_s16le', sample_rate=16000)")
    assert "numpy" in loaded
    assert not {"scipy.signal", "scipy.stats", "matplotlib", "websockets", "jinja2", "rapidfuzz"} & loaded
