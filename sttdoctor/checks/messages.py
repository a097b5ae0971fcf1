"""Do you speak the protocol?

Needs what the client sent. Audio travels in binary frames of whole samples, commands in text frames that the endpoint
knows, and nothing after the close command. A message that it does not know is answered with an error, after which no
further event comes (seen by third parties, not documented).
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from sttdoctor import missing
from sttdoctor.analysis.facts import Facts
from sttdoctor.analysis.remedies import DecodeText
from sttdoctor.analysis.session.commands import (
    Command,
    get_command_name,
    get_error_text,
    is_audio,
    is_known,
    read_audio_text,
)
from sttdoctor.analysis.session.endings import find_ending
from sttdoctor.analysis.session.timeline import Connection, is_close_command
from sttdoctor.checks.base import (
    Answer,
    Cause,
    Check,
    Evidence,
    Finding,
    Status,
    answer,
    count_noun,
    pick_worst,
    unknown,
)
from sttdoctor.endpoints.base import Meaning
from sttdoctor.endpoints.cartesia import AUTO
from sttdoctor.endpoints.foreign import FOREIGN_COMMANDS
from sttdoctor.evidence import Frame

_BINARY = (
    " in binary frames: ws.send(arrayBuffer) in JavaScript, ws.send(bytes) in Python, "
    "WebSocketMessageType.Binary in C#, opcode 2 elsewhere."
)

_AS_TEXT = (
    "Send commands as text frames (a string, not a Buffer or bytes) and audio as binary frames. In JavaScript "
    'ws.send(JSON.stringify({type: "close"})), in Python ws.send(json.dumps({"type": "close"})) without .encode(); '
    "curl_cffi sends a string as binary too, unless it is told CurlWsFlag.TEXT. A relay passes messages on with "
    "ws.send(data, { binary: isBinary })."
)

_IN_BINARY = {
    "Python": " in binary frames: await ws.send(data) with bytes, not a str.",
    "JavaScript": " in binary frames: ws.send(arrayBuffer), not a string.",
}
_IN_TEXT = {
    "Python": (
        'Send commands as text: ws.send(json.dumps({"type": "close"})) without .encode(); curl_cffi sends a string as '
        "binary too, unless it is told CurlWsFlag.TEXT. Only audio goes into binary frames."
    ),
    "JavaScript": (
        'Send commands as text: ws.send(JSON.stringify({type: "close"})), not a Buffer; a relay passes messages on by '
        "ws.send(data, { binary: isBinary }). Only audio goes into binary frames."
    ),
}
"""What to do where the capture tells the language of the client."""

CHECK = Check(
    id="messages",
    order=65,
    question="Do you speak the protocol?",
    kinds=("session",),
    needs="what the client sent, in order",
    why="The service takes samples in binary frames, and commands in text frames. Audio in text frames, commands "
    "in binary frames and the commands of other vendors do not work: the service answers with an error or hears "
    "noise. Audio after the close command is lost.",
    how="Each sent frame is compared with the documented messages. Audio in text is recognised by its form (base64, "
    "numbers, a Buffer through JSON). Commands of other vendors are named, with what to use instead. An error that "
    "the service sent in answer is quoted.",
    causes=(
        Cause(
            "messages.audio-as-text",
            "fail",
            "Audio is sent in text frames (base64, numbers, JSON, or bytes taken for text).",
            "Send the samples as they are" + _BINARY,
        ),
        Cause(
            "messages.command-as-binary",
            "fail",
            "A command is sent in a binary frame, where the service takes it for audio.",
            _AS_TEXT,
        ),
        Cause(
            "messages.unknown-command",
            "fail",
            "The client sends messages that the endpoint does not know.",
            'Send no commands but {"type":"close"} and {"type":"config","turn":{...}}.',
        ),
        Cause(
            "messages.partial-samples",
            "fail",
            "Frames cut a sample in two.",
            "Send whole samples in each frame, and carry leftover bytes over to the next one.",
        ),
        Cause(
            "messages.audio-after-close",
            "fail",
            "Audio is sent after the close command.",
            "Send the close command through the same queue as the audio, after the last chunk. It ends the session: "
            "for what is spoken later open a new connection.",
        ),
        Cause(
            "messages.early-finalize",
            "warn",
            "On the manual endpoint finalize is sent in the middle of speech.",
            "Send finalize when the user is done: some 0.3 s after the last speech that your detector hears, or when "
            "the key is released, not by a timer and not after each chunk. What is cut in two is recognised in two "
            "parts, and words get lost or wrong where they meet. If you would rather have turns end by themselves, use "
            "/stt/turns/websocket.",
        ),
        Cause(
            "messages.broken-frame",
            "fail",
            "The other side closed because of what the client sent.",
            "Let only one writer at a time use the socket, with a lock or a queue: two tasks, threads or interrupts "
            "that write at once tear a frame apart. If your own code builds the frames, compare them with RFC 6455 "
            "(masking, reserved bits, lengths). A proxy that rewrites frames can break them too; try once without it.",
        ),
        Cause(
            "messages.too-big",
            "fail",
            "A message was larger than its receiver accepts (close code 1009).",
            "If the client closed, raise max_size of its library; if the server closed, send smaller chunks.",
        ),
    ),
    docs="https://docs.cartesia.ai/api-reference/stt/turns/websocket",
    judge=lambda facts: _judge(facts),
)

_FORMS = {
    "base64": ("", "Leave out base64 and JSON; send the bytes themselves"),
    "hex": (" in hexadecimal", "Leave out bytes.hex() and toString('hex'); send the bytes themselves"),
    "data-url": (" as data URLs", "Take the bytes of the blob (await blob.arrayBuffer()) and send them"),
    "numbers": (
        " as numbers with commas",
        "A typed array or a list became text on the way (String(samples), samples.join()); send its bytes",
    ),
    "list": (" as JSON lists of numbers", "Leave out JSON.stringify and tolist(); send the bytes of the samples"),
    "buffer": (
        " as Buffers that went through JSON",
        'JSON.stringify made {"type":"Buffer","data":[...]} of each Buffer; send the Buffer itself',
    ),
    "typed-array": (
        " as typed arrays that went through JSON",
        'JSON.stringify made {"0":...,"1":...} of each typed array; send the array itself',
    ),
    "python": (" as Python prints it", "str() or an f-string made text of the samples; send the bytes themselves"),
    "object": (
        " as the name of an object, so its content is lost",
        "String concatenation made text of the object; send the ArrayBuffer or Blob itself",
    ),
    "raw": (" as bytes taken for text", "Something made text of the bytes (decode(), a text frame); send them"),
}
"""Of each form of audio in text: how it is told, and what to change."""

_NAME = re.compile(r"[\w.-]+")

_WRITTEN = {
    "twice": " (written as JSON twice)",
    "broken": " (in what is not JSON)",
    "other-key": " (under another key than type)",
}
_REWRITE = {
    "twice": "encode the object once, by json.dumps(OBJECT) or JSON.stringify(OBJECT), or hand it to the SDK as it is",
    "broken": "send OBJECT, made by json.dumps or JSON.stringify; str() of a dictionary is not JSON",
    "other-key": "name it under type: OBJECT",
}
"""What to do with a right word that is written wrongly, with the right object in place of OBJECT."""

_MEANS: dict[Meaning, str] = {
    "close": "end of the session",
    "flush": "end of audio",
    "keep-alive": "keep-alive",
    "audio": "message of audio",
    "settings": "settings message",
    "other": "word",
}

_RSV1 = re.compile(r"\brsv ?1\b(?! *(?:,|and|or|&|/) *rsv)|compress|deflate", re.IGNORECASE)
_COMPRESSED = (
    "Connect without compression: compression=None (websockets), perMessageDeflate: false (ws), compress=0 (aiohttp). "
    "RSV1 marks a compressed frame, and permessage-deflate was not agreed on in the handshake: a proxy changes the "
    "header Sec-WebSocket-Extensions, or a library compresses all the same. A browser cannot turn it off; fix the "
    "proxy there. Audio hardly compresses anyway."
)
_FRAGMENT = re.compile(r"fragment|continuation|opcode (?:0\b|0x0)|\bfin\b", re.IGNORECASE)
_FINISH = (
    "Send each chunk as a message of its own, with the final flag (FIN) set: in Java sendBinary(data, true), in Kotlin "
    "Frame.Binary(true, data), in .NET SendAsync(..., endOfMessage: true). Behind a frame without it the other side "
    "takes continuation frames (opcode 0) only. If you do finish each message, let one writer at a time use the socket."
)
_KINDS = (
    "Send audio as binary frames and commands as text frames, nothing else: the other side does not accept the kind "
    "of frame that it got."
)
_UTF8 = (
    "Send audio as binary frames, and only UTF-8 in text frames: audio bytes in a text frame, or text in another "
    "encoding, end the connection."
)

_TOO_BIG = 1009
_LARGE_BYTES = 64 << 10  # beyond the default limits of some servers, far beyond a second of usual audio
_NUMBER = re.compile(r"\d{4,}")
_MAX_SIZE = (
    "Raise the client's limit for received messages: max_size in websockets (websockets.connect(url, max_size=16 * "
    "2**20)), max_msg_size in aiohttp, maxPayload in ws. Then reconnect: the open turn is lost."
)
_SMALLER = "Send about 100 ms of audio in each message: 3200 bytes of pcm_s16le at 16000 Hz."


def _judge(facts: Facts) -> Answer:
    lacks = facts.session.lacks if facts.session is not None else frozenset({"send"})
    texts = [
        frame for connection in facts.connections for frame in connection.frames if frame.sent and not frame.binary
    ]
    findings = [*_find_audio_as_text(facts), *_find_binary(facts), *_find_unknown(facts), *_find_partial(facts)]
    findings += [*_find_after_close(facts), *_find_early_finalize(facts)]
    findings += [*_find_too_big(facts), *_find_broken_frame(facts)]
    measured = {"text_frames": len(texts)}
    if findings:
        return answer(pick_worst(findings).summary, findings, measured)
    if lacks & {"send", "commands"}:
        return unknown(missing.SENDS if "send" in lacks else missing.COMMANDS)
    return answer("Every message is part of the protocol.", [], measured)


def _place(frame: Frame, note: str) -> Evidence:
    return Evidence(note, frame.line, frame.t)


def _find_audio_as_text(facts: Facts) -> Iterator[Finding]:
    found = [
        (connection.frames[place], form)
        for connection in facts.connections
        for place, form in connection.audio_texts.items()
    ]
    if not found:
        return
    frames = [frame for frame, _ in found]
    form = Counter(form for _, form in found).most_common(1)[0][0]
    names = {get_command_name(frame.message) for frame in frames if isinstance(frame.message, dict)}
    kinds = sorted(name for name in names if name is not None and name != "Buffer")
    vendors = sorted({FOREIGN_COMMANDS[kind].vendor for kind in kinds if kind in FOREIGN_COMMANDS})
    binary = any(connection.audio_frames for connection in facts.connections)
    how, change = _FORMS[form]
    summary = f"{count_noun(len(frames), 'text frame')} {'carries' if len(frames) == 1 else 'carry'} audio{how}"
    if kinds:
        summary += f" ({', '.join(kinds)[:80]}" + (f", {' and '.join(vendors)}'s format)" if vendors else ")")
    summary += "; binary frames carry the rest." if binary else "; no binary frame was sent."
    spoilt = sum(not read_audio_text(frame, "pcm_s16le") for frame in frames)
    remedy = DecodeText(encoding=facts.declared.meant or "pcm_s16le") if spoilt <= _SPOILT * len(frames) else None
    place = (_place(frames[0], "the first of them"),)
    in_binary = _IN_BINARY.get(facts.language, _BINARY)
    yield CHECK.find("audio-as-text", "fail", 0.95, summary, place, change + in_binary, remedy)


_SPOILT = 0.1
"""So many of the messages at most may have lost their content, or a part of it to redaction."""


def _find_binary(facts: Facts) -> Iterator[Finding]:
    """Commands in binary frames, which the service takes for audio."""
    found = [
        command
        for connection in facts.connections
        for command in connection.commands
        if command.frame.binary and not _was_taken(connection, command)
    ]
    if not found:
        return
    words = list(dict.fromkeys(command.word for command in found))
    verb = "was" if len(found) == 1 else "were"
    summary = (
        f"{count_noun(len(found), 'command')} ({', '.join(words[:6])}) {verb} sent in "
        f"{'a binary frame' if len(found) == 1 else 'binary frames'}, which the service takes for audio."
    )
    foreign = {command.word: _tell_instead(facts, command) for command in found if command.word in FOREIGN_COMMANDS}
    instead = "".join(f" Instead of {word}: {advice}." for word, advice in list(foreign.items())[:3])
    fix = _IN_TEXT.get(facts.language, _AS_TEXT) + instead
    evidence = tuple(_place(command.frame, f"{command.word} in a binary frame") for command in found[:3])
    yield CHECK.find("command-as-binary", "fail", 0.97, summary, evidence, fix)


def _was_taken(connection: Connection, command: Command) -> bool:
    """Whether the server ended the session after a binary close command as it does after a right one."""
    close, turns = connection.close, connection.turns
    ended = close is not None and close.by == "server" and close.code == 1000
    return command.means == "close" and ended and not (turns and turns[-1].end is None)


def _find_unknown(facts: Facts) -> Iterator[Finding]:
    """Messages of no endpoint; what belongs to the other endpoint is the matter of the endpoint check."""
    found = [
        command
        for connection in facts.connections
        for command in connection.commands
        if not command.frame.binary and not is_known(command, facts.endpoint)
    ]
    if not found:
        return
    errors = {id(command.frame): error for command, error in facts.refused_commands}
    first = min(found, key=lambda command: (id(command.frame) not in errors, command.word not in FOREIGN_COMMANDS))
    foreign = [command for command in found if command.word in FOREIGN_COMMANDS]
    error = errors.get(id(first.frame))
    verb = "is" if len(found) == 1 else "are"
    names = list(dict.fromkeys(_show_command(command) for command in found))
    summary = f"{count_noun(len(found), 'message')} {verb} not part of this protocol: {', '.join(names[:6])}"
    if first.word in FOREIGN_COMMANDS:
        summary += f". {first.word} is {_tell_origin(first)}"
    evidence = [_place(first.frame, f"the first {_show_command(first)}")]
    if error is not None:
        said = get_error_text(error).rstrip(". ")
        summary += f". The service answered: {said}" if said else ". The service answered with an error"
        evidence.append(_place(error, "the service's answer"))
    meant = any(command.is_meant_here for command in found)
    status: Status = "fail" if foreign or meant or error is not None or facts.ends_by_unknown_word else "warn"
    confidence = 0.97 if error is not None else 0.95 if foreign or meant else 0.7
    fix = _fix(facts, [first, *found])
    if any(_is_emptied(command) for command in found) and not any(c.audio_frames for c in facts.connections):
        summary += ". The {} in it is what JSON makes of bytes, and not one binary frame was sent"
        fix = _NOT_JSON
    yield CHECK.find("unknown-command", status, confidence, summary + ".", tuple(evidence), fix)


def _is_emptied(command: Command) -> bool:
    """Whether a message is a list or an object that holds an empty object: what JSON makes of an ArrayBuffer."""
    message = command.frame.message
    parts = message if isinstance(message, list) else list(message.values()) if isinstance(message, dict) else []
    return any(part == {} and isinstance(part, dict) for part in parts)


_NOT_JSON = (
    "Send audio as a binary frame: ws.send(buffer) of the plain WebSocket. JSON.stringify() makes {} of an ArrayBuffer "
    "or a Blob, so a library that stringifies what it sends (an event emitter) loses the bytes."
)


def _show_command(command: Command) -> str:
    if not command.named:
        return command.word
    if not command.word.strip():
        return "an empty message"
    word = command.word if command.form != "word" and _NAME.fullmatch(command.word) else repr(command.word)
    return word + (_WRITTEN.get(command.form, "") if command.is_meant_here else "")


def _tell_origin(command: Command) -> str:
    return f"{FOREIGN_COMMANDS[command.word].vendor}'s {_MEANS[command.means]}"


def _fix(facts: Facts, found: Sequence[Command]) -> str | None:
    """What to do instead of each word whose meaning is known, None where none is."""
    clauses: dict[str, str] = {}
    for command in sorted(
        found, key=lambda one: one.audio_follows
    ):  # the last one counts: what audio follows ends none
        if command.is_meant_here and command.form in _REWRITE and not _takes_words(facts):
            right = '{"type": "config", "turn": {...}}' if command.means == "settings" else '{"type": "close"}'
            clauses[command.word] = f"for {command.word}: {_REWRITE[command.form].replace('OBJECT', right)}"
        elif command.word in FOREIGN_COMMANDS or (command.means != "other" and " " not in command.word):
            clauses[command.word] = f"instead of {command.word}: {_tell_instead(facts, command)}"
    text = "; ".join(list(clauses.values())[:6])
    return f"{text[:1].upper()}{text[1:]}." if text else None


def _tell_instead(facts: Facts, command: Command) -> str:
    means: Meaning = "close" if command.means == "flush" and not command.audio_follows else command.means
    endpoint = facts.endpoint or AUTO
    special = FOREIGN_COMMANDS[command.word].special if command.word in FOREIGN_COMMANDS else ""
    return special if special and endpoint is AUTO else endpoint.instead[means]


def _takes_words(facts: Facts) -> bool:
    return facts.endpoint is not None and facts.endpoint.command_form == "word"


def _find_partial(facts: Facts) -> Iterator[Finding]:
    cut, frames = facts.cut_frames, [frame for connection in facts.connections for frame in connection.audio_frames]
    if not cut:
        return
    only_last = cut == frames[-1:]
    verb = "does" if len(cut) == 1 else "do"
    summary = f"{len(cut)} of {count_noun(len(frames), 'frame')} {verb} not hold whole samples"
    summary += " (only the last one)." if only_last else "."
    evidence = tuple(_place(frame, count_noun(frame.size, "byte")) for frame in cut[:3])
    yield CHECK.find("partial-samples", "warn" if only_last else "fail", 0.95, summary, evidence)


def _find_after_close(facts: Facts) -> Iterator[Finding]:
    for number, connection in enumerate(facts.connections):
        late = _list_late_frames(facts, connection)
        if not late:
            continue
        size = sum(frame.size for frame in late)
        seconds = size / facts.declared.bytes_per_s if facts.declared.bytes_per_s else None
        amount = f"{seconds:.2f} s" if seconds is not None and seconds >= 0.01 else count_noun(size, "byte")
        verb = "was" if amount == "1 byte" else "were"
        status: Status = "fail"
        silent = ""
        if facts.measure_spoken(number, late[0].t, None) == 0:
            status, silent = "warn", "; it was silence"
        summary = f"{amount} of audio {verb} sent after the close command; the service no longer takes them{silent}."
        yield CHECK.find("audio-after-close", status, 0.97, summary, (_place(late[0], "the first late frame"),))
        return


def _find_early_finalize(facts: Facts) -> Iterator[Finding]:
    """Words that flush what was said, in the middle of saying it; noise that never stops has no middle."""
    if facts.endpoint is None or facts.endpoint.ends_turns or not facts.timelines:
        return
    for number, connection in enumerate(facts.connections):
        known = [command for command in connection.commands if command.means == "flush" and command.is_meant_here]
        flushes = [command for command in known if command.audio_follows]
        spoken = facts.measure_spoken(number, None, None)
        if len(flushes) < _FEWEST_EARLY or not spoken or facts.is_faint(number):
            continue
        usual = facts.measure_usual_level(number)
        times = [(item, item.frame.t) for item in flushes if item.frame.t is not None]
        early = [item for item, t in times if _is_mid_speech(facts, number, t) and _stands_out(facts, number, t, usual)]
        whole = float(facts.timelines[number].audio_s.sum())
        if len(early) < max(_FEWEST_EARLY, _OFTEN_EARLY * len(flushes)) or spoken > _ALWAYS * whole:
            continue
        summary = (
            f"{len(early)} of {len(flushes)} times finalize was sent mid-speech: the sound goes on as loud behind it."
        )
        yield CHECK.find("early-finalize", "warn", 0.8, summary, (_place(early[0].frame, "the first of them"),))
        return


def _is_mid_speech(facts: Facts, number: int, at: float) -> bool:
    before, after = facts.measure_spoken(number, at - _AROUND_S, at), facts.measure_spoken(number, at, at + _AROUND_S)
    return min(before or 0.0, after or 0.0) >= _MOSTLY * _AROUND_S


def _stands_out(facts: Facts, number: int, at: float, usual: float) -> bool:
    """Whether the sound is louder than it usually is, on both sides of a moment: music behind a voice never is."""
    sides = ((at - _AROUND_S, at), (at, at + _AROUND_S))
    return all(facts.measure_level(number, *side) > _LOUDER * usual for side in sides)


_FEWEST_EARLY, _OFTEN_EARLY = 2, 0.5
_AROUND_S, _MOSTLY, _ALWAYS, _LOUDER = 0.35, 0.8, 0.95, 1.6


def _find_broken_frame(facts: Facts) -> Iterator[Finding]:
    for connection in facts.connections:
        ending = find_ending(connection)
        if ending is None or ending.about != "wire":
            continue
        reason = f", reason {ending.reason[:100]!r}" if ending.reason else ""
        summary = (
            f"The other side closed with code {ending.code} ({ending.meaning or 'a broken frame'}{reason}): "
            f"it complains of a frame that the client sent."
        )
        place = (Evidence(f"closed here with code {ending.code}", ending.line, ending.t),)
        fix = _COMPRESSED if _RSV1.search(ending.reason) else {1003: _KINDS, 1007: _UTF8}.get(ending.code)
        fix = _FINISH if _FRAGMENT.search(ending.reason) else fix
        yield CHECK.find("broken-frame", "fail", 0.9 if ending.reason else 0.75, summary, place, fix)
        return


def _find_too_big(facts: Facts) -> Iterator[Finding]:
    for connection in facts.connections:
        close = connection.close
        if close is None or close.code != _TOO_BIG:
            continue
        largest = max((frame.size for frame in connection.frames if frame.sent), default=0)
        place = (Evidence(f"closed here with code {_TOO_BIG}", close.line, close.t),)
        if close.by == "client" or (close.by == "unknown" and largest < _LARGE_BYTES):
            size = _NUMBER.findall(close.reason)
            said = f"an event of {size[0]} bytes" if size else "an event"
            limit = f" (the limit was {size[1]} bytes)" if len(size) > 1 else ""
            side = "The client's library closed" if close.by == "client" else "The socket was closed"
            summary = f"{side} with code {_TOO_BIG}: {said} was larger than it accepts{limit}."
            yield CHECK.find("too-big", "fail", 0.95 if close.by == "client" else 0.8, summary, place, _MAX_SIZE)
        else:
            side = "The server" if close.by == "server" else "A side"
            summary = f"{side} closed with code {_TOO_BIG}: a message of the client was too big for it"
            summary += f" (the largest has {count_noun(largest, 'byte')})." if largest else "."
            yield CHECK.find("too-big", "fail", 0.95, summary, place, _SMALLER)
        return


def _list_late_frames(facts: Facts, connection: Connection) -> list[Frame]:
    commands = [i for i, frame in enumerate(connection.frames) if is_close_command(frame, facts.endpoint)]
    after = connection.frames[commands[0] + 1 :] if commands else ()
    return [frame for frame in after if is_audio(frame) and frame.size]
