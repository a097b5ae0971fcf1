"""Whose socket a line of a program speaks of: that of the service, another's, or one that it does not tell.

Programs talk to more than one partner: a phone carrier, a browser, a voice, a model, a store, a loudspeaker. What their
lines say is told by words, compared with those of the lines in which the service's own events stand.
"""

import re
from functools import lru_cache

_WORD = re.compile(r"[A-Z]{2,40}(?![a-z])|[A-Z]?[a-z]+")
_ID = re.compile(r"\b(?=[0-9a-fA-F-]{0,60}\d)[0-9a-fA-F]{6,64}(?:-[0-9a-fA-F]{2,40}){0,6}\b")
_DESTINATION = re.compile(r"(?<![A-Za-z])(?:in)?to(?: the| a)? (?=\S)([^\s,;()]{1,200})")
_FILE = re.compile(
    r"\.(?:wav|raw|pcm|ulaw|mp3|mp4|ogg|opus|flac|webm|aac|bin|dat|tmp|txt|jsonl?|csv)\b|\bs3\b"
    r"|(?<![a-z])(?!wss?:)[a-z]\w{1,20}://|(?:^|\s)[~.]{0,2}/\w",
    re.IGNORECASE,
)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_COMMON = _words(
    """
    a abnormal abnormally ai alaw alive all am an and any api app application are as asr asyncio at audio away
    be been binary body by byte bytes callback cartesia chunk chunks clean cleanly client close closed closes
    closing cmd code command commands config conn connect connected connecting connection console content
    control count cpp critical cs data date debug detail details dir direction disconnect disconnected
    disconnecting done drain draining dropped eager end ended ending endpoint err error errors event events
    exception fail failed fatal final finalize finish finished finishing first for frame frames from get go
    going got graceful gracefully handle handler handling handshake has have heartbeat host hostname id in
    inbound incoming index info ink internal is it its java js json keep keepalive kind kt last le len length
    level lib listen listener log logger logging loop lost main message messages mjs module ms msg msgs mulaw my
    name new next no normal normally not notice now number of ok on open opened or our out outbound outgoing own
    packet packets payload pcm peer php pid ping pm policy pong py raw rb reader reason receive received
    receiver receiving recognition recognizer recv remote request response resume rs run rx sample samples sec
    seconds send sender sending sends sent seq server service session settings shutdown silence size socket
    sockets speech src start status stderr stdout stop stopped stopping str stream streaming stt swift task text
    that the then this thread time timer timestamp to trace transcribe transcriber transcript transcription ts
    turn turns tx type unexpected unexpectedly up update upstream url utc verbose via violation warn warning was
    we web websocket websockets were with worker write writer writing written wrote ws wss
    """
)
"""Words that any program may use of the service's socket."""

_OTHERS = _words(
    """
    agent agora amqp anthropic assemblyai assistant asterisk avaya azure bandwidth bot browser bucket callee
    caller carrier claude customer daily dashboard database db deepgram dialog discord disk downstream eleven
    elevenlabs freeswitch frontend gcs gemini genesys gladia gpt groq grpc headset hume jambonz kafka livekit
    llm lmnt loudspeaker metrics minio mistral mixer modal mongo mongodb mqtt mysql nats ollama openai phone
    playback player playht playout plivo polly postgres pubsub rabbit rabbitmq recorder recording redis retell
    rime rtc rtcp rtp signalwire sip slack sns speaker speakers speechmatics sqlite sqs statsd subscriber synth
    synthesis synthesize synthesizer telegram telephony telnyx tts twilio udp ui ux vapi viewer voice vonage
    webhook webrtc zoom
    """
)
"""Words that name another partner."""


@lru_cache(maxsize=4096)
def words_of(text: str) -> frozenset[str]:
    """Return the words of a line, small and without the parts of identifiers."""
    bare = _ID.sub(" ", text) if any(sign.isdigit() for sign in text) else text
    return frozenset(word.lower() for word in _WORD.findall(bare) if len(word) > 1)


def is_anothers(words: frozenset[str], ours: frozenset[str]) -> bool:
    """Whether words name another partner than the service, in whose own lines the words `ours` stand."""
    return bool((words & _OTHERS) - ours)


def may_be_ours(words: frozenset[str], ours: frozenset[str]) -> bool:
    """Whether words have none that is strange in a line of the service's socket."""
    return words <= (_COMMON | ours)


def is_ours(words: frozenset[str], ours: frozenset[str]) -> bool:
    """Whether words have one that the service's own lines have and that not any line has."""
    return bool(words & (ours - _COMMON)) or bool(words & {"cartesia", "ink", "stt", "asr"})


def says_sent(text: str) -> bool:
    """Whether a line says in a word that something was sent."""
    return bool(words_of(text) & {"sent", "send", "sends", "sending"})


def goes_elsewhere(text: str, ours: frozenset[str]) -> bool:
    """Whether a line says that something was put into a file, a store, a device, or sent to another partner."""
    if _FILE.search(text) is not None:
        return True
    found = _DESTINATION.search(text)
    return found is not None and is_anothers(words_of(found[1]), ours)
