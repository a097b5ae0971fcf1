import base64
import json
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sttdoctor.analysis.encoding.disguise import Disguise
from sttdoctor.analysis.remedies import (
    ChangeBits,
    CutFrames,
    CutStream,
    CutZeros,
    DecodeText,
    DropEmpty,
    Exchange,
    FillSilence,
    Remedy,
    Rescale,
    SendOnce,
    SwapPairs,
    TakeChannel,
    TakePlane,
    TakeStream,
    mend_session,
)
from sttdoctor.evidence import Declared, Frame, Session

WHOLE = st.lists(st.integers(0, 60), min_size=1, max_size=12)


def noise(samples, seed=0):
    return np.random.default_rng(seed).integers(-9000, 9000, samples).astype("<i2").tobytes()


def cut(data, sizes):
    ends = np.cumsum([0, *sizes])
    return [data[a:b] for a, b in pairwise(ends)]


@given(WHOLE, st.integers(0, 20), st.booleans())
def test_a_header_is_taken_off_each_frame(sizes, length, at_end):
    frames = cut(noise(1000), sizes)
    head = bytes(range(length))
    sent = [frame + head if at_end else head + frame for frame in frames]
    assert CutFrames(0 if at_end else length, length if at_end else 0).apply(sent) == frames


def test_packets_are_put_in_the_order_of_their_numbers_across_the_end_of_16_bits():
    frames = [bytes([n]) * 20 for n in range(8)]
    packets = [b"\x80\0" + ((65533 + n) % 65536).to_bytes(2, "big") + frame for n, frame in enumerate(frames)]
    mixed = [packets[n] for n in (0, 2, 1, 3, 4, 4, 6, 5, 7)]
    assert CutFrames(4, in_sequence=True).apply(mixed) == [*frames, b""]


@given(WHOLE, st.lists(st.tuples(st.integers(0, 400), st.integers(1, 90)), max_size=4))
def test_parts_of_the_stream_are_left_out_wherever_frames_end(sizes, parts):
    frames = cut(noise(400), sizes)
    joined = b"".join(frames)
    spans = tuple(sorted((first, first + length) for first, length in parts))
    keep = bytearray(b"\1" * len(joined))
    for first, stop in spans:
        keep[first:stop] = bytes(len(keep[first:stop]))
    wanted = bytes(byte for byte, kept in zip(joined, keep, strict=True) if kept)
    assert b"".join(CutStream(spans).apply(frames)) == wanted


@pytest.mark.parametrize("encoding", ["pcm_s16le", "pcm_f32le", "s24le"])
@given(sizes=WHOLE, channels=st.integers(2, 8))
def test_one_channel_of_interleaved_ones_and_of_planes(encoding, sizes, channels):
    width = {"pcm_s16le": 2, "pcm_f32le": 4, "s24le": 3}[encoding]
    counts = [size % 7 for size in sizes]
    rows = np.random.default_rng(1).integers(0, 256, (sum(counts), channels, width), dtype=np.uint8)
    apart = cut(rows.tobytes(), [count * channels * width for count in counts])
    planes = [
        np.frombuffer(frame, np.uint8).reshape(-1, channels, width).transpose(1, 0, 2).tobytes() for frame in apart
    ]
    one = rows[:, channels - 1].tobytes()
    assert b"".join(TakeChannel(encoding, channels - 1, channels).apply(apart)) == one
    assert TakePlane(encoding, channels - 1, channels).apply(planes) == cut(one, [count * width for count in counts])


def test_swapped_samples_are_put_back_across_frames_of_odd_length():
    samples = np.arange(100, dtype="<i2")
    swapped = samples.reshape(-1, 2)[:, ::-1].tobytes()
    assert b"".join(SwapPairs("pcm_s16le").apply(cut(swapped, [30, 46, 124]))) == samples.tobytes()


@given(sizes=WHOLE)
def test_bits_are_changed_back_across_frames_of_odd_length(sizes):
    samples = np.random.default_rng(3).integers(-32768, 32768, sum(sizes), np.int16)
    frames = cut((samples.astype(np.int32) + 32768).astype("<u2").tobytes(), [2 * size for size in sizes])
    whole = b"".join(ChangeBits(Disguise("unsigned", "pcm_s16le", b"\0\x80")).apply(frames))
    assert whole == samples.tobytes()


def test_samples_are_brought_to_scale_and_limited():
    low = np.array([-3, 0, 2, 32767], "<i4").tobytes()
    assert np.frombuffer(b"".join(Rescale("pcm_s32le", 65536.0).apply([low])), "<i4").tolist() == [
        -3 * 65536,
        0,
        2 * 65536,
        32767 * 65536,
    ]
    raw = np.array([2000, 2100, 0, 4095], "<i2").tobytes()
    centred = np.frombuffer(b"".join(Rescale("pcm_s16le", 16.0, 2000.0).apply([raw])), "<i2")
    assert centred.tolist() == [0, 1600, -32000, 32767]


def test_runs_of_zero_bytes_become_the_code_of_silence():
    frames = FillSilence("pcm_mulaw", ((2, 4),)).apply([b"ab\0", b"\0cd"])
    assert frames == [b"ab\xff", b"\xffcd"]


@pytest.mark.parametrize("kind", ["whole", "overlap", "own", "place", "stuck"])
def test_what_was_sent_before_is_sent_once(kind):
    parts = cut(noise(4000), [400] * 20)
    sent = {
        "whole": [part for part in parts for _ in range(2)],
        "overlap": [parts[max(0, n - 1)][200:] * (n > 0) + part for n, part in enumerate(parts)],
        "own": [part + part[:100] for part in parts],
        "place": [b"".join(parts[n // 8 * 8 + k - (8 if k > n % 8 else 0)] if n >= 8 else
                  parts[k] * (k <= n) + bytes(400) * (k > n) for k in range(8)) for n in range(20)],
        "stuck": [*parts[:5], *[parts[4]] * 20],
    }[kind]  # fmt: skip
    wanted = parts[:5] if kind == "stuck" else parts
    assert b"".join(SendOnce(kind, "pcm_s16le", 4).apply(sent)) == b"".join(wanted)


def test_one_of_two_streams_is_the_one_with_more_sound():
    frames = [noise(200, n) if n % 2 else bytes(400) for n in range(10)]
    assert [bool(frame) for frame in TakeStream().apply(frames)] == [False, True] * 5


def test_zeros_behind_a_short_read_go_and_those_of_a_pause_stay():
    sound, last = noise(200), noise(160)
    frames = [last + bytes(80), sound, last + bytes(80), bytes(400)]
    assert CutZeros("pcm_s16le").apply(frames) == [last, sound, last + bytes(80), bytes(400)]


def test_overtaken_frames_change_places():
    assert Exchange((2, 4)).apply([b"a", b"c", b"b", b"e", b"d"]) == [b"a", b"b", b"c", b"d", b"e"]


SAMPLES = noise(120)
TEXTS = {
    "base64": base64.b64encode(SAMPLES).decode(),
    "in JSON": {"type": "audio", "data": base64.b64encode(SAMPLES).decode()},
    "hex": SAMPLES.hex(),
    "list": {"type": "audio", "samples": np.frombuffer(SAMPLES, "<i2").tolist()},
    "numbers": ",".join(map(str, np.frombuffer(SAMPLES, "<i2"))),
    "buffer": {"type": "Buffer", "data": list(SAMPLES)},
    "typed array": {str(n): int(value) for n, value in enumerate(np.frombuffer(SAMPLES, "<i2"))},
    "floats": {"audio": (np.frombuffer(SAMPLES, "<i2") / 32768).tolist()},
    "python": str(SAMPLES),
}


def texted(content):
    text = content if isinstance(content, str) else None
    return Frame(1, 0.1, True, len(text or json.dumps(content)), message=None if text else content, text=text)


@pytest.mark.parametrize("form", TEXTS)
def test_audio_that_was_sent_as_text_becomes_the_bytes_that_it_stands_for(form):
    (frame,) = mend_session(Session((texted(TEXTS[form]),)), DecodeText()).events
    assert (frame.binary, frame.audio, frame.size) == (True, SAMPLES, len(SAMPLES))


@pytest.mark.parametrize("content", ["[object ArrayBuffer]", {"type": "close"}, "finalize"])
def test_text_that_holds_no_audio_becomes_none(content):
    frames = mend_session(Session((texted(content),)), DecodeText()).events
    assert not any(frame.audio for frame in frames)


@pytest.mark.parametrize("kind", ["base64", "hex", "json"])
def test_text_in_binary_frames_is_decoded_wherever_they_end(kind):
    piece = base64.b64encode(SAMPLES)
    message = b'{"event":"media","media":{"payload":"' + piece + b'"}}'
    text = {"base64": piece, "hex": SAMPLES.hex().encode(), "json": message * 2}[kind]
    frames = DecodeText(kind).apply(cut(text, [len(text) // 3, 5, len(text)]))
    assert b"".join(frames) == SAMPLES * (2 if kind == "json" else 1)


def test_base64_that_is_padded_in_each_frame_is_decoded_piece_by_piece():
    pieces = [SAMPLES[:100], SAMPLES[100:107], SAMPLES[107:]]
    assert b"".join(DecodeText("base64").apply([base64.b64encode(piece) for piece in pieces])) == SAMPLES


def test_what_was_redacted_of_text_does_not_shift_what_follows():
    text = base64.b64encode(noise(300))
    frames = cut(text, [200] * 4)
    masked = [frames[0], frames[1][:50] + b"REDACTED" + frames[1][87:], *frames[2:]]
    mended, whole = (b"".join(DecodeText("base64").apply(sent)) for sent in (masked, frames))
    assert len(mended) == len(whole) and mended[300:] == whole[300:]


def test_frames_that_are_left_empty_are_not_sent_and_others_keep_their_times():
    frames = tuple(Frame(n, n / 10, True, 4 * (n % 2), True, b"abcd" * (n % 2)) for n in range(6))
    mended = mend_session(Session(frames), DropEmpty()).events
    assert [(frame.t, frame.audio) for frame in mended] == [(0.1, b"abcd"), (0.3, b"abcd"), (0.5, b"abcd")]


def test_a_declaration_says_itself():
    assert Remedy(declares=Declared("pcm_f32le", 24000)).words == "declare encoding=pcm_f32le and sample_rate=24000"
