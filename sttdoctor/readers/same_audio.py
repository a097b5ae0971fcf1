"""Whether two connections carry the same audio, to the byte or to the ear."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from sttdoctor.encodings import ENCODINGS, SUPPORTED
from sttdoctor.evidence import Frame, Session

_PROBES, _PROBE_BYTES = 16, 512
_VARIED = 8  # different bytes in a probe; silence is the same everywhere
_LEAST_BYTES = 16_000
_MOST_BYTES = 8 << 20
_MOST_SAMPLES = 1 << 20
_ALIKE = 0.6
"""Correlation of what one microphone gives to two readers, each with its own gain; other speech reaches 0.2."""


def have_same_audio(one: Session, other: Session) -> bool:
    """Whether two sessions carry the same audio, shifted by any time; False where the captures cannot tell."""
    first, second = _audio(one), _audio(other)
    if min(len(first), len(second)) < _LEAST_BYTES:
        return False
    return _has_same_bytes(first, second) or _sounds_alike(first, second, one.url)


def _audio(session: Session) -> bytes:
    return b"".join(_contents(session))


def _contents(session: Session) -> Iterator[bytes]:
    length = 0
    for event in session.events:
        if isinstance(event, Frame) and event.sent and event.audio is not None and length < _MOST_BYTES:
            length += event.size
            yield event.audio


def _has_same_bytes(one: bytes, other: bytes) -> bool:
    short, long = sorted((one, other), key=len)
    step = max(_PROBE_BYTES, (len(short) - _PROBE_BYTES) // _PROBES)
    probes = [short[at : at + _PROBE_BYTES] for at in range(0, len(short) - _PROBE_BYTES, step)]
    varied = [probe for probe in probes if len(set(probe)) > _VARIED]
    return len(varied) > 1 and 2 * sum(probe in long for probe in varied) > len(varied)


def _sounds_alike(one: bytes, other: bytes, url: str | None) -> bool:
    kind = next((ENCODINGS[name].dtype for name in SUPPORTED if f"encoding={name}" in (url or "")), "")
    if not kind:
        return False
    a, b = _samples(one, kind), _samples(other, kind)
    power = float(np.sqrt(np.sum(a * a) * np.sum(b * b)))
    if not power > 0.0 or not np.isfinite(power):
        return False
    size = len(a) + len(b)
    spectrum = np.fft.rfft(a, size) * np.conj(np.fft.rfft(b, size))
    return bool(np.abs(np.fft.irfft(spectrum, size)).max() / power > _ALIKE)


def _samples(content: bytes, kind: str) -> NDArray[np.float64]:
    width = np.dtype(kind).itemsize
    raw = np.frombuffer(content, kind, min(len(content) // width, _MOST_SAMPLES))
    samples: NDArray[np.float64] = np.nan_to_num(np.clip(raw.astype(np.float64), -(2.0**31), 2.0**31))
    samples -= samples.mean()
    return samples
