"""Who answered a handshake that was refused: by body, headers, page and status."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sttdoctor.analysis.session.answerer import SETTINGS, STATUSES, find_answerer, name_setting
from sttdoctor.evidence import Open

JSON = '{"title": "Unauthorized", "message": "Invalid API key", "error_code": "unauthorized"}'
PAGE = "<html><head><title>%s</title></head><body>%s</body></html>"


def answerer(status, headers=None, body=""):
    return find_answerer(Open(1, 0.1, status, headers or {}, body))


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 502, 503])
@pytest.mark.parametrize("server", ["nginx/1.22.1", "cloudflare", "Caddy", ""])
def test_the_services_own_json_is_the_services_whatever_passed_it_on(status, server):
    assert answerer(status, {"server": server, "via": "1.1 proxy"}, JSON).who == "service"


@pytest.mark.parametrize(
    ("status", "headers", "body", "name"),
    [
        (505, {"server": "nginx/1.22.1"}, "unsupported HTTP version: HTTP/1.0.", "nginx"),
        (426, {"server": "nginx/1.31.5"}, "Upgrade Required", "nginx"),
        (426, {}, "", None),
        (502, {"content-type": "text/html"}, PAGE % ("502 Bad Gateway", "<center>nginx/1.22.1</center>"), "nginx"),
        (503, {}, "<html><body><h1>503</h1>No server is available to handle this request.</body></html>", "haproxy"),
        (502, {"server": "Caddy"}, "", "Caddy"),
        (504, {"server": "awselb/2.0"}, "", "an AWS load balancer"),
        (522, {"server": "cloudflare", "cf-ray": "8a"}, "", "Cloudflare"),
        (403, {"x-squid-error": "ERR_ACCESS_DENIED 0", "server": "squid/5.7"}, "", "squid"),
        (403, {"content-type": "text/html"}, PAGE % ("Blocked", "Zscaler Internet security"), "Zscaler"),
        (403, {"cf-ray": "8a", "content-type": "text/html"}, PAGE % ("Attention Required!", ""), "Cloudflare"),
        (407, {"proxy-authenticate": "NTLM"}, "", None),
        (401, {"www-authenticate": 'Basic realm="office"'}, "", None),
        (302, {"location": "http://login.hotel.example/"}, "", None),
        (200, {"content-type": "text/html"}, PAGE % ("Sign in", ""), None),
        (511, {}, "", None),
        (404, {"content-type": "text/html", "server": "Apache/2.4"}, PAGE % ("404", "Not Found"), "Apache"),
    ],
)
def test_what_stands_between_is_known_by_headers_page_or_status(status, headers, body, name):
    found = answerer(status, headers, body)
    assert (found.who, found.name) == ("between", name)
    assert found.proof


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500])
def test_a_bare_status_that_the_service_gives_is_not_blamed_on_anybody(status):
    assert answerer(status).who == "unknown"
    assert answerer(status, {"content-type": "text/plain"}, "Invalid API key").who == "unknown"


def test_every_status_of_the_table_has_advice_and_says_whether_to_try_again():
    assert {advice.again for advice in STATUSES.values()} == {"later", "after a change"}
    assert all(
        advice.fix.endswith(".") and advice.meaning and not advice.meaning.endswith(".") for advice in STATUSES.values()
    )
    assert set(STATUSES) >= {300, 301, 302, 307, 308, 400, 401, 403, 404, 405, 407, 408, 411, 413, 426, 429, 431, 511}
    assert set(STATUSES) >= {500, 501, 502, 503, 504, 505, *range(520, 528), 530}


@given(
    st.integers(100, 999),
    st.dictionaries(st.sampled_from(["server", "via", "location", "x-cache"]), st.text()),
    st.text(),
)
def test_any_answer_has_an_answerer(status, headers, body):
    assert answerer(status, headers, body).who in ("service", "between", "unknown")


@pytest.mark.parametrize(
    ("name", "status", "said"),
    [
        ("nginx", 502, "proxy_pass"),
        ("nginx", 426, "proxy_set_header Upgrade"),
        ("nginx", 414, "large_client_header_buffers"),
        ("Apache", 500, "proxy_http"),
        ("lighttpd", 426, "proxy.header"),
        ("squid", 403, "http_access"),
        ("nginx", 413, "client_max_body_size"),
        ("nginx", 503, "limit_req and limit_conn"),
        ("haproxy", 403, "look in its configuration for what refuses"),
        ("haproxy", 429, "look in its configuration for what refuses"),
    ],
)
def test_a_known_product_is_named_with_what_to_set_in_it(name, status, said):
    assert said in name_setting(name, status)


def test_what_refuses_is_not_to_be_set():
    for name in SETTINGS:
        for status in (403, 429):
            said = name_setting(name, status)
            assert not said or ("what refuses" in said and "yours:" not in said)


@pytest.mark.parametrize(("name", "status"), [(None, 502), ("Zscaler", 502), ("nginx", 200), ("squid", 426)])
def test_nothing_is_to_be_set_in_what_is_not_known(name, status):
    assert name_setting(name, status) == ""
