"""`sttdoctor replay`."""

import sys
from typing import Any

import click

from sttdoctor.cli.options import (
    connection_option,
    deliver,
    format_options,
    forms_of,
    report_options,
    source_of,
    spare,
    thresholds,
)
from sttdoctor.cli.progress import progress


@click.command()
@click.argument("sessions", metavar="SESSION...", nargs=-1, required=True, type=click.Path())
@click.option(
    "--transcript",
    type=click.Path(),
    metavar="FILE",
    help="File with the text that the application ended up with (- is standard input).",
)
@connection_option
@click.option("--against", type=click.Path(), metavar="CAPTURE", help="Compare with the session in this capture.")
@format_options
@report_options
def replay(
    sessions: tuple[str, ...],
    transcript: str | None,
    connection: Any,
    against: str | None,
    encoding: str | None,
    sample_rate: int | None,
    **options: Any,
) -> None:
    """What did this client do wrong?

    SESSION is any capture that docs/captures.md names, plain or gzip; - is standard input. Several, or a folder of
    them, are one client's session, in the order of their times; sttdoctor triage judges each by itself. --encoding and
    --sample-rate override what it declares.
    """
    from sttdoctor.api import examine, session_facts
    from sttdoctor.program import keep_memory

    keep_memory()
    forms_of(options)
    spare(options, *sessions, transcript, against)
    limits = thresholds(options["settings"], options["config"])
    if [*sessions, transcript, against].count("-") > 1:
        raise click.UsageError("only one of SESSION, --transcript and --against can be standard input")
    text = _text(transcript) if transcript else None
    with progress(options["form"]) as told:
        sources = [source_of(session) for session in sessions]
        facts = session_facts(sources, text, encoding, sample_rate, limits, connection)
        report = examine(facts, options["select"], options["ignore"], told)
        if against is not None:
            from sttdoctor import comparison

            other = session_facts(source_of(against), None, None, None, limits)
            report = comparison.compare_with_older(report, examine(other, options["select"], options["ignore"], told))
    if options["wav"]:
        from sttdoctor.listen import pick_format, write_wav

        write_wav(facts, *pick_format(facts, report.checks), options["wav"], options["force"])
    click.get_current_context().exit(deliver([report], options, facts))


_LONGEST_TEXT = 64 << 20  # bytes; days of speech, and every update appended


def _text(path: str) -> str:
    """Read the application's text.

    Raises:
        InputError: The file cannot be read, is too long, or is no text.
    """
    from sttdoctor.errors import InputError

    name = "standard input" if path == "-" else path
    try:
        if path == "-":
            content = sys.stdin.buffer.read(_LONGEST_TEXT + 1)
        else:
            with open(path, "rb") as file:
                content = file.read(_LONGEST_TEXT + 1)
        if len(content) > _LONGEST_TEXT:
            raise InputError(f"{name} is longer than {_LONGEST_TEXT >> 20} MiB, which is no transcript")
        text: str | None = content.decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        text = None
    if text is None or "\0" in text:
        raise InputError(f"{name} is no UTF-8 text; --transcript takes the text that the application ended up with")
    return text
