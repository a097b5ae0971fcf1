"""Is there speech in it?

Needs audio that can be decoded. One pass over all of it measures level, offset, clipping and constant stretches; the
loudest stretch (10 s at 16 kHz) is searched for clicks at a period. Whether the sound is speech is for the estimate of
the sample rate to say: sound that is none is an open question, not a fault.
"""

from typing import Any

import numpy as np

from sttdoctor import missing
from sttdoctor.analysis.decoding import Layout, decode
from sttdoctor.analysis.facts import Facts
from sttdoctor.analysis.remedies import FillSilence, Rescale
from sttdoctor.analysis.session.timeline import Connection
from sttdoctor.analysis.signal import levels as signal_levels
from sttdoctor.analysis.signal.activity import LateStart, ends_in_room, find_late_start
from sttdoctor.analysis.signal.beeps import find_beeps
from sttdoctor.analysis.signal.clicks import (
    Clicks,
    SingleZeros,
    find_border_clicks,
    find_chunk_clicks,
    find_clicks,
    find_single_zeros,
    measure_jumps,
)
from sttdoctor.analysis.signal.echo import find_echo
from sttdoctor.analysis.signal.holes import SOME_VOICE, find_muted, find_torn_holes
from sttdoctor.analysis.signal.levels import Levels, Swells
from sttdoctor.analysis.signal.runs import Floats
from sttdoctor.checks.base import (
    AUDIO_INPUT,
    Answer,
    Cause,
    Check,
    Evidence,
    Finding,
    answer,
    count_noun,
    join_list,
    pick_worst,
    unknown,
    want_speech,
)
from sttdoctor.encodings import ENCODINGS

CHECK = Check(
    id="signal",
    order=50,
    question="Is there speech in it?",
    kinds=("audio", "session"),
    needs="audio bytes that can be decoded",
    why="Words get lost even when format and pacing are right: to a muted or wrong input device, to a gain that is far "
    "off, to holes or clicks from a buffer or resampler. From silence, some recognisers even invent words.",
    how="Level, offset, flat tops and constant stretches are measured over all of the audio, and floats that are NaN "
    "or infinite are counted. A hole is where the sound "
    "breaks off at full level and comes back at full level, which no pause does. Clicks are jumps far beyond the "
    "prediction error at a fixed period. An echo is where the whitened sound agrees with itself, to the sample, at "
    "one delay throughout.",
    causes=(
        Cause(
            "signal.silent",
            "fail",
            "All of the audio is silent, or a test signal.",
            "Check which input device is in use, whether it is muted, and whether recording is permitted.",
        ),
        Cause(
            "signal.too-quiet",
            "warn",
            "The sound is so quiet that words are lost in noise.",
            "Raise the input gain or move the microphone closer; scaling the samples does not bring back lost bits.",
        ),
        Cause(
            "signal.noise",
            "warn",
            "There is loud, steady noise: alone, or nearly as loud as the speech in it.",
            "Listen to the audio (the report ends with the commands). A hiss: the wrong device, an input that nothing "
            "is connected to, a rate or format that was forced on the device, bytes that are no samples. A hum or "
            "buzz: power supply, ground, long or unshielded wires of a microphone. A voice beneath it: move the "
            "microphone to the mouth.",
        ),
        Cause(
            "signal.clipped",
            "warn",
            "The loud parts are cut off.",
            "Lower the gain before the conversion; keep floats within -1 to 1 (divide 16-bit values by 32768).",
        ),
        Cause(
            "signal.wrapped",
            "fail",
            "Loud samples wrap around: they overflow in the cast to integers.",
            "Limit the samples before the cast: np.clip(x * 32767, -32768, 32767).astype('<i2'), in JavaScript "
            "Math.max(-32768, Math.min(32767, x * 32767)). Then lower the gain: limited samples are still clipped.",
        ),
        Cause(
            "signal.not-numbers",
            "fail",
            "Some float samples are NaN (not a number) or infinite.",
            "Do not divide a chunk by its own peak, which is 0 in silence: scale the whole stream by one constant. "
            "Put zeros where stray values are left: np.where(np.isfinite(x), x, 0).",
        ),
        Cause(
            "signal.dc-offset",
            "warn",
            "The waveform is off centre.",
            "Use a high-pass filter (20 to 60 Hz) or subtract the mean; check for unsigned samples read as signed.",
        ),
        Cause(
            "signal.dropouts",
            "fail",
            "The sound has short holes in it.",
            "Look for buffers that run empty, lost packets filled with zeros, or frames that are cleared before they "
            "are sent; read from the device in a thread of its own.",
        ),
        Cause(
            "signal.discontinuities",
            "warn",
            "The waveform jumps, or a sample is zero, at a regular period.",
            "Keep the state of the resampler (or filter, or fade) from one chunk to the next: one object for the "
            "stream, not one for each chunk.",
        ),
        Cause(
            "signal.muted",
            "warn",
            "Mid-speech the sound turns to exact silence and stays silent, while audio is still sent.",
            "Look for what mutes the microphone while the stream goes on: an app in the background or a locked screen "
            "(on Android use a foreground service of type microphone), another app that took the device, a gate. If "
            "the user pressed mute, nothing is wrong.",
        ),
        Cause(
            "signal.starts-late",
            "warn",
            "The sound begins mid-speech, and ends in the room as live sound does: the first words are missing.",
            "Start recording before you connect, or at once, and queue what is recorded until the socket is open; then "
            "send the queue in order. Do not throw chunks away because the connection is not ready. Open the "
            "microphone before the user is told to speak: some need a second to wake up. If the recording was cut like "
            "this on purpose, nothing is wrong.",
        ),
        Cause(
            "signal.echoed",
            "warn",
            "The sound contains a delayed copy of itself: it reaches the stream by two routes.",
            "Send one route only: look for a microphone that is mixed with its own monitor or loopback, or a track "
            "that is added twice. If the microphone picks up a loudspeaker, use echo cancellation.",
        ),
        Cause(
            "signal.false-silence",
            "fail",
            "Zero bytes are sent as silence, but in G.711 and in unsigned samples they are loud, also once they are "
            "converted; or the silence of the other law of G.711 is.",
            "Fill pauses and lost packets with the silence of the format: 0xFF in mu-law, 0xD5 in A-law, 0x80 in "
            "unsigned 8-bit samples.",
        ),
    ),
    docs=AUDIO_INPUT,
    judge=lambda facts: _judge(facts),
)

_USUAL_RATE = 16000
_SHORTEST_SILENCE_S = 0.5  # a microphone begins with a moment of silence, whether it is muted or not
_SHORTEST_S = 0.1  # five steps: of fewer a healthy word may not have its three loud ones
_SOUND_STEPS = 3  # 60 ms: fewer loud steps are clicks of a switch, no word
_CLICK_USUAL, _CLICK_EVIDENCE = 0.65, 10  # x the usual error: the mean at places without clicks; sure beyond chance
_JUMPING = frozenset({"signal.noise", "signal.dropouts", "signal.false-silence", "signal.clipped", "signal.wrapped"})
_WRAPS_TO_STEEP = 1  # in noise, and in sound that is cut off, steps of half the range are more than whole ones
_RARE = 0.1  # of the holes a minute that are a fault: below it only holes that come together count
_ECHO_LOOKED_AT = 320_000  # samples: 20 s at 16 kHz
_SPEECH_LIKE = 0.5
_TOO_LOUD = 8.0  # of full scale: floats beyond it are in other units, or single ones that no gain made
_CLICKS_LOOKED_AT = 160_000  # samples: 10 s at 16 kHz


def _judge(facts: Facts) -> Answer:
    layout = facts.sound.layout
    if facts.audio is None:
        return unknown(facts.why_no_audio or missing.AUDIO)
    if facts.sound.contents is not None and not facts.sound.contents.holds_samples:
        return unknown(missing.SAMPLES)
    if layout is None:
        return _leave_undecoded(facts)
    levels = facts.levels
    assert levels is not None
    rate = levels.rate
    worst_part = signal_levels.find_worst_clipping(levels)
    measured = _collect_measurements(facts, levels, worst_part[0])
    if levels.samples < _SHORTEST_S * rate:
        text = f"{1000 * levels.samples / rate:.3g} ms of audio are too short to judge."
        return want_speech(text, measured)
    findings = [
        *_find_false_silence(facts, layout, levels),
        *_find_others_silence(facts, layout, levels),
        *_find_broken(facts, layout, levels),
    ]
    if levels.broken[0] == levels.samples:
        pass  # nothing is left that could be silent
    elif _is_silent(facts, levels):
        if not findings and levels.samples < _SHORTEST_SILENCE_S * rate:
            return want_speech(f"{1000 * levels.samples / rate:.3g} ms of silence are too short to judge.", measured)
        findings.insert(0, _judge_silence(facts, levels))
    elif (beeps := find_beeps(facts.audio.data[layout.offset :], layout, levels)) is not None:
        summary = (
            f"There is no speech in it: a sound of {1000 * beeps.length_s:.0f} ms comes every {beeps.period_s:.2g} s, "
            f"{beeps.count} times, with exact silence between. That is a test signal."
        )
        findings.insert(0, CHECK.find("silent", "fail", 0.95, summary, fix=_NO_TEST_SIGNAL))
    else:
        findings += [
            *_find_noise(facts, levels),
            *_judge_levels(facts, layout, levels, worst_part, bool(findings)),
            *_find_holes(facts, layout, levels),
        ]
        if not any(finding.cause in _JUMPING for finding in findings):
            findings += _search_clicks(facts, layout, levels)
        if not any(finding.cause in _JUMPING for finding in findings):
            findings += _find_late_start(facts, layout)
        findings += [*_judge_muted(facts, layout, levels), *_find_echoed(facts, layout, levels)]
    if findings:
        return answer(pick_worst(findings).summary, findings, measured)
    return _judge_speech(facts, levels, measured)


_NO_TEST_SIGNAL = (
    "Choose a real microphone. A browser that was started with --use-fake-device-for-media-stream (as Puppeteer, "
    "Playwright and Selenium set-ups do) gives beeps: leave the flag out, or give it a recording with "
    "--use-file-for-fake-audio-capture=FILE.wav. In an emulator or virtual machine, let it use the host's microphone."
)


def _leave_undecoded(facts: Facts) -> Answer:
    assert facts.audio is not None
    data = facts.audio.data
    first = data[: 1 << 24]
    if (first == first[0]).all():
        summary = f"All bytes are the same (0x{int(first[0]):02X}): there is no sound at all."
        return answer(summary, [CHECK.find("silent", "fail", 0.95, summary)], {})
    return unknown(missing.SAMPLES)


def _format_db(level: float) -> str:
    return f"{round(20 * np.log10(max(level, 1e-9)))} dBFS"


def _get_peak(levels: Levels) -> float:
    """The largest sample, of full scale: what a peak meter shows."""
    return float(max(abs(levels.high), abs(levels.low)))


def _describe_level(levels: Levels) -> str:
    return f"its loud parts have an RMS of {_format_db(levels.loud)}, its peak is {_format_db(_get_peak(levels))}"


def _collect_measurements(facts: Facts, levels: Levels, clipped_worst: float) -> dict[str, Any]:
    return {
        "seconds": round(levels.samples / levels.rate, 2),
        "peak": round(_get_peak(levels), 6),
        "loud_rms": round(levels.loud, 6),
        "quiet_rms": round(levels.active_rms(10), 6),
        "dc_offset": round(levels.dc_offset, 6),
        "clipped_share": round(signal_levels.measure_clipping(levels), 6),
        "clipped_share_worst": round(clipped_worst, 6),
        "clicks_searched_s": round(min(_CLICKS_LOOKED_AT, levels.samples) / levels.rate, 2),
        "speech_like": round(facts.sound.rate.speech_like, 3) if facts.sound.rate is not None else None,
    }


def _is_silent(facts: Facts, levels: Levels) -> bool:
    return levels.sounding < _SOUND_STEPS and not facts.rate_is_heard


def _judge_silence(facts: Facts, levels: Levels) -> Finding:
    summary = f"All of the audio is silent ({_judge_faint(levels)})."
    width, speed = ENCODINGS[facts.declared.meant or "pcm_s16le"].width, facts.longest_speed
    if levels.high == levels.low == 0.0 and width > 1 and speed is not None and abs(speed.ratio * width - 1) < _NEARLY:
        summary += f" One byte a sample comes in, where {facts.declared.meant} has {width}."
        return CHECK.find("silent", "fail", 0.98, summary, fix=_CAST)
    return CHECK.find("silent", "fail", 0.98, summary)


_NEARLY = 0.05
_SOME = 0.01
_CAST = (
    "Look at the conversion: each number was cast to a byte, and floats between -1 and 1 are all 0 then. Send the "
    "memory of the samples, not a copy of their values: Buffer.from(floats.buffer) or new Uint8Array(floats.buffer, "
    "floats.byteOffset, floats.byteLength) in JavaScript, floats.tobytes() in Python. If they were zeros before, check "
    "which input device is in use, whether it is muted, and whether recording is permitted."
)


def _judge_faint(levels: Levels) -> str:
    """What silent audio holds: its peak as a meter shows it, and apart from it what is no sound."""
    if levels.high == levels.low:
        return "digital silence: every sample is the same"
    offset, peak = levels.dc_offset, _get_peak(levels)
    beside = []
    if levels.sounding:
        beside.append(f"a click of {_format_db(peak)}")
        peak = levels.quiet_peak
    elif 2 * abs(offset) > peak:
        beside.append(f"an offset of {100 * offset:.1f} % of full scale")
        peak = max(levels.high - offset, offset - levels.low)
    return f"it peaks at {_format_db(peak)}" + (f", apart from {beside[0]}" if beside else "")


def _find_false_silence(facts: Facts, layout: Layout, levels: Levels) -> list[Finding]:
    source, zeros = signal_levels.find_zero_runs(levels, layout.encoding)
    seconds = float(levels.runs.length[zeros].sum()) / levels.rate
    if not zeros.any() or seconds < facts.limits["signal.false_silence_s"]:
        return []
    code = f"0x{ENCODINGS[source].silence.hex().upper()}"
    level = _format_db(abs(float(decode(bytes(1), source)[0])))
    starts = layout.offset + levels.runs.start[zeros] * layout.frame_bytes
    stops = starts + levels.runs.length[zeros] * layout.frame_bytes
    remedy = FillSilence(layout.encoding, tuple(zip(starts.tolist(), stops.tolist(), strict=True)))
    if source == layout.encoding:
        summary = (
            f"{seconds:.1f} s of zero bytes were sent, which are not silence in {source}: "
            f"byte 0x00 stands for {level}, silence is {code}."
        )
        fix, note = f"{remedy.words[0].upper()}{remedy.words[1:]}.", "zero bytes"
    else:
        samples = f"{ENCODINGS[source].label} samples"
        summary = (
            f"For {seconds:.1f} s, at {count_noun(int(zeros.sum()), 'place')}, the waveform stands still at {level}: "
            f"that is what zero bytes become when {samples} are converted. Silence is {code} there."
        )
        fix = f"Fill lost packets and pauses with {code} before the {samples} are converted, or with zeros after it."
        note = "zero bytes that were converted"
    places = _list_places(facts, layout, levels.runs.start[zeros], note)
    return [CHECK.find("false-silence", "fail", 0.97, summary, places, fix, remedy)]


def _find_others_silence(facts: Facts, layout: Layout, levels: Levels) -> list[Finding]:
    """Silence of the other law of G.711: a constant level, at which each pause begins and ends with a step."""
    other = {"pcm_alaw": "pcm_mulaw", "pcm_mulaw": "pcm_alaw"}.get(layout.encoding)
    if other is None:
        return []
    byte, right = ENCODINGS[other].silence, ENCODINGS[layout.encoding].silence.hex().upper()
    value = float(decode(byte, layout.encoding)[0])
    found = levels.runs.value == value
    seconds = float(levels.runs.length[found].sum()) / levels.rate
    if seconds < facts.limits["signal.false_silence_s"]:
        return []
    summary = (
        f"{seconds:.1f} s of byte 0x{byte.hex().upper()} were sent, which is silence in {other}: in {layout.encoding} "
        f"it stands for a constant level of {_format_db(abs(value))}, silence is 0x{right}."
    )
    places = _list_places(facts, layout, levels.runs.start[found], "such bytes")
    spans = tuple(
        (layout.offset + int(start), layout.offset + int(start + length))
        for start, length in zip(levels.runs.start[found], levels.runs.length[found], strict=True)
    )
    remedy = FillSilence(layout.encoding, spans)
    fix = f"Fill pauses with 0x{right} instead of 0x{byte.hex().upper()}: each law has a silence of its own."
    return [CHECK.find("false-silence", "warn", 0.9, summary, places, fix, remedy)]


def _find_broken(facts: Facts, layout: Layout, levels: Levels) -> list[Finding]:
    """Floats that are none; bytes of another encoding hold them by chance."""
    count, first = levels.broken
    estimate = facts.sound.encoding
    are_all = count == levels.samples and facts.declared.meant == layout.encoding
    if (
        not count
        or not (are_all or (estimate is not None and estimate.decidable))
        or not facts.is_read_as(layout.encoding)
    ):
        return []
    share = count / levels.samples
    many = f"{count_noun(count, 'sample')} ({f'{share:.0%}' if share >= _SOME else 'less than 1%'})"
    summary = f"{many} {'are' if count > 1 else 'is'} NaN or infinite: no recogniser can use them."
    places = _list_places(facts, layout, np.array([first]), "the first of them")
    return [CHECK.find("not-numbers", "fail", 0.97, summary, places)]


def _find_noise(facts: Facts, levels: Levels) -> list[Finding]:
    """Noise alone, all the time and loud, in which neither this tool nor the service heard anybody speak."""
    rate, seconds = facts.sound.rate, levels.samples / levels.rate
    if signal_levels.is_drowned(levels, facts.limits["signal.noise_rms"]) and seconds >= facts.limits["signal.noise_s"]:
        return [_tell_drowned(levels)]
    swells = signal_levels.find_swells(levels)
    if swells is not None and swells.level >= facts.limits["signal.noise_rms"] and _is_hiss(facts, levels, swells):
        return [_tell_swells(levels, swells)]
    if rate is None or rate.speech_like >= _SPEECH_LIKE or signal_levels.is_modulated(levels):
        return []
    if signal_levels.is_switched(levels):
        return []  # call progress tones, digits
    if levels.loud < facts.limits["signal.noise_rms"] or seconds < facts.limits["signal.noise_s"]:
        return []
    if any(turn.end or turn.partial for turn in facts.turns):
        return []
    only = f"There is nothing but steady noise, a hum or a tone for {seconds:.0f} s"
    summary = f"{only} ({_describe_level(levels)}), and no speech in it."
    return [CHECK.find("noise", "warn", 0.85, summary)]


def _is_hiss(facts: Facts, levels: Levels, swells: Swells) -> bool:
    """Whether the longest of such stretches is noise: no tone of a line, no music, no vowel."""
    layout = facts.sound.layout
    assert facts.audio is not None and layout is not None
    first = layout.offset + swells.first * layout.frame_bytes
    part = layout.decode(np.asarray(facts.audio.data[first : first + swells.length * layout.frame_bytes]))
    return signal_levels.is_noise(np.nan_to_num(part[:, levels.channel]), levels.rate)


def _tell_swells(levels: Levels, swells: Swells) -> Finding:
    summary = (
        f"{swells.count} times, for {swells.seconds:.1f} s in all, steady noise is as loud as the speech "
        f"({_format_db(swells.level)}), and far softer in between ({_format_db(levels.active_rms(5))}): automatic gain "
        "raises it whenever nobody speaks."
    )
    return CHECK.find("noise", "warn", 0.8, summary, fix=_QUIET_ROOM)


def _tell_drowned(levels: Levels) -> Finding:
    """Sound that moves, and hardly stands out of the steady noise beneath it."""
    floor = levels.active_rms(10)
    summary = (
        f"Steady noise ({_format_db(floor)}) is nearly as loud as what is said: between the pauses and the loud parts "
        f"there are only {20 * np.log10(levels.active_rms(90) / floor):.0f} dB."
    )
    return CHECK.find("noise", "warn", 0.8, summary, fix=_QUIET_ROOM)


_QUIET_ROOM = (
    "Listen to the audio (the commands are below), and bring the microphone nearer to the mouth. Automatic gain raises "
    "the noise of a room to the level of speech when nobody speaks: in a browser ask for { autoGainControl: false, "
    "noiseSuppression: true }, elsewhere limit the gain, or suppress noise before it. A hiss or hum that does not "
    "change: a faulty cable, power supply or input."
)


def _judge_levels(
    facts: Facts, layout: Layout, levels: Levels, worst_part: tuple[float, float], false_silence: bool
) -> list[Finding]:
    found = []
    loud, limits = levels.loud, facts.limits
    found += _find_wrapped(facts, levels)
    if loud < limits["signal.quiet_rms"] and signal_levels.is_modulated(levels) and facts.rate_is_heard:
        summary = f"The speech is very quiet: {_describe_level(levels)}."
        found.append(CHECK.find("too-quiet", "warn", 0.9, summary))
    share = signal_levels.measure_clipping(levels)
    if _is_built_of_few(facts):
        pass  # a square wave is flat by itself
    elif share > limits["signal.clipped_share"] and not false_silence:
        summary = f"The sound is clipped: {100 * share:.1f} % of the loud samples are cut off at the same value"
        fix, remedy = None, None
        if levels.beyond:
            summary = f"{100 * share:.1f} % of the loud samples lie beyond full scale, where the service cuts them off"
            if _get_peak(levels) <= _TOO_LOUD:
                remedy = Rescale(layout.encoding, round(0.9 / _get_peak(levels), 3), offset=layout.offset)
                fix = f"Keep floats within -1 to 1: they go up to {_get_peak(levels):.2f} here, so {remedy.words}."
        sure = min(0.99, 0.7 + 10 * share)
        found.append(CHECK.find("clipped", "warn", sure, summary + ".", fix=fix, remedy=remedy))
    elif not false_silence:
        found += _find_clipped_part(facts, *worst_part)
    offset = levels.dc_offset
    if abs(offset) > limits["signal.dc_offset"]:
        summary = f"The waveform is off centre by {100 * offset:.1f} % of full scale ({_describe_level(levels)})."
        encoding = ENCODINGS[layout.encoding]
        centre = offset * (1.0 if encoding.is_float else encoding.full_scale)
        remedy = None if encoding.is_g711 else Rescale(layout.encoding, 1.0, centre, layout.offset)
        found.append(CHECK.find("dc-offset", "warn", 0.95, summary, remedy=remedy))
    return found


def _is_built_of_few(facts: Facts) -> bool:
    """Whether sound has few values in its louder half, as what a program makes up; speech at full scale is cut."""
    sizes = np.abs(facts.sound.samples())
    if facts.rate_is_heard and sizes.max(initial=0.0) > _NEARLY_FULL:
        return False
    return len(np.unique(sizes[sizes > sizes.max(initial=0.0) / 2])) <= _FEW_VALUES


_FEW_VALUES, _NEARLY_FULL = 16, 0.9


def _find_wrapped(facts: Facts, levels: Levels) -> list[Finding]:
    """Whether loud samples wrapped, and are no swings of noise, which goes half as far more often."""
    wraps = levels.wraps
    if not wraps.places or wraps.count < facts.limits["signal.wrapped"] or wraps.count < _WRAPS_TO_STEEP * wraps.steep:
        return []
    if not signal_levels.is_modulated(levels):
        return []
    summary = (
        f"Loud samples wrap around: {wraps.count} times the waveform jumps by most of the range from one sample "
        f"to the next (first at {wraps.places[0] / levels.rate:.2f} s). What was beyond full scale overflowed when "
        "it was cast to integers."
    )
    return [CHECK.find("wrapped", "fail", 0.95, summary)]


def _find_clipped_part(facts: Facts, share: float, start_s: float) -> list[Finding]:
    """Clipping that a long recording hides: much of it, but in a short part."""
    if share <= facts.limits["signal.clipped_share_worst"]:
        return []
    summary = (
        f"Part of the sound is clipped: {100 * share:.1f} % of the loud samples in the "
        f"{signal_levels.WORST_S:.0f} s from {start_s:.1f} s on are cut off."
    )
    return [CHECK.find("clipped", "warn", min(0.95, 0.7 + 2 * share), summary)]


def _find_holes(facts: Facts, layout: Layout, levels: Levels) -> list[Finding]:
    runs = levels.runs
    assert facts.audio is not None
    chosen = find_torn_holes(facts.audio.data[layout.offset :], layout, levels)
    minutes = max(levels.samples / levels.rate / 60, 1e-9)
    if len(chosen) < facts.limits["signal.dropouts"] or not _are_crowded(
        facts, runs.start[chosen] / levels.rate, minutes
    ):
        return []
    lengths = runs.length[chosen] / levels.rate * 1000
    often = len(chosen) / minutes >= facts.limits["signal.dropouts_per_min"]
    span = join_list(dict.fromkeys(f"{length:.0f}" for length in (lengths.min(), lengths.max())), "to")
    holes = f"{count_noun(len(chosen), 'hole')} of {span} ms {'is' if len(chosen) == 1 else 'are'}"
    summary = (
        f"{holes} torn into the sound: it breaks off at full level, stays constant and goes on "
        f"(first at {runs.start[chosen[0]] / levels.rate:.2f} s)."
    )
    places = _list_places(facts, layout, runs.start[chosen], "hole")
    fix = _NOT_GATED if _measure_torn(levels, runs.length[chosen].sum()) > _MOSTLY_TORN else None
    return [CHECK.find("dropouts", "fail" if often else "warn", 0.95, summary, places, fix)]


def _measure_torn(levels: Levels, torn: int) -> float:
    """The share of speech that holes take."""
    sounding = np.count_nonzero(levels.rms > _SOUNDING * levels.loud) * levels.step
    return float(torn / (torn + sounding))


_SOUNDING, _MOSTLY_TORN = 0.1, 0.15
_NOT_GATED = (
    "Turn off, one at a time, what processes the sound before it is sent: an echo canceller whose reference is too "
    "loud or late takes the voice for echo, a noise suppressor or gate that is too hard takes it for noise, and both "
    "leave zeros; more gain does not bring it back. If nothing does, look for buffers that run empty, lost packets "
    "filled with zeros, or frames that are cleared before they are sent."
)


def _are_crowded(facts: Facts, times_s: Floats, minutes: float) -> bool:
    """Whether holes come often enough, or some of them together: a few far apart in hours are accidents."""
    count = int(facts.limits["signal.dropouts"])
    together = len(times_s) >= count and bool((times_s[count - 1 :] - times_s[: len(times_s) - count + 1]).min() <= 60)
    return together or len(times_s) / minutes >= _RARE * facts.limits["signal.dropouts_per_min"]


def _search_clicks(facts: Facts, layout: Layout, levels: Levels) -> list[Finding]:
    assert facts.audio is not None
    data = facts.audio.data[layout.offset :]
    samples, first = signal_levels.decode_loudest(data, layout, levels, _CLICKS_LOOKED_AT)
    if not len(samples):
        return []
    rate = levels.rate
    zeros = find_single_zeros(samples, _LOUD_BESIDE * levels.loud)
    if zeros is not None:
        return [_tell_single_zeros(facts, layout, levels, zeros, first)]
    jumps = measure_jumps(samples, rate, 0.003 * levels.loud)
    found = find_clicks(samples, rate, jumps)
    # at few places a mean is large by chance
    if (
        found is not None
        and found.ratio >= facts.limits["signal.click_ratio"]
        and (found.ratio - _CLICK_USUAL) * np.sqrt(found.heard) >= _CLICK_EVIDENCE
    ):
        return [_find_discontinuities(facts, layout, levels, found, first)]
    if facts.sound.planes is not None:
        return []
    if facts.session is not None:
        borders = (facts.sound.borders - layout.offset) // layout.frame_bytes - first
        at_borders = find_border_clicks(samples, rate, jumps, borders)
    else:
        at_borders = find_chunk_clicks(samples, rate, jumps, first) if facts.rate_is_heard else None
    return [_find_broken_borders(facts, layout, levels, at_borders, first)] if at_borders is not None else []


_LOUD_BESIDE = 0.1
_DECODE_EACH = (
    "Find what puts zero bytes between pieces of the audio. Pieces of base64 that end in = must be decoded one by one "
    "and joined as bytes: joined as text and decoded at once, the = within become zero bytes (or end the audio there). "
    "A piece whose length is a multiple of 3 bytes needs no =."
)


_OVERWRITTEN = (
    "Find what clears a sample of each piece: a buffer that is filled to one sample less than it holds, an index that "
    "is off by one, a fade that begins at zero."
)


def _tell_single_zeros(facts: Facts, layout: Layout, levels: Levels, zeros: SingleZeros, first: int) -> Finding:
    period_ms = 1000 * zeros.period / levels.rate
    summary = (
        f"Single samples that are exactly zero stand in the midst of loud sound, every {period_ms:.3g} ms "
        f"({zeros.period} samples), {len(zeros.places)} in the part that was looked at: "
    )
    places = _list_places(facts, layout, zeros.places[:5] + first, "zero")
    if zeros.inserted:
        summary += "zero bytes were put between pieces of the audio."
        return CHECK.find("discontinuities", "warn", 0.95, summary, places, _DECODE_EACH)
    if zeros.inserted is None:
        summary += "they were put between pieces of the audio, or written over samples."
        return CHECK.find("discontinuities", "warn", 0.7, summary, places, f"{_DECODE_EACH} {_OVERWRITTEN}")
    summary += "they were written over samples."
    return CHECK.find("discontinuities", "warn", 0.7, summary, places, _OVERWRITTEN)


def _find_discontinuities(facts: Facts, layout: Layout, levels: Levels, found: Clicks, first: int) -> Finding:
    period_ms = 1000 * found.period / levels.rate
    summary = (
        f"The waveform jumps every {period_ms:.1f} ms ({found.period} samples), {found.ratio / _CLICK_USUAL:.1f} times "
        f"as far as speech does, at {100 * found.share:.0f} % of the places with sound."
    )
    return _tell_clicks(facts, layout, found, first, summary)


def _find_broken_borders(facts: Facts, layout: Layout, levels: Levels, found: Clicks, first: int) -> Finding:
    ends = "frames end" if facts.session is not None else "chunks of a usual length end"
    summary = (
        f"The waveform bends where {ends} ({1000 * found.period / levels.rate:.0f} ms, {found.period} samples), "
        f"{found.ratio:.1f} times as much as within them: each was resampled or filtered by itself."
    )
    return _tell_clicks(facts, layout, found, first, summary)


def _tell_clicks(facts: Facts, layout: Layout, found: Clicks, first: int, summary: str) -> Finding:
    places = _list_places(facts, layout, np.array([first + place for place in found.places], np.int64), "jump")
    return CHECK.find("discontinuities", "warn", min(0.95, 0.5 + found.share), summary, places)


def _judge_muted(facts: Facts, layout: Layout, levels: Levels) -> list[Finding]:
    assert facts.audio is not None
    if not facts.rate_is_heard:
        return []
    data = facts.audio.data[layout.offset :]
    found = find_muted(data, layout, levels, facts.limits["signal.muted_s"])
    if found is None:
        return _judge_gated(facts, layout, levels)
    start, length = found.start / levels.rate, found.length / levels.rate
    where = f"for {length:.1f} s" + (", to the end" if found.to_end else "")
    times = f"; this happens {found.count} times" if found.count > 1 else ""
    summary = f"At {start:.1f} s the sound turns to exact silence mid-speech, {where}{times}."
    places = _list_places(facts, layout, np.array([found.start]), "silence begins")
    return [CHECK.find("muted", "warn", 0.85 if found.to_end else 0.7, summary, places)]


def _judge_gated(facts: Facts, layout: Layout, levels: Levels) -> list[Finding]:
    """Silence that is shorter, and cuts speech off again and again."""
    assert facts.audio is not None
    data = facts.audio.data[layout.offset :]
    found = find_muted(data, layout, levels, signal_levels.LONGEST_HOLE_S, SOME_VOICE)
    if found is None or found.count < facts.limits["signal.muted_times"] or _is_coarse(facts):
        return []
    longest_s = found.length / levels.rate
    summary = f"{found.count} times the sound turns to exact silence mid-speech, for up to {longest_s:.1f} s."
    places = _list_places(facts, layout, np.array([found.start]), "the longest silence begins")
    return [CHECK.find("muted", "warn", 0.75, summary, places, _GATED)]


def _is_coarse(facts: Facts) -> bool:
    """Whether soft sound is exact silence by itself, as of samples that once had 8 bits."""
    soft = np.abs(facts.sound.samples())
    soft = soft[(soft > 0.0) & (soft < _SOFT)]
    return len(set(np.round(soft * 32768).tolist())) < _STEPS


_SOFT, _STEPS = 0.02, 12  # of full scale; different levels below it: 2 of 8 bits, 656 of 16
_GATED = (
    "Look for what silences the microphone for moments while somebody speaks: a half-duplex gate that closes while the "
    "far end or the bot is heard, a noise gate or suppression that is too hard, a microphone that drops out. Against "
    "echo use echo cancellation, which keeps what the user says meanwhile. If the user pressed mute, nothing is wrong."
)


def _find_late_start(facts: Facts, layout: Layout) -> list[Finding]:
    """Sound that begins within a word although the capture holds the connection from its opening on.

    An excerpt of a recording begins like that, too. So it must end as live sound does, in the room.
    """
    if facts.session is None or not facts.rate_is_heard or not facts.declared.sample_rate or layout.channels != 1:
        return []
    opened = [number for number, item in enumerate(facts.connections) if _began_anew(facts, number, item)]
    found = [(number, late) for number in opened if (late := _hear_start(facts, layout, number)) is not None]
    if not found:
        return []
    number, late = found[0]
    first = facts.connections[number].audio_frames[0]
    if late.zeros_s:
        summary = (
            f"The first {late.zeros_s:.1f} s are exact zeros, and then the sound is there within a word: the "
            "microphone was not awake yet when somebody already spoke."
        )
    else:
        many = f", on {len(found)} of {len(opened)} connections" if len(opened) > 1 else ""
        summary = (
            f"The sound begins mid-speech, with the first sample{many}: what was said before, while the connection "
            "was being opened, is missing."
        )
    fix = _KEEP_LAST if number > 0 or len(found) > 1 else None
    return [CHECK.find("starts-late", "warn", 0.65, summary, (Evidence("the first audio", first.line, first.t),), fix)]


def _began_anew(facts: Facts, number: int, connection: Connection) -> bool:
    """Whether a connection was opened for sound that is new: the first one, or behind one that was ended on purpose."""
    opened, sent = connection.open, connection.audio_frames
    if opened is None or opened.status != 101 or not sent or opened.t is None or sent[0].t is None:
        return False
    is_new = number == 0 or facts.has_close_command(facts.connections[number - 1])
    return is_new and sent[0].t - opened.t <= _SOON_S


def _hear_start(facts: Facts, layout: Layout, number: int) -> LateStart | None:
    """How the sound of a connection begins, where it is within a word and ends in a room."""
    rate, sent = facts.declared.sample_rate or _USUAL_RATE, facts.connections[number].audio_frames
    first = max(layout.offset, facts.audio_starts[number])
    stop = facts.audio_starts[number] + sum(frame.size for frame in sent)
    stop -= (stop - first) % layout.frame_bytes
    heard = round(_BEGINNING_S * rate) * layout.frame_bytes
    late = find_late_start(facts.sound.samples(first, min(first + heard, stop)), rate)
    is_live = late is not None and ends_in_room(facts.sound.samples(max(first, stop - heard), stop), rate)
    return late if is_live else None


_KEEP_LAST = (
    "Keep the last second of what is recorded, also while no connection is open, and send it first: who opens a "
    "connection when somebody speaks is always late. Or leave the connection open and send silence in pauses."
)
_SOON_S, _BEGINNING_S = 2.0, 8.0


def _find_echoed(facts: Facts, layout: Layout, levels: Levels) -> list[Finding]:
    assert facts.audio is not None
    if not facts.rate_is_heard:
        return []
    samples, _ = signal_levels.decode_loudest(facts.audio.data[layout.offset :], layout, levels, _ECHO_LOOKED_AT)
    found = find_echo(samples, levels.rate)
    if found is None or found.strength < facts.limits["signal.echo_strength"]:
        return []
    summary = (
        f"The sound repeats itself {found.delay_s:.2f} s later, about {found.strength:.1f} times as strong: each "
        "phrase is heard twice."
    )
    return [CHECK.find("echoed", "warn", min(0.95, 0.6 + found.strength), summary)]


def _list_places(facts: Facts, layout: Layout, samples: Any, note: str) -> tuple[Evidence, ...]:
    rate = facts.declared.sample_rate or _USUAL_RATE
    frame = layout.frame_bytes
    places = []
    for sample in samples[:5]:
        offset = layout.offset + int(sample) * frame
        line, t = facts.find_frame(offset)
        places.append(Evidence(f"{note} at {int(sample) / rate:.3f} s of the audio", line, t, offset))
    return tuple(places)


def _judge_speech(facts: Facts, levels: Levels, measured: dict[str, Any]) -> Answer:
    rate = facts.sound.rate
    if rate is not None and rate.speech_like < _SPEECH_LIKE:
        steady = "" if signal_levels.is_modulated(levels) else ", only steady noise"
        return want_speech(
            f"There is sound ({_describe_level(levels)}), but it is not clearly speech{steady}.", measured
        )
    if levels.loud < facts.limits["signal.quiet_rms"]:
        return want_speech(f"There is only faint sound ({_describe_level(levels)}), too little to judge.", measured)
    return answer(f"There is sound at a good level ({_describe_level(levels)}), without damage.", [], measured)
