"""Every format of `captures.py` is recognised, and gives what it can prove."""

import base64
import gzip
import io
import json
from pathlib import Path

import captures
import jsonschema
import pytest
import wires
from captures import CHUNK, EVENTS, URL, har, websockets_log
from common import HEADER, jsonl, one_sentence
from rows import written
from verdicts import FORMATS, LACKS, answers, verdicts

import sttdoctor
from sttdoctor.api import replay
from sttdoctor.errors import InputError
from sttdoctor.evidence import Close, Control, Frame, Open
from sttdoctor.readers.capture import read_capture

WHOLE = ["session", "chrome", "compact", "playwright", "websockets-whole", "gzip", *wires.FORMATS]
CLOCK = dict.fromkeys(FORMATS, "client") | {"compact": "proxy", "flow": "proxy", "no-times": "none"}
RESOLUTION = dict.fromkeys(FORMATS, 0.001) | {"session": 0.0, "no-times": 0.0, "sdk": 1.0}
RESOLUTION |= {"flow": 1e-6, "pcap": 1e-6, "pcapng": 1e-6}
RESOLUTION |= dict.fromkeys(("tshark", "tshark-bulk", "tshark-xml"), 1e-6)
OPEN_URL = URL.replace("wss:", "ws:")


def frames(session, sent):
    return [event for event in session.events if isinstance(event, Frame) and event.sent == sent]


@pytest.mark.parametrize("name", FORMATS)
def test_what_a_capture_states(name):
    session = read_capture(FORMATS[name])
    assert session.lacks == LACKS[name]
    assert (session.clock, session.resolution) == (CLOCK[name], RESOLUTION[name])
    assert session.url == (OPEN_URL if name in ("net-log", "pcap", "pcapng") else URL) and session.damage.lines == 0
    assert session.headers.get("authorization", "Bearer REDACTED") == "Bearer REDACTED"
    assert ("headers" in session.lacks) == (not session.headers)


@pytest.mark.parametrize("name", FORMATS)
def test_sizes_and_times_of_what_was_sent(name):
    sent = frames(read_capture(FORMATS[name]), sent=True)
    if name == "sdk":
        assert sent == []
        return
    audio = [frame for frame in sent if frame.binary]
    assert [frame.size for frame in audio] == [len(CHUNK)] * 30
    assert all((frame.audio == CHUNK) == (name in WHOLE) for frame in audio)
    assert [frame.type for frame in sent if not frame.binary] == ["close"]
    if name == "no-times":
        assert {frame.t for frame in sent} == {None}
    else:
        assert [frame.t for frame in audio] == pytest.approx([0.2 + 0.1 * i for i in range(30)], abs=0.0011)


@pytest.mark.parametrize("name", FORMATS)
def test_what_was_received(name):
    received = frames(read_capture(FORMATS[name]), sent=False)
    assert [frame.type for frame in received] == [event["type"] for event in EVENTS]
    if "text" in LACKS[name]:
        assert received[-1].elided and "transcript" not in received[-1].message
    else:
        assert [frame.message for frame in received] == list(EVENTS)


@pytest.mark.parametrize("name", ["websockets", "both", "no-times", *wires.FORMATS])
def test_handshake_and_close_where_a_capture_holds_them(name):
    events = read_capture(FORMATS[name]).events
    assert isinstance(events[0], Open) and events[0].status == 101 and events[0].headers["server"] == "x"
    assert isinstance(events[-1], Close) and (events[-1].by, events[-1].code) == ("server", 1000)
    assert sum(isinstance(event, Close) for event in events) == 1


@pytest.mark.parametrize("name", FORMATS)
def test_verdicts_are_the_same_after_convert(name):
    session = read_capture(FORMATS[name])
    again = read_capture(written(session))
    assert again.lacks == session.lacks and again.clock == session.clock
    before, after = answers(FORMATS[name]), answers(written(session))
    assert verdicts(FORMATS[name]) == verdicts(written(session))
    assert [answer.text for answer in before.values()] == [answer.text for answer in after.values()]
    assert written(again) == written(session)


@pytest.mark.parametrize("name", FORMATS)
def test_verdicts_agree_with_the_session_wherever_the_capture_carries_the_evidence(name):
    whole = verdicts(FORMATS["session"])
    judged = verdicts(FORMATS[name])
    told = {check for check, (status, _) in judged.items() if status not in ("unknown", "not_applicable")}
    assert {check: judged[check] for check in told} == {check: whole[check] for check in told}
    lost = {"sdk": {"turns", "joining"}, "no-times": {"turns", "drain"}, "websockets": {"turns", "drain", "pacing"}}
    assert lost.get(name, {"pacing", "joining", "turns"}) <= told


def test_a_file_object_and_a_path(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(FORMATS["chrome"])
    link = tmp_path / "link"
    link.symlink_to(path)
    with path.open("rb") as file:
        assert written(read_capture(file)) == written(read_capture(path)) == written(read_capture(link))
    assert written(read_capture(io.BytesIO(FORMATS["chrome"]))) == written(read_capture(path))
    assert read_capture(path).path == str(path)


def two_sockets(second=URL):
    """Two at a time, with different audio."""
    first, other = har(), har(url=second)
    for message in other["log"]["entries"][0]["_webSocketMessages"]:
        if message["opcode"] == 2:
            message["data"] = base64.b64encode(CHUNK[::-1]).decode()
    first["log"]["entries"] += other["log"]["entries"]
    return json.dumps(first).encode()


def test_several_sockets_are_listed_and_one_is_chosen(run):
    capture = two_sockets(f"{URL}&api_key=geheim")
    sentence = one_sentence(run("replay", "-", stdin=capture))
    assert "--connection N: 1: wss://" in sentence and "; 2: wss://" in sentence and "geheim" not in sentence
    assert run("convert", "-", "--connection", 2, stdin=capture).code == 0
    assert read_capture(capture, 2).url.endswith("api_key=REDACTED") and read_capture(capture, 1).url == URL
    assert "has no connection 3" in one_sentence(run("replay", "-", "--connection", 3, stdin=capture))


def test_one_socket_of_the_service_needs_no_choice():
    assert read_capture(two_sockets("wss://example.com/chat")).url == URL


def test_a_session_with_a_reconnect_stays_one_session():
    rows = FORMATS["session"] + b"".join(FORMATS["session"].splitlines(keepends=True)[1:])
    assert sum(isinstance(event, Open) for event in read_capture(rows).events) == 2
    with pytest.raises(InputError, match="no connection 2"):
        read_capture(rows, 2)


@pytest.mark.parametrize(
    "prefix",
    [
        "{clock} ",
        "[2026-09-21T{clock}+00:00] DEBUG:websockets.client:",
        "DEBUG:app:{clock}:",
        "web-1  | 2026-09-21 {clock} | DEBUG | websockets.client | ",
        "\x1b[36m2026-09-21 {clock}\x1b[0m DEBUG    protocol.py:176 ",
        "Sep 21 {clock} host app[12]: ",
    ],
)
def test_any_prefix(prefix):
    sent = [frame for frame in frames(read_capture(websockets_log(prefix)), sent=True) if frame.binary]
    assert [frame.t for frame in sent] == pytest.approx([0.2 + 0.1 * i for i in range(30)], abs=0.0011)


def test_epoch_times_and_a_bare_format():
    lines = websockets_log("{clock} ").decode().splitlines()
    log = "\n".join(f"{captures.EPOCH + i * 0.5:.3f} {line[13:]}" for i, line in enumerate(lines)).encode()
    times = [event.t for event in read_capture(log).events]
    assert times == sorted(times) and times[-1] - times[-3] > 0.4
    assert read_capture(websockets_log("DEBUG:websockets.client:")).clock == "none"


def test_a_time_of_day_goes_on_past_midnight():
    log = websockets_log("{clock} ").replace(b"14:13:2", b"23:59:5").replace(b"23:59:53", b"00:00:01")
    times = [event.t for event in read_capture(log).events]
    assert times == sorted(times) and max(times) < 20


def test_the_server_side_of_a_log():
    turned = websockets_log().replace(b" > ", b" @ ").replace(b" < ", b" > ").replace(b" @ ", b" < ")
    session = read_capture(turned.replace(b"websockets.client", b"websockets.server"))
    assert session.clock == "server" and len([f for f in frames(session, sent=True) if f.binary]) == 30
    assert session.events[-1].by == "server"


def test_lines_of_the_application_between_do_not_disturb():
    noisy = websockets_log().replace(
        b"\n", b"\n2026-09-21 14:13:20,000 app INFO a > b: c < d [3 bytes]\n\xff\x00 > TEXT\n"
    )
    assert written(read_capture(noisy)).count(b"\n") == written(read_capture(websockets_log())).count(b"\n")
    assert len(read_capture(noisy).headers) == len(captures.HEADERS)


def test_fragments_are_one_message():
    log = websockets_log().splitlines(keepends=True)
    at = next(i for i, line in enumerate(log) if b"> BINARY" in line)
    mark = log[at].partition(b"BINARY")[0]
    log[at:at] = [mark + b"BINARY 00 ... 00 [400 bytes, continued]\n", mark + b"CONT 00 ... 00 [binary, 401 bytes]\n"]
    assert frames(read_capture(b"".join(log)), sent=True)[0].size == 801


def test_a_log_shows_its_pings_and_pongs_and_convert_leaves_them_out():
    log = websockets_log()
    stamp = f"2026-09-21 {captures.clock(2.0)} websockets.client DEBUG ".encode()
    ping = stamp + b"> PING b2 69 c2 a1 [binary, 4 bytes]\n" + stamp + b"< PONG b2 69 c2 a1 [binary, 4 bytes]\n"
    session = read_capture(log.replace(b"= connection is OPEN\n", b"= connection is OPEN\n" + ping))
    controls = [event for event in session.events if isinstance(event, Control)]
    assert [(item.t, item.sent, item.kind) for item in controls] == [(2.0, True, "ping"), (2.0, False, "pong")]
    assert written(session) == written(read_capture(log))


def test_overlapping_connections_of_a_log_are_refused():
    opened = websockets_log().replace(b"= connection is CLOSED", b"")
    with pytest.raises(InputError, match="do not say which is which"):
        read_capture(opened + websockets_log(), 2)


def test_connections_of_a_log_one_after_the_other_are_several():
    with pytest.raises(InputError, match="choose with --connection"):
        read_capture(2 * websockets_log())
    assert len(read_capture(2 * websockets_log(), 2).events) == len(read_capture(websockets_log()).events)


def test_a_reconnect_of_the_sdk_is_one_session():
    again = b"2026-09-21 14:13:23,900 cartesia INFO Reconnecting to WebSocket API (attempt 1/5) after 0.5s delay\n"
    session = read_capture(both := captures.both_logs() + again + websockets_log())
    assert sum(isinstance(event, Open) for event in session.events) == 2 and both
    alone = captures.sdk_log()
    session = read_capture(alone + again + alone)
    assert sum(isinstance(event, Open) for event in session.events) == 2


def test_an_sdk_log_with_a_refused_handshake():
    log = captures.sdk_log().splitlines(keepends=True)[0]
    log += b"websockets.exceptions.InvalidStatus: server rejected WebSocket connection: HTTP 429\n"
    assert [event.status for event in read_capture(log).events] == [429]


def test_nothing_known_is_told_in_a_sentence(run):
    sentence = one_sentence(run("replay", "-", stdin=b"just\nsome words\n"))
    assert "a HAR" in sentence and "session JSONL" in sentence and "logs of websockets" in sentence
    assert "is empty" in one_sentence(run("replay", "-", stdin=gzip.compress(b"")))


@pytest.mark.parametrize("options", [[], ["--no-audio"], ["--no-text"]])
@pytest.mark.parametrize("name", FORMATS)
def test_what_convert_writes_follows_the_schema(run, name, options):
    schema = json.loads((Path(sttdoctor.__file__).parent / "schemas" / "session.schema.json").read_text("utf-8"))
    validator = jsonschema.Draft202012Validator(schema)
    for line in run("convert", "-", *options, stdin=FORMATS[name]).out.splitlines():
        validator.validate(json.loads(line))


def capture(times, **header):
    """Messages in both directions at the given times; every second one is 0.1 s of audio."""
    rows = [
        {"type": "send", "t": t, "bytes": 3200}
        if i % 2
        else {"type": "receive", "t": t, "json": {"type": "turn.start"}}
        for i, t in enumerate(times)
    ]
    return jsonl({**HEADER, **header}, {"type": "open", "t": times[0], "status": 101}, *rows)


@pytest.mark.parametrize("moment", [-1, 0, 1234.5])
def test_one_time_for_all_messages_is_none(moment):
    session = read_capture(capture([moment] * 200))
    assert session.clock == "none" and {event.t for event in session.events} == {None}
    report = replay(capture([moment] * 200))
    assert {c.id: c.status for c in report.checks if c.id in ("pacing", "continuity", "latency")} == {
        "pacing": "unknown",
        "continuity": "unknown",
        "latency": "unknown",
    }


@pytest.mark.parametrize("times", [[0.0, 0.0], [0.0, 0.0, 0.001], [i / 20 for i in range(200)], [-2.0, -1.5, -1.0]])
def test_times_that_differ_stay(times):
    session = read_capture(capture(times))
    assert session.clock == "client" and [event.t for event in session.events][1:] == times


def test_whole_seconds_that_messages_share_are_a_coarse_clock():
    assert read_capture(capture([i // 20 for i in range(200)])).resolution == 1.0
    assert {c.status for c in replay(capture([i // 20 for i in range(200)])).checks if c.id == "pacing"} == {"unknown"}
    assert read_capture(capture([float(i) for i in range(200)])).resolution == 0.0
    assert read_capture(capture([i // 20 + (i == 150) / 10 for i in range(200)])).resolution == 0.0
