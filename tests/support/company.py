"""What programs print beside the service's conversation: events once more, and what they say to others."""

import json
from collections.abc import Callable, Iterable, Iterator

from sttdoctor.evidence import Frame, Session

Line = tuple[float, str]
Company = Callable[[Session], Iterable[Line]]


def _heard(session: Session) -> list[tuple[float, dict]]:
    frames = [event for event in session.events if isinstance(event, Frame) and not event.sent]
    return [(frame.t or 0.0, frame.message) for frame in frames if isinstance(frame.message, dict)]


def _ends(session: Session) -> list[tuple[float, dict]]:
    return [(t, event) for t, event in _heard(session) if event["type"] == "turn.end"]


def _length_s(session: Session) -> float:
    return max(event.t or 0.0 for event in session.events)


def _each(line: Callable[[dict], str], late_s: float = 0.001) -> Company:
    """Each event once more, a little later."""
    return lambda session: [(t + late_s, line(event)) for t, event in _heard(session)]


def _once(line: str, part: float = 0.5) -> Company:
    """A line somewhere in the call."""
    return lambda session: [(_length_s(session) * part, line)]


def _every(line: str, step_s: float, past_s: float = 0.0) -> Company:
    """A line that comes again and again."""

    def lines(session: Session) -> Iterator[Line]:
        for number in range(int((_length_s(session) + past_s) / step_s)):
            yield number * step_s + 0.004, line.format(number)

    return lines


def _growing(session: Session) -> Iterator[Line]:
    said: list[dict] = []
    for t, event in _ends(session):
        said.append(event)
        yield t + 0.002, f"history {json.dumps(said)}"


def _class(event: dict) -> str:
    members = ", ".join(f"{key}={value!r}" for key, value in event.items() if key != "type")
    return f"parsed {''.join(part.title() for part in event['type'].replace('.', '_').split('_'))}({members})"


def _published(event: dict) -> str:
    said = {"event": event["type"], "call": "c1", "text": event.get("transcript")}
    return f"publish channel=calls {json.dumps(said)}"


def _own(session: Session) -> Iterator[Line]:
    for t, event in _ends(session):
        yield t + 0.001, "emit " + json.dumps({"type": "transcript", "text": event["transcript"], "is_final": True})


AGAIN: dict[str, Company] = {
    "parsed": _each(_class),
    "handled": _each(lambda event: f"handling {event['type']}"),
    "dispatched before it is printed": _each(lambda event: f"dispatch {event['type']}", -0.001),
    "to a browser": _each(lambda event: f"to browser: {json.dumps(event)}"),
    "to a queue, late": _each(lambda event: f"queue put {json.dumps(event)}", 1.7),
    "published": _each(_published),
    "as Python has it": _each(lambda event: f"event={event!r}"),
    "a list at the end": lambda session: [
        (_length_s(session) + 1, f"history {json.dumps([event for _, event in _ends(session)])}")
    ],
    "all of it at the end": lambda session: [
        (_length_s(session) + 1, f"session {[event for _, event in _heard(session)]!r}")
    ],
    "a line for each at the end": lambda session: [
        (_length_s(session) + 1, f"history: {json.dumps(event)}") for _, event in _ends(session)
    ],
    "a list that grows": _growing,
    "the program's own transcripts": _own,
}
"""Events that are shown more than once."""

OTHERS: dict[str, Company] = {
    "a model's settings": _once('openai send {"type":"session.update","session":{"voice":"alloy"}}'),
    "a model's socket": lambda session: [
        (0.1, "connecting to wss://realtime.example/v1?model=m"),
        (_length_s(session) / 2, 'send {"type":"response.create","response":{}}'),
        (_length_s(session) / 2 + 0.1, 'recv {"type":"response.done","response":{}}'),
    ],
    "a model's error": _once('recv {"type":"error","event_id":"e1","error":{"type":"x","message":"bad"}}'),
    "a voice that ends": _once('tts send {"type":"close"}'),
    "a voice that ends, unlabelled": _once('send {"type":"close"}', 0.4),
    "a voice that is kept alive": _every('tts -> {{"type":"KeepAlive"}}', 2.0),
    "a voice's error": _once(
        'tts recv {"type":"error","title":"Bad","message":"no voice","status_code":400,"context_id":"c1","done":true}'
    ),
    "a voice's error without its context": _once(
        'tts recv {"type":"error","title":"Bad","message":"no voice","status_code":400,"error_code":"voice_not_found"}'
    ),
    "the program's own error": _once('emit {"type":"error","message":"model too slow","level":"warn"}'),
    "a dialog": _once('ui event {"type":"close","dialog":"settings"}'),
    "a window": _once('{"type":"close","window":3}'),
    "a carrier": lambda session: [
        (0.05, 'twilio recv {"event":"connected","protocol":"Call","version":"1.0.0"}'),
        (0.06, 'twilio recv {"event":"start","streamSid":"MZ1","start":{"callSid":"CA1"}}'),
        (_length_s(session) - 0.1, 'twilio recv {"event":"stop","streamSid":"MZ1"}'),
    ],
    "a carrier, as JavaScript prints it": _once("{ event: 'connected', protocol: 'Call', version: '1.0.0' }", 0.01),
    "a carrier closes": _once("twilio media stream closed code=1001"),
    "a carrier's leg closes": _once("leg B closed code=1006", 0.3),
    "a browser leaves": _once("client socket closed with code 1006"),
    "a browser leaves at the end": _once("browser disconnected 1001", 0.99),
    "a voice closes": _once("tts websocket closed: code=1000 reason=done"),
    "a room closes": _once("livekit room disconnected code=1006"),
    "a store is lost": _once("abnormal closure of redis pubsub; reconnecting"),
    "a store is lost, in the words of a library": _once("redis: no close frame received or sent"),
}
"""Messages and ends of other sockets."""

SIZES: dict[str, Company] = {
    "a loudspeaker": _every("sent 640 bytes to speaker", 0.02, 3.0),
    "a voice": _every("received 4096 bytes from tts", 0.1),
    "a file": _every("wrote 6400 bytes to debug_stereo.wav", 0.1),
    "a file with its path": _every("wrote 640 bytes to /tmp/calls/a", 0.1),
    "a store": _every("wrote 48000 bytes to s3://bucket/call.wav", 0.5),
    "a cache": _every("redis: sent 512 bytes", 0.1),
    "a phone": _every("rtp sent 172 bytes to 10.0.0.3:5004", 0.02),
    "a carrier": _every("twilio: sent 160 bytes", 0.02),
    "a browser": _every("sent 1024 bytes to browser", 0.05),
    "what is resampled": _every("resampled 9600 bytes -> 3200 bytes", 0.1),
    "what is encoded": _every("encoded 960 bytes -> 120 bytes", 0.02),
    "a microphone": _every("mic -> 9600 bytes", 0.1),
    "a detector": _every("vad -> 512 bytes", 0.016),
    "a topic": _every("kafka producer sent 2048 bytes", 0.1),
    "records": _every('{{"event":"audio_out","dest":"player","bytes":640,"op":"write"}}', 0.02),
}
"""Sizes of what went elsewhere."""
