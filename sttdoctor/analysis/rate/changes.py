"""Where the sample rate changes along a stream: by the pace on the wire, or by the sound of its parts."""

import math
from collections.abc import Callable, Sequence

from sttdoctor.analysis.rate.estimate import RateEstimate
from sttdoctor.analysis.session.stretches import Stretch
from sttdoctor.analysis.session.timeline import Timeline
from sttdoctor.values import immutable

SoundOf = Callable[[int, int | None], RateEstimate]
"""From (first byte, stop) of the audio to what it sounds like."""

_EXCLUDED = 0.02
"""Of a flat share of the probability: so little excludes a rate against a pace that changes to it."""

_WITHOUT_SOUND = 0.65
"""Confidence where the pace alone tells: other widths of samples and more channels make the same ratios."""

_SPEECH = 0.9
"""How speech-like the best part of either side is; music in a pause may have 0.85 at a rate of its own."""

MOST_PARTS = 8
"""Parts of a stream, at most, whose rate is judged one by one."""


@immutable
class RateChange:
    """A change of the sample rate.

    Attributes:
        offset: Byte at which the new rate begins, as exactly as the evidence tells.
        before: Most probable rate before it, Hz.
        after: Most probable rate after it, Hz.
        confidence: 0..1.
        later: (byte, Hz) of further changes.
    """

    offset: int
    before: int
    after: int
    confidence: float
    later: tuple[tuple[int, int], ...] = ()


def find_nearest_rate(rate_hz: float, candidates: Sequence[int], tolerance: float = 0.03) -> int | None:
    """Return the candidate (Hz) within a relative tolerance of a measured rate, None where there is none.

    >>> find_nearest_rate(15_890.0, (8000, 16_000, 24_000)), find_nearest_rate(18_500.0, (8000, 16_000, 24_000))
    (16000, None)
    """
    nearest = min(candidates, key=lambda candidate: abs(math.log(candidate / rate_hz)))
    return nearest if abs(nearest / rate_hz - 1) <= tolerance else None


def find_change_by_pace(
    line: Timeline,
    parts: Sequence[Stretch],
    samples_per_s: float,
    start: int,
    candidates: Sequence[int],
    sound_of: SoundOf | None,
) -> RateChange | None:
    """Find a pace that changes for good, where both paces fit a standard rate and the sound does not object.

    Args:
        line: The audio frames of one connection.
        parts: Its stretches.
        samples_per_s: Of the promised byte rate, as the bytes are best read.
        start: Offset of the connection's first byte in the audio.
        candidates: Rates in Hz.
        sound_of: What a part of the audio sounds like; None where there is no sound.
    """
    rates = [find_nearest_rate(part.speed.ratio * samples_per_s, candidates) if part.speed else None for part in parts]
    offsets = [start + int(line.size[: part.first].sum()) for part in parts]
    changes = [i for i in range(1, len(parts)) if rates[i] != rates[i - 1]]
    if not changes or None in rates:
        return None
    first = changes[0]
    before, after = rates[first - 1], rates[first]
    assert before is not None and after is not None
    ends = [*offsets, start + int(line.size.sum())]
    heard = _WITHOUT_SOUND
    if sound_of is not None:
        heard = min(
            sound_of(offsets[0], offsets[first]).probabilities[before],
            sound_of(offsets[first], ends[changes[1]] if len(changes) > 1 else None).probabilities[after],
        )
        if heard < _EXCLUDED / len(candidates):
            return None
    later = tuple((offsets[i], rate) for i in changes[1:] if (rate := rates[i]) is not None)
    confidence = 0.8 + 0.2 * heard if sound_of is not None else _WITHOUT_SOUND
    return RateChange(offsets[first], before, after, min(0.97, confidence), later)


def hear_parts(
    parts: Sequence[tuple[int, int]],
    sound_of: Callable[[int, int], RateEstimate],
    quick_of: Callable[[int, int], RateEstimate],
) -> list[tuple[int, RateEstimate]]:
    """Judge the parts of a stream: a few of them quickly where these are sure of one rate, else all in full.

    The first and the last part that tell a rate are heard, and of `MOST_PARTS` some between: a rate that lasts for
    three of these parts (of fewer, `find_change_by_sound` would not be sure) is in one of them.

    Args:
        parts: (first byte, stop) of consecutive parts, at most `MOST_PARTS`.
        sound_of: From (first byte, stop) to what it sounds like.
        quick_of: The same, at less cost and less sure.

    Returns:
        (first byte, estimate) of the parts that were heard, in order; empty for less than two parts.
    """
    if len(parts) < 2:
        return []
    few: dict[int, RateEstimate] = {}
    inner = (2, 5) if len(parts) == MOST_PARTS else ()
    # each search goes on until a part tells: the first, two inner ones, the last
    for search in (range(len(parts)), *(range(i, len(parts)) for i in inner), reversed(range(len(parts)))):
        for i in search:
            few[i] = few.get(i) or quick_of(*parts[i])
            if _tells(few[i]):
                break
    if have_same_rate([part for part in few.values() if _tells(part)]):
        return [(parts[i][0], few[i]) for i in sorted(few)]
    return [(first, sound_of(first, stop)) for first, stop in parts]


def find_change_by_sound(parts: Sequence[tuple[int, RateEstimate]], apart: float = 1.3) -> RateChange | None:
    """Find one change between consecutive parts of a stream.

    Two rates for the parts before and after a border are compared with one rate for all, by the product of the parts'
    probabilities. Both sides must hold speech and be sure of their rate by themselves, and the rates at least a factor
    `apart`.

    Args:
        parts: (first byte, estimate) of consecutive parts, all over the same candidates.
        apart: Smallest factor between the two rates.
    """
    heard = [(start, part) for start, part in parts if _tells(part)]
    if len(heard) < 2:
        return None
    rates = list(heard[0][1].probabilities)
    # no part alone may exclude a rate for all of the stream
    logs = [{rate: math.log(max(part.probabilities[rate], 1e-6)) for rate in rates} for _, part in heard]
    together = max(sum(log[rate] for log in logs) for rate in rates)
    best: tuple[float, RateChange] | None = None
    for border in range(1, len(heard)):
        before, before_log = _pick_best(logs[:border], rates)
        after, after_log = _pick_best(logs[border:], rates)
        # the log of the likelihood ratio of one change and none, each with its best rates
        gain = before_log + after_log - together
        if not all(any(part.speech_like >= _SPEECH for _, part in side) for side in (heard[:border], heard[border:])):
            continue
        if abs(math.log(before / after)) < math.log(apart) or (best is not None and gain <= best[0]):
            continue
        best = gain, RateChange(heard[border][0], before, after, 1 - math.exp(-gain))
    # e**4.6 is odds of 100 to 1, for a fault that is rare in itself
    return best[1] if best is not None and best[0] > 4.6 else None


def have_same_rate(heard: Sequence[RateEstimate], sure: float = 0.9) -> bool:
    """Whether all parts sound like speech of one rate, give or take what cannot be told apart by sound."""
    return bool(heard) and all(_tells(part) and part.sum_near(heard[0].best) >= sure for part in heard)


def _tells(part: RateEstimate) -> bool:
    """Whether there is enough speech in a part to compare its rate with that of others."""
    return part.speech_s >= 1.0 and part.speech_like >= 0.5


def _pick_best(logs: Sequence[dict[int, float]], rates: Sequence[int]) -> tuple[int, float]:
    score: Callable[[int], float] = lambda rate: sum(log[rate] for log in logs)  # noqa: E731
    rate = max(rates, key=score)
    return rate, score(rate)
