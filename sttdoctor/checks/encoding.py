"""Are you using the right encoding?

Needs audio that is not silent. Every way of reading the bytes (the six encodings, what clients send by mistake,
samples that begin in mid-sample) is judged by how short a description of the same bytes it gives; probabilities
follow from that.
"""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np

from sttdoctor import missing
from sttdoctor.analysis.encoding.changes import EncodingChange
from sttdoctor.analysis.encoding.codecs import Codec
from sttdoctor.analysis.encoding.disguise import Disguise
from sttdoctor.analysis.encoding.estimate import EncodingEstimate
from sttdoctor.analysis.encoding.misfit import Misfit, Order
from sttdoctor.analysis.facts import Facts
from sttdoctor.analysis.remedies import ChangeBits, Remedy, Rescale, SwapPairs, TakeChannel
from sttdoctor.analysis.signal.channels import Slot
from sttdoctor.checks.base import (
    AUDIO_INPUT,
    Answer,
    Cause,
    Check,
    Evidence,
    Finding,
    Status,
    answer,
    count_noun,
    round_probabilities,
    unknown,
    want_speech,
)
from sttdoctor.encodings import ENCODINGS, SUPPORTED
from sttdoctor.evidence import Declared

CHECK = Check(
    id="encoding",
    order=20,
    question="Are you using the right encoding?",
    kinds=("audio", "session"),
    needs="audio bytes that are not silent",
    why="The service reads the bytes as declared, and may not complain when they are something else: the transcript is "
    "nonsense, or empty.",
    how="Each way of reading the bytes predicts every sample from those before it; the reading that needs the fewest "
    "bits to describe the same bytes is the right one, and how much fewer says how sure that is.",
    causes=(
        Cause(
            "encoding.mismatch",
            "fail",
            "The bytes are in another of the six encodings than the declared one.",
            "Declare the encoding that the bytes are in.",
        ),
        Cause(
            "encoding.unsupported",
            "fail",
            "The bytes are in an encoding that the service does not take.",
            "Convert the samples to pcm_s16le before you send them, and declare that.",
        ),
        Cause(
            "encoding.byte-order",
            "fail",
            "The bytes of each sample are in the wrong order (big endian).",
            "Write samples in little endian: struct '<h', numpy dtype '<i2', DataView.setInt16(i, v, true).",
        ),
        Cause(
            "encoding.swapped",
            "fail",
            "Neighbouring samples are swapped.",
            "Swap each pair back before you send it: numpy.flip(samples.reshape(-1, 2), 1). If you record "
            "with an ESP32: its I2S driver swaps 16-bit mono samples; read 32-bit slots.",
        ),
        Cause(
            "encoding.doubled",
            "warn",
            "Samples are sent twice or more often, or with zeros between them, to reach a higher rate.",
            "Keep each sample once (samples[::2] where each stands twice) and declare the lower sample rate.",
        ),
        Cause(
            "encoding.misaligned",
            "fail",
            "The samples are out of step: the stream begins in the middle of one, or lost a part of one on the way.",
            "Send whole samples: strip a header by its real length, and never cut by an odd number of bytes.",
        ),
        Cause(
            "encoding.scaled",
            "fail",
            "The samples do not use the scale of their encoding.",
            "Scale the samples to the full range: floats from -1 to 1, integers over all of their bits.",
        ),
        Cause(
            "encoding.changed",
            "fail",
            "The encoding changes mid-stream.",
            "Send one encoding on a connection, and open a new one when the format changes.",
        ),
    ),
    docs=AUDIO_INPUT,
    judge=lambda facts: _judge(facts),
)

_OFTEN = 5  # slips, which are all shown up to here

_NO_SAMPLES = {"not-pcm": "not plain samples", "text": "text"}

_OF_ARITHMETIC = {
    "s64le": "Convert the samples to 16 bits before you send them: numpy makes 64-bit integers of lists and by "
    "astype(int), so np.asarray(samples).astype('<i2').tobytes().",
    "f64le": "Convert the samples to 16 bits before you send them, and declare pcm_s16le: numpy's floats have 64 bits "
    "unless it is told otherwise, so (np.clip(samples, -1, 1) * 32767).astype('<i2').tobytes().",
}
_NOT_SAMPLES = "Decode to bare samples before sending: one of the six encodings, no container, codec or text."


def _judge(facts: Facts) -> Answer:
    estimate = facts.sound.encoding
    if estimate is None:
        return unknown(facts.why_no_audio or missing.AUDIO)
    measured = _collect_measurements(estimate)
    contents = facts.sound.contents
    if not estimate.decidable and contents is not None and not contents.holds_samples:
        return unknown(missing.SAMPLES, measured)
    if facts.sound.stuffed is not None and facts.declared.meant is not None:
        finding = _judge_stuffed(facts, facts.sound.stuffed, facts.declared.meant)
        return answer(finding.summary, [finding], measured, facts.declared.meant)
    if facts.sound.disguise is not None:
        finding = _judge_disguise(facts.sound.disguise)
        return answer(finding.summary, [finding], measured, _DISGUISED[facts.sound.disguise.kind])
    if facts.sound.held is not None and facts.declared.meant is not None:
        finding = _judge_held(facts, facts.sound.held, facts.declared.meant)
        return answer(finding.summary, [finding], measured, facts.declared.meant)
    if facts.sound.misfit is not None:
        finding = _judge_misfit(facts, facts.sound.misfit, facts.declared.meant or _find_best(estimate))
        return answer(finding.summary, [finding], measured, facts.declared.meant or _find_best(estimate))
    if not estimate.decidable:
        return want_speech(f"The bytes cannot tell: {estimate.reason}.", measured)
    changes = _judge_changes(facts)
    if changes:
        return answer(changes[0].summary, changes, measured, _name_changed_reading(facts.sound.encoding_changes[0]))
    best, name = _find_best(estimate), facts.declared.meant
    right = estimate.probabilities[name] + (0.0 if best != name else 1.0) if name is not None else 0.0
    if facts.sound.factor != 1.0 and (
        best in SUPPORTED if name is None else right >= facts.limits["encoding.warn_below"]
    ):
        finding = _judge_scale(facts, name or best, facts.sound.factor)
        return answer(finding.summary, [finding], measured, _name_reading(name or best))
    if name is None:
        return _judge_undeclared(facts, estimate, best, measured)
    if right >= facts.limits["encoding.warn_below"]:
        said = facts.declared.encoding
        if facts.order is not None:
            finding = _judge_order(facts, facts.order, name)
            return answer(finding.summary, [finding], measured, name)
        meant = "as declared" if said == name else f"which is what {said} means"
        return answer(f"The bytes are {_label(name)}, {meant}.", [], measured, name)
    status: Status = "fail" if right < facts.limits["encoding.fail_below"] else "warn"
    confidence = estimate.probabilities[best]
    if facts.sound.codec:
        finding = _judge_codec(facts.sound.codec, name)
        return answer(finding.summary, [finding], measured, facts.sound.codec)
    finding = _name_origin(facts, _judge_mismatch(best, name, status, confidence))
    return answer(finding.summary, [finding], measured, _name_reading(best))


def _name_origin(facts: Facts, finding: Finding) -> Finding:
    """Add what gives such bytes by default; it cannot be where samples are out of step, which happens on the way."""
    return finding if finding.cause == "encoding.misaligned" else replace(finding, fix=finding.fix + facts.origin)


def _find_best(estimate: EncodingEstimate) -> str:
    return max(estimate.probabilities, key=estimate.probabilities.__getitem__)


def _label(key: str) -> str:
    name = _name(key)
    return f"{name} ({ENCODINGS[name].label}){_shift(key)}" if name in ENCODINGS else key


def _name_reading(key: str) -> str:
    return _NO_SAMPLES.get(key) or f"{_name(key)}{_shift(key)}"


def _shift(key: str) -> str:
    shift = key.partition("+")[2]
    return f", {count_noun(int(shift), 'byte')} out of step" if shift else ""


def _name_changed_reading(change: EncodingChange) -> str:
    if _name(change.before) == _name(change.after):
        return f"{_name(change.before)}, out of step from byte {change.offset} on"
    return f"{_name_reading(change.before)}, later {_name_reading(change.after)}"


def _collect_measurements(estimate: EncodingEstimate) -> dict[str, Any]:
    return {
        "probabilities": round_probabilities(estimate.probabilities),
        "decidable": estimate.decidable,
        "judged_bytes": estimate.judged_bytes,
        "bits_per_byte": {name: round(bits, 4) for name, bits in estimate.bits_per_byte.items()},
    }


def _judge_undeclared(facts: Facts, estimate: EncodingEstimate, best: str, measured: dict[str, Any]) -> Answer:
    if facts.attached is not None:
        return answer(f"No encoding was declared; the samples of the file are {_label(best)}.", [], measured, best)
    if best in SUPPORTED:
        return answer(f"No encoding was declared; the bytes are {_label(best)}.", [], measured, best)
    if facts.sound.codec:
        finding = _judge_codec(facts.sound.codec, None)
        return answer(finding.summary, [finding], measured, facts.sound.codec)
    finding = _name_origin(facts, _judge_mismatch(best, None, "fail", estimate.probabilities[best]))
    return answer(finding.summary, [finding], measured, _name_reading(best))


def _judge_mismatch(best: str, declared: str | None, status: Status, confidence: float) -> Finding:
    said = f"declared is {declared}" if declared else "no encoding was declared"
    name, _, shift = best.partition("+")
    if shift and (declared is None or name == declared):
        summary = f"The samples are out of step: {name} fits from byte {shift} on."
        place = (Evidence("whole samples begin here", offset=int(shift)),)
        return CHECK.find("misaligned", status, confidence, summary, place)
    if best == "not-pcm":
        kinds = "compressed, encrypted, noise, or the low bytes of wider ones"
        summary = f"The bytes are not plain samples of any known kind ({kinds}); {said}."
        return CHECK.find("unsupported", status, confidence, summary, fix=_NOT_SAMPLES)
    if best == "text":
        summary = f"The bytes are text (base64, hex, JSON), not samples; {said}."
        return CHECK.find("unsupported", status, confidence, summary, fix=_NOT_SAMPLES)
    summary = f"The bytes are {_label(best)}; {said}."
    if ENCODINGS[name].is_big_endian:
        return CHECK.find("byte-order", status, confidence, summary)
    if name not in SUPPORTED:
        return CHECK.find("unsupported", status, confidence, summary, fix=_OF_ARITHMETIC.get(name))
    remedy = Remedy(declares=Declared(encoding=name))
    fix = f"{_write_sentence(remedy)}, or convert the samples to {declared} before you send them."
    return CHECK.find("mismatch", status, confidence, summary, fix=fix, remedy=remedy)


_CODES: dict[Codec, tuple[str, str]] = {
    "ADPCM": (
        "codes of 4-bit ADPCM (IMA, which is also called DVI4, or Dialogic's VOX, which looks the same)",
        "sox -t ima -r 8000 FILE -t raw -e signed -b 16 out.raw (VOX: -t vox) decodes them",
    ),
    "IMA ADPCM": ("the blocks of a WAV file of IMA ADPCM", "ffmpeg -i FILE.wav -f s16le -ac 1 out.raw decodes it"),
    "Microsoft ADPCM": (
        "the blocks of a WAV file of Microsoft's ADPCM",
        "ffmpeg -i FILE.wav -f s16le -ac 1 out.raw decodes it",
    ),
    "G.711": (
        "codes of G.711 (mu-law or A-law) that were taken for linear samples of 8 bits, and widened",
        "read its samples as mu-law (ffmpeg -f mulaw -ar 8000) or A-law (-f alaw), whatever its header says",
    ),
    "G.722": ("G.722", "ffmpeg -f g722 -i FILE -f s16le out.raw decodes it, to 16000 Hz"),
    "G.726": (
        "G.726 of 32 kbit/s",
        "ffmpeg -f g726 -code_size 4 -i FILE -f s16le out.raw decodes it, to 8000 Hz (g726le where the first code of a "
        "byte stands in its lower half)",
    ),
    "Microsoft GSM": (
        "GSM 06.10 as in a WAV file, two frames in 65 bytes",
        "ffmpeg -i FILE.wav -f s16le out.raw decodes it, to 8000 Hz",
    ),
    "GSM": ("frames of GSM 06.10, 33 bytes each", "ffmpeg -f gsm -i FILE -f s16le out.raw decodes it, to 8000 Hz"),
}
_ASK_FOR_SAMPLES = (
    ". Of a live call ask the telephone side for linear samples or mu-law (slin or ulaw in Asterisk, PCMU or L16 "
    "elsewhere) instead."
)


def _judge_codec(codec: Codec, declared: str | None) -> Finding:
    """Codes of a codec, without a file."""
    label, command = _CODES[codec]
    said = f"declared is {declared}" if declared else "no encoding was declared"
    summary = f"The bytes are compressed, not samples: they are {label}; {said}."
    then = "is right for what comes out" if declared == "pcm_s16le" else "is what to declare then"
    fix = f"Decode it before you send it; pcm_s16le {then}{_ASK_FOR_SAMPLES} Of a file: {command}."
    return CHECK.find("unsupported", "fail", 0.95, summary, fix=fix)


def _write_sentence(remedy: Remedy) -> str:
    return remedy.words[0].upper() + remedy.words[1:]


def _get_offset(facts: Facts) -> int:
    """The first byte of the samples."""
    return facts.sound.layout.offset if facts.sound.layout is not None else 0


def _judge_order(facts: Facts, order: Order, name: str) -> Finding:
    if order == "swapped":
        summary = f"The bytes are {name}, but neighbouring samples are swapped: the second of each pair comes first."
        return CHECK.find("swapped", "fail", 0.95, summary, remedy=SwapPairs(name, _get_offset(facts)))
    return _judge_held(facts, Fraction(2), name)


def _judge_held(facts: Facts, times: Fraction, name: str) -> Finding:
    """Samples that are repeated to reach a higher rate."""
    rate = facts.declared.sample_rate or 0
    once = int(rate / times)
    if times.denominator > 1:
        summary = (
            f"Samples are repeated to get from {once} to {rate} Hz: {float(1 - 1 / times):.0%} of them are copies of "
            f"the one before. The speed is right, but above {once // 2} Hz the sound holds nothing except mirror "
            "images of itself."
        )
        fix = f"Send the samples as they come and declare sample_rate={once}, or {_RESAMPLE}."
        return CHECK.find("doubled", "warn", 0.95, summary, fix=fix)
    count = int(times)
    how, many = ("twice", "a mirror image") if count == 2 else (f"{count} times", "mirror images")
    summary = (
        f"Each sample is sent {how}: {once} different ones a second, declared as {rate}. The speed is right, but above "
        f"{once // 2} Hz the sound holds nothing except {many} of itself."
    )
    remedy = TakeChannel(name, 0, count, _get_offset(facts), declares=Declared(sample_rate=once))
    part = "half the bytes, and no mirror image" if count == 2 else "fewer bytes, and no mirror images"
    fix = (
        f"{_write_sentence(remedy)}: {part}. Where you need the higher rate, {_RESAMPLE}. If a device records it, "
        "set its driver to the slot width and the rate that the device really has."
    )
    return CHECK.find("doubled", "warn", 0.95, summary, fix=fix, remedy=remedy)


def _judge_stuffed(facts: Facts, slot: Slot, name: str) -> Finding:
    """Samples with zeros between them, to reach a higher rate."""
    rate, times = facts.declared.sample_rate or 0, slot.channels
    once = round(rate / times)
    zeros = "a zero is" if times == 2 else f"{times - 1} zeros are"
    summary = (
        f"Behind each sample {zeros} put in to get from {once} to {rate} Hz. The speed is right, but above "
        f"{once // 2} Hz the sound holds mirror images of itself, as loud as the sound."
    )
    remedy = TakeChannel(name, slot.channel, times, _get_offset(facts), declares=Declared(sample_rate=once))
    fix = (
        f"{_write_sentence(remedy)}. Where you need the higher rate, {_RESAMPLE}: putting in zeros is its first step, "
        "and a low-pass filter must follow."
    )
    return CHECK.find("doubled", "warn", 0.95, summary, fix=fix, remedy=remedy)


_RESAMPLE = "use a resampler that filters instead of repeating samples"


def _judge_scale(facts: Facts, name: str, factor: float) -> Finding:
    """The samples are of the right encoding, and stand at another scale in it."""
    remedy = Rescale(name, factor, offset=_get_offset(facts))
    if factor < 1.0:
        most = round(1 / factor)
        units = f"{most.bit_length()}-bit units: full scale is 1.0, and they go up to {most}"
        summary = f"The bytes are {_label(name)}, but in {units}."
        fix = f"Divide the samples by {most} before you send them."
        return CHECK.find("scaled", "fail", 0.95, summary, fix=fix, remedy=remedy)
    if ENCODINGS[name].label.startswith("signed"):
        shift = round(np.log2(factor))
        bits = 8 * ENCODINGS[name].width - shift
        summary = (
            f"The bytes are {_label(name)}, but hold {bits}-bit samples at the low end: {factor:.0f} times too quiet."
        )
        fix = f"Shift each sample up by {shift} bits (x << {shift})" + (", or send pcm_s16le." if bits == 16 else ".")
        return CHECK.find("scaled", "fail", 0.95, summary, fix=fix, remedy=remedy)
    summary = f"The bytes are {_label(name)}, but {factor:.0f} times too quiet, as if they were divided by it twice."
    fix = f"Divide the 16-bit samples by {factor:.0f} once."
    return CHECK.find("scaled", "fail", 0.9, summary, fix=fix, remedy=remedy)


_DISGUISED = {
    "unsigned": "samples without a sign",
    "reversed": "bytes with their bits turned round",
    "inverted": "inverted codes",
    "even bits": "A-law without the inversion of a line",
    "padded": "24-bit samples in 32 bits",
    "one bit": "bits of a PDM microphone",
    "half of a float": "bfloat16",
    "big endian": "big endian samples",
    "sign and size": "samples of a sign and a size",
    "shifted down": "samples that are shifted by a bit",
    "in order": "codes of mu-law in order",
    "encoded twice": "mu-law that was encoded as mu-law",
    "scaled twice": "samples that were scaled to 16 bits twice",
}
_PDM = (
    "Let the hardware or the driver make samples of them: on an ESP32 the I2S driver's PDM receiver with its PCM "
    "format (i2s_channel_init_pdm_rx_mode), on an STM32 the PDM2PCM library, else a low-pass filter that keeps one "
    "value of every 64 bits. Then send pcm_s16le."
)
_ENCODE_ONCE = (
    "Leave one of the two out. What a telephone platform sends as payload (Twilio, Telnyx, a track of PCMU) is mu-law "
    "already: send it as it comes and declare pcm_mulaw, or decode it first and send pcm_s16le. The second encoding "
    "lost a part that nothing brings back."
)
_WHERE_BITS_TURN = {
    "unsigned": " Or ask the source for signed samples (s16le); a converter (ADC) counts from 0.",
    "reversed": " Or set the order of the bits where they are read: PCM and TDM interfaces, SPI and some telephone "
    "cards send the lowest one first.",
    "inverted": " Telephone cards and codecs have a setting for it.",
    "padded": " 24 bits in 32 are called S24_LE or s24-32le, and their top byte means nothing: ask for S16_LE instead.",
    "even bits": " G.711 inverts every other bit of A-law; a codec with that setting off does not.",
    "half of a float": " bfloat16 is a format for weights of models: take samples out of the model as float32, or "
    "write 16-bit integers, which are finer: (x.clip(-1, 1) * 32767) as '<i2'.",
    "big endian": " Better write little endian at once, in one of the six encodings: struct '<h', numpy dtype '<i2', "
    "DataView.setInt16(i, v, true).",
    "sign and size": " Converters and some DSP libraries count so; most have a setting for two's complement.",
    "shifted down": " I2S has the sign one clock behind the edge of the word select: where a driver reads for left or "
    "right justified data (or the other way round), all bits stand one place off. Set its format to I2S (Philips).",
    "scaled twice": " Multiply floats between -1 and 1 only: what numpy reads as int16, and floats that are in 16-bit "
    "units already, go out as they are (astype('<i2')). Test for it by dtype or by np.abs(x).max() > 1.",
    "in order": " G.711 codes do not count from the lowest to the highest value, as those of torchaudio and librosa "
    "(mu_compress) do: those are made for models. Encode with a library for G.711 (audioop.lin2ulaw, g711, sox), or "
    "send pcm_s16le.",
}


def _judge_disguise(disguise: Disguise) -> Finding:
    """Samples whose bits were changed, so that they fit none of the encodings."""
    if disguise.kind == "one bit":
        summary = (
            "The bytes are the bits of a PDM microphone, one bit a sample: their density is the sound. The service "
            "takes samples."
        )
        return CHECK.find("unsupported", "fail", 0.9, summary, fix=_PDM)
    if disguise.kind == "encoded twice":
        summary = "The bytes were encoded as mu-law twice: the codes of the first time were taken for samples."
        return CHECK.find("unsupported", "fail", 0.95, summary, fix=_ENCODE_ONCE)
    label = _label(disguise.encoding)
    summary = {
        "unsigned": f"The samples count from 0, without a sign: with the top bit of each changed they are {label}.",
        "reversed": f"The bits of each byte stand in the wrong order: turned round they are {label}.",
        "inverted": f"All bits are inverted: changed back they are {label}.",
        "even bits": f"Every other bit is inverted: changed back they are {label}.",
        "padded": "24-bit samples stand in the low three bytes of 32 bits, and the top byte is empty.",
        "half of a float": "The samples are bfloat16, the upper half of 32-bit floats, which looks like half-precision "
        "floats (pcm_f16le) and is not: read as those, all of them are loud.",
        "big endian": f"The bytes of each sample stand in the wrong order (big endian): turned round they are {label}.",
        "sign and size": f"The samples are a sign and a size, not two's complement: changed they are {label}.",
        "shifted down": f"Each sample is shifted down by a bit, so that its sign is none: shifted back it is {label}.",
        "scaled twice": "The samples were multiplied by 32767 although they were 16-bit integers already, and wrapped "
        "around: it sounds like noise, though nothing is lost.",
        "in order": "The codes are mu-law that counts from the lowest value to the highest, as models have it, not "
        "mu-law of a telephone line (G.711), whose upper half counts down.",
    }[disguise.kind]
    name = disguise.encoding if ENCODINGS[disguise.encoding].supported else None
    remedy = ChangeBits(disguise, declares=Declared(encoding=name))
    declare = f", and declare {name}" if name else ""
    fix = f"{_write_sentence(remedy)}{declare}.{_WHERE_BITS_TURN[disguise.kind]}"
    cause = "byte-order" if disguise.kind == "big endian" else "unsupported"
    return CHECK.find(cause, "fail", 0.97, summary, fix=fix, remedy=remedy)


def _judge_misfit(facts: Facts, misfit: Misfit, name: str) -> Finding:
    """Integers that nothing brought to the scale of their encoding."""
    bits = 8 * ENCODINGS[name.partition("+")[0]].width
    full = (1 << bits - 1) - 1
    if misfit.kind == "cast":
        summary = "Every sample is -1, 0 or 1: floats were cast to integers without a factor."
        fix = f"Scale before the cast: np.clip(x * {full}, -{full}, {full}), in JavaScript "
        fix += f"Math.max(-1, Math.min(1, x)) * {full:#x}."
        return CHECK.find("scaled", "fail", 0.9, summary, fix=fix)
    if misfit.kind == "converter":
        most = (1 << misfit.bits) - 1
        summary = (
            f"All samples lie within 0 and {most}: unsigned values of a {misfit.bits}-bit converter (ADC), sent as "
        )
        summary += f"signed {bits}-bit samples, so the sound is off centre and quiet."
        fix = f"Centre the values and bring them to full scale: (x - mean) * {1 << bits - misfit.bits}, with the mean "
        fix += f"of x at rest, here {misfit.centre:.0f}."
        remedy = Rescale(name.partition("+")[0], float(1 << bits - misfit.bits), misfit.centre, _get_offset(facts))
        return CHECK.find("scaled", "fail", 0.95, summary, fix=fix, remedy=remedy)
    if misfit.kind == "single bytes":
        summary = f"Every sample is a whole number of one byte: each byte of {_label(misfit.encoding)} became a sample."
        fix = (
            "Look at the same memory as samples instead of copying its bytes one by one: new Int16Array(chunk.buffer, "
            "chunk.byteOffset, chunk.length / 2) in JavaScript (new Float32Array(chunk) makes one of each byte), "
            f"np.frombuffer(data, '<i2') in Python. Or send the bytes as they are and declare {misfit.encoding}."
        )
        return CHECK.find("scaled", "fail", 0.95, summary, fix=fix)
    if misfit.kind in ("signed byte", "signed sum"):
        summary = (
            "Half of the samples lost their upper byte: their low byte was taken as a number with a sign, so that "
            "wherever its top bit is set, the sample is -128 to -1."
            if misfit.kind == "signed byte"
            else "Half of the samples are 256 too low: their low byte was added as a number with a sign, so that it "
            "counts -128 to -1 wherever its top bit is set."
        )
        fix = "Take the low byte without its sign when you put bytes together: (hi << 8) | (lo & 0xff) in Java and "
        fix += "Kotlin, or read shorts at once (ByteBuffer.order(LITTLE_ENDIAN).asShortBuffer())."
        return CHECK.find("scaled", "fail", 0.95, summary, fix=fix)
    if misfit.kind == "gap":
        least, most = misfit.gap
        label = ENCODINGS[misfit.law].label
        summary = (
            f"No sample has a size between {least} and {most} (of 32768), although many are smaller and many larger: "
            f"the encoder of {label} has a table or a segment that is wrong."
        )
        fix = "Compare the encoder with the tables of ITU-T G.711 for every 16-bit value, or use one that is proven "
        fix += "(audioop.lin2alaw and lin2ulaw, FFmpeg, sox); or leave it out and send pcm_s16le."
        return CHECK.find("scaled", "fail", 0.85, summary, fix=fix)
    if misfit.kind == "other law":
        used, right = ("mu-law", "A-law") if misfit.law == "pcm_alaw" else ("A-law", "mu-law")
        summary = f"The samples were {right} of a telephone line and were decoded with the table of {used}."
        fix = f"Decode them with the table of {right} (payload type 0 of RTP is mu-law, 8 is A-law), or send the codes "
        fix += f"as they came and declare {misfit.law}."
        return CHECK.find("scaled", "fail", 0.9, summary, fix=fix)
    summary = f"The samples are the low {bits} bits of wider ones: they wrap around again and again where it is loud."
    fix = f"Keep the high bits instead: x >> {32 - bits} of 32-bit samples, x >> {24 - bits} of 24-bit ones."
    return CHECK.find("scaled", "fail", 0.9, summary, fix=fix)


def _judge_changes(facts: Facts) -> list[Finding]:
    changes = facts.sound.encoding_changes
    if not changes:
        return []
    first = changes[0]
    evidence = tuple(_list_change_evidence(facts, change) for change in changes[:_OFTEN])
    if all(_name(change.before) == _name(change.after) for change in changes):
        return [_judge_shift(facts, first, evidence, len(changes))]
    summary = f"The bytes are {_label(first.before)} at first and {_label(first.after)} from byte {first.offset} on"
    line, _ = facts.find_frame(first.offset)
    summary += f" (line {line})." if line is not None else "."
    return [CHECK.find("changed", "fail", min(first.confidence, _SUREST), summary, evidence)]


_SUREST = 0.9  # both readings fit well; still swapped, doubled or interleaved samples can be read so in parts


def _name(key: str) -> str:
    return key.partition("+")[0]


def _judge_shift(facts: Facts, first: EncodingChange, evidence: tuple[Evidence, ...], times: int) -> Finding:
    """The encoding stays the same, but a part of a sample was lost or added on the way."""
    line, _ = facts.find_frame(first.offset)
    where = f"byte {first.offset}" + (f" (line {line})" if line is not None else "")
    summary = f"From {where} on the samples are out of step: a part of a sample was lost or added there."
    if times > _OFTEN:
        summary = f"From {where} on the samples get out of step again and again: parts of samples are lost or added."
    fix = "Keep every frame a whole number of samples, and never drop a part of a frame."
    return CHECK.find("misaligned", "fail", first.confidence, summary, evidence, fix)


def _list_change_evidence(facts: Facts, change: EncodingChange) -> Evidence:
    line, t = facts.find_frame(change.offset)
    return Evidence(_tell_change(change), line, t, change.offset)


def _tell_change(change: EncodingChange) -> str:
    if _name(change.before) != _name(change.after):
        return f"from here on the bytes are {_name_reading(change.after)}"
    is_back = _shift(change.before) and not _shift(change.after)
    return f"the samples are {'in step again' if is_back else 'out of step'} from here on"
