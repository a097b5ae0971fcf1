"""What `/stt/turns/websocket` hears: turns, found by the likelihood of speech, and their text. No I/O.

The events and their order are those that https://docs.cartesia.ai/use-the-api/stt/turns describes. Time is audio time:
when no audio comes nothing happens, as with the service.
"""

import json
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

from sttdoctor.analysis.decoding import Samples
from sttdoctor.endpoints.cartesia import TURN_OPTIONS, turn_option_problems
from sttdoctor.simulate.activity import FRAME_S, Activity
from sttdoctor.simulate.handshake import error_event
from sttdoctor.simulate.words import Words, begin_with

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
    """

    def __init__(self, words: Words, rate: int, options: Mapping[str, float], request_id: str) -> None:
        self._words = words
        self._activity = Activity(rate)
        self._options = dict(options)
        self._request_id = request_id
        self._before: deque[Samples] = deque(maxlen=BEFORE_FRAMES)
        self._open = self._eager = False
        self._space = ""
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
        """The events that a text frame brings, and whether it ends the session. What is not known has no effect."""
        try:
            command = json.loads(message)
        except (ValueError, RecursionError):
            return [], False
        kind = command.get("type") if isinstance(command, dict) else None
        if kind == "config":
            return self._configure(command.get("turn")), False
        if kind == "close":
            return ([self._end()] if self._open else []), True
        return [], False

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
            yield self._end()
        elif likelihood < options["turn_eager_end_threshold"] and not self._eager:
            self._eager = True
            self._show(self._words.guess())
            yield self._event("turn.eager_end", self._shown)
        elif self._update_s >= UPDATE_EVERY_S and loud and not self._eager:
            self._update_s = 0.0
            if self._show(self._words.so_far()):
                yield self._event("turn.update", self._shown)

    def _show(self, text: str) -> bool:
        """Show more of the open turn, with the space before it from the second text on; whether there is more."""
        spaced = self._space + text if text else ""
        longer = len(spaced) > len(self._shown) and spaced.startswith(self._shown)
        self._shown = spaced if longer else self._shown
        return longer

    def _end(self) -> Event:
        self._open = False
        self._show(self._words.end())
        self._space = " " if self._space or self._shown else ""
        return self._event("turn.end", self._shown)

    def _event(self, kind: str, transcript: str | None = None) -> Event:
        event: Event = {"type": kind, "request_id": self._request_id}
        return event if transcript is None else {**event, "transcript": transcript}
