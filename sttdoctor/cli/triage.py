"""`sttdoctor triage`."""

import shutil
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from sttdoctor.cli.completion import complete, list_columns
from sttdoctor.cli.options import (
    MOST_JOBS,
    format_options,
    ids,
    judge_options,
    limit_options,
    printable,
    standard_output,
    thresholds,
)
from sttdoctor.policy import FAIL_ON

if TYPE_CHECKING:
    from sttdoctor.triage.batch import Batch
    from sttdoctor.triage.summary import Summary


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option(
    "-o",
    "--output",
    "outputs",
    multiple=True,
    type=click.Path(),
    metavar="FILE",
    help="Table: .csv or .jsonl (repeatable).",
)
@click.option("--resume", is_flag=True, help="Continue the tables: captures already in them are not judged again.")
@click.option("--force", is_flag=True, help="Overwrite existing tables and an existing overview.")
@click.option("--html", type=click.Path(), metavar="DIR", help="Write an overview with reports of the worst examples.")
@click.option(
    "--examples",
    type=click.IntRange(0),
    default=5,
    show_default=True,
    metavar="N",
    help="How many of the worst examples to show for each cause.",
)
@click.option(
    "--group-by",
    callback=ids,
    shell_complete=complete(list_columns, several=True),
    default="",
    metavar="COLUMNS",
    help="Count causes by these columns of the table (comma-separated).",
)
@click.option("--jobs", type=click.IntRange(1, MOST_JOBS), metavar="N", help="Captures at a time; default one a core.")
@click.option("--dask", metavar="ADDRESS", help="Judge on the Dask cluster of this scheduler.")
@limit_options
@format_options
@judge_options
def triage(paths: tuple[str, ...], **options: Any) -> None:
    """Which faults do many captures have?

    PATH is a capture, a folder, a pattern or an archive (.zip, .tar, .tar.gz, .tgz); audio and sessions may be mixed.
    --encoding and --sample-rate are what the client declared for the audio among them.
    """
    from sttdoctor.errors import UsageError
    from sttdoctor.outputs import check_spared
    from sttdoctor.triage.batch import Batch
    from sttdoctor.triage.summary import MAX_LISTED, Summary
    from sttdoctor.triage.task import Settings

    if options["resume"] and not options["outputs"]:
        raise UsageError("--resume goes on with a table; name it with -o")
    if options["dask"] and options["jobs"]:
        raise UsageError("--jobs is for this machine; a Dask cluster has its own number of workers")
    if options["resume"] and options["force"]:
        raise UsageError("--resume goes on with tables and --force begins them anew; give one of them")
    check_spared(options["outputs"], (options["config"].path,), options["resume"] or options["force"])
    settings = Settings(
        options["encoding"],
        options["sample_rate"],
        options["select"],
        options["ignore"],
        thresholds(options["settings"], options["config"]),
        options["time_limit"],
        options["memory_limit"] << 20,
    )
    batch = Batch(
        settings,
        options["outputs"],
        resume=options["resume"],
        force=options["force"],
        jobs=options["jobs"] or -1,
        dask=options["dask"],
    )
    summary = Summary(options["group_by"], options["examples"], MAX_LISTED if options["html"] else 0)
    try:
        _run(batch, summary, paths, options["html"])
    except KeyboardInterrupt:
        _tell_interrupted(batch)
        raise
    _deliver(summary, options["fail_on"])


def _run(batch: "Batch", summary: "Summary", paths: tuple[str, ...], html: str | None) -> None:
    from sttdoctor.triage.overview import prepare, write

    if html:
        prepare(html, anew=batch.resume or batch.force)
    shown = sys.stderr is not None and sys.stderr.isatty()
    bar = partial(click.progressbar, label="captures", show_pos=True, file=sys.stderr, hidden=not shown)
    batch.triage(paths, summary, bar)
    if html:
        write(html, summary, batch.pages(summary))


def _tell_interrupted(batch: "Batch") -> None:
    hint = "; the same command with --resume goes on" if batch.outputs else ""
    click.echo(f"sttdoctor: interrupted after {batch.done} of {batch.total} captures{hint}", err=True)


def _deliver(summary: "Summary", fail_on: str) -> None:
    from sttdoctor.errors import InputError
    from sttdoctor.triage.text import render

    with standard_output():
        click.echo(printable(render(summary, min(shutil.get_terminal_size().columns, 120))), nl=False)
    if summary.statuses["error"] == summary.count:
        raise InputError("none of the captures could be judged")
    click.get_current_context().exit(int(summary.reaches(FAIL_ON[fail_on])))
