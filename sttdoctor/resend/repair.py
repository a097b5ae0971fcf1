"""A recorded session as a healthy client would have sent it: from facts to a plan. No I/O.

The true format is declared (or the audio converted where the service has no such encoding), chunks are 100 ms in real
time, holes that were never filled are silence, only messages of the endpoint are sent, and the end is the close
command.
"""

import json
from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from sttdoctor.analysis.decoding import Bytes, Layout, read_numbers
from sttdoctor.analysis.encoding.estimate import LAYOUTS
from sttdoctor.analysis.facts import Facts
from sttdoctor.analysis.session.commands import is_audio
from sttdoctor.analysis.session.endpoint import Address, match_path
from sttdoctor.analysis.session.pacing import find_holes
from sttdoctor.analysis.session.timeline import Connection
from sttdoctor.encodings import ENCODINGS
from sttdoctor.endpoints.base import Endpoint
from sttdoctor.endpoints.cartesia import AUTO, MAX_KEYTERM_CHARACTERS, MAX_KEYTERMS, TURN_OPTIONS
from sttdoctor.errors import InputError
from sttdoctor.evidence import Declared, Frame
from sttdoctor.resend.plan import Leg, Plan, Step, headers_of, query_of, require_address, require_audio
from sttdoctor.values import immutable


def choose_target(encoding: str) -> str:
    """Return the encoding of the six that an encoding is sent as."""
    how = ENCODINGS[encoding]
    if how.supported:
        return encoding
    return "pcm_f32le" if how.is_float else "pcm_s16le" if how.width in (1, 2, 8) else "pcm_s32le"


def convert(data: Bytes, encoding: str) -> bytes:
    """Convert to `choose_target(encoding)`, without loss but for 64-bit floats.

    Args:
        data: Shape (n,), of one channel; a partial sample at the end is left out.
        encoding: A name in `sttdoctor.encodings.ENCODINGS`.
    """
    how = ENCODINGS[encoding]
    if how.supported:
        return data[: len(data) // how.width * how.width].tobytes()
    values = read_numbers(data, encoding)
    if values.dtype.itemsize == 1:
        values = values.astype(np.int16) << 8
    with np.errstate(over="ignore", invalid="ignore"):
        return bytes(values.astype(ENCODINGS[choose_target(encoding)].dtype).data)


_LOWEST = 2.0**-15
QUIET = {
    "pcm_s16le": (bytes(2), b"\1\0", b"\xff\xff"),
    "pcm_s32le": (bytes(4), b"\0\0\1\0", b"\0\0\xff\xff"),
    "pcm_f16le": tuple(np.array(value, "<f2").tobytes() for value in (0.0, _LOWEST, -_LOWEST)),
    "pcm_f32le": tuple(np.array(value, "<f4").tobytes() for value in (0.0, _LOWEST, -_LOWEST)),
    "pcm_mulaw": (b"\xff", b"\xfe", b"\x7e"),
    "pcm_alaw": (b"\xd5", b"\x55", b"\xd4"),
}
"""Of each encoding the samples that silence is made of; a zero byte of G.711 is near full scale."""


def make_silence(encoding: str, samples: int) -> bytes:
    """Return silence in one of the six, as a quiet room has it: noise of the lowest code of 16 bits or of G.711.

    Where a hole tore a word apart, exact zeros would look like a microphone that was taken away.
    """
    return b"".join(QUIET[encoding][code] for code in np.random.default_rng(0).integers(3, size=samples))


CHUNK_S = 0.1

_OWN = ("encoding", "sample_rate", "model", "access_token", "api_key", "language", "keyterm")


@immutable
class _Part:
    """Bytes of the recorded audio that are read in one way, from `start` to `stop`."""

    start: int
    stop: int
    layout: Layout


@immutable
class _Insert:
    """What stands at a byte of the recorded audio beside it: silence, or a command."""

    at: int
    silence_s: float = 0.0
    command: str = ""


def plan_repair(facts: Facts, layout: Layout | None, rate: int | None, declared: Declared | None = None) -> Plan:
    """Plan the session as it should have been sent.

    Args:
        facts: The session.
        layout: How its audio is best read; it is of one channel.
        rate: Its true sample rate, Hz.
        declared: What the client told the service; None where that is what the facts go by.

    Raises:
        InputError: There is no audio content, or it is no samples; the capture has no URL.
    """
    require_audio(facts)
    where = require_address(facts)
    assert facts.audio is not None
    if layout is None:
        raise InputError("the audio is compressed, text or unknown, so it cannot be repaired; decode it to samples")
    if layout.channels > 1:
        raise InputError(f"the audio has {layout.channels} channels, and it is not sure how they stand; send one")
    if rate is None:
        raise InputError("the sample rate is not known; give --sample-rate")
    if facts.rate_change is not None:
        rate = facts.rate_change.before
    parts, notes = _parts(facts, layout)
    encoding = choose_target(parts[0].layout.encoding)
    inserts = sorted([*_silences(facts), *_commands(facts, _endpoint(facts, where))], key=lambda insert: insert.at)
    stream, commands = _join(facts.audio.data, parts, inserts, encoding, rate)
    steps = [*_chunks(stream, commands, encoding, rate)]
    seconds = len(stream) / (ENCODINGS[encoding].width * rate)
    steps.append(Step(seconds, _endpoint(facts, where).close_command))
    query = _query(facts, where, encoding, rate)
    said = _note_format(declared or facts.declared, parts[0].layout, encoding, rate)
    notes = [*said, *notes, *_note_silence(inserts)]
    path, headers = _endpoint(facts, where).path, headers_of(facts, query, repairs=True)
    return Plan(path, query_of(query), headers, (Leg(0.0, tuple(steps)),), tuple(notes))


def _endpoint(facts: Facts, where: Address) -> Endpoint:
    return match_path(where.path) or facts.endpoint or AUTO


def _parts(facts: Facts, layout: Layout) -> tuple[list[_Part], list[str]]:
    """Cut the audio where its format or alignment changes; what cannot be sent under one declaration is left out."""
    assert facts.audio is not None
    end = len(facts.audio.data)
    notes = [f"the first {layout.offset} bytes are left out: they are no samples"] if layout.offset else []
    if facts.rate_change is not None:
        end = min(end, facts.rate_change.offset)
        notes.append(f"the sample rate changes at byte {end}; what comes after it is left out")
    changes = [change for change in facts.sound.encoding_changes if layout.offset < change.offset < end]
    edges = [layout.offset, *(change.offset for change in changes), end]
    layouts = [layout, *(LAYOUTS.get(change.after) for change in changes)]
    parts: list[_Part] = []
    for (start, stop), read in zip(pairwise(edges), layouts, strict=True):
        if read is None or choose_target(read.encoding) != choose_target(layout.encoding):
            notes.append(f"the encoding changes at byte {start}; what comes after it is left out")
            break
        if parts:
            notes.append(f"samples are out of step from about byte {start} on; they are read in step")
        parts.append(_Part(start, stop, read))
    return parts, notes


def _silences(facts: Facts) -> Iterator[_Insert]:
    """The holes in the audio that were never filled."""
    for connection, line, speed in zip(facts.connections, facts.timelines, facts.speeds, strict=False):
        starts = _starts(facts, connection)
        for hole in find_holes(line, speed.ratio if speed is not None else 1.0):
            if not hole.filled:
                yield _Insert(starts[int(line.line[hole.index])], silence_s=hole.length_s)


def _commands(facts: Facts, endpoint: Endpoint) -> Iterator[_Insert]:
    """The messages of the endpoint that are no close command, each where it stood in the audio."""
    for connection in facts.connections:
        sent = sum(frame.size for frame in _before(facts, connection))
        for frame in connection.frames:
            if is_audio(frame):
                sent += frame.size
            elif frame.sent and not frame.elided and (command := _command(frame, endpoint)):
                yield _Insert(sent, command=command)


def _command(frame: Frame, endpoint: Endpoint) -> str | None:
    if endpoint.command_form == "json":
        return json.dumps(frame.message) if frame.type == "config" else None
    return "finalize" if "finalize" in (frame.text, frame.message) else None


def _before(facts: Facts, connection: Connection) -> list[Frame]:
    """The audio frames of the connections before this one."""
    earlier = facts.connections[: facts.connections.index(connection)]
    return [frame for other in earlier for frame in other.audio_frames]


def _starts(facts: Facts, connection: Connection) -> dict[int, int]:
    """The first byte of each audio frame of a connection in the whole audio, by its line in the capture."""
    at = sum(frame.size for frame in _before(facts, connection))
    starts = {}
    for frame in connection.audio_frames:
        starts[frame.line] = at
        at += frame.size
    return starts


def _join(
    data: Bytes, parts: list[_Part], inserts: list[_Insert], encoding: str, rate: int
) -> tuple[bytes, list[tuple[int, str]]]:
    """Convert the parts and put in what stands between them; returns the stream, and (its byte, command)."""
    pieces: list[bytes] = []
    commands: list[tuple[int, str]] = []
    waiting = list(inserts)
    length = 0
    for number, part in enumerate(parts):
        frame = ENCODINGS[part.layout.encoding].width
        begin = part.start + (part.layout.offset - part.start) % frame
        at = begin
        last = number == len(parts) - 1
        while True:
            here = waiting[0] if waiting and (last or waiting[0].at < part.stop) else None
            stop = part.stop if here is None else min(part.stop, max(at, here.at - (here.at - begin) % frame))
            piece = convert(np.asarray(data[at:stop]), part.layout.encoding)
            pieces.append(piece)
            length += len(piece)
            at = stop
            if here is None:
                break
            waiting.pop(0)
            if here.command:
                commands.append((length, here.command))
            else:
                pieces.append(make_silence(encoding, round(here.silence_s * rate)))
                length += len(pieces[-1])
    return b"".join(pieces), commands


def _chunks(stream: bytes, commands: list[tuple[int, str]], encoding: str, rate: int) -> Iterator[Step]:
    """Cut the stream; a chunk goes out once it has been spoken, a command before the next chunk that begins."""
    width = ENCODINGS[encoding].width
    size = max(1, round(rate * CHUNK_S)) * width
    waiting = list(commands)
    for start in range(0, len(stream), size):
        while waiting and waiting[0][0] <= start:
            yield Step(start / (width * rate), waiting.pop(0)[1])
        chunk = stream[start : start + size]
        yield Step((start + len(chunk)) / (width * rate), chunk)
    yield from (Step(len(stream) / (width * rate), command) for _, command in waiting)


def _query(facts: Facts, where: Address, encoding: str, rate: int) -> list[tuple[str, str]]:
    endpoint = _endpoint(facts, where)
    known = [(name, value) for name, value in where.query if name in endpoint.parameters and name not in _OWN]
    options = {name: value for name, value in known if name in TURN_OPTIONS}
    if not _in_order(options):
        known = [(name, value) for name, value in known if name not in TURN_OPTIONS]
    language = where.first("language")
    return [
        ("model", _model(where.first("model"), endpoint)),
        ("encoding", encoding),
        ("sample_rate", str(rate)),
        *([("language", language)] if language and endpoint.takes_language else []),
        *known,
        *_keyterms(where),
    ]


def _model(declared: str | None, endpoint: Endpoint) -> str:
    return declared if declared is not None and endpoint.models.fullmatch(declared) else "ink-2"


def _in_order(options: dict[str, str]) -> bool:
    """Whether the turn options are in their ranges, and the thresholds in their order."""
    try:
        values = {name: float(options.get(name, limits.default)) for name, limits in TURN_OPTIONS.items()}
    except ValueError:
        return False
    inside = all(TURN_OPTIONS[name].low <= value <= TURN_OPTIONS[name].high for name, value in values.items())
    start, eager, end = (values[f"turn_{name}_threshold"] for name in ("start", "eager_end", "end"))
    return inside and start > eager > end


def _keyterms(where: Address) -> Iterator[tuple[str, str]]:
    room = MAX_KEYTERM_CHARACTERS
    for term in where.values("keyterm")[:MAX_KEYTERMS]:
        room -= len(term)
        if room >= 0:
            yield "keyterm", term


def _note_format(declared: Declared, layout: Layout, encoding: str, rate: int) -> Iterator[str]:
    if (declared.encoding, declared.sample_rate) != (encoding, rate):
        before = f"{declared.encoding or 'no encoding'} at {declared.sample_rate or 'no'} Hz"
        yield f"declared as {encoding} at {rate} Hz instead of {before}"
    if layout.encoding != encoding:
        yield f"converted from {layout.encoding}, which the service does not take"


def _note_silence(inserts: list[_Insert]) -> Iterator[str]:
    filled = [insert.silence_s for insert in inserts if not insert.command]
    if filled:
        yield f"{sum(filled):.1f} s of silence in {len(filled)} {'hole' if len(filled) == 1 else 'holes'}"
