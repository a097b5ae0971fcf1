import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sttdoctor.readers.wire.http_head import BadHeadError, Head, answer, body_of, read_agreement

UPGRADE = (
    b"GET /stt/turns/websocket?model=ink-2&keyterm=a%20b HTTP/1.1\r\nHost: 127.0.0.1:8765\r\nUpgrade: WebSocket\r\n"
    b"Connection: keep-alive, Upgrade\r\nOrigin: http://localhost\r\nX-Twice: 1\r\nx-twice: 2"
)
POST = b"POST /stt HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: keep-alive\r\nContent-Length: 4"


def test_a_handshake_is_changed_in_host_and_prefix_only():
    head = Head.parse(UPGRADE)
    sent = head.towards("api.example:8443", "/eu")
    expected = UPGRADE.replace(b"GET /", b"GET /eu/").replace(b"127.0.0.1:8765", b"api.example:8443")
    assert sent == expected + b"\r\n\r\n"
    assert head.upgrades and head.get("x-twice") == "1, 2"
    assert head.headers()["origin"] == "http://localhost"


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (b"Host : evil.example", "no name may have"),
        (b"X-A\tB: 1", "no name may have"),
        (b"X-A: 1\nHost: evil.example", "line break"),
        (b"X-A: 1\rHost: evil.example", "line break"),
        (b"X-A: a\0b", "line break"),
        (b"host: evil.example", "Host, once"),
    ],
)
def test_what_a_lenient_service_could_read_as_another_request_is_refused(line, sentence):
    with pytest.raises(BadHeadError, match=sentence):
        Head.parse(UPGRADE + b"\r\n" + line).towards("api.example", "")


def test_a_request_names_its_host():
    with pytest.raises(BadHeadError, match="Host"):
        Head.parse(UPGRADE.replace(b"Host", b"Hast")).towards("api.example", "")


def test_a_folded_value_is_one_value():
    head = Head.parse(UPGRADE + b"\r\nX-API-Key:\r\n sk:folded\r\n\t more")
    assert head.get("x-api-key") == "sk:folded more"
    assert b"\r\nX-API-Key: sk:folded more\r\n" in head.towards("api.example", "")


def test_more_headers_than_anybody_sends_are_refused():
    with pytest.raises(BadHeadError, match="more than"):
        Head.parse(UPGRADE + b"\r\na:" * 16_000)


def test_any_other_request_is_the_last_of_its_connection():
    sent = Head.parse(POST).towards("api.example", "")
    assert sent.endswith(b"Content-Length: 4\r\nConnection: close\r\n\r\n") and b"keep-alive" not in sent


@pytest.mark.parametrize("start", [b"CONNECT api.cartesia.ai:443 HTTP/1.1", b"GET http://x/y HTTP/1.1"])
def test_it_is_no_forward_proxy(start):
    with pytest.raises(BadHeadError, match="not an HTTP proxy"):
        Head.parse(start).towards("api.example", "")


@given(st.binary(max_size=300))
def test_junk_is_refused_or_read(data):
    try:
        head = Head.parse(data)
        head.headers()
        assert isinstance(head.status, int)
    except BadHeadError:
        pass


@pytest.mark.parametrize(
    ("headers", "data", "expected"),
    [
        (b"Content-Length: 2", b"no", "no"),
        (b"Transfer-Encoding: chunked", b"2\r\nno\r\n1;x\r\n!\r\n0\r\n\r\n", "no!"),
        (b"Transfer-Encoding: chunked", b"junk", ""),
        (b"Content-Encoding: gzip", gzip.compress(b"no", mtime=0), "no"),
        (b"Content-Encoding: gzip", b"no", None),
        (b"Content-Encoding: br", b"no", None),
    ],
)
def test_bodies(headers, data, expected):
    assert body_of(Head.parse(b"HTTP/1.1 401 Unauthorized\r\n" + headers), data) == expected


def test_a_field_that_goes_on_in_the_next_line_is_one_field():
    head = Head.parse(b"GET /a HTTP/1.1\r\nX-API-Key:\r\n sk:folded\r\n\tx\r\nHost: a")
    assert head.fields == (("X-API-Key", "sk:folded x"), ("Host", "a"))
    assert b"X-API-Key: sk:folded x\r\nHost: b\r\n" in head.towards("b", "")


def test_extensions():
    def told(value):
        return read_agreement(Head.parse(b"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Extensions: " + value))

    assert told(b"permessage-deflate; server_no_context_takeover").to_client is not None
    assert told(b"x-other").to_server is None


def test_an_own_answer_is_whole():
    data = answer("502 Bad Gateway", "cannot reach it")
    head, _, body = data.partition(b"\r\n\r\n")
    assert Head.parse(head).status == 502 and int(Head.parse(head).get("content-length")) == len(body)
