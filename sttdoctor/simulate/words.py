"""The words of the stand-in: from a script, so that every run gives the same text.

`Words` is what turn detection asks for text; `sttdoctor.simulate.asr` has a real recogniser behind the same methods.
"""

from collections import deque
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Protocol

from sttdoctor.analysis.decoding import Samples
from sttdoctor.errors import InputError
from sttdoctor.values import immutable

FRAME_S = 0.02
"""Of audio that is heard at a time."""

MAX_SCRIPT_BYTES = 1_000_000


class Words(Protocol):
    """Text of one utterance after the other; inside an utterance it only ever grows.

    Attributes:
        blocking: Its methods may take long, and are to be called from a thread.
    """

    blocking: bool

    def begin(self) -> None:
        """A new utterance begins."""

    def hear(self, samples: Samples, spoken: bool) -> None:
        """Take the next samples, shape (n,) at the declared rate and of full scale, of the utterance."""

    def so_far(self) -> str:
        """The text that is certain."""

    def guess(self) -> str:
        """The text if the utterance ended here."""

    def end(self) -> str:
        """The whole text of the utterance, which is over."""

    def close(self) -> None:
        """The connection is over."""


def begin_with(words: Words, before: deque[Samples]) -> None:
    """Begin an utterance with the sound before its detected start, and forget that sound.

    Args:
        words: Of the connection.
        before: Blocks of samples, each of shape (n,) at the declared rate and of full scale; emptied.
    """
    words.begin()
    for frame in before:
        words.hear(frame, False)
    before.clear()


MakeWords = Callable[[int], Words]
"""From the declared sample rate in Hz to the words of one connection."""


@immutable
class Script:
    """What the stand-in claims to hear.

    Attributes:
        turns: One text an utterance, without the space before it; after the last the first follows again.
        words_per_second: How fast words appear while speech is heard. The end of an utterance brings the rest.
    """

    turns: tuple[str, ...]
    words_per_second: float = 2.5

    def words(self, _rate: int) -> "ScriptedWords":
        """The words of one connection; a `MakeWords`."""
        return ScriptedWords(self)


class ScriptedWords:
    """Words of a script, which appear while speech is heard."""

    blocking = False

    def __init__(self, script: Script) -> None:
        self._script = script
        self._number = -1
        self._speech_s = 0.0

    def begin(self) -> None:
        """Take the next text of the script."""
        self._number += 1
        self._speech_s = 0.0

    def hear(self, samples: Samples, spoken: bool) -> None:
        """Count speech in samples, shape (n,); how many blocks with speech there are is all that matters."""
        self._speech_s += FRAME_S if spoken and len(samples) else 0.0

    def so_far(self) -> str:
        """As many words as the speech so far has time for."""
        return self._first(self._heard())

    def guess(self) -> str:
        """One word more."""
        return self._first(self._heard() + 1)

    def end(self) -> str:
        """The whole text."""
        turns = self._script.turns
        return turns[self._number % len(turns)] if turns else ""

    def close(self) -> None:
        """There is nothing to give back."""

    def _heard(self) -> int:
        return int(self._speech_s * self._script.words_per_second)

    def _first(self, count: int) -> str:
        return " ".join(self.end().split(" ")[:count])


def default_script() -> Script:
    """The script that ships with the package."""
    return _script(resources.files("sttdoctor.simulate").joinpath("script.txt").read_text(encoding="utf-8"))


def read_script(path: str | Path) -> Script:
    """Read a script: UTF-8, one turn a line; empty lines and lines that begin with # are left out.

    Raises:
        InputError: It cannot be read, is too large, is no text, or holds no turn.
    """
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_SCRIPT_BYTES + 1)
    except OSError as error:
        raise InputError(f"cannot read the script {path}: {error.strerror or error}") from None
    if len(data) > MAX_SCRIPT_BYTES:
        raise InputError(f"the script {path} is larger than {MAX_SCRIPT_BYTES} bytes")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise InputError(f"the script {path} is no UTF-8 text")
    script = _script(text)
    if not script.turns:
        raise InputError(f"the script {path} holds no text; write one turn a line")
    return script


def _script(text: str) -> Script:
    lines = (line.strip() for line in text.splitlines())
    return Script(tuple(line for line in lines if line and not line.startswith("#")))
