import base64
import json
from urllib.parse import parse_qsl

import numpy as np
import pytest
from common import FIXTURES, HEADER, OPEN, jsonl
from hypothesis import given
from hypothesis import strategies as st

from sttdoctor.analysis.decoding import Layout, decode
from sttdoctor.api import session_facts
from sttdoctor.encodings import ENCODINGS, SUPPORTED
from sttdoctor.errors import InputError
from sttdoctor.resend.mend import plan_mended
from sttdoctor.resend.plan import plan_unchanged
from sttdoctor.resend.repair import QUIET, choose_target, convert, make_silence, plan_repair

PATH = "wss://api.cartesia.ai/stt/turns/websocket"


def case_of(*rows, url=None):
    header = HEADER if url is None else {**HEADER, "url": url}
    return session_facts(jsonl(header, OPEN, *rows), None, None, None, None)


def audio(t, data):
    return {"type": "send", "t": t, "audio": base64.b64encode(data).decode()}


def stream(plan):
    return b"".join(step.content for leg in plan.legs for step in leg.steps if isinstance(step.content, bytes))


def texts(plan):
    return [step.content for leg in plan.legs for step in leg.steps if isinstance(step.content, str)]


commands = st.sampled_from(
    [{"type": "config", "turn": {"end_threshold": 0.3}}, {"type": "KeepAlive"}, {"type": "close"}, "finalize", [1]]
)
gaps = st.floats(0, 3)
messages = st.lists(st.tuples(gaps, st.one_of(st.binary(max_size=9000), commands)), min_size=1, max_size=25)


@given(messages, st.sampled_from(SUPPORTED), st.sampled_from([8000, 16000, 44100]))
def test_what_holds_for_every_repair(sent, encoding, rate):
    rows, t = [], 0.1
    for gap, content in sent:
        t += gap
        rows.append(audio(t, content) if isinstance(content, bytes) else {"type": "send", "t": t, "json": content})
    data = b"".join(content for _, content in sent if isinstance(content, bytes))
    facts = case_of(*rows, url=f"{PATH}?model=ink-2&encoding={encoding}&sample_rate={rate}")
    if not data:
        with pytest.raises(InputError, match="no audio content"):
            plan_repair(facts, Layout(encoding), rate)
        return
    plan = plan_repair(facts, Layout(encoding), rate)
    (leg,) = plan.legs
    width = ENCODINGS[encoding].width
    chunks = [step for step in leg.steps if isinstance(step.content, bytes)]
    times = [step.t for step in leg.steps]
    assert times == sorted(times)
    assert all(len(step.content) % width == 0 for step in chunks)
    assert {len(step.content) for step in chunks[:-1]} <= {round(rate / 10) * width}
    total = 0
    for step in chunks:  # each chunk goes out when it has been spoken
        total += len(step.content)
        assert step.t == pytest.approx(total / (width * rate))
    assert leg.steps[-1].content == '{"type":"close"}'
    assert all(json.loads(text)["type"] in ("config", "close") for text in texts(plan))
    configs = sum(content == {"type": "config", "turn": {"end_threshold": 0.3}} for _, content in sent)
    assert len(texts(plan)) == configs + 1
    if not any(facts.sound.encoding_changes) and facts.rate_change is None:
        left = data[: len(data) // width * width]
        quiet = QUIET[encoding]
        assert len(stream(plan)) >= len(left)
        whole = [left[i : i + width] for i in range(0, len(left), width) if left[i : i + width] not in quiet]
        found = stream(plan)
        sounds = [found[i : i + width] for i in range(0, len(found), width) if found[i : i + width] not in quiet]
        assert sounds == whole  # nothing is lost, changed or moved; only silence is added


@pytest.mark.parametrize("name", list(ENCODINGS))
def test_conversion_keeps_the_sound(name):
    if name in ("pcm_f16le", "pcm_f32le", "f32be", "f64le"):
        dtype = {"pcm_f16le": "<f2", "pcm_f32le": "<f4", "f32be": ">f4", "f64le": "<f8"}[name]
        data = np.linspace(-1, 1, 240).astype(dtype).tobytes()
    else:
        data = np.random.default_rng(1).bytes(240 * ENCODINGS[name].width)
        data = np.frombuffer(data, "<i2").astype("<i8").tobytes() if name == "s64le" else data
    sent = convert(np.frombuffer(data, np.uint8), name)
    assert choose_target(name) in SUPPORTED
    np.testing.assert_allclose(decode(sent, choose_target(name)), decode(data, name), atol=1e-7)


@pytest.mark.parametrize("name", SUPPORTED)
def test_silence_is_silent(name):
    assert (
        np.abs(decode(make_silence(name, 10), name)).max() < 0.001
        and len(make_silence(name, 10)) == 10 * ENCODINGS[name].width
    )


def of_fixture(name):
    facts = session_facts(str(FIXTURES / "sessions" / name), None, None, None, None)
    return facts, plan_mended(facts)


@pytest.mark.parametrize(
    "name",
    [
        "format-24k-declared-16k.jsonl.gz",
        "format-big-endian.jsonl.gz",
        "format-s24-declared-s16.jsonl.gz",
        "format-f32-declared-s16.jsonl.gz",
        "format-mulaw-declared-s16.jsonl",
        "format-u8-declared-s16.jsonl",
        "healthy-alaw-160ms.jsonl",
    ],
)
def test_the_true_format_is_declared(name):
    manifest = json.loads((FIXTURES / "manifest.json").read_text())
    true = next(item["true"] for item in manifest if item["path"] == f"sessions/{name}")
    query = dict(parse_qsl(of_fixture(name)[1].query))
    assert (query["encoding"], query["sample_rate"]) == (choose_target(true["encoding"]), str(true["sample_rate"]))


def test_holes_become_silence_and_foreign_messages_go():
    facts, plan = of_fixture("stream-keepalive.jsonl")
    (note,) = plan.notes
    seconds = float(note.split()[0])
    before, after = len(facts.audio.data), len(stream(plan))
    width = ENCODINGS[facts.declared.meant].width * facts.declared.sample_rate
    assert seconds > 2 and (after - before) / width == pytest.approx(seconds, abs=0.06)
    assert texts(plan) == ['{"type":"close"}']


def test_a_stall_that_was_made_up_for_is_not_filled():
    facts, plan = of_fixture("stream-stalled.jsonl")
    assert stream(plan) == facts.audio.data.tobytes() and plan.notes == ()


def test_samples_that_lost_their_step_are_read_in_step():
    facts, plan = of_fixture("format-alignment-lost.jsonl.gz")
    found, data = stream(plan), facts.audio.data.tobytes()
    assert "out of step" in plan.notes[0] and len(data) - len(found) <= 3
    assert found[-20_000:-2] == data[-20_001:-3] or found[-20_000:] == data[-20_000:]


def test_the_query_is_put_right():
    url = f"{PATH}?encoding=linear16&sample_rate=16000&model=nova-3&smart_format=true&access_token=x&keyterm=a%20b"
    url += "&turn_start_threshold=0.3&language=en&cartesia_version=2026-03-01"
    plan = plan_repair(case_of(audio(0.2, bytes(3200)), url=url), Layout("pcm_s16le"), 16000)
    expected = "model=ink-2&encoding=pcm_s16le&sample_rate=16000&cartesia_version=2026-03-01&keyterm=a%20b"
    assert (plan.path, plan.query, plan.headers) == ("/stt/turns/websocket", expected, {})


def test_another_vendors_path_becomes_the_endpoint():
    url = "wss://api.cartesia.ai/v1/listen?encoding=pcm_s16le&sample_rate=16000"
    plan = plan_repair(case_of(audio(0.2, bytes(3200)), url=url), Layout("pcm_s16le"), 16000)
    assert plan.path == "/stt/turns/websocket" and plan.headers == {"Cartesia-Version": "2026-03-01"}


def test_the_manual_endpoint_keeps_its_words():
    url = "wss://api.cartesia.ai/stt/websocket?model=ink-whisper&language=fr&encoding=pcm_s16le&sample_rate=16000"
    rows = [audio(0.2, bytes(3200)), {"type": "send", "t": 0.3, "text": "finalize"}, audio(0.4, bytes(3200))]
    plan = plan_repair(case_of(*rows, {"type": "send", "t": 0.5, "text": "done"}, url=url), Layout("pcm_s16le"), 16000)
    assert texts(plan) == ["finalize", "close"] and "language=fr" in plan.query and "model=ink-whisper" in plan.query


def test_what_stands_before_the_samples_is_left_out():
    sound = np.arange(1600, dtype="<i2").tobytes()
    plan = plan_repair(case_of(audio(0.2, bytes(44) + sound)), Layout("pcm_s16le", 44), 16000)
    assert stream(plan) == sound
    assert any("first 44 bytes" in note for note in plan.notes)


@pytest.mark.parametrize(
    ("rows", "layout", "rate", "sentence"),
    [
        ([{"type": "send", "t": 0.2, "bytes": 3200}], Layout("pcm_s16le"), 16000, "no audio content"),
        ([audio(0.2, bytes(100))], None, 16000, "cannot be repaired"),
        ([audio(0.2, bytes(100))], Layout("pcm_s16le", 0, 2), 16000, "2 channels"),
        ([audio(0.2, bytes(100))], Layout("pcm_s16le"), None, "sample rate is not known"),
    ],
)
def test_what_cannot_be_repaired_is_told(rows, layout, rate, sentence):
    with pytest.raises(InputError, match=sentence):
        plan_repair(case_of(*rows), layout, rate)


def test_without_an_address_nothing_is_sent():
    facts = session_facts(jsonl({**HEADER, "url": None}, OPEN, audio(0.2, bytes(100))), None, None, None, None)
    with pytest.raises(InputError, match="no URL"):
        plan_unchanged(facts)


def test_as_it_was_keeps_frames_messages_times_and_ends():
    rows = [
        audio(0.2, b"abc"),
        {"type": "send", "t": 0.3, "json": {"type": "KeepAlive"}},
        {"type": "receive", "t": 0.4, "json": {"type": "connected"}},
        {"type": "close", "t": 1.1, "by": "server", "code": 1011},
        {"type": "open", "t": 2.1, "status": 101},
        audio(2.2, b"de"),
        {"type": "close", "t": 3.1, "by": "client", "code": 1006},
    ]
    plan = plan_unchanged(case_of(*rows, url=f"{PATH}?encoding=linear16&access_token=REDACTED"))
    first, second = plan.legs
    assert [(round(step.t, 6), step.content) for step in first.steps] == [(0.1, b"abc"), (0.2, '{"type": "KeepAlive"}')]
    assert (first.leaving, round(second.begin_s, 6), second.leaving.code) == (None, 2.0, None)
    assert plan.query == "encoding=linear16"


def test_as_it_was_needs_times():
    row = {key: value for key, value in audio(0.2, b"ab").items() if key != "t"}
    with pytest.raises(InputError, match="no times"):
        plan_unchanged(case_of(row))
