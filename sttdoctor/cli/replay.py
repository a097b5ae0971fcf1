"""`sttdoctor replay`."""

import sys
from typing import Any

import click

from sttdoctor.cli.options import deliver, format_options, report_options, source_of, spare, thresholds
from sttdoctor.cli.progress import progress


@click.command()
@click.argument("session", type=click.Path())
@click.option("--transcript", type=click.Path(), help="The text that the application ended up with (- is stdin).")
@click.option("--connection", type=click.IntRange(min=1), metavar="N", help="Which one, in a capture of several.")
@click.option("--against", type=click.Path(), metavar="CAPTURE", help="Show what differs from this other session.")
@format_options
@report_options
def replay(
    session: str,
    transcript: str | None,
    connection: int | None,
    against: str | None,
    encoding: str | None,
    sample_rate: int | None,
    **options: Any,
) -> None:
    """What did this client do wrong?

    SESSION is session JSONL, a HAR, or a debug log of websockets or the Cartesia SDK, plain or gzip; - is standard
    input. --encoding and --sample-rate override what it declares.
    """
    from sttdoctor.api import examine, session_case

    for evidence in filter(None, (session, transcript, against)):
        spare(evidence, options["output"], options["wav"], options["plot"])
    limits = thresholds(options["settings"], options["config"])
    if [session, transcript, against].count("-") > 1:
        raise click.UsageError("only one of SESSION, --transcript and --against can be standard input")
    text = _text(transcript) if transcript else None
    with progress(options["form"]) as told:
        case = session_case(source_of(session), text, encoding, sample_rate, limits, connection)
        report = examine(case, options["select"], options["ignore"], told)
        if against is not None:
            from sttdoctor import comparison

            other = session_case(source_of(against), None, None, None, limits)
            report = comparison.against(report, examine(other, options["select"], options["ignore"], told))
    if options["wav"]:
        from sttdoctor.listen import believed, write_wav

        write_wav(case, *believed(case, report.checks), options["wav"])
    deliver(report, options, case)


def _text(path: str) -> str:
    from sttdoctor.errors import InputError

    try:
        if path == "-":
            content = sys.stdin.buffer.read()
        else:
            with open(path, "rb") as file:
                content = file.read()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from None
    return content.decode("utf-8-sig", errors="replace")
