"""The command line: one module a command, each a thin shell round the Python interface.

Modules here import click alone; everything heavier is imported when a command runs. A command raises
`click.UsageError` or `UsageError` where its arguments make no sense and `InputError` where something cannot be read,
judged or written; `main` tells either in one sentence and exits with 2. A command ends by `click.Context.exit` with its
code.
"""

import gc
import importlib
import os
import sys

import click

from sttdoctor import __version__

_COMMANDS = ("check", "convert", "explain", "record", "replay", "resend", "serve", "simulate", "triage")


class _Commands(click.Group):
    """Commands that are imported when they are asked for: each in the module of its name."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if super().get_command(ctx, cmd_name) is None:
            return None
        command: click.Command = getattr(importlib.import_module(f"{__name__}.{cmd_name}"), cmd_name)
        return command


@click.group(
    cls=_Commands,
    commands=[click.Command(name) for name in _COMMANDS],
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="sttdoctor")
def cli() -> None:
    """Find out what is wrong with a realtime speech-to-text client.

    Exit codes: 0 nothing at or above --fail-on; 1 something was; 2 the command line or the input could not be used;
    130 interrupted, 143 ended by SIGTERM.
    """


def main() -> None:
    """Run the command line and exit."""
    # the products here are small: threads that wait for each other cost several times more than they save
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    gc.set_threshold(100_000)  # a capture is tens of thousands of values in no cycle: to look for one is a twentieth
    if sys.stdin is None or sys.stdout is None:  # closed by the caller
        sys.stdin, sys.stdout = sys.stdin or open(os.devnull), sys.stdout or open(os.devnull, "w")  # noqa: SIM115
    try:
        code = cli.main(prog_name="sttdoctor", standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help())
        sys.exit(2)
    except click.ClickException as error:
        _tell_error(_say(error))
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except Exception as error:
        sys.exit(_tell(error))


def _say(error: click.ClickException) -> str:
    """The sentence, and where to look when the arguments do not show what was meant."""
    text = error.format_message()
    context = error.ctx if isinstance(error, click.UsageError) else None
    unclear = isinstance(error, click.MissingParameter) or error.message.startswith(
        ("Got unexpected", "No such command")
    )
    return f"{text.rstrip('.')}; see {context.command_path} --help" if context and unclear and "?" not in text else text


def _tell(error: Exception) -> int:
    """Tell an error of the user in one sentence; anything else is a defect and keeps its traceback."""
    from sttdoctor.errors import SttdoctorError

    if not isinstance(error, SttdoctorError | MemoryError):
        raise error
    text = str(error) if isinstance(error, SttdoctorError) else "the input needs more memory than there is"
    _tell_error(text)
    return 2


def _tell_error(text: str) -> None:
    from sttdoctor.cli.options import tell_error

    tell_error(text)
