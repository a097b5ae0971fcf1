import contextlib
import errno
import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sttdoctor.errors import UsageError
from sttdoctor.live.upstream import Destination, Upstream, host_port, is_loopback, why


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("wss://api.cartesia.ai", ("api.cartesia.ai", 443, True, "", "wss://api.cartesia.ai")),
        ("api.cartesia.ai", ("api.cartesia.ai", 443, True, "", "wss://api.cartesia.ai")),
        ("http://[::1]:81/eu/", ("::1", 81, False, "/eu", "ws://[::1]:81/eu")),
        ("HTTPS://x/a/b", ("x", 443, True, "/a/b", "wss://x/a/b")),
    ],
)
def test_upstreams(url, expected):
    found = Upstream.parse(url)
    assert (found.host, found.port, found.secure, found.prefix, found.url) == expected


@given(st.text(max_size=40))
def test_any_text_is_an_address_or_refused(text):
    for read in (Upstream.parse, Destination.parse, host_port):
        with contextlib.suppress(UsageError):
            read(text)


def test_destinations():
    assert Destination.parse("ws://h:1").url("/p", "q=1") == "ws://h:1/p?q=1"
    assert Destination.parse("ws://h:1/own/?r=2").url("/p", "q=1") == "ws://h:1/own?r=2"


HOSTS = {"127.0.0.1": True, "127.1.2.3": True, "::1": True, "127.x": False, "10.0.0.1": False}


@pytest.mark.parametrize(("host", "local"), HOSTS.items())
def test_loopback(host, local):
    assert is_loopback(host) is local
    assert Upstream.parse(f"ws://[{host}]" if ":" in host else f"ws://{host}").in_clear is not local


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (TimeoutError(), "in time"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connect call failed ('::1', 80)"), "Connection refused"),
        (ConnectionResetError(), "broke"),
        (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong"), "TLS"),
        (OSError("the name has no address"), "no address"),
    ],
)
def test_reasons(error, sentence):
    assert sentence in why(error)
