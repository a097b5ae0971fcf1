"""`sttdoctor record`."""

import click

from sttdoctor.cli.options import Size, stranger_options


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
@click.option(
    "--calls",
    is_flag=True,
    help="Give each call a folder: connections of one client that follow each other within a minute. "
    "sttdoctor replay FOLDER judges them as one.",
)
@click.option(
    "--keep-bytes",
    type=Size(),
    metavar="SIZE",
    help="Keep at most this much in the directory (for instance 500M or 20G); the oldest recordings go first.",
)
@click.option(
    "--keep-connections",
    type=click.IntRange(min=1),
    metavar="N",
    help="Keep recordings of at most N connections; the oldest go first.",
)
@stranger_options
@click.option(
    "--tls-certificate", type=click.Path(), metavar="FILE", help="Speak TLS to clients, with this certificate (PEM)."
)
@click.option(
    "--tls-key", type=click.Path(), metavar="FILE", help="The key of the certificate, unless it is in the same file."
)
@click.option("--proxy", metavar="URL", help="Go to the service through this HTTP proxy.")
@click.option(
    "--upstream-address",
    metavar="ADDRESS",
    help="Connect to this address instead of looking up the name of the service.",
)
@click.option("--diagnose", is_flag=True, help="Print the report when a connection ends.")
def record(
    listen: str,
    upstream: str,
    output: str | None,
    calls: bool,
    keep_bytes: int | None,
    keep_connections: int | None,
    diagnose: bool,
    allow_origin: tuple[str, ...],
    allow_host: tuple[str, ...],
    tls_certificate: str | None,
    tls_key: str | None,
    proxy: str | None,
    upstream_address: str | None,
) -> None:
    """Record what a client and the service say to each other.

    A proxy: give http://HOST:PORT to the client as its base URL (ws://HOST:PORT as its WebSocket URL), and each
    connection is written to a session file as it happens, secrets redacted. Everything passes unchanged. Ctrl-C ends
    it (exit code 130, SIGTERM 143).
    """
    from dataclasses import replace

    from sttdoctor.cli.watch import Plan, run
    from sttdoctor.errors import UsageError
    from sttdoctor.net import Door, host_port, is_address
    from sttdoctor.record.shelf import Keeping
    from sttdoctor.record.upstream import HttpProxy, Upstream, server_tls

    if tls_key and not tls_certificate:
        raise UsageError("--tls-key wants --tls-certificate beside it")
    if upstream_address and not is_address(upstream_address):
        raise UsageError(f"{upstream_address} is no IP address")
    host, port = host_port(listen)
    service = replace(
        Upstream.parse(upstream),
        address=upstream_address or "",
        proxy=HttpProxy.parse(proxy) if proxy else None,
    )
    tls = server_tls(tls_certificate, tls_key) if tls_certificate else None
    keeping = Keeping(output, calls, keep_bytes, keep_connections)
    code = run(Plan(host, port, service, Door.of(host, allow_origin, allow_host), tls, keeping, diagnose))
    click.get_current_context().exit(code)
