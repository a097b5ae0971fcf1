"""Is it one channel?

Needs audio that can be decoded. Bytes in which every other sample continues the one before the last, and not the last,
hold two channels in turn; which of the two descriptions is shorter is part of the estimate of the encoding. More
channels, up to eight, are told by the distance over which the sound changes least. In a live session the byte rate
agrees with it.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from sttdoctor import missing
from sttdoctor.analysis.decoding import Layout, Samples, find_loudest_channel
from sttdoctor.analysis.encoding.misfit import Order
from sttdoctor.analysis.facts import Facts
from sttdoctor.analysis.remedies import TakeChannel, TakePlane
from sttdoctor.analysis.signal.channels import Slot
from sttdoctor.analysis.signal.planes import Planes
from sttdoctor.checks.base import AUDIO_INPUT, Answer, Cause, Check, Finding, Status, answer, unknown, want_speech
from sttdoctor.encodings import ENCODINGS
from sttdoctor.evidence import Declared
from sttdoctor.values import immutable

CHECK = Check(
    id="channels",
    order=40,
    question="Is it one channel?",
    kinds=("audio", "session"),
    needs="audio bytes that are not silent and can be decoded",
    why="The service expects one channel. Two interleaved channels sound rough and play at half speed, and the words "
    "are lost, often without any error.",
    how="In one channel each sample follows best from the one before it, in two interleaved ones from the one before "
    "the last. The bytes are described both ways, and the shorter description wins. With more channels, the sound "
    "changes least over as many samples as there are channels. When channels come one after the other in each frame "
    "(planes), each part of a frame continues the same part of the frame before. Upsampled audio is smooth both ways "
    "and counts as one channel.",
    causes=(
        Cause(
            "channels.interleaved",
            "fail",
            "Two or more channels are sent, sample by sample or one after the other in each frame.",
            "Send one channel (of two: samples[0::2]) or mix them down to one before sending.",
        ),
    ),
    docs=AUDIO_INPUT,
    judge=lambda facts: _judge(facts),
)

_TWO = "two channels"
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight")
_LOOKED_AT = 1 << 17  # frames at most, from the middle of the audio
_NEAR = 0.02  # share by which a byte rate may be off
_SILENT_DB = -60.0  # a channel so much quieter than the other carries nothing but its crosstalk
_SAME, _RELATED = 0.98, 0.3  # correlation: one signal twice; one source in two microphones or panned


@immutable
class _Pair:
    """Two channels compared: level of the quieter one against the other (dB), their correlation, which is louder."""

    quieter_db: float
    correlation: float
    louder: int


def _judge(facts: Facts) -> Answer:
    estimate, layout = facts.sound.encoding, facts.sound.layout
    if facts.audio is None:
        return unknown(facts.why_no_audio or missing.AUDIO)
    if estimate is None or layout is None:
        return unknown(missing.SAMPLES)
    slot = facts.sound.slot
    if slot is not None:
        finding = _tell_slot(slot, layout)
        place = {"silent_side": 1 - slot.channel} if slot.channels == 2 else {"sounding": slot.channel}
        reading = f"{_name_number(slot.channels)} channels"
        return answer(finding.summary, [finding], {"channels": slot.channels, **place}, reading)
    if not estimate.decidable:
        return want_speech(f"The bytes cannot tell: {estimate.reason}.")
    measured: dict[str, Any] = {"channels": layout.channels, "stereo_probability": round(estimate.stereo, 4)}
    if facts.sound.planes is not None:
        planes = facts.sound.planes
        finding = _tell_planes(facts, layout, planes)
        measured |= {"channels": planes.channels, "plane_samples": planes.samples}
        return answer(finding.summary, [finding], measured, f"{_NUMBERS[planes.channels]} channels")
    if layout.channels == 1:
        return answer("The samples are of one channel.", [], measured)
    if layout.channels > 2:
        finding = _judge_many(facts, layout)
        return answer(finding.summary, [finding], measured, f"{_NUMBERS[layout.channels]} channels")
    if facts.order is not None:
        how = "each of them twice" if facts.order == "twice" else "in the wrong order"
        return answer(f"The samples are of one channel, {how}.", [], measured | {"channels": 1})
    pair = _compare_channels(facts, layout)
    measured |= {"quieter_db": round(pair.quieter_db, 1), "correlation": round(pair.correlation, 3)}
    finding = _tell_interleaved(facts, layout, pair, estimate.stereo)
    return answer(finding.summary, [finding], measured, _TWO)


def _tell_planes(facts: Facts, layout: Layout, planes: Planes) -> Finding:
    """Planar buffers: all samples of one channel, then all of the next."""
    many = planes.channels
    where = "in each frame, " if facts.session is not None else ""
    summary = (
        f"{_NUMBERS[many].capitalize()} channels stand one after the other, {where}{planes.samples} samples of each in "
        f"turn (planes): the sound goes on from each piece to the one {many} pieces later."
    )
    summary += _measure_agreement(facts, layout, many)
    remedy = TakePlane(layout.encoding, planes.loudest, many, 0 if facts.session is not None else planes.samples)
    fix = _fix(f"send one of them, {remedy.code} (the loudest)") + _PLANAR
    return CHECK.find("interleaved", "fail", 0.97, summary, fix=fix, remedy=remedy)


_PLANAR = (
    " In PyAV and aiortc let an AudioResampler(format='s16', layout='mono') make the frames, in Web Audio send "
    "getChannelData(0) alone; of a NumPy array of shape (channels, samples), as librosa and torchaudio make, send "
    "array[0] or array.mean(axis=0)."
)


def _judge_many(facts: Facts, layout: Layout) -> Finding:
    """More than two channels, as of an array of microphones."""
    many = layout.channels
    loud = find_loudest_channel(_read_channels(facts, layout))
    summary = (
        f"{_NUMBERS[many].capitalize()} channels are interleaved: the sound goes on from each sample to the one {many} "
        "places later, as from an array of microphones."
    )
    summary += _measure_agreement(facts, layout, layout.channels)
    remedy = _take(layout, loud)
    fix = _fix(f"send one channel, {remedy.code} (the loudest), or the one that the device has processed")
    return CHECK.find("interleaved", "fail", 0.97, summary, fix=fix, remedy=remedy)


def _take(layout: Layout, channel: int) -> TakeChannel:
    """One of the channels, as the samples are best read; an encoding that the service does not take stays that."""
    encoding = layout.encoding if ENCODINGS[layout.encoding].supported else None
    return TakeChannel(layout.encoding, channel, layout.channels, layout.offset, declares=Declared(encoding))


def _read_channels(facts: Facts, layout: Layout) -> Samples:
    """Samples from the middle of the audio, shape (n, channels), finite."""
    assert facts.audio is not None
    data = facts.audio.data[layout.offset :]
    count = len(data) // layout.frame_bytes
    first = max(0, (count - _LOOKED_AT) // 2)
    middle = data[first * layout.frame_bytes : (first + min(count, _LOOKED_AT)) * layout.frame_bytes]
    return np.clip(np.nan_to_num(layout.decode(np.asarray(middle))), -1e6, 1e6)


def _measure_agreement(facts: Facts, layout: Layout, channels: int) -> str:
    """That the byte rate is as many times the declared one, where it is."""
    speed = facts.longest_speed
    agrees = speed is not None and abs(speed.ratio / channels - 1) <= _NEAR
    if speed is None or not agrees or layout.encoding != facts.declared.meant:
        return ""
    return f" The byte rate, {speed.ratio:.2f} times the declared one, agrees."


def _flows_as_one(facts: Facts, layout: Layout) -> bool:
    """Whether the bytes come as fast as those of one channel at the declared rate."""
    speed = facts.longest_speed
    return speed is not None and abs(speed.ratio - 1) <= _NEAR and layout.encoding == facts.declared.meant


_FLOWS_AS_ONE = (
    " But the bytes come only as fast as those of one channel: either the declared rate is twice the true one, or each "
    "sample is written twice and half of the sound is missing."
)
_WRITTEN_TWICE = (
    "If the source has one channel, look at the loop that copies it: over half of a buffer, each sample twice (n / 2, "
    "i / 2), it loses the other half"
)


def _compare_channels(facts: Facts, layout: Layout) -> _Pair:
    samples = _read_channels(facts, layout)
    samples = samples - samples.mean(axis=0)
    power = (samples**2).mean(axis=0) + 1e-20
    correlation = float((samples[:, 0] * samples[:, 1]).mean() / np.sqrt(power[0] * power[1]))
    return _Pair(10 * float(np.log10(power.min() / power.max())), correlation, int(np.argmax(power)))


def _judge_kinds(pair: _Pair, loud: str) -> tuple[str, str]:
    """What the two channels are to each other, and how to make one of them; `loud` is the louder one."""
    if pair.quieter_db < _SILENT_DB:
        return "one of them is silent", f"Send the other one only: {loud}"
    if abs(pair.correlation) >= _SAME:
        return "both carry the same sound", f"Send one channel only: {loud}"
    if abs(pair.correlation) >= _RELATED:
        return "they carry the same sound, panned differently", f"Send one channel only, {loud}, or the mean of both"
    return (
        "they carry different sound, as from two speakers",
        "Open one connection for each channel (samples[0::2] and samples[1::2]), or mix them",
    )


def _tell_interleaved(facts: Facts, layout: Layout, pair: _Pair, probability: float) -> Finding:
    remedy = _take(layout, pair.louder)
    relation, fix = _judge_kinds(pair, remedy.code)
    summary = f"Two channels are interleaved: every other sample belongs to the other one, and {relation}."
    agreement = _measure_agreement(facts, layout, layout.channels)
    summary += agreement
    probability = max(probability, 0.99) if agreement else probability
    status: Status = "fail" if probability >= facts.limits["channels.fail_above"] else "warn"
    order = facts.sound.order
    if abs(pair.correlation) >= _SAME and not agreement and _flows_as_one(facts, layout):
        summary += _FLOWS_AS_ONE
        fix = f"{fix}. {_WRITTEN_TWICE}"
    elif order is not None and not agreement and not (facts.declared.sample_rate and facts.rate_is_heard):
        reading, sure = _ONE_CHANNEL[order]
        probability = min(probability, sure)
        summary += f" Or it is one channel, {reading}; a session with its byte rate, or the right rate, tells which."
    return CHECK.find("interleaved", status, probability, summary, fix=_fix(fix), remedy=remedy)


_ONE_CHANNEL: Mapping[Order, tuple[str, float]] = {
    "twice": ("each sample of which stands twice", 0.85),
    "swapped": ("whose neighbouring samples changed places", 0.6),
}
"""What gives the same bytes, and how sure two channels are beside it: by far the usual way to get equal pairs."""


def _tell_slot(slot: Slot, layout: Layout) -> Finding:
    remedy, encoding = _take(layout, slot.channel), layout.encoding
    fix = _fix(f"Send the channel with sound only: {remedy.code}")
    if slot.channels > 2:
        many = _name_number(slot.channels)
        summary = f"Only one of each {many} samples is not silent: {many} channels are interleaved, as the slots of a "
        summary += "TDM bus or the inputs of an audio interface, and one of them is in use."
        return CHECK.find("interleaved", "fail", 0.99, summary, fix=fix, remedy=remedy)
    summary = "Two channels are interleaved, and one of them is silent: every other sample is the code for silence."
    if encoding == "pcm_s16le" and slot.channel == 1:
        summary = (
            "Every other 16-bit sample is zero: either two channels of which one is silent, or 32-bit samples whose "
            "low half is empty. Both readings are the same bytes; neither is one channel of 16 bits."
        )
        fix += " If it is 32-bit audio, declare pcm_s32le."
    return CHECK.find("interleaved", "fail", 0.99, summary, fix=fix, remedy=remedy)


def _name_number(number: int) -> str:
    return _NUMBERS[number] if number < len(_NUMBERS) else str(number)


def _fix(what: str) -> str:
    return f"{what}. The service takes mono; a recorder gives it when asked (channels=1)."
