"""A summary as a folder of HTML: `index.html`, and a page for each of the worst examples.

The pages are made after the run, by judging the examples once more: a run of a million captures writes no million
pages, and a run that was resumed has the same ones.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from sttdoctor.analysis.facts import Facts
from sttdoctor.errors import UsageError, make_unwritable
from sttdoctor.outputs import write_whole
from sttdoctor.report import Report
from sttdoctor.reporting import FORMATS
from sttdoctor.reporting.data.collect import collect
from sttdoctor.reporting.escape import for_page
from sttdoctor.triage.row import Row
from sttdoctor.triage.summary import MAX_GROUPS, Summary, faults, group_name, head, mix, name_of, share, words

FORMAT = FORMATS["html"]


def page(facts: Facts, report: Report, command: str = "") -> str:
    """Return a report as the content of a file with the first suffix of `FORMAT`; `command` makes it again."""
    return FORMAT.render(report, exhibits=collect(facts, report, command))


Links = Mapping[tuple[str, str], str]
"""Page of a capture, relative to `index.html`, by path and member."""

_REPORTS = "reports"


def prepare(folder: str, anew: bool) -> None:
    """Make the folder, so that one that cannot be written is told before a long run and not after it.

    Args:
        folder: Where `index.html` and the pages will stand.
        anew: Whether an overview that stands there may be written over.

    Raises:
        UsageError: There is one.
        InputError: It cannot be made.
    """
    made = [Path(folder) / "index.html", Path(folder) / _page(1)]
    if not anew and any(os.path.lexists(path) for path in made):
        raise UsageError(f"there is an overview in {folder}; --resume and --force write it anew")
    try:
        (Path(folder) / _REPORTS).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise make_unwritable(folder, error) from None


def write(folder: str, summary: Summary, pages: Iterable[tuple[tuple[str, str], str]]) -> None:
    """Write the overview and the pages.

    Args:
        folder: From `prepare`.
        summary: Of the whole table.
        pages: Path and member of an example with the content of its page; each is written before the next is taken.

    Raises:
        InputError: It cannot be written.
    """
    numbers = {key: number for number, key in enumerate(summary.examples(), start=1)}
    links = {}
    for key, page in pages:
        links[key] = _page(numbers[key])
        _write(Path(folder) / links[key], page)
    _write(Path(folder) / "index.html", render(summary, links))


def _page(number: int) -> str:
    """The name of a page: what a capture is called never becomes a name on this disk."""
    return f"{_REPORTS}/{number:05}{FORMAT.suffixes[0]}"


def _write(path: Path, content: str) -> None:
    with write_whole(path, force=True) as file:
        file.write(content.encode("utf-8", "backslashreplace"))


def render(summary: Summary, links: Links) -> str:
    """Return the overview as HTML; whatever stands in it is escaped."""
    from jinja2 import Environment, PackageLoader

    loader = PackageLoader("sttdoctor.triage", "")
    template = Environment(loader=loader, autoescape=True, finalize=for_page).get_template("overview.html")
    groups = list(summary.trends())
    return template.render(
        head=head(summary),
        outcomes=[_outcome(summary, what, count, links) for what, count in summary.ranked()],
        group_by=", ".join(summary.group_by),
        groups=[
            {"name": group_name(values), "count": found.total(), "mix": mix(found),
             "faults": share(faults(found), found.total())}
            for values, found in groups[:MAX_GROUPS]
        ],
        more_groups=len(groups) - MAX_GROUPS if len(groups) > MAX_GROUPS else 0,
    )  # fmt: skip


def _outcome(summary: Summary, what: str, count: int, links: Links) -> dict[str, Any]:
    examples = [_example(row, links) for row in summary.worst(what)]
    return {
        "what": words(what),
        "count": count,
        "share": share(count, summary.count),
        "percent": max(1, round(100 * count / summary.count)),
        "note": "why" if what == "error" else "also",
        "examples": examples,
        # columns in which nothing stands are left out
        "judged": any(example["confidence"] for example in examples),
        "named": any(example["client"] for example in examples),
        "noted": any(example["note"] for example in examples),
    }


def _example(row: Row, links: Links) -> dict[str, Any]:
    others = str(row["causes"] or "").partition(" ")[2]
    return {
        "name": name_of(row),
        "link": links.get((row["path"], row["member"])),
        "status": row["status"],
        "confidence": "" if row["confidence"] is None else f"{row['confidence']:.2f}",
        "client": row["client"] or "",
        "note": row["error"] or others.replace(" ", ", "),
    }
