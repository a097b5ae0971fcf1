import base64

import numpy as np
import pytest
from common import FIXTURES, HEADER, OPEN, jsonl

from sttdoctor.api import examine, session_facts
from sttdoctor.checks import all_causes
from sttdoctor.resend.mend import mend, plan_mended, tell_why_not

SPEECH = (FIXTURES / "audio" / "s16-16k.raw").read_bytes()[: 2 * 16000 * 6]
FRAMES = [SPEECH[at : at + 640] for at in range(0, len(SPEECH), 640)]


def audio(t, data):
    return {"type": "send", "t": t, "audio": base64.b64encode(data).decode()}


def stream(plan):
    return b"".join(step.content for leg in plan.legs for step in leg.steps if isinstance(step.content, bytes))


def facts_of(frames, rate=16000, every=0.02):
    url = f"wss://api.cartesia.ai/stt/turns/websocket?model=ink-2&encoding=pcm_s16le&sample_rate={rate}"
    rows = [audio(0.1 + every * number, frame) for number, frame in enumerate(frames)]
    hello = {"type": "receive", "t": 0.05, "json": {"type": "connected", "request_id": "r1"}}
    return session_facts(jsonl({**HEADER, "url": url}, OPEN, hello, *rows, CLOSE), None, None, None, None)


CLOSE = {"type": "send", "t": 6.2, "json": {"type": "close"}}


def with_header(frames):
    return [b"\x80\0" + n.to_bytes(2, "big") + (320 * n).to_bytes(4, "big") + b"ssrc" + f for n, f in enumerate(frames)]


def in_planes(frames):
    return [frame + frame for frame in frames]


def test_one_fault_behind_another_is_mended_too():
    plan = plan_mended(facts_of(with_header(in_planes(FRAMES))))
    assert stream(plan) == SPEECH
    assert [note.partition(":")[0] for note in plan.notes] == ["for frames.header", "for channels.interleaved"]


def test_a_healthy_session_stays_as_it_is():
    plan = plan_mended(facts_of(FRAMES))
    assert stream(plan) == SPEECH and plan.notes == ()


def test_what_was_lost_is_said_to_be_lost():
    loud = np.clip(np.frombuffer(SPEECH, "<i2").astype(float) * 8, -32768, 32767).astype("<i2").tobytes()
    facts = facts_of([loud[at : at + 640] for at in range(0, len(loud), 640)])
    notes = plan_mended(facts).notes
    assert any(note.startswith("signal.clipped is not mended: ") for note in notes)


def test_the_report_of_what_was_mended_comes_with_it():
    facts = facts_of(with_header(FRAMES))
    mended = mend(facts, examine(facts))
    assert [cause for cause, _ in mended.done] == ["frames.header"]
    assert mended.report.diagnoses == () and mended.facts.audio.data.tobytes() == SPEECH


@pytest.mark.parametrize("cause", list(all_causes()))
def test_every_cause_is_mended_or_it_is_said_why_not(cause):
    why = tell_why_not(cause)
    assert why is None or (why[0].islower() and not why.endswith("."))


def test_joining_and_the_service_are_not_mended_by_sending():
    assert "join" in tell_why_not("joining.separator-added")
    assert tell_why_not("server.error-event") and tell_why_not("signal.clipped") and not tell_why_not("drain.no-close")
