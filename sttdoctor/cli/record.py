"""`sttdoctor record`."""

import click

from sttdoctor.cli.options import stranger_options


@click.command()
@click.option(
    "--listen", default="127.0.0.1:8765", show_default=True, metavar="HOST:PORT", help="Where clients connect."
)
@click.option("--upstream", default="wss://api.cartesia.ai", show_default=True, metavar="URL", help="The service.")
@click.option(
    "-o",
    "--output",
    type=click.Path(),
    metavar="PATH",
    help="A file for the first connection, numbered after that, or a directory; default the current directory.",
)
@stranger_options
@click.option("--diagnose", is_flag=True, help="Print the report when a connection ends.")
def record(
    listen: str,
    upstream: str,
    output: str | None,
    diagnose: bool,
    allow_origin: tuple[str, ...],
    allow_host: tuple[str, ...],
) -> None:
    """Record what a client and the service say to each other.

    A proxy: give http://HOST:PORT to the client as its base URL (ws://HOST:PORT as its WebSocket URL), and each
    connection is written to a session file as it happens, secrets redacted. Everything passes unchanged. Ctrl-C ends
    it (exit code 130, SIGTERM 143).
    """
    from sttdoctor.cli.watch import run

    code = run(listen, upstream, output, diagnose, allow_origin, allow_host)
    click.get_current_context().exit(code)
