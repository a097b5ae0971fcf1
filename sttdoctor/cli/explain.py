"""`sttdoctor explain`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from sttdoctor.cli.completion import complete, list_topics
from sttdoctor.cli.options import standard_output

if TYPE_CHECKING:
    from sttdoctor.checks.base import Cause, Check
    from sttdoctor.guides import Example
    from sttdoctor.quirks import Quirk


@click.command()
@click.argument("topic", required=False, metavar="[CHECK|CAUSE|sources|quirks]", shell_complete=complete(list_topics))
def explain(topic: str | None) -> None:
    """What a check asks, why it matters and how to fix what it finds.

    Without an argument: the list of checks and causes. sources lists what recorders, browsers, libraries and telephone
    platforms give when nothing is asked, and what to write instead; quirks lists what libraries do that nobody expects.
    """
    from sttdoctor.checks import all_causes, all_checks
    from sttdoctor.errors import UsageError

    checks = {check.id: check for check in all_checks()}
    causes = all_causes()
    if topic is None:
        lines = [line for check in checks.values() for line in _list_checks(check)]
    elif topic == "sources":
        lines = list(_list_sources())
    elif topic == "quirks":
        lines = list(_list_quirks())
    elif topic in checks:
        lines = list(_check(checks[topic]))
    elif topic in causes:
        lines = list(_about_cause(causes[topic], checks[topic.partition(".")[0]]))
    else:
        raise UsageError(_unknown(topic, [*checks, *causes, "sources", "quirks"]))
    with standard_output():
        click.echo("\n".join(lines))


def _unknown(topic: str, known: list[str]) -> str:
    from sttdoctor.errors import suggest
    from sttdoctor.thresholds import DEFAULTS

    if topic in DEFAULTS:
        return f"{topic} is a threshold; sttdoctor explain {topic.partition('.')[0]} shows it"
    return f"there is no check or cause {topic!r}; {suggest(topic, known, 'sttdoctor explain lists them')}"


def _wrap(text: str, indent: str = "  ", rest: str | None = None) -> str:
    import shutil
    import textwrap

    width = min(shutil.get_terminal_size().columns, 100)
    later = indent if rest is None else rest
    return textwrap.fill(text, width, initial_indent=indent, subsequent_indent=later, break_on_hyphens=False)


def _list_checks(check: "Check") -> Iterator[str]:
    yield f"{check.id:<14}{check.question}"
    for cause in check.causes:
        yield _wrap(f"{cause.id:<32}{cause.what}", "    ", " " * 36)


def _list_sources() -> Iterator[str]:
    from itertools import groupby

    from sttdoctor.sources import SOURCES, describe, write_change

    for kind, group in groupby(SOURCES, lambda source: source.kind):
        yield f"{kind}:"
        for source in group:
            yield _wrap(f"{source.name} ({source.seen}): {describe(source)}", "  ", "    ")
            yield _wrap(f"instead: {write_change(source)}", "    ", "      ")


def _list_quirks() -> Iterator[str]:
    from itertools import groupby

    from sttdoctor.quirks import QUIRKS

    for cause, group in groupby(QUIRKS, lambda quirk: quirk.cause):
        yield f"{cause or 'no report names these'}:"
        for quirk in group:
            yield from _quirk(quirk)


def _quirk(quirk: "Quirk") -> Iterator[str]:
    yield _wrap(f"{quirk.library}: {quirk.does}", "  ", "    ")
    yield _wrap(f"instead: {quirk.instead}", "    ", "      ")


def _check(check: "Check") -> Iterator[str]:
    yield f"{check.id}: {check.question}"
    for title, text in (("Why it matters", check.why), ("How it is judged", check.how), ("What it needs", check.needs)):
        yield from ("", title, _wrap(text))
    yield from ("", "Causes")
    for cause in check.causes:
        yield from _cause(cause)
    yield from _numbers(check)
    yield from _guide(check)
    yield from ("", f"Vendor page: {check.docs}")


def _cause(cause: "Cause") -> Iterator[str]:
    yield f"  {cause.id} ({cause.worst} at worst)"
    yield _wrap(cause.what, "    ")
    yield _wrap(f"Fix: {cause.fix}", "    ", "         ")


def _numbers(check: "Check") -> Iterator[str]:
    from sttdoctor.guides import load_guide
    from sttdoctor.thresholds import of_check

    limits, measurements = of_check(check.id), load_guide(check.id).measurements
    if limits:
        yield from ("", "Thresholds (change with --set NAME=VALUE)")
    for limit in limits:
        yield f"  {limit.name} = {limit.default:g} {limit.unit}"
        yield _wrap(limit.reason, "    ")
    if measurements:
        yield from ("", "Measurements (in JSON, and in text with -v)")
    for name, meaning in measurements.items():
        yield _wrap(f"{name}: {meaning}", "  ", "    ")


def _guide(check: "Check") -> Iterator[str]:
    from sttdoctor.guides import load_guide

    guide = load_guide(check.id)
    yield from ("", "A fault (in a clone of the repository; the commands to listen are left out)", *_example(guide.bad))
    yield from ("", "All is well", *_example(guide.good))
    for language, code in guide.code.items():
        yield from ("", f"Code that does it right, {language}", *_indent(code))


def _example(example: "Example") -> Iterator[str]:
    yield f"  $ {example.command}"
    yield from _indent(example.report)


def _indent(text: str) -> Iterator[str]:
    return (f"  {line}".rstrip() for line in text.splitlines())


def _about_cause(cause: "Cause", check: "Check") -> Iterator[str]:
    from sttdoctor.quirks import find_quirks

    yield f"{cause.id} ({cause.worst} at worst)"
    yield _wrap(cause.what)
    yield _wrap(f"Fix: {cause.fix}", "  ", "       ")
    known = find_quirks(cause.id)
    yield from ["  Known for it:"] if known else []
    for quirk in known:
        yield from _indent("\n".join(_quirk(quirk)))
    yield _wrap(f"Why it matters: {check.why}")
    yield _wrap(f"How it is judged: {check.how}")
    yield _wrap(f"Examples, code and thresholds: sttdoctor explain {check.id}; vendor page: {check.docs}", rest="    ")
