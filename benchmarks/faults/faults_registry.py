"""The list of faults: each is a function that puts one mistake into a healthy recipe.

`stage` says what a fault touches; a pair takes two faults of different stages. `solo` faults leave nothing for a second
one to act on. `also` (of a fault, or set on the recipe by one of its variants) holds the causes that the specification
makes as good a name; lenient accuracy counts them, strict accuracy does not.
"""

from collections.abc import Callable
from dataclasses import dataclass

from faults_recipe import Recipe

Apply = Callable[[Recipe], None]
Formats = tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Fault:
    """One mistake; `remark` marks causes that the specification puts last, so that being told at all is being first."""

    cause: str
    stage: str
    apply: Apply
    formats: Formats = ()
    also: tuple[str, ...] = ()
    status: str = "fail"
    solo: bool = False
    remark: bool = False
    turns: tuple[int, int] = (3, 4)


FAULTS: dict[str, Fault] = {}


def fault(cause: str, stage: str, **options: object) -> Callable[[Apply], Apply]:
    """Register a fault function under its cause."""

    def keep(apply: Apply) -> Apply:
        FAULTS[cause] = Fault(cause, stage, apply, **options)  # type: ignore[arg-type]
        return apply

    return keep
