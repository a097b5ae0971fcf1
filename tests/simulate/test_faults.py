import re
from dataclasses import replace

import pytest
from builders import URL, report, session, steady, turn
from common import ROOT

from sttdoctor.analysis.session.endings import CODES
from sttdoctor.checks import all_causes
from sttdoctor.errors import UsageError
from sttdoctor.evidence import Frame, Open, Session
from sttdoctor.simulate.faults import FAULTS, make_distortion, parse


def test_settings_have_defaults_and_values():
    assert parse(["slow", "error-event=503", "left-open"]) == {"slow": 4.0, "error-event": 503.0, "left-open": 0.0}


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("slwo", "did you mean slow"),
        ("x", "there are rejected"),
        ("left-open=1", "takes no value"),
        ("error-event=200", "from 400 to 599"),
        ("rejected=599", "not a status"),
        ("slow=soon", "'soon'"),
        ("slow=nan", "'nan'"),
        ("closed-abnormally=1006", "not a code"),
    ],
)
def test_a_wrong_setting_is_named(setting, says):
    with pytest.raises(UsageError, match=says):
        parse([setting])


def test_faults_excuse_causes_that_there_are():
    assert {cause for fault in FAULTS.values() for cause in fault.causes} <= set(all_causes())


CLOSES = [*CODES, 3001, 4000, 4002, 4029, 4102, 4401, 4402, 4403, 4429, 4500, 4502, 4503]


@pytest.mark.parametrize("code", [code for code in CLOSES if code not in (1000, 1015)])  # no fault; in no close
@pytest.mark.parametrize("end", [None, 2.8])
def test_whatever_a_code_is_called_the_client_that_meets_it_is_excused(code, end):
    parse([f"closed-abnormally={code}"])
    met = session(
        steady(3.0), events=turn(0.5, "Hello", "Hello there.", end=end), close=(3.05, "server", code, "simulated")
    )
    said = {found.cause for found in report(met).diagnoses}
    assert said and said <= set(FAULTS["closed-abnormally"].causes)


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 429, 500, 503])
def test_whatever_a_status_is_called_the_client_that_meets_it_is_excused(status):
    refused = Session(
        (Open(2, 0.1, status, {"content-type": "application/json"}, '{"title": "Simulated refusal"}'),), url=URL
    )
    error = {"type": "error", "title": "Simulated error", "status_code": status, "request_id": "r1"}
    met = session(steady(3.0), events=turn(0.5, "Hello", end=2.8), close=(3.1, "server", 1000, ""))
    *before, close = met.events
    told = replace(met, events=(*before, Frame(close.line, 3.05, False, 0, message=error), replace(close, line=99)))
    for subject, fault in ((refused, "rejected"), (told, "error-event")):
        said = {found.cause for found in report(subject).diagnoses}
        assert said and said <= set(FAULTS[fault].causes)


def test_without_a_fault_events_pass_as_they_are():
    distort = make_distortion({"slow": 1.0})
    event = {"type": "turn.update", "request_id": "id", "transcript": "Hi"}
    assert list(distort(event)) == [event]


def test_distortions_of_two_connections_are_apart():
    first, second = make_distortion({"left-open": 0.0}), make_distortion({"left-open": 0.0})
    end = {"type": "turn.end", "request_id": "id", "transcript": "Hi"}
    start = {"type": "turn.start", "request_id": "id"}
    assert [list(first(end)), list(first(start)), list(second(start))] == [[], [], [start]]


def test_the_docs_list_every_fault():
    text = (ROOT / "docs" / "simulate.md").read_text(encoding="utf-8")
    faults = text.partition("\n## Faults\n")[2]
    rows = re.findall(r"^\| `([a-z-]+)(?:=([0-9]+))?` \|", faults, re.MULTILINE)
    assert dict(rows) == {name: "" if fault.value is None else f"{fault.value:g}" for name, fault in FAULTS.items()}
