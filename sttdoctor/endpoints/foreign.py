"""Words of other services that clients bring along: commands, parameters, paths, codecs.

Sources: the vendors' documentation, the migration guides under https://docs.cartesia.ai/use-the-api/stt/migrations.
"""

import re
from functools import lru_cache

from sttdoctor.endpoints.base import Meaning
from sttdoctor.values import immutable

_FIXED = "put the format into the URL, and open a new connection to change it"


@immutable
class Foreign:
    """A word of another service.

    Attributes:
        vendor: Whose it is.
        means: What it does there.
        special: What to do on Cartesia's turns endpoint instead, where that is not what its meaning says.
    """

    vendor: str
    means: Meaning
    special: str = ""


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
