"""Frames as frames: what each holds beside new audio."""

import struct
import zlib
from dataclasses import replace

import numpy as np
import pytest
from builders import causes, report, session, steady, turn
from common import FIXTURES
from hypothesis import given, settings
from hypothesis import strategies as st

import sttdoctor
from sttdoctor.analysis.session.dump import split_rtp
from sttdoctor.analysis.session.frame_headers import find_field
from sttdoctor.analysis.session.frames import are_pairs_swapped, find_tails, is_two_streams, list_edges, select_active
from sttdoctor.analysis.session.repeats import find_repeats
from sttdoctor.evidence import Frame, Session

SPEECH = (FIXTURES / "audio" / "s16-16k.raw").read_bytes()
URL = "wss://api.cartesia.ai/stt/turns/websocket?model=ink-2&encoding=pcm_s16le&sample_rate=16000&cartesia_version=2026-03-01"


def cut(data=SPEECH, size=3200):
    return [data[i : i + size] for i in range(0, len(data) - size + 1, size)]


def sent(frames):
    """A session that sends these frames, a tenth of a second each."""
    base = session(steady(len(frames) / 10), url=URL, events=turn(0.5, "Hello", end=0.9))
    contents = iter(frames)

    def fill(event):
        if isinstance(event, Frame) and event.binary:
            content = next(contents)
            return replace(event, content=content, size=len(content))
        return event

    return Session(tuple(map(fill, base.events)), url=URL)


def found(frames):
    return causes(sent(frames), "frames")


def first(frames):
    return report(sent(frames), "frames").checks[0].findings[0]


def rtp(number, data):
    return bytes([0x80, 0]) + (900 + number).to_bytes(2, "big") + (160 * number).to_bytes(4, "big") + b"abcd" + data


def test_frames_of_speech_are_right():
    assert found(cut()) == {} and found(cut(size=640)) == {}


@pytest.mark.parametrize("size", [320, 640, 3200])
@pytest.mark.parametrize(
    ("put", "length", "name"),
    [
        (rtp, 12, "an RTP header"),
        (lambda _, data: b"\x10" + len(data).to_bytes(2, "big") + data, 3, "an AudioSocket header"),
        (lambda _, data: len(data).to_bytes(4, "little") + data, 4, "its length"),
        (lambda n, data: b"\x01\x00" + n.to_bytes(4, "big") + data, 6, "(a part of it counts up)"),
        (lambda _, data: b"AUD\x07" + data, 4, "no samples"),
    ],
)
def test_what_stands_before_the_samples_is_told_with_its_length(size, put, length, name):
    finding = first([put(number, data) for number, data in enumerate(cut(size=size))])
    assert (finding.cause, finding.status) == ("frames.header", "fail")
    assert name in finding.summary and f"{length} bytes" in finding.summary and f"frame[{length}:]" in finding.fix


def test_zeros_behind_the_samples_of_every_frame_are_padding():
    finding = first([data + bytes(128) for data in cut(size=640)])
    assert finding.cause == "frames.header" and "128 bytes" in finding.summary and "frame[:-128]" in finding.fix


def test_packets_that_came_in_another_order_are_told_by_their_numbers():
    packets = [rtp(number, data) for number, data in enumerate(cut(size=640))]
    swapped = [packets[i ^ 1] if i ^ 1 < len(packets) else packets[i] for i in range(len(packets))]
    assert found(swapped).get("frames.out-of-order") == "fail"


def test_a_pool_that_is_sent_whole_repeats_the_frame_before():
    pool, frames = bytearray(8192), []
    for number, data in enumerate(cut(size=640)):
        pool[number % 12 * 640 : number % 12 * 640 + 640] = data
        frames.append(bytes(pool))
    finding = first(frames)
    assert finding.cause == "frames.repeated" and "buf.subarray" in finding.fix


def test_everything_twice_and_overlaps_are_repeats():
    frames = cut(size=640)
    assert found([frame for frame in frames for _ in range(2)]) == {"frames.repeated": "fail"}
    assert found([SPEECH[i : i + 1280] for i in range(0, len(SPEECH) - 1280, 640)]) == {"frames.repeated": "fail"}


def test_a_recording_that_is_played_in_a_loop_repeats_nothing():
    assert found(cut() * 3) == {}


@pytest.mark.parametrize("rate", [400, 440, 1000])
def test_a_tone_repeats_itself_with_nothing_wrong(rate):
    tone = (8000 * np.sin(2 * np.pi * rate * np.arange(160000) / 16000)).astype("<i2").tobytes()
    assert found(cut(tone, 640)) == {}


def test_two_tracks_in_turn_are_two_streams():
    one = cut(size=640)
    other = one[len(one) // 2 :] + one[: len(one) // 2]
    finding = first([frame for pair in zip(one, other, strict=True) for frame in pair])
    assert (finding.cause, finding.status) == ("frames.two-streams", "fail")


@pytest.mark.parametrize("lost", [1.0 / 4, 3.0 / 4])
def test_zeros_in_the_place_of_sound_are_no_padding_that_can_be_cut(lost):
    zeros = round(3200 * lost) // 2 * 2
    finding = first([chunk[:-zeros] + bytes(zeros) for chunk in cut()])
    assert finding.cause == "frames.zero-filled" and f"{lost:.0%}" in finding.summary
    assert "never arrives" in finding.fix and finding.remedy is None


def test_zeros_that_fill_up_most_of_each_frame_are_padding():
    finding = first([chunk + bytes(5 * len(chunk)) for chunk in cut(size=640)])
    assert finding.cause == "frames.header" and "3200 bytes" in finding.summary and "to_ndarray" in finding.fix


@pytest.mark.parametrize("length", [2, 4, 16])
def test_padding_of_packets_is_told_by_its_last_byte(length):
    padded = first([chunk + bytes(length - 1) + bytes([length]) for chunk in cut(size=640)])
    assert padded.cause == "frames.header" and "padding of an RTP packet" in padded.summary and "0x20" in padded.fix
    other = first([chunk + bytes(length - 1) + bytes([length + 1]) for chunk in cut(size=640)])
    assert other.cause == "frames.header" and "RTP" not in other.summary


def test_short_reads_end_in_zeros():
    lengths = [(3200, 2200, 3200)[i % 3] for i in range(len(SPEECH) // 3200)]
    ends = np.cumsum(lengths).tolist()
    finding = first([SPEECH[end - n : end].ljust(3200, b"\0") for end, n in zip(ends, lengths, strict=True)])
    assert finding.cause == "frames.zero-filled" and "buffer[:n]" in finding.fix and finding.remedy is not None


def test_a_queue_that_runs_dry_now_and_then_loses_sound():
    finding = first([data if i % 3 else data[:2200] + bytes(1000) for i, data in enumerate(cut())])
    assert finding.cause == "frames.zero-filled" and "which is lost" in finding.summary
    assert "runs dry" in finding.fix and finding.remedy is None


def test_a_gate_that_gives_zeros_is_no_short_read():
    samples = np.frombuffer(SPEECH, "<i2").copy()
    loud = np.convolve(np.abs(samples.astype(float)), np.ones(800) / 800, "same") > 400
    assert found(cut((samples * loud).astype("<i2").tobytes())) == {}


@pytest.mark.parametrize(("check", "length"), [("B", 1), (">H", 2), ("<I", 4)])
@pytest.mark.parametrize("size", [320, 640])
def test_a_checksum_shows_by_the_sound_that_goes_on_over_it(check, length, size):
    def put(data):
        return data + struct.pack(check, zlib.crc32(data) % 256**length)

    frames = cut(size=size)
    finding = first([put(frame) for frame in frames])
    assert finding.cause == "frames.header" and f"{length} byte" in finding.summary
    assert finding.remedy.apply([put(frame) for frame in frames]) == frames


def test_frames_with_a_sample_less_at_each_end_have_no_checksum():
    assert "frames.header" not in found([frame[:-2] for frame in cut(size=640)])
    faded = [np.frombuffer(frame, "<i2").copy() for frame in cut(size=640)]
    for samples in faded:
        samples[-1] //= 3
    assert "frames.header" not in found([samples.tobytes() for samples in faded])


def test_samples_of_another_width_have_no_checksum():
    """Read as 16 bits, those of 24 are noise, which goes on over any border."""
    low = np.random.default_rng(3).integers(0, 256, len(SPEECH) // 2, dtype=np.uint8)
    wide = np.column_stack([low, np.frombuffer(SPEECH, np.uint8).reshape(-1, 2)]).tobytes()
    frames = [wide[start : start + 1599] for start in range(0, len(wide) - 1599, 1599)]
    assert "frames.header" not in found(frames)


def test_empty_frames_are_a_habit_or_not():
    frames = cut()
    assert found([data if i % 2 else b"" for i, data in enumerate(frames)]) == {"frames.empty": "warn"}
    assert found([b"", *frames]) == {}


def test_lengths_alone_tell_of_empty_frames_only():
    assert report(session(steady(8)), "frames").checks[0].status in ("unknown", "pass")


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.binary(max_size=400), max_size=40),
    st.sampled_from(["pcm_s16le", "pcm_f32le", "pcm_mulaw", "pcm_f16le"]),
)
def test_any_frames_can_be_looked_at(frames, encoding):
    active = select_active(frames, encoding)
    find_field(frames, active, encoding), find_repeats(frames, active, encoding), find_tails(frames, active, encoding)
    assert 0 <= is_two_streams(frames, active, encoding) <= 1


def test_a_capture_that_cannot_hold_what_was_sent_does_not_say_that_nothing_was():
    base = session([], events=[(0.1, "connected", None)], close=(5.0, "client", 1000), url=URL)
    (blind,) = report(replace(base, lacks=frozenset({"send"})), "frames").checks
    (idle,) = report(base, "frames").checks
    assert blind.status == idle.status == "unknown" and blind.answer != idle.answer
    assert "No audio was sent" in idle.answer and "No audio was sent" not in blind.answer


@pytest.mark.parametrize("block", [640, 3200])
def test_a_gate_that_fills_pauses_with_one_piece_of_noise_repeats_nothing(block):
    noise = np.random.default_rng(7).normal(0, 300, block // 2).astype("<i2").tobytes()
    speech = cut(size=block)
    third = len(speech) // 3
    assert (
        found([*speech[:third], *[noise] * 40, *speech[third : 2 * third], *[noise] * 40, *speech[2 * third :]]) == {}
    )


def packets(payloads, first=65530, source=0x5A17C0DE, sources=0):
    """Packets of RTP, as a media socket hands them out."""
    for number, payload in enumerate(payloads):
        header = struct.pack(">BBHII", 0x80 | sources, 0, (first + number) % 65536, 160 * number, source)
        yield header + bytes(4 * sources) + payload


@pytest.mark.parametrize("sources", [0, 2])
def test_a_dump_of_packets_is_told_with_the_bytes_to_cut(sources):
    speech = (FIXTURES / "audio" / "mulaw-8k.raw").read_bytes()
    dump = b"".join(packets(cut(speech, 160), sources=sources))
    told = sttdoctor.check(dump, encoding="pcm_mulaw", sample_rate=8000)
    assert told.diagnoses[0].cause == "frames.header"
    assert f"first {12 + 4 * sources} bytes of each packet" in told.diagnoses[0].fix
    assert len(told.diagnoses) == 1


@pytest.mark.parametrize("size", [640, 1280, 3200])
@pytest.mark.parametrize("hiss", [0, 300])
def test_frames_that_are_exchanged_in_pairs_are_out_of_order(size, hiss):
    noise = np.random.default_rng(0).normal(0, hiss, len(SPEECH) // 2)
    data = np.clip(np.frombuffer(SPEECH, "<i2") + noise, -32768, 32767).astype("<i2").tobytes()
    frames = cut(data, size)[: len(SPEECH) // size // 2 * 2]
    exchanged = [frames[number ^ 1] for number in range(len(frames))]
    edges = [list_edges(chosen, range(len(frames)), "pcm_s16le") for chosen in (frames, exchanged)]
    assert list(map(are_pairs_swapped, edges)) == [False, True]


def in_pieces(size, before=bytes, behind=bytes, times=1):
    """Speech as a dump of pieces, each with something before and behind it."""
    return b"".join(
        (before(number) + piece + behind(number)) * times for number, piece in enumerate(cut(SPEECH, size)[:-1])
    )


@pytest.mark.parametrize(
    ("dump", "cause", "size"),
    [
        (in_pieces(640, lambda _: b"\x02\x80", lambda _: b""), "frames.header", 642),
        (in_pieces(640, lambda _: b"\x12\x02\x80", lambda _: b""), "frames.header", 643),
        (in_pieces(640, lambda _: b"\x0a\x80\x05", lambda _: b""), "frames.header", 643),
        (in_pieces(320, lambda n: (10**12 + 10 * n).to_bytes(8, "big"), lambda _: b""), "frames.header", 328),
        (in_pieces(640, lambda n: n.to_bytes(4, "big"), lambda _: b""), "frames.header", 644),
        (in_pieces(640, lambda _: b"", lambda _: bytes(640)), "frames.header", 1280),
        (in_pieces(3840, lambda _: b"", lambda _: bytes(19200)), "frames.header", 23040),
        (in_pieces(640, lambda _: b"", lambda _: b"", times=2), "frames.repeated", 640),
        (in_pieces(3200, lambda _: b"", lambda _: b"", times=3), "frames.repeated", 3200),
    ],
)
def test_a_dump_whose_pieces_hold_more_than_new_samples_is_told_with_their_size(dump, cause, size):
    found = sttdoctor.check(dump, encoding="pcm_s16le", sample_rate=16000).diagnoses[0]
    assert (found.cause, found.status) == (cause, "fail") and f"frames of {size} bytes" in found.summary


def sum_up(piece):
    return zlib.crc32(piece).to_bytes(4, "little")


@pytest.mark.parametrize("length", [1, 2, 4])
@pytest.mark.parametrize("size", [320, 640, 3200])
def test_a_checksum_in_each_piece_of_a_dump_is_told_with_what_to_cut(size, length):
    dump = b"".join(piece + sum_up(piece)[:length] for piece in cut(SPEECH, size))
    found = sttdoctor.check(dump, encoding="pcm_s16le", sample_rate=16000).diagnoses[0]
    assert (found.cause, found.status) == ("frames.header", "fail")
    assert f"frames of {size + length} bytes" in found.summary and f"frame[:-{length}]" in found.fix


def test_what_stands_before_and_behind_each_piece_is_cut_at_once():
    pieces = [n.to_bytes(2, "big") + piece + sum_up(piece) for n, piece in enumerate(cut(SPEECH, 640))]
    for found in (first(pieces), sttdoctor.check(b"".join(pieces), encoding="pcm_s16le").diagnoses[0]):
        assert found.cause == "frames.header" and "frame[2:-4]" in found.fix
    assert first(pieces).remedy.apply(pieces) == cut(SPEECH, 640)


def test_keys_that_are_pressed_again_are_no_pieces_that_are_sent_twice():
    t = np.arange(560) / 8000
    low, high = (697, 770, 852, 941), (1209, 1336, 1477)
    keys = [9000 * (np.sin(2 * np.pi * low[n % 4] * t) + np.sin(2 * np.pi * high[n % 3] * t)) for n in range(10)]
    dialled = [part for key in "0049301112223" for part in (keys[int(key)], np.zeros(240))]
    speech = np.frombuffer(SPEECH, "<i2")[::2]
    sound = np.concatenate([speech[:16_000], *dialled, speech[16_000:36_000]]).astype("<i2")
    found = sttdoctor.check(sound.tobytes(), encoding="pcm_s16le", sample_rate=8000)
    assert "frames.repeated" not in [one.cause for one in found.diagnoses]


def test_the_pilots_of_a_modem_are_no_headers():
    rng = np.random.default_rng(8)
    pilots = 9000 * np.sin(np.cumsum(rng.uniform(0.3, 0.9, 40)))
    bursts = [np.append(pilots, 9000 * np.sin(np.cumsum(rng.uniform(0.3, 0.9, 600)))) for _ in range(60)]
    sound = np.concatenate(bursts) + rng.normal(0, 3, 60 * 640)
    found = sttdoctor.check(sound.astype("<i2").tobytes(), encoding="pcm_s16le", sample_rate=8000)
    assert "frames.header" not in [one.cause for one in found.diagnoses]


@pytest.mark.parametrize(("on_s", "off_s"), [(0.1, 0.1), (0.05, 0.05), (0.07, 0.03)])
def test_digits_of_one_kind_amid_speech_are_no_frames_that_were_sent_twice(on_s, off_s):
    speech = np.frombuffer((FIXTURES / "audio" / "s16-16k.raw").read_bytes(), "<i2")[:64000] / 65536
    time = np.arange(round(on_s * 16000)) / 16000
    pairs = [(697, 1209), (770, 1336), (697, 1209), (852, 1477), (770, 1336)] * 5
    digits = [sum(0.35 * np.sin(2 * np.pi * hertz * time) for hertz in pair) for pair in pairs]
    rest = np.zeros(round(off_s * 16000))
    sound = np.concatenate([speech, *(part for digit in digits for part in (digit, rest)), speech])
    report = sttdoctor.check(np.rint(sound * 32767).astype("<i2").tobytes(), encoding="pcm_s16le", sample_rate=16000)
    assert [diagnosis.cause for diagnosis in report.diagnoses] == []


def voiced(period):
    """A synthetic voice that is the same in each period, with pauses."""
    t = np.arange(5 * 16000)
    pulses = np.where(t % period == 0, 1.0, 0.0)
    shape = np.exp(-np.arange(400) / 60) * np.sin(np.arange(400) / 5)
    return np.convolve(pulses, shape)[: len(t)] * (t % 16000 < 12_800)


@pytest.mark.parametrize("sound", ["zero at a period", "voice of one period", "bell"])
def test_sound_that_is_zero_or_comes_again_at_a_period_is_no_dump_of_frames(sound):
    speech, t = np.frombuffer(SPEECH, "<i2") / 32768, np.arange(5 * 16000) / 16000
    bell = np.sin(2 * np.pi * 440 * t + 3 * np.exp(-(t % 1) * 4) * np.sin(2 * np.pi * 616 * t)) * np.exp(-(t % 1) * 4)
    x = {
        "zero at a period": speech * np.sin(2 * np.pi * 50 * np.arange(len(speech)) / 16000),
        "voice of one period": 0.4 * voiced(160),
        "bell": 0.4 * bell,
    }[sound]
    found = sttdoctor.check((x * 32767).round().astype("<i2").tobytes(), encoding="pcm_s16le", sample_rate=16000)
    assert not any(one.cause.startswith("frames.") for one in found.diagnoses)


def test_the_place_of_a_piece_is_that_in_the_dump():
    dump = SPEECH[:501] + in_pieces(640, lambda _: b"", lambda _: bytes(640))
    (frames,) = (one for one in sttdoctor.check(dump, encoding="pcm_s16le").checks if one.id == "frames")
    assert frames.findings[0].evidence[0].offset % 1280 == 501


def test_words_in_slots_with_silence_between_them_are_no_buffers_that_were_filled_up():
    word = np.frombuffer(SPEECH, "<i2")[16000:20800] * np.hanning(4800)
    slots = np.tile(np.append(word, np.zeros(3200)), 20).astype("<i2")
    slots[::8000] += np.arange(20, dtype="<i2")  # no two words are the same
    assert "frames.header" not in [
        one.cause for one in sttdoctor.check(slots.tobytes(), encoding="pcm_s16le").diagnoses
    ]


@pytest.mark.parametrize("encoding", ["pcm_s16le", "pcm_mulaw", "pcm_f32le"])
def test_packets_of_a_codec_and_sounds_with_a_period_are_no_frames_with_headers(encoding):
    rng = np.random.default_rng(3)
    packets = b"".join(b"\x68\x0b" + rng.bytes(60) for _ in range(600))
    beat = np.tile((9000 * rng.normal(size=640)).clip(-32768, 32767).astype("<i2"), 90).tobytes()
    for dump in (packets, beat):
        causes = [one.cause for one in sttdoctor.check(dump, encoding=encoding, sample_rate=16000).diagnoses]
        assert "frames.header" not in causes and "frames.repeated" not in causes


@pytest.mark.parametrize("data", [SPEECH, bytes(99_000), b"\x80" * 99_000, bytes(range(256)) * 400])
def test_audio_without_packets_is_not_asked_for_frames(data):
    (frames,) = (check for check in sttdoctor.check(data).checks if check.id == "frames")
    assert frames.status == "not_applicable" and frames.quiet


@given(st.binary(max_size=400), st.lists(st.binary(max_size=300), min_size=10, max_size=12), st.integers(0, 15))
def test_packets_are_found_behind_anything_and_whatever_they_hold(lead, payloads, sources):
    *all_but_last, last = packets(payloads, sources=sources)
    assert split_rtp(np.frombuffer(lead + b"".join((*all_but_last, last)), np.uint8)) == all_but_last
    assert split_rtp(np.frombuffer(lead + b"".join(all_but_last[:7]), np.uint8)) == []


@pytest.mark.parametrize("old", [lambda _, before: before[-64:], lambda n, _: SPEECH[1200 * (n % 5) + 9000 :][:64]])
def test_what_a_longer_buffer_held_before_shows_by_the_sound_that_goes_on_over_it(old):
    frames = cut(size=640)
    made = [frame + old(n, frames[n - 1]) for n, frame in enumerate(frames)]
    finding = first(made)
    assert finding.cause == "frames.header" and "64 bytes" in finding.summary and "longer than what" in finding.fix
    assert finding.remedy.apply(made) == frames


def test_frames_that_lost_their_second_half_are_not_out_of_order():
    assert found([frame[:1024] for frame in cut(size=2048)]) == {}


def test_repeats_that_stand_for_other_audio_are_a_buffer_that_was_overwritten():
    frames = cut(size=640)
    late = [frames[n - n % 8 + 7] if n % 8 > 4 else frame for n, frame in enumerate(frames)]
    (finding,) = report(sent_at(late, 0.02), "frames").checks[0].findings
    assert finding.cause == "frames.repeated" and "lost" in finding.summary and "indata.copy()" in finding.fix
    twice = [copy for frame in frames for copy in (frame, frame)]
    (finding,) = report(sent_at(twice, 0.01), "frames").checks[0].findings
    assert finding.cause == "frames.repeated" and "registered twice" in finding.fix


def test_half_of_everything_twice_may_be_two_recorders():
    blocks = [SPEECH[at : at + 4096] for at in range(0, len(SPEECH) - 4096, 2048)]
    assert "removeTap" in first(blocks).fix
    assert "removeTap" not in first([SPEECH[at : at + 4096] for at in range(0, len(SPEECH) - 4096, 3800)]).fix


def sent_at(frames, every):
    """A session that sends these frames, one each so many seconds."""
    base = session(steady(len(frames) * every, every), every, url=URL)
    contents = iter(frames)
    filled = [
        replace(event, content=content, size=len(content))
        if isinstance(event, Frame) and (content := next(contents)) is not None
        else event
        for event in base.events
    ]
    return Session(tuple(filled), url=URL)


def partly_filled(share, block=480):
    """The speech at 48 kHz through blocks of which some are filled in part, and keep what they held."""
    fine = np.frombuffer(SPEECH, "<i2").astype(float)
    loud = np.interp(np.arange(3 * len(fine)) / 3, np.arange(len(fine)), fine) + np.random.default_rng(4).normal(
        0, 9, 3 * len(fine)
    )
    rng, held, at, made = np.random.default_rng(2), np.zeros(block), 0, []
    while at < len(loud) - block:
        count = int(rng.integers(0, block)) if rng.random() < share else block
        held = np.concatenate([loud[at : at + count], held[count:]])
        made.append(held)
        at += count
    return cut(np.rint(np.concatenate(made)).astype("<i2").tobytes(), 9600)


def test_blocks_that_were_filled_in_part_keep_the_rest_of_the_block_before():
    finding = first(partly_filled(0.2))
    assert (finding.cause, finding.status) == ("frames.repeated", "fail")
    assert "block of 5 ms" not in finding.summary and "in part only" in finding.summary
    assert "as many samples" in finding.fix


def test_blocks_that_are_always_full_keep_nothing():
    assert found(partly_filled(0.0)) == {}


@pytest.mark.parametrize("filler", [0, None])
def test_padding_whose_last_byte_counts_it_is_told_although_only_some_frames_have_it(filler):
    frames = []
    for number, data in enumerate(cut(size=640)):
        count = 4 * (1 + number % 3)
        pad = bytes([count if filler is None else filler]) * (count - 1) + bytes([count])
        frames.append(data + pad if number % 4 == 0 else data)
    finding = first(frames)
    assert (finding.cause, finding.status) == ("frames.header", "fail")
    assert "4 to 12 bytes" in finding.summary and "frame[:-frame[-1]]" in finding.fix


def test_frames_of_several_lengths_are_not_padded():
    sizes, at, frames = (640, 644, 652, 648), 0, []
    while at < len(SPEECH) - 660:
        frames.append(SPEECH[at : at + sizes[len(frames) % 4]])
        at += sizes[len(frames) % 4 - 1]
    assert "frames.header" not in found(frames)
