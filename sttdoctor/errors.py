"""The errors that a user can cause, each told in one sentence."""

import os
from collections.abc import Iterable


class SttdoctorError(Exception):
    """Base of all errors that sttdoctor raises on purpose; keys in what they repeat are not shown."""

    def __str__(self) -> str:
        from sttdoctor.redact import redact_tokens

        return redact_tokens(super().__str__())


class InputError(SttdoctorError):
    """The evidence cannot be used at all: a missing file, a directory, an empty capture."""


class NoCaptureError(InputError):
    """Nothing in a file could be read."""


class UsageError(SttdoctorError):
    """An option or argument makes no sense: an unknown check, threshold or encoding."""


def make_unwritable(path: str | os.PathLike[str], error: OSError) -> InputError:
    """Return the error to raise for a file that cannot be written; a missing directory is named."""
    folder = os.path.dirname(path)
    missing = isinstance(error, FileNotFoundError) and folder and not os.path.isdir(folder)
    return InputError(
        f"cannot write {path}: {f'there is no directory {folder}' if missing else error.strerror or error}"
    )


_LONGEST_NAME = 80
_SHORTEST_START = 3  # letters that tell a name by how it begins


def suggest(name: str, known: Iterable[str], otherwise: str) -> str:
    """Return what may be meant by a name that is none of the known ones, to stand at the end of a sentence.

    Args:
        name: As it was typed; of `check.cause` the part after the point is enough.
        known: The names that there are.
        otherwise: What to say where no name is like it.
    """
    from difflib import get_close_matches

    names, typed = list(known), name[:_LONGEST_NAME].lower()
    close = [other for other in names if typed and other.endswith(f".{typed}")]
    close = close or [other for other in names if len(typed) >= _SHORTEST_START and other.startswith(typed)]
    close = close or get_close_matches(typed.replace("_", "-"), names, n=1) or get_close_matches(typed, names, n=1)
    return f"did you mean {close[0]}?" if close else otherwise
