"""What Cartesia documents about its realtime endpoints.

Sources: https://docs.cartesia.ai/api-reference/stt/turns/websocket, https://docs.cartesia.ai/api-reference/stt/websocket,
the types of the vendor's SDKs (cartesia-python 4.2.0), and the migration guides under
https://docs.cartesia.ai/use-the-api/stt/migrations. What is not documented is not here.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sttdoctor.endpoints.base import Endpoint, Piece
from sttdoctor.values import immutable

CLOSE_WORDS = frozenset({"close", "done"})
"""The commands that end a session, on either endpoint."""


@immutable
class Range:
    """Inclusive limits of a numeric parameter, and its default."""

    low: float
    high: float
    default: float


TURN_OPTIONS = {
    "turn_start_threshold": Range(0.5, 0.9, 0.8),
    "turn_eager_end_threshold": Range(0.3, 0.6, 0.4),
    "turn_end_threshold": Range(0.05, 0.5, 0.2),
    "turn_end_timeout_ms": Range(640, 11200, 5600),
}

REQUIRED = ("model", "encoding", "sample_rate")
_COMMON = {*REQUIRED, "cartesia_version", "cartesia_client", "access_token", "api_key", "keyterm"}
_FALLING = ("start", "eager_end", "end")

MAX_KEYTERMS, MAX_KEYTERM_CHARACTERS = 100, 1200


def turn_option_problems(said: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the turn options and what is right, each a sentence without its full stop.

    Args:
        said: Text of each option that was given, by its name in `TURN_OPTIONS`; the others have their default.
    """
    values = {name: limits.default for name, limits in TURN_OPTIONS.items()}
    for name, text in said.items():
        limits, number = TURN_OPTIONS[name], _number(text)
        if not limits.low <= number <= limits.high:
            yield (
                f"{name}={text[:40]} is outside {limits.low:g} to {limits.high:g}",
                f"Keep {name} within {limits.low:g} to {limits.high:g} (default {limits.default:g})",
            )
        values[name] = number
    start, eager, end = (values[f"turn_{name}_threshold"] for name in _FALLING)
    if not (start > eager > end) and not any(map(math.isnan, (start, eager, end))):
        defaults = ", ".join(f"{TURN_OPTIONS[f'turn_{name}_threshold'].default:g}" for name in _FALLING)
        yield (
            "the turn thresholds must fall from start over eager end to end; they are "
            f"start {start:g}, eager end {eager:g}, end {end:g}",
            "Keep turn_start_threshold above turn_eager_end_threshold and that above turn_end_threshold "
            f"(defaults {defaults})",
        )


def keyterm_problem(terms: Sequence[str]) -> str | None:
    """Return what is wrong with the keyterms, None where nothing is."""
    if len(terms) > MAX_KEYTERMS:
        return f"{len(terms)} keyterms are more than the {MAX_KEYTERMS} that are allowed"
    if sum(map(len, terms)) > MAX_KEYTERM_CHARACTERS:
        return f"the keyterms have {sum(map(len, terms))} characters, more than {MAX_KEYTERM_CHARACTERS}"
    return None


def is_rate(text: str) -> bool:
    """Whether the text is a sample rate: a positive whole number (the service documents no limits)."""
    return text.isascii() and text.isdigit() and int(text[:12]) > 0


def rate_of(text: str) -> int | None:
    """Return the sample rate (Hz) that a text says, also as `44100.0`; None where it says none."""
    whole = text[:12].removesuffix(".0")
    return int(whole) if is_rate(whole) and len(whole) < 8 else None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


_KINDS = {"turn.update": "update", "turn.eager_end": "eager_end", "turn.end": "end"}


def _piece_of_turn(event: Mapping[str, Any]) -> Piece | None:
    kind = _KINDS.get(event["type"])
    return None if kind is None else (kind, _text(event.get("transcript")))


def _piece_of_transcript(event: Mapping[str, Any]) -> Piece | None:
    """Final pieces end a turn, others are updates of the next one."""
    if event["type"] != "transcript":
        return None
    return "end" if event.get("is_final") is True else "update", _text(event.get("text"))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


_TURN_EVENTS = frozenset({"turn.start", "turn.update", "turn.eager_end", "turn.resume", "turn.end"})

AUTO = Endpoint(
    name="auto",
    path="/stt/turns/websocket",
    models=re.compile(r"ink-2(-.+)?|ink-preview"),
    parameters=frozenset({*_COMMON, *TURN_OPTIONS, "language"}),
    takes_language=False,
    events=_TURN_EVENTS | {"connected"},
    turn_events=_TURN_EVENTS,
    turn_start="turn.start",
    piece_of=_piece_of_turn,
    ends_turns=True,
    commands=frozenset({"close", "config", "done"}),
    command_form="json",
    close_command='{"type":"close"}',
    instead={
        "close": 'send {"type":"close"} and read on until the server closes',
        "flush": "turns end by themselves on this endpoint; to flush at will use /stt/websocket with finalize",
        "keep-alive": "there is no keep-alive; send silence as audio",
        "audio": "send the samples themselves in binary frames, without base64 and JSON",
        "settings": 'send {"type":"config","turn":{...}} for turn settings; the rest is fixed by the URL',
        "other": "leave it out",
    },
    advice='Leave out finalize and other bare words: turns end by themselves here. Send {"type":"close"} once, as '
    "JSON, when all audio has been sent.",
)
"""`done` is the older name of `close`; the endpoint takes it too, although only its errors say so. `language` is known
here because it is the matter of a check of its own."""

MANUAL = Endpoint(
    name="manual",
    path="/stt/websocket",
    models=re.compile(r"ink-2(-.+)?|ink-preview|ink-whisper(-.+)?"),
    parameters=frozenset({*_COMMON, "language", "min_volume", "max_silence_duration_secs"}),
    takes_language=True,
    events=frozenset({"transcript", "flush_done", "done"}),
    turn_events=frozenset(),
    turn_start=None,
    piece_of=_piece_of_transcript,
    ends_turns=False,
    commands=frozenset({"close", "finalize", "done"}),
    command_form="word",
    close_command="close",
    instead={
        **AUTO.instead,
        "close": "send the bare word close and read on until the server closes",
        "flush": "send the bare word finalize when the user is done",
        "settings": "leave it out, as the settings are fixed by the URL",
    },
    advice="Send bare words here, no JSON: finalize when the user is done, close at the end.",
    joining="On this endpoint append the text of each transcript with is_final true, as it is and without a separator "
    "(a final may end inside a word); what is not final replaces what you show until the next final.",
)

ENDPOINTS = (AUTO, MANUAL)
