import json

import pytest
from common import URL
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from planting import CODED, HEADERS, NAMES, TEXTS, messages, seen, texts

from sttdoctor.redact import (
    NO_SCHEME,
    is_mask,
    is_text,
    is_unset,
    may_hold_secret,
    redact_bytes,
    redact_cut,
    redact_headers,
    redact_json,
    redact_message,
    redact_text,
    redact_tokens,
)

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


def test_a_name_that_holds_a_secret_is_redacted_once_and_for_all():
    once = redact_headers({f"/stt?access_token={CANARY * 40}": "anything"})
    assert redact_headers(once) == once and CANARY not in str(once)


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


_CHARACTERS = "aZ0 .:=?&;%@/-_\n\\\"'\u017f\u212a\u0130"
_WORDS = "sk_car_|eyJ|Bearer |Basic |x-auth|API-Key|id token|Secret|PassWord|Cookie|signature|://|471147114711"
_PIECES = st.sampled_from([*_CHARACTERS, *_WORDS.split("|"), "AUTHORIZATION", "-u", "--user ", "-su ", "-ksU"])
_TEXTS = st.lists(_PIECES, max_size=8).map("".join)


@given(
    st.recursive(_TEXTS | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(_TEXTS, inner), max_leaves=6)
)
def test_where_no_secret_may_be_none_is_replaced(message):
    assert may_hold_secret(json.dumps(message)) or redact_json(message) == message


@pytest.mark.parametrize("hint", ["Cookie", "sk_car_", "%41", " -u", "eyJ", "\\u", "github_pat_", "Authorization"])
def test_a_hint_is_seen_wherever_it_stands_in_a_long_text(hint):
    for before in [*range((1 << 16) - len(hint) - 1, (1 << 16) + 2), 200_000]:
        assert may_hold_secret("." * before + hint + "." * 10)
    assert not may_hold_secret("." * 200_000)


@pytest.mark.parametrize(
    "option", ["-u", "-U", "-su", "-ksu", "-vu", "-Lu", "-iu", "-fsSLku", "-sU", "--user", "--proxy-user"]
)
@pytest.mark.parametrize("before", ["", " ", "\n", "\t", '"', "[", ",", "(", "=", "`"])
def test_an_option_with_a_login_is_a_hint_in_text_and_in_json(before, option):
    text = f"{before}{option} bob:Pq93xk7Z"
    assert may_hold_secret(text) and may_hold_secret(json.dumps([text]))
    assert "Pq93xk7Z" not in redact_text(text)


@pytest.mark.parametrize(
    ("command", "left"),
    [
        ("curl -Ume:hunter2 https://a", "curl -UREDACTED https://a"),
        ("curl -sume:Pq93xk7Z https://a", "curl -suREDACTED https://a"),
        ("curl -su me:correcthorse https://a", "curl -su REDACTED https://a"),
        ('run ["curl", "-su", "me:correcthorse"]', 'run ["curl", "-su", "REDACTED"]'),
        (r"curl \\\"-su\\\" \\\"me:horse!\\\"", r"curl \\\"-su\\\" \\\"REDACTED\\\""),
        (r"first\n-su me:correcthorse", r"first\n-su REDACTED"),
        ("curl -sau me:correcthorse https://a", "curl -sau REDACTED https://a"),
        ("curl -a -su me:4711 https://a", "curl -a -su REDACTED https://a"),
        ("wscat --auth me:correcthorse -c wss://a", "wscat --auth REDACTED -c wss://a"),
        ("websocat --basic-auth me:correcthorse wss://a", "websocat --basic-auth REDACTED wss://a"),
    ],
)
def test_a_login_goes_behind_several_options_in_one_word(command, left):
    assert redact_text(command) == left


_FLAGS = st.text("#0aBfgGiIjklLnNOpqRsSvVZ", max_size=5)


@given(_FLAGS, st.from_regex("[a-z]{4,9}|[0-9]{3,6}|[a-z]{2}[0-9]{4}", fullmatch=True), st.booleans())
def test_a_login_of_curl_goes_from_a_line_and_from_a_list_of_its_words(flags, password, apart):
    assume(not is_unset(password))
    words = ["curl", f"-{flags}u", f"me:{password}"] if apart else ["curl", f"-{flags}ume:{password}"]
    message = {"argv": [*words, "https://a"]}
    for redacted in (redact_text(" ".join(words)), redact_text(json.dumps(words)), redact_text(json.dumps(message))):
        assert password not in redacted


_COMMANDS = [
    ["curl", "-u", "bob@example.com:{}"],
    ["curl", "-u", ":{}"],
    ["/usr/bin/curl", "-su", "bob/dept:{}"],
    ["sudo", "curl", "-au", "bob:{}"],
    ["curl", "-u", "bob smith:{}"],
    ["curl", "--proxy-user", "bob:a b {}"],
    ["curl", "-vXPOSTu", "bob:{}"],
    ["curl", "-u", "bob%3A{}"],
    ["curl", "-E", "cert.pem:{}"],
    ["curl", "--cert", "cert.pem:{}", "--pass", "{}"],
    ["curl", "--proxy-pass", "{}"],
    ["http", "-abob@a:{}"],
    ["http", "-A", "bearer", "-a", "{}"],
    ["wscat", "--auth", "bob@a:{}"],
    ["sshpass", "-p", "{}", "ssh", "-p", "22"],
    ["docker", "login", "-u", "bob", "-p", "{}"],
    ["mysql", "-uroot", "-p{}"],
    ["rclone", "ls", "--sftp-pass", "{}"],
]


@pytest.mark.parametrize("command", _COMMANDS, ids=" ".join)
@given(
    password=st.from_regex("X[a-z]{5,9}|7[0-9]{4,6}|Y[a-z]{2}[0-9]{4}", fullmatch=True), quote=st.sampled_from("'\"")
)
@settings(max_examples=8)
def test_a_secret_goes_from_a_command_line_and_from_a_list_of_its_words(command, password, quote):
    words = [word.format(password) for word in command]
    line = " ".join(f"{quote}{word}{quote}" if " " in word else word for word in words)
    shell = ["sh", "-c", line]
    lines = [
        line,
        line.replace(" -", " \\\n  -"),
        f"$ {line}; ls",
        f"see `{line}`",
        f"run {words!r}",
        json.dumps(words)[:-1],
    ]
    for text in (*lines, *map(json.dumps, (words, shell, {"argv": words}, {"cmd": line}))):
        redacted = redact_text(text)
        assert password not in redacted and redacted.count("REDACTED") == text.count(password)
        assert redact_text(redacted) == redacted
    assert redact_json(shell) == ["sh", "-c", redact_text(line)]
    left = redact_json(words)
    assert redact_text(line).replace(quote, "") == " ".join(left)


@pytest.mark.parametrize(
    "command",
    [
        *("ssh -p 22 host", "mkdir -p a/b", "psql -p 5432", "mysql -p db", "mysql -h a -P 3306 -p db", "cp -pr a b"),
        *("docker run -p 80:80 a", "docker run -u 1000:1000 a", "sshpass -e ssh -p 22 host", "curl -u bob https://a"),
        *("curl -E cert.pem https://a", r"curl -E C:\a\cert.pem https://a", "curl -x http://proxy:3128 https://a"),
        *("rsync -au host:path there", "nc -vu host:8080", "http :8000/a b:c", "docker compose -p name up"),
    ],
)
def test_a_command_without_a_secret_stays(command):
    assert redact_text(command) == command
    assert redact_json(command.split()) == command.split()


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ('curl -u bob:"PqXhorse" a', "curl -u REDACTED a"),
        ("curl -u \\\n bob:PqXhorse a", "curl -u \\\n REDACTED a"),
        ("curl a; rsync -au host:path there", "curl a; rsync -au host:path there"),
        ("sshpass -p is unsafe", "sshpass -p is unsafe"),
        ('["curl -u", "bob:PqXhorse"]', '["curl -u", "REDACTED"]'),
    ],
)
def test_of_a_command_only_the_secret_goes(text, left):
    assert redact_text(text) == left


def test_words_of_other_commands_stay_in_a_list():
    for words in (["docker", "run", "-u", "1000:1000"], ["rsync", "-au", "host:path"], ["nc", "-vu", "host:8080"]):
        assert redact_json(words) == words


def test_a_hyphen_within_a_word_is_no_option():
    assert not may_hold_secret('{"transcript": "we made-up a follow-up"}')


def test_an_event_of_the_service_needs_no_search():
    assert not may_hold_secret('{"type": "turn.update", "request_id": "r1", "transcript": "two words"}')


@pytest.mark.parametrize("place", range(len(TEXTS) + len(CODED)))
def test_a_key_leaves_technical_text_of_every_kind(place):
    text = texts("c4n4ryXq7")[place]
    redacted = redact_text(text)
    assert "REDACTED" in redacted and seen(redacted, "c4n4ryXq7") == ""
    assert redact_text(redacted) == redacted
    assert seen(str(redact_headers({"x-note": text})), "c4n4ryXq7") == ""
    assert seen(json.dumps(redact_json({"type": "error", "text": text})), "c4n4ryXq7") == ""


@pytest.mark.parametrize("name", HEADERS)
def test_a_header_is_secret_by_the_kind_of_its_name(name):
    for value in (CANARY, f"Bearer {CANARY}", f'Digest username="a", response="{CANARY}"'):
        assert CANARY not in redact_headers({name: value})[name.lower()]
    assert redact_headers({name: ""}) == {name.lower(): ""}


@pytest.mark.parametrize("name", NAMES)
def test_a_query_and_json_are_secret_by_the_kind_of_a_name(name):
    assert redact_text(f"wss://a/b?x=1&{name}={CANARY}&y=2") == f"wss://a/b?x=1&{name}=REDACTED&y=2"
    for value in (CANARY, [CANARY], [[CANARY]]):
        assert CANARY not in json.dumps(redact_json({"type": "config", name: value}))


def test_messages_keep_their_form():
    for message in messages(CANARY):
        redacted = redact_json(message)
        assert redacted["type"] == message["type"] and redacted.keys() - message.keys() <= {"REDACTED"}


def test_pairs_of_names_and_values_lose_the_value():
    assert redact_json({"name": "X-Api-Key", "value": CANARY}) == {"name": "X-Api-Key", "value": "REDACTED"}
    assert redact_json({"key": "Authorization", "value": f"Bearer {CANARY}"})["value"] == "Bearer REDACTED"
    assert redact_json({"name": "password", "value": "1234"})["value"] == "REDACTED"
    assert redact_json({"name": "Host", "value": "a"}) == {"name": "Host", "value": "a"}
    assert redact_json(["Host", "a", "X-Api-Key", CANARY, "A", "b"]) == ["Host", "a", "X-Api-Key", "REDACTED", "A", "b"]
    assert redact_json([["token", CANARY], ["a", "token"]]) == [["token", "REDACTED"], ["a", "token"]]


def test_in_a_session_a_key_goes_under_any_name_and_settings_stay():
    key = f"{CANARY}Xq7"
    session = {"a": "REDACTED", "b": ["REDACTED", 1], "c": {"d": "REDACTED"}}
    assert redact_json({"session": {"a": key, "b": [key, 1], "c": {"d": key}}, "a": key}) == {
        "session": session,
        "a": key,
    }
    for text in (
        f"session: {{'a': '{key}', 'b': '{key}'}}",
        f'session = {{"a": "{key}"}}',
        f"session={{'a':['{key}']}}",
    ):
        assert CANARY not in redact_text(text) and "'a'" in redact_text(text).replace('"', "'")
    settings = {
        "model": "gpt-4o-mini-transcribe-2025-12-15",
        "voice": "a0e99841-438c-4a64-b679-ae501e7d6091",
        "input_audio_format": "pcm_s16le",
        "turn_detection": {"type": "server_vad", "threshold": 0.5},
        "instructions": "Say 3x hello to R2D2B2C4 and C3PO.",
    }
    assert redact_json({"type": "session.update", "session": settings})["session"] == settings


@pytest.mark.parametrize("word", ["abcdefghijkl", "wqzhrtpklmnbv", "ABCDEFGHIJKLMNOP", "qzxkjhgfdsapoiuy"])
@pytest.mark.parametrize(
    "said",
    [
        *("Invalid API key {}, please check", "invalid token {} in the header", "API key {} is invalid"),
        *("The API key {} was rejected.", "Unauthorized: api key {}", "the token {} has expired"),
    ],
)
def test_a_key_of_letters_alone_goes_from_what_a_service_says(said, word):
    assert redact_text(said.format(word)) == said.format("REDACTED")


@pytest.mark.parametrize(
    "said",
    [
        "Invalid token algorithm, expected RS256",
        "invalid API key permissions, see the page",
        "The API key infrastructure is down",
        "token subscription is missing for this organization",
        "docker run -u 1000:1000 x",
        "curl -u user:$PASSWORD https://a and curl -u http://a:80/b",
        "rsync -a host:path there; ls -a",
        "rsync -avu host:path there; rsync -ru host:path there",
        "rsync -au host:Pq93xk7Z there; tar -au a:Pq93xk7Z",
        "date -su 10:20:30; nc -vu host:8080; sort -su a; ls -lu (10:20)",
        "ffmpeg -input:file x -output:part",
        "/static/sk-assets/js/App2.min.js, sk-learn/linear_model/Ridge2",
        "('api_key','','a'), token='' and \"\" or token: \"\", a",
    ],
)
def test_what_only_looks_like_a_key_stays(said):
    assert redact_text(said) == said


def test_what_support_needs_stays():
    event = {
        "type": "session",
        "request_id": "2ff8af53-0000-4000-8000-1234567890ab",
        "turn_id": 7,
        "error_code": "unauthorized",
        "usage": {"total_tokens": 12, "max_tokens": "100", "token_type": "bearer", "expires_in": 60},
        "words": [{"word": "key", "start": 0.1}, "token", "abc123"],
        "session": {"model": "ink-2", "turn_detection": None},
        "keyterm": "Schlüssel",
    }
    assert redact_json(event) == event
    url = f"{URL}&keyterm=secret+sauce&keyterm=api%20key%20ring&max_tokens=5&sort_key=a"
    assert redact_text(url) == url
    headers = {"sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==", "x-ratelimit-remaining-tokens": "12", "etag": 'W/"a1"'}
    assert redact_headers(headers) == headers


@pytest.mark.parametrize(
    "said",
    [
        "Invalid API key",
        "Invalid API key provided.",
        "You need to provide your API key in an Authorization header (i.e. Authorization: Bearer YOUR_KEY)",
        "Missing API key in X-API-Key header",
        "Authentication failed: token expired at 2026-03-01T10:00:00Z",
        "invalid token: expired",
        'Bearer realm="https://api.cartesia.ai", error="invalid_token", error_description="The access token expired"',
        "Your key does not have access to model ink-2",
        "keyterm must not be longer than 1200 characters",
        "missing required key: model",
        "Missing key 'sample_rate'",
        "unknown key 'language'",
        "Unexpected token 'a', \"abc\" is not valid JSON",
        "rate limit of 10 tokens per second, max_tokens: 100",
        "session closed after 180 s",
        "Basic authentication is not supported, use SHA-256",
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
        "received 1011 (internal error) keepalive ping timeout; then sent 1011",
        "permessage-deflate; client_max_window_bits=15",
        "Set a valid API key with --api-key",
        "token count 5, key 1 of 2",
    ],
)
def test_what_a_service_says_about_keys_stays(said):
    assert redact_text(said) == said
    assert redact_json({"type": "error", "message": said})["message"] == said


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (CANARY, "REDACTED"),
        (f"{CANARY}, token", "REDACTED, token"),
        (f"token, {CANARY}, json", "token, REDACTED, json"),
        (f"realtime, openai-insecure-api-key.{CANARY}", "realtime, openai-insecure-api-key.REDACTED"),
        ("graphql-transport-ws, v1.stt, wamp.2.json", "graphql-transport-ws, v1.stt, wamp.2.json"),
        ("a," * 200, ", ".join("a" * 100)),
    ],
)
def test_protocols_stay_and_keys_among_them_do_not(value, kept):
    assert redact_headers({"Sec-WebSocket-Protocol": value}) == {"sec-websocket-protocol": kept}


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (f'{{"note":"sk_car_abcdefgh...zq{CANARY}"}}', '{"note":"REDACTED"}'),
        (f'{{"type":"error","api_k...y":"{CANARY}"}}', '{"type":"error","api_k...y":"REDACTED"}'),
        (f'{{"api_key":"abc...{CANARY}"}}', '{"api_key":"REDACTED"}'),
        (
            '{"type":"x","request_id":"5c3d...8000-1234567890ab"}',
            '{"type":"x","request_id":"5c3d...8000-1234567890ab"}',
        ),
        ('{"type":"turn.end","tr...of the key 2nd time."}', '{"type":"turn.end","tr...of the key 2nd time."}'),
    ],
)
def test_of_a_cut_text_the_end_of_a_key_goes_too(text, kept):
    assert redact_cut(text) == kept


def test_binary_frames_lose_secrets_where_they_are_text():
    config = json.dumps({"type": "config", "api_key": CANARY}).encode()
    assert json.loads(redact_bytes(config)) == {"type": "config", "api_key": "REDACTED"}
    samples = bytes(range(256)) * 20
    for content in (b"\0\0\0\x30" + config + samples, samples + config, "sk_car_\u200bc4n4ry1".encode()):
        redacted = redact_bytes(content)
        assert CANARY.encode() not in redacted and b"REDACTED" in redacted
        assert (samples in redacted) == (samples in content)


@given(st.binary(max_size=64) | st.lists(st.sampled_from([b"\x55", b"\xd5", b"\0", b"ab "])).map(b"".join))
def test_samples_stay_as_they_are(content):
    assume(not may_hold_secret(content.decode("ascii", errors="ignore")))
    assert redact_bytes(content) == content
    assert redact_bytes(b"\0\xff" * 40 + content) == b"\0\xff" * 40 + content


def test_text_is_told_from_samples():
    assert is_text(b'{"type": "close"}\n') and is_text(b"") and not is_text(b"\0\1") and not is_text("ü".encode())


def test_a_key_without_a_scheme_is_marked_and_a_mask_is_not():
    assert redact_headers({"Authorization": "sk_car_abc123"}) == {"authorization": "REDACTED", NO_SCHEME: "none"}
    for value in ("Bearer sk_car_abc123", "***", "REDACTED", "sk_c...23", "<hidden>", "", "null", "${KEY}"):
        assert NO_SCHEME not in redact_headers({"Authorization": value})
    assert NO_SCHEME not in redact_headers({"X-API-Key": "sk_car_abc123"})
    once = redact_headers({"Authorization": "sk_car_abc123"})
    assert redact_headers(once) == once
    assert all(map(is_mask, ("***", "REDACTED", "[FILTERED]", "****abcd", "••••"))) and not is_mask("abc123")


def test_what_holds_more_secrets_than_anybody_has_is_hidden_from_there_on():
    text = redact_text("key=ab " * 5000 + "the end")
    assert text.endswith("REDACTED") and text.count("REDACTED") < 3000
    kept = redact_message(value := [f"api_key=a{number}" for number in range(20_000)], json.dumps(value))
    assert set(kept) == {"api_key=REDACTED", "REDACTED"} and len(kept) == 20_000


@given(
    st.lists(st.sampled_from([*TEXTS, *"\"'&,;:= .{}\n%\\", "...", "REDACTED", "c4n4ryXq7"]), max_size=4).map("".join)
)
def test_what_was_redacted_is_redacted_to_the_same(text):
    for redact in (redact_text, redact_tokens):
        once = redact(text)
        assert redact(once) == once


HOSTILE = (
    *("a.+-", "-eyJaaaaaaaa", "bearer ", "token", "token   ", "?a=", "%25", "a%", "a%41", "%41", 'api_key""', "key_"),
    *("key=a ", "key=,a", "://a", "://a:b@", "sk_car_\n", "&amp;", "&#115;", "\\u0073", "a\u200b", 'session":{'),
    *(
        "eyJhcGlfa2V5Ijoi ",
        "key 'a",
        "invalid api key is ",
        "cookie: a",
        "[{",
        '["=",[""],',
        "token=[",
        'key="',
        "key{}",
    ),
    *('curl "\\', "curl -u a:'", 'sh -c "curl ', "curl \\\n"),
)


@pytest.mark.parametrize("unit", HOSTILE)
def test_hostile_text_is_searched_in_linear_time(unit):
    text = f"valid {unit * (200_000 // len(unit))} \\x73 key"
    for redact in (redact_text, redact_tokens, lambda text: redact_headers({"x-a": text, "authorization": text})):
        redact(text)
    assert redact_message([text], json.dumps([text]))


def test_user_information_behind_a_key_is_redacted():
    once = redact_text("?a=sk_car_c4n4rywss://user:pass@host/k")
    assert once == redact_text(once) and "pass" not in once


def test_a_key_in_the_name_of_a_header_is_redacted():
    assert CANARY not in json.dumps(redact_headers({f"{KEY}-x": "1", f"x {KEY}": "2"}))
