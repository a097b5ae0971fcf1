"""How far the work is, on standard error, for a person who waits."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_PATIENCE_S = 1.0
_EVERY_S = 0.2
_BAR = 20
_LINE = 60

Tell = Callable[[int, int, str], None]


@contextmanager
def progress(form: str | None) -> Iterator[Tell]:
    """Show a bar while the body works, once it takes more than a second.

    Nothing is shown where standard error is no terminal, and beside JSON, which programs read.

    Args:
        form: What `--format` says.

    Yields:
        What `sttdoctor.api.examine` tells its progress to.
    """
    if form == "json" or sys.stderr is None or not sys.stderr.isatty():
        yield lambda _done, _total, _what: None
        return
    from threading import Event, Thread

    now, ended = ["reading the capture"], Event()

    def tell(done: int, total: int, what: str) -> None:
        now[0] = f"[{'#' * (_BAR * done // total):.<{_BAR}}] {done} of {total} checks, {what}"

    def show() -> None:
        wait = _PATIENCE_S
        while not ended.wait(wait):
            _line(now[0])
            wait = _EVERY_S
        if wait == _EVERY_S:
            _line("")

    shower = Thread(target=show, daemon=True)
    shower.start()
    try:
        yield tell
    finally:
        ended.set()
        shower.join()


def _line(text: str) -> None:
    """Write over the line before; spaces clear it on any terminal."""
    sys.stderr.write(f"\r{text:<{_LINE}.{_LINE}}" + ("" if text else "\r"))
    sys.stderr.flush()
