import json

import pytest
from conftest import HEADER, OPEN, URL, jsonl
from hypothesis import given
from hypothesis import strategies as st

import sttdoctor
from sttdoctor.readers import read_capture
from sttdoctor.redact import NO_SCHEME, may_hold_secret, redact_headers, redact_json, redact_text, redact_tokens
from sttdoctor.session_jsonl import write_rows

CANARY = "c4n4ry"
KEY = f"sk_car_{CANARY}"
JWT = f"eyJhbGciOiJIUzI1NiJ9.{CANARY}.{CANARY}_x-y"


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (f"Bearer {CANARY}", "Bearer REDACTED"),
        (f"Token {CANARY}", "Token REDACTED"),
        (f"basic {CANARY} {CANARY}", "basic REDACTED"),
        (CANARY, "REDACTED"),
        (f"Bearer:{CANARY}", "REDACTED"),
        ("***", "REDACTED"),
        ("Bearer ****", "Bearer REDACTED"),
    ],
)
@pytest.mark.parametrize("name", ["Authorization", "AUTHORIZATION", "X-API-Key", "x-api-key", "Cookie", "xi-api-key"])
def test_a_secret_header_loses_all_but_its_scheme(name, value, kept):
    redacted = redact_headers({name: value})
    assert redacted.pop(NO_SCHEME, "none") == "none" and redacted == {name.lower(): kept}


@pytest.mark.parametrize(
    "nothing", ["", "null", "undefined", "None", "'null'", "${CARTESIA_API_KEY}", "YOUR_API_KEY", "<your-api-key>"]
)
def test_a_key_that_was_never_set_stays_to_be_seen(nothing):
    headers = {"x-api-key": nothing, "authorization": f"Bearer {nothing}".rstrip()}
    assert redact_headers(headers) == headers
    assert redact_headers({"Authorization": f"Bearer  {nothing} "})["authorization"] == headers["authorization"]
    if "<" not in nothing:
        url = f"wss://a/?access_token={nothing}&model=ink-2"
        assert redact_text(url) == url


def test_other_headers_stay_and_lose_secrets_by_shape():
    assert redact_headers({"Cartesia-Version": "2026-03-01", "Referer": f"https://a.b/?token={CANARY}"}) == {
        "cartesia-version": "2026-03-01",
        "referer": "https://a.b/?token=REDACTED",
    }
    assert redact_headers({"Sec-WebSocket-Protocol": f"token, {CANARY}"}) == {
        "sec-websocket-protocol": "token, REDACTED"
    }


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        (f"{URL}&api_key={CANARY}&x=1", f"{URL}&api_key=REDACTED&x=1"),
        (f"wss://a/?ACCESS_TOKEN={CANARY}", "wss://a/?ACCESS_TOKEN=REDACTED"),
        (f"wss://a/?Token={CANARY}#{CANARY}", "wss://a/?Token=REDACTED"),
        (f"wss://a/?x%3Fapi_key%3D{CANARY}", "wss://a/?x%3Fapi_key%3DREDACTED"),
        (
            f"wss://a/?api%5Fkey={CANARY}&x%5Bapi_key%5D={CANARY}&y",
            "wss://a/?api%5Fkey=REDACTED&x%5Bapi_key%5D=REDACTED&y",
        ),
        (f"wss://a/?cartesia_api_key={CANARY}&max_tokens=7", "wss://a/?cartesia_api_key=REDACTED&max_tokens=7"),
        (f"wss://a/?next=%2F%3Fx%253Dsk%255Fcar_{CANARY}", "wss://a/?next=%2F%3Fx%3DREDACTED"),
        (f"wss://a/%73k_car_{CANARY}/b", "wss://a/REDACTED/b"),
        (f"wss://user:{CANARY}@a/b?c=d@e", "wss://REDACTED@a/b?c=d@e"),
        (f"wss://user:p@{CANARY}@a/b", "wss://REDACTED@a/b"),
        (f"bad key {KEY}.", "bad key REDACTED."),
        (f"bad key sk_{CANARY}-{CANARY}", "bad key REDACTED"),
        (f"got {JWT} expired", "got REDACTED expired"),
        (f"Authorization: Bearer {CANARY}", "Authorization: Bearer REDACTED"),
        (f"authorization=Token {CANARY}, next", "authorization=Token REDACTED, next"),
        ("Authorization: Bearer x", "Authorization: Bearer REDACTED"),
        (f"Authorization: ApiKey {CANARY}", "Authorization: ApiKey REDACTED"),
        (f'{{"api_key": "{CANARY} {CANARY}", "a": 1}}', '{"api_key": "REDACTED", "a": 1}'),
        (f'{{\\"apiKey\\": \\"{CANARY}\\"}}', '{\\"apiKey\\": \\"REDACTED\\"}'),
        (f"Cookie: a={CANARY}; b={CANARY}\nHost: x", "Cookie: REDACTED\nHost: x"),
        (f"sent bearer {CANARY}{CANARY}", "sent bearer REDACTED"),
        ("Unauthorized: Bearer authentication required", "Unauthorized: Bearer authentication required"),
        ("Invalid sample_rate: 16001", "Invalid sample_rate: 16001"),
    ],
)
def test_technical_text(text, redacted):
    assert redact_text(text) == redacted
    assert redact_text(redacted) == redacted


@pytest.mark.parametrize(
    "speech",
    [
        "my password is secret: chocolate",
        "The token: a bearer certificate, see page 3.",
        "Tell the bearer immediately; the api key = the answer.",
        "sk_ is no key and neither is sk_car",
    ],
)
def test_speech_that_only_mentions_a_secret_stays(speech):
    assert redact_tokens(speech) == speech
    assert redact_json({"type": "turn.end", "transcript": speech})["transcript"] == speech


def test_json_loses_what_stands_under_a_telling_key_or_shows_by_its_shape():
    message = {
        "Api_Key": CANARY,
        "cartesiaApiKey": CANARY,
        "auth": {"access_token": [CANARY], "password": 1234, "token": None, "secret": False},
        "message": f"bad header Authorization: Token {CANARY}",
        "list": [f"wss://a?token={CANARY}", KEY],
        KEY: 1,
        "max_tokens": 7,
        "transcript": f"spoken {KEY}",
    }
    assert redact_json(message) == {
        "Api_Key": "REDACTED",
        "cartesiaApiKey": "REDACTED",
        "auth": {"access_token": "REDACTED", "password": "REDACTED", "token": None, "secret": False},
        "message": "bad header Authorization: Token REDACTED",
        "list": ["wss://a?token=REDACTED", "REDACTED"],
        "REDACTED": 1,
        "max_tokens": 7,
        "transcript": "spoken REDACTED",
    }


_CHARACTERS = "aZ0 .:=?&;%@/-_\\\"'\u017f\u212a\u0130"
_WORDS = "sk_car_|eyJ|Bearer |Basic |x-auth|API-Key|id token|Secret|PassWord|Cookie|signature|://|471147114711"
_PIECES = st.sampled_from([*_CHARACTERS, *_WORDS.split("|"), "AUTHORIZATION"])
_TEXTS = st.lists(_PIECES, max_size=8).map("".join)


@given(
    st.recursive(_TEXTS | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(_TEXTS, inner), max_leaves=6)
)
def test_where_no_secret_may_be_none_is_replaced(message):
    assert may_hold_secret(json.dumps(message)) or redact_json(message) == message


def test_an_event_of_the_service_needs_no_search():
    assert not may_hold_secret('{"type": "turn.update", "request_id": "r1", "transcript": "two words"}')


def test_hostile_text_is_searched_in_linear_time():
    for text in (
        "a.+-" * 200_000 + "@",
        "-eyJaaaaaaaa" * 50_000,
        "bearer " * 100_000,
        "token" + " " * 500_000,
        "?a=" * 100_000,
    ):
        redact_text(text)
    for text in ("%25" * 100_000, "a%" * 100_000, "%" + "25" * 100_000 + "41", "a%41" * 50_000 + "@"):
        redact_text(text)


LEAKY = jsonl(
    {
        **HEADER,
        "schema": f"{KEY}",
        "url": f"wss://u:{CANARY}@a/stt/turns/websocket?encoding=pcm_s16le&sample_rate=16000&API_KEY={CANARY}",
        "headers": {"AuthoriZation": f"Bearer {CANARY}", "x-api-key": CANARY, "COOKIE": f"a={CANARY}"},
        "client": f"me api_key={CANARY}",
        "source": f"proxy {KEY}",
        "started_at": f"token={CANARY}",
    },
    {**OPEN, "status": 401, "headers": {"Set-Cookie": CANARY}, "body": f'{{"error":"bad api_key: {CANARY}"}}'},
    {"type": "send", "t": 1, "json": {"type": "auth", "api_key": CANARY, "token": {"a": CANARY}}},
    {"type": "send", "t": 1.1, "text": f"Authorization: Bearer {CANARY}"},
    {"type": "receive", "t": 1.2, "json": {"type": "error", "message": f"Invalid API-Key: {CANARY}", "code": KEY}},
    {"type": "receive", "t": 1.3, "text": f"Unauthorized: token={CANARY}"},
    {"type": "receive", "t": 1.4, "json": {"type": "turn.start", "request_id": KEY}},
    {"type": "receive", "t": 1.5, "json": {"type": "turn.end", "request_id": KEY, "transcript": f"Hi {KEY}"}},
    f'{{"type": "send", "api_key": "{CANARY}"'.encode(),
    {"type": CANARY},
    {"type": "close", "t": 2, "by": "server", "code": 1008, "reason": f"bad token: {CANARY}"},
    {"type": "transcript", "text": f"Hi {KEY} you"},
)


def test_no_canary_leaves_the_reader():
    session = read_capture(LEAKY)
    assert CANARY not in repr(session)
    assert session.headers["authorization"] == "Bearer REDACTED"
    assert CANARY not in "".join(write_rows(session))


@pytest.mark.parametrize("options", [[], ["-v"], ["--format", "json"]])
def test_no_canary_is_in_a_report(run, tmp_path, options):
    path = tmp_path / "leaky.jsonl"
    path.write_bytes(LEAKY)
    done = run("replay", path, "--transcript", "-", *options, stdin=f"Hi {KEY} you two".encode())
    assert done.code == 1 and "connection.rejected" in done.out
    assert CANARY not in done.out + done.err


def test_no_canary_is_in_a_converted_capture_or_an_error(run):
    done = run("convert", "-", stdin=LEAKY)
    assert (done.code, done.err) == (0, "")
    assert CANARY not in done.out and json.loads(done.out.splitlines()[0])["headers"]["cookie"] == "REDACTED"
    refused = run("replay", "-", stdin=f'{{"api_key": "{CANARY}"}}\n'.encode())
    assert refused.code == 2 and CANARY not in refused.err


def test_no_canary_is_in_a_report_of_the_python_interface():
    report = sttdoctor.replay(LEAKY, transcript=f"Hi {KEY}")
    assert CANARY not in report.to_json() + repr(report)


def test_user_information_behind_a_key_is_redacted():
    once = redact_text("?a=sk_car_c4n4rywss://user:pass@host/k")
    assert once == redact_text(once) and "pass" not in once


def test_a_key_in_the_name_of_a_header_is_redacted():
    assert CANARY not in json.dumps(redact_headers({f"{KEY}-x": "1", f"x {KEY}": "2"}))
