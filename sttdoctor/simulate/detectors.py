"""What the two endpoints hear, and the text of it. No I/O. Time is audio time: when no audio comes nothing happens.

`/stt/turns/websocket` hears turns, found by the likelihood of speech; the events and their order are those that
https://docs.cartesia.ai/use-the-api/stt/turns describes.

`/stt/websocket` hears finals when the client asks for them, or after a longer silence. The text of an event is what
came since the last final: https://docs.cartesia.ai/use-the-api/stt/troubleshooting/manual
That finals may split inside a word is documented; when the service makes one without being asked is not, so these are
guesses: after 1.5 s of silence, and every 3 s of speech.
"""

import json
import math
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from sttdoctor.analysis.decoding import Samples
from sttdoctor.endpoints.cartesia import CLOSE_WORDS, TURN_OPTIONS, turn_option_problems
from sttdoctor.simulate.faults import Borders
from sttdoctor.simulate.handshake import error_event
from sttdoctor.simulate.words import FRAME_S, Words, begin_with

LOUD = 0.012  # RMS of a frame, without its offset, that counts as sound; a quiet room has less than a tenth of it
RISE = 0.58  # what a loud frame leaves of the distance to 1: three in a row cross the default start threshold of 0.8
FALL = math.exp(-FRAME_S / 0.43)


class Activity:
    """The likelihood that somebody speaks, 20 ms at a time: loudness, smoothed.

    The service compares such a likelihood with the thresholds of its turn options; how it computes it is not published.
    This one rises within a few frames of sound and falls with a time constant that, at the default thresholds, gives
    `turn.eager_end` after 0.4 s and `turn.end` after 0.7 s of silence (documented is "about half a second").

    Args:
        rate: Declared sample rate in Hz.
    """

    def __init__(self, rate: int) -> None:
        self._frame = max(1, round(rate * FRAME_S))
        self._rest: Samples = np.zeros(0)
        self._likelihood = 0.0

    def frames(self, samples: Samples) -> Iterator[tuple[Samples, bool, float]]:
        """Yield (samples, loud, likelihood) of each frame that these samples complete.

        Args:
            samples: Shape (n,). Values beyond +-1 and NaN do occur in bytes that are not what they are said to be.
        """
        known = np.clip(np.nan_to_num(np.concatenate([self._rest, samples])), -1, 1)
        whole = len(known) // self._frame * self._frame
        self._rest = known[whole:]
        frames = known[:whole].reshape(-1, self._frame)
        for frame, loud in zip(frames, frames.std(axis=1) > LOUD, strict=True):
            self._likelihood = 1 - (1 - self._likelihood) * RISE if loud else self._likelihood * FALL
            yield frame, bool(loud), self._likelihood


Event = dict[str, Any]

UPDATE_EVERY_S = 0.4
BEFORE_FRAMES = 15
"""Sound before the detected start that still belongs to the utterance: a first consonant is not loud."""


class TurnDetector:
    """Turn events for one connection.

    Args:
        words: Where the text comes from.
        rate: Declared sample rate in Hz.
        options: The turn options, by their names in `TURN_OPTIONS`.
        request_id: Goes into every event.
        borders: Where the space between two turns stands.
    """

    def __init__(
        self, words: Words, rate: int, options: Mapping[str, float], request_id: str, borders: Borders = "leading"
    ) -> None:
        self._words = words
        self._activity = Activity(rate)
        self._options = dict(options)
        self._request_id = request_id
        self._borders = borders
        self._before: deque[Samples] = deque(maxlen=BEFORE_FRAMES)
        self._open = self._eager = False
        self._number = 0
        self._lead = ""  # what stands before the words of the turn
        self._shown = ""
        self._silence_s = self._update_s = 0.0

    def greeting(self) -> list[Event]:
        """The events that the handshake brings."""
        return [self._event("connected")]

    def hear(self, samples: Samples) -> Iterator[Event]:
        """The events that these samples, shape (n,), decoded as declared, bring."""
        for frame, loud, likelihood in self._activity.frames(samples):
            if self._open:
                yield from self._in_turn(frame, loud, likelihood)
            else:
                self._before.append(frame)
                if likelihood > self._options["turn_start_threshold"]:
                    yield self._begin()

    def obey(self, message: str) -> tuple[list[Event], bool]:
        """The events that a text frame brings, and whether it ends the session."""
        try:
            command = json.loads(message)
        except (ValueError, RecursionError):
            command = None
        kind = str(command.get("type", "")) if isinstance(command, dict) else ""
        if kind == "config":
            return self._configure(command.get("turn")), False
        if kind in CLOSE_WORDS:
            return self._finish(), True
        said = f"Unrecognized message type {json.dumps(kind[:40])}" if kind else "The message has no type"
        told = f'{said}. Expected one of: "done", "close", "config".'
        return [error_event(400, "Invalid client message", told, None, self._request_id)], False

    def _configure(self, turn: object) -> list[Event]:
        said = {f"turn_{key}": str(value) for key, value in turn.items()} if isinstance(turn, dict) else {}
        known = {name: text for name, text in said.items() if name in TURN_OPTIONS}
        now = {name: str(value) for name, value in self._options.items()}
        problems = [problem for problem, _ in turn_option_problems(now | known)]
        if problems:
            return [error_event(400, "Invalid config", problems[0], None, self._request_id)]
        self._options |= {name: float(text) for name, text in known.items()}
        return []

    def _begin(self) -> Event:
        self._open, self._eager, self._shown = True, False, ""
        self._silence_s, self._update_s = 0.0, 0.0
        self._number += 1
        begin_with(self._words, self._before)
        return self._event("turn.start")

    def _in_turn(self, frame: Samples, loud: bool, likelihood: float) -> Iterator[Event]:
        options = self._options
        self._words.hear(frame, likelihood > options["turn_eager_end_threshold"])
        self._silence_s = 0.0 if loud else self._silence_s + FRAME_S
        self._update_s += FRAME_S
        if self._eager and likelihood > options["turn_start_threshold"]:
            self._eager = False
            yield self._event("turn.resume")
        timed_out = self._silence_s * 1000 >= options["turn_end_timeout_ms"]
        if likelihood < options["turn_end_threshold"] or timed_out:
            yield from self._end()
        elif likelihood < options["turn_eager_end_threshold"] and not self._eager:
            yield from self._show(self._words.guess())
            self._eager = True
            yield self._event("turn.eager_end", self._shown)
        elif self._update_s >= UPDATE_EVERY_S and loud and not self._eager:
            self._update_s = 0.0
            yield from self._show(self._words.so_far())

    def _show(self, text: str, to_the_end: bool = False) -> Iterator[Event]:
        """Show the open turn, with what stands before it from the second text on, where there is more of it now."""
        whole = self._lead + text if text else ""
        if self._borders == "inside-word" and not to_the_end:
            whole = whole[: len(whole) - len(whole.rpartition(" ")[2]) // 2]
        if len(whole) > len(self._shown) and whole.startswith(self._shown):
            self._shown = whole
            if not self._eager:
                yield self._event("turn.update", whole)

    def _end(self, is_last: bool = False) -> Iterator[Event]:
        self._open = False
        text = self._words.end()
        yield from self._show(text, to_the_end=is_last)
        shown, space = self._shown, " " if self._borders in ("leading", "inside-word") else ""
        if shown:
            self._lead = (self._lead + text).removeprefix(shown) + space
        yield self._event("turn.end", f"{shown} " if shown and self._borders == "trailing" else shown)

    def _finish(self) -> list[Event]:
        """The rest of the session: the open turn, or the rest of a word that the last turn left over."""
        if self._open:
            return list(self._end(is_last=True))
        rest, self._lead = self._lead.strip(), ""
        if not rest:
            return []
        self._number += 1
        return [self._event("turn.start"), self._event("turn.update", rest), self._event("turn.end", rest)]

    def _event(self, kind: str, transcript: str | None = None) -> Event:
        event: Event = {"type": kind, "request_id": self._request_id}
        if kind != "connected":
            event["turn_id"] = str(self._number)
        return event if transcript is None else {**event, "transcript": transcript}


SILENCE_S = 1.5
FINAL_EVERY_S = 3.0
HELD_BACK = 2
"""Characters that a final in mid-speech leaves for the next one."""


class ManualDetector:
    """Transcript events for one connection.

    Args:
        words: Where the text comes from.
        rate: Declared sample rate in Hz.
        _options: The turn options, which this endpoint does not have.
        request_id: Goes into every event.
        _borders: Likewise: here the space is documented to stand before a text.
    """

    def __init__(
        self, words: Words, rate: int, _options: Mapping[str, float], request_id: str, _borders: Borders = "leading"
    ) -> None:
        self._words = words
        self._activity = Activity(rate)
        self._request_id = request_id
        self._before: deque[Samples] = deque(maxlen=BEFORE_FRAMES)
        self._speaking = False
        self._space = ""
        self._final = self._shown = ""
        self._silence_s = self._update_s = self._since_final_s = 0.0

    def greeting(self) -> list[Event]:
        """The events that the handshake brings: none is documented."""
        return []

    def hear(self, samples: Samples) -> Iterator[Event]:
        """The events that these samples, shape (n,), decoded as declared, bring."""
        for frame, loud, likelihood in self._activity.frames(samples):
            if self._speaking:
                yield from self._in_speech(frame, loud, likelihood)
            else:
                self._before.append(frame)
                if likelihood > TURN_OPTIONS["turn_start_threshold"].default:
                    self._begin()

    def obey(self, message: str) -> tuple[list[Event], bool]:
        """The events that a text frame brings, and whether it ends the session; `done` is the older name of `close`."""
        if message == "finalize":
            return [*self._rest(), self._event("flush_done")], False
        if message in ("close", "done"):
            return [*self._rest(), self._event("done")], True
        return [], False

    def _begin(self) -> None:
        self._speaking, self._final, self._shown = True, "", ""
        self._silence_s = self._update_s = self._since_final_s = 0.0
        begin_with(self._words, self._before)

    def _in_speech(self, frame: Samples, loud: bool, likelihood: float) -> Iterator[Event]:
        self._words.hear(frame, likelihood > TURN_OPTIONS["turn_eager_end_threshold"].default)
        self._silence_s = 0.0 if loud else self._silence_s + FRAME_S
        self._update_s += FRAME_S
        self._since_final_s += FRAME_S
        if self._silence_s >= SILENCE_S:
            yield from self._rest()
        elif self._update_s >= UPDATE_EVERY_S and loud:
            self._update_s = 0.0
            text = self._space + self._words.so_far()
            if self._since_final_s >= FINAL_EVERY_S:
                yield from self._finals(text[:-HELD_BACK])
            elif len(text) > len(self._shown):
                self._shown = text
                yield self._transcript(text[len(self._final) :], False)

    def _finals(self, text: str) -> Iterator[Event]:
        if len(text) > len(self._final):
            self._since_final_s = 0.0
            yield self._transcript(text[len(self._final) :], True)
            self._final = text

    def _rest(self) -> Iterator[Event]:
        if self._speaking:
            self._speaking = False
            whole = self._words.end()
            if whole:
                yield from self._finals(self._space + whole)
                self._space = " "

    def _transcript(self, text: str, final: bool) -> Event:
        return {**self._event("transcript"), "is_final": final, "text": text}

    def _event(self, kind: str) -> Event:
        return {"type": kind, "request_id": self._request_id}
