"""What one row is made from: a capture and how it is to be judged, as plain values that go to any process."""

from collections.abc import Mapping
from dataclasses import field

from sttdoctor.values import immutable


@immutable
class Task:
    """One capture.

    Attributes:
        path: Of the file, or of the archive.
        member: Name inside the archive, empty for a file of its own.
        offset: First byte of the member in the unpacked tar archive; -1 for anything else.
        size: Bytes of the member; -1 where it is not known before it is read.
        error: Why it cannot be read, where collecting has found out.
        name: What its report calls it; empty where that is the path.
    """

    path: str
    member: str = ""
    offset: int = -1
    size: int = -1
    error: str = ""
    name: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """What tells captures apart in a table."""
        return self.path, self.member


@immutable
class Settings:
    """How captures are judged.

    Attributes:
        encoding: Declared for audio; None to infer it. Sessions declare their own.
        sample_rate: The same, Hz.
        select: Ids of the checks to run; all when empty.
        ignore: Ids of checks to leave out.
        thresholds: Values that replace defaults, by name.
        time_limit_s: For one capture.
        memory_limit_bytes: For the process that judges one capture.
    """

    encoding: str | None = None
    sample_rate: int | None = None
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    thresholds: Mapping[str, float] = field(default_factory=dict)
    time_limit_s: float = 120.0
    memory_limit_bytes: int = 2048 << 20
