"""`sttdoctor replay SESSION --to URL`: send the session again, and compare."""

import asyncio
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import click

from sttdoctor import __version__
from sttdoctor.analysis.facts import Facts
from sttdoctor.api import examine, session_facts
from sttdoctor.cli.options import deliver, printable, standard_output
from sttdoctor.comparison import against
from sttdoctor.errors import UsageError
from sttdoctor.listen import believed
from sttdoctor.net.listening import is_loopback
from sttdoctor.record.journal import Journal
from sttdoctor.record.naming import names, numbered
from sttdoctor.record.recording import Heading
from sttdoctor.record.upstream import Destination
from sttdoctor.report import Report
from sttdoctor.reporting.escape import for_terminal
from sttdoctor.reporting.side_by_side import side_by_side
from sttdoctor.resend.plan import Plan, as_it_was
from sttdoctor.resend.repair import repaired
from sttdoctor.resend.send import send

KEY = "CARTESIA_API_KEY"
PLACEHOLDER = "placeholder"  # the stand-in wants a key and takes any


def resend(facts: Facts, before: Report, to: str, repair: bool, record: str | None, options: Mapping[str, Any]) -> None:
    """Send a session again, record it, and deliver the report of the new session with what differs.

    Args:
        facts: The session.
        before: Its report.
        to: Where to send it.
        repair: As a healthy client would have sent it, instead of as it was.
        record: The file for the new session; None puts it beside the old one.
        options: Of the command.

    Raises:
        InputError: The session cannot be sent, or the service cannot be reached.
        UsageError: The address or the file cannot be used, or a key would be sent in clear.
    """
    if repair:
        whole = examine(facts) if options["select"] or options["ignore"] else before  # the format is judged in any case
        plan = repaired(facts, *believed(facts, whole.checks))
    else:
        plan = as_it_was(facts)
    destination = Destination.parse(to)
    key = _key(destination)
    if key and destination.upstream.in_clear:
        raise UsageError(f"{KEY} would be sent to {destination.upstream.host} without encryption; use wss://")
    path = _run(plan, destination, key, _names(facts, record, repair), repair)
    fresh = session_facts(str(path), None, None, None, facts.limits)
    after = against(examine(fresh, options["select"], options["ignore"]), before)
    if options["output"] is None and options["form"] in (None, "text"):
        width = min(shutil.get_terminal_size().columns, 120)
        with standard_output():
            click.echo(printable(side_by_side(before, after, width)))
    deliver(after, options, fresh)


def _key(destination: Destination) -> str:
    """Return the user's key; where there is none, a placeholder for this machine, empty for any other."""
    named = {name for name, _ in parse_qsl(destination.query, keep_blank_values=True)}
    wanting = is_loopback(destination.upstream.host) and not named & {"access_token", "api_key"}
    return os.environ.get(KEY, "").strip() or (PLACEHOLDER if wanting else "")


def _names(facts: Facts, record: str | None, repair: bool) -> Iterator[Path]:
    if record is not None:
        return names(record)
    assert facts.session is not None
    source = Path(facts.session.path or "session.jsonl")
    stem = source.name.removesuffix(".gz").removesuffix(".jsonl")
    return numbered(source.with_name(f"{stem}-{'repaired' if repair else 'again'}.jsonl"))


def _run(plan: Plan, destination: Destination, key: str, free: Iterator[Path], repair: bool) -> Path:
    url = destination.url(plan.path, plan.query)
    headers = {"User-Agent": f"sttdoctor/{__version__}", **plan.headers}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    for note in plan.notes:
        _tell(f"- {note}")
    _tell(f"sending {plan.seconds:.1f} s in real time to {destination.upstream.url}")
    ends: list[str] = []
    journal = Journal(Heading(url, headers, "sttdoctor replay --to", "client"), free, _tell, ends=ends)
    if journal.path is None:
        raise UsageError("the new session cannot be recorded, so it was not sent")
    try:
        asyncio.run(send(plan, url, headers, journal.recording, _progress(plan.seconds)))
        if repair:
            journal.recording.transcript("".join(ends))  # joined verbatim
    finally:
        journal.end()
        if sys.stderr.isatty():
            click.echo("\r\x1b[K", nl=False, err=True)
    _tell(f"recorded in {journal.path}")
    return journal.path


def _progress(seconds: float) -> Any:
    def show(t: float) -> None:
        if sys.stderr.isatty():
            click.echo(f"\r{t:6.1f} of {seconds:.1f} s", nl=False, err=True)

    return show


def _tell(sentence: str) -> None:
    click.echo(for_terminal(sentence), err=True)
