import json

import hostile
import pytest
from hypothesis import given

from sttdoctor.reporting.json import render


@pytest.mark.parametrize("name", hostile.TEXTS)
def test_a_hostile_session_is_ascii_and_whole(name):
    report = hostile.judged(name)
    text = render(report)
    assert text.isascii() and hostile.controls(text) == {"\n"}
    assert json.loads(text)["subject"]["transcript"] == report.subject["transcript"]


@given(text=hostile.texts)
def test_whatever_stands_in_a_capture_comes_back(text):
    shown = render(hostile.report(text))
    assert shown.isascii() and hostile.controls(shown) == {"\n"}
    assert json.loads(shown)["subject"]["path"] == json.loads(json.dumps(text))
