"""What `sttdoctor record` shows while it runs, and how it ends."""

import asyncio
import contextlib
import gc
import os
import shlex
import shutil
import ssl
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TextIO

import click

from sttdoctor.net import Door, is_loopback, show_host, stop_signals
from sttdoctor.program import build_command
from sttdoctor.record.desk import Entry
from sttdoctor.record.proxy import listen
from sttdoctor.record.shelf import Keeping
from sttdoctor.record.upstream import Upstream, cannot_listen
from sttdoctor.reporting.escape import for_terminal
from sttdoctor.values import immutable

_EVERY_S = 0.2
_MOST_LINES, _LINES_A_S = 1000, 50
"""Lines that stay, at once and for long: a peer can make one with each request, and a slow terminal takes its time."""

_REPORT_TIMEOUT_S = 120.0
_REST_S = 15.0
"""For the reports that are still to be made when the recorder is ended."""


class Screen:
    """Lines that stay, and below them on a terminal one line a running connection, which is drawn again and again.

    Args:
        out: Where to write; not a terminal: only the lines that stay.
        diagnose: Whether to print a report when a connection ends.
        calls: Whether the file of a connection stands in the folder of its call, which is judged as a whole.
    """

    def __init__(self, out: TextIO, diagnose: bool, calls: bool = False) -> None:
        self._out = out
        self._live = out.isatty() and os.environ.get("TERM") != "dumb"
        self._drawn = 0
        self._diagnose = diagnose
        self._calls = calls
        self._running: dict[Entry, float] = {}
        self._reports: dict[asyncio.Task[None], Path] = {}
        self._one_at_a_time = asyncio.Lock()
        self._room, self._said_at, self._left_out = float(_MOST_LINES), time.monotonic(), 0

    def began(self, entry: Entry) -> None:
        """A connection begins."""
        self._running[entry] = time.monotonic()
        if not self._live:
            self.say(f"{_name(entry)}: connected")

    def ended(self, entry: Entry) -> None:
        """A connection is over: say how, and what to do next."""
        self._running.pop(entry, None)
        self.say(f"{_name(entry)}: {_end(entry)}")
        if entry.path is None or not entry.path.is_file():
            return
        path = entry.path.parent if self._calls else entry.path
        if self._diagnose:
            task = asyncio.create_task(self._report(path))
            self._reports[task] = path
            task.add_done_callback(lambda done: self._reports.pop(done, None))
        else:
            self.say(f"  {_next(path)}")

    def tell(self, sentence: str) -> None:
        """Something went wrong."""
        self.say(f"sttdoctor: {sentence}")

    async def finish(self, limit_s: float, hurry: Awaitable[object]) -> None:
        """Wait for the reports that are asked for, and say which are not made.

        Args:
            limit_s: Seconds to wait.
            hurry: Ends the waiting as well.
        """
        if not self._reports:
            return
        self.say(f"waiting up to {limit_s:g} s for what is still to be diagnosed; Ctrl-C again ends it at once")
        made, told = asyncio.ensure_future(asyncio.wait(set(self._reports))), asyncio.ensure_future(hurry)
        await asyncio.wait((made, told), timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
        made.cancel()
        for task, path in list(self._reports.items()):
            task.cancel()
            self.say(f"{path}: not diagnosed yet; {_next(path)}")
        await asyncio.gather(*self._reports, return_exceptions=True)

    async def refresh(self, look: Callable[[], None]) -> None:
        """Draw the running connections for ever; `look` asks for how they look."""
        while self._live:
            self._draw()
            look()
            await asyncio.sleep(_EVERY_S)
        await asyncio.Event().wait()

    def close(self) -> None:
        """Leave the terminal in order."""
        self._write(self._gap())

    async def _report(self, path: Path) -> None:
        """Diagnose in a process of its own, so that no other connection waits; one at a time."""
        async with self._one_at_a_time:
            process = await asyncio.create_subprocess_exec(
                *build_command("sttdoctor.cli", "replay", str(path), "--fail-on", "never"),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                env={**os.environ, "COLUMNS": str(_width())},
                start_new_session=True,  # Ctrl-C is for the recorder, which ends it itself
            )
            try:
                async with asyncio.timeout(_REPORT_TIMEOUT_S):
                    report, _ = await process.communicate()
            except TimeoutError:
                self.tell(f"the report of {path} took longer than {_REPORT_TIMEOUT_S:g} s and was stopped")
                return
            finally:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
        self._write("")
        with contextlib.suppress(OSError):
            click.echo(report.decode(errors="replace"), nl=False)
            sys.stdout.flush()

    def say(self, line: str) -> None:
        """Write a line that stays; of more lines than anybody reads the number is told."""
        now = time.monotonic()
        self._room = min(_MOST_LINES, self._room + (now - self._said_at) * _LINES_A_S)
        self._said_at = now
        if self._room < 1:
            self._left_out += 1
            return
        self._room -= 1
        self._write(self._gap() + for_terminal(line) + "\n")

    def _gap(self) -> str:
        count, self._left_out = self._left_out, 0
        return f"... {count} lines are left out\n" if count else ""

    def _draw(self) -> None:
        width, height = _width(), shutil.get_terminal_size().lines
        now = time.monotonic()
        lines = [f"{self._shorten(entry)}  {_line(entry, now - began)}" for entry, began in self._running.items()]
        shown = lines[: max(1, height - 2)]
        if len(lines) > len(shown):
            shown[-1] = f"... and {len(lines) - len(shown) + 1} more"
        self._write("".join(for_terminal(line)[: width - 1] + "\n" for line in shown))
        self._drawn = len(shown)

    def _shorten(self, entry: Entry) -> str:
        if entry.path is None:
            return _name(entry)
        return f"{entry.path.parent.name}/{entry.path.name}" if self._calls else entry.path.name

    def _write(self, text: str) -> None:
        """Write in place of the lines that are drawn; nobody who looks any more is no reason to stop recording."""
        erase = f"\x1b[{self._drawn}F\x1b[J" if self._drawn else ""
        self._drawn = 0
        with contextlib.suppress(OSError, ValueError):
            self._out.write(erase + text)
            self._out.flush()


def _next(path: Path) -> str:
    return f"next: sttdoctor replay {shlex.quote(str(path))}"


def _width() -> int:
    return min(shutil.get_terminal_size().columns, 120)


def _name(entry: Entry) -> str:
    return str(entry.path) if entry.path is not None else "not recorded"


def _line(entry: Entry, t: float) -> str:
    meter = entry.glance
    audio = f"{meter.audio_s:6.1f} s of audio" if meter.audio_s is not None else f"{meter.sent} bytes"
    turn = "no turn" if meter.turn is None else f"turn: {meter.turn[-60:].strip() or '...'}"
    return f"{t:6.1f} s  {audio}, backlog {meter.backlog_s(t):.1f} s, {turn}"


def _end(entry: Entry) -> str:
    if entry.status not in (None, 101):
        return f"the handshake was refused with status {entry.status}"
    meter, close = entry.glance, entry.close
    length = f"{meter.audio_s:.1f} s" if meter.audio_s is not None else f"{meter.sent} bytes"
    if close is None:
        return f"{length} of audio; stopped while the connection was open"
    by = {"client": "the client", "server": "the service"}.get(close["by"], "an unknown side")
    if close["code"] == 1006:
        return f"{length} of audio; {by} was gone without a close (1006)"
    reason = f" {close['reason']!r}" if close["reason"] else ""
    return f"{length} of audio; {by} closed with code {close['code']}{reason}"


@immutable
class Plan:
    """What is recorded, and how.

    Attributes:
        host: Where to listen.
        port: 0 for any free one.
        service: Where to go on to.
        door: Who may connect.
        tls: To speak TLS to the clients, None where they do not.
        keeping: What is kept and where.
        diagnose: Whether to print a report when a connection ends.
    """

    host: str
    port: int
    service: Upstream
    door: Door
    tls: ssl.SSLContext | None
    keeping: Keeping
    diagnose: bool


def run(plan: Plan) -> int:
    """Record until a signal comes; returns the exit code.

    Raises:
        UsageError: An address, the port or the output cannot be used.
        KeyboardInterrupt: On SIGINT.
    """
    _allow_many_files()
    return asyncio.run(_record(plan))


async def _record(plan: Plan) -> int:
    screen = Screen(sys.stderr, plan.diagnose, plan.keeping.calls)
    host, port, service = plan.host, plan.port, plan.service
    shown = show_host(host)
    first, again = stop_signals()
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(screen.close)
        stack.push_async_callback(screen.finish, _REST_S, again)
        try:
            listening = listen(host, port, service, plan.keeping, screen, plan.door, plan.tls)
            proxy = await stack.enter_async_context(listening)
        except (OSError, UnicodeError) as error:
            raise cannot_listen(f"{shown}:{port}", error) from None
        gc.freeze()  # what is loaded stays; without it each full collection looks through it, and everybody waits
        at = f"{shown}:{proxy.port}"
        s = "" if plan.tls is None else "s"
        screen.say(f"recording http{s}://{at} (ws{s}://{at}) -> {service.url}; Ctrl-C ends it")
        if not is_loopback(host):
            clear = ", and keys and speech of theirs and yours are not encrypted on the way" if plan.tls is None else ""
            screen.say(f"others can connect here{clear}")
        if service.in_clear:
            screen.say(f"keys and speech go to {service.host} without encryption; use wss://")
        return await _until_told(screen, proxy.look, first)


async def _until_told(screen: Screen, look: Callable[[], None], told: "asyncio.Future[int]") -> int:
    """Wait for a signal; returns the exit code."""
    drawing = asyncio.create_task(screen.refresh(look))
    try:
        return await told
    finally:
        drawing.cancel()


def _allow_many_files() -> None:
    """Raise the limit of open files as far as the system lets us: a connection takes three."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
