import contextlib
import errno
import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sttdoctor.errors import UsageError
from sttdoctor.record.upstream import Destination, Upstream, say_why


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
    for read in (Upstream.parse, Destination.parse):
        with contextlib.suppress(UsageError):
            read(text)


def test_destinations():
    assert Destination.parse("ws://h:1").url("/p", "q=1") == "ws://h:1/p?q=1"
    assert Destination.parse("ws://h:1/own/?r=2").url("/p", "q=1") == "ws://h:1/own?r=2"


@pytest.mark.parametrize(
    ("url", "in_clear"), {"ws://127.1.2.3": False, "ws://[::1]": False, "ws://10.0.0.1": True}.items()
)
def test_what_leaves_this_machine_in_clear(url, in_clear):
    assert Upstream.parse(url).in_clear is in_clear and not Upstream.parse(url.replace("ws:", "wss:")).in_clear


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
    assert sentence in say_why(error)
