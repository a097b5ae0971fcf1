"""One module a check; a module with a `CHECK` in this package is registered by being here."""

import importlib
import pkgutil
from functools import cache

from sttdoctor.checks.base import Cause, Check


@cache
def all_checks() -> tuple[Check, ...]:
    """Return every check, in the order of a report."""
    modules = (importlib.import_module(f"{__name__}.{info.name}") for info in pkgutil.iter_modules(__path__))
    return tuple(
        sorted((module.CHECK for module in modules if hasattr(module, "CHECK")), key=lambda check: check.order)
    )


@cache
def all_causes() -> dict[str, Cause]:
    """Return every cause by its id."""
    return {cause.id: cause for check in all_checks() for cause in check.causes}
