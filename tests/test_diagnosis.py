from types import SimpleNamespace

import pytest
from builders import drained

from sttdoctor.case import Case
from sttdoctor.checks import all_causes
from sttdoctor.checks.base import Finding
from sttdoctor.diagnosis import RULES, diagnose
from sttdoctor.thresholds import DEFAULTS

CASE = Case(DEFAULTS, session=drained())


def finding(cause, status="fail", confidence=0.9):
    return Finding(cause, status, confidence, "summary", "fix")


def shape(*findings, case=CASE):
    return [(d.cause, d.explains) for d in diagnose(findings, case)]


def test_nothing_wrong_is_no_diagnosis():
    assert shape() == []
    assert shape(finding("joining.updates-joined", "unknown")) == []


def test_independent_faults_stay_independent():
    assert shape(finding("joining.normalized"), finding("chunking.too-small", "warn")) == [
        ("joining.normalized", ()),
        ("chunking.too-small", ()),
    ]


def test_fail_comes_before_warn_then_confidence_and_remarks_last():
    order = shape(
        finding("sample-rate.upsampled", "warn", 0.99),
        finding("chunking.too-small", "warn", 0.95),
        finding("joining.normalized", "fail", 0.5),
        finding("encoding.byte-order", "fail", 0.9),
    )
    assert [cause for cause, _ in order] == [
        "encoding.byte-order",
        "joining.normalized",
        "chunking.too-small",
        "sample-rate.upsampled",
    ]


def test_a_chain_leads_to_its_root():
    found = shape(finding("continuity.keepalive"), finding("continuity.stopped"), finding("drain.no-close"))
    assert found == [("continuity.keepalive", ("continuity.stopped", "drain.no-close"))]


def test_a_root_is_as_urgent_as_what_it_explains():
    found = shape(
        finding("continuity.stopped", "warn", 0.5),
        finding("drain.no-close", "fail"),
        finding("joining.normalized", "fail", 0.6),
    )
    assert [cause for cause, _ in found] == ["joining.normalized", "continuity.stopped"]


class _Paced:
    sound = SimpleNamespace(contents=None, silent_side=None)

    def __init__(self, true_speed, cut=0):
        self.true_speed = true_speed
        self.cut_frames = [None] * cut
        self.true_chunk_ms = 100.0 if true_speed else None
        self.limits = DEFAULTS


@pytest.mark.parametrize(("true_speed", "explained"), [(1.0, True), (1.05, True), (1.6, False), (None, False)])
def test_a_wrong_format_explains_the_pace_only_when_the_true_format_makes_it_right(true_speed, explained):
    found = shape(finding("sample-rate.mismatch"), finding("pacing.too-fast"), case=_Paced(true_speed))
    assert (found == [("sample-rate.mismatch", ("pacing.too-fast",))]) is explained


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.root)
def test_rules_name_known_causes(rule):
    assert {rule.root, *rule.symptoms} <= set(all_causes())
    assert rule.why
    assert rule.root not in rule.symptoms


@pytest.mark.parametrize("cut", [0, 1, 5])
def test_every_finding_belongs_to_exactly_one_diagnosis(cut):
    findings = [finding(cause) for cause in all_causes()]
    diagnoses = diagnose(findings, _Paced(1.0, cut))
    told = [cause for d in diagnoses for cause in (d.cause, *d.explains)]
    assert sorted(told) == sorted(all_causes())
