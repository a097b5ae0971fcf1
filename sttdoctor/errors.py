"""The errors that a user can cause, each told in one sentence."""

import os


class SttdoctorError(Exception):
    """Base of all errors that sttdoctor raises on purpose."""


class InputError(SttdoctorError):
    """The evidence cannot be used at all: a missing file, a directory, an empty capture."""


class UsageError(SttdoctorError):
    """An option or argument makes no sense: an unknown check, threshold or encoding."""


def make_unwritable(path: str | os.PathLike[str], error: OSError) -> InputError:
    """Return the error to raise for a file that cannot be written; a missing directory is named."""
    folder = os.path.dirname(path)
    missing = isinstance(error, FileNotFoundError) and folder and not os.path.isdir(folder)
    return InputError(
        f"cannot write {path}: {f'there is no directory {folder}' if missing else error.strerror or error}"
    )
