import re

import pytest
from common import ROOT

from sttdoctor.checks import all_causes
from sttdoctor.errors import UsageError
from sttdoctor.simulate.faults import FAULTS, distortion, parse


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


def test_without_a_fault_events_pass_as_they_are():
    distort = distortion({"slow": 1.0})
    event = {"type": "turn.update", "request_id": "id", "transcript": "Hi"}
    assert list(distort(event)) == [event]


def test_distortions_of_two_connections_are_apart():
    first, second = distortion({"left-open": 0.0}), distortion({"left-open": 0.0})
    end = {"type": "turn.end", "request_id": "id", "transcript": "Hi"}
    start = {"type": "turn.start", "request_id": "id"}
    assert [list(first(end)), list(first(start)), list(second(start))] == [[], [], [start]]


def test_the_docs_list_every_fault():
    text = (ROOT / "docs" / "simulate.md").read_text(encoding="utf-8")
    faults = text.partition("\n## Faults\n")[2]
    rows = re.findall(r"^\| `([a-z-]+)(?:=([0-9]+))?` \|", faults, re.MULTILINE)
    assert dict(rows) == {name: "" if fault.value is None else f"{fault.value:g}" for name, fault in FAULTS.items()}
