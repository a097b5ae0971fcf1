"""What several checks say of a sender that is slow: its timer is held back, or samples are lost between its frames."""

import math
from collections.abc import Mapping
from dataclasses import replace

from sttdoctor.analysis.session.pacing import Pauses, Rhythm
from sttdoctor.checks.base import Finding

_BROKEN = 0.06  # of the borders, beyond what cuts within frames show
_LOST, _WHOLE = 2.0, 1.5  # steps at the borders of frames, as multiples of those inside
_OWN_THREAD = (
    "Samples are dropped before they are sent: read the device in a separate thread or callback with a queue behind "
    "it, and watch its overrun flag"
)
_WORKLET = (
    "record in an AudioWorklet: a ScriptProcessorNode shares the page's main thread and drops what comes while that "
    "is busy"
)
_HALF_SENT = (
    "Each frame holds half of the time until the next one: give the length of a buffer in bytes, not in samples "
    "(n * sizeof(int16_t), n * 2), so that not only its first half is sent."
)
_CAPTURE: Mapping[bool | None, str] = {
    True: f"{_WORKLET[0].upper()}{_WORKLET[1:]}.",
    False: f"{_OWN_THREAD}.",
    None: f"{_OWN_THREAD}. In a browser {_WORKLET}.",
}
_OVERFLOW = (
    "While one message waits to be sent (a weak radio, a blocking send), what is recorded meanwhile overflows its "
    "buffer and is thrown away. Send from a task of its own, give the queue before it room for two seconds, and send "
    "what waited in that order when the way is free."
)


def tell_rhythm(rhythm: Rhythm) -> str:
    """Say how a client sends that does so by a timer which is held back."""
    what = "one frame goes out" if rhythm.frames == 1 else f"{rhythm.frames} frames go out at once"
    return f"From {rhythm.since_s:.1f} s on {what} every {rhythm.period_s:.2f} s, {rhythm.count} times."


def fix_rhythm(rhythm: Rhythm, is_browser: bool | None) -> str:
    """Say what to change in such a client; browsers hold back timers of hidden pages to one a second or one a minute.

    Source: https://developer.chrome.com/blog/timer-throttling-in-chrome-88 and HTML's note on timers in the background.
    """
    hidden = any(abs(rhythm.period_s - held_s) <= 0.1 * held_s for held_s in (1.0, 60.0))
    worker = (
        "Send from an AudioWorklet or a worker, never from setTimeout, setInterval or requestAnimationFrame of the page"
    )
    if is_browser and hidden:
        return f"Browsers hold back the timers of a hidden or background tab like this. {worker}."
    elsewhere = "Look for the timer, batch or sleep with this period, and send each chunk as soon as it was recorded."
    if is_browser is None and hidden:
        return f"{elsewhere} In a browser it is the throttled timer of a hidden tab: {worker[0].lower()}{worker[1:]}."
    return elsewhere


def explain_left_out(finding: Finding, places: int) -> Finding:
    """Say of audio that is slow because quiet chunks are not sent what to send instead."""
    summary = (
        f"{finding.summary} Chunks come on time, but {places} times some are left out where it is quiet: something "
        "(a gate, a noise threshold, voice detection) drops them."
    )
    return replace(finding, summary=summary, fix=_SEND_ALL)


_SEND_ALL = (
    "Send every chunk, the quiet ones too: the service measures pauses by the audio that it gets, and ends turns late "
    "or not at all where they are dropped. Where a gate must stay, send silence (zero samples) in place of what it "
    "drops."
)


def explain_pauses(finding: Finding, borders: tuple[float, float] | None, pauses: Pauses) -> Finding:
    """Say of audio that is slow by its pauses alone whether what was spoken in them is lost."""
    jump, broken = borders or (math.nan, math.nan)
    stops = f"It stops {len(pauses.after)} times for about {pauses.usual_s:.2f} s, and is at realtime in between."
    if jump >= _LOST or broken >= _BROKEN:
        lost = "The sound does not go on across these pauses: what was spoken in them is lost."
        return replace(finding, summary=f"{finding.summary} {stops} {lost}", fix=_OVERFLOW)
    return replace(finding, summary=f"{finding.summary} {stops}")


def explain_borders(
    finding: Finding, borders: tuple[float, float] | None, is_browser: bool | None, half: bool = False
) -> Finding:
    """Say of audio that is slow whether samples are lost or only late, by the steps at the borders of its frames.

    `half`: each frame has half the length of the time until the next one.
    """
    jump, broken = borders or (math.nan, math.nan)
    if jump >= _LOST or broken >= _BROKEN:
        lost = "The frames do not join up: what was spoken between them is lost, not late."
        fix = _CAPTURE[is_browser]
        if half:
            fix = f"{_HALF_SENT} If the length is right: {fix[0].lower()}{fix[1:]}"
        return replace(finding, summary=f"{finding.summary} {lost}", fix=fix)
    if jump <= _WHOLE and broken <= _BROKEN / 3:
        late = "The frames join up, so what was sent is late rather than lost: it only comes later and later."
        return replace(finding, summary=f"{finding.summary} {late}")
    return finding
