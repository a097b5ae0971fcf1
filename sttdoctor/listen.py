"""Commands that play the audio or make a report once more, and the WAV file behind `--wav`.

FFmpeg 7 removed the `-ac` option of its raw demuxers, so no command gives a channel count: without one every version
plays mono. Half floats and interleaved channels have no command that works everywhere; they are converted first.
Sources: https://ffmpeg.org/ffplay.html and FFmpeg's changelog for version 7.0.
"""

import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import numpy as np

from sttdoctor.analysis.decoding import Layout
from sttdoctor.analysis.facts import Facts
from sttdoctor.encodings import ENCODINGS
from sttdoctor.errors import InputError
from sttdoctor.outputs import write_whole
from sttdoctor.redact import redact_tokens
from sttdoctor.report import CheckResult

_USUAL_RATE = 16_000
_BLOCK = 1 << 20
_MAX_WAV_BYTES = (1 << 32) - 64


def pick_format(facts: Facts, results: Sequence[CheckResult]) -> tuple[Layout | None, int | None]:
    """Return how the audio is to be read (layout, Hz) after what the checks found; None for what nothing tells.

    A check that did not run judged nothing, so the declaration holds; without one the estimate does. Where an estimate
    crashes, only the declaration is left.
    """
    sound, ids = facts.sound, {result.id for result in results}
    rate_is_wrong = any(f.cause == "sample-rate.mismatch" for result in results for f in result.findings)
    try:
        layout = sound.layout if "encoding" in ids or sound.declared_layout is None else sound.declared_layout
        best = facts.likely_rates[0] if facts.rate_is_told and facts.likely_rates else None
    except Exception:
        return sound.declared_layout, facts.declared.sample_rate
    return layout, best if rate_is_wrong and best else facts.declared.sample_rate or best


def pick_later(facts: Facts, results: Sequence[CheckResult]) -> tuple[Layout, int] | None:
    """Return how the audio is to be read (layout, Hz) from where it becomes something else, None where it does not.

    The offset of the layout is that place.
    """
    causes = {finding.cause for result in results for finding in result.findings}
    layout, rate = pick_format(facts, results)
    if "sample-rate.changed" in causes and facts.rate_change is not None and layout is not None:
        return replace(layout, offset=layout.find_whole(facts.rate_change.offset)), facts.rate_change.after
    later = facts.sound.later_layout if causes & {"encoding.changed", "encoding.misaligned"} else None
    return (later, rate) if later is not None and rate is not None else None


def is_audible(results: Sequence[CheckResult]) -> bool:
    """Whether there is anything to hear: no check found that all of the audio is silent."""
    return not any(finding.cause == "signal.silent" for result in results for finding in result.findings)


def list_commands(
    facts: Facts, detected: Layout | None, rate: int | None, later: tuple[Layout, int] | None = None
) -> dict[str, str | None]:
    """Return the shell commands that play the audio as declared and as detected (`estimated`), None where none.

    Args:
        facts: The subject.
        detected: How the bytes are best read.
        rate: The sample rate to play at, Hz.
        later: What `pick_later` returned: both commands begin there, where a player can.
    """
    path = facts.session.path if facts.session is not None else facts.audio.path if facts.audio is not None else None
    if facts.audio is None or path is None or path == "-":
        return {"declared": None, "estimated": None}
    listen: dict[str, str | None] = {}
    path = raw = redact_tokens(path)
    if facts.session is not None:
        raw = _stem(path) + (".raw" if not path.lower().endswith(".raw") else ".audio.raw")
        captures = " ".join(map(_quote, (path, *facts.session.more)))
        listen["convert"] = f"sttdoctor convert {captures} -o {_quote(raw)}"
    declared = facts.sound.declared_layout
    if later is not None and declared is not None and _is_played(declared) and _is_played(later[0]):
        detected, rate = later
        declared = replace(declared, offset=declared.find_whole(detected.offset))
    listen["declared"] = _play(raw, declared, facts.declared.sample_rate, "--ignore encoding,sample-rate ")
    listen["estimated"] = _play(raw, detected, rate, "")
    return listen


def build_repeat(command: str, paths: Sequence[str], options: Mapping[str, Any], limits: Mapping[str, float]) -> str:
    """Return the shell command that makes a report once more, where its files lie; of a path it has the name alone.

    Args:
        command: `check` or `replay`.
        paths: Files that are judged; `-` is standard input.
        options: Option, as it is typed, to its value; None and what is empty is left out. Files are `Path`.
        limits: Thresholds that were changed.
    """
    words = ["sttdoctor", command, *map(_name, paths)]
    for name, value in options.items():
        several = value if isinstance(value, list | tuple) else (value,) if value is not None else ()
        if several:
            told = _name(str(value)) if isinstance(value, Path) else shlex.quote(",".join(map(str, several)))
            words += [name, told]
    for name, limit in limits.items():
        words += ["--set", f"{name}={limit:g}"]
    return " ".join(words)


def _name(path: str) -> str:
    return path if path == "-" else _quote(redact_tokens(Path(path).name))


def _stem(path: str) -> str:
    name = Path(path).name
    for suffix in (".gz", ".jsonl"):
        name = name.removesuffix(suffix)
    return name or "session"


def _quote(path: str) -> str:
    """Quote a path for a shell; a leading dash would be an option, and what stands before a colon a protocol."""
    plain = os.path.isabs(path) or not (path.startswith("-") or ":" in path)
    return shlex.quote(path if plain else f"./{path}")


def _is_played(layout: Layout) -> bool:
    """Whether a player takes such bytes without a conversion."""
    return ENCODINGS[layout.encoding].ffmpeg is not None and layout.channels == 1


def _play(path: str, layout: Layout | None, rate: int | None, trusting: str) -> str | None:
    if layout is None or rate is None:
        return None
    if not _is_played(layout):
        # not NAME.wav, which may well be the recording that the bytes were made from
        wav = _stem(path).removesuffix(".raw") + "-listen.wav"
        declared = (
            f"--encoding {layout.encoding} --sample-rate {rate}" if layout.channels == 1 else f"--sample-rate {rate}"
        )
        # --fail-on never: the conversion must go on to the player whatever is found
        convert = f"sttdoctor check {_quote(path)} {declared} {trusting}--fail-on never --wav {_quote(wav)}"
        return f"{convert} && ffplay {_quote(wav)}"
    skip = f"-skip_initial_bytes {layout.offset} " if layout.offset else ""
    return f"ffplay {skip}-f {ENCODINGS[layout.encoding].ffmpeg} -ar {rate} {_quote(path)}"


def write_wav(facts: Facts, layout: Layout | None, rate: int | None, path: str, force: bool = False) -> None:
    """Write the audio as a 16-bit WAV file, in blocks of bounded size; only its owner may read it.

    Args:
        facts: The subject.
        layout: How the bytes are read.
        rate: Hz; None where nothing tells it: then 16000, the most usual one.
        path: The file to write.
        force: Whether it may be written over.

    Raises:
        InputError: There is no audio that can be decoded, it is too long, or the file cannot be written.
        UsageError: The file is there already and holds something else.
    """
    if facts.audio is None or layout is None:
        raise InputError("there is no audio that can be decoded, so no WAV was written")
    if len(facts.audio.data) // ENCODINGS[layout.encoding].width * 2 > _MAX_WAV_BYTES:
        raise InputError("the audio is too long for a WAV file, which holds at most 4 GiB")
    with write_whole(path, force, private=True) as file:
        _write(file, facts, layout, rate or _USUAL_RATE)


def _write(file: IO[bytes], facts: Facts, layout: Layout, rate: int) -> None:
    assert facts.audio is not None
    frame = layout.frame_bytes
    data = facts.audio.data[layout.offset :]
    scale = _scale(facts, layout)
    import wave

    with wave.open(file, "wb") as wav:
        wav.setnchannels(layout.channels)
        wav.setsampwidth(2)
        wav.setframerate(rate)
        for start in range(0, len(data), _BLOCK * frame):
            samples = layout.decode(np.asarray(data[start : start + _BLOCK * frame]))
            with np.errstate(invalid="ignore"):  # a signalling NaN in hostile bytes is still only a NaN
                whole = np.nan_to_num(samples * scale, nan=0.0, posinf=1.0, neginf=-1.0)
            wav.writeframes((np.clip(whole, -1, 32767 / 32768) * 32768).round().astype("<i2").tobytes())


def _scale(facts: Facts, layout: Layout) -> float:
    """Bring floats that are written in 16-bit units to full scale."""
    samples = facts.sound.samples()
    finite = np.abs(samples[np.isfinite(samples)])
    peak = float(np.percentile(finite, 99.9)) if len(finite) else 0.0
    return 1 / 32768 if ENCODINGS[layout.encoding].is_float and peak > 8 else 1.0
