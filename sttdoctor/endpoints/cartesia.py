"""What the service documents about its realtime endpoints, and the words of other vendors that clients bring along.

Sources: https://docs.cartesia.ai/api-reference/stt/turns/websocket, https://docs.cartesia.ai/api-reference/stt/websocket,
the types of the vendor's SDKs (cartesia-python 4.2.0), and the migration guides under
https://docs.cartesia.ai/use-the-api/stt/migrations. What is not documented is not here.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

AUTO, MANUAL = "auto", "manual"

PATHS = {AUTO: "/stt/turns/websocket", MANUAL: "/stt/websocket"}

EVENTS = {
    AUTO: frozenset({"connected", "turn.start", "turn.update", "turn.eager_end", "turn.resume", "turn.end"}),
    MANUAL: frozenset({"transcript", "flush_done", "done"}),
}

COMMANDS = {
    AUTO: frozenset({"close", "config", "done"}),  # JSON messages, told by their type
    MANUAL: frozenset({"close", "finalize", "done"}),  # bare words
}
"""`done` is the older name of `close`; the turns endpoint takes it too, although only its errors say so."""

CLOSE_WORDS = frozenset({"close", "done"})
"""The commands that end a session, on either endpoint."""


@dataclass(frozen=True, slots=True)
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
PARAMETERS = {
    AUTO: frozenset({*_COMMON, *TURN_OPTIONS, "language"}),
    MANUAL: frozenset({*_COMMON, "language", "min_volume", "max_silence_duration_secs"}),
}
"""Query keys that are known; `language` belongs to the manual endpoint and is the matter of the language check."""

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


Meaning = Literal["close", "flush", "keep-alive", "audio", "settings", "other"]

INSTEAD: Mapping[Meaning, str] = {
    "close": 'send {"type":"close"} and read on until the server closes',
    "flush": "turns end by themselves on this endpoint; to flush at will use /stt/websocket with finalize",
    "keep-alive": "there is no keep-alive; send silence as audio",
    "audio": "send the samples themselves in binary frames, without base64 and JSON",
    "settings": 'send {"type":"config","turn":{...}} for turn settings; the rest is fixed by the URL',
    "other": "leave it out",
}
"""What to do on the turns endpoint for what a word of another service means."""

_FIXED = "the format is fixed by the URL; open a new connection to change it"


@dataclass(frozen=True, slots=True)
class Foreign:
    """A word of another service.

    Attributes:
        vendor: Whose it is.
        means: What it does there.
        special: What to do instead, where that is not what its meaning says.
    """

    vendor: str
    means: Meaning
    special: str = ""

    @property
    def instead(self) -> str:
        """What to do on the turns endpoint instead."""
        return self.special or INSTEAD[self.means]


FOREIGN_COMMANDS = {
    "finalize": Foreign("the manual endpoint", "flush"),
    "CloseStream": Foreign("Deepgram", "close"),
    "KeepAlive": Foreign("Deepgram", "keep-alive"),
    "Finalize": Foreign("Deepgram", "flush"),
    "Configure": Foreign("Deepgram", "settings"),
    "session.update": Foreign("OpenAI", "settings", _FIXED),
    "transcription_session.update": Foreign("OpenAI", "settings", _FIXED),
    "input_audio_buffer.append": Foreign("OpenAI", "audio"),
    "input_audio_buffer.commit": Foreign("OpenAI", "flush"),
    "input_audio_buffer.clear": Foreign("OpenAI", "other", "audio that was sent cannot be taken back"),
    "response.create": Foreign("OpenAI", "other", "the service transcribes only"),
    "input_audio_chunk": Foreign("ElevenLabs", "audio"),
    "commit": Foreign("ElevenLabs", "flush"),
    "Terminate": Foreign("AssemblyAI", "close"),
    "terminate_session": Foreign("AssemblyAI", "close"),
    "ForceEndpoint": Foreign("AssemblyAI", "flush"),
    "UpdateConfiguration": Foreign("AssemblyAI", "settings"),
    "StartRecognition": Foreign("Speechmatics", "settings", _FIXED),
    "SetRecognitionConfig": Foreign("Speechmatics", "settings"),
    "EndOfStream": Foreign("Speechmatics", "close"),
    "ForceEndOfUtterance": Foreign("Speechmatics", "flush"),
    "AddAudio": Foreign("Speechmatics", "audio"),
    "stop_recording": Foreign("Gladia", "close"),
    "audio_chunk": Foreign("Gladia", "audio"),
    "EOS": Foreign("Rev AI", "close"),
    "eof": Foreign("Vosk", "close"),
    "media": Foreign(
        "Twilio", "audio", "decode the payload of each media message from base64 and send it as a binary frame"
    ),
    "start": Foreign("Twilio", "settings", "the first audio may be sent as soon as the socket is open"),
    "stop": Foreign("Twilio", "close"),
    "ping": Foreign("a WebSocket wrapper", "keep-alive"),
    "keepalive": Foreign("a WebSocket wrapper", "keep-alive"),
    "keep_alive": Foreign("a WebSocket wrapper", "keep-alive"),
}

_MEANINGS: tuple[tuple[Meaning, re.Pattern[str]], ...] = (
    ("keep-alive", re.compile(r"keep.?alive|heart.?beat|\bping\b|\bpong\b|no.?op\b")),
    ("flush", re.compile(r"flush|finali[sz]e|commit|end.?(of.?)?(utterance|speech|turn|segment)|force.?end")),
    (
        "close",
        re.compile(r"close|stop|\beo[sf]\b|\bend\b|end.?(of.?)?(stream|audio|session|file)|terminat|finish|done"),
    ),
    ("settings", re.compile(r"config|settings?\b|update|\bstart\b|setup|\binit")),
)


@lru_cache(maxsize=1024)
def meaning_of(word: str) -> Meaning:
    """Return what a word that a client sent is probably meant to do; `other` where it does not tell."""
    known = FOREIGN_COMMANDS.get(word)
    if known is not None:
        return known.means
    lower = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", word[:100]).lower().replace("_", " ")
    return next((meaning for meaning, pattern in _MEANINGS if pattern.search(lower)), "other")


FOREIGN_PARAMETERS = {
    **dict.fromkeys(("eot_threshold", "eager_eot_threshold"), "Deepgram Flux"),
    "eot_timeout_ms": "Deepgram Flux",
    **dict.fromkeys(
        ("channels", "multichannel", "punctuate", "smart_format", "interim_results", "endpointing", "utterance_end_ms"),
        "Deepgram",
    ),
    **dict.fromkeys(("diarize", "vad_events", "no_delay", "numerals", "profanity_filter", "filler_words"), "Deepgram"),
    **dict.fromkeys(("keywords", "replace", "search", "tag", "tier", "version", "mip_opt_out"), "Deepgram"),
    **dict.fromkeys(("audio_format", "model_id", "language_code", "commit_strategy", "vad_threshold"), "ElevenLabs"),
    **dict.fromkeys(("include_timestamps", "vad_silence_threshold_secs"), "ElevenLabs"),
    **dict.fromkeys(("intent", "input_audio_format", "turn_detection"), "OpenAI"),
    **dict.fromkeys(("format_turns", "speech_model", "token", "end_of_turn_confidence_threshold"), "AssemblyAI"),
    **dict.fromkeys(("min_turn_silence", "min_end_of_turn_silence_when_confident", "max_turn_silence"), "AssemblyAI"),
    **dict.fromkeys(("word_boost", "keyterms_prompt"), "AssemblyAI"),
}
"""Query keys of other vendors; they have no effect here."""

COMMON_WORDS = frozenset({"token", "version", "tag", "tier", "search", "replace", "intent"})
"""Query keys of other vendors that anybody's own relay may use as well."""

INSTEAD_OF_PARAMETERS = {
    "eot_threshold": "turn_end_threshold, which runs the other way round (lower is more certain)",
    "eager_eot_threshold": "turn_eager_end_threshold, which runs the other way round (lower is more certain)",
    "eot_timeout_ms": "turn_end_timeout_ms",
    "audio_format": "encoding and sample_rate",
    "input_audio_format": "encoding and sample_rate",
    "model_id": "model",
    "speech_model": "model",
    "language_code": "nothing: the endpoint is English only",
    "keywords": "keyterm",
    "word_boost": "keyterm",
    "keyterms_prompt": "keyterm",
    "keyterms": "keyterm",
    "rate": "sample_rate",
    "sampleRate": "sample_rate",
    "samplerate": "sample_rate",
    "codec": "encoding",
    "format": "encoding",
    "channels": "nothing: one connection is one mono stream",
    "multichannel": "nothing: one connection is one mono stream",
}

FOREIGN_PATHS = {
    "/v1/listen": "Deepgram",
    "/v2/listen": "Deepgram",
    "/v1/realtime": "OpenAI",
    "/v1/speech-to-text/realtime": "ElevenLabs",
    "/v3/ws": "AssemblyAI",
    "/v2/realtime/ws": "AssemblyAI",
    "/tts/websocket": "the vendor's text-to-speech",
}

UNSUPPORTED_CODECS = ("opus", "ogg-opus", "flac", "amr-nb", "amr-wb", "speex", "g729", "mp3", "aac", "webm", "wav")
"""Encodings that the migration guides name as not supported, and containers, which only the batch endpoint takes."""
