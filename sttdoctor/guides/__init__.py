"""What there is to know about a check beside the check itself: examples, code that does it right, its measurements.

One file a check, `CHECK.toml`: `bad` and `good` are commands on the fixtures, `python` and `javascript` code,
`measurements` what each name in a report means. `excerpts.json` holds what the commands print, `names.json` the causes
of each check for who needs no check; `docs/build.py` writes both, and the pages in `docs/checks/`.
"""

import json
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from sttdoctor.values import immutable


@immutable
class Example:
    """A command on a fixture, and what it prints."""

    command: str
    report: str


@immutable
class Guide:
    """What `sttdoctor explain` and the page of a check show beside the check.

    Attributes:
        bad: A capture in which the check finds a fault.
        good: One in which it finds none.
        code: Language to code that does it right; the Python code is for the vendor's SDK.
        measurements: Name to meaning.
    """

    bad: Example
    good: Example
    code: Mapping[str, str]
    measurements: Mapping[str, str]


@cache
def load_guide(check: str) -> Guide:
    """Return the guide of a check."""
    values = tomllib.loads(_read_text(f"{check}.toml"))
    excerpts = json.loads(_read_text("excerpts.json")).get(check, {"bad": [], "good": []})
    bad, good = (Example(values[kind], "\n".join(excerpts[kind])) for kind in ("bad", "good"))
    code = {"Python": values["python"].strip(), "JavaScript": values["javascript"].strip()}
    return Guide(bad, good, code, values["measurements"])


@cache
def load_names() -> dict[str, dict[str, str]]:
    """Return the checks in the order of a report, each with its causes and what they are; imports no check."""
    names: dict[str, dict[str, str]] = json.loads(_read_text("names.json"))
    return names


def _read_text(name: str) -> str:
    return files(__name__).joinpath(name).read_text("utf-8")
