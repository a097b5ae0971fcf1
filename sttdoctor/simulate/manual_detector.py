"""What `/stt/websocket` hears: finals when the client asks for them, or after a longer silence. No I/O.

The text of an event is what came since the last final: https://docs.cartesia.ai/use-the-api/stt/troubleshooting/manual
That finals may split inside a word is documented; when the service makes one without being asked is not, so these are
guesses: after 1.5 s of silence, and every 3 s of speech.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

from sttdoctor.analysis.decoding import Samples
from sttdoctor.endpoints.cartesia import TURN_OPTIONS
from sttdoctor.simulate.turn_detector import BEFORE_FRAMES, UPDATE_EVERY_S, Activity
from sttdoctor.simulate.words import FRAME_S, Words, begin_with

Event = dict[str, Any]

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
    """

    def __init__(self, words: Words, rate: int, _options: Mapping[str, float], request_id: str) -> None:
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
