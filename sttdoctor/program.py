"""How sttdoctor starts a part of itself in a process of its own."""

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
