"""`sttdoctor simulate`."""

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from sttdoctor.cli.completion import complete, list_faults
from sttdoctor.cli.options import MOST_S, Command, Number, stranger_options

if TYPE_CHECKING:
    from sttdoctor.net import Door
    from sttdoctor.record.recording import Row, Sink
    from sttdoctor.simulate.faults import Behaviour, Borders
    from sttdoctor.simulate.words import MakeWords


class _WithFaults(click.Command):
    """Lists the faults at the end of its help, when that is asked for."""

    def format_epilog(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from sttdoctor.simulate.faults import FAULTS

        with formatter.section("Faults (NAME or NAME=VALUE)"):
            formatter.write_dl([(_usage(fault), fault.what) for fault in FAULTS.values()])


def _usage(fault: Any) -> str:
    return str(fault.name) if fault.value is None else f"{fault.name}={fault.value:g}"


def _seconds(name: str, default: float, least: float, words: str) -> Callable[[Command], Command]:
    """An option that takes a number of seconds."""
    kind = Number(least, MOST_S)
    return click.option(name, type=kind, default=default, show_default=True, metavar="SECONDS", help=words)


@click.command(short_help="Stand in for the service: no key, no network.", cls=_WithFaults)
@click.option(
    "--listen", default="127.0.0.1:8766", show_default=True, metavar="HOST:PORT", help="Where clients connect."
)
@click.option(
    "--script",
    type=click.Path(),
    metavar="FILE",
    help="What is said: a text file with one turn a line; default: sentences of its own.",
)
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="NAME",
    shell_complete=complete(list_faults),
    help="Do something wrong (repeatable); see below.",
)
@click.option(
    "--borders",
    type=click.Choice(["leading", "trailing", "none", "inside-word"]),
    default="leading",
    show_default=True,
    help="Where the space between two turns stands.",
)
@_seconds("--fault-after", 2.0, 0, "Seconds of audio before a mid-session fault strikes.")
@click.option("--asr", is_flag=True, help="Recognise what is said with PocketSphinx (extra sttdoctor[asr]).")
@_seconds("--idle-timeout", 180.0, 0.1, "Close a connection that has brought no audio for this long.")
@_seconds("--buffer", 10.0, 0.1, "Seconds of audio that may wait; more is an internal error, as at the service.")
@stranger_options
def simulate(
    listen: str,
    script: str | None,
    faults: tuple[str, ...],
    borders: "Borders",
    fault_after: float,
    asr: bool,
    idle_timeout: float,
    buffer: float,
    allow_origin: tuple[str, ...],
    allow_host: tuple[str, ...],
) -> None:
    """Stand in for the service, so that a client can be tried without key and network.

    It listens on this machine, checks the handshake, finds turns in the audio by loudness, and says the words of a
    script. Ctrl-C ends it (exit code 130, SIGTERM 143).
    """
    import asyncio

    from sttdoctor.errors import UsageError
    from sttdoctor.net import Door, host_port
    from sttdoctor.simulate.faults import Behaviour, parse
    from sttdoctor.simulate.words import default_script, read_script

    if asr and script:
        raise UsageError("--asr and --script exclude each other: the words come from the audio or from the file")
    where = host_port(listen)
    door = Door.of(where[0], allow_origin, allow_host)
    behaviour = Behaviour(
        idle_timeout_s=idle_timeout,
        buffer_s=buffer,
        borders=borders,
        faults=parse(faults),
        fault_after_s=fault_after,
    )
    if asr:
        from sttdoctor.simulate.asr import Sphinx

        sphinx = Sphinx()
        try:
            code = asyncio.run(_run(where, sphinx.words, behaviour, door))
        finally:
            sphinx.close()
    else:
        words = read_script(script) if script else default_script()
        code = asyncio.run(_run(where, words.words, behaviour, door))
    click.get_current_context().exit(code)


async def _run(where: tuple[str, int], words: "MakeWords", behaviour: "Behaviour", door: "Door") -> int:
    from contextlib import AsyncExitStack

    from sttdoctor.net import is_loopback, show_host, stop_signal
    from sttdoctor.record.upstream import cannot_listen
    from sttdoctor.simulate.server import serve_simulator

    stop = stop_signal()
    host, port = where
    shown = show_host(host)
    serving = serve_simulator(words, behaviour, host=host, port=port, make_sink=_Teller().new_connection, door=door)
    async with AsyncExitStack() as stack:
        try:
            running = await stack.enter_async_context(serving)
        except (OSError, UnicodeError) as error:
            raise cannot_listen(f"{shown}:{port}", error) from None
        at = f"{shown}:{running.port}"
        click.echo(f"simulating the service at ws://{at} (base URL for an SDK: http://{at}); any key will do")
        if not is_loopback(host):
            click.echo("others can connect here, and what they send is not encrypted on the way", err=True)
        return await stop


class _Teller:
    """Prints one line when a connection is taken, refused or over."""

    def __init__(self) -> None:
        self._connections = 0

    def new_connection(self) -> "Sink":
        """Return what takes the rows of the next connection."""
        from sttdoctor.reporting.escape import for_terminal

        self._connections += 1
        number = self._connections

        def tell(row: "Row") -> None:
            line = _line(row)
            if line:
                with suppress(OSError):  # nobody reads any more, which is no reason to stop serving
                    click.echo(for_terminal(f"connection {number}: {line}"))

        return tell


def _line(row: "Row") -> str | None:
    """What to say of a row of a recording."""
    if row["type"] == "session":
        return f"{row['url'][:200]} from {(row['client'] or 'an unnamed client')[:80]}"
    if row["type"] == "open" and row["status"] != 101:
        return f"refused with status {row['status']}: {' '.join((row['body'] or '').split())[:200]}"
    if row["type"] == "receive" and row.get("json", {}).get("type") == "error":
        return f"error event {row['json'].get('status_code')}: {row['json'].get('message')}"
    if row["type"] == "close":
        return f"closed by {row['by']} with code {row['code']} {row['reason'][:100]}".rstrip()
    return None
