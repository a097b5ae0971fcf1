"""Which connections are one client's session, and how several become one."""

import base64
import json
from dataclasses import replace

import numpy as np
import pytest
from captures import EPOCH, URL, har, websockets_log
from common import FIXTURES, one_sentence
from wires import Tcp, conversation, pcap

import sttdoctor
from sttdoctor.errors import InputError
from sttdoctor.evidence import Close, Frame, Open, Session, Transcript
from sttdoctor.readers.capture import read_capture, read_session
from sttdoctor.readers.joining import ApartError, Part, join
from sttdoctor.readers.session_jsonl import write_rows

RNG = np.random.default_rng(3)
NOISE = RNG.normal(0, 3000, 64_000)


def session(began=0.0, frames=20, audio=None, url=URL, **changes):
    """A session that begins so many seconds after `EPOCH`, with a frame each 0.1 s."""
    content = RNG.bytes(1600 * frames) if audio is None else audio
    events = [Open(1, 0.0, 101), Frame(2, 0.05, False, 9, message={"type": "connected"})]
    events += [Frame(3 + i, 0.1 * (i + 1), True, 1600, True, content[1600 * i : 1600 * (i + 1)]) for i in range(frames)]
    moment = np.datetime64(round((EPOCH + began) * 1000), "ms")
    return replace(Session(tuple(events), url=url, started_at=f"{moment}Z", client="a/1"), **changes)


def joined(*sessions, told=False):
    return join([Part(item) for item in sessions], told)


def samples(values):
    return np.clip(values, -32768, 32767).astype("<i2").tobytes()


def test_one_after_the_other_they_are_one_session_on_one_clock():
    whole = joined(session(), session(3.0))
    assert [event.t for event in whole.events if isinstance(event, Open)] == [0.0, 3.0]
    assert [event.t for event in whole.events][-1] == 5.0 and whole.beside == ()


def test_the_order_is_that_of_the_clock():
    assert joined(session(3.0), session()).started_at == session().started_at


def test_a_minute_between_them_makes_two_sessions_unless_somebody_says_otherwise():
    with pytest.raises(ApartError, match="minute"):
        joined(session(), session(70.0))
    assert len(joined(session(), session(70.0), told=True).events) == 44


@pytest.mark.parametrize(
    "other",
    [
        session(3.0, url=URL.replace("8000", "16000")),
        session(3.0, url=URL.replace("api.", "eu.")),
        replace(session(3.0), client="b/1"),
    ],
)
def test_other_formats_hosts_and_programs_are_other_clients(other):
    with pytest.raises(ApartError, match="differ"):
        joined(session(), other)


def test_tokens_and_ports_do_not_matter():
    url = URL.replace("cartesia.ai", "cartesia.ai:8080") + "&access_token=REDACTED"
    assert len(joined(session(), session(3.0, url=url)).events) == 44


def test_a_server_has_many_clients():
    with pytest.raises(ApartError, match="server"):
        joined(session(clock="server"), session(3.0, clock="server"))


def test_the_same_bytes_at_a_time_are_a_doubled_connection():
    audio = RNG.bytes(64_000)
    whole = joined(session(audio=audio, frames=40), session(0.3, audio=audio[4800:], frames=37))
    assert len(whole.beside) == 1 and len(whole.events) == 42


@pytest.mark.parametrize("gain", [0.4, 1.0])
def test_the_same_sound_with_another_gain_and_noise_is_doubled(gain):
    other = samples(gain * np.roll(NOISE, 333) + RNG.normal(0, 300, len(NOISE)))
    url = URL.replace("pcm_mulaw", "pcm_s16le")
    pair = [session(0.0, 80, samples(NOISE), url), session(0.1, 80, other, url)]
    assert len(joined(*pair).beside) == 1


def test_different_audio_at_a_time_are_two_sessions():
    with pytest.raises(ApartError, match="same time"):
        joined(session(), session(0.5), told=True)
    silence = [session(began, audio=bytes(32_000)) for began in (0.0, 0.5)]
    with pytest.raises(ApartError, match="same time"):
        joined(*silence)


def test_a_new_connection_before_the_old_one_is_gone_follows_it():
    first = session()
    lingering = replace(first, events=(*first.events, Close(99, 9.0, "unknown", 1006)))
    whole = joined(lingering, session(2.2))
    assert [type(event) for event in whole.events].count(Open) == 2 and whole.beside == ()


@pytest.mark.parametrize(
    ("texts", "whole"),
    [(("a ", "b"), "a b"), (("a", "a b"), "a b"), ((None, "b"), "b"), ((None, None), None)],
)
def test_the_texts_of_the_application_are_one(texts, whole):
    parts = [
        session(3.0 * number, transcript=None if text is None else Transcript(text))
        for number, text in enumerate(texts)
    ]
    found = joined(*parts).transcript
    assert (found.text if found else None) == whole


def two(shift, lost=False):
    """A HAR with two sockets."""
    first, other = har(), har()
    messages = other["log"]["entries"][0]["_webSocketMessages"]
    for message in messages:
        message["time"] += shift
    other["log"]["entries"][0]["startedDateTime"] = f"2026-09-21T14:13:{20 + shift:09.6f}Z"
    if lost:
        first["log"]["entries"][0]["_webSocketMessages"] = first["log"]["entries"][0]["_webSocketMessages"][:20]
    first["log"]["entries"] += other["log"]["entries"]
    return json.dumps(first).encode()


def test_a_har_with_a_doubled_connection_is_judged_and_says_so_first():
    diagnosis = sttdoctor.replay(two(0.021), select=("connection", "joining")).diagnoses[0]
    assert diagnosis.cause == "connection.doubled" and "two connections" in diagnosis.root.summary.lower()


def test_a_har_with_a_reconnect_is_one_session_whose_reconnect_is_judged():
    report = sttdoctor.replay(two(6.0, lost=True), select=("connection",))
    (finding,) = report.checks[0].findings
    assert finding.cause == "connection.reconnected" and "turn was open" in finding.summary


def test_sessions_that_were_drained_are_no_reconnect():
    assert sttdoctor.replay(two(6.0), select=("connection",)).diagnoses == ()


def test_two_connections_of_a_packet_capture_one_after_the_other():
    first, second = Tcp().open().say(conversation()).close(), Tcp(("10.0.0.2", 50001))
    second.say(item._replace(t=item.t + 5) for item in conversation())
    both = [*first.packets, *second.packets]
    assert sum(isinstance(event, Open) for event in read_capture(pcap(both)).events) == 2
    stranger = Tcp(("10.0.0.3", 50001))
    stranger.say(item._replace(t=item.t + 5) for item in conversation())
    with pytest.raises(InputError, match="choose with --connection"):
        read_capture(pcap([*first.packets, *stranger.packets]))


def test_all_connections_are_joined_when_all_are_asked_for():
    log = websockets_log() + websockets_log().replace(b"14:13:", b"14:33:")
    with pytest.raises(InputError, match="choose"):
        read_capture(log)
    whole = read_capture(log, "all")
    assert [event.t for event in whole.events if isinstance(event, Open)] == [0.05, 1200.05]
    assert list(write_rows(read_capture("\n".join(write_rows(whole)).encode()))) == list(write_rows(whole))


def test_of_a_capture_that_holds_lengths_only_nothing_can_be_the_same():
    archive = json.loads(two(0.021))
    for entry in archive["log"]["entries"]:
        for message in entry["_webSocketMessages"]:
            if message["opcode"] == 2:
                message["data"] = base64.b64encode(bytes(800)).decode()
    with pytest.raises(InputError, match="holds 2 connections"):
        read_capture(json.dumps(archive).encode())


@pytest.fixture
def recorded(tmp_path):
    """Two files of a client that lost its first connection."""
    folder = tmp_path / "recorded"
    folder.mkdir()
    lost = session(frames=40)
    turn = Frame(90, 3.9, False, 9, message={"type": "turn.start", "request_id": "a"})
    parts = {"b": replace(lost, events=(*lost.events, turn, Close(99, 4.2, "unknown", 1006))), "a": session(9.0)}
    for name, part in parts.items():
        (folder / f"{name}.jsonl").write_text("".join(f"{row}\n" for row in write_rows(part)))
    (folder / "notes.txt").write_text("nothing")
    return folder


def test_several_files_and_a_folder_are_one_session(run, recorded):
    files = [recorded / "a.jsonl", recorded / "b.jsonl"]
    by_name = run("replay", *files, "--format", "json", "--select", "connection")
    assert by_name.code == 1 and "connection.reconnected" in by_name.out
    report = json.loads(by_name.out)
    assert report["subject"]["duration_s"] == pytest.approx(11.0)
    assert report["listen"]["convert"].split()[2:4] == [str(file) for file in files]
    whole = json.loads(run("replay", recorded, "--format", "json", "--select", "connection").out)
    assert whole["checks"] == report["checks"]
    assert sttdoctor.replay(files, select=("connection",)).diagnoses[0].cause == "connection.reconnected"


def test_convert_joins_what_it_is_given(run, recorded):
    rows = run("convert", recorded).out
    assert [event.t for event in read_capture(rows.encode()).events if isinstance(event, Open)] == [0.0, 9.0]
    again = run("replay", "-", "--format", "json", "--select", "connection", stdin=rows.encode()).out
    before = run("replay", recorded, "--format", "json", "--select", "connection").out
    assert [d["summary"] for d in json.loads(again)["diagnoses"]] == [
        d["summary"] for d in json.loads(before)["diagnoses"]
    ]


def test_files_that_are_no_one_session_are_refused_in_a_sentence(run, recorded):
    (recorded / "c.jsonl").write_text("".join(f"{row}\n" for row in write_rows(session(9.5))))
    assert "are not one client's session: they ran at the same time" in one_sentence(run("replay", recorded))
    empty = recorded / "empty"
    empty.mkdir()
    assert "without a capture" in one_sentence(run("replay", empty))


@pytest.mark.parametrize("value", ["0", "-1", "x", "1" * 20])
def test_the_choice_of_a_connection_is_a_number_or_all(run, value):
    assert "neither a number from 1 nor all" in one_sentence(run("replay", "-", "--connection", value))


def test_convert_says_that_it_writes_one_of_two(run):
    assert "one of them is written" in run("convert", "-", stdin=two(0.021)).err


def test_one_capture_given_twice_is_no_second_connection():
    path = FIXTURES / "sessions" / "healthy-several-turns.jsonl"
    with pytest.raises(InputError, match="given twice"):
        read_session([path, path])


def test_captures_of_two_days_in_a_folder_are_no_session_unless_they_are_named(run, recorded):
    (recorded / "b.jsonl").unlink()
    (recorded / "c.jsonl").write_text("".join(f"{row}\n" for row in write_rows(session(26 * 3600.0))))
    assert "more than an hour between them" in one_sentence(run("replay", recorded))
    named = run("replay", recorded / "a.jsonl", recorded / "c.jsonl", "--select", "connection", "--format", "json")
    assert json.loads(named.out)["subject"]["kind"] == "session"
