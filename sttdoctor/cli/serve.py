"""`sttdoctor serve`."""

import os
from typing import TYPE_CHECKING, Any

import click

from sttdoctor.cli.options import MOST_JOBS, check_options, limit_options, stranger_options, thresholds

if TYPE_CHECKING:
    from sttdoctor.net import Door
    from sttdoctor.serve.app import Rules


@click.command(short_help="Drop captures on a page, see their reports.")
@click.option(
    "--listen", default="127.0.0.1:8767", show_default=True, metavar="HOST:PORT", help="Where the page is served."
)
@click.option(
    "--keep",
    type=click.Path(),
    metavar="FOLDER",
    help="Keep each capture there with its reports; without it nothing is kept.",
)
@click.option(
    "--size-limit",
    type=click.IntRange(1, 1 << 20),
    default=2048,
    show_default=True,
    metavar="MIB",
    help="Refuse a capture that is larger.",
)
@click.option("--jobs", type=click.IntRange(1, MOST_JOBS), metavar="N", help="Captures at a time; default one a core.")
@limit_options
@check_options
@stranger_options
def serve(listen: str, keep: str | None, size_limit: int, jobs: int | None, **options: Any) -> None:
    """Show a page on which captures are dropped and their reports appear (extra sttdoctor[serve]).

    It takes what check and replay read. Nothing leaves this machine, and a capture is gone when its report is there.
    Ctrl-C ends it (exit code 130, SIGTERM 143).
    """
    import asyncio
    from importlib.util import find_spec

    from sttdoctor.errors import UsageError, make_unwritable
    from sttdoctor.net import Door, host_port

    if not (find_spec("starlette") and find_spec("uvicorn")):
        raise UsageError(
            "serve needs Starlette and uvicorn: pip install '.[serve]' where sttdoctor lies, or pip install starlette "
            "uvicorn"
        )
    from sttdoctor.serve.app import Rules
    from sttdoctor.triage.batch import try_settings
    from sttdoctor.triage.task import Settings

    where = host_port(listen)
    door = Door.of(where[0], options["allow_origin"], options["allow_host"])
    settings = Settings(
        select=options["select"],
        ignore=options["ignore"],
        thresholds=thresholds(options["settings"], options["config"]),
        time_limit_s=options["time_limit"],
        memory_limit_bytes=options["memory_limit"] << 20,
    )
    try_settings(settings)
    if keep is not None:
        try:
            os.makedirs(keep, 0o700, exist_ok=True)
        except OSError as error:
            raise make_unwritable(keep, error) from None
    rules = Rules(settings, size_limit << 20, jobs or os.cpu_count() or 1, keep)
    click.get_current_context().exit(asyncio.run(_run(where, rules, door)))


async def _run(where: tuple[str, int], rules: "Rules", door: "Door") -> int:
    import socket

    from sttdoctor.net import is_loopback, show_host, stop_signal
    from sttdoctor.record.upstream import cannot_listen
    from sttdoctor.serve.app import serve_page

    stop = stop_signal()
    host, port = where
    shown = show_host(host)
    try:
        listener = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except (OSError, UnicodeError, OverflowError) as error:
        raise cannot_listen(f"{shown}:{port}", error) from None
    with listener:
        click.echo(f"open http://{shown}:{listener.getsockname()[1]} in a browser; Ctrl-C ends it")
        if rules.keep:
            click.echo(f"captures and reports are kept in {click.format_filename(rules.keep)}")
        if not is_loopback(host):
            click.echo("others can use the page, and what they send is not encrypted on the way", err=True)
        await serve_page(listener, rules, door)
    return await stop
