"""The server over real sockets: what it takes, what it refuses, and that nothing stays."""

import contextlib
import json
import resource
import signal
import socket
import stat
import threading

import pytest
from common import FIXTURES
from hypothesis import given
from hypothesis import strategies as st
from serving import head_of, is_running, running, until
from triaged import capture

import sttdoctor
from sttdoctor.serve.app import MAX_HEAD_BYTES, Options, RefusalError

AUDIO = (FIXTURES / "audio" / "f32-declared-s16.raw").read_bytes()
SESSION = FIXTURES / "sessions" / "joining-everything-joined.jsonl"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    yield from (start("--jobs", "2", "--size-limit", "1") for start in running(tmp_path_factory.mktemp("serve")))


@pytest.fixture
def start(tmp_path):
    yield from running(tmp_path)


def test_the_page_loads_nothing_from_elsewhere_and_may_not(server):
    status, headers, page = server.ask("GET", "/")
    assert status == 200 and "://" not in page
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "http" not in policy
    for path, kind in (("/page.js", "text/javascript"), ("/page.css", "text/css")):
        status, headers, content = server.ask("GET", path)
        assert status == 200 and headers["content-type"].startswith(kind) and "://" not in content
        assert headers["x-content-type-options"] == "nosniff" and headers["cache-control"] == "no-store"


def test_a_session_is_judged_as_replay_judges_it(server):
    status, lines = server.upload(SESSION.read_bytes(), "call 7.jsonl")
    expected = sttdoctor.replay(SESSION)
    report = json.loads(lines[-1]["reports"]["json"])
    assert status == 200 and lines[-1]["status"] == expected.status
    assert [item["cause"] for item in report["diagnoses"]] == [item.cause for item in expected.diagnoses]
    assert report["subject"]["path"] == "call 7.jsonl" and report["subject"]["kind"] == "session"
    assert "call 7.jsonl" in lines[-1]["reports"]["html"] and "call 7.jsonl" in lines[-1]["reports"]["markdown"]
    assert expected.diagnoses[0].cause in lines[-1]["answer"]
    assert {line["what"] for line in lines[:-1]} >= {"reading the capture", "joining", "drawing the figures"}
    server.wait_until_clean()


def test_audio_is_judged_against_what_is_declared(server):
    last = server.judge(AUDIO, "a.raw", encoding="pcm_s16le", sample_rate=8000)
    report = json.loads(last["reports"]["json"])
    assert (last["status"], report["diagnoses"][0]["cause"]) == ("fail", "encoding.mismatch")
    assert report["subject"]["declared"] == {"encoding": "pcm_s16le", "sample_rate": 8000}
    assert server.judge(AUDIO, "a.raw")["status"] == "pass"


def test_the_text_of_the_application_is_judged(server):
    assert "joining.words" not in server.judge(capture())["answer"]
    report = json.loads(server.judge(capture(), text="Something else")["reports"]["json"])
    assert report["subject"]["transcript"]["got"] == "Something else"
    assert next(check for check in report["checks"] if check["id"] == "joining")["status"] in ("warn", "fail")


@pytest.mark.long
def test_many_at_once_are_all_answered_and_leave_nothing(server):
    answers = {}

    def send(number):
        answers[number] = server.judge(capture(f"sdk/{number}"), f"call-{number}.jsonl")

    threads = [threading.Thread(target=send, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    clients = [json.loads(answers[number]["reports"]["json"])["subject"]["client"] for number in range(6)]
    assert clients == [f"sdk/{number}" for number in range(6)]
    server.wait_until_clean()


@pytest.mark.parametrize(
    ("headers", "says"),
    [
        ({"Host": "evil.example"}, "evil.example, the Host of the request, is not this machine"),
        ({"Origin": "https://evil.example"}, "a page of https://evil.example may not connect"),
        ({"Origin": "null"}, "a page without a site"),
        ({"Sec_Fetch_Site": "cross-site"}, "a page of another site"),
    ],
)
@pytest.mark.parametrize(("method", "path"), [("GET", "/"), ("POST", "/captures"), ("GET", "/nothing")])
def test_pages_of_others_are_refused_whatever_they_ask(server, headers, says, method, path):
    status, found, body = server.ask(method, path, **headers)
    assert status == 403 and body.startswith(says) and found["content-type"].startswith("text/plain")


def test_a_name_that_is_allowed_comes_in(start):
    server = start("--allow-host", "doctor.example", "--allow-origin", "https://app.example")
    assert server.ask("GET", "/", Host="doctor.example")[0] == 200
    assert server.ask("GET", "/", Origin="https://app.example")[0] == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/captures", 405), ("PUT", "/captures", 405), ("POST", "/", 405), ("GET", "/../etc/passwd", 404)],
)
def test_what_the_page_never_asks_for_is_refused(server, method, path, status):
    assert server.ask(method, path)[0] == status


def test_what_is_too_large_is_refused_before_it_is_read(server):
    with server.begun(3 << 20, head_of("a.raw")) as connection:
        answer = connection.getresponse()
        assert answer.status == 413 and b"larger than 1 MiB" in answer.read()
    server.wait_until_clean()


def test_what_does_not_tell_its_size_is_bounded_all_the_same(server):
    with socket.create_connection(("127.0.0.1", server.port), 60) as raw:
        raw.sendall(b"POST /captures?head=0 HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        piece = b"10000\r\n" + bytes(1 << 16) + b"\r\n"
        raw.sendall(piece * 1000)
        assert raw.recv(100).startswith(b"HTTP/1.1 413")
        server.wait_until_clean()


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"{",
        b"[]",
        b'"x"',
        b"{}",
        b"\xff",
        b"[" * 100_000,
        b'{"name": 3}',
        b'{"name": "a", "text": 1}',
        b'{"name": "a", "encoding": []}',
        b'{"name": "a", "sample_rate": "x"}',
        b'{"name": "a", "sample_rate": 1.5}',
        b'{"name": "a", "sample_rate": true}',
        b'{"name": "a", "path": "/etc/passwd"}',
    ],
    ids=range(14),
)
def test_a_request_that_is_none_of_the_page_is_one_sentence(server, head):
    with server.begun(1, head) as connection:
        connection.send(b"x")
        answer = connection.getresponse()
        body = answer.read()
    assert answer.status == 400 and b"\n" not in body and b"Traceback" not in body
    server.wait_until_clean()


def test_a_head_that_is_too_long_or_not_there_is_refused(server):
    assert server.ask("POST", f"/captures?head={MAX_HEAD_BYTES + 1}")[0] == 413
    assert server.ask("POST", "/captures?head=10")[0] == 400
    assert server.ask("POST", "/captures?head=-1")[0] == 400


_keys = st.sampled_from(["name", "encoding", "sample_rate", "text", "x"])
_values = st.none() | st.booleans() | st.integers() | st.floats() | st.text()


@given(st.dictionaries(_keys, _values) | st.lists(_values) | _values)
def test_any_head_is_taken_or_refused(content):
    with contextlib.suppress(RefusalError):
        options = Options.parse(json.dumps(content).encode())
        assert options.name and not set(options.name) & set("/\\") and len(options.name) <= 255


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("empty.raw", b"", "empty.raw is empty"),
        ("notes.txt", b"What these calls are\n", "notes.txt is not a session capture"),
        ("../../etc/x.jsonl.gz", b"\x1f\x8b\x08\x00" + bytes(40), "x.jsonl.gz"),
        ("C:\\calls\\\x1b[2J\u202e.jsonl", b"{}\n", "\\x1b[2J\\u202e.jsonl"),
        ("a.raw", AUDIO, "unknown encoding 'nonsense'"),
    ],
)
def test_a_hostile_capture_ends_in_a_sentence(server, name, content, says):
    options = {"encoding": "nonsense"} if "encoding" in says else {}
    error = server.judge(content, name, **options)["error"]
    assert says in error and str(server.temporary) not in error and error.isprintable()
    server.wait_until_clean()


def test_names_and_texts_of_a_capture_are_no_markup(server):
    name = "<script>alert(1)</script>.jsonl"
    last = server.judge(capture("<img src=x onerror=alert(1)>"), name, text="<b>&amp;")
    assert "<script>" not in last["reports"]["html"] and "<img src=x" not in last["reports"]["html"]


@pytest.mark.long
@pytest.mark.parametrize(
    ("breaks", "args", "says"),
    [
        ("segfault", (), "call.jsonl: the process that judged it died of SIGSEGV"),
        ("hang", ("--time-limit", "2"), "call.jsonl took longer than the time limit of 2 s"),
        ("memory", (), "call.jsonl needs more memory than the limit"),
    ],
)
def test_a_capture_that_breaks_its_process_costs_its_own_report(start, breaks, args, says):
    server = start(*args, breaks=breaks)
    assert server.judge(capture(), "call.jsonl") == {"error": says}
    assert server.ask("GET", "/")[0] == 200
    server.wait_until_clean()


def test_a_connection_that_is_lost_in_mid_upload_leaves_nothing(start):
    server = start("--jobs", "1")
    with server.begun(50 << 20, head_of("a.raw")) as connection:
        connection.send(bytes(5 << 20))
        (path,) = until(lambda: list(server.temporary.glob("*/capture")))
        until(lambda: path.stat().st_size == 5 << 20)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600 and stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    server.wait_until_clean()
    assert server.judge(capture())["status"] == "pass"  # the only slot is free again


def test_a_client_that_leaves_while_its_capture_is_judged_ends_the_process(start):
    server = start(breaks="hang")
    with server.begun(len(capture()), head_of("a.jsonl")) as connection:
        connection.send(capture())
        with connection.getresponse() as answer:
            assert b"reading" in answer.readline() and len(server.workers()) == 1
    server.wait_until_clean()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_uploads_and_processes(start, number, code):
    server = start("--jobs", "2", breaks="hang")
    with server.begun(len(capture()), head_of("a.jsonl")) as judged, server.begun(5 << 20, head_of("b.raw")) as sent:
        judged.send(capture())
        (worker,) = until(server.workers)
        sent.send(bytes(1 << 20))
        until(lambda: len(list(server.temporary.glob("*/capture"))) == 2)
        assert server.end(number)[::2] == (code, "")
    assert server.left() == [] and not is_running(worker)


def test_a_server_that_is_killed_takes_its_processes_along(start):
    server = start(breaks="hang")
    with server.begun(len(capture()), head_of("a.jsonl")) as connection:
        connection.send(capture())
        with connection.getresponse() as answer:
            assert b"reading" in answer.readline()
            (worker,) = server.workers()
            server.process.kill()
            until(lambda: not is_running(worker))


def test_a_full_disk_is_told_to_who_uploads(start):
    server = start(before=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20)))
    status, (line,) = server.upload(bytes(8 << 20), "a.raw")
    assert (status, line["error"]) == (507, "the capture cannot be stored: File too large")
    server.wait_until_clean()


def test_a_folder_keeps_what_was_judged_for_its_owner_alone(start, tmp_path):
    folder = tmp_path / "kept"
    server = start("--keep", str(folder))
    report = server.judge(capture(), "../evil.jsonl")["reports"]
    (kept,) = folder.iterdir()
    assert {path.name for path in kept.iterdir()} == {"capture", "report.html", "report.json", "report.md"}
    assert (kept / "capture").read_bytes() == capture() and (kept / "report.json").read_text() == report["json"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in kept.iterdir()} == {0o600}
    assert str(folder) in server.ask("GET", "/")[2]
    server.judge(b"no capture", "x.txt")
    assert sorted(sorted(path.name for path in one.iterdir()) for one in folder.iterdir())[0] == ["capture"]
    with server.begun(50 << 20, head_of("a.raw")) as connection:
        connection.send(bytes(1 << 20))
        until(lambda: len(list(folder.iterdir())) == 3)
    until(lambda: len(list(folder.iterdir())) == 2)
