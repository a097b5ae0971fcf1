"""Faults that public reports tell of, beyond the catalogue."""

import gzip
import zlib
from dataclasses import replace

import numpy as np
import pytest
from builders import causes, report, session, steady, turn, with_audio
from common import FIXTURES
from resonances import encoded

from sttdoctor import check
from sttdoctor.analysis.container.text import find_notes
from sttdoctor.analysis.decoding import decode
from sttdoctor.analysis.session.repeats import find_repeats
from sttdoctor.evidence import Close, Frame, Open, Session, Transcript

SPEECH = (FIXTURES / "audio" / "s16-16k.raw").read_bytes()
URL = "wss://api.cartesia.ai/stt/turns/websocket?model=ink-2&encoding=pcm_s16le&sample_rate=16000&cartesia_version=2026-03-01"


def cut(size=640, data=SPEECH):
    return [data[i : i + size] for i in range(0, len(data) - size + 1, size)]


def sent(frames, every=0.02):
    """A session that sends these frames one after the other."""
    base = session(steady(len(frames) * every, every), every, url=URL, events=turn(0.5, "Hello", end=0.9))
    contents = iter(frames)

    def fill(event):
        if isinstance(event, Frame) and event.binary:
            content = next(contents, b"")
            return replace(event, content=content, size=len(content))
        return event

    return Session(tuple(map(fill, base.events)), url=URL)


def first(subject):
    return report(subject).diagnoses[0]


def handshake(*events, **fields):
    return replace(session([], url=URL), events=tuple(events), **fields)


def test_a_frame_that_is_sent_again_and_again_is_repeated():
    frames = cut()
    found = first(sent([*frames[:40], *[frames[40]] * 60]))
    assert (found.cause, found.status) == ("frames.repeated", "fail")
    assert "From 0.8 s on" in found.summary and "59 times" in found.summary and "unplugged" in found.fix


@pytest.mark.parametrize("shape", [np.sin, lambda phase: np.sign(np.sin(phase + 0.1))])
def test_a_tone_may_be_the_same_in_every_frame(shape):
    tone = (8000 * shape(np.arange(320) * 2 * np.pi / 16)).astype("<i2").tobytes()
    assert "frames.repeated" not in causes(sent([*cut()[:40], *[tone] * 60]), "frames")


def test_a_voiced_frame_at_a_high_rate_is_no_tone():
    voiced = np.frombuffer(cut()[40], "<i2").astype(float)
    smooth = np.interp(np.arange(960) / 3, np.arange(320), voiced).astype("<i2").tobytes()
    repeat = find_repeats([*cut(1920)[:20], *[smooth] * 60], list(range(20)), "pcm_s16le")
    assert repeat is not None and (repeat.kind, repeat.first, repeat.count) == ("stuck", 20, 59)


def test_floats_that_are_limited_and_then_multiplied_by_one_too_many_wrap():
    speech = np.frombuffer(SPEECH, "<i2").astype(float)
    limited = np.clip(speech / np.abs(speech).max() * 2.2, -1, 1)
    wrapped = np.rint(limited * 32768).astype(np.int32).astype("<i2").tobytes()
    clipped = np.rint(limited * 32767).astype("<i2").tobytes()
    assert "signal.wrapped" in causes(sent(cut(data=wrapped)), "signal")
    assert "signal.wrapped" not in causes(sent(cut(data=clipped)), "signal")


def test_a_frame_that_ends_with_its_own_beginning_is_repeated():
    found = first(sent([frame + frame[:160] for frame in cut()], 0.02))
    assert found.cause == "frames.repeated" and "20% of a frame" in found.summary and "noDataNow" in found.fix


def test_frames_whose_beginning_is_that_of_the_next_one_were_overwritten():
    frames = cut()
    for n in range(4, len(frames) - 1, 5):
        count = 64 + 37 * n % 500 // 2 * 2
        frames[n] = frames[n + 1][:count] + frames[n][count:]
    found = first(sent(frames))
    assert found.cause == "frames.repeated" and "overwritten" in found.summary and "Copy each block" in found.fix


def test_a_beginning_that_all_frames_share_is_a_header_and_no_frame_before_its_time():
    head = bytes(range(40))
    assert causes(sent([head + frame for frame in cut()]), "frames") == {"frames.header": "fail"}


@pytest.mark.parametrize("lap", [8000, 7990])
def test_pieces_from_a_lap_before_are_told_as_a_ring_that_is_read_too_far(lap):
    data = bytearray(SPEECH)
    for at in range(2 * lap + 700, len(data) - 1600, 2346):
        data[at : at + 800] = SPEECH[at - 2 * lap : at - 2 * lap + 800]
    found = first(sent(cut(data=bytes(data))))
    assert found.cause == "frames.repeated" and "ring buffer" in found.summary and "GetPosition" in found.fix


def test_each_message_that_is_compressed_by_itself_is_told_behind_a_header_of_another_service():
    for wrap, name in ((lambda data: bytes(12) + gzip.compress(data, mtime=0), "gzip"), (zlib.compress, "zlib")):
        found = first(sent([wrap(frame) for frame in cut(3200)], 0.1))
        assert found.cause == "container.compressed" and f"by itself with {name}" in found.summary
    assert "container.compressed" not in causes(
        sent([cut(3200)[0], gzip.compress(cut(3200)[1]), *cut(3200)[2:]], 0.1), "container"
    )


def test_frames_that_overtook_each_other_are_told_by_the_sound():
    frames = cut()
    for number in range(4, len(frames) - 2, 7):
        frames[number], frames[number + 1] = frames[number + 1], frames[number]
    found = first(sent(frames))
    assert (found.cause, found.status) == ("frames.out-of-order", "fail")


def test_frames_that_are_lost_are_not_out_of_order():
    assert "frames.out-of-order" not in causes(sent([f for n, f in enumerate(cut()) if n % 5]), "frames")


def test_a_handshake_without_any_answer_is_told():
    found = first(handshake(Close(2, 21.0, "unknown", 1006)))
    assert (found.cause, found.status) == ("connection.unanswered", "fail")
    assert "21.0 s" in found.summary and "HTTPS_PROXY" in found.fix
    assert "HttpsProxyAgent" not in found.fix
    assert "HttpsProxyAgent" in first(handshake(Close(2, 21.0, "unknown", 1006), client="node")).fix


def test_a_page_that_saw_no_answer_is_sent_to_the_developer_tools():
    page = {"user-agent": "Mozilla/5.0 (X11) Chrome/140.0.0.0 Safari/537.36", "origin": "https://app.example"}
    found = first(handshake(Close(2, 0.3, "unknown", 1006), headers=page))
    assert found.cause == "connection.unanswered" and "developer tools" in found.fix


def test_a_capture_that_cannot_hold_frames_tells_of_no_missing_answer():
    blind = handshake(Close(2, 21.0, "unknown", 1006), lacks=frozenset({"send"}))
    assert "connection.unanswered" not in causes(blind)


def test_a_subprotocol_that_the_answer_does_not_take_up_is_told():
    offered = {"sec-websocket-protocol": "bearer, REDACTED"}
    end = Close(3, 0.06, "client", 1006)
    found = first(handshake(Open(2, 0.05, 101, {"upgrade": "websocket"}), end, headers=offered))
    assert (found.cause, found.status) == ("connection.subprotocol", "fail") and "access_token" in found.fix
    taken = Open(2, 0.05, 101, {"sec-websocket-protocol": "bearer"})
    assert "connection.subprotocol" not in causes(handshake(taken, end, headers=offered))


def slept(answered=False):
    """A turn, more than an hour of nothing, and audio again."""
    times = np.concatenate([steady(3.0), 4000 + steady(3.0)])
    events = [*turn(0.5, "Hello", end=2.9), *(turn(4001.0, "Again", end=4003.0) if answered else [])]
    return session(times, url=URL, events=events, close=(4020.0, "client", 1000))


def test_a_socket_that_slept_and_is_used_again_is_dead():
    found = first(slept())
    assert (found.cause, found.status) == ("connection.dead", "fail")
    assert "continuity.muted" in found.explains and "didWakeNotification" in found.fix
    assert "connection.dead" not in causes(slept(answered=True))


@pytest.mark.parametrize(
    ("reason", "compressed"),
    [
        ("Invalid WebSocket frame: RSV1 must be clear", True),
        ("compressed frame without an extension", True),
        ("RSV2 and RSV3 must be clear", False),
        ("invalid opcode: 0x0B", False),
    ],
)
def test_a_frame_that_is_compressed_unasked_has_its_own_fix(reason, compressed):
    base = session(steady(3.0), url=URL, events=turn(0.5, "Hello", end=2.0), close=(3.2, "server", 1002))
    events = tuple(replace(e, reason=reason) if isinstance(e, Close) else e for e in base.events)
    found = first(replace(base, events=events))
    assert found.cause == "messages.broken-frame" and ("permessage-deflate" in found.fix) == compressed


def test_packets_of_a_codec_are_not_samples():
    rng = np.random.default_rng(7)
    packets = [b"\x78" + rng.bytes(int(size)) for size in rng.integers(40, 120, 100)]
    found = first(sent(packets))
    assert (found.cause, found.status) == ("container.compressed", "fail")
    assert "Opus, 20 ms" in found.summary and "Decode each packet" in found.fix


def test_packets_behind_samples_are_told_with_their_time():
    rng = np.random.default_rng(8)
    packets = [b"\x78" + rng.bytes(int(size)) for size in rng.integers(40, 120, 100)]
    assert "from 1.2 s on" in first(sent([*cut()[:60], *packets])).summary


def test_turns_that_go_on_to_begin_after_the_audio_waited_on_the_way():
    events = [*turn(1.0, "Hello", end=4.0), *turn(6.0, "One two", end=9.0), *turn(14.0, "Three", end=17.0)]
    subject = session(steady(9.0), url=URL, events=events, close=(18.0, "server", 1000))
    found = {f.cause: f for check in report(subject, "latency").checks for f in check.findings}["latency.backlog"]
    assert found.status == "fail" and "kbit/s" in found.summary and "bufferedAmount" in found.fix


def test_a_trial_that_is_over_is_a_matter_of_the_plan():
    assert (
        first(
            session([], url=URL, events=[(0.1, "connected", None)], close=(0.4, "server", 1008, "trial_expired"))
        ).cause
        == "server.quota"
    )


def test_one_frame_and_nothing_more_is_a_capture_that_died():
    subject = session([0.2], url=URL, events=[(0.1, "connected", None)], close=(14.0, "client", 1000))
    found = first(subject)
    assert (found.cause, found.status) == ("continuity.capture-died", "fail") and "Only one frame" in found.summary
    again = session(steady(0.7), url=URL, events=[(0.1, "connected", None)], close=(14.0, "client", 1000))
    assert "continuity.capture-died" not in causes(again)


def test_a_service_that_says_that_no_audio_came_is_idle_time_and_no_session_limit():
    subject = session(
        steady(3.0), url=URL, events=turn(0.5, "Hello", end=2.9), close=(33.1, "server", 1011, "Session timed out.")
    )
    found = first(subject)
    assert found.cause == "continuity.idle-timeout" and "Session timed out" in found.summary


def test_a_close_without_a_code_from_nobody_is_a_lost_connection():
    subject = session(steady(3.0), url=URL, events=turn(0.5, "Hello"), close=(3.0, "unknown", 1005))
    assert "drain.connection-lost" in causes(subject)


def test_odd_frames_are_one_stream_of_bytes_and_not_two_streams():
    assert "frames.two-streams" not in causes(sent(cut(641)), "frames")


def test_presses_that_send_nothing_are_told_together():
    rows = []
    for n in range(3):
        at = 8.0 * n
        rows += [Open(10 * n + 2, at, 101),
                 Frame(10 * n + 3, at + 0.1, sent=False, size=9, message={"type": "connected"}),
                 Frame(10 * n + 4, at + 2.5, sent=True, size=17, message={"type": "close"}),
                 Close(10 * n + 5, at + 2.6, "server", 1000)]  # fmt: skip
    found = first(handshake(*rows))
    assert (found.cause, found.status) == ("continuity.nothing-sent", "fail") and "3 times" in found.summary
    assert "continuity.nothing-sent" not in causes(handshake(*rows[:4]))


def test_the_rest_of_a_buffer_that_is_sent_whole_is_old():
    rng = np.random.default_rng(4)
    buffer, at, frames = bytes(640), 0, []
    while at < 120_000:
        part = SPEECH[at : at + int(rng.integers(200, 320)) * 2]
        buffer, at = part + buffer[len(part) :], at + len(part)
        frames.append(buffer)
    found = first(sent(frames))
    assert (found.cause, found.status) == ("frames.repeated", "fail")
    assert "same place of the frame before" in found.summary and "BytesRecorded" in found.fix


def test_a_field_at_the_end_of_each_frame_is_no_old_rest():
    trailer = bytes(range(40))
    assert "frames.header" in causes(sent([frame + trailer for frame in cut()]), "frames")


def wrapped(chunk):
    """A chunk in an envelope of an event stream: lengths, a checksum, headers, the chunk, a checksum."""
    names = {b":content-type": b"application/octet-stream", b":event-type": b"AudioEvent", b":message-type": b"event"}
    head = b"".join(bytes([len(k)]) + k + b"\x07" + len(v).to_bytes(2, "big") + v for k, v in names.items())
    lengths = (16 + len(head) + len(chunk)).to_bytes(4, "big") + len(head).to_bytes(4, "big")
    begun = lengths + zlib.crc32(lengths).to_bytes(4, "big") + head + chunk
    return begun + zlib.crc32(begun).to_bytes(4, "big")


def test_an_envelope_of_an_event_stream_is_told_with_all_its_bytes():
    frames = [wrapped(chunk) for chunk in cut()]
    found = first(sent(frames))
    size = len(frames[0]) - 640 - 4
    assert found.cause == "frames.header" and f"event stream: {size} bytes" in found.summary
    assert f"frame[{size}:-4]" in found.fix and "marshaller" in found.fix


@pytest.mark.parametrize("message", [["audio", {}], {"event": "media", "audio": {}}])
def test_bytes_that_json_made_an_empty_object_of_are_told(message):
    found = first(session([], sends=[(0.1 * n, message) for n in range(30)], close=(4.0, "client", 1000)))
    messages = report(session([], sends=[(0.1, message)] * 30), "messages").checks[0].findings
    assert any("what JSON makes of bytes" in f.summary and "binary frame" in f.fix for f in messages)
    assert found.cause in ("messages.unknown-command", "continuity.nothing-sent")


def test_an_empty_object_beside_audio_is_no_lost_audio():
    subject = session(steady(4), sends=[(1.0, {"type": "hello", "options": {}})])
    assert not any("JSON makes" in f.summary for f in report(subject, "messages").checks[0].findings)


LINE = b"size=     160kB time=00:00:05.00 bitrate= 256.0kbits/s speed=   1x    \r"


def among(samples, text, every=8000):
    parts = [samples[at : at + every] for at in range(0, len(samples), every)]
    return b"".join(text + part for part in parts)


def test_messages_of_a_program_among_samples_are_told_with_what_they_say():
    found = check(among(SPEECH, LINE), encoding="pcm_s16le", sample_rate=16000).diagnoses[0]
    assert (found.cause, found.status) == ("container.text", "fail")
    assert "size= 160kB time=" in found.summary and "standard error" in found.fix


def test_the_lengths_of_chunks_of_http_are_told_and_can_be_cut_out():
    parts = [SPEECH[at : at + 6001] for at in range(0, len(SPEECH), 6001)]
    data = b"".join(f"{len(part):x}\r\n".encode() + part + b"\r\n" for part in parts)
    found = check(data, encoding="pcm_s16le", sample_rate=16000).diagnoses[0]
    assert found.cause == "container.text" and "chunked" in found.fix
    assert b"".join(found.root.remedy.apply([data])).removesuffix(b"\r\n") == SPEECH


@pytest.mark.parametrize("encoding", ["pcm_s16le", "pcm_mulaw", "pcm_alaw", "u8", "pcm_f16le"])
def test_speech_is_no_text_in_any_encoding(encoding):
    samples = decode(SPEECH, "pcm_s16le")
    assert not find_notes(np.frombuffer(encoded(np.clip(samples * 3, -1, 1), encoding).tobytes(), np.uint8))


def test_metadata_in_front_of_each_frame_is_a_header_and_no_message():
    named = [b'{"type": "audio", "name": "frame number %04d"}' % n + part for n, part in enumerate(cut())]
    assert first(sent(named)).cause == "frames.header"


def test_integers_of_64_bits_are_told_with_where_they_come_from():
    found = check(np.frombuffer(SPEECH, "<i2").astype("<i8").tobytes(), encoding="pcm_s16le", sample_rate=16000)
    assert [item.cause for item in found.diagnoses] == ["encoding.unsupported"]
    assert "s64le" in found.diagnoses[0].summary and "numpy" in found.diagnoses[0].fix


def test_a_voice_on_the_second_of_two_slots_of_32_bits_is_no_integer_of_64():
    slots = np.zeros((len(SPEECH) // 2, 2), "<i4")
    slots[:, 1] = np.frombuffer(SPEECH, "<i2").astype("<i4") << 16
    found = check(slots.tobytes(), encoding="pcm_s32le", sample_rate=16000).diagnoses[0]
    assert found.cause == "channels.interleaved"


@pytest.mark.parametrize(
    ("reason", "finishes"),
    [("data frames after the initial data frame must have opcode 0", True), ("RSV2 and RSV3 must be clear", False)],
)
def test_frames_that_end_no_message_have_their_own_fix(reason, finishes):
    found = first(session(steady(1), close=(1.1, "server", 1002, reason), url=URL))
    assert found.cause == "messages.broken-frame" and ("FIN" in found.fix) == finishes


def test_a_client_that_waits_for_an_answer_to_each_frame_is_told_so():
    found = first(session([0.1, 0.3], url=URL, events=[(0.2, "connected", None)], close=(20.0, "client", 1000)))
    assert found.cause == "continuity.capture-died" and "answer to each chunk" in found.fix


@pytest.mark.parametrize(("seconds", "told"), [(30.0, True), (29.0, False), (300.4, True)])
def test_a_usual_longest_duration_is_told(seconds, told):
    lost = session(steady(seconds - 0.05), events=turn(1.0, "Hi", end=2.0), close=(seconds + 0.05, "unknown", 1006))
    assert ("It had lasted" in first(lost).summary) == told


def test_a_low_byte_with_a_sign_is_told_and_eight_bits_in_sixteen_are_not():
    right = np.frombuffer(SPEECH, "<i2")
    low = (right & 255).astype(np.uint8).view(np.int8).astype("<i2")
    found = check(((right & ~255) | low).tobytes(), encoding="pcm_s16le", sample_rate=16000).diagnoses[0]
    assert found.cause == "encoding.scaled" and "0xff" in found.fix
    coarse = check((right & ~255).tobytes(), encoding="pcm_s16le", sample_rate=16000)
    assert "encoding.scaled" not in [item.cause for item in coarse.diagnoses]


@pytest.mark.parametrize(("was", "read"), [("pcm_alaw", "pcm_mulaw"), ("pcm_mulaw", "pcm_alaw")])
def test_the_other_law_s_table_is_told_and_the_right_one_is_not(was, read):
    codes = encoded(decode(SPEECH, "pcm_s16le"), was).tobytes()
    wrong, right = ((decode(codes, law) * 32768).astype("<i2").tobytes() for law in (read, was))
    found = check(wrong, encoding="pcm_s16le", sample_rate=16000).diagnoses[0]
    assert found.cause == "encoding.scaled" and f"declare {was}" in found.fix
    assert not [
        item for item in check(right, encoding="pcm_s16le", sample_rate=16000).diagnoses if item.status == "fail"
    ]


def test_blocks_that_are_read_twice_are_repeated():
    data = b"".join(part * 2 for part in cut(1024)[::2])
    found = first(sent(cut(640, data)))
    assert found.cause == "frames.repeated" and "two buffers" in found.fix


def test_what_a_buffer_still_holds_is_told_and_one_prompt_that_comes_again_is_not():
    at = [n * 32000 for n in range(6)]
    tails = [SPEECH[a + 12000 : a + 24000] for a in at]
    held = b"".join(SPEECH[a : a + 24000] + SPEECH[a + 25000 : a + 30000] + t for a, t in zip(at, tails, strict=True))
    found = first(sent(cut(640, held)))
    assert found.cause == "frames.repeated" and "still holds" in found.summary
    prompt = SPEECH[:20000]
    again = b"".join(prompt + SPEECH[a : a + 30000] for a in at[1:])
    assert "frames.repeated" not in causes(sent(cut(640, again)), "frames")


@pytest.mark.parametrize(
    ("words", "clock"),
    [("token not valid yet (nbf)", True), ("Token used before issued", False), ("Unauthorized", False)],
)
def test_a_token_from_the_future_is_a_matter_of_clocks(words, clock):
    found = first(handshake(Open(1, 0.1, 401, body=words)))
    assert found.cause == "connection.bad-auth" and ("NTP" in found.fix) == clock


def test_characters_that_another_layout_replaced_are_told_with_the_layout():
    events = [(0.5, "turn.start", None), (1.0, "turn.end", "Yes, I do. Do you, too? No, thanks.")]
    text = "Yesö I doü Do youö tooä Noö thanksü"
    found = first(session(steady(2), events=events, command=2.1, close=(2.5, "server", 1000), transcript=text))
    assert found.cause == "joining.normalized" and "layout" in found.fix and "',' by 'ö'" in found.summary


def test_an_empty_frame_at_the_end_is_no_close_command():
    lengths = [*np.full(20, 0.1), 0.0]
    subject = session(np.arange(21) * 0.1, lengths, events=turn(0.5, "Hi", end=1.0), close=(9.0, "client", 1000))
    found = [item for item in report(subject).diagnoses if item.cause == "drain.no-close"]
    assert found and "Its last frame is empty" in found[0].summary


def test_what_comes_late_and_what_never_does_are_told_apart():
    t = np.concatenate([steady(4), 11.5 + np.arange(40) * 0.001, 11.6 + np.arange(60) * 0.1])
    found = first(session(t, events=turn(1.0, "Hi", end=17.0), command=17.8, close=(18, "server", 1000)))
    assert found.cause == "continuity.stalled" and "never" in found.summary


def test_frames_that_hold_all_that_came_before_are_repeated_and_can_be_cut():
    grown = [SPEECH[: 3200 * n] for n in range(1, 30)]
    found = first(sent(grown))
    assert found.cause == "frames.repeated" and "empty the list" in found.fix
    assert b"".join(found.root.remedy.apply(grown)) == SPEECH[: 3200 * 29]


@pytest.mark.parametrize(("size", "cut_at"), [(640, 320), (1282, 640)])
def test_halves_of_a_buffer_in_the_wrong_order_are_told(size, cut_at):
    turned = [frame[cut_at:] + frame[:cut_at] for frame in cut(size)]
    found = first(sent(turned))
    assert found.cause == "frames.out-of-order" and "double buffer" in found.fix


def test_a_client_that_reads_only_at_the_end_is_a_slow_reader_and_no_silent_service():
    said = [(12.0 + 0.001 * n, kind, text) for n, (_, kind, text) in enumerate(turn(1.0, "a", "a b", "a b c", end=4.0))]
    found = report(session(steady(11.9), events=said, command=12.1, close=(12.2, "server", 1000), clock="client"))
    assert found.diagnoses[0].cause == "latency.slow-reader"


def test_floats_of_two_equal_channels_are_no_text():
    assert not find_notes(np.frombuffer(b"=avy=avy='vs='vs=mqh=mqh=q!`=q!`=uY]=uY]=abc=abc", np.uint8))


@pytest.mark.parametrize("peak", [1.0, 0.8])
def test_frames_that_are_each_brought_to_one_peak_are_told(peak):
    sound = np.concatenate([decode(SPEECH, "pcm_s16le"), np.random.default_rng(1).normal(0, 1e-3, 16000)])
    parts = [sound[at : at + 320] for at in range(0, len(sound) - 319, 320)]
    scaled = [np.rint(part / np.abs(part).max() * peak * 32767).astype("<i2").tobytes() for part in parts]
    found = first(sent(scaled))
    assert (found.cause, found.status) == ("frames.scaled", "fail")
    assert f"{peak:.0%} of full scale" in found.summary and "maximum" in found.fix


def test_a_limiter_and_a_tone_do_not_bring_each_frame_to_one_peak():
    limited = np.rint(0.9 * 32767 * np.tanh(6 * decode(SPEECH, "pcm_s16le"))).astype("<i2").tobytes()
    tone = np.rint(9000 * np.sin(np.arange(48000) * 0.3)).astype("<i2").tobytes()
    assert "frames.scaled" not in causes(sent(cut(data=limited)), "frames")
    assert "frames.scaled" not in causes(sent(cut(data=tone)), "frames")


def with_holes(starts_s, length_s, keep):
    """Speech over and over, of which nothing is sent in the holes; `keep` tells which parts of it are spoken."""
    frames = [frame for frame in cut() if keep(np.frombuffer(frame, "<i2"))] * 4
    times = np.arange(len(frames)) * 0.02
    inside = np.zeros(len(times), bool)
    for start in starts_s:
        inside |= (times >= start) & (times < start + length_s)
    base = session(times[~inside], 0.02, url=URL, events=turn(0.2, "Hello", "Hello there"))
    contents = iter([frame for frame, lost in zip(frames, inside, strict=True) if not lost])

    def fill(event):
        return replace(event, content=next(contents)) if isinstance(event, Frame) and event.binary else event

    return Session(tuple(map(fill, base.events)), url=URL)


def test_holes_within_words_lose_what_was_said():
    loud = with_holes((1.0, 3.0, 5.0), 0.8, keep=lambda values: np.abs(values.astype(float)).max() > 4000)
    found = report(loud, "continuity").checks[0].findings[0]
    assert found.cause == "continuity.muted" and "lost" in found.summary and "callback" in found.fix


def test_noise_beneath_speech_is_told_and_that_of_a_room_is_not():
    sound = np.concatenate([decode(SPEECH, "pcm_s16le"), np.zeros(16000)])
    sound = np.tile(sound / np.abs(sound).max(), 3)
    hiss = np.random.default_rng(4).standard_normal(len(sound))

    def found(level):
        data = np.rint(0.5 * np.clip(sound + level * hiss, -1, 1) * 32767).astype("<i2").tobytes()
        judged = check(data, encoding="pcm_s16le", sample_rate=16000, select=["signal"])
        return {finding.cause: finding for finding in judged.checks[0].findings}

    assert "nearly as loud" in found(0.12)["signal.noise"].summary
    assert "signal.noise" not in found(0.01)


@pytest.mark.parametrize(("scheme", "is_told"), [("https", True), ("wss", False)])
def test_an_address_with_https_that_gets_a_page_should_begin_with_wss(scheme, is_told):
    page = Open(2, 0.1, 200, {"content-type": "text/html"}, "<html><body>OK</body></html>")
    found = first(handshake(page, url=URL.replace("wss", scheme)))
    assert found.cause == "connection.intermediary" and ("wss://" in found.fix) == is_told


def test_noise_that_rises_in_pauses_is_told():
    rng, speech = np.random.default_rng(6), decode(SPEECH, "pcm_s16le")
    speech = speech / np.abs(speech).max() * 0.5
    noise = 0.09 * (1 - np.exp(-np.arange(24000) / 3000)) * rng.standard_normal(24000)
    sound = np.concatenate([speech, noise, speech, noise, speech, noise])
    data = np.rint(np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes()
    judged = check(data, encoding="pcm_s16le", sample_rate=16000, select=["signal"]).checks[0].findings
    assert [finding.cause for finding in judged] == ["signal.noise"] and "automatic gain" in judged[0].summary
    tone = 0.13 * np.sin(np.arange(24000) * 0.17)
    dialled = np.concatenate([speech, tone, speech, tone, speech, tone])
    data = np.rint(dialled * 32767).astype("<i2").tobytes()
    judged = check(data, encoding="pcm_s16le", sample_rate=16000, select=["signal"]).checks[0].findings
    assert "signal.noise" not in {finding.cause for finding in judged}


def within_a_word():
    """Speech without its beginning, and the speech that is left of it."""
    loud = int(np.abs(decode(SPEECH, "pcm_s16le")[:32000]).argmax()) * 2
    return SPEECH[loud:]


ROOM = np.rint(np.random.default_rng(3).standard_normal(24000) * 20).astype("<i2").tobytes()


def test_sound_that_begins_with_the_first_sample_and_ends_in_the_room_lacks_its_beginning():
    assert causes(sent(cut(data=within_a_word() + ROOM)), "signal") == {"signal.starts-late": "warn"}
    assert causes(sent(cut(data=bytes(16000) + within_a_word() + ROOM)), "signal") == {"signal.starts-late": "warn"}
    assert causes(sent(cut(data=bytes(16000) + SPEECH + ROOM)), "signal") == {}


@pytest.mark.parametrize("end", [b"", bytes(48000)], ids=["mid-speech", "zeros"])
def test_an_excerpt_of_a_recording_lacks_no_beginning(end):
    assert causes(sent(cut(data=within_a_word() + end)), "signal") == {}


def test_a_connection_that_is_opened_when_somebody_speaks_lacks_its_beginning():
    first, second = sent(cut()), sent(cut(data=within_a_word() + ROOM))
    end = max(event.t or 0.0 for event in first.events) + 0.1
    closing = (Frame(0, end, True, 17, message={"type": "close"}), Close(0, end + 0.2, "server", 1000))
    later = tuple(replace(event, t=(event.t or 0.0) + end + 1.0) for event in second.events)
    events = tuple(replace(event, line=line) for line, event in enumerate((*first.events, *closing, *later), start=2))
    found = {each.cause: each for each in report(Session(events, url=URL), "signal").checks[0].findings}
    assert "on 1 of 2 connections" in found["signal.starts-late"].summary


@pytest.mark.parametrize(("encoding", "dtype"), [("pcm_f32le", "<f4"), ("pcm_s32le", "<i4"), ("pcm_s16le", "<i2")])
def test_bytes_of_which_each_became_a_sample_are_told(encoding, dtype):
    data = np.frombuffer(SPEECH[: 1 << 17], np.uint8).astype(dtype).tobytes()
    found = check(data, encoding=encoding, sample_rate=16000).diagnoses[0]
    assert (found.cause, found.status) == ("encoding.scaled", "fail")
    assert "each byte of pcm_s16le" in found.summary and "Int16Array" in found.fix


def test_sound_that_wraps_all_the_time_has_no_rate():
    speech = decode(SPEECH, "pcm_s16le")
    data = np.rint((speech / np.abs(speech).max() * 4.5 + 1) % 2 * 32767 - 32767).astype("<i2").tobytes()
    found = check(data, encoding="pcm_s16le", sample_rate=16000).diagnoses[0]
    assert (found.cause, found.status) == ("signal.wrapped", "fail")


def voiced(*parts):
    """Loud noise (True) and a quiet room (False) for so many seconds each, mu-law of 8000 Hz."""
    rng = np.random.default_rng(11)
    levels = np.concatenate([np.full(round(8000 * length), 0.1 if loud else 0.0003) for length, loud in parts])
    return encoded(rng.standard_normal(len(levels)) * levels, "pcm_mulaw").tobytes()


def held_up(holes, parts, seconds=12.0, **fields):
    """Frames of 20 ms with these holes (start of the audio, length): what they hold is left out of no audio."""
    t = steady(seconds, 0.02)
    for at, length in holes:
        t[round(at / 0.02) :] += length
    base = session(t, 0.02, events=turn(0.5, "Hello"), command=float(t[-1]) + 0.1, **fields)
    return with_audio(base, voiced(*parts))


ENDS_LOUD = [part for _ in range(4) for part in ((1.5, True), (1.5, False))]


@pytest.mark.parametrize(("lengths", "lost"), [((0.6, 0.6, 0.61, 0.6), True), ((0.6, 1.1, 2.4, 0.8), False)])
def test_holes_of_one_length_that_break_off_mid_speech_lose_what_was_said(lengths, lost):
    holes = list(zip((1.48, 4.48, 7.48, 10.48), lengths, strict=True))
    (finding,) = report(held_up(holes, ENDS_LOUD), "continuity").checks[0].findings
    assert finding.cause == "continuity.muted" and ("is lost" in finding.summary) == lost


@pytest.mark.parametrize(("end", "expected"), [(True, {"continuity.capture-died": "warn"}), (False, {})])
def test_on_the_manual_endpoint_audio_that_breaks_off_is_told_unless_it_was_flushed(end, expected):
    url = "wss://api.cartesia.ai/stt/websocket?model=ink-2&encoding=pcm_mulaw&sample_rate=8000"
    sends = [] if end else [(3.1, "finalize")]
    base = session(steady(3.0, 0.02), 0.02, sends=sends, close=(9.0, "client", 1000), url=url)
    assert causes(with_audio(base, voiced((1.0, False), (2.0, True))), "continuity") == expected
    quiet = with_audio(base, voiced((1.0, True), (2.0, False)))
    assert causes(quiet, "continuity") == {}


def test_what_did_not_fit_into_the_frame_behind_a_pause_is_lost_and_not_late():
    speech = np.tile(np.frombuffer(SPEECH, "<i2"), 5)
    frames, times, at, number = [], [], 0, 0
    while at + 8000 < len(speech):
        number += 1
        hitch = number % 40 == 0
        size = 4095 if hitch else 320
        frames.append(speech[at : at + size].tobytes())
        at += 7200 if hitch else 320
        times.append(at / 16000)
    base = session(np.array(times), 0.02, events=turn(0.5, "Hello"), url=URL)
    contents = iter(frames)
    events = [
        replace(e, content=(content := next(contents)), size=len(content)) if isinstance(e, Frame) and e.binary else e
        for e in base.events
    ]
    found = report(replace(base, events=tuple(events)), "latency").checks[0].findings
    assert [f.cause for f in found] == ["latency.backlog"] and "is lost" in found[0].summary


def test_who_leaves_at_the_end_of_a_turn_is_told_that_it_ends_no_session():
    base = session(steady(6), events=turn(1.0, "Hello", end=5.95), close=(5.97, "client", 1000))
    speech = (FIXTURES / "audio" / "mulaw-8k.raw").read_bytes()[:20000] + b"\xff" * 28000
    found = report(with_audio(base, speech), "drain").checks[0].findings
    assert [f.cause for f in found] == ["drain.no-close"] and "ends a turn" in found[0].fix


def test_equal_channels_that_flow_as_one_may_be_samples_written_twice():
    blocks = np.frombuffer(SPEECH, "<i2")[: len(SPEECH) // 3200 * 1600].reshape(-1, 1600)
    found = first(sent([np.repeat(block[:800], 2).tobytes() for block in blocks] * 2, 0.1))
    assert found.cause == "channels.interleaved" and "written twice" in found.summary and "n / 2" in found.fix


QUOTED = '{"type": "turn.end", "request_id": "r1", "transcript": "That"s it."}'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (QUOTED, True),
        (QUOTED[:40], False),
        ("turn.end: That's it.", False),
        ('{"a": 1, b}', False),
        ('{"type": "turn.update", "transcript": <redacted>}', False),
        ('{"type": "turn.update", "trans ... rd": 1}]}', False),
        ('{"type": "turn.update", "trans\u2026rd": 1}]}', False),
        ('{"type": "turn.update", "trans[truncated 300 chars]}', False),
        ('{"type": "turn.update", "transcript": "a"}\n{"type": "turn.update", "transcript": "ab"}', False),
        ('{"type": "turn.update", "p": NaN}', False),
        ('{"type": "turn.update", "n": ' + "9" * 5000 + "}", False),
        ('{"type": "turn.update", "n": ' + "[" * 9999 + "]" * 9999 + "}", False),
    ],
)
def test_events_that_something_wrote_anew_are_told_before_what_is_missing(text, told):
    base = session(steady(6), events=turn(1.0, "Hello"), command=6.0, close=(6.5, "server", 1000))
    last = base.events[-1]
    broken = [Frame(90 + n, 5.0 + n / 10, False, len(text), text=text) for n in range(3)]
    subject = replace(base, events=(*base.events[:-2], *broken, *base.events[-2:]))
    assert isinstance(last, Close) and ("connection.intermediary" in causes(subject)) is told
    if told:  # the recorder may have done it, unless the application lacks what they say
        assert causes(subject)["connection.intermediary"] == "warn"
        for said, status in (("Hello", "fail"), ("Hello That's it.", "warn")):
            assert causes(replace(subject, transcript=Transcript(said)))["connection.intermediary"] == status


def test_single_zeros_between_pieces_of_sound_are_told():
    pieces = [SPEECH[i : i + 640] for i in range(0, len(SPEECH), 640)]
    joined = b"".join(piece + bytes(-len(piece) % 3) for piece in pieces)
    found = report(sent(cut(3200, joined), 0.1), "signal").checks[0].findings
    assert found[0].cause == "signal.discontinuities" and "exactly zero" in found[0].summary
    assert "base64" in found[0].fix and report(sent(cut(3200), 0.1), "signal").checks[0].status == "pass"


@pytest.mark.parametrize(("inserted", "told"), [(True, "put between"), (False, "written over")])
def test_single_zeros_that_are_put_between_samples_and_written_over_them_are_told_apart(inserted, told):
    speech = np.frombuffer(SPEECH, "<i2").copy()
    if inserted:
        speech = np.insert(speech, np.arange(500, len(speech), 500), 0)
    else:
        speech[500::500] = 0
    found = report(sent(cut(3200, speech.tobytes()), 0.1), "signal").checks[0].findings[0]
    assert found.cause == "signal.discontinuities" and told in found.summary
    assert f"({501 if inserted else 500} samples)" in found.summary and ("base64" in found.fix) is inserted
    assert found.confidence == (0.95 if inserted else 0.7)


def doubled(every, apart):
    """Frames as they are recorded, of which some are sent again so much later."""
    frames, times = [], []
    for n, frame in enumerate(cut()):
        frames.append(frame)
        times.append(0.02 * n)
        if n % every == every - 1:
            frames.append(frame)
            times.append(0.02 * n + apart)
    contents = iter(frames)
    base = session(np.array(times), 0.02, events=turn(0.5, "Hello"), url=URL)
    events = [
        replace(e, content=next(contents), size=640) if isinstance(e, Frame) and e.binary else e for e in base.events
    ]
    return replace(base, events=tuple(events))


@pytest.mark.parametrize(("apart", "told"), [(0.001, True), (0.012, False)])
def test_a_few_frames_that_are_sent_twice_at_once_are_told_and_what_stands_for_a_lost_one_is_not(apart, told):
    assert ("frames.repeated" in causes(doubled(40, apart), "frames")) is told


@pytest.mark.parametrize("together", [1, 2, 5])
def test_what_stands_for_a_lost_frame_is_not_sent_twice_however_many_go_out_at_a_time(together):
    frames, lost = cut(), np.random.default_rng(0).random(len(cut())) < 0.02
    for n in np.flatnonzero(lost[1:]) + 1:
        frames[n] = frames[n - 1]
    numbers = np.arange(len(frames))
    times = numbers // together * together * 0.02 + numbers % together * 0.001
    contents = iter(frames)
    base = session(times, 0.02, events=turn(0.5, "Hello"), url=URL)
    events = [replace(e, content=next(contents)) if isinstance(e, Frame) and e.binary else e for e in base.events]
    assert "frames.repeated" not in causes(replace(base, events=tuple(events)), "frames")


def test_beeps_of_a_fake_device_are_no_speech_and_words_between_silence_are():
    at = np.arange(16000 * 8) / 16000
    beeps = 0.5 * np.sin(2 * np.pi * 400 * at) * (at % 0.5 < 0.02)
    found = report(sent(cut(data=encoded(beeps, "pcm_s16le").tobytes())), "signal").checks[0].findings
    assert (found[0].cause, found[0].status) == ("signal.silent", "fail") and "fake-device" in found[0].fix
    word = np.frombuffer(SPEECH, "<i2")[16000:19000].astype(float) / 32768
    words = np.concatenate([np.pad(word[: 2400 + 90 * n], (0, 13000 - 700 * n)) for n in range(10)])
    assert "signal.silent" not in causes(sent(cut(data=encoded(words, "pcm_s16le").tobytes())), "signal")


@pytest.mark.parametrize("shape", [np.sin, lambda phase: np.sign(np.sin(phase + 0.1))])
@pytest.mark.parametrize("rate", [8000, 16000, 48000])
def test_beeps_are_tones_of_any_shape(shape, rate):
    at = np.arange(rate * 6) / rate
    beeps = encoded(0.4 * shape(2 * np.pi * 400 * at) * (at % 0.5 < 0.02), "pcm_s16le").tobytes()
    assert check(beeps, encoding="pcm_s16le", sample_rate=rate).diagnoses[0].cause == "signal.silent"


@pytest.mark.parametrize(("on_s", "off_s"), [(0.05, 0.15), (0.05, 0.6), (0.08, 0.3), (0.04, 0.4)])
def test_digits_and_tones_of_a_telephone_are_no_test_signal(on_s, off_s):
    at = np.arange(8000 * 12) / 8000
    waves = np.sin(2 * np.pi * 697 * at) + np.sin(2 * np.pi * 1209 * at)
    data = encoded(0.35 * waves * (at % (on_s + off_s) < on_s), "pcm_s16le").tobytes()
    found = check(data, encoding="pcm_s16le", sample_rate=8000).diagnoses
    assert "signal.silent" not in [diagnosis.cause for diagnosis in found]


@pytest.mark.parametrize("size", [640, 1280, 3200])
def test_speech_of_which_most_chunks_are_zeros_and_a_loop_of_speech_are_no_test_signal(size):
    live = np.frombuffer(SPEECH, "<i2") + np.random.default_rng(5).normal(0, 4, len(SPEECH) // 2).round().astype("<i2")
    frames = [frame if n % 5 == 0 else bytes(size) for n, frame in enumerate(cut(size, live.astype("<i2").tobytes()))]
    assert "signal.silent" not in causes(sent(frames, size / 32000), "signal")
    loop = np.tile(np.pad(np.frombuffer(SPEECH, "<i2")[16000:18400], (0, 13600)), 10).tobytes()
    assert "signal.silent" not in causes(sent(cut(size, loop), size / 32000), "signal")


@pytest.mark.parametrize(("every", "size", "told"), [(0.4, 11, True), (0.02, 4, False), (0.4, 160, False)])
def test_descriptions_of_noise_in_pauses_are_no_audio(every, size, told):
    spoken, noise = [*np.arange(0, 2, 0.02), *np.arange(4, 6, 0.02), *np.arange(8, 9, 0.02)], []
    for begin in (2.0, 6.0):
        noise += list(np.arange(begin + 0.1, begin + 1.9, every))
    lengths = [(t, 0.02) for t in spoken] + [(t, size / 8000) for t in noise]
    times, seconds = zip(*sorted(lengths), strict=True)
    found = report(session(times, seconds, events=turn(0.5, "Hello")), "continuity").checks[0].findings
    assert any("describe noise" in finding.summary for finding in found) is told


@pytest.mark.parametrize(
    ("content", "times", "told"),
    [
        (b"\x45\x70\x81\x90", 4, True),  # a level of -69 dB below full scale, and three coefficients
        (b"\x45\x70\x81\x90", 1, False),  # the rest of an utterance
        (b"", 4, False),
        (bytes(8), 4, False),
        (b"\xff" * 8, 4, False),
        (b"ping", 4, False),
        (b"\x91\x04\x45\xfe\x02\x07", 4, False),  # samples
    ],
)
def test_what_describes_noise_begins_with_its_level_and_comes_again_in_a_pause(content, times, told):
    speech, small = {t: bytes(range(100, 228)) for n in range(4) for t in np.arange(3.0 * n, 3.0 * n + 1, 0.016)}, {}
    for n in range(3):
        small |= {3.0 * n + 1.02 + 0.3 * i: content for i in range(times)}
    frames = sorted({**speech, **small}.items())
    base = session([t for t, _ in frames], 0.016, events=turn(0.5, "Hello"))
    contents = iter(frame for _, frame in frames)
    events = [
        replace(e, content=(frame := next(contents)), size=len(frame)) if isinstance(e, Frame) and e.binary else e
        for e in base.events
    ]
    url = URL.replace("16000", "4000")
    found = report(replace(base, events=tuple(events), url=url), "continuity").checks[0].findings
    assert any("describe noise" in finding.summary for finding in found) is told


def test_short_pauses_between_closed_turns_are_none_that_matter_whatever_they_hold():
    lengths = [(t, 0.02) for n in range(4) for t in np.arange(2.2 * n, 2.2 * n + 1, 0.02)]
    lengths += [(2.2 * n + 1.1 + 0.3 * i, 11 / 8000) for n in range(3) for i in range(3)]
    times, seconds = zip(*sorted(lengths), strict=True)
    assert report(session(times, seconds, events=turn(0.2, "Hello", end=0.9)), "continuity").checks[0].status == "pass"


@pytest.mark.parametrize(
    ("declared", "size", "every", "told"),
    [
        ("pcm_f32le&sample_rate=48000", 160, 0.02, "G.711 at 8000 Hz"),
        ("pcm_s16le&sample_rate=48000", 160, 0.02, "G.711 at 8000 Hz"),
        ("pcm_f32le&sample_rate=48000", 3200, 0.1, "16-bit samples at 16000 Hz"),
        ("pcm_s16le&sample_rate=16000", 320, 0.1, "compressed"),
    ],
)
def test_few_bytes_are_told_as_the_audio_that_has_as_many(declared, size, every, told):
    base = session(np.arange(0, 15, every), every, events=turn(0.5, "Hello"))
    events = [replace(e, content=None, size=size) if isinstance(e, Frame) and e.binary else e for e in base.events]
    url = URL.replace("pcm_s16le&sample_rate=16000", declared)
    found = report(replace(base, events=tuple(events), url=url), "pacing").checks[0].findings[0]
    assert (found.cause, found.confidence) == ("pacing.too-slow", 0.5) and told in found.summary
    assert "compressed" in found.fix and ("encoding=" in found.fix) is (told != "compressed")
