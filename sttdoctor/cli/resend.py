"""`sttdoctor resend`."""

import shutil
import sys
from dataclasses import replace
from typing import Any

import click

from sttdoctor.cli.options import (
    connection_option,
    deliver,
    format_options,
    forms_of,
    printable,
    report_options,
    source_of,
    spare,
    standard_output,
    thresholds,
)
from sttdoctor.cli.progress import progress


@click.command()
@click.argument("sessions", metavar="SESSION...", nargs=-1, required=True, type=click.Path())
@click.option("--to", metavar="URL", required=True, help="The service; no more than wss://HOST is needed.")
@click.option("--repair", is_flag=True, help="Send it as a healthy client would have, instead of as it was.")
@click.option("--record", type=click.Path(), metavar="FILE", help="The new session; default beside SESSION.")
@connection_option
@format_options
@report_options
def resend(
    sessions: tuple[str, ...],
    to: str,
    repair: bool,
    record: str | None,
    connection: Any,
    encoding: str | None,
    sample_rate: int | None,
    **options: Any,
) -> None:
    """Does the fix work? Send a session again, and compare.

    The audio of SESSION goes to URL in real time: as it was sent, or with --repair in its true format, at the rate it
    is spoken, with silence in the holes, and drained. The new session is recorded and judged, shown beside the old
    one, and its status is the exit code. The key is taken from CARTESIA_API_KEY.
    """
    from sttdoctor.api import examine, session_facts
    from sttdoctor.comparison import compare_with_older
    from sttdoctor.listen import pick_format, write_wav
    from sttdoctor.reporting.text import show_side_by_side
    from sttdoctor.resend.mend import plan_mended
    from sttdoctor.resend.plan import plan_unchanged
    from sttdoctor.resend.send import choose_names
    from sttdoctor.resend.send import resend as send_again

    forms_of(options)
    spare(options, *sessions)
    limits = thresholds(options["settings"], options["config"])
    with progress(options["form"]) as told:
        facts = session_facts([source_of(name) for name in sessions], None, encoding, sample_rate, limits, connection)
        before = examine(facts, options["select"], options["ignore"], told)
    plan = plan_mended(facts) if repair else plan_unchanged(facts)
    assert facts.session is not None
    try:
        path = send_again(plan, to, choose_names(facts.session, record, repair), repair, _tell, _show(plan.seconds))
    finally:
        if sys.stderr.isatty():
            click.echo("\r\x1b[K", nl=False, err=True)
    fresh = session_facts(str(path), None, None, None, limits)
    after = compare_with_older(examine(fresh, options["select"], options["ignore"]), before)
    if not options["outputs"] and options["form"] in (None, "text"):
        width = min(shutil.get_terminal_size().columns, 120)
        with standard_output():
            click.echo(printable(show_side_by_side(after, width)))
        after = after if options["verbose"] else replace(after, against=None)  # it was shown
    if options["wav"]:
        write_wav(fresh, *pick_format(fresh, after.checks), options["wav"], options["force"])
    click.get_current_context().exit(deliver([after], options, fresh))


def _show(seconds: float) -> Any:
    def show(t: float) -> None:
        if sys.stderr.isatty():
            click.echo(f"\r{t:6.1f} of {seconds:.1f} s", nl=False, err=True)

    return show


def _tell(sentence: str) -> None:
    from sttdoctor.reporting.escape import for_terminal

    click.echo(for_terminal(sentence), err=True)
