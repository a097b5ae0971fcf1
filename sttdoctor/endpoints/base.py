"""What a realtime endpoint is, whoever offers it; each service has a module with its endpoints as values."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Meaning = Literal["close", "flush", "keep-alive", "audio", "settings", "other"]
"""What a word that a client sends is meant to do."""

Piece = tuple[str, str]
"""(kind, text) of one event with a transcript; kind is `update`, `eager_end` or `end`."""


@dataclass(frozen=True, slots=True, eq=False)
class Endpoint:
    """One WebSocket endpoint that turns audio into text.

    Attributes:
        name: As reports and tables write it.
        path: Of its URL, without a slash at the end.
        models: Names of the models that it takes.
        parameters: Query keys that it knows.
        takes_language: Whether the client chooses the language.
        events: Types of what it sends, errors aside.
        turn_events: Of them, those that belong to a turn.
        turn_start: The event that begins a turn, None where any does.
        piece_of: The piece of text that an event carries, None where it carries none.
        ends_turns: Whether it decides itself when a turn ends; otherwise the client says so.
        commands: Words that it takes.
        command_form: How they are written: as the `type` of a JSON object, or bare.
        close_command: The text frame that ends a session.
        instead: What to do here for what a word of another service means.
        advice: How commands are written here, for a client that writes them otherwise.
        joining: How its texts are joined, where that is not what the causes of `joining` say.
    """

    name: str
    path: str
    models: re.Pattern[str]
    parameters: frozenset[str]
    takes_language: bool
    events: frozenset[str]
    turn_events: frozenset[str]
    turn_start: str | None
    piece_of: Callable[[Mapping[str, Any]], Piece | None]
    ends_turns: bool
    commands: frozenset[str]
    command_form: Literal["json", "word"]
    close_command: str
    instead: Mapping[Meaning, str]
    advice: str
    joining: str | None = None
