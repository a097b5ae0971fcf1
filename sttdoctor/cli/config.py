"""Settings of a project: `sttdoctor.toml`, or the table `[tool.sttdoctor]` of `pyproject.toml`.

Thresholds stand in a table a check, as `[pacing]` with `backlog_fail_s = 5`; `select`, `ignore` and `fail-on` are the
options of the same names. A file is looked for in the current directory and, inside a repository, above it up to its
root; never beside a capture or in an archive, since what comes with a capture says nothing about how to judge it.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import field
from pathlib import Path
from typing import Any

from sttdoctor.errors import InputError, UsageError, suggest
from sttdoctor.policy import FAIL_ON
from sttdoctor.thresholds import DEFAULTS, read_tables
from sttdoctor.values import immutable

OWN, SHARED = "sttdoctor.toml", "pyproject.toml"
_OPTIONS = ("select", "ignore", "fail-on")
_MOST_BYTES = 1 << 20


@immutable
class Config:
    """What a file of settings says.

    Attributes:
        path: The file; None where there is none.
        is_found: Whether it was found, and not named by the user.
        thresholds: By name.
        options: Option to its value, as on the command line.
    """

    path: str | None = None
    is_found: bool = False
    thresholds: Mapping[str, float] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)


def find_config(folder: str) -> Config:
    """Return the settings of the project that a folder belongs to, empty where it has none.

    Args:
        folder: The current directory.

    Raises:
        InputError: Its file cannot be read or is not TOML.
        UsageError: The file has an unknown setting, or a value that makes no sense.
    """
    for place in _list_folders(folder):
        for name in (OWN, SHARED):
            path = os.path.join(place, name)
            if name == OWN and os.path.exists(path) and not os.path.isfile(path):
                raise InputError(f"{path} is no file; --no-config looks for no settings")
            if os.path.isfile(path) and (name == OWN or _names_us(path)):
                tables = _read_tables(path)
                if tables is not None:
                    return _parse(os.path.relpath(path, folder), tables, is_found=True)
    return Config()


def load_config(path: str) -> Config:
    """Return the settings of a file that the user names.

    Raises:
        InputError: The file cannot be read or is not TOML.
        UsageError: It has an unknown setting, or a value that makes no sense.
    """
    return _parse(path, _read_tables(path) or {}, is_found=False)


def _list_folders(folder: str) -> Iterator[str]:
    """The folder, and those above it up to the root of its repository; outside of one nothing above it."""
    above = [folder, *map(str, Path(folder).parents)]
    root = next((number for number, place in enumerate(above) if os.path.exists(os.path.join(place, ".git"))), 0)
    yield from above[: root + 1]


def _names_us(path: str) -> bool:
    """Whether a file that other tools share may hold settings of ours; what is wrong with it is theirs otherwise."""
    try:
        with open(path, "rb") as file:
            return b"sttdoctor" in file.read(_MOST_BYTES).replace(b"\0", b"")  # UTF-16 is not TOML, which will be told
    except OSError:
        return False


def _read_tables(path: str) -> dict[str, Any] | None:
    """The settings of a file; None where `pyproject.toml` has none for us."""
    import tomllib

    try:
        tables = tomllib.loads(_read_text(path))
    except (ValueError, RecursionError) as error:  # bad TOML, a number of 5000 digits, deep nesting
        raise InputError(f"{path} is not TOML: {error}") from None
    if os.path.basename(path) != SHARED:
        return tables
    tool = tables.get("tool")
    found = tool.get("sttdoctor") if isinstance(tool, dict) else None
    if found is not None and not isinstance(found, dict):
        raise UsageError(f"{path}: tool.sttdoctor is no table; write [tool.sttdoctor] and the settings below it")
    return found


def _read_text(path: str) -> str:
    try:
        with open(path, "rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from None
    if len(content) > _MOST_BYTES:
        raise InputError(f"{path} is longer than {_MOST_BYTES >> 20} MiB, which is no file of settings")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{path} is not TOML: it is not text") from None


def _parse(path: str, tables: Mapping[str, Any], is_found: bool) -> Config:
    named = {name.replace("_", "-"): value for name, value in tables.items() if name.replace("_", "-") in _OPTIONS}
    rest = {name: value for name, value in tables.items() if name.replace("_", "-") not in _OPTIONS}
    try:
        for name, value in rest.items():
            if not isinstance(value, dict) and name not in DEFAULTS:
                raise UsageError(_tell_unknown(name))
        options = {name.replace("-", "_"): _parse_option(name, value) for name, value in named.items()}
        return Config(path, is_found, read_tables(rest), options)
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from None


def _tell_unknown(name: str) -> str:
    first = next((threshold for threshold in DEFAULTS if threshold.startswith(f"{name}.")), None)
    if first is not None:
        key = first.removeprefix(f"{name}.")
        return f"{name} is a table; write [{name}] and below it, for instance, {key} = {DEFAULTS[first]:g}"
    hint = suggest(name, (*_OPTIONS, *DEFAULTS), "sttdoctor explain lists thresholds by check")
    return f"there is no setting {name!r}; {hint}"


def _parse_option(name: str, value: Any) -> str:
    """Return a value as the option takes it on the command line."""
    if name == "fail-on":
        if value not in FAIL_ON:
            hint = suggest(str(value), FAIL_ON, f"there are {', '.join(FAIL_ON)}")
            raise UsageError(f"fail-on cannot be {value!r}; {hint}")
        return str(value)
    ids = value.split(",") if isinstance(value, str) else value
    if not isinstance(ids, list) or not all(isinstance(item, str) for item in ids):
        raise UsageError(f'{name} takes a list of checks, as {name} = ["language"]')
    from sttdoctor.checks import all_checks

    known = [check.id for check in all_checks()]
    for item in ids:
        if item.strip() not in known:
            raise UsageError(
                f"{name}: there is no check {item!r}; {suggest(item, known, 'sttdoctor explain lists them')}"
            )
    return ",".join(ids)
