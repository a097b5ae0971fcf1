"""Writes what is generated: the excerpts of reports in `sttdoctor/guides/`, and the pages in `docs/checks/`.

    python docs/build.py

`docs/sources.md` and `docs/quirks.md` are written too. A test compares what is there with what this would write.
"""

import contextlib
import json
import shlex
from collections.abc import Iterator
from pathlib import Path

from click.testing import CliRunner

from sttdoctor import guides
from sttdoctor.checks import all_checks
from sttdoctor.checks.base import Check
from sttdoctor.cli import cli
from sttdoctor.guides import Example, Guide, load_guide
from sttdoctor.quirks import QUIRKS
from sttdoctor.reporting.escape import as_code, fence_of, for_markdown
from sttdoctor.sources import SOURCES, describe, write_change
from sttdoctor.thresholds import of_check

ROOT = Path(__file__).parent.parent
PAGES = ROOT / "docs" / "checks"
SOURCES_PAGE = ROOT / "docs" / "sources.md"
QUIRKS_PAGE = SOURCES_PAGE.with_name("quirks.md")
EXCERPTS = Path(guides.__file__).parent / "excerpts.json"
NAMES = EXCERPTS.with_name("names.json")


def main() -> None:
    """Write all of it."""
    excerpts = {check.id: excerpt_of(load_guide(check.id)) for check in all_checks()}
    EXCERPTS.write_text(json.dumps(excerpts, indent=1) + "\n", "utf-8")
    load_guide.cache_clear()
    NAMES.write_text(list_names(), "utf-8")
    PAGES.mkdir(exist_ok=True)
    for name, text in pages().items():
        (PAGES / name).write_text(text, "utf-8")
    SOURCES_PAGE.write_text(list_sources(), "utf-8")
    QUIRKS_PAGE.write_text(list_quirks(), "utf-8")


def excerpt_of(guide: Guide) -> dict[str, list[str]]:
    """Lines that the two commands of a guide print, without those on how to listen."""
    return {"bad": printed(guide.bad.command), "good": printed(guide.good.command)}


def printed(command: str) -> list[str]:
    """Run a command of the tool in this process, at the root of the project, on a terminal of 80 columns."""
    with contextlib.chdir(ROOT):
        outcome = CliRunner().invoke(cli, shlex.split(command)[1:], env={"COLUMNS": "80"})
    text: str = outcome.output
    return text.partition("\nListen\n")[0].rstrip().splitlines()


def list_names() -> str:
    """The checks and their causes."""
    names = {check.id: {cause.id: cause.what for cause in check.causes} for check in all_checks()}
    return json.dumps(names, indent=1) + "\n"


def pages() -> dict[str, str]:
    """Name of each file to its text."""
    return {"README.md": index(), **{f"{check.id}.md": page(check, load_guide(check.id)) for check in all_checks()}}


def index() -> str:
    """The list of the checks."""
    rows = (f"| [{check.id}]({check.id}.md) | {check.question} | {_causes(check)} |" for check in all_checks())
    head = ("# The checks", "", _GENERATED, "", "| check | question | causes |", "|---|---|---|")
    return "\n".join((*head, *rows)) + "\n"


def list_sources() -> str:
    """The page of what sources give."""
    head = (
        "# What sources of audio give when nothing is asked",
        "",
        "Recorders, sound servers, browsers, libraries and platforms have defaults of their own, and often just one of",
        "them gives what the bytes are: then the fix names it. Versions are those that were run, or of which the",
        "documentation was read. `sttdoctor explain sources` shows the same in the terminal.",
        "",
        "| kind | source | gives | instead | seen |",
        "|---|---|---|---|---|",
    )
    rows = (
        f"| {source.kind} | {for_markdown(source.name)} | {for_markdown(describe(source))} | "
        f"{as_code(write_change(source)).replace('|', chr(92) + '|')} | {for_markdown(source.seen)} |"
        for source in SOURCES
    )
    return "\n".join((*head, *rows)) + "\n"


def list_quirks() -> str:
    """The page of what libraries do."""
    head = (
        "# What libraries do that nobody expects",
        "",
        "Each was run with the version that stands here, without this tool, by a script in",
        "[`findings/`](../findings/README.md). Where a report names the cause and the library is in use, look there",
        "first. `sttdoctor explain quirks` shows the same in the terminal, `sttdoctor explain CAUSE` those of a cause.",
        "",
        "| cause | library | does | instead | script |",
        "|---|---|---|---|---|",
    )
    rows = (
        f"| {for_markdown(quirk.cause or 'none')} | {for_markdown(quirk.library)} | {for_markdown(quirk.does)} | "
        f"{for_markdown(quirk.instead)} | [script](../findings/{quirk.script}.sh) |"
        for quirk in QUIRKS
    )
    return "\n".join((*head, *rows)) + "\n"


_GENERATED = "`sttdoctor explain CHECK` shows the same in the terminal."


def _causes(check: Check) -> str:
    return ", ".join(f"[{cause.id.partition('.')[2]}]({check.id}.md#{_anchor(cause.id)})" for cause in check.causes)


def _anchor(heading: str) -> str:
    """The anchor that GitHub gives a heading."""
    return heading.replace(".", "")


def page(check: Check, guide: Guide) -> str:
    """All about one check."""
    parts = (_top(check), _found(check), _limits(check), _measured(guide), _examples(guide), _code(guide))
    return "\n".join(line for part in parts for line in part) + "\n"


def _top(check: Check) -> Iterator[str]:
    yield f"# {check.id}: {check.question}"
    yield ""
    yield for_markdown(check.why)
    yield ""
    yield f"**How it is judged.** {for_markdown(check.how)}"
    yield ""
    yield f"**What it needs.** {for_markdown(check.needs[:1].upper() + check.needs[1:])}."
    yield ""
    yield f"**The vendor's page.** <{check.docs}>"


def _found(check: Check) -> Iterator[str]:
    yield from ("", "## Causes")
    for cause in check.causes:
        yield from ("", f"### {cause.id}", "", f"{for_markdown(cause.what)} ({cause.worst} at worst)", "")
        yield f"**Fix:** {for_markdown(cause.fix)}"


def _limits(check: Check) -> Iterator[str]:
    limits = of_check(check.id)
    if limits:
        yield from ("", "## Thresholds", "", "Change them with `--set NAME=VALUE`.", "")
        yield from ("| name | default | reason |", "|---|---|---|")
        for limit in limits:
            yield f"| `{limit.name}` | {limit.default:g} {for_markdown(limit.unit)} | {for_markdown(limit.reason)} |"


def _measured(guide: Guide) -> Iterator[str]:
    if guide.measurements:
        yield from ("", "## Measurements", "", "| name | meaning |", "|---|---|")
        yield from (f"| `{name}` | {for_markdown(meaning)} |" for name, meaning in guide.measurements.items())


def _examples(guide: Guide) -> Iterator[str]:
    yield from ("", "## A fault", "", "In a clone of the repository; the commands to listen, at the end, are left out.")
    yield from _example(guide.bad)
    yield from ("", "## All is well", *_example(guide.good))


def _example(example: Example) -> Iterator[str]:
    fence = fence_of(example.report)
    yield from ("", f"{fence}console", f"$ {example.command}", example.report, fence)


def _code(guide: Guide) -> Iterator[str]:
    yield from ("", "## Code that does it right")
    for language, code in guide.code.items():
        yield from ("", f"```{language.lower()}", code, "```")


if __name__ == "__main__":
    main()
