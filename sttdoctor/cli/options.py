"""What several commands share: their options, reading thresholds, writing a report, the exit code."""

import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from sttdoctor.cli.completion import complete, list_checks, list_encodings, list_rates, list_thresholds
from sttdoctor.policy import FAIL_ON
from sttdoctor.reporting import FORMATS, Format, format_of

if TYPE_CHECKING:
    from sttdoctor.analysis.facts import Facts
    from sttdoctor.cli.config import Config
    from sttdoctor.report import Report

_NO_CONFIG = "sttdoctor.no_config"

Command = Callable[..., None]

MOST_S = 7 * 86400.0
"""Seconds: no option takes more."""
MOST_JOBS = 1024
_MOST_MIB = 1 << 20


def ids(_ctx: click.Context, _param: click.Parameter, value: str) -> tuple[str, ...]:
    """Split comma-separated names."""
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _picture(ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    """Refuse the name of a picture that cannot be made before anything is judged."""
    if value is not None and not ctx.resilient_parsing:
        from sttdoctor.reporting.figures.pictures import suffix_of

        suffix_of(value)
    return value


def _leave_out(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    """Remember that no settings are wanted; what is given comes before what is not, so this before `_configure`."""
    ctx.meta[_NO_CONFIG] = value


def _configure(ctx: click.Context, _param: click.Parameter, value: str | None) -> "Config | None":
    """Read the settings of a project; what they say of an option becomes its default."""
    if ctx.resilient_parsing:
        return None
    from sttdoctor.cli.config import Config, find_config, load_config

    if value is not None:
        config = load_config(value)
    else:
        folder = None if ctx.meta.get(_NO_CONFIG) else _current_folder()
        config = find_config(folder) if folder else Config()
    ctx.default_map = dict(config.options)
    return config


def _current_folder() -> str | None:
    try:
        return os.getcwd()
    except OSError:  # it is gone
        return None


def format_options(command: Command) -> Command:
    """Add the options that say what the client declared."""
    command = click.option(
        "--sample-rate",
        type=int,
        metavar="HZ",
        shell_complete=complete(list_rates),
        help="Sample rate that the client declared, for instance 16000.",
    )(command)
    return click.option(
        "--encoding",
        metavar="NAME",
        shell_complete=complete(list_encodings),
        help="Encoding that the client declared; the service takes pcm_s16le, pcm_s32le, pcm_f16le, pcm_f32le, "
        "pcm_mulaw and pcm_alaw.",
    )(command)


def report_options(command: Command) -> Command:
    """Add the options that `check` and `replay` share."""
    for option in reversed((*_REPORT, *_JUDGE, *_MORE)):
        command = option(command)
    return command


def judge_options(command: Command) -> Command:
    """Add the options that say what is judged, and by what."""
    for option in reversed(_JUDGE):
        command = option(command)
    return command


def check_options(command: Command) -> Command:
    """Add those of `judge_options` that change a report, and not the exit code."""
    for option in reversed((*_CHECKS, *_SETTINGS)):
        command = option(command)
    return command


class Names(click.Choice[str]):
    """One of some names; of another one it says which may be meant."""

    def get_invalid_choice_message(self, value: Any, ctx: click.Context | None) -> str:
        """Return the sentence of click, and the name that is like it."""
        from sttdoctor.errors import suggest

        hint = suggest(str(value), self.choices, "")
        return f"{super().get_invalid_choice_message(value, ctx)} {hint.capitalize()}".rstrip()


class Size(click.ParamType[int]):
    """A number of bytes: `500000`, `500k`, `500M`, `20G`, in powers of 1024."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the bytes."""
        if isinstance(value, int):
            return value
        parts = re.fullmatch(r"(\d{1,15})([kMGT]?)(?:i?B)?", str(value), re.ASCII)
        size = int(parts[1]) << 10 * " kMGT".index(parts[2] or " ") if parts else 0
        if size < 1:
            self.fail(f"{value!r} is no size; write it as 500M or 20G.", param, ctx)
        return size


class Number(click.ParamType[float]):
    """A number within bounds, which `nan` and `inf` are not.

    Args:
        least: The least one.
        most: The greatest one.
    """

    name = "number"

    def __init__(self, least: float, most: float) -> None:
        self._least, self._most = least, most

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number."""
        number = float(click.FLOAT.convert(value, param, ctx))
        if not self._least <= number <= self._most:
            self.fail(f"{value} is not in the range from {self._least:g} to {self._most:g}.", param, ctx)
        return number


class _Connection(click.ParamType[Any]):
    """A number from 1, or `all`."""

    name = "connection"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number, or the word."""
        if value == "all" or isinstance(value, int):
            return value
        number = int(value) if str(value).isascii() and str(value).isdigit() and len(str(value)) < 10 else 0
        if number < 1:
            self.fail(f"{value!r} is neither a number from 1 nor all.", param, ctx)
        return number


connection_option = click.option(
    "--connection",
    type=_Connection(),
    shell_complete=complete(lambda: {"all": "they are one client's session"}),
    metavar="N|all",
    help="Which connection to take when a capture holds several; all: treat them as one client's session.",
)


def stranger_options(command: Command) -> Command:
    """Add the options of a server that say who may use it beside the programs of this machine."""
    command = click.option(
        "--allow-host",
        multiple=True,
        metavar="NAME",
        help="A host name under which clients reach this machine (repeatable).",
    )(command)
    return click.option(
        "--allow-origin",
        multiple=True,
        metavar="ORIGIN",
        help="Let pages of this origin connect, for instance https://app.example (repeatable; * is any). "
        "Pages from this machine may, others may not.",
    )(command)


def limit_options(command: Command) -> Command:
    """Add the options that bound the process which judges a capture."""
    command = click.option(
        "--memory-limit",
        type=click.IntRange(256, _MOST_MIB),
        default=2048,
        show_default=True,
        metavar="MIB",
        help="Give up on a capture that needs more memory.",
    )(command)
    return click.option(
        "--time-limit",
        type=Number(0.1, MOST_S),
        default=120,
        show_default=True,
        metavar="SECONDS",
        help="Give up on a capture that takes longer.",
    )(command)


_REPORT = (
    click.option(
        "--format",
        "form",
        type=Names(list(FORMATS)),
        help="Format of the report; default: by the suffix of the output file, else text.",
    ),
    click.option(
        "-o",
        "--output",
        "outputs",
        type=click.Path(),
        multiple=True,
        metavar="FILE",
        help="Write the report to this file (repeatable): "
        + ", ".join(f"{form.suffixes[0]} ({form.label})" for form in FORMATS.values() if form.suffixes)
        + ".",
    ),
    click.option("--force", is_flag=True, help="Overwrite existing files that hold something else."),
)
_CHECKS = (
    click.option(
        "--select",
        callback=ids,
        shell_complete=complete(list_checks, several=True),
        default="",
        metavar="IDS",
        help="Run these checks only (comma-separated; explain lists them).",
    ),
    click.option(
        "--ignore",
        callback=ids,
        shell_complete=complete(list_checks, several=True),
        default="",
        metavar="IDS",
        help="Leave these checks out.",
    ),
)
_FAIL_ON = click.option(
    "--fail-on",
    type=Names(list(FAIL_ON)),
    default="fail",
    show_default=True,
    help="From which status on the exit code is 1.",
)
_SETTINGS = (
    click.option(
        "--set",
        "settings",
        multiple=True,
        metavar="NAME=VALUE",
        shell_complete=complete(list_thresholds),
        help="Change a threshold that explain names, for instance pacing.backlog_fail_s=5 (repeatable).",
    ),
    click.option(
        "--config",
        type=click.Path(),
        metavar="FILE",
        is_eager=True,
        callback=_configure,
        help="TOML with settings; default sttdoctor.toml or [tool.sttdoctor] of pyproject.toml, here or above in the "
        "repository.",
    ),
    click.option(
        "--no-config",
        is_flag=True,
        is_eager=True,
        callback=_leave_out,
        expose_value=False,
        help="Read no settings file.",
    ),
)
_JUDGE = (*_CHECKS, _FAIL_ON, *_SETTINGS)
_MORE = (
    click.option("--wav", type=click.Path(), metavar="FILE", help="Write the audio as detected, as a WAV file."),
    click.option(
        "--plot",
        type=click.Path(),
        metavar="FILE",
        callback=_picture,
        help="Draw the figures on one page: PNG, SVG or PDF.",
    ),
    click.option("--play", is_flag=True, help="Play the audio as declared and as detected, with ffplay."),
    click.option("-v", "--verbose", is_flag=True, help="In text: show all answers, evidence and measurements."),
)


def source_of(path: str) -> str | BinaryIO:
    """Return a path as it is; `-` is standard input."""
    return sys.stdin.buffer if path == "-" else path


def tell_error(text: str) -> None:
    """Tell on standard error what cannot be used, in one line."""
    from sttdoctor.redact import redact_tokens
    from sttdoctor.reporting.escape import for_terminal

    # errors of click repeat what was typed, too
    click.echo(f"sttdoctor: {for_terminal(redact_tokens(' '.join(text.split(chr(10)))))}", err=True)


def spare(options: Mapping[str, Any], *inputs: str | None) -> None:
    """Refuse outputs that would write over what is read, or that cannot be meant, before anything is judged.

    Args:
        options: Of the command, by their names in `report_options`.
        inputs: Files that are read, beside the configuration.

    Raises:
        UsageError: An output is an input or another output, or a link without `--force`.
        InputError: It is a directory, or stands in none.
    """
    from sttdoctor.outputs import check_spared

    check_spared(
        (*options["outputs"], options["wav"], options["plot"]), (*inputs, options["config"].path), options["force"]
    )


@contextmanager
def standard_output() -> Iterator[None]:
    """Write to standard output inside; a reader that leaves early (`| head`) changes nothing about the verdict.

    Raises:
        InputError: It cannot be written, as on a full disk.
    """
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        _drop_output()
    except OSError as error:
        from sttdoctor.errors import InputError

        _drop_output()
        raise InputError(f"cannot write standard output: {error.strerror or error}") from None


def _drop_output() -> None:
    """Send what is still buffered nowhere: Python would fail on it once more at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def thresholds(settings: tuple[str, ...], config: "Config") -> dict[str, float]:
    """Return the thresholds that the user changed; --set wins over a file. Settings that were found are told.

    Raises:
        UsageError: An unknown name, or a value that is no number within its bounds.
    """
    from sttdoctor.thresholds import parse_settings

    changed = {**config.thresholds, **parse_settings(settings)}
    if config.is_found:
        from sttdoctor.reporting.escape import for_terminal

        click.echo(f"settings from {for_terminal(str(config.path))} (--no-config leaves them out)", err=True)
    return changed


def forms_of(options: Mapping[str, Any]) -> dict[str | None, Format]:
    """Return the formats that the options ask for by the file each goes to; None is standard output.

    Called before anything is judged, it refuses a name of none.

    Raises:
        UsageError: No format has the suffix of an output.
    """
    asked = options["form"]
    return {output: FORMATS[asked] if asked else format_of(output or "") for output in options["outputs"] or (None,)}


def refuse_single(options: Mapping[str, Any]) -> None:
    """Refuse what is made of one capture alone, where several are given.

    Raises:
        click.UsageError: Such an output is asked for.
    """
    asked = [name for name in ("plot", "wav", "play") if options[name]]
    if asked:
        raise click.UsageError(f"--{asked[0]} is of one AUDIO; give it alone")
    for output, form in forms_of(options).items():
        if form.single:
            raise click.UsageError(
                f"{output or f'--format {form.name}'} holds the report of one AUDIO; sttdoctor triage --html DIR "
                "writes one of many"
            )


def deliver(reports: Sequence["Report"], options: Mapping[str, Any], facts: "Facts | None" = None) -> int:
    """Write reports and what goes with them, and return the exit code that the worst asks for.

    Args:
        reports: What to write; several below each other.
        options: Of the command, by their names in `report_options`.
        facts: What was judged, where it is one; figures and sound come from it.

    Raises:
        click.UsageError: No check is left to run.
        InputError: A file or standard output cannot be written.
    """
    first = reports[0]
    if not first.checks:
        raise click.UsageError(f"--select and --ignore leave no check to run; {_choice(first.subject['kind'])}")
    forms = forms_of(options)
    shown = options["plot"] or options["play"] or any("exhibits" in form.takes for form in forms.values())
    exhibits: Any = _exhibits(first, facts, options) if shown and facts is not None else None
    if options["plot"]:
        from sttdoctor.reporting.figures.pictures import plot

        plot(first, exhibits, options["plot"], options["force"])
    sizes = {output: _write(reports, form, output, exhibits, options) for output, form in forms.items()}
    _say_written(reports, {output: size for output, size in sizes.items() if output is not None})
    if options["play"]:
        from sttdoctor.cli.play import play

        play(first, exhibits)
    return max(exit_code(report, options["fail_on"]) for report in reports)


def _choice(kind: str) -> str:
    from sttdoctor.checks import all_checks

    known = ", ".join(check.id for check in all_checks() if kind in check.kinds)
    return f"of {'a session' if kind == 'session' else 'bare audio'} there are {known}"


def _exhibits(report: "Report", facts: "Facts", options: Mapping[str, Any]) -> Any:
    from sttdoctor.reporting.data.collect import collect

    return collect(facts, report, _repeat(report, facts, options))


def _repeat(report: "Report", facts: "Facts", options: Mapping[str, Any]) -> str:
    """The command that makes this report once more; what was sent again is a session like any other."""
    from pathlib import Path

    from sttdoctor.listen import build_repeat
    from sttdoctor.reporting.escape import for_terminal
    from sttdoctor.thresholds import DEFAULTS

    context = click.get_current_context()
    given = context.params if context.info_name != "resend" else {}
    is_session = report.subject["kind"] == "session"
    files = given.get("sessions" if is_session else "audio") or (str(report.subject["path"]),)
    wanted = {name: given.get(name) for name in ("encoding", "sample_rate", "connection")}
    wanted |= {name: given[name] and Path(given[name]) for name in ("transcript", "against") if name in given}
    wanted |= {name: options[name] for name in ("select", "ignore")}
    limits = {name: value for name, value in facts.limits.items() if value != DEFAULTS[name]}
    typed = {f"--{name.replace('_', '-')}": value for name, value in wanted.items()}
    command = build_repeat("replay" if is_session else "check", files, typed, limits)
    return command if for_terminal(command) == command else ""


def _write(
    reports: Sequence["Report"], form: Format, output: str | None, exhibits: Any, options: Mapping[str, Any]
) -> int:
    """Write reports to a file, or to standard output, and return their bytes."""
    import shutil

    settings = {
        "width": min(shutil.get_terminal_size().columns, 120),
        "colour": output is None and _wants_colour(),
        "verbose": options["verbose"],
        "failing": {"fail", *FAIL_ON[options["fail_on"]]},
        "exhibits": exhibits,
    }
    content = form.join([form.render(report, **settings) for report in reports])
    encoded = content.encode("utf-8", "backslashreplace")
    if output is None:
        with standard_output():
            click.echo(printable(content), nl=False, color=_wants_colour())
    else:
        from sttdoctor.outputs import write_whole

        with write_whole(output, options["force"]) as file:
            file.write(encoded)
    return len(encoded)


def _say_written(reports: Sequence["Report"], sizes: Mapping[str, int]) -> None:
    """Say the answers on standard error where the report went to files, with their sizes in bytes."""
    if sizes:
        from sttdoctor.reporting.escape import for_terminal
        from sttdoctor.reporting.phrases import answer, get_path

        files = ", ".join(f"{output} ({-(-size // 1000)} kB)" for output, size in sizes.items())
        said = [
            f"{report.status.upper()}  " + (f"{get_path(report)}: " if len(reports) > 1 else "") + answer(report)
            for report in reports
        ]
        said[-1] += f" -> {files}"
        for line in said:
            click.echo(for_terminal(line), err=True)


def _wants_colour() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def exit_code(report: "Report", fail_on: str) -> int:
    """Return 1 when a check has a status at or above `fail_on`, else 0."""
    return int(any(check.status in FAIL_ON[fail_on] for check in report.checks))


def printable(text: str) -> str:
    """Replace characters that standard output cannot encode."""
    encoding = sys.stdout.encoding or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)
