"""The pytest plugin: a fixture that stands in for the service, and fails the test of a client that misbehaves.

pytest loads this module in every run where sttdoctor is installed, so it imports nothing but pytest; the rest is loaded
when a test uses the fixture. See docs/testing-your-client.md.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from sttdoctor.testing.fixture import Service

_MARKER = (
    "sttdoctor(select=(), ignore=(), fail_on='fail', fault=(), fault_after=2.0, script=None, thresholds={}, "
    "allow_origin=()): "
    "how the stt_service of this test behaves, and how its client is judged"
)

_SERVICE = pytest.StashKey["Service"]()


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line("markers", _MARKER)


@pytest.fixture
def stt_service(request: pytest.FixtureRequest) -> "Iterator[Service]":
    """A stand-in for the service on a free port, which records the client under test.

    After the test every connection is judged as `sttdoctor replay` would, and the test fails with the report of each
    that is wrong. Attributes: `url` (with the path of the turns endpoint), `base_url`, `websocket_base_url`, `api_key`,
    and `transcript`, to which the test may give the text that its application ended up with.
    """
    from sttdoctor.testing.fixture import options_of, serve_clients

    try:
        options = options_of(request.node.iter_markers("sttdoctor"))
    except ValueError as error:
        pytest.fail(f"sttdoctor: {error}", pytrace=False)
    with serve_clients(options) as service:
        request.node.stash[_SERVICE] = service
        yield service


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Judge the client when the test is over; a test that failed by itself gets the report as a section."""
    try:
        result = yield
    except (Exception, pytest.fail.Exception):
        _judge(item, failed=True)
        raise
    _judge(item, failed=False)
    return result


def _judge(item: pytest.Item, failed: bool) -> None:
    service = item.stash.get(_SERVICE, None)
    verdict = service.verdict() if service is not None else None
    if verdict is None:
        return
    if failed:
        item.add_report_section("call", "sttdoctor", verdict)
    else:
        pytest.fail(verdict, pytrace=False)
