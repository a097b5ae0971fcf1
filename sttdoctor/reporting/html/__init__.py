"""A report as one HTML file that people look at, listen to and send on: no network, no script.

Everything that comes from a capture is escaped (jinja2's autoescape), control and direction characters are written out,
long texts are cut, and the page forbids itself every script, style and request but its own.

"""

import base64
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sttdoctor import __version__
from sttdoctor.checks.base import Evidence, count_noun
from sttdoctor.report import Diagnosis, Report
from sttdoctor.reporting import phrases
from sttdoctor.reporting.captions import format_clock
from sttdoctor.reporting.data.values import Exhibits
from sttdoctor.reporting.escape import break_name, cut, for_page, for_terminal
from sttdoctor.reporting.figures.sheet import Drawing, drawings
from sttdoctor.reporting.html.measured import list_measured
from sttdoctor.reporting.phrases import (
    STATUS,
    answer,
    describe_sureness,
    get_tally,
    group_answers,
    list_commands,
    list_compared,
    place,
)
from sttdoctor.values import immutable

if TYPE_CHECKING:
    from jinja2 import Environment

WIDE, NARROW = 9.2, 4.2
"""Inches of a figure on a screen and on a phone; a point of its text is then about a CSS pixel."""
_LONGEST_WHOLE = 60_000
"""Characters of the application's text that are shown once more as they are."""

_KINDS = (
    ("missing", "missing", "in the events, not in the application's text"),
    ("repeated", "repeated", "more than once in the application's text"),
    ("added", "added", "in the application's text, in no final text near it"),
    ("changed", "changed", "spelt otherwise by the application: first as it should be, then as it is"),
    ("glued", "no space", "white space of the events is gone"),
    ("spaced", "extra space", "white space, or a line break, that the events do not hold"),
)
"""Kind of a `Piece`, what the page calls it, what it means."""

STATUS_WORDS = {"pass": "pass", "warn": "warning", "fail": "fail", "unknown": "unknown", "not_applicable": "n/a"}

_SHOWN_IN = {
    "listen": ("Hear and see it", ("container", "encoding", "sample-rate", "channels", "signal")),
    "stream": ("See it on the clock", ("chunking", "pacing", "continuity", "drain", "turns", "latency", "server")),
    "transcript": ("See it in the transcript", ("joining",)),
}


def render(report: Report, *, exhibits: Exhibits) -> str:
    """Return the page.

    Args:
        report: The report.
        exhibits: What is shown and heard beside it.
    """
    environment = _load_environment()
    css = load_style()
    first = report.diagnoses[0] if report.diagnoses else None
    figures = {drawing.name: _draw_both(drawing) for drawing in drawings(exhibits)}
    linked = dict(_list_sections(report, exhibits, figures))
    see = _see(first, linked, exhibits)
    if see is not None:  # what proves the first cause stands under it
        linked = {see[0]: linked[see[0]], **linked}
    groups = group_answers(report, brief=False)
    told = [group for group in groups if group.status not in ("pass", "not_applicable")]
    page = environment.get_template("report.html.jinja").render(
        report=report,
        exhibits=exhibits,
        first=first,
        headline=first.summary if first else answer(report),
        answer=answer(report),
        figures=figures,
        facts=list(_list_facts(report, exhibits)),
        subject=list(_list_subject(report, exhibits)),
        commands=[(what.capitalize(), command) for what, command in list_commands(report)],
        linked=linked,
        see=see,
        groups=sorted(told, key=lambda group: list(STATUS).index(group.status)),
        passed=[group for group in groups if group not in told],
        passed_words=_count_passed(report),
        tally=get_tally(report),
        doubled=_get_doubled(report),
        name=os.path.basename(str(report.subject.get("path") or "")) or "the capture",
        roots=_find_roots(report),
        compared=list_compared(report),
        explained={cause for about in exhibits.explanations for cause in about.causes},
        kinds=_KINDS,
        labels={kind: label for kind, label, _ in _KINDS},
        status_words=STATUS_WORDS,
        version=__version__,
        css=_mark_safe(css),
        style_hash=_mark_safe(hash_style(css)),
    )
    # pure ASCII: no terminal, pipe or mail gateway can spoil it
    return page.encode("ascii", "xmlcharrefreplace").decode("ascii")


def load_style() -> str:
    """Return the style sheet of the page."""
    environment = _load_environment()
    return str(environment.loader.get_source(environment, "report.css")[0])  # type: ignore[union-attr]


def hash_style(css: str) -> str:
    """Return a style sheet's hash as a Content-Security-Policy names it."""
    return "sha256-" + base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()


@lru_cache(maxsize=1)
def _load_environment() -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("sttdoctor.reporting.html"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=for_page,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "name": break_name,
        "measured": list_measured,
        "lines": _keep_lines,
        "value": _format_value,
        "visible_space": _show_space,
        "wav_uri": _make_wav_uri,
    }
    environment.globals |= {"clock": format_clock, "sureness": describe_sureness, "where": _tell_place}
    return environment


def _mark_safe(text: str) -> Any:
    from markupsafe import Markup

    return Markup(text)


def _keep_lines(text: str) -> Any:
    """A long text whose line breaks are kept; the page shows white space as it is."""
    from markupsafe import Markup, escape

    return Markup("\n").join(escape(for_terminal(line)) for line in cut(text, _LONGEST_WHOLE).split("\n"))


def _show_space(text: str) -> str:
    """Text whose white space is the point: an open box for each space, words for nothing at all."""
    return text.replace(" ", "\u2423") if text else "nothing"


def _make_wav_uri(wav: bytes) -> Any:
    return _mark_safe("data:audio/wav;base64," + base64.b64encode(wav).decode())


def _tell_place(evidence: Evidence) -> str:
    """Where a piece of evidence stands, without what it says."""
    return place(Evidence("", evidence.line, evidence.t, evidence.offset)).removesuffix(": ")


def _format_value(value: Any) -> str:
    """A value that differs in words; names that stand in a list without brackets and quotes."""
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ", ".join(value) or "none"
    return value if isinstance(value, str) else json.dumps(value)


@immutable
class _Picture:
    """A drawing as SVG for a wide and for a narrow page."""

    name: str
    title: str
    words: str
    wide: Any
    narrow: Any


def _draw_both(drawing: Drawing) -> _Picture:
    from matplotlib.figure import Figure

    from sttdoctor.reporting.figures.pictures import STAND_INS, inline

    forms = []
    for name, size in (("w", (WIDE, drawing.height)), ("n", (NARROW, drawing.narrow_height))):
        figure = Figure(figsize=size)
        drawing.draw(figure, STAND_INS, name == "w")
        forms.append(_mark_safe(inline(figure, f"{drawing.name}-{name}")))
    return _Picture(drawing.name, drawing.title, drawing.words, *forms)


def _list_facts(report: Report, exhibits: Exhibits) -> Iterator[tuple[str, str]]:
    """Return what a reader wants to know at once, as (name, value)."""
    subject = report.subject
    yield "Declared", phrases.describe_declared(report)
    if phrases.describe_detected(report):
        yield "Found", phrases.describe_detected(report).removeprefix("is ")
    if exhibits.waveform is not None:
        yield "Audio", format_clock(exhibits.waveform.duration_s)
    if subject.get("duration_s") is not None:
        yield "Session", format_clock(subject["duration_s"])
    if subject["kind"] == "session":
        yield "Finished turns", str(len(subject["transcript"]["turns"]))


def _list_subject(report: Report, exhibits: Exhibits) -> Iterator[tuple[str, str]]:
    """Return what was examined, as (name, value)."""
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
    if exhibits.no_sound:
        yield "Sound", exhibits.no_sound
    if exhibits.made_at:
        yield "Report made", f"{exhibits.made_at}, by sttdoctor {__version__}"
    capture = report.subject.get("capture")
    if capture:
        yield "Captured by", str(capture["source"] or "not told")
        yield "Clock", str(capture["clock"])
        yield "Cannot hold", ", ".join(capture["lacks"]) or "nothing that matters"
        if capture["damaged_lines"]:
            notes = "; ".join(f"line {item['line']}: {item['note']}" for item in capture["damage"])
            yield "Damaged lines", f"{capture['damaged_lines']} ({notes})"


def _find_roots(report: Report) -> dict[str, tuple[str, str]]:
    """Cause that was found to the diagnosis that it belongs to, as (anchor on the page, cause)."""
    return {
        cause: (f"diagnosis-{number}" if number > 1 else "diagnosis", diagnosis.cause)
        for number, diagnosis in enumerate(report.diagnoses, start=1)
        for cause in (diagnosis.cause, *diagnosis.explains)
    }


def _get_doubled(report: Report) -> str:
    """What appending every update would give, where the application's text is not known and this is another one."""
    joining = next((check for check in report.checks if check.id == "joining"), None)
    return (joining.measurements.get("updates_joined") or "") if joining is not None else ""


def _count_passed(report: Report) -> str:
    """Say how many checks passed, and how many do not apply, with their names."""
    parts = []
    for status, words in (("pass", "passed"), ("not_applicable", "not applicable")):
        names = [check.id for check in report.checks if check.status == status]
        if names:
            parts.append(f"{count_noun(len(names), 'check')} {words}: {', '.join(names)}")
    return "; ".join(parts)


def _list_sections(report: Report, exhibits: Exhibits, figures: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Return (id, title) of the sections that the page has, for its navigation."""
    yield "questions", "Questions"
    if exhibits.excerpt is not None or not {"waveform", "odds"}.isdisjoint(figures):
        yield "listen", "Listen" if exhibits.excerpt is not None else "The audio"
    if "stream" in figures or "latency" in figures:
        yield "stream", "Clock"
    if exhibits.wording is not None:
        yield "transcript", "Transcript"
    if report.against is not None:
        yield "against", "Against"
    if exhibits.explanations:
        yield "causes", "Causes"
    yield "capture", "Capture"


def _see(first: Diagnosis | None, sections: Mapping[str, str], exhibits: Exhibits) -> tuple[str, str] | None:
    """The section, and words for it, that shows the first diagnosis; None where there is nothing to hear or see."""
    check = first.cause.partition(".")[0] if first else ""
    shown = set(sections) - (set() if exhibits.excerpt is not None else {"listen"})
    return next(
        ((name, words) for name, (words, checks) in _SHOWN_IN.items() if check in checks and name in shown), None
    )
