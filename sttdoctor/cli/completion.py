"""What a shell offers after Tab where a name is typed; by click's protocol, and without heavy imports."""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

Complete = Callable[[click.Context, click.Parameter, str], "list[CompletionItem]"]


def complete(list_names: Callable[[], Mapping[str, str]], several: bool = False) -> Complete:
    """Return what completes one of some names.

    Args:
        list_names: Returns each name with a few words on it.
        several: Whether they are given as a list with commas, of which the last is being typed.
    """

    def find(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
        before, comma, typed = incomplete.rpartition(",") if several else ("", "", incomplete)
        taken = before.split(",")
        return _list_items(list_names(), typed, before + comma, taken)

    return find


def _list_items(names: Mapping[str, str], typed: str, before: str, taken: Iterable[str]) -> "list[CompletionItem]":
    from click.shell_completion import CompletionItem

    found = {name: words for name, words in names.items() if name.startswith(typed) and name not in taken}
    return [CompletionItem(before + name, help=words or None) for name, words in found.items()]


def list_encodings() -> dict[str, str]:
    """Return the encodings that the service takes."""
    from sttdoctor.encodings import ENCODINGS, SUPPORTED

    return {name: ENCODINGS[name].label for name in SUPPORTED}


def list_rates() -> dict[str, str]:
    """Return usual sample rates."""
    from sttdoctor.encodings import STANDARD_RATES

    return {str(rate): "Hz" for rate in STANDARD_RATES}


def list_checks() -> dict[str, str]:
    """Return the checks."""
    from sttdoctor.guides import load_names

    return dict.fromkeys(load_names(), "")


def list_topics() -> dict[str, str]:
    """Return what `explain` explains."""
    from sttdoctor.guides import load_names

    causes = {cause: what for check in load_names().values() for cause, what in check.items()}
    tables = {
        "sources": "what recorders, browsers and libraries give by default",
        "quirks": "what libraries do that nobody expects",
    }
    return {**list_checks(), **causes, **tables}


def list_thresholds() -> dict[str, str]:
    """Return the thresholds with their defaults, to be changed."""
    from sttdoctor.thresholds import THRESHOLDS

    return {f"{limit.name}={limit.default:g}": limit.reason for limit in THRESHOLDS}


def list_faults() -> dict[str, str]:
    """Return what the stand-in can do wrong."""
    from sttdoctor.simulate.faults import FAULTS

    return {fault.name: fault.what for fault in FAULTS.values()}


def list_columns() -> dict[str, str]:
    """Return the columns of a table of captures."""
    from sttdoctor.triage.row import COLUMNS

    return {name: meaning for name, (_, meaning) in COLUMNS.items()}
