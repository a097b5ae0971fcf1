"""A report as one HTML file that people look at, listen to and send on: no network, no script.

Everything that comes from a capture is escaped (jinja2's autoescape), control and direction characters are written out,
long texts are cut, and the page forbids itself every script, style and request but its own.
"""

import base64
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sttdoctor import __version__
from sttdoctor.checks.base import Evidence
from sttdoctor.exhibits.values import Exhibits
from sttdoctor.renderers.escape import for_terminal
from sttdoctor.renderers.sheet import Drawing, drawings
from sttdoctor.renderers.text import place, sureness
from sttdoctor.renderers.words import clock
from sttdoctor.report import Diagnosis, Report

if TYPE_CHECKING:
    from jinja2 import Environment

WIDE, NARROW = 9.2, 4.2
"""Inches of a figure on a screen and on a phone; a point of its text is then about a CSS pixel."""
_LONGEST = 4_000
"""Characters of one text that are shown."""
_LONGEST_WHOLE = 60_000
"""Characters of the application's text that are shown once more as they are."""
_MOST_ROWS = 60

_STATUS_WORDS = {"pass": "pass", "warn": "warning", "fail": "fail", "unknown": "unknown", "not_applicable": "n/a"}
_KINDS = (
    ("missing", "in the events, not in the application's text"),
    ("repeated", "more than once in the application's text"),
    ("added", "in the application's text, in no final text near it"),
    ("changed", "spelt otherwise by the application: first as it should be, then as it is"),
    ("glued", "white space of the events is gone"),
    ("spaced", "white space that the events do not hold"),
)


def render(report: Report, *, exhibits: Exhibits) -> str:
    """Return the page.

    Args:
        report: The report.
        exhibits: What is shown and heard beside it.
    """
    environment = _environment()
    css = environment.loader.get_source(environment, "report.css")[0]  # type: ignore[union-attr]
    first = report.diagnoses[0] if report.diagnoses else None
    figures = {drawing.name: _pictured(drawing) for drawing in drawings(exhibits)}
    sections = dict(_sections(report, exhibits, figures))
    return environment.get_template("report.html.jinja").render(
        report=report,
        exhibits=exhibits,
        first=first,
        headline=first.summary if first else _all_well(report),
        figures=figures,
        facts=list(_facts(report, exhibits)),
        subject=list(_subject(report)),
        commands=list(_commands(report)),
        sections=list(sections.items()),
        see=_see(first, sections),
        tally=_tally(report),
        name=str(report.subject.get("path") or "the capture"),
        kinds=_KINDS,
        status_words=_STATUS_WORDS,
        version=__version__,
        css=_markup(css),
        style_hash=_markup("sha256-" + base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()),
    )


_SHOWN_IN = {
    "listen": ("Hear and see it", ("container", "encoding", "sample-rate", "channels", "signal")),
    "stream": ("See it on the clock", ("chunking", "pacing", "continuity", "drain", "turns", "latency", "server")),
    "transcript": ("See it in the transcript", ("joining",)),
}


def _see(first: Diagnosis | None, sections: Mapping[str, str]) -> tuple[str, str] | None:
    """The section, and words for it, that shows the first diagnosis."""
    check = first.cause.partition(".")[0] if first else ""
    found = ((name, words) for name, (words, checks) in _SHOWN_IN.items() if check in checks and name in sections)
    return next(found, None)


@lru_cache(maxsize=1)
def _environment() -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("sttdoctor.renderers"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_harmless,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "name": _name,
        "rows": _rows,
        "lines": _lines,
        "value": _value,
        "visible_space": _visible_space,
        "wav_uri": _wav_uri,
    }
    environment.globals |= {"clock": clock, "sureness": sureness, "where": _where}
    return environment


def _harmless(value: Any) -> Any:
    """Write control and direction characters out, and cut what is long; markup is the template's own."""
    if hasattr(value, "__html__") or not isinstance(value, str):
        return value
    return for_terminal(_cut(value))


def _cut(text: str, longest: int = _LONGEST) -> str:
    if len(text) <= longest:
        return text
    half = longest // 2
    return f"{text[:half]} [... {len(text) - 2 * half} characters left out ...] {text[-half:]}"


def _markup(text: str) -> Any:
    from markupsafe import Markup

    return Markup(text)


def _lines(text: str) -> Any:
    """A long text whose line breaks are kept; the page shows white space as it is."""
    from markupsafe import Markup, escape

    return Markup("\n").join(escape(for_terminal(line)) for line in _cut(text, _LONGEST_WHOLE).split("\n"))


def _visible_space(text: str) -> str:
    """Text whose white space is the point: an open box for each space, words for nothing at all."""
    return text.replace(" ", "\u2423") if text else "nothing"


def _wav_uri(wav: bytes) -> Any:
    return _markup("data:audio/wav;base64," + base64.b64encode(wav).decode())


def _where(evidence: Evidence) -> str:
    """Where a piece of evidence stands, without what it says."""
    return place(Evidence("", evidence.line, evidence.t, evidence.offset)).removesuffix(": ")


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _rows(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Measurements as rows; one that holds several is a row of its parts, without those that are nothing."""
    rows = [
        (key, "; ".join(f"{name}: {_value(part)}" for name, part in value.items() if part))
        if isinstance(value, Mapping)
        else (key, _value(value))
        for key, value in values.items()
        if value is not None
    ]
    return rows if len(rows) <= _MOST_ROWS else [*rows[:_MOST_ROWS], ("and more", str(len(rows) - _MOST_ROWS))]


def _name(text: str) -> Any:
    """A name that may break where its parts end, and nowhere else."""
    from markupsafe import Markup, escape

    plain = str(escape(for_terminal(_cut(text))))  # a Markup would escape what is put between its parts
    return Markup(re.sub(r"([._])", r"\1<wbr>", plain))


def _all_well(report: Report) -> str:
    if report.status == "pass":
        judged = sum(check.status == "pass" for check in report.checks)
        return f"Nothing is wrong: {judged} {'check passes' if judged == 1 else 'checks pass'}."
    return "This capture does not hold enough to judge; each answer below says what to capture."


def _tally(report: Report) -> str:
    counts = {status: sum(check.status == status for check in report.checks) for status in _STATUS_WORDS}
    words = {"pass": "pass", "warn": "warn", "fail": "fail", "unknown": "cannot be judged", "not_applicable": "n/a"}
    return f"{len(report.checks)} checks: " + ", ".join(f"{n} {words[status]}" for status, n in counts.items() if n)


def _facts(report: Report, exhibits: Exhibits) -> Iterator[tuple[str, str]]:
    subject = report.subject
    declared, estimated = subject["declared"], subject["estimated"]
    yield "Declared", _format(declared["encoding"], [declared["sample_rate"]]) or "nothing"
    yield "Sounds like", _format(estimated["encoding"], estimated["sample_rates"] or []) or "cannot be told"
    if exhibits.waveform is not None:
        yield "Audio", clock(exhibits.waveform.duration_s)
    if subject.get("duration_s") is not None:
        yield "Session", clock(subject["duration_s"])
    if subject["kind"] == "session":
        yield "Finished turns", str(len(subject["transcript"]["turns"]))


def _format(encoding: str | None, rates: list[int | None]) -> str:
    known = [str(rate) for rate in rates if rate]
    parts = [encoding or "", f"{' or '.join(known)} Hz" if known else ""]
    return " at ".join(part for part in parts if part)


def _subject(report: Report) -> Iterator[tuple[str, str]]:
    names = {
        "path": "File",
        "bytes": "Bytes",
        "started_at": "Started at",
        "client": "Client",
        "request_ids": "Request ids",
    }
    for key, name in names.items():
        value = report.subject.get(key)
        if value:
            yield name, ", ".join(map(str, value[:20])) if isinstance(value, list) else str(value)
    capture = report.subject.get("capture")
    if capture:
        yield "Captured by", str(capture["source"] or "not told")
        yield "Clock", str(capture["clock"])
        yield "Cannot hold", ", ".join(capture["lacks"]) or "nothing that matters"
        if capture["damaged_lines"]:
            notes = "; ".join(f"line {item['line']}: {item['note']}" for item in capture["damage"])
            yield "Damaged lines", f"{capture['damaged_lines']} ({notes})"


def _commands(report: Report) -> Iterator[tuple[str, str]]:
    """Commands that run as they stand; one that would have to be escaped would not."""
    words = {"convert": "The bytes", "declared": "As declared", "estimated": "As we believe it is"}
    listen = report.listen
    for key, name in words.items():
        command = listen.get(key)
        same = key == "estimated" and command == listen.get("declared")
        if command and not same and for_terminal(command) == command:
            yield name, command


def _sections(report: Report, exhibits: Exhibits, figures: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "questions", "Questions"
    yield "listen", "Listen"
    if "stream" in figures or "latency" in figures:
        yield "stream", "Clock"
    if exhibits.wording is not None:
        yield "transcript", "Transcript"
    if report.against is not None:
        yield "against", "Against"
    yield "capture", "Capture"


@dataclass(frozen=True, slots=True)
class _Picture:
    """A drawing as SVG for a wide and for a narrow page."""

    name: str
    title: str
    words: str
    wide: Any
    narrow: Any


def _pictured(drawing: Drawing) -> _Picture:
    from matplotlib.figure import Figure

    from sttdoctor.renderers.inline_svg import STAND_INS, inline

    forms = []
    for name, size in (("w", (WIDE, drawing.height)), ("n", (NARROW, drawing.narrow_height))):
        figure = Figure(figsize=size)
        drawing.draw(figure, STAND_INS, name == "w")
        forms.append(_markup(inline(figure, f"{drawing.name}-{name}")))
    return _Picture(drawing.name, drawing.title, drawing.words, *forms)
