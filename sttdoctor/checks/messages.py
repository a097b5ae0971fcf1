"""Do you speak the protocol?

Needs what the client sent. Audio travels in binary frames of whole samples, commands in text frames that the endpoint
knows, and nothing after the close command. How the server reacts to anything else is not documented; that it is not a
part of the protocol is.
"""

import re
from collections.abc import Iterator
from typing import Any

from sttdoctor.analysis.send_timeline import Connection, is_close_command
from sttdoctor.case import Case
from sttdoctor.checks.base import Answer, Cause, Check, Evidence, Finding, Status, answer, counted, unknown, worst
from sttdoctor.evidence import Frame
from sttdoctor.protocol import AUTO, COMMANDS, FOREIGN_COMMANDS, MANUAL

_BASE64 = re.compile(r"[A-Za-z0-9+/_=\s-]{200,}")
_AUDIO_KEYS = ("audio", "audio_base_64", "audio_base64", "payload", "audio_data", "data", "chunk")


def _judge(case: Case) -> Answer:
    session = case.session
    if session is None or "send" in session.lacks:
        return unknown("The capture holds nothing that the client sent; record both directions.")
    findings = [*_audio_as_text(case), *_commands(case), *_partial(case), *_after_close(case)]
    measured = {"text_frames": sum(1 for frame in _sent_texts(case))}
    if findings:
        return answer(worst(findings).summary, findings, measured)
    return answer("Every message belongs to the protocol.", [], measured)


def _sent_texts(case: Case) -> Iterator[Frame]:
    for connection in case.connections:
        yield from (frame for frame in connection.frames if frame.sent and not frame.binary)


def _place(frame: Frame, note: str) -> Evidence:
    return Evidence(note, frame.line, frame.t)


def carries_audio(frame: Frame) -> bool:
    """Whether a sent text frame holds audio: base64 in JSON or bare, or bytes that were taken for text."""
    if isinstance(frame.message, dict):
        return _holds_base64(frame.message)
    text = frame.message if isinstance(frame.message, str) else frame.text
    return text is not None and len(text) >= 200 and (_BASE64.fullmatch(text) is not None or not _is_readable(text))


def _holds_base64(value: Any, depth: int = 0) -> bool:
    """Whether a JSON object has a long base64 string under a key that audio has (two levels deep, as Twilio's)."""
    if not isinstance(value, dict) or depth > 2:
        return False
    return any(
        (
            key in _AUDIO_KEYS
            and isinstance(item, str)
            and len(item) >= 40
            and _BASE64.fullmatch(item + "A" * 200) is not None
        )
        or _holds_base64(item, depth + 1)
        for key, item in value.items()
    )


def _is_readable(text: str) -> bool:
    return sum(char.isprintable() or char.isspace() for char in text) > 0.9 * len(text)


def _audio_as_text(case: Case) -> Iterator[Finding]:
    frames = [frame for frame in _sent_texts(case) if carries_audio(frame)]
    if not frames:
        return
    kinds = sorted({str(frame.type) for frame in frames if frame.type})
    vendors = sorted({FOREIGN_COMMANDS[kind].vendor for kind in kinds if kind in FOREIGN_COMMANDS})
    binary = any(connection.audio_frames for connection in case.connections)
    summary = f"{counted(len(frames), 'text frame')} {'carries' if len(frames) == 1 else 'carry'} audio"
    summary += (
        f" ({', '.join(kinds)[:80]}" + (f", {' and '.join(vendors)}'s format)" if vendors else ")") if kinds else ""
    )
    summary += "; binary frames carry the rest." if binary else "; no binary frame was sent."
    yield CHECK.finding("audio-as-text", "fail", 0.95, summary, (_place(frames[0], "the first of them"),))


def _commands(case: Case) -> Iterator[Finding]:
    """Text frames of no endpoint; what belongs to the other endpoint is the matter of the endpoint check."""
    unknown_frames = [frame for frame in _sent_texts(case) if not _is_known(frame) and not carries_audio(frame)]
    if not unknown_frames:
        return
    names = dict.fromkeys(_name(frame) for frame in unknown_frames)
    foreign = {name: FOREIGN_COMMANDS[name] for name in names if name in FOREIGN_COMMANDS}
    status: Status = "fail" if foreign else "warn"
    first = next(iter(foreign), next(iter(names)))
    verb = "is" if len(unknown_frames) == 1 else "are"
    listed = ", ".join(list(names)[:6])
    summary = f"{counted(len(unknown_frames), 'message')} {verb} not a part of the protocol: {listed}"
    fix = None
    if foreign:
        summary += f". {first} is {foreign[first].vendor}'s"
        fix = "Instead of " + "; instead of ".join(f"{name}: {word.instead}" for name, word in foreign.items()) + "."
    frame = next(frame for frame in unknown_frames if _name(frame) == first)
    yield CHECK.finding(
        "unknown-command", status, 0.95 if foreign else 0.7, summary + ".", (_place(frame, f"the first {first}"),), fix
    )


def _is_known(frame: Frame) -> bool:
    if isinstance(frame.message, dict):
        return frame.type in COMMANDS[AUTO]
    word = frame.message if isinstance(frame.message, str) else frame.text
    return word in COMMANDS[MANUAL]


def _name(frame: Frame) -> str:
    if isinstance(frame.message, dict):
        named = [frame.message.get(key) for key in ("type", "message_type", "event", "message")]
        keys = ", ".join(map(str, list(frame.message)[:3]))
        return next((name[:40] for name in named if isinstance(name, str)), f"an object with {keys[:60]}")
    word = frame.message if isinstance(frame.message, str) else frame.text
    return repr(word[:40]) if isinstance(word, str) else f"the JSON value {str(frame.message)[:40]}"


def _partial(case: Case) -> Iterator[Finding]:
    cut, frames = case.cut_frames, [frame for connection in case.connections for frame in connection.audio_frames]
    if not cut:
        return
    only_last = cut == frames[-1:]
    verb = "is" if len(cut) == 1 else "are"
    summary = f"{len(cut)} of {counted(len(frames), 'frame')} {verb} no whole number of samples"
    summary += " (only the last one)." if only_last else "."
    evidence = tuple(_place(frame, f"{frame.size} bytes") for frame in cut[:3])
    yield CHECK.finding("partial-samples", "warn" if only_last else "fail", 0.95, summary, evidence)


def _after_close(case: Case) -> Iterator[Finding]:
    for connection in case.connections:
        late = _late_frames(case, connection)
        if not late:
            continue
        size = sum(frame.size for frame in late)
        seconds = size / case.declared.bytes_per_s if case.declared.bytes_per_s else None
        amount = f"{seconds:.2f} s of audio" if seconds is not None else f"{size} bytes of audio"
        summary = f"{amount} were sent after the close command; the service no longer takes them."
        yield CHECK.finding("audio-after-close", "fail", 0.97, summary, (_place(late[0], "the first late frame"),))
        return


def _late_frames(case: Case, connection: Connection) -> list[Frame]:
    commands = [i for i, frame in enumerate(connection.frames) if is_close_command(frame, case.endpoint)]
    after = connection.frames[commands[0] + 1 :] if commands else ()
    return [frame for frame in after if frame.sent and frame.binary and frame.size]


CHECK = Check(
    id="messages",
    order=65,
    question="Do you speak the protocol?",
    kinds=("session",),
    needs="what the client sent, in order",
    why="The service takes samples in binary frames and two commands. Audio in text frames and the commands of other "
    "vendors are no part of the protocol, so they cannot do what they are meant to; audio after the close command is "
    "lost.",
    how="Each sent frame is compared with the documented messages; known words of other vendors are named with what to "
    "use instead.",
    causes=(
        Cause(
            "messages.audio-as-text",
            "fail",
            "Audio is sent in text frames (base64, JSON, or bytes taken for text).",
            "Send the samples as they are in binary frames: ws.send(bytes) in Python, ws.send(arrayBuffer) in "
            "JavaScript.",
        ),
        Cause(
            "messages.unknown-command",
            "fail",
            "Messages are sent that the endpoint does not know.",
            'The commands are {"type":"close"} and {"type":"config","turn":{...}}; leave the others out.',
        ),
        Cause(
            "messages.partial-samples",
            "fail",
            "Frames cut a sample in two.",
            "Send a whole number of samples in each frame; keep the odd byte for the next one.",
        ),
        Cause(
            "messages.audio-after-close",
            "fail",
            "Audio is sent after the close command.",
            "Send the close command through the same queue as the audio, after the last chunk.",
        ),
    ),
    docs="https://docs.cartesia.ai/api-reference/stt/turns/websocket",
    judge=_judge,
)
