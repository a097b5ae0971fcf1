"""The file of one recorded connection; when it cannot be written the recording ends, the connection does not."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from sttdoctor.record.meter import Meter
from sttdoctor.record.naming import create
from sttdoctor.record.recording import Heading, Recording, Row, to_file


class Journal:
    """One connection on its way into a file.

    Args:
        heading: For the first row.
        names: Free names, from `naming.names`.
        tell: Takes a sentence about what went wrong.
        began: When the session began, on the clock of `time.monotonic`; None is now.
        ends: Takes the final texts.

    Attributes:
        path: Of the file, None where none could be made.
        recording: Takes what happens.
        meter: What the session looks like so far.
        status: Of the handshake, None before it.
        close: The row of the close, None before it.
    """

    def __init__(
        self,
        heading: Heading,
        names: Iterator[Path],
        tell: Callable[[str], None],
        began: float | None = None,
        ends: list[str] | None = None,
    ) -> None:
        self.path: Path | None = None
        self.meter = Meter(heading.url, ends)
        self.status: int | None = None
        self.close: Row | None = None
        self._tell = tell
        self._file: BinaryIO | None = None
        try:
            self.path, self._file = create(names)
            self._write = to_file(self._file)
        except OSError as error:
            self._failed(error)
        self.recording = Recording(heading, self._take, began)

    def end(self) -> None:
        """Close the file."""
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(OSError):  # what could not be written has been told
                file.close()

    def _take(self, row: Row) -> None:
        self.meter.see(row)
        if row["type"] == "open":
            self.status = row["status"]
        elif row["type"] == "close":
            self.close = row
        if self._file is not None:
            try:
                self._write(row)
            except OSError as error:
                self._failed(error)

    def _failed(self, error: OSError) -> None:
        where = f"cannot write {self.path or error.filename}: {error.strerror or error}"
        self._tell(f"{where}; what was captured is kept, the connection goes on without being recorded")
        self.end()
