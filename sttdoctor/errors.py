"""The errors that a user can cause, each told in one sentence."""


class SttdoctorError(Exception):
    """Base of all errors that sttdoctor raises on purpose."""


class InputError(SttdoctorError):
    """The evidence cannot be used at all: a missing file, a directory, an empty capture."""


class UsageError(SttdoctorError):
    """An option or argument makes no sense: an unknown check, threshold or encoding."""
