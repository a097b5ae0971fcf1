"""What is wrong with the sentences of a report: holes where nothing was filled in, articles, plurals, units."""

import re
from collections.abc import Iterator

from sttdoctor.report import Report
from sttdoctor.reporting import phrases

_NOUNS = "frame|byte|message|sample|turn|event|check|second|line|character|hole|connection|channel|minute|keyterm|time"
FAULTS = {
    "nothing in brackets": r"(?<!\w)\(\s*\)|\(,|(?<![\w\]])\[\s*\]",
    "nothing behind a colon": r":\s*[.;,)]|:$",
    "nothing in quotes": r"''|\"\"",
    "two spaces": r"  ",
    "a space before a stop": r"(?<![.\s]) [,;:!?)](?=\s|$)|(?<=\w) \.(?=\s|$)",
    "two stops": r"(?<!\.)\.\.(?!\.)|[,;]{2}|[;,]\.|,:|:,",
    "a value that is none": r"\bnan\b|\binf\b|(?<!=)\bNone\b(?! of)|\bTrue\b|\bFalse\b",
    "a before a vowel": r"\b[Aa] (?=[aeioAEIO](?!ne\b|NE\b))|\b[Aa] (?:MP3|HTTP|RTP|FLAC|HAR|LIST|AMR)\b",
    "an before a consonant": r"\b[Aa]n (?=[bcdfgjkpqtvwyz])",
    "a plural of one": rf"(?<![\d.,])1 (?:{_NOUNS})s\b",
    "a singular of many": rf"(?<![\d.,])(?:[02-9]|[1-9]\d+) (?:{_NOUNS})\b(?!-| event)",
    "a number glued to its unit": r"\d(?:ms|Hz|kHz|dB|dBFS)\b",
    "a template": r"[{}]\w+[{}]|%[sd]\b|\bobject at 0x",
}
_SENTENCE = re.compile(r"""^(?:["'(\[]|[A-Z0-9]|\S*[=_./])""")


def sentences(report: Report) -> Iterator[tuple[str, str]]:
    """(where it stands, text) of every sentence that the tool itself made."""
    yield "tally", report.tally
    for diagnosis in report.diagnoses:
        yield f"{diagnosis.cause} fix", diagnosis.fix
    for check in report.checks:
        yield f"{check.id} answer", check.answer
        for finding in check.findings:
            yield f"{finding.cause} summary", finding.summary
            yield f"{finding.cause} fix", finding.fix


def notes(report: Report) -> Iterator[tuple[str, str]]:
    """(where it stands, text) of what is no whole sentence."""
    if report.subject:
        yield "line", phrases.describe_formats(report)
    for check in report.checks:
        yield f"{check.id} missing", check.missing
        yield f"{check.id} reading", check.reading
        yield from ((f"{finding.cause} note", item.note) for finding in check.findings for item in finding.evidence)


def faults(report: Report) -> list[tuple[str, str, str]]:
    """(kind, where, text) of every fault in the sentences of a report."""
    found = []
    for where, text in [*sentences(report), *notes(report)]:
        plain = re.sub(r"'[^']+'", "'x'", text)  # what is quoted is the capture's
        found += [(kind, where, text) for kind, pattern in FAULTS.items() if re.search(pattern, plain)]
    for where, text in sentences(report):
        if not _SENTENCE.match(text):
            found.append(("no capital", where, text))
        if not text.endswith((".", "?", "!", "'", '"', ".)")) and "ffmpeg" not in text:
            found.append(("no stop", where, text))
    return found
