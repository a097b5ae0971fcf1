"""Classes of plain values: dataclasses that are made at a fifth of the cost, of which a report needs some hundred."""

from dataclasses import dataclass, field
from typing import Any, TypeVar, dataclass_transform

_Value = TypeVar("_Value")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def immutable(cls: type[_Value]) -> type[_Value]:
    """Make a dataclass with slots that is compared and hashed by its fields, and immutable to the type checker.

    `dataclass` compiles six functions for each frozen class, and one that sets its attributes through `object`; here
    all classes share them but for `__init__`.
    """
    made: Any = cls
    made.__repr__, made.__eq__, made.__hash__ = _tell, _is_equal, _hash
    return dataclass(slots=True, repr=False, eq=False)(made)


def _list_fields(instance: Any) -> tuple[Any, ...]:
    return tuple(getattr(instance, name) for name in instance.__dataclass_fields__)


def _tell(self: Any) -> str:
    fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__dataclass_fields__)
    return f"{type(self).__qualname__}({fields})"


def _is_equal(self: Any, other: object) -> bool:
    return _list_fields(self) == _list_fields(other) if type(other) is type(self) else NotImplemented


def _hash(self: Any) -> int:
    return hash(_list_fields(self))
