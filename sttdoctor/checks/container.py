"""Are you sending bare samples?

Needs audio bytes. Files and text are recognised by their signatures, each checked beyond its magic number, at the
start of the stream, some bytes in, and repeated mid-stream. The header of a WAV file is compared with the
declaration.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sttdoctor import missing
from sttdoctor.analysis.container.contents import LABELS, Contents, Packed, Start, find_packed, find_packets
from sttdoctor.analysis.container.header import Header
from sttdoctor.analysis.container.text import MOST_NOTES, SHORTEST_TEXT, is_printable
from sttdoctor.analysis.facts import Facts
from sttdoctor.analysis.remedies import CutStream, DecodeText, Remedy
from sttdoctor.checks.base import (
    AUDIO_INPUT,
    Answer,
    Cause,
    Check,
    Evidence,
    Finding,
    answer,
    count_noun,
    join_list,
    pick_worst,
    unknown,
    want_speech,
)
from sttdoctor.encodings import ENCODINGS
from sttdoctor.evidence import Declared, Frame, FrameContents

CHECK = Check(
    id="container",
    order=10,
    question="Are you sending bare samples?",
    kinds=("audio", "session"),
    needs="audio bytes",
    why="The service reads every byte as audio. A file header becomes a click, and may hide that the format is a "
    "different one. Compressed audio and text become noise, often without any error.",
    how="The start, the bytes after it and the rest of the stream are searched for the media files and the kinds of "
    "text that clients send. Each match is checked beyond its magic number, so that plain samples do not match by "
    "chance.",
    causes=(
        Cause(
            "container.wav-header",
            "fail",
            "A file header (WAV, Wave64, AIFF, AU, CAF, SPHERE, NumPy and others) is sent in front of the samples, or "
            "with every chunk.",
            "Skip the header: open the file with a reader and send its frames only.",
        ),
        Cause(
            "container.compressed",
            "fail",
            "The audio is compressed (Ogg, WebM, MP4, also fragments of them, MP3, AAC, FLAC, AMR, WMA), "
            "or the file is (gzip, zip, bzip2, xz, zstd).",
            "Decode (or unpack) to samples before sending: ffmpeg -i FILE -f s16le -ac 1 -ar 16000 out.raw",
        ),
        Cause(
            "container.text",
            "fail",
            "Text (base64, hexadecimal digits, JSON, HTML, or bytes that became a string) is sent as audio, or stands "
            "among the samples (a program's messages, the lengths of HTTP's chunks, line ends of a text mode).",
            "Decode to bytes before sending, and send them in binary frames.",
        ),
    ),
    docs=AUDIO_INPUT,
    judge=lambda facts: _judge(facts),
)

_UNPACK = {
    "gzip": "gzip -dc FILE > audio.raw",
    "zip": "unzip FILE",
    "bzip2": "bzip2 -dc FILE > audio.raw",
    "xz": "xz -dc FILE > audio.raw",
    "zstd": "zstd -dc FILE > audio.raw",
}
_TEXTS = {
    "base64": "base64",
    "hex": "hexadecimal digits",
    "json": "JSON",
    "numbers": "numbers written out as text",
    "literal": "a bytes literal of Python, as str() or repr() gives it",
    "string": "text made of bytes: each was read as a character of Latin-1 and then encoded as UTF-8",
    "utf-16": "text in UTF-16",
    "lossy-string": "text made of bytes: they were decoded as UTF-8 or ASCII, which lost what is no character",
    "html": "HTML or XML",
    "http": "an HTTP answer",
    "data-url": "a data: URL",
    "bits": "zeros and ones written out as text",
    "escapes": "text that stands for bytes (base85, uuencode, quoted-printable, escapes)",
    "text": "text",
}

_DECODE = (
    "Decode each packet before sending, with one decoder for the whole stream (libopus, opuslib or PyAV in Python, "
    "opusscript or @discordjs/opus in Node), and declare pcm_s16le at the decoder's rate, for Opus 48000 or the one "
    "you ask it for. Packets need no container for that, but all of them, in order."
)


_DECODE_GSM = (
    "Let the telephone side hand out plain samples: leave GSM out of its list of codecs, or ask for signed linear or "
    "mu-law (slin or ulaw in Asterisk). Or decode each packet before sending (libgsm, FFmpeg, libsndfile), and declare "
    "pcm_s16le at 8000 Hz."
)

_IF_SENT = "If the client does send it, send the samples themselves in binary frames instead."
_STRINGS = {
    "numbers": "Send the samples as bytes, not as a list: np.asarray(samples).tobytes() in Python, the ArrayBuffer of "
    "a typed array in JavaScript (not JSON.stringify).",
    "literal": "Send the bytes object itself, without str(), repr() or an f-string around it.",
    "string": "Keep audio as bytes from the source to the socket: leave out .decode('latin-1') in Python and "
    ".toString('binary') in Node, and send bytes or a Buffer.",
    "lossy-string": "Keep audio as bytes from the source to the socket: leave out .decode() in Python and .toString() "
    "or setEncoding('utf8') in Node, and send bytes or a Buffer. What was replaced is lost.",
}

_READ_WITH = {"wav": "wave.open(...).readframes()", "npy": "np.load(...).tobytes()"}
_READ_OTHERS = "soundfile.read(..., dtype='int16')"


def _judge(facts: Facts) -> Answer:
    contents = facts.sound.contents
    if contents is None:
        return unknown(facts.why_no_audio or missing.AUDIO)
    measured = _collect_measurements(contents)
    if (
        contents.text is None
        and not contents.starts
        and facts.audio is not None
        and len(facts.audio.data) < SHORTEST_TEXT
    ):
        return want_speech(_has_too_few(facts.audio.data), measured)
    if contents.text is not None:
        finding = _judge_text(facts, contents, contents.text)
        return answer(finding.summary, [finding], measured, _TEXTS[contents.text])
    notes = _judge_notes(facts, contents)
    if notes is not None:
        return answer(notes.summary, [notes], measured)
    packets = None if contents.starts else _judge_packets(facts)
    if packets is not None:
        return answer(packets.summary, [packets], measured, "packets of a codec")
    attached = facts.attached
    if attached is not None and attached.header is not None:
        return answer(_say_inside(attached, attached.header), [], measured)
    compressed = [start for start in contents.starts if start.header is None]
    headers = [start for start in contents.starts if start.header is not None]
    findings = [_judge_compressed(facts, compressed)] if compressed else []
    if headers:
        findings.append(_judge_header(facts, headers))
    elif contents.trailers and not compressed:
        findings.append(_judge_trailers(facts, contents.trailers))
    if findings:
        reading = "" if contents.holds_samples else contents.starts[0].label
        return answer(pick_worst(findings).summary, findings, measured, reading)
    return answer("No file header, compressed stream or text was found: the bytes look bare.", [], measured)


def _say_inside(start: Start, header: Header) -> str:
    return (
        f"It is {start.label} of {_format(header)}, and what it holds is judged. If the client sends the file as it "
        f"is, leave the header out: the samples begin at byte {header.payload}."
    )


def _has_too_few(data: NDArray[np.uint8]) -> str:
    count = f"{count_noun(len(data), 'byte')} {'are' if len(data) > 1 else 'is'}"
    like = ", and all of them could be text" if is_printable(data) else ""
    return f"{count} too few to tell samples from a file or text{like}."


def _collect_measurements(contents: Contents) -> dict[str, Any]:
    measured: dict[str, Any] = {
        "files": len(contents.starts),
        "kind": contents.text or (contents.starts[0].kind if contents.starts else None),
        "offset": contents.starts[0].offset if contents.starts else None,
    }
    header = next((start.header for start in contents.starts if start.header is not None), None)
    if header is not None:
        measured["header"] = {
            "bytes": header.payload,
            "encoding": header.encoding,
            "codec": header.codec,
            "sample_rate": header.sample_rate,
            "channels": header.channels,
        }
    return measured


def _list_places(facts: Facts, offsets: list[int], note: str) -> tuple[Evidence, ...]:
    return tuple(Evidence(note, *facts.find_frame(offset), offset) for offset in offsets[:5])


def _tell_where(offset: int) -> str:
    return "" if offset == 0 else f" from byte {offset} on"


def _convert(facts: Facts, header: Header | None = None) -> str:
    """The command that makes what was declared; without a declaration what the header says, else 16 kHz."""
    name = ENCODINGS[facts.declared.meant or "pcm_s16le"].ffmpeg or "s16le"
    rate = facts.declared.sample_rate or (header.sample_rate if header is not None else None) or 16000
    return f"ffmpeg -i FILE -f {name} -ac 1 -ar {rate} out.raw"


def _judge_text(facts: Facts, contents: Contents, kind: str) -> Finding:
    summary = f"The bytes are {_TEXTS[kind]}, not samples."
    fix = "Send the samples themselves in binary frames."
    if kind in ("base64", "hex", "data-url"):
        summary = f"The bytes are {_TEXTS[kind]}: text that stands for bytes, not the bytes themselves."
        fix = "Decode to bytes before sending, and send them in binary frames."
    if kind in ("bits", "escapes"):
        fix = "Decode to bytes before sending, and send them in binary frames; audio needs no text on the way."
    if kind == "text" and facts.session is None:
        fix = f"Give check the audio itself: this is a file of text (a log goes to sttdoctor replay). {_IF_SENT}"
    fix = _STRINGS.get(kind, fix)
    if contents.inside is not None:
        summary += f" What it holds is {contents.inside.label}, which is no stream of bare samples either."
        fix += f" Then {_unpack(contents.inside.kind) or f'convert the file: {_convert(facts)}'}"
    if kind in ("http", "html", "json"):
        fix = "Look at what it says: it may be an error of the source. " + fix
    remedy = DecodeText(kind, facts.declared.meant or "pcm_s16le") if kind in _HOLD_BYTES else None
    return CHECK.find("text", "fail", 0.99, summary, _list_places(facts, [0], _TEXTS[kind]), fix, remedy)


def _judge_notes(facts: Facts, contents: Contents) -> Finding | None:
    """Text among samples; what comes with each frame is no message but a header, which another check tells."""
    notes, frames = contents.notes, sum(len(connection.audio_frames) for connection in facts.connections)
    if not notes or (notes[0].kind == "messages" and 0 < frames <= 2 * len(notes)):
        return None
    first, many = notes[0], len(notes)
    where = f"{'at least ' * (many == MOST_NOTES)}{count_noun(many, 'place')}, the first at byte {first.start}"
    if first.kind == "lengths":
        summary = f"HTTP's chunk lengths stand among the samples ({where}): clicks, and what follows may be shifted."
        fix = (
            "Read the body with a client that decodes Transfer-Encoding: chunked, instead of the bytes of the socket, "
            "and send what it returns."
        )
    elif first.kind == "newlines":
        summary = (
            f"Each byte 0x0A has a 0x0D before it ({where}): the bytes went through a text mode, which writes newlines "
            "as two bytes. What follows each is out of step."
        )
        fix = (
            "Move bytes in binary mode: open(path, 'rb') and sys.stdin.buffer or sys.stdout.buffer in Python, "
            "_setmode(_fileno(stdout), _O_BINARY) in C on Windows, no pipe of PowerShell, no conversion of line ends."
        )
    else:
        said = " ".join(first.text.split())[:_QUOTED]
        summary = f"Messages of a program stand among the samples ({where}: {said!r}), and shift what follows."
        fix = (
            "Keep the two apart: let the program that records write its messages to standard error or nowhere "
            "(ffmpeg -loglevel quiet, sox -q, arecord -q), do not join both outputs (2>&1), and print nothing to "
            "standard output yourself."
        )
    places = _list_places(facts, [note.start for note in notes], "text among the samples")
    # where a message ends is not known to the byte: samples beside it may be printable, too
    spans = tuple((note.start, note.stop) for note in notes)
    remedy = CutStream(spans) if first.kind == "lengths" else None
    return CHECK.find("text", "fail", 0.97, summary, places, fix, remedy)


_OF_AN_ARRAY = (
    "Send the samples' bytes, not a file of the array: read it and send samples.astype('<i2').tobytes() "
    "(multiply floats within -1 to 1 by 32767 first)."
)
_PACKED = {
    "pickle": "Send the samples' bytes (samples.tobytes()), not a pickle of the array or of the object that holds it.",
    "java": "Send the bytes themselves (OutputStream.write(bytes), a ByteBuffer), not an object through "
    "ObjectOutputStream, which puts its own header and lengths in front.",
    **dict.fromkeys(("mat", "hdf5", "parquet", "arrow"), _OF_AN_ARRAY),
    **dict.fromkeys(("png", "jpeg", "gif", "pdf"), "Give the bytes that the client sends: this file has no sound."),
}
_QUOTED = 60
_HOLD_BYTES = ("base64", "hex", "data-url", "json")


def _judge_compressed(facts: Facts, starts: list[Start]) -> Finding:
    first = starts[0]
    label = first.label
    summary = f"The bytes are {label}{_tell_where(first.offset)}; the service takes bare samples only."
    if first.offset and len(starts) == 1:
        summary = f"A stream of {label} begins at byte {first.offset}; the service takes bare samples only."
    fix = f"Decode before sending: live audio with a decoder in the client, a file with {_convert(facts)}"
    if first.kind in _UNPACK:
        fix = f"Send what was packed, not the package: {_unpack(first.kind)}."
    if first.kind in _PACKED:
        fix = _PACKED[first.kind]
    if first.kind in ("webm", "ogg", "mp4"):
        fix += " (in a browser take samples from an AudioWorklet: MediaRecorder always gives compressed files)"
    places = _list_places(facts, [start.offset for start in starts], f"{label} begins")
    return CHECK.find("compressed", "fail", 0.99, summary, places, fix)


def _judge_packets(facts: Facts) -> Finding | None:
    """Frames that are packets of a codec, without a container: of many sizes, small, and without order inside."""
    for connection in facts.connections:
        sent = [frame for frame in connection.audio_frames if frame.size]
        packed = find_packed([frame.audio or b"" for frame in sent[:_FIRST]])
        if packed is not None:
            return _tell_packed(packed, sent[0])
        found = find_packets(FrameContents(sent))
        if found is None:
            continue
        first = sent[found.first]
        since = "" if found.first == 0 or first.t is None else f" from {first.t:.1f} s on"
        sizes = join_list(dict.fromkeys(map(str, (found.least, found.most))), "to")
        summary = (
            f"The frames are packets of a codec, not samples{since}: {sizes} bytes each, and without order inside; "
            f"they look like {found.name}."
        )
        place = (Evidence("the first packet", first.line, first.t),)
        fix = _DECODE_GSM if found.name.startswith("GSM") else _DECODE
        return CHECK.find("compressed", "fail", 0.9, summary, place, fix)
    return None


_FIRST = 8  # messages that tell whether each is compressed by itself
_UNPACKED = (
    "Send the samples alone, as they were before they were compressed and framed: leave out gzip.compress() or "
    "zlib.deflate() and what builds the header (a client of another service, as Volcengine's, has both)."
)


def _tell_packed(packed: Packed, first: Frame) -> Finding:
    behind = f", behind {count_noun(packed.offset, 'byte')} of a header" if packed.offset else ""
    summary = f"Each message is compressed by itself with {packed.kind}{behind}; the service takes bare samples only."
    place = (Evidence("the first message", first.line, first.t),)
    return CHECK.find("compressed", "fail", 0.97, summary, place, _UNPACKED)


def _unpack(kind: str) -> str | None:
    """How to get at what a general compressor packed, None for a kind of media."""
    return f"unpack it ({_UNPACK[kind]}) and check what comes out" if kind in _UNPACK else None


def _judge_header(facts: Facts, starts: list[Start]) -> Finding:
    first = starts[0]
    header = first.header
    assert header is not None
    one = f"{LABELS[first.kind].removesuffix(' file')} header"
    label = one.partition(" ")[2]
    count = count_noun(len(starts), label) if len(starts) > 1 else f"{one[0].upper()}{one[1:]}"
    summary = f"{count} of {header.payload} bytes {'stand' if len(starts) > 1 else 'stands'} in the stream"
    summary += (
        ", each played as a click."
        if len(starts) > 1
        else f"{_format_place(first.offset)}; the service plays it as a click."
    )
    if _are_in_a_row(starts):
        summary = f"{count} of {header.payload} bytes each stand one behind the other{_format_place(first.offset)}."
    odds = _tell_odds(facts, header)
    if header.sample_rate is not None or header.encoding is not None:
        summary += f" It says {_format(header)}"
        summary += f"; declared is {odds}." if odds else ", as declared." if facts.declared.meant else "."
    places = _list_places(facts, [start.offset for start in starts], label)
    fix = _strip(facts, starts, header, odds)
    return CHECK.find("wav-header", "fail", 0.99, summary, places, fix, _leave_out_headers(facts, starts))


def _are_in_a_row(starts: list[Start]) -> bool:
    """Whether each header begins where the one before ends."""
    ends = [start.offset + start.header.payload for start in starts if start.header is not None]
    return len(starts) > 1 and ends[:-1] == [start.offset for start in starts[1:]]


def _leave_out_headers(facts: Facts, starts: list[Start]) -> Remedy:
    """Without the headers, and what stands behind samples; what the header says of them is right."""
    contents, audio = facts.sound.contents, facts.audio
    assert contents is not None and audio is not None
    spans = [(start.offset, start.offset + start.header.payload) for start in starts if start.header is not None]
    for place in contents.trailers:
        size = int.from_bytes(audio.data[place + 4 : place + 8].tobytes(), "little")
        spans.append((place, place + 8 + size + size % 2))
    header = starts[0].header if starts else None
    known = header is not None and header.encoding is not None and ENCODINGS[header.encoding].supported
    declares = Declared(header.encoding, header.sample_rate) if known and header is not None else Declared()
    return CutStream(tuple(sorted(spans)), declares=declares)


def _format_place(offset: int) -> str:
    return " at its start" if offset == 0 else f" at byte {offset}"


def _format(header: Header) -> str:
    channels = {None: "", 1: ", mono", 2: ", stereo"}.get(header.channels, f", {header.channels} channels")
    rate = f" at {header.sample_rate} Hz" if header.sample_rate is not None else ""
    return f"{header.codec}{rate}{channels}"


def _tell_odds(facts: Facts, header: Header) -> str:
    """What the client declared, where the header says otherwise; else nothing."""
    said = []
    if facts.declared.meant is not None and header.encoding != facts.declared.meant:
        said.append(facts.declared.meant)
    if facts.declared.sample_rate is not None and header.sample_rate not in (None, facts.declared.sample_rate):
        said.append(f"{facts.declared.sample_rate} Hz")
    if said and header.channels not in (None, 1):
        said.append("and one channel")
    elif header.channels not in (None, 1):
        said.append("one channel (the service takes no other)")
    return " ".join(said)


def _strip(facts: Facts, starts: list[Start], header: Header, odds: str) -> str:
    end = starts[0].offset + header.payload
    fix = f"Send from byte {end} on: "
    if _are_in_a_row(starts):
        end = starts[-1].offset + header.payload
        fix = f"Send from byte {end} on: a header was put in front of a file that has one. "
        fix += "Write none yourself, and "
    elif len(starts) > 1:
        fix = "Write no header to any chunk: each of them is a file of its own now. Of a recording, "
    reader = _READ_WITH.get(starts[0].kind, _READ_OTHERS)
    fix += f"open the file with a reader (in Python {reader}) and send its frames only"
    supported = header.encoding is not None and ENCODINGS[header.encoding].supported and header.channels == 1
    if odds and supported:
        fix += f", and declare encoding={header.encoding} and sample_rate={header.sample_rate}"
    if odds or header.sample_rate is None:
        fix += f"{', or' if supported else ', after you'} convert it: {_convert(facts, header)}"
    else:
        fix += f", or convert it: {_convert(facts, header)}"
    return fix


def _judge_trailers(facts: Facts, offsets: tuple[int, ...]) -> Finding:
    summary = (
        f"A chunk of text of a WAV file (LIST or id3) stands at byte {offsets[0]}; the service plays it as a click."
    )
    fix = "Send only the bytes of the data chunk: as many as its length says, not everything after the header."
    places = _list_places(facts, list(offsets), "chunk of a WAV file")
    return CHECK.find("wav-header", "warn", 0.95, summary, places, fix, _leave_out_headers(facts, []))
