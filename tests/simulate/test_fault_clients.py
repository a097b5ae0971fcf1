"""A healthy client of the vendor's SDK meets each fault of the stand-in: sttdoctor names the cause that it is for."""

import asyncio

import pytest
from stand_in import recorded, sdk_for, speech, talk

from sttdoctor.simulate.faults import FAULTS, Behaviour, parse

pytestmark = pytest.mark.realtime
SETTINGS = {
    "rejected": "connection.rejected",
    "rejected=403": "connection.bad-auth",
    "rejected=404": "connection.wrong-path",
    "bad-auth": "connection.bad-auth",
    "concurrency": "server.concurrency",
    "error-event": "server.error-event",
    "error-event=429": "server.concurrency",
    "closed-abnormally": "server.closed-abnormally",
    "closed-abnormally=1001": "server.session-limit",
    "connection-lost": "drain.connection-lost",
    "stopped-answering": "server.stopped-answering",
    "slow=2.5": "latency.end-of-turn",
    "no-drain": "turns.left-open",
    "left-open": "turns.left-open",
    "out-of-order": "turns.out-of-order",
    "not-cumulative": "turns.not-cumulative",
    "mixed-connections": "turns.mixed-connections",
    "login-page": "connection.intermediary",
    "login-page=200": "connection.intermediary",
    "gateway": "connection.intermediary",
    "gateway=502": "connection.intermediary",
    "silent": "connection.intermediary",
    "half-open": "server.stopped-answering",
    "torn-frame": "drain.connection-lost",
    "quota": "server.quota",
    "expired": "connection.expired",
    "big-event": "messages.too-big",
}
NO_CAUSE = {"slow-handshake", "event-storm", "idle-cut=30"}


async def meet(setting, barrier):
    """Let one client meet a fault; returns what it heard and the report."""
    # a turn that is open at the close command; and audio that goes on while the late answer comes
    pause_s = {"no-drain": 0.3, "slow=2.5": 3.8}.get(setting, 0.9)
    behaviour = Behaviour(faults=parse([setting]), fault_after_s=1.0)
    async with recorded(behaviour) as server:
        sdk = sdk_for(server.port)
        await barrier.wait()
        patience_s = 6.5 if setting in ("silent", "stopped-answering", "half-open") else 60.0
        heard = await talk(server.port, speech("mary", pause_s), patience_s=patience_s, sdk=sdk)
    (report,) = server.reports(heard.text)
    return heard, report


@pytest.fixture(scope="module")
def met():
    async def all_of_them():
        settings = [*SETTINGS, *NO_CAUSE]
        barrier = asyncio.Barrier(len(settings))
        results = await asyncio.gather(*(meet(setting, barrier) for setting in settings))
        return dict(zip(settings, results, strict=True))

    return asyncio.run(all_of_them())


def test_every_fault_is_met():
    assert {setting.partition("=")[0] for setting in {*SETTINGS, *NO_CAUSE}} == set(FAULTS)


@pytest.mark.parametrize("setting", SETTINGS)
def test_the_cause_is_named(met, setting):
    _, report = met[setting]
    assert report.diagnoses[0].cause == SETTINGS[setting]


@pytest.mark.parametrize("setting", SETTINGS)
def test_nothing_is_said_that_the_fault_does_not_excuse(met, setting):
    _, report = met[setting]
    allowed = set(FAULTS[setting.partition("=")[0]].causes) | {SETTINGS[setting]}
    assert {found.cause for found in report.diagnoses} <= allowed


@pytest.mark.parametrize("setting", sorted(NO_CAUSE))
def test_some_are_no_fault_of_anybody(met, setting):
    heard, report = met[setting]
    assert not [found for found in report.diagnoses if not found.cause.startswith("latency.")]
    assert heard.text == "Mary rolled the barrel."
