import pytest

from sttdoctor.analysis.session.endpoint import Address, find_endpoint, match_events, match_path, parse_address
from sttdoctor.endpoints.cartesia import AUTO, MANUAL
from sttdoctor.evidence import Frame, Open, Session


def test_a_url_in_parts():
    got = parse_address("  WSS://Host.Example:8443/p/stt/websocket/?a=1&b=&a=2 ")
    assert got == Address("wss", "host.example", "/p/stt/websocket", (("a", "1"), ("b", ""), ("a", "2")))
    assert (got.values("a"), got.values("b"), got.values("c")) == (["1", "2"], [""], [])
    assert (got.first("a"), got.first("b"), got.first("c")) == ("1", "", None)


def test_a_url_without_a_host():
    assert parse_address("stt/websocket") == Address("", "", "stt/websocket", ())


@pytest.mark.parametrize("url", [None, "wss://[::1", "wss://[x/?" + "a=1&" * 1001])
def test_what_is_no_url(url):
    assert parse_address(url) is None


def test_a_thousand_fields_are_read():
    assert len(parse_address("wss://x/?" + "&".join(["a=1"] * 1000)).query) == 1000


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/stt/turns/websocket", AUTO),
        ("/proxy/stt/turns/websocket", AUTO),
        ("/stt/websocket", MANUAL),
        ("/stt/websocket/more", None),
        ("", None),
    ],
)
def test_the_path_tells_the_endpoint(path, expected):
    assert match_path(path) == expected


def received(*kinds, sent=False):
    return [Frame(2 + i, 0.1, sent, 9, message={"type": kind}) for i, kind in enumerate(kinds)]


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        (received("turn.start"), AUTO),
        (received("transcript"), MANUAL),
        (received("who.knows", "transcript", "turn.start"), MANUAL),
        (received("who.knows"), None),
        (received("turn.start", sent=True), None),
        ([], None),
    ],
)
def test_the_first_known_event_tells_the_endpoint(frames, expected):
    assert match_events(frames) == expected


@pytest.mark.parametrize(
    ("url", "expected"), [("wss://x/stt/turns/websocket", AUTO), ("wss://x/other", MANUAL), (None, MANUAL)]
)
def test_the_url_goes_before_the_events(url, expected):
    assert find_endpoint(Session((Open(1, 0.0, 101), *received("transcript")), url=url)) == expected


def test_neither_tells():
    assert find_endpoint(Session((Open(1, 0.0, 101),))) is None
