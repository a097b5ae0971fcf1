"""Which names are those of secrets."""

import pytest
from planting import HEADERS, NAMES

from sttdoctor.redact.names import is_secret_name, may_be_count

SECRET = (
    *("apikey", "APIKEY", "cartesiaApiKey", "xi-api-key", "X-Amz-Security-Token", "X-Amz-Signature", "client_secret"),
    *("Ocp-Apim-Subscription-Key", "refreshToken", "id_token", "sessionid", "PHPSESSID", "JSESSIONID", "connect.sid"),
    *("XSRF-TOKEN", "oauth_token", "userPass", "DB_PASS", "passwd", "dbpassword", "access_key_id", "headers[api_key]"),
    *("secret_access_key", "api_keys[]", "key2", "token_1", "api_key_for_app", "password_hash", "Cookie", "cookie2"),
    *("X-Vault-Token", "API Key", "x" * 500 + "_api_key"),
)
OTHER = (
    *("keyterm", "keyterms", "key_terms", "keyTerms", "keywords", "keyboard", "monkey", "turkey", "hockey", "low-key"),
    *("sec-websocket-key", "public_key", "publicKey", "Idempotency-Key", "network_isolation_key", "max_output_length"),
    *("token_type", "tokens_used", "token_count", "request_id", "turn_id", "author", "authority", "unauthorized", ""),
    *(
        "www-authenticate",
        "access-control-allow-headers",
        "design",
        "signal",
        "aside",
        "passenger",
        "bypass",
        "compass",
    ),
    *("possession", "sacred", "secretary", "tokenizer", "session_duration", "session_update", "auth_user", "language"),
    *(
        "password_required",
        "secret_name",
        "model",
        "encoding",
        "sample_rate",
        "transcript",
        "text",
        "words",
        "is_final",
    ),
    *("status_code", "title", "message", "cf-ray", "host", "origin", "api_key" + "x" * 500),
)


@pytest.mark.parametrize("name", [*SECRET, *NAMES, *HEADERS])
def test_a_name_that_ends_in_a_kind_of_secret_is_one(name):
    assert is_secret_name(name) and is_secret_name(name.upper())


@pytest.mark.parametrize("name", OTHER)
def test_other_names_are_none(name):
    assert not is_secret_name(name)


def test_a_number_may_be_a_count_but_never_a_password():
    assert may_be_count("max_tokens", "1000000") and may_be_count("key", "3") and may_be_count("sessions", "12")
    assert not may_be_count("password", "1234") and not may_be_count("token", "1234567")
