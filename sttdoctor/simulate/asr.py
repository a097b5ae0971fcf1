"""A real recogniser behind the stand-in: PocketSphinx, whose wheel holds an English model.

It hears what the client declares: audio decoded with the declared encoding and brought from the declared sample rate to
16 kHz. A wrong declaration therefore garbles the text, as it does at the service. Each connection has a process of its
own (about 200 MB), because PocketSphinx holds Python's global lock while it works.
"""

import contextlib
import importlib.util
import subprocess

import numpy as np

from sttdoctor.analysis.decoding import Samples
from sttdoctor.errors import InputError
from sttdoctor.program import build_command
from sttdoctor.simulate.asr_worker import HEAD, LENGTH

_HEARD_HZ = 16000
_NEEDED = {"pocketsphinx": "PocketSphinx", "soxr": "soxr"}


class Sphinx:
    """Makes the words of connections; a process waits in reserve, so that no connection waits for the model to load.

    Raises:
        InputError: PocketSphinx or soxr is not installed.
    """

    def __init__(self) -> None:
        missing = [label for name, label in _NEEDED.items() if importlib.util.find_spec(name) is None]
        if missing:
            raise InputError(f"--asr needs {' and '.join(missing)}: pip install pocketsphinx soxr")
        self._reserve = _start()

    def words(self, rate: int) -> "SphinxWords":
        """Return the words of one connection; a `MakeWords`."""
        process, self._reserve = self._reserve, _start()
        return SphinxWords(rate, process)

    def close(self) -> None:
        """End the process in reserve."""
        _stop(self._reserve)


class SphinxWords:
    """What PocketSphinx makes of the audio of one connection; words once told are not taken back.

    Args:
        rate: Declared sample rate in Hz.
        process: The recogniser.
    """

    blocking = True

    def __init__(self, rate: int, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        from soxr import ResampleStream

        self._resampler = ResampleStream(rate, _HEARD_HZ, 1, dtype="float64")
        self._told: list[str] = []
        self._last: list[str] = []

    def begin(self) -> None:
        """Begin an utterance."""
        self._told, self._last = [], []
        self._send(b"B")

    def hear(self, samples: Samples, _spoken: bool) -> None:
        """Pass samples, shape (n,) at the declared rate, on to the recogniser."""
        self._audio(self._resampler.resample_chunk(samples))

    def so_far(self) -> str:
        """The words on which two hypotheses in a row agree."""
        now = self._ask(b"H")
        agreed = _common(now, self._last)
        self._last = now
        return self._tell(agreed)

    def guess(self) -> str:
        """The present hypothesis."""
        return self._tell(self._ask(b"H"))

    def end(self) -> str:
        """The final hypothesis, after the words that were told."""
        self._audio(self._resampler.resample_chunk(np.zeros(0), last=True))
        self._resampler.clear()
        return self._tell(self._ask(b"E"))

    def close(self) -> None:
        """End the process."""
        _stop(self._process)

    def _tell(self, words: list[str]) -> str:
        """Tell more words: those that stand after as many as were told, whether or not these came out the same."""
        self._told += words[len(self._told) :]
        return " ".join(self._told)

    def _audio(self, samples: Samples) -> None:
        if len(samples):
            self._send(b"A", (np.clip(samples, -1, 1) * 32767).astype(np.int16).tobytes())

    def _ask(self, kind: bytes) -> list[str]:
        self._send(kind)
        (length,) = LENGTH.unpack(self._read(LENGTH.size))
        return self._read(length).decode("utf-8").split()

    def _send(self, kind: bytes, data: bytes = b"") -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(HEAD.pack(kind, len(data)) + data)
        self._process.stdin.flush()

    def _read(self, size: int) -> bytes:
        assert self._process.stdout is not None
        data = self._process.stdout.read(size)
        if len(data) < size:
            raise EOFError("the recogniser's process has ended")
        return data


def _common(first: list[str], second: list[str]) -> list[str]:
    """The words that two lists begin with."""
    count = 0
    while count < min(len(first), len(second)) and first[count] == second[count]:
        count += 1
    return first[:count]


def _start() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        build_command("sttdoctor.simulate.asr_worker"), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End a process and its pipes; a thread that waits for its answer gets the end of the file."""
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):  # what was still to be written has nobody to go to
                pipe.close()
