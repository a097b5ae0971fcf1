"""The pytest plugin: a fixture that stands in for the service, and fails the test of a client that misbehaves.

pytest loads this module in every run where sttdoctor is installed, so it imports nothing but pytest; the rest is loaded
when a test uses the fixture. See docs/testing-your-client.md.
"""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from sttdoctor.testing.fixture import Service

_MARKER = (
    "sttdoctor(select=(), ignore=(), fail_on='fail', fault=(), fault_after=2.0, borders='leading', script=None, "
    "thresholds={}, allow_origin=()): "
    "how the stt_service of this test behaves, and how its client is judged"
)

_SERVICE = pytest.StashKey["Service"]()


_SETTINGS = {
    "select": ("args", "Checks that judge a client, by their ids; all where there is none."),
    "ignore": ("args", "Checks that do not."),
    "fail_on": ("string", "From which status on a test fails: fail, warn, unknown or never."),
    "thresholds": ("args", "Limits, as NAME=VALUE."),
    "reports": ("string", "A folder for the reports and recordings of tests that fail."),
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what a project may set."""
    for name, (kind, text) in _SETTINGS.items():
        parser.addini(f"sttdoctor_{name}", f"sttdoctor: {text}", type=kind)  # type: ignore[arg-type]
    group = parser.getgroup("sttdoctor")
    group.addoption("--sttdoctor-reports", metavar="FOLDER", help=_SETTINGS["reports"][1])


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line("markers", _MARKER)


@pytest.fixture
def stt_fault() -> str:
    """What the stand-in does wrong; to be parametrised: `@pytest.mark.parametrize("stt_fault", ["slow=3", ...])`."""
    return ""


@pytest.fixture
def stt_service(request: pytest.FixtureRequest, stt_fault: str) -> "Iterator[Service]":
    """A stand-in for the service on a free port, which records the client under test.

    After the test every connection is judged as `sttdoctor replay` would, and the test fails with the report of each
    that is wrong. Attributes: `url` (with the path of the turns endpoint), `base_url`, `websocket_base_url`, `api_key`,
    and `transcript`, to which the test may give the text that its application ended up with.
    """
    from sttdoctor.testing.fixture import options_of, serve_clients

    try:
        options = options_of(request.node.iter_markers("sttdoctor"), _read_project(request.config), stt_fault)
    except ValueError as error:
        pytest.fail(f"sttdoctor: {error}", pytrace=False)
    with serve_clients(options) as service:
        request.node.stash[_SERVICE] = service
        yield service


def _read_project(config: pytest.Config) -> dict[str, Any]:
    """What the project sets for all tests."""
    values = {name: config.getini(f"sttdoctor_{name}") for name in _SETTINGS if name != "reports"}
    return {name: value for name, value in values.items() if value}


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
    if service is None:
        return
    verdict = service.verdict()
    told = _write_reports(item, service) if failed or verdict is not None else ""
    if failed and (verdict or told):
        item.add_report_section("call", "sttdoctor", f"{verdict or ''}{told}")
    elif verdict is not None:
        pytest.fail(f"{verdict}{told}", pytrace=False)


def _write_reports(item: pytest.Item, service: "Service") -> str:
    """Write the reports of a test that fails where the project wants them; returns what to say of it."""
    named = item.config.getoption("--sttdoctor-reports") or item.config.getini("sttdoctor_reports")
    if not named or not service.sessions:
        return ""
    from sttdoctor.errors import SttdoctorError

    folder = item.config.rootpath / named
    try:
        written = service.write_reports(folder, re.sub(r"[^\w.-]+", "-", item.nodeid)[-150:].strip("-."))
    except (SttdoctorError, OSError) as error:
        return f"\nno reports are written: {error}\n"
    return "".join(f"\nreport: {path}" for path in written) + "\n"
