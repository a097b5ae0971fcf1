"""Measurements for a reader: what each means, and its value with the unit that its name tells."""

import re
from collections.abc import Mapping
from typing import Any

from sttdoctor.reporting.captions import format_percent
from sttdoctor.values import immutable

_UNITS = {
    "_bytes_per_s": "bytes a second",
    "_per_min": "a minute",
    "_ms": "ms",
    "_s": "s",
    "seconds": "s",
    "_hz": "Hz",
    "_bytes": "bytes",
    "_characters": "characters",
}
"""End of a measurement's name to its unit."""
_SHARE = re.compile("probabilit|share")
_WITHOUT = re.compile(r"(?:, seconds\b)|(?:[;,] null [^;]*)")
_SHOWN_PARTS = 8
_MOST_ROWS = 60
_LEAST_SHARE = 0.005


@immutable
class Measured:
    """A measurement for a reader: what it is, its name in JSON, its value with the unit."""

    meaning: str
    name: str
    value: str


def list_measured(values: Mapping[str, Any], meanings: Mapping[str, str]) -> list[Measured]:
    """Return the measurements that hold something, with their meaning and unit.

    Args:
        values: Name to value, as a check gives them.
        meanings: Name to what it means, as the guide of the check has it.
    """
    rows = [
        Measured(_clean(meanings.get(name, "")) or _label(name), name, _format(name, value))
        for name, value in values.items()
        if value not in (None, "", [], {})
    ]
    left = len(rows) - _MOST_ROWS
    return rows if left <= 0 else [*rows[:_MOST_ROWS], Measured("and more", "", str(left))]


def _clean(meaning: str) -> str:
    """A meaning as it begins a row: units and what null means are for programs."""
    text = _WITHOUT.sub("", meaning)
    return text[:1].upper() + text[1:]


def _unit_of(name: str) -> tuple[str, str]:
    """The end of a name that tells its unit, and the unit."""
    return next(((end, unit) for end, unit in _UNITS.items() if name.endswith(end)), ("", ""))


def _label(name: str) -> str:
    return name.removesuffix(_unit_of(name)[0]).replace("_", " ") or name


def _format(name: str, value: Any) -> str:
    """A measured value in words, with its unit."""
    if isinstance(value, Mapping):
        parts = [(key, item) for key, item in value.items() if item]
        if _SHARE.search(name) and all(isinstance(item, int | float) for _, item in parts):
            parts = sorted(((key, item) for key, item in parts if item >= _LEAST_SHARE), key=lambda part: -part[1])
        return _join([f"{key}: {_format(name, item)}" for key, item in parts])
    if isinstance(value, list | tuple):
        return _join([_format_part(item) if isinstance(item, Mapping) else _format("", item) for item in value])
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, int | float):
        return str(value)
    if _SHARE.search(name):
        return format_percent(value) if "probabilit" in name else f"{100 * value:.3g} %"
    number = f"{value:.0f}" if isinstance(value, int) or abs(value) >= 1000 else f"{value:.4g}"
    return f"{number} {_unit_of(name)[1]}".rstrip()


def _join(parts: list[str]) -> str:
    return "; ".join([*parts[:_SHOWN_PARTS], "..."] if len(parts) > _SHOWN_PARTS else parts) or "none"


def _format_part(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{_label(name)} {_format(name, value)}" for name, value in values.items())
