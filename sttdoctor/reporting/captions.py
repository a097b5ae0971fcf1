"""What is seen in each figure, in words: for those who do not see it, and below it for those who do."""

from sttdoctor.checks.base import count_noun
from sttdoctor.reporting.data.values import Candidate, Excerpt, Latency, Odds, Stream, Waveform


def format_clock(seconds: float) -> str:
    """Return seconds as a reader likes them: `12.3 s`, from two minutes on `5:07 min`, from an hour on `1:05:07 h`."""
    if seconds < 120:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d} min" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02d}:{rest:02d} h"


def format_percent(probability: float) -> str:
    """Return a probability in words; nothing measured here is ever certain."""
    if probability < 0.005:
        return "< 1 %"
    return "> 99 %" if probability > 0.995 else f"{100 * probability:.0f} %"


def describe_waveform(wave: Waveform) -> str:
    """Return what a waveform shows."""
    share = wave.speech_s / wave.duration_s if wave.duration_s else 0.0
    start, end = wave.excerpt
    return (
        f"{format_clock(wave.duration_s)} of audio, read as {wave.reading}; {format_clock(wave.speech_s)} "
        f"({100 * share:.0f} %) of it may be speech. The stretch from {format_clock(start)} to "
        f"{format_clock(end)} is what the players play."
    )


def describe_spectrograms(excerpt: Excerpt) -> str:
    """Return what the spectrograms show."""
    if excerpt.declared is not None and excerpt.detected is not None:
        return (
            f"The same bytes, read as declared ({excerpt.declared.reading}) and as detected "
            f"({excerpt.detected.reading}). Speech shows as stacked, slowly moving bands that stop now and then; "
            "noise fills the picture evenly. With a wrong rate the bands are too low and too long, or too high and too "
            "short."
        )
    version = excerpt.declared or excerpt.detected
    reading = version.reading if version is not None else ""
    return f"Read as {reading}. Speech shows as stacked, slowly moving bands that stop now and then."


def _pick_best(candidates: tuple[Candidate, ...], what: str, alike: bool = False) -> str:
    if not candidates:
        return f"The evidence does not tell the {what}."
    best = max(candidates, key=lambda candidate: candidate.probability)
    told = f"The most probable {what} is {best.name} ({format_percent(best.probability)})"
    declared = next((candidate for candidate in candidates if candidate.declared), None)
    if declared is None or declared is best:
        return told + (", as declared." if declared else ".")
    other = f"{declared.name} ({format_percent(declared.probability)})"
    return f"{told}; {other}, as declared, sounds alike." if alike else f"{told}; declared is {other}."


def describe_odds(odds: Odds) -> str:
    """Return what the probabilities say."""
    return f"{_pick_best(odds.encodings, 'encoding')} {_pick_best(odds.rates, 'sample rate', odds.alike)}"


def describe_stream(stream: Stream) -> str:
    """Return what the stream shows."""
    said = []
    for part in stream.sending[:3]:
        length = part.end_t_s - part.start_t_s
        said.append(
            f"{count_noun(part.frames, 'frame')} with {format_clock(float(part.sent_s[-1]))} of audio as declared "
            f"were sent in {format_clock(length)}."
        )
        said += [
            f"From {format_clock(start)} to {format_clock(end)} more was sent than the clock had time for; "
            f"{waiting:.1f} s waited."
            for (start, end), waiting in list(zip(part.bursts, part.burst_s, strict=True))[:3]
        ]
        said += [f"No audio came from {format_clock(start)} to {format_clock(end)}." for start, end in part.gaps[:3]]
    open_turns = sum(turn.end_t_s is None for turn in stream.turns)
    of_them = "" if open_turns == len(stream.turns) == 1 else f"{open_turns} of them "
    left = f", {of_them}left open" if open_turns else ""
    said.append(f"The service reported {count_noun(len(stream.turns), 'turn')}{left}.")
    return " ".join(said)


def describe_latency(latency: Latency) -> str:
    """Return what the latencies are."""
    total = latency.waiting_s + latency.silent_s + latency.service_s
    late = int((total > latency.warn_s).sum())
    return (
        f"{count_noun(latency.turns, 'turn')} measured; the longest took {total.max():.2f} s. "
        f"{late or 'None'} of those shown took longer than {latency.warn_s:g} s."
    )
