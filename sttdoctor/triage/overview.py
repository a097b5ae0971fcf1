"""A summary as a folder of HTML: `index.html`, and a page for each of the worst examples.

The pages are made after the run, by judging the examples once more: a run of a million captures writes no million
pages, and a run that was resumed has the same ones.
"""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sttdoctor import __version__
from sttdoctor.analysis.facts import Facts
from sttdoctor.checks import all_causes
from sttdoctor.checks.base import count_noun
from sttdoctor.errors import UsageError, make_unwritable
from sttdoctor.outputs import write_whole
from sttdoctor.report import Report
from sttdoctor.reporting import FORMATS
from sttdoctor.reporting.data.collect import collect, tell_now
from sttdoctor.reporting.escape import break_name, for_page
from sttdoctor.triage.row import STATUSES, Row
from sttdoctor.triage.summary import MAX_GROUPS, Summary, faults, group_name, head, mix, name_of, share, words
from sttdoctor.triage.timeline import Found

FORMAT = FORMATS["html"]


def page(facts: Facts, report: Report, command: str = "") -> str:
    """Return a report as the content of a file with the first suffix of `FORMAT`; `command` makes it again."""
    return FORMAT.render(report, exhibits=collect(facts, report, command))


Period = tuple[str, Counter[Found]]
"""Its name, and its captures by outcome and status."""

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
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    from sttdoctor.reporting.html import hash_style

    loader = PackageLoader("sttdoctor.triage", "")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, finalize=for_page)
    environment.filters["name"] = break_name
    css, script = (loader.get_source(environment, name)[0] for name in ("overview.css", "overview.js"))
    periods = list(summary.timeline.bars())
    groups, outcomes, bars = list(summary.trends()), list(_list_outcomes(summary, links, periods)), _list_bars(periods)
    rows = [_show_row(row, links) for row in summary.rows()]
    return environment.get_template("overview.html").render(
        head=head(summary),
        made_at=tell_now(),
        version=__version__,
        css=Markup(css),
        script=Markup(script),
        style_hash=Markup(hash_style(css)),
        script_hash=Markup(hash_style(script)),
        outcomes=outcomes,
        anchors={item["what"]: f"o{n}" for n, item in enumerate(outcomes, start=1) if item["examples"]},
        bars=bars,
        step=summary.timeline.step,
        timed=count_noun(summary.timeline.count, "capture"),
        highest=max((bar["count"] for bar in bars), default=0),
        group_by=", ".join(summary.group_by),
        groups=[
            {"name": group_name(values), "count": found.total(), "mix": mix(found),
             "faults": share(faults(found), found.total())}
            for values, found in groups[:MAX_GROUPS]
        ],
        more_groups=max(0, len(groups) - MAX_GROUPS),
        rows=rows,
        left_out=summary.count - len(rows) if rows else 0,
        statuses=[status for status in STATUSES if summary.statuses[status]],
    )  # fmt: skip


def _stack(counts: Mapping[str, int], whole: int, width: int) -> list[tuple[str, float, float]]:
    """Bars one after the other as (kind, start, length): fails, warnings, the rest; `whole` is as long as `width`."""
    start, parts = 0.0, []
    for kind in ("fail", "warn", "rest"):
        length = round(width * counts.get(kind, 0) / whole, 2) if whole else 0.0
        if length:
            parts.append((kind, round(start, 2), length))
            start += length
    return parts


def _split(found: Counter[Found]) -> dict[str, int]:
    """How many fail, warn and do neither, of captures by outcome and status."""
    split = {"fail": 0, "warn": 0, "rest": 0}
    for (_, status), count in found.items():
        split[status if status in split else "rest"] += count
    return split


def _list_bars(periods: Sequence[Period]) -> list[dict[str, Any]]:
    """What is shown of each period."""
    highest = max((found.total() for _, found in periods), default=0)
    return [_show_bar(number, label, found, highest) for number, (label, found) in enumerate(periods)]


def _show_bar(number: int, label: str, found: Counter[Found], highest: int) -> dict[str, Any]:
    split, count = _split(found), found.total()
    first = Counter[str]()
    for (what, _), amount in found.items():
        first[what] += amount
    told = f"{count_noun(count, 'capture')}, {split['fail']} fail, {split['warn']} warn"
    bar = [(kind, round(100 - start - length, 2), length) for kind, start, length in _stack(split, highest, 96)]
    return {"label": label, "x": 10 * number, "count": count, "mix": mix(first) if count else "", "words": told,
            "bar": bar, **split}  # fmt: skip


def _list_outcomes(summary: Summary, links: Links, periods: Sequence[Period]) -> Iterator[dict[str, Any]]:
    ranked, causes = summary.ranked(), all_causes()
    most = max((count for _, count in ranked), default=0)
    for what, count in ranked:
        split = {kind: summary.counts[what, kind] for kind in ("fail", "warn")}
        split["rest"] = count - sum(split.values())
        examples = [_show_row(row, links) for row in summary.worst(what)]
        times = [sum(found[what, status] for status in STATUSES) for _, found in periods]
        known = causes.get(what)
        yield {
            "what": words(what),
            **split,
            "count": count,
            "share": share(count, summary.count),
            "bar": _stack(split, most, 100),
            "beside": summary.anywhere[what] - count if known else 0,
            "sentence": known.what if known else "",
            "fix": known.fix if known else "",
            "times": [round(96 * t / max(times), 2) for t in times] if known and sum(map(bool, times)) > 1 else [],
            "note": "why" if what == "error" else "also",
            "examples": examples,
            # columns in which nothing stands are left out
            "judged": any(example["confidence"] for example in examples),
            "named": any(example["client"] for example in examples),
            "noted": any(example["others"] for example in examples),
        }


def _show_row(row: Row, links: Links) -> dict[str, Any]:
    """What is shown of a capture."""
    causes = str(row["causes"] or row["cause"] or "")
    rate = f"{row['sample_rate']} Hz" if row["sample_rate"] else ""
    return {
        "name": name_of(row),
        "link": links.get((row["path"], row["member"])),
        "status": row["status"],
        "severity": STATUSES.index(row["status"]),
        "confidence": "" if row["confidence"] is None else f"{row['confidence']:.2f}",
        "client": row["client"] or "",
        "causes": causes,
        "note": row["error"] or causes.replace(" ", ", "),
        "others": row["error"] or causes.partition(" ")[2].replace(" ", ", "),
        "started_at": str(row["started_at"] or "")[:_LONGEST_TIME].replace("T", " "),
        "declared": " ".join(filter(None, (row["encoding"], rate))),
        "seconds": "" if row["duration_s"] is None else f"{row['duration_s']:.1f}",
    }


_LONGEST_TIME = len("2026-11-22T10:00")
