"""Values as Python prints them, in text that others wrote."""

import ast
from typing import Any

LONGEST_RECORD = 1 << 18
"""Bytes of a record that is read so: its parts take many times as much memory."""
_REFUSALS = (ValueError, SyntaxError, TypeError, OverflowError, MemoryError, RecursionError)
"""TypeError is of a list or the like in a set or as a key, OverflowError of a long integer in a complex number."""


def read_literal(text: str) -> Any:
    """Return the value that a literal of Python stands for, None where the text is no literal."""
    try:
        return ast.literal_eval(text)
    except _REFUSALS:
        return None
