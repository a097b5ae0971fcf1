"""The ways of `benchmarks/accuracy/joining.py`: each is named, what shows the text well is never accused."""

import sys

import pytest
from common import ROOT

sys.path.append(str(ROOT / "benchmarks" / "accuracy"))
import joining


@pytest.mark.parametrize("way", joining.WAYS, ids=lambda way: way.name)
def test_a_way_to_join_is_named(way):
    for spoken, text in joining.cases(way, seed=11, count=3):
        found = joining.judge(spoken, text)
        assert found, text
        assert found[0][0] in way.causes, (found, text)
        assert not way.harmless or {status for _, status in found} == {"warn"}


def test_two_changes_at_once_are_both_named():
    named = [
        bool({cause for cause, _ in joining.judge(spoken, text)} & set(one.causes))
        for one, _, spoken, text in joining.pairs(seed=11, count=40)
    ]
    assert sum(named) >= 0.95 * len(named)


def test_a_text_that_is_shown_well_is_not_accused():
    for name, spoken, text in joining.healthy(seed=11, count=100):
        assert not joining.judge(spoken, text), (name, text)
