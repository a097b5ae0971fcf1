"""The stand-in against what is known of the service, from outside: no line here knows how it works.

Each section says where its facts come from: the vendor's documentation and the types of its SDKs, or what others
recorded. What nobody knows (limits of frames, words of errors) is not asserted.
"""

import asyncio
import contextlib
import http.client
import json
import re
import subprocess
import sys
import time
from urllib.parse import quote

import pytest
from stand_in import chunks, speech
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

pytestmark = pytest.mark.realtime

VERSION = "2026-03-01"
VERSIONS = ("2025-04-16", "2025-11-04", "2026-03-01", "2026-08-14")
ENCODINGS = ("pcm_s16le", "pcm_s32le", "pcm_f16le", "pcm_f32le", "pcm_mulaw", "pcm_alaw")
QUERY = {"model": "ink-2", "encoding": "pcm_mulaw", "sample_rate": "8000", "cartesia_version": VERSION}
TURNS, MANUAL = "/stt/turns/websocket", "/stt/websocket"
KEY = {"X-API-Key": "sk_car_any"}
CLOSE = json.dumps({"type": "close"})
TWO_TURNS = speech("mary", 1.2, "bobby", 1.2)


def _start(*options):
    command = [sys.executable, "-m", "sttdoctor", "simulate", "--listen", "127.0.0.1:0", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    line = process.stdout.readline()
    return process, int(re.search(r"ws://127\.0\.0\.1:(\d+)", line)[1])


@pytest.fixture(scope="module")
def port():
    process, number = _start()
    yield number
    process.terminate()
    process.wait()
    process.stdout.close()


@pytest.fixture
def started():
    """Start a stand-in of its own with these options; returns its port."""
    running = []

    def start(*options):
        process, number = _start(*options)
        running.append(process)
        return number

    yield start
    for process in running:
        process.terminate()
        process.wait()
        process.stdout.close()


def _address(port, query, path=TURNS):
    pairs = [
        (name, value) for name, values in query.items() for value in ([values] if isinstance(values, str) else values)
    ]
    return f"ws://127.0.0.1:{port}{path}?" + "&".join(f"{name}={quote(value)}" for name, value in pairs)


async def _collect(socket, events):
    """Add each event until the connection ends, however it does."""
    with contextlib.suppress(ConnectionClosed):
        while True:
            events.append(json.loads(await socket.recv()))


async def _speak(socket, data):
    """Send audio as it is spoken."""
    began = time.monotonic()
    for due, piece in chunks(data):
        await asyncio.sleep(began + due - time.monotonic())
        await socket.send(piece)


def _session(port, *messages, query=None, headers=KEY, path=TURNS, pause_s=0.0):
    """Send messages (bytes are audio, in chunks as they are spoken) and read until the server closes.

    Returns: the events, the close code, the headers of the upgrade's answer.
    """

    async def talk():
        events = []
        address = _address(port, QUERY | (query or {}), path)
        async with connect(address, additional_headers=headers) as socket:
            reader = asyncio.create_task(_collect(socket, events))
            with contextlib.suppress(ConnectionClosed):
                for message in messages:
                    await (_speak if isinstance(message, bytes) else type(socket).send)(socket, message)
                    await asyncio.sleep(pause_s)
            await asyncio.wait_for(reader, 20)
        return events, socket.close_code, socket.response.headers

    return asyncio.run(talk())


def _refusal(port, query, headers=KEY, path=TURNS):
    """Status and body of the answer to a handshake that is not accepted."""

    async def knock():
        async with connect(_address(port, query, path), additional_headers=headers):
            pass

    with pytest.raises(InvalidStatus) as refused:
        asyncio.run(knock())
    return refused.value.response.status_code, refused.value.response.body.decode()


def _greeting(port, query=None, headers=KEY, path=TURNS):
    """The first event of a connection that is accepted."""

    async def knock():
        async with connect(_address(port, QUERY | (query or {}), path), additional_headers=headers) as socket:
            return json.loads(await asyncio.wait_for(socket.recv(), 5))

    return asyncio.run(knock())


def _errors(events):
    return [event for event in events if event["type"] == "error"]


def _turn_texts(events):
    return [event["transcript"] for event in events if event["type"] == "turn.end"]


def _http(port, method, path, body=None, headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, path, body, headers or {})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


def _mint(port, **body):
    headers = {"Authorization": "Bearer sk_car_any", "Cartesia-Version": VERSION, "Content-Type": "application/json"}
    status, text = _http(port, "POST", "/access-token", json.dumps(body), headers)
    assert status == 200
    return json.loads(text)["token"]


# Documented: address, authentication, version, parameters


@pytest.mark.parametrize(
    "headers",
    [
        {"X-API-Key": "sk_car_any"},
        {"x-api-key": "sk_car_any"},
        {"Authorization": "Bearer sk_car_any"},
        {"authorization": "Bearer sk_car_any"},
    ],
)
def test_a_key_is_taken_in_either_header_however_it_is_spelt(port, headers):
    assert _greeting(port, headers=headers)["type"] == "connected"


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Token sk_car_any"}])
def test_without_a_key_or_with_another_scheme_the_handshake_is_refused(port, headers):
    status, _ = _refusal(port, QUERY, headers)
    assert status in {401, 403}


def test_an_older_client_may_put_the_key_into_the_query(port):
    assert _greeting(port, {"api_key": "sk_car_any"}, headers={})["type"] == "connected"


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("place", ["header", "query"])
def test_each_version_that_clients_send_is_taken_from_header_or_query(port, version, place):
    query = {name: value for name, value in QUERY.items() if name != "cartesia_version"}
    headers = KEY | ({"Cartesia-Version": version} if place == "header" else {})
    query |= {"cartesia_version": version} if place == "query" else {}

    async def knock():
        async with connect(_address(port, query), additional_headers=headers) as socket:
            return json.loads(await asyncio.wait_for(socket.recv(), 5))

    assert asyncio.run(knock())["type"] == "connected"


@pytest.mark.parametrize("missing", ["model", "encoding", "sample_rate", "cartesia_version"])
def test_each_required_parameter_is_required(port, missing):
    status, _ = _refusal(port, {name: value for name, value in QUERY.items() if name != missing})
    assert status == 400


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_six_encodings_are_taken(port, encoding):
    assert _greeting(port, {"encoding": encoding})["type"] == "connected"


@pytest.mark.parametrize("encoding", ["linear16", "mulaw", "opus", "ogg-opus", "flac", "amr-nb", "speex", "g729"])
def test_names_of_other_vendors_and_codecs_are_not(port, encoding):
    status, _ = _refusal(port, QUERY | {"encoding": encoding})
    assert status == 400


@pytest.mark.parametrize("rate", ["8000", "16000", "24000", "44100", "48000"])
def test_each_rate_that_the_pages_name_is_taken(port, rate):
    assert _greeting(port, {"sample_rate": rate})["type"] == "connected"


def test_a_hundred_keyterms_of_1200_characters_are_taken_and_one_more_is_not(port):
    assert _greeting(port, {"keyterm": ["word of ten!"] * 100})["type"] == "connected"
    assert _refusal(port, QUERY | {"keyterm": ["a"] * 101})[0] == 400
    assert _refusal(port, QUERY | {"keyterm": ["a" * 601, "b" * 600]})[0] == 400


@pytest.mark.parametrize(
    ("name", "lowest", "highest", "beyond"),
    [
        ("turn_start_threshold", "0.5", "0.9", "0.95"),
        ("turn_eager_end_threshold", "0.3", "0.6", "0.65"),
        ("turn_end_threshold", "0.05", "0.39", "0.55"),
        ("turn_end_timeout_ms", "640", "11200", "11201"),
    ],
)
def test_turn_options_have_their_documented_ranges(port, name, lowest, highest, beyond):
    assert _greeting(port, {name: lowest})["type"] == "connected"
    assert _greeting(port, {name: highest})["type"] == "connected"
    assert _refusal(port, QUERY | {name: beyond})[0] == 400


def test_the_order_of_the_thresholds_is_strict(port):
    status, _ = _refusal(port, QUERY | {"turn_eager_end_threshold": "0.4", "turn_end_threshold": "0.4"})
    assert status == 400


def test_a_structured_error_comes_from_the_version_on_that_promises_it_and_plain_text_before(port):
    _, structured = _refusal(port, QUERY | {"encoding": "linear16"})
    assert {"title", "message"} <= json.loads(structured).keys()
    _, plain = _refusal(port, QUERY | {"encoding": "linear16", "cartesia_version": "2025-04-16"})
    assert re.fullmatch(r"[^:{]+: .+", plain.strip(), re.DOTALL)


def test_the_version_in_the_query_wins(port):
    headers = KEY | {"Cartesia-Version": VERSION}
    _, body = _refusal(port, QUERY | {"encoding": "linear16", "cartesia_version": "2025-04-16"}, headers)
    assert not body.startswith("{")


@pytest.mark.parametrize("model", ["ink-3", "ink-whisper"])
def test_an_unknown_model_is_an_error_event_after_the_upgrade(port, model):
    events, _, _ = _session(port, query={"model": model})
    (error,) = _errors(events)
    assert (error["error_code"], error["status_code"]) == ("model_not_found", 400)


@pytest.mark.parametrize("model", ["ink-2", "ink-preview", "ink-2-2026-05-01"])
def test_models_that_clients_of_the_endpoint_name_are_known(port, model):
    assert _greeting(port, {"model": model})["type"] == "connected"


# Documented: a session


@pytest.fixture(scope="module")
def session(port):
    return _session(port, TWO_TURNS, CLOSE)


def test_the_first_event_is_connected_and_every_event_names_the_same_request(session):
    events, _, _ = session
    assert [event["type"] for event in events].index("connected") == 0
    assert sum(event["type"] == "connected" for event in events) == 1
    assert len({event["request_id"] for event in events}) == 1


def test_turn_events_keep_the_five_guarantees(session):
    follows = {
        "idle": {"turn.start": "speaking"},
        "speaking": {"turn.update": "speaking", "turn.eager_end": "eager", "turn.end": "idle"},
        "eager": {"turn.resume": "speaking", "turn.end": "idle"},
    }
    state, text = "idle", ""
    for event in session[0][1:]:
        state = follows[state][event["type"]]
        text = "" if event["type"] == "turn.start" else text
        assert event.get("transcript", text).startswith(text)
        text = event.get("transcript", text)
    assert state == "idle"


def test_start_and_resume_carry_no_text_and_the_others_do(session):
    for event in session[0][1:]:
        assert ("transcript" in event) == (event["type"] not in {"turn.start", "turn.resume"})


def test_texts_of_turns_appended_as_they_are_give_the_text_of_the_session(session):
    first, second, *_ = _turn_texts(session[0])
    assert not first.startswith(" ") and not first.endswith(" ")
    assert second.startswith(" ") and not second.startswith("  ")


def test_an_eager_end_repeats_the_last_update_and_the_end_takes_nothing_back(session):
    """Third party; that the end is the same as the eager end is not promised."""
    said = ""
    for event in session[0]:
        if event["type"] == "turn.eager_end":
            assert event["transcript"] == said
        if event["type"] == "turn.end":
            assert event["transcript"].startswith(said)
        said = event.get("transcript", said if event["type"] != "turn.start" else "")


def test_after_the_close_command_the_rest_comes_and_the_server_closes_with_1000(port):
    events, code, _ = _session(port, speech("mary"), CLOSE)
    assert _turn_texts(events) and code == 1000


def test_audio_may_come_before_connected(port):
    async def hurry():
        async with connect(_address(port, QUERY), additional_headers=KEY) as socket:
            await socket.send(speech("mary")[:800])
            return json.loads(await socket.recv())["type"]

    assert asyncio.run(hurry()) == "connected"


@pytest.mark.parametrize("length", [159, 160, 1280, 10400])
def test_chunks_of_any_length_that_clients_use_are_heard(port, length):
    data = speech("mary")

    async def talk():
        async with connect(_address(port, QUERY), additional_headers=KEY) as socket:
            for start in range(0, len(data), length):
                await socket.send(data[start : start + length])
                await asyncio.sleep(length / 8000)
            await socket.send(CLOSE)
            return [json.loads(message) async for message in socket]

    events = asyncio.run(talk())
    assert _turn_texts(events) and not _errors(events)


def test_a_format_that_is_declared_wrongly_gets_no_complaint(port):
    events, code, _ = _session(
        port, speech("mary", 0.5), CLOSE, query={"encoding": "pcm_s16le", "sample_rate": "16000"}
    )
    assert not _errors(events) and code == 1000


def test_audio_that_stops_ends_no_turn(port):
    async def wait():
        events = []
        async with connect(_address(port, QUERY), additional_headers=KEY) as socket:
            reader = asyncio.create_task(_collect(socket, events))
            await _speak(socket, speech("mary"))
            await asyncio.sleep(2)
            kinds = [event["type"] for event in events]
        await reader
        return kinds

    waited = asyncio.run(wait())
    assert "turn.start" in waited and "turn.end" not in waited


def test_config_changes_the_turns_and_gets_no_answer(port):
    config = json.dumps({"type": "config", "turn": {"end_timeout_ms": 700, "end_threshold": 0.1}})
    events, code, _ = _session(port, config, speech("mary", 0.5), CLOSE)
    assert not _errors(events) and code == 1000
    assert {event["type"] for event in events} <= {
        "connected",
        "turn.start",
        "turn.update",
        "turn.eager_end",
        "turn.resume",
        "turn.end",
    }


def test_everything_at_once_overloads_the_buffer_and_a_short_file_does_not(port):
    """Documented: a large batch shows as an internal error. Third party: the vendor's own server sends whole files."""

    async def push(data):
        events = []
        async with connect(_address(port, QUERY), additional_headers=KEY) as socket:
            with contextlib.suppress(ConnectionClosed):
                await socket.send(data)
                await socket.send(CLOSE)
            await asyncio.wait_for(_collect(socket, events), 20)
        return events, socket.close_code

    events, code = asyncio.run(push(speech("mary", 0.5) * 2))
    assert not _errors(events) and code == 1000
    events, code = asyncio.run(push(speech("mary", 0.5) * 60))
    assert [error["status_code"] for error in _errors(events)] == [500] and code != 1000


def test_pings_are_answered_and_compression_may_be_offered(port):
    async def ping():
        async with connect(_address(port, QUERY), additional_headers=KEY, compression="deflate") as socket:
            await asyncio.wait_for(await socket.ping(), 5)

    asyncio.run(ping())


def test_an_idle_connection_is_closed_and_only_audio_keeps_it(started):
    """Documented: 3 minutes, reset by each chunk of audio. Third party: the code is 1001."""
    port = started("--idle-timeout", "1")

    async def hold(message):
        async with connect(_address(port, QUERY), additional_headers=KEY) as socket:
            began = time.monotonic()
            try:
                while time.monotonic() < began + 2.2:
                    await socket.send(message)
                    await asyncio.sleep(0.2)
            except ConnectionClosed:
                return socket.close_code
            return None

    config = json.dumps({"type": "config", "turn": {"end_timeout_ms": 5600}})
    assert asyncio.run(hold(bytes(1600).replace(b"\0", b"\xff"))) is None
    assert asyncio.run(hold(config)) == 1001


def test_over_the_limit_of_connections_the_new_one_gets_429(started):
    status, body = _refusal(started("--fault", "concurrency=0"), QUERY)
    assert status == 429 and json.loads(body)["error_code"] == "concurrency_limited"


# Third party: what recordings show


def test_an_unknown_message_is_an_error_event_in_these_words(port):
    events, _, _ = _session(port, json.dumps({"type": "finalize"}), speech("mary")[:2000], CLOSE)
    (error,) = _errors(events)
    assert error["title"] == "Invalid client message"
    assert error["status_code"] == 400 and error["error_code"] is None
    assert error["message"] == 'Unrecognized message type "finalize". Expected one of: "done", "close", "config".'


@pytest.mark.parametrize("kind", ["KeepAlive", "CloseStream", "session.update", "input_audio_buffer.append"])
def test_commands_of_other_vendors_are_errors_and_no_commands(port, kind):
    events, _, _ = _session(port, json.dumps({"type": kind}), speech("mary")[:2000], CLOSE)
    assert [error["status_code"] for error in _errors(events)] == [400]


def test_done_ends_a_session_as_close_does(port):
    events, code, _ = _session(port, speech("mary", 0.3), json.dumps({"type": "done"}))
    assert _turn_texts(events) and not _errors(events) and code == 1000


def test_turn_events_carry_a_turn_id_that_is_text_and_names_the_turn(session):
    events = session[0][1:]
    assert all(isinstance(event["turn_id"], str) for event in events)
    ids = [event["turn_id"] for event in events if event["type"] == "turn.start"]
    assert len(set(ids)) == len(ids)


def test_the_answer_to_the_upgrade_has_a_request_id(session):
    assert session[2]["cartesia-request-id"]


def test_a_session_of_no_audio_ends_with_an_error_and_no_empty_turn(port):
    events, _, _ = _session(port, CLOSE)
    assert [error["status_code"] in {400, 500} for error in _errors(events)] == [True]
    assert not _turn_texts(events)


def test_an_error_event_has_its_required_fields(port):
    events, _, _ = _session(port, CLOSE)
    for error in _errors(events):
        assert {"type", "title", "message", "status_code"} <= error.keys()
        assert isinstance(error["status_code"], int)


# Documented: short-lived tokens


def test_a_token_that_was_minted_for_stt_opens_a_session(port):
    token = _mint(port, grants={"stt": True}, expires_in=60)
    assert _greeting(port, {"access_token": token}, headers={})["type"] == "connected"


def test_a_token_without_the_grant_or_that_has_expired_does_not(port):
    tts = _mint(port, grants={"tts": True}, expires_in=60)
    assert _refusal(port, QUERY | {"access_token": tts}, {})[0] in {401, 403}
    short = _mint(port, grants={"stt": True}, expires_in=1)
    time.sleep(1.2)
    assert _refusal(port, QUERY | {"access_token": short}, {})[0] in {401, 403}


def test_a_token_is_minted_for_a_key_only(port):
    status, _ = _http(
        port, "POST", "/access-token", json.dumps({"grants": {"stt": True}}), {"Cartesia-Version": VERSION}
    )
    assert status in {401, 403}


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "OPTIONS"])
@pytest.mark.parametrize("path", ["/", TURNS, MANUAL, "/nowhere"])
def test_every_plain_request_gets_an_answer(port, method, path):
    status, _ = _http(port, method, path, headers=KEY)
    assert 200 <= status < 500


# Documented: the manual endpoint


@pytest.mark.parametrize("model", ["ink-2", "ink-whisper", "ink-whisper-2025-06-04"])
def test_models_of_the_manual_endpoint_are_known(port, model):
    events, _, _ = _session(port, "close", query={"model": model, "language": "en"}, path=MANUAL)
    assert [event["type"] for event in events] == ["done"]


def test_the_manual_endpoint_speaks_its_own_language(port):
    query = {"language": "en"}
    events, code, _ = _session(port, speech("mary", 0.3), "finalize", "close", query=query, path=MANUAL, pause_s=0.3)
    kinds = [event["type"] for event in events]
    assert set(kinds) <= {"transcript", "flush_done", "done"}
    assert kinds[-1] == "done" and kinds.count("flush_done") == 1 and code == 1000
    finals = [event for event in events if event["type"] == "transcript" and event["is_final"]]
    assert "".join(final["text"] for final in finals).strip()
    assert kinds.index("flush_done") > kinds.index("transcript")


def test_the_old_name_of_close_still_ends_a_manual_session(port):
    events, code, _ = _session(port, speech("mary", 0.3), "done", path=MANUAL)
    assert events[-1]["type"] == "done" and code == 1000


def test_finalize_may_be_sent_again_and_closes_nothing(port):
    events, _, _ = _session(
        port, speech("mary"), "finalize", "finalize", speech("bobby"), "close", path=MANUAL, pause_s=0.3
    )
    kinds = [event["type"] for event in events]
    assert kinds.count("flush_done") == 2
    assert "transcript" in kinds[len(kinds) - 1 - kinds[::-1].index("flush_done") :]
