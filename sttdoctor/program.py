"""How sttdoctor starts a part of itself in a process of its own, and what a process that judges asks of the system."""

import contextlib
import sys
from pathlib import Path

# not -m: a file in the current folder, which may be full of captures, must not be imported in place of a library; the
# same for a file beside this package, so that its folder comes first for the package alone
_PROGRAM = """import sys
folder = sys.argv.pop(1)
sys.path.insert(0, folder)
import sttdoctor
sys.path.append(sys.path.pop(0))
from {} import main
main()
"""


def build_command(module: str, *arguments: str) -> tuple[str, ...]:
    """Return the command that calls `main` of a module, with arguments in `sys.argv`."""
    return sys.executable, "-P", "-c", _PROGRAM.format(module), str(Path(__file__).parent.parent), *arguments


_KEPT, _LARGE = 64 << 20, 16 << 20  # bytes that are kept in all, and of an array that is given back all the same
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # options of mallopt, as <malloc.h> of the GNU C library numbers them


def keep_memory() -> None:
    """Let this process keep the memory that it frees, for what it needs next.

    Judging makes and drops arrays of megabytes. Given back to the system each time, their pages have to be cleared
    anew, which takes a fifteenth of the time. Only the GNU C library is told; others decide by themselves.
    """
    import ctypes  # which numpy imports anyway

    with contextlib.suppress(OSError, AttributeError, TypeError):
        set_option = ctypes.CDLL(None).mallopt
        set_option(_TRIM_THRESHOLD, _KEPT)
        set_option(_MMAP_THRESHOLD, _LARGE)
