import json
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sttdoctor.simulate.handshake import Accepted, RefusalError, accept, version_of

GOOD = {"model": "ink-2", "encoding": "pcm_s16le", "sample_rate": "16000"}
HEADERS = {"authorization": "Bearer key", "cartesia-version": "2026-03-01"}


def target(path="/stt/turns/websocket", terms=(), without=(), **query):
    given = {key: value for key, value in (GOOD | query).items() if key not in without}
    return f"{path}?{urlencode([*given.items(), *(('keyterm', term) for term in terms)])}"


def refusal(where, headers=HEADERS):
    with pytest.raises(RefusalError) as refused:
        accept(where, headers)
    return refused.value


def test_a_good_handshake_says_what_it_asks_for():
    accepted = accept(target(turn_end_threshold="0.1"), HEADERS)
    assert (accepted.endpoint.name, accepted.encoding, accepted.sample_rate) == ("auto", "pcm_s16le", 16000)
    assert accepted.turn_options["turn_end_threshold"] == 0.1
    assert accepted.turn_options["turn_end_timeout_ms"] == 5600
    assert accept(target("/stt/websocket"), HEADERS).endpoint.name == "manual"


@pytest.mark.parametrize(
    "headers",
    [{"authorization": "Bearer key"}, {"authorization": "bearer key"}, {"x-api-key": "key"}],
)
def test_the_key_may_stand_in_either_header(headers):
    assert accept(target(cartesia_version="2026-03-01"), headers)


@pytest.mark.parametrize("name", ["access_token", "api_key"])
def test_the_key_may_stand_in_the_query(name):
    assert accept(target(cartesia_version="2026-03-01", **{name: "key"}), {})


@pytest.mark.parametrize(
    "headers",
    [{}, {"authorization": "Token key"}, {"authorization": "key"}, {"authorization": "Bearer "}, {"xi-api-key": "key"}],
)
def test_a_key_in_the_wrong_place_is_not_accepted(headers):
    assert refusal(target(), headers | {"cartesia-version": "2026-03-01"}).status == 401


@pytest.mark.parametrize(
    ("where", "status", "says"),
    [
        (target("/v1/listen"), 404, "/v1/listen"),
        (target("/proxy/stt/turns/websocket"), 404, "/proxy"),
        (target(without=("model",)), 400, "model is missing"),
        (target(without=("encoding",)), 400, "encoding is missing"),
        (target(without=("sample_rate",)), 400, "sample_rate is missing"),
        (target(encoding="linear16"), 400, "linear16"),
        (target(sample_rate="16k"), 400, "16k"),
        (target(sample_rate="0"), 400, "sample_rate=0"),
        (target(sample_rate="9" * 400), 400, "sample_rate=9"),
        (target(turn_start_threshold="0.95"), 400, "outside 0.5 to 0.9"),
        (target(turn_end_timeout_ms="soon"), 400, "outside 640 to 11200"),
        (target(turn_end_threshold="0.45"), 400, "must fall"),
        (target(terms=["a"] * 101), 400, "101 keyterms"),
        (target(terms=["a" * 1201]), 400, "1201 characters"),
        (target(cartesia_version="latest"), 400, "latest"),
    ],
)
def test_a_mistake_is_named(where, status, says):
    refused = refusal(where)
    assert refused.status == status and says in refused.message


def test_the_version_is_required_and_the_query_wins():
    assert refusal(target(), {"x-api-key": "key"}).message.startswith("the header Cartesia-Version")
    assert version_of(target(cartesia_version="2025-04-16"), HEADERS) == "2025-04-16"
    assert version_of(target(), HEADERS) == "2026-03-01"


def test_keyterms_at_the_limit_and_unknown_parameters_are_taken():
    assert accept(target(terms=["word word two"] * 92), HEADERS)
    assert accept(target(punctuate="true", language="de"), HEADERS)


@pytest.mark.parametrize(
    ("path", "model", "known"),
    [
        ("/stt/turns/websocket", "ink-2", True),
        ("/stt/turns/websocket", "ink-2-2026-03-01", True),
        ("/stt/turns/websocket", "ink-whisper", False),
        ("/stt/turns/websocket", "nova-3", False),
        ("/stt/websocket", "ink-whisper", True),
    ],
)
def test_a_model_belongs_to_an_endpoint(path, model, known):
    assert accept(target(path, model=model), HEADERS).model_known is known


def test_errors_are_structured_from_a_version_on():
    refused = RefusalError(429, "Too many concurrent requests", "no more", "concurrency_limited")
    for version in ("2026-03-01", "2026-08-14", None):
        headers, body = refused.answer(version)
        assert headers == {"content-type": "application/json"}
        error = json.loads(body)
        assert set(error) == {"error_code", "title", "message", "request_id"}
        assert error["error_code"] == "concurrency_limited"
    assert refused.answer("2025-04-16") == (
        {"content-type": "text/plain; charset=utf-8"},
        "Too many concurrent requests: no more",
    )


@settings(deadline=None)  # a busy machine is no failure
@given(st.text(max_size=60), st.dictionaries(st.sampled_from(["authorization", "x-api-key"]), st.text(max_size=20)))
def test_any_request_is_taken_or_refused(where, headers):
    try:
        answered = accept(where, headers)
    except RefusalError as refused:
        answered = refused
    assert isinstance(answered, Accepted) or 400 <= answered.status < 500
