"""Does each frame hold new audio, and nothing else?

Needs the content of the binary frames, in order, and the declared encoding. A frame that begins with a header, repeats
bytes of the one before, ends in zeros or comes from another source is damage that no other check can name: to them it
looks like a wrong rate, like holes or clicks.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sttdoctor import missing
from sttdoctor.analysis.encoding.estimate import LAYOUTS, estimate_encoding
from sttdoctor.analysis.facts import Facts
from sttdoctor.analysis.remedies import CutFrames, CutZeros, DropEmpty, Exchange, SendOnce, TakeStream
from sttdoctor.analysis.session.dump import list_pieces, split_rtp
from sttdoctor.analysis.session.frame_headers import (
    Field,
    find_counted_padding,
    find_field,
    is_torn,
    measure_rtp_header,
)
from sttdoctor.analysis.session.frames import (
    Tail,
    are_halves_swapped,
    are_pairs_swapped,
    count_trailing_zeros,
    find_disorder,
    find_tails,
    is_active,
    is_two_streams,
    list_edges,
    measure_broken_borders,
    measure_same_peaks,
    read_values,
    select_active,
)
from sttdoctor.analysis.session.repeats import (
    Repeat,
    Replays,
    count_sent_again,
    find_doubled,
    find_repeats,
    find_replays,
    find_whole,
)
from sttdoctor.analysis.session.timeline import Connection
from sttdoctor.checks.base import (
    Answer,
    Cause,
    Check,
    Evidence,
    Finding,
    answer,
    count_noun,
    join_list,
    not_applicable,
    pick_worst,
    unknown,
)
from sttdoctor.encodings import ENCODINGS
from sttdoctor.evidence import Frame, FrameContents

CHECK = Check(
    id="frames",
    order=68,
    question="Does each frame hold new audio, and nothing else?",
    kinds=("audio", "session"),
    needs="the content of each binary frame that the client sent, in order, and the declared encoding; of bare audio, "
    "frames that show themselves by what comes again in each",
    why="The service reads every byte of a binary frame as audio. A header, old bytes or padding in each frame become "
    "noise, and shift what follows.",
    how="Frames with sound are searched for fields that are constant or count up at the same place, for bytes that "
    "were in the frame before, for stretches of sound that come twice in a row, for zeros at the end that the next "
    "frame does not continue, and for frames that continue the one before the last instead of the last. Silence and "
    "tones are left out, as they repeat anyway.",
    causes=(
        Cause(
            "frames.header",
            "fail",
            "Each frame has bytes before or after its samples that are not audio.",
            "Send only the samples, without headers, lengths or padding.",
        ),
        Cause(
            "frames.two-streams",
            "fail",
            "Frames from two sources alternate in one stream.",
            "Send one track per connection: filter the messages by their track or speaker (for Twilio media.track "
            '"inbound"), or mix the two sources sample by sample before you send them. For both sides of a call, open '
            "two connections.",
        ),
        Cause(
            "frames.repeated",
            "fail",
            "Frames contain bytes that were sent before.",
            "Send each piece of audio once: look for a handler that is registered twice, a queue that two tasks read, "
            "or a buffer that is sent again when nothing new has come, or that a flush sends and does not empty.",
        ),
        Cause(
            "frames.zero-filled",
            "fail",
            "Frames are only partly filled; they end in zeros.",
            "Send only as many bytes as read() returned: buffer[:n] (Python), buffer.copyOf(n) (Kotlin), "
            "buffer.subarray(0, n) (JavaScript), never the whole buffer after a short read.",
        ),
        Cause(
            "frames.out-of-order",
            "fail",
            "Frames are sent in the wrong order.",
            "Sort packets into the order of their sequence numbers before you send them (a jitter buffer of 50 to "
            "100 ms).",
        ),
        Cause(
            "frames.scaled",
            "fail",
            "Each frame was brought to full scale by itself, so that silence is as loud as speech.",
            "Use one factor for the whole stream: for integers x * 32767 of floats between -1 and 1, for floats x as "
            "it is; limit what is beyond (np.clip). Do not divide each chunk by its own maximum, and do not map it "
            "from its own minimum and maximum to -1 and 1 (np.interp, normalize): that makes noise of pauses and steps "
            "at each border.",
        ),
        Cause(
            "frames.empty",
            "warn",
            "Empty binary frames are sent.",
            "Skip empty frames: send nothing when a filter or a resampler returns nothing.",
        ),
    ),
    docs="https://docs.cartesia.ai/build-with-cartesia/stt/audio-input",
    judge=lambda facts: _judge(facts),
)

_SWAPPED = 0.005

_OWN = (
    "Give a converter or resampler each buffer only once. The input block of AVAudioConverter is called until it has "
    "enough: answer .haveData with the buffer the first time and .noDataNow after that. Elsewhere look for a buffer "
    "that is read past its end."
)
_STUCK = (
    "Check what the read call returned: after a negative count or an error (a device that was unplugged, taken away "
    "or not yet ready) the buffer still holds old audio. Send only what was read, reopen the device, and tell the "
    "user."
)
_OLD_REST = (
    "Send only what was recorded into the buffer, not all of it: the rest is from before. The count is e.BytesRecorded "
    "in NAudio, what read() returned in Java and C, and the limit of a ByteBuffer."
)
_WHOLE_BUFFER = (
    " In PyAV and aiortc take frame.to_ndarray().tobytes(), which holds the samples alone, not bytes(frame.planes[0]), "
    "which is the whole buffer."
)
_LOST = (
    "What should stand there never arrives: the audio is as long as the time that passed, and the sound does not go on "
    "behind the zeros. Look at what makes the frames: a decoder that leaves out the last block of what it is given "
    "(imaadpcm's decode(): call decodeBlock() for each block), a buffer that is handed on before it is full, a device "
    "or a queue that runs dry and is filled up with silence."
)
_HALF_AGAIN = (0.4, 0.6)
_TWO_RECORDERS = (
    " Half of everything twice may also be two recorders on one microphone that send on one socket: stop the processor "
    "or tap of the recording before (disconnect(), removeTap) when a new one starts."
)
_OVERWRITTEN = (
    "Copy each block when it is handed over, before the next one is recorded into the same memory: "
    "q.put(bytes(indata)) or indata.copy() in Python, data.slice() in JavaScript, a new array in Java and C#. What "
    "waits in a queue is a reference to one buffer here, and shows the newest block when the sender is late."
)
_BEYOND = 0.5  # of the length of the repeats
_SCALED = 0.9  # share of frames with one peak
_ONE_PERCENT = 0.01
_AGAIN_S, _HASTE = 1.0, 0.3  # who plays a recording to each connection does so at its pace
_CUT = 0.5  # share of pieces whose last sample is nearer to the next piece's first than both are to zero
_ENDS, _TORN, _AMID = 17, 2.0, 0.05  # samples at both ends; times as far as these are apart; of the level of a piece
_MANY_TORN = 0.15  # share of pieces that come again; of frames of speech it is a third and more
_SAME = 0.6  # share of bytes that are as in the piece before
_MOST_AGAIN = 0.8  # share of frames that were sent before: of those that are sent twice 1/2, three times 2/3
_IN_A_ROW = 0.5  # share of such frames that another one follows; of those that are sent twice none
_EQUAL_PLANES = (
    " Or they are two equal channels, one behind the other, as decoders give them: take one (frame.to_ndarray()[0] in "
    "PyAV)."
)
_EMPTY = (
    "Empty the list or buffer of chunks when a session ends, or make a new one when a session begins. Only what no "
    "turn has answered may be sent again, after a connection that was lost."
)
_HALVES = (
    "The two halves of each frame stand in the wrong order: the sound breaks in the middle of a frame, and goes on "
    "from its end to its beginning."
)
_FILLED_HALF = (
    "Send the half of the double buffer (DMA) that has just been filled: the first one at the half-transfer interrupt, "
    "the second one when the transfer is complete."
)
_PAIRS = "Each two frames stand in the wrong order: the sound goes on once they are exchanged."
_FILLED_FIRST = (
    "Of two buffers that take turns send the one that was filled first. Or keep the order in which chunks were "
    "recorded: one queue and one sender, no task or thread for each chunk."
)
_A_BLOCK_S = 0.15
_FLUSH = (
    "Empty what stands between the device and the sender (a queue, a ring buffer, the driver's buffer) when recording "
    "starts, before the first read, or when it stops."
)
_BLOCK = (
    "Copy each block once, when the device says that it is full. Here a block is read twice and the next one is lost: "
    "of two buffers that change places the wrong one is taken (an index or address that is not advanced)."
)
_UNPAD = (
    "Send the samples alone: where the padding bit of an RTP header (0x20 in its first byte) is set, or a cipher "
    "padded its last block, cut as many bytes from the end as the last byte says (frame[:-frame[-1]]). Better let the "
    "library hand out the payload without it."
)
_STAY_BEHIND = (
    "Read only as far as the ring has been written: ask for the position of the writer before each read "
    "(Microphone.GetPosition in Unity, the hardware pointer of a driver), take what lies between the last place that "
    "was read and that one, and wait when it is too little. The clocks of the device and of the program drift, so "
    "time alone does not tell how much is new. Do not read in the block that is being written."
)
_CLEAR = (
    "Send only as many samples of a block as were written to it, or fill it with zeros before it is filled: a callback "
    "that gets too little from its ring buffer leaves the rest of its output as it was."
)
_AGAIN = (
    "Continue after the last sample that was sent: a reader that starts again at a place of its own (a fragment, a "
    "position, a time) takes the last piece a second time. In Kinesis Video Streams continue with the "
    "ContinuationToken, or after the last fragment (AfterFragmentNumber). Keep the count of bytes that went out, and "
    "drop what comes before it."
)


def _judge(facts: Facts) -> Answer:
    if facts.session is None:
        return _judge_dump(facts)
    sent = [frame for connection in facts.connections for frame in connection.audio_frames]
    if not sent:
        return unknown(facts.why_no_audio or missing.SENT_AUDIO)
    findings = list(_find_empty(facts, sent))
    encoding = facts.declared.meant
    has_content = all(frame.content is not None or frame.size == 0 for frame in sent)
    if encoding is not None and has_content and facts.sound.planes is None:
        for connection in facts.connections:
            findings += _judge_connection(facts, connection, encoding)
        findings += _find_sent_again(facts)
    findings = list({finding.cause: finding for finding in reversed(findings)}.values())[::-1]
    if findings:
        return answer(pick_worst(findings).summary, findings, {"frames": len(sent)})
    if encoding is None:
        return unknown(missing.FORMAT)
    if not has_content:
        return unknown(missing.AUDIO)
    return answer("Each frame holds only new audio.", [], {"frames": len(sent)})


def _judge_dump(facts: Facts) -> Answer:
    """Bare audio has lost its frames, unless something that comes again in each tells where they begin."""
    data = facts.audio.data if facts.audio is not None else np.empty(0, np.uint8)
    packets = split_rtp(data)
    if packets:
        finding, many = _tell_rtp(packets), len(packets)
    else:
        found = next(_judge_pieces(facts, data), None)
        if found is None:
            return replace(not_applicable("Bare audio does not show its frames."), quiet=True)
        finding, many = found
    return answer(finding.summary, [finding], {"frames": many})


def _tell_rtp(packets: list[bytes]) -> Finding:
    length = measure_rtp_header(packets)
    summary = (
        f"The bytes are RTP packets with their headers: {length} of the first {len(packets[0])} bytes are no samples."
    )
    fix = (
        f"Cut the first {length} bytes of each packet, and send the payloads in the order of their sequence numbers. "
        "Better let the RTP library hand out the payload."
    )
    return CHECK.find("header", "fail", 0.97, summary, (Evidence("a packet begins", offset=0),), fix)


def _judge_pieces(facts: Facts, data: NDArray[np.uint8]) -> Iterator[tuple[Finding, int]]:
    """What is wrong with the pieces that bare audio is made of, and how many there are."""
    sound = facts.sound
    layout, contents, estimate = sound.declared_layout or sound.layout, sound.contents, sound.encoding
    if layout is None or contents is None or contents.starts or contents.notes or contents.text is not None:
        return
    if estimate is None or estimate.tones:
        return  # what has a period comes again by itself
    slips = bool(sound.encoding_changes) or estimate.layout.encoding != layout.encoding or estimate.layout.offset > 0
    for start, pieces in list_pieces(data, layout.encoding, sound.jumps, slips):
        size = len(pieces[0])
        sent = [Frame(number, None, True, size, True, piece) for number, piece in enumerate(pieces)]
        active = select_active(pieces, layout.encoding)
        repeat = find_repeats(pieces, active, layout.encoding)
        field = find_field(pieces, active, layout.encoding) if repeat is None else None
        tail = find_tails(pieces, active, layout.encoding) if repeat is None and field is None else None
        if repeat is not None and repeat.kind == "whole" and repeat.share <= _MOST_AGAIN:
            again = find_whole(pieces, active)
            if _follow_one_another(again) or not _are_torn({pieces[i] for i in again}, layout.encoding):
                continue
            finding = _tell_repeat(repeat, sent, layout.encoding, facts.declared.bytes_per_s)
            if ENCODINGS[layout.encoding].is_float:
                finding = replace(finding, fix=finding.fix + _EQUAL_PLANES)
        elif field is not None and _are_samples(pieces, field, layout.encoding):
            finding = next(_tell_field(field, sent, active))
        elif tail is not None and tail.share >= _SCALED:
            finding = _tell_tail(tail, sent, layout.encoding)
        else:
            continue
        places = tuple(Evidence(one.note, offset=start + (one.line or 0) * size) for one in finding.evidence)
        summary = f"The audio was sent in frames of {size} bytes. {finding.summary}"
        yield replace(finding, summary=summary, evidence=places, remedy=None), len(pieces)


def _follow_one_another(numbers: list[int]) -> bool:
    """Whether pieces that come again mostly stand in a row: a sound with a period of its own, no piece sent twice."""
    return float(np.mean(np.isin(np.array(numbers) + 1, numbers))) > _IN_A_ROW


def _are_torn(pieces: Iterable[bytes], encoding: str) -> bool:
    """Whether pieces that come again break off amid sound, as buffers do; digits and beeps end, or go on."""
    torn = []
    for content in pieces:
        values = np.nan_to_num(read_values(content, encoding))
        ends = np.diff(values[:_ENDS]), np.diff(values[-_ENDS:])
        usual, level = (float(np.sqrt(np.mean(x * x))) for x in (np.concatenate(ends), values))
        first, last = float(values[0]), float(values[-1])
        torn.append(abs(first - last) > _TORN * usual and min(abs(first), abs(last)) > _AMID * level)
    return bool(torn) and float(np.mean(torn)) > _MANY_TORN


def _are_samples(pieces: list[bytes], field: Field, encoding: str) -> bool:
    """Whether what is left without the header is sound: a codec's packets begin with the same bytes, too.

    A sound with a period of its own is the same in all pieces.
    """
    if field.kind == "rest":
        return False  # where frames end is not known, and sound with a period of its own goes on over a part of it, too
    body = slice(0, -field.length) if field.at_end else slice(field.length, -field.behind or None)
    bodies = [piece[body] for piece in pieces]
    if field.at_end and sum(not any(piece[-field.length :]) for piece in pieces) > len(pieces) // 2:
        return _are_cut_in_full_sound(bodies, encoding)
    rows = np.frombuffer(b"".join(pieces), np.uint8).reshape(len(pieces), -1)
    if float(np.median((rows[1:] == rows[:-1]).mean(axis=1))) > _SAME:
        return False
    # a tone or a voice that is switched by one is 0 at a period, and goes on over it
    is_plain = not field.kind and not field.counts and field.length % ENCODINGS[encoding].width == 0
    if is_plain and not is_torn(list(pairwise(pieces)), encoding):
        return False
    estimate = estimate_encoding(np.frombuffer(b"".join(bodies), np.uint8))
    best = max(estimate.probabilities, key=lambda key: estimate.probabilities[key])
    return estimate.decidable and best in LAYOUTS and LAYOUTS[best].offset == 0


def _are_cut_in_full_sound(bodies: list[bytes], encoding: str) -> bool:
    """Whether pieces end in the middle of sound and the next begins there, as buffers do that were filled up.

    Words end and begin softly, with pauses between them.
    """
    width = ENCODINGS[encoding].width
    goes_on = []
    for body, following in pairwise(bodies):
        values = np.nan_to_num(read_values(body[: len(body) // width * width], encoding))
        begin = np.nan_to_num(read_values(following[:width], encoding))
        if len(values) and len(begin) and is_active(body):
            last, first = float(values[-1]), float(begin[0])
            goes_on.append(abs(first - last) < min(abs(last), abs(first)))
    return bool(goes_on) and float(np.mean(goes_on)) > _CUT


def _find_empty(facts: Facts, sent: list[Frame]) -> Iterator[Finding]:
    empty = [frame for frame in sent if frame.size == 0]
    share = len(empty) / len(sent)
    if len(empty) >= 3 and share >= facts.limits["frames.empty"]:
        summary = f"{count_noun(len(empty), 'binary frame')} of {len(sent)} ({share:.0%}) are empty."
        place = (Evidence("the first empty frame", empty[0].line, empty[0].t),)
        yield CHECK.find("empty", "warn", 0.95, summary, place, remedy=DropEmpty())


def _judge_connection(facts: Facts, connection: Connection, encoding: str) -> Iterator[Finding]:
    bytes_per_s = facts.declared.bytes_per_s
    sent = [frame for frame in connection.audio_frames if frame.size]
    contents = FrameContents(sent)
    frames = contents.hold()
    active = select_active(frames, encoding)
    repeat = find_repeats(frames, active, encoding)
    if repeat is not None:
        yield _tell_repeat(repeat, sent, encoding, bytes_per_s)
        return  # what else stands out is the doing of what was found
    replays = find_replays(contents, encoding, bytes_per_s) if bytes_per_s else None
    field = find_field(frames, active, encoding) if replays is None or replays.usual_s < _A_BLOCK_S else None
    if field is not None:  # behind which one frame may hold two channels that are alike
        ends = field.length if field.kind == "padding" else 0
        borders = [(frames[i][:-ends], frames[i + 1]) for i, after in pairwise(active) if ends and after == i + 1]
        zeros = field.share * sum(frame.size for frame in sent)
        if _is_sound_lost(zeros, borders, sent, encoding, bytes_per_s):
            summary = f"Each frame ends with zeros in the place of audio, which is lost: {count_noun(ends, 'byte')}, "
            yield _tell_lost(f"{summary}{field.share:.0%} of all.", sent[active[0]])
        else:
            yield from _tell_field(field, sent, active)
        return
    padded = find_counted_padding(frames, active)
    if padded:
        yield _tell_padded(padded, sent, frames)
        return
    if replays is not None:
        yield _tell_replays(replays, sent)
        return
    doubled = _list_sent_at_once(find_doubled(frames, active, encoding), sent, bytes_per_s)
    if len(doubled) >= _FEWEST_DOUBLED:
        again = Repeat("whole", len(doubled), len(doubled) / len(active), 1.0, doubled[0])
        yield replace(_tell_repeat(again, sent, encoding, None), confidence=0.85)
        return
    if are_halves_swapped([frames[i] for i in active], encoding):
        place = (Evidence("the first frame with sound", sent[active[0]].line, sent[active[0]].t),)
        yield CHECK.find("out-of-order", "fail", 0.9, _HALVES, place, _FILLED_HALF)
        return
    width = ENCODINGS[encoding].width
    if sum(len(frames[i]) % width > 0 for i in active) > 0.1 * len(active):
        return  # frames that cut samples go on with each other only as one stream of bytes
    sure = is_two_streams(frames, active, encoding)
    if sure:
        yield _tell_two_streams(sure, sent)
        return
    # bytes of another encoding reach full scale in every frame
    peaks = measure_same_peaks(frames, encoding) if facts.is_read_as(encoding) else None
    if peaks is not None and peaks[0] >= _SCALED:
        yield _tell_scaled(*peaks, sent)
        return
    tail = find_tails(frames, active, encoding)
    if tail is not None:
        zeros, borders = _list_filled(frames, active, width)
        if _is_sound_lost(zeros, borders, sent, encoding, bytes_per_s):
            yield _tell_lost(f"{_say_tail(tail)} They stand in the place of audio, which is lost.", sent[tail.first])
        else:
            yield _tell_tail(tail, sent, encoding)
        return
    edges = list_edges(frames, active, encoding)
    if are_pairs_swapped(edges):
        place = (Evidence("the first frame with sound", sent[active[0]].line, sent[active[0]].t),)
        yield CHECK.find("out-of-order", "fail", 0.9, _PAIRS, place, _FILLED_FIRST)
        return
    swapped = find_disorder(edges)
    if len(swapped) >= max(3, _SWAPPED * len(active)) and _explains_broken(swapped, frames, active, encoding):
        yield _tell_disorder(swapped, len(active), sent)


def _find_sent_again(facts: Facts) -> Iterator[Finding]:
    """A connection that begins, at once, with the audio of an earlier one that had been ended as it should be."""
    rate = facts.declared.bytes_per_s
    for number, (before, connection) in enumerate(pairwise(facts.connections), 2):
        sent = connection.audio_frames
        if not rate or not sent or not facts.has_close_command(before) or sent[0].t is None:
            continue
        same = count_sent_again(FrameContents(before.audio_frames), FrameContents(sent))
        passed, last = 0, sent[0]
        for last in sent:
            passed += last.size
            if passed >= same:
                break
        if same < _AGAIN_S * rate or last.t is None or last.t - sent[0].t > _HASTE * same / rate:
            continue
        summary = (
            f"Connection {number} begins with {same / rate:.1f} s of audio that the connection before it had sent and "
            "ended: it is transcribed again."
        )
        place = (Evidence("sent again from here", sent[0].line, sent[0].t),)
        yield CHECK.find("repeated", "fail", 0.9, summary, place, _EMPTY)
        return


def _explains_broken(swapped: list[int], frames: Sequence[bytes], active: list[int], encoding: str) -> bool:
    """Whether hardly more frames are torn than those that were swapped; where all are, some fit by chance."""
    broken = measure_broken_borders(frames, encoding) or 0.0
    return broken <= _BROKEN_BY_ONE * len(swapped) / len(active) + _BROKEN_ANYHOW


_BROKEN_BY_ONE, _BROKEN_ANYHOW = 5, 0.1  # borders that one found exchange stands for; share that lost frames break


def _tell_disorder(swapped: list[int], count: int, sent: list[Frame]) -> Finding:
    first = sent[swapped[0]]
    summary = (
        f"{count_noun(len(swapped), 'frame')} of {count} with sound fit before the frame that they follow, and not "
        f"after it: they were overtaken on the way."
    )
    place = (Evidence("the first of them", first.line, first.t),)
    return CHECK.find("out-of-order", "fail", 0.9, summary, place, remedy=Exchange(tuple(swapped)))


def _tell_field(field: Field, sent: list[Frame], active: list[int]) -> Iterator[Finding]:
    first = sent[active[0]]
    place = (Evidence("the first frame with sound", first.line, first.t),)
    names = {
        "RTP": "an RTP header",
        "AudioSocket": "an AudioSocket header",
        "event stream": "an envelope of AWS's event stream",
        "protobuf": "what a message of Protocol Buffers has in front of its samples",
        "length": "its length",
        "padding": "zeros that pad it",
        "checksum": "bytes of any value, as of a checksum, over which the sound goes on",
        "rest": "bytes of another time, over which the sound goes on",
        "RTP padding": "the padding of an RTP packet, of which the last byte tells the length",
        "": "bytes that are no samples",
    }
    where = "ends with" if field.at_end else "begins with"
    count = " (a part of it counts up)" if field.counts and not field.kind else ""
    size = count_noun(field.length, "byte")
    share = f"{field.share:.0%}" if field.share >= _ONE_PERCENT else "less than 1%"
    behind = f", and ends with {field.behind} more" if field.behind else ""
    summary = f"Each frame {where} {names[field.kind]}: {size}{count}{behind}, {share} of all."
    head, tail = (0, field.length) if field.at_end else (field.length, field.behind)
    remedy = CutFrames(head, tail, field.kind == "RTP" and field.disorder > 0)
    fix = f"Send the samples alone: {remedy.words}."
    fix += {
        "RTP": " Better let the RTP library hand out the payload; it also knows lost and late packets.",
        "AudioSocket": " Those are the type and the length of the message; send only messages of a type of audio.",
        "event stream": " Amazon Transcribe takes audio in such envelopes, this service takes bare samples: leave out "
        "the marshaller.",
        "protobuf": " Parse each message and send the bytes of its audio field: the length of what stands in front "
        "varies, and more may follow the samples. A framework such as Pipecat has a serializer to leave out or "
        "replace.",
        "padding": _WHOLE_BUFFER,
        "RTP padding": " Where the padding bit of the header (0x20 in its first byte) is set, cut as many bytes as the "
        "last one says; some RTP libraries leave them in the payload.",
        "rest": f" The buffer is longer than what was written into it.{_WHOLE_BUFFER}",
    }.get(field.kind, "")
    yield CHECK.find("header", "fail", 0.95, summary, place, fix, remedy if field.kind != "protobuf" else None)
    if field.disorder:
        text = f"{count_noun(field.disorder, 'frame')} came later than its sequence number says."
        yield CHECK.find("out-of-order", "fail", 0.9, text, place)


def _tell_padded(padded: list[int], sent: list[Frame], frames: Sequence[bytes]) -> Finding:
    sizes = [frames[i][-1] for i in padded]
    first = sent[padded[0]]
    place = (Evidence("the first of them", first.line, first.t),)
    span = join_list(dict.fromkeys(str(size) for size in (min(sizes), max(sizes))), "to")
    summary = (
        f"{count_noun(len(padded), 'frame')} end with padding behind the samples: {span} bytes, of which the last one "
        "says how many they are."
    )
    return CHECK.find("header", "fail", 0.95, summary, place, _UNPAD)


_FEWEST_DOUBLED, _AT_ONCE, _BESIDE, _IN_BURSTS = 3, 0.25, 4, 0.1


def _list_sent_at_once(doubled: list[int], sent: list[Frame], bytes_per_s: float | None) -> list[int]:
    """Which frames go out right behind the one before them, besides all that are sent as they are recorded.

    One that is heard in the place of a lost one takes the time of that one, also where frames are sent some at a time.
    """
    times = [frame.t for frame in sent]
    if len(doubled) < _FEWEST_DOUBLED or not bytes_per_s or None in times:
        return []
    t_s, audio_s = np.array(times, np.float64), np.array([frame.size for frame in sent]) / bytes_per_s
    at_once = np.concatenate([[False], np.diff(t_s) < _AT_ONCE * audio_s[1:]])
    if np.count_nonzero(at_once) - np.count_nonzero(at_once[doubled]) > _IN_BURSTS * len(sent):
        return []
    passed_s = np.cumsum(audio_s)

    def adds(number: int) -> bool:
        first, last = max(number - _BESIDE, 0), min(number + _BESIDE, len(sent) - 1)
        more_s = passed_s[last] - passed_s[first] - (t_s[last] - t_s[first])
        return bool(audio_s[number] / 2 < more_s < 1.5 * audio_s[number])

    return [number for number in doubled if at_once[number] and adds(number)]


def _tell_repeat(repeat: Repeat, sent: list[Frame], encoding: str, bytes_per_s: float | None) -> Finding:
    first = sent[repeat.first]
    remedy = SendOnce(repeat.kind, encoding, repeat.first)
    place = (Evidence("the first frame that repeats", first.line, first.t),)
    begin = f"{count_noun(repeat.count, 'frame')} ({repeat.share:.0%} of those with sound)"
    if repeat.kind == "place":
        size = first.size
        summary = (
            f"{begin} repeat the one before at the same place: {repeat.alike:.0%} of the bytes are the same bytes "
            "again."
        )
        fix = (
            f"Send only the bytes that are new. Frames of {size} bytes that hardly change are a whole buffer: in Node "
            "send buf.subarray(...), or new Uint8Array(buf.buffer, buf.byteOffset, buf.byteLength), never buf.buffer "
            "(it is the pool of 8192 bytes); elsewhere copy a buffer before it is filled again."
        )
        return CHECK.find("repeated", "fail", 0.95, summary, place, fix, remedy)
    if repeat.kind == "grown":
        summary = (
            f"{begin} hold the whole frame before and a little more: all that was recorded is sent again and again."
        )
        fix = (
            "Send each chunk once: empty the list or buffer after each send (chunks = [], buffer.clear()), instead of "
            "joining all chunks so far (new Blob(chunks), b''.join(frames))."
        )
        return CHECK.find("repeated", "fail", 0.97, summary, place, fix, remedy)
    if repeat.kind == "rest":
        summary = (
            f"{begin} end with bytes that stood at the same place of the frame before: {repeat.alike:.0%} of a frame "
            "is old."
        )
        return CHECK.find("repeated", "fail", 0.9, summary, place, _OLD_REST)
    if repeat.kind == "front":
        summary = (
            f"{begin} begin with the bytes with which the next one begins, {repeat.alike:.0%} of a frame: they were "
            "overwritten before they were sent, and what stood there is lost."
        )
        return CHECK.find("repeated", "fail", 0.95, summary, place, _OVERWRITTEN)
    if repeat.kind == "overlap":
        summary = (
            f"{begin} begin with the bytes with which the one before ended: {repeat.alike:.0%} of a frame is sent "
            "twice."
        )
        fix = "Advance by a whole frame: send only what follows the last sample that was sent, without the overlap."
        if _HALF_AGAIN[0] <= repeat.alike <= _HALF_AGAIN[1]:
            fix += _TWO_RECORDERS
        return CHECK.find("repeated", "fail", 0.95, summary, place, fix, remedy)
    if repeat.kind == "own":
        summary = f"{begin} end with the bytes with which they began: {repeat.alike:.0%} of a frame is sent twice."
        return CHECK.find("repeated", "fail", 0.95, summary, place, _OWN, remedy)
    if repeat.kind == "stuck":
        since = f"From {first.t:.1f} s on" if first.t is not None else "At one place"
        summary = (
            f"{since} the same frame of {first.size} bytes is sent again and again, {repeat.count} times: nothing new "
            f"was recorded."
        )
        return CHECK.find("repeated", "fail", 0.95, summary, place, _STUCK, remedy)
    summary = f"{begin} hold the same bytes as one that was sent before."
    if repeat.kind == "whole" and bytes_per_s and _stands_for_others(repeat, sent, bytes_per_s):
        summary = f"{summary[:-1]}, in the place of new audio, which is lost."
        return CHECK.find("repeated", "fail", 0.95, summary, place, _OVERWRITTEN)
    return CHECK.find("repeated", "fail", 0.95, summary, place, remedy=remedy)


def _stands_for_others(repeat: Repeat, sent: list[Frame], bytes_per_s: float) -> bool:
    """Whether each repeat takes the place of another frame."""
    return _fills_its_time(repeat.count * sum(frame.size for frame in sent) / len(sent), sent, bytes_per_s)


def _fills_its_time(doubtful: float, sent: list[Frame], bytes_per_s: float) -> bool:
    """Whether the audio is as long as the clock ran, doubtful bytes included: they stand in the place of others."""
    first, last = sent[0].t, sent[-1].t
    if first is None or last is None:
        return False
    beyond_s = (sum(frame.size for frame in sent) - sent[0].size) / bytes_per_s - (last - first)
    return beyond_s < _BEYOND * doubtful / bytes_per_s


def _list_filled(frames: Sequence[bytes], active: list[int], width: int) -> tuple[int, list[tuple[bytes, bytes]]]:
    """How many zero bytes fill up frames, and those frames without them, each with the one that follows."""
    counts = [(i, count_trailing_zeros(frames[i], frames[i + 1], width)) for i in active if i + 1 < len(frames)]
    borders = [(frames[i][: len(frames[i]) - zeros], frames[i + 1]) for i, zeros in counts if zeros]
    return sum(zeros for _, zeros in counts), borders


def _is_sound_lost(
    zeros: float, borders: list[tuple[bytes, bytes]], sent: list[Frame], encoding: str, bytes_per_s: float | None
) -> bool:
    """Whether zero bytes at the ends of frames stand where sound was: the time is full, and nothing goes on over them.

    Args:
        zeros: How many of all.
        borders: Frames without them, each with the one that follows.
        sent: All frames.
        encoding: Of the samples.
        bytes_per_s: None where nothing was declared.
    """
    if not borders or not bytes_per_s or not _fills_its_time(zeros, sent, bytes_per_s):
        return False
    return is_torn(borders, encoding)


def _tell_lost(summary: str, first: Frame) -> Finding:
    place = (Evidence("the first of them", first.line, first.t),)
    return CHECK.find("zero-filled", "fail", 0.9, summary, place, _LOST)


def _tell_replays(replays: Replays, sent: list[Frame]) -> Finding:
    first = sent[replays.first]
    place = (Evidence("here the first of them begins again", first.line, first.t),)
    summary = (
        f"{replays.count} stretches of about {replays.usual_s:.2g} s are sent twice in a row, byte for byte: "
        f"{replays.share:.0%} of the audio."
    )
    if replays.block_s:
        summary = (
            f"{replays.count} times the end of a block of {1000 * replays.block_s:.3g} ms is what stood at the same "
            "place of the block before, byte for byte: the block was filled in part only, and its old rest was "
            "sent again."
        )
        return CHECK.find("repeated", "fail", 0.9, summary, place, _CLEAR)
    if replays.lap_s:
        summary = (
            f"{replays.count} pieces of about {1000 * replays.usual_s:.2g} ms ({replays.share:.0%} of the audio) were "
            f"sent {replays.lap_s:.3g} s before, byte for byte: a ring buffer of that length is read where it has not "
            "been written anew."
        )
        return CHECK.find("repeated", "fail", 0.9, summary, place, _STAY_BEHIND)
    if replays.gap_s:
        summary = (
            f"{replays.count} stretches of {replays.usual_s:.2f} s each are sent once more about {replays.gap_s:.1f} s "
            "after they ended, byte for byte: a buffer still holds the end of what was recorded before."
        )
        return CHECK.find("repeated", "fail", 0.85, summary, place, _FLUSH)
    return CHECK.find("repeated", "fail", 0.95, summary, place, _BLOCK if replays.usual_s < _A_BLOCK_S else _AGAIN)


def _tell_two_streams(sure: float, sent: list[Frame]) -> Finding:
    summary = (
        "Frames of two streams alternate: each continues where the one before the last ended, and its level has "
        "nothing to do with that of its neighbours."
    )
    place = (Evidence("the first frame of the second stream", sent[1].line, sent[1].t),)
    return CHECK.find("two-streams", "fail", sure, summary, place, remedy=TakeStream())


def _tell_scaled(share: float, peak: float, sent: list[Frame]) -> Finding:
    summary = (
        f"{share:.0%} of the frames have the same largest value ({peak:.0%} of full scale), those of pauses too: each "
        "was normalised by itself."
    )
    return CHECK.find("scaled", "fail", 0.95, summary, (Evidence("the first frame", sent[0].line, sent[0].t),))


def _tell_tail(tail: Tail, sent: list[Frame], encoding: str) -> Finding:
    first = sent[tail.first]
    place = (Evidence("the first of them", first.line, first.t),)
    return CHECK.find("zero-filled", "fail", 0.9, _say_tail(tail), place, remedy=CutZeros(encoding))


def _say_tail(tail: Tail) -> str:
    return (
        f"{count_noun(tail.count, 'frame')} ({tail.share:.0%} of those with sound) end in zeros although the sound "
        f"goes on: on average the last {1 - tail.filled:.0%} of such a frame is zeros."
    )
