"""What several renderers say in the same words."""

import re
from collections.abc import Iterator
from typing import Any

from sttdoctor.checks.base import Evidence, join_list
from sttdoctor.encodings import ENCODINGS
from sttdoctor.report import CheckResult, Report
from sttdoctor.reporting.escape import for_terminal
from sttdoctor.values import immutable

_LONGEST = 600
STATUS = {"fail": "fail", "warn": "warn", "unknown": "unknown", "pass": "pass", "not_applicable": "n/a"}  # worst first


def shorten(text: str, most: int = _LONGEST) -> str:
    """Return text of at most so many characters: a capture may hold words of a megabyte."""
    return text if len(text) <= most else text[: most - 3] + "..."


def describe_sureness(confidence: float) -> str:
    """Return a confidence (0..1) in words; nothing measured here is ever certain."""
    return f"{min(99, max(1, round(100 * confidence)))} % sure"


def place(evidence: Evidence) -> str:
    """Return where a piece of evidence stands, and what it says."""
    where = []
    if evidence.line is not None:
        where.append(f"line {evidence.line}")
    if evidence.t is not None:
        where.append(f"{evidence.t:.2f} s")
    if evidence.offset is not None:
        where.append(f"byte {evidence.offset}")
    return shorten(f"{', '.join(where)}: {evidence.note}" if where else evidence.note)


def get_path(report: Report) -> str:
    """Return the name of what was examined."""
    return shorten(str(report.subject.get("path") or "the capture"))


_SENTENCE = re.compile(r"(?<=[.!?]) +(?=[A-Z`'])")


def answer(report: Report) -> str:
    """Return the answer in one line: the first cause and what to do, or what audio without a declaration is."""
    if report.diagnoses:
        first = report.diagnoses[0]
        return shorten(f"{first.cause}: {_SENTENCE.split(first.fix, maxsplit=1)[0]}")
    return _declaration(report) or report.tally


def _declaration(report: Report) -> str:
    """Return what to declare, where nothing was declared and the bytes and the sound tell; else nothing."""
    found = report.subject.get("estimated") or {}
    encoding, rates = found.get("encoding"), found.get("sample_rates") or []
    if any(report.subject["declared"].values()) or report.status != "pass" or not (encoding and rates):
        return ""
    header = next((check.measurements.get("header") for check in report.checks if check.id == "container"), None) or {}
    if header.get("sample_rate"):
        rates = [header["sample_rate"]]
    others = f" (or {join_list([str(rate) for rate in rates[1:]], 'or')})" if rates[1:] else ""
    without = f", and leave out the header: the samples begin at byte {header['bytes']}" if header else ""
    return f"{encoding}, {rates[0]} Hz{others}, mono: declare encoding={encoding}&sample_rate={rates[0]}{without}"


def describe_formats(report: Report) -> str:
    """Return what was declared and what the checks take the audio for, in one line."""
    said, found = describe_declared(report), describe_detected(report)
    if found == AS_DECLARED:
        return f"{said}, {AS_DECLARED}"
    if said == _NOTHING:
        return f"nothing declared; {found}" if found else "nothing declared"
    return f"declared {said}" + (f", {found}" if found else "")


AS_DECLARED, _NOTHING = "as declared", "nothing"


def describe_declared(report: Report) -> str:
    """Return the declared format, for a reader."""
    encoding, rate = report.subject["declared"]["encoding"], report.subject["declared"]["sample_rate"]
    if not encoding and not rate:
        return _NOTHING
    if not encoding:
        return f"{rate} Hz and no encoding"
    return f"{shorten(encoding, 80)} {f'at {rate} Hz' if rate else 'and no rate'}"


def describe_detected(report: Report) -> str:
    """Return what the checks take the audio for beside what was declared; empty where no check judges it.

    It is made of the words of their answers, so that it cannot say anything else.
    """
    said = report.subject["declared"]
    checks = {check.id: check for check in report.checks if check.reading}
    if "container" in checks:
        return f"is {checks['container'].reading}"
    right = {"encoding": said["encoding"], "sample-rate": f"{said['sample_rate']} Hz", "channels": ""}
    known = [checks[name] for name in right if name in checks]
    wrong = [check for check in known if check.reading != right[check.id]]
    if wrong:
        more = "more " if all(check.status == "warn" for check in wrong) else ""
        reading = _join(*(check.reading for check in known))
        is_heard = "encoding" not in checks or checks["encoding"].reading.partition(",")[0] in ENCODINGS
        return f"sounds {more}like {reading}" if is_heard else f"is {reading}"
    if len(known) == 2:
        return AS_DECLARED
    if known:
        return f"only the {_PARTS[known[0].id]} is confirmed"
    if not any(check.id in _PARTS and check.status != "not_applicable" for check in report.checks):
        return ""
    return "not confirmed by the capture" if any(said.values()) else "the format cannot be told"


_PARTS = {"encoding": "encoding", "sample-rate": "rate"}


def _join(*readings: str) -> str:
    """Readings of encoding, rate and channels in one: `pcm_s16le at 16000 Hz, two channels`."""
    first, *rest = readings
    at = ", at" if "," in first else " at"
    return first + "".join(f"{at} {part}" if part.endswith(" Hz") else f", {part}" for part in rest)


def get_tally(report: Report) -> str:
    """Return how many checks failed and passed, unless `answer` says it or one check does, whose answer is all."""
    alone = sum(check.status != "not_applicable" for check in report.checks) == 1
    return "" if alone or answer(report) == report.tally else report.tally


def describe_damage(report: Report) -> str | None:
    """Return what of the capture could not be read, None where all could."""
    capture: dict[str, Any] = report.subject.get("capture") or {}
    count = capture.get("damaged_lines")
    if not count:
        return None
    first = capture["damage"][0]
    note = shorten(f"line {first['line']}: {first['note']}")
    return f"{count} damaged {'line' if count == 1 else 'lines'}, not or only partly read ({note})"


def list_numbers(check: CheckResult, report: Report) -> list[int]:
    """Return which diagnoses (from 1) a check's findings belong to, as their cause or by explanation."""
    causes = {finding.cause for finding in check.findings}
    return [
        number
        for number, diagnosis in enumerate(report.diagnoses, start=1)
        if causes & {diagnosis.cause, *diagnosis.explains}
    ]


def is_explained(check: CheckResult, report: Report) -> bool:
    """Whether all that a check found is explained by diagnoses of other checks."""
    found = {finding.cause for finding in check.findings}
    explained = {cause for diagnosis in report.diagnoses for cause in diagnosis.explains}
    return bool(found) and found <= explained


def tell_answer(check: CheckResult, report: Report) -> str:
    """Return a check's answer; what a diagnosis says in the same words, or explains, is told by its number."""
    belongs = ", ".join(map(str, list_numbers(check, report)))
    if _is_said(check, report):
        return f"See {belongs}."
    return shorten(check.answer) + (f" See {belongs}." if belongs else "")


def _is_said(check: CheckResult, report: Report) -> bool:
    """Whether a diagnosis says what the check says."""
    return any(diagnosis.summary == check.answer for diagnosis in report.diagnoses)


@immutable
class Group:
    """Checks of one status that have the same to say.

    Attributes:
        status: Of the checks.
        checks: One or more, in the order of the report.
        text: What they say; empty where it is enough to name them.
    """

    status: str
    checks: tuple[CheckResult, ...]
    text: str

    @property
    def ids(self) -> str:
        """The ids of the checks, as a list for a reader."""
        return ", ".join(check.id for check in self.checks)

    @property
    def subject(self) -> str:
        """What it is about: one check by its question, several by their ids, what does not apply by its number."""
        if len(self.checks) == 1:
            return self.checks[0].question
        return f"{len(self.checks)} checks" if self.status == "not_applicable" else self.ids

    @property
    def line(self) -> str:
        """Subject and text in one."""
        return f"{self.subject}{' ' if len(self.checks) == 1 else ': '}{self.text}" if self.text else self.ids


def group_answers(report: Report, brief: bool = True) -> list[Group]:
    """Return what the checks say, each answer once; what is only named comes last.

    Args:
        report: The report.
        brief: What is quiet, or said by a diagnosis, is left out; the worst comes first, and what passed is only named
            unless it is all.
    """
    shown = [check for check in report.checks if not (brief and (check.quiet or _is_said(check, report)))]
    brief = brief and len(report.checks) > 1
    by_text: dict[tuple[str, str], list[CheckResult]] = {}
    for check in shown:
        by_text.setdefault((check.status, _tell_said(check, report, brief)), []).append(check)
    found = [Group(status, tuple(checks), text) for (status, text), checks in by_text.items()]
    worst = list(STATUS)
    return sorted(found, key=lambda group: (not group.text, worst.index(group.status) if brief else _is_rest(group)))


def _is_rest(group: Group) -> bool:
    return group.status == "not_applicable" and len(group.checks) > 1


def _tell_said(check: CheckResult, report: Report, brief: bool) -> str:
    alone = check.status == "not_applicable" and sum(other.answer == check.answer for other in report.checks) == 1
    if check.quiet or (brief and (check.status == "pass" or alone)):
        return ""
    return tell_answer(check, report) if brief else shorten(check.answer)


def list_commands(report: Report) -> Iterator[tuple[str, str]]:
    """Yield (what, command) of the commands that play the audio, without one that says the same twice.

    One that would have to be escaped for a terminal would not run, so it is left out.
    """
    listen = report.listen
    declared, estimated = listen.get("declared"), listen.get("estimated")
    for what, command in (
        ("extract", listen.get("convert")),
        ("as declared", declared),
        ("as detected", estimated if estimated != declared else None),
    ):
        if command and for_terminal(command) == command:
            yield what, command


@immutable
class Compared:
    """One line of a comparison: what it is about, the value on each side, and which side is better, if one is."""

    what: str
    this: str
    other: str
    better: str | None


_COMPARED = {
    "pace": ("pace", "{:.2f} x realtime"),
    "chunk_ms": ("chunk", "{:.0f} ms"),
    "backlog_s": ("backlog", "{:.1f} s"),
    "end_of_turn_s": ("end of turn", "{:.2f} s"),
}
"""Measured value in a comparison to its name and form for a reader."""
_LONGEST_TEXT = 200


def list_compared(report: Report) -> list[Compared]:
    """Return what a report and the one that it was compared with have to say, side by side."""
    rows: list[dict[str, Any]] = (report.against or {}).get("summary") or []
    return [
        Compared(
            _COMPARED.get(row["what"], (row["what"],))[0],
            _tell_compared(row["what"], row["this"]),
            _tell_compared(row["what"], row["other"]),
            row["better"],
        )
        for row in rows
    ]


def count_differences(report: Report) -> str:
    """Return in how many answers and measurements a report differs from the one that it was compared with."""
    count = len((report.against or {}).get("differences") or ())
    return f"{count} {'answer or measurement differs' if count == 1 else 'answers and measurements differ'}"


def _tell_compared(what: str, value: Any) -> str:
    if value is None:
        return "not in the capture"
    if what == "text":
        return f"'{shorten(str(value), _LONGEST_TEXT)}'"
    if what == "causes":
        return ", ".join(value) or "none"
    if what == "status":
        return str(value).upper()
    return _COMPARED[what][1].format(value) if what in _COMPARED else shorten(str(value))
