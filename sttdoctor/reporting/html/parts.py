"""What stands where on the page of a report, as plain values; the template lays it out."""

from collections.abc import Iterator, Mapping
from typing import Any

from sttdoctor.report import Diagnosis, Report
from sttdoctor.reporting import phrases
from sttdoctor.reporting.captions import clock
from sttdoctor.reporting.data.values import Exhibits

STATUS_WORDS = {"pass": "pass", "warn": "warning", "fail": "fail", "unknown": "unknown", "not_applicable": "n/a"}

_SHOWN_IN = {
    "listen": ("Hear and see it", ("container", "encoding", "sample-rate", "channels", "signal")),
    "stream": ("See it on the clock", ("chunking", "pacing", "continuity", "drain", "turns", "latency", "server")),
    "transcript": ("See it in the transcript", ("joining",)),
}


def facts(report: Report, exhibits: Exhibits) -> Iterator[tuple[str, str]]:
    """Return what a reader wants to know at once, as (name, value)."""
    subject = report.subject
    yield "Declared", phrases.declared(report)
    if phrases.heard(report):
        yield "Found", phrases.heard(report).removeprefix("is ")
    if exhibits.waveform is not None:
        yield "Audio", clock(exhibits.waveform.duration_s)
    if subject.get("duration_s") is not None:
        yield "Session", clock(subject["duration_s"])
    if subject["kind"] == "session":
        yield "Finished turns", str(len(subject["transcript"]["turns"]))


def subject_rows(report: Report, exhibits: Exhibits) -> Iterator[tuple[str, str]]:
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
        yield "AudioFacts", exhibits.no_sound
    capture = report.subject.get("capture")
    if capture:
        yield "Captured by", str(capture["source"] or "not told")
        yield "Clock", str(capture["clock"])
        yield "Cannot hold", ", ".join(capture["lacks"]) or "nothing that matters"
        if capture["damaged_lines"]:
            notes = "; ".join(f"line {item['line']}: {item['note']}" for item in capture["damage"])
            yield "Damaged lines", f"{capture['damaged_lines']} ({notes})"


def doubled(report: Report) -> str:
    """What appending every update would give, where the application's text is not known and this is another one."""
    joining = next((check for check in report.checks if check.id == "joining"), None)
    return (joining.measurements.get("updates_joined") or "") if joining is not None else ""


def sections(report: Report, exhibits: Exhibits, figures: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
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
    yield "capture", "Capture"


def see(first: Diagnosis | None, sections: Mapping[str, str], exhibits: Exhibits) -> tuple[str, str] | None:
    """The section, and words for it, that shows the first diagnosis; None where there is nothing to hear or see."""
    check = first.cause.partition(".")[0] if first else ""
    shown = set(sections) - (set() if exhibits.excerpt is not None else {"listen"})
    return next(
        ((name, words) for name, (words, checks) in _SHOWN_IN.items() if check in checks and name in shown), None
    )
