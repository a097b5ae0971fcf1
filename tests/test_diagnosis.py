from dataclasses import replace
from types import SimpleNamespace

import pytest
from builders import drained, report, session, steady, turn
from hypothesis import given
from hypothesis import strategies as st

from sttdoctor.analysis.container.header import Header
from sttdoctor.analysis.facts import Facts
from sttdoctor.checks import all_causes
from sttdoctor.checks.base import Finding
from sttdoctor.diagnosis import RULES, diagnose
from sttdoctor.evidence import Declared
from sttdoctor.thresholds import DEFAULTS

CASE = Facts(DEFAULTS, session=drained())


def finding(cause, status="fail", confidence=0.9):
    return Finding(cause, status, confidence, "summary", "fix")


def shape(*findings, facts=CASE):
    return [(d.cause, d.explains) for d in diagnose(findings, facts)]


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


class _Paced:
    sound = SimpleNamespace(contents=None, slot=None)

    def __init__(self, true_speed, cut=0, refusal=None, turns=()):
        self.true_speed = true_speed
        self.cut_frames = [None] * cut
        self.true_chunk_ms = 100.0 if true_speed else None
        self.limits = DEFAULTS
        self.refusal = refusal
        self.turns = turns


def refused(about, status=400, named=True):
    return SimpleNamespace(about=about, status=status, named=named)


REFUSALS = [None, *(refused(about) for about in ("key", "path", "parameter", "streams", None))]
REFUSALS += [refused("parameter", named=False), refused("path", 404, named=False), refused(None, 503, named=False)]

FINDINGS = st.lists(
    st.builds(
        finding,
        st.sampled_from(sorted(all_causes())),
        st.sampled_from(["fail", "warn", "unknown"]),
        st.sampled_from([0.5, 0.7, 0.9]),
    ),
    max_size=40,
)
CASES = st.builds(
    _Paced,
    st.sampled_from([None, 1.0, 2.0]),
    st.sampled_from([0, 1, 5]),
    st.sampled_from(REFUSALS),
    st.sampled_from([(), (None,)]),
)


@given(FINDINGS, CASES)
def test_a_warning_never_explains_a_failure(findings, facts):
    worst = {f.cause: "fail" for f in findings if f.status == "fail"}
    for diagnosis in diagnose(findings, facts):
        assert diagnosis.status == "fail" or not any(worst.get(cause) == "fail" for cause in diagnosis.explains)


@given(FINDINGS, CASES)
def test_every_cause_that_is_wrong_belongs_to_exactly_one_diagnosis(findings, facts):
    told = [cause for d in diagnose(findings, facts) for cause in (d.cause, *d.explains)]
    assert sorted(told) == sorted({f.cause for f in findings if f.status != "unknown"})


@given(FINDINGS, CASES)
def test_failures_come_before_warnings_and_remarks_last(findings, facts):
    diagnoses = diagnose(findings, facts)
    order = [(all_causes()[d.cause].informational, d.status == "warn") for d in diagnoses]
    assert order == sorted(order)
    assert all(d.root in findings for d in diagnoses)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.root)
def test_no_rule_lets_a_warning_explain_a_failure(rule, monkeypatch):
    monkeypatch.setattr("sttdoctor.diagnosis._holds", lambda *_: True)
    for symptom in rule.symptoms:
        worse = shape(finding(rule.root, "warn"), finding(symptom, "fail"))
        assert symptom in [cause for cause, _ in worse]


def test_of_several_findings_of_one_cause_the_worst_is_told():
    findings = [finding("signal.dropouts", "warn", 0.9), finding("signal.dropouts", "fail", 0.6)]
    (diagnosis,) = diagnose(findings, CASE)
    assert (diagnosis.status, diagnosis.confidence) == ("fail", 0.6)


CONNECTION = ("connection.rejected", "connection.bad-auth", "connection.wrong-path", "connection.bad-parameter")


@pytest.mark.parametrize(
    ("about", "root"),
    [
        ("key", "connection.bad-auth"),
        ("path", "connection.wrong-path"),
        ("parameter", "connection.bad-parameter"),
        ("streams", "server.concurrency"),
        (None, "connection.rejected"),
    ],
)
def test_what_the_server_said_decides_the_order(about, root):
    findings = [finding(cause, "fail", 0.99 - 0.1 * (cause == root)) for cause in (*CONNECTION, "server.concurrency")]
    first = diagnose(findings, _Paced(None, refusal=refused(about), turns=(None,)))[0]
    assert first.cause == root
    assert root == "connection.rejected" or first.explains == ("connection.rejected",)


def test_a_bare_refusal_is_explained_by_the_fault_that_the_client_shows():
    facts = _Paced(None, refusal=refused("parameter", 400, named=False))
    found = shape(finding("connection.rejected"), finding("connection.bad-auth"), facts=facts)
    assert found == [("connection.bad-auth", ("connection.rejected",))]
    facts = _Paced(None, refusal=refused(None, 503, named=False))
    found = shape(finding("connection.rejected"), finding("connection.bad-auth", "fail", 0.99), facts=facts)
    assert [cause for cause, _ in found] == ["connection.rejected", "connection.bad-auth"]


def test_a_parameter_explains_what_the_server_did_only_where_no_turn_ever_began():
    findings = [finding("connection.bad-parameter"), finding("server.closed-abnormally")]
    assert len(diagnose(findings, _Paced(None))) == 1
    assert len(diagnose(findings, _Paced(None, turns=(None,)))) == 2


@pytest.mark.parametrize(("true_speed", "explained"), [(1.0, True), (1.05, True), (1.6, False), (None, False)])
def test_a_wrong_format_explains_the_pace_only_when_the_true_format_makes_it_right(true_speed, explained):
    found = shape(finding("sample-rate.mismatch"), finding("pacing.too-fast"), facts=_Paced(true_speed))
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


@pytest.mark.parametrize(
    ("true_speed", "explained"), [(0.91, True), (0.89, False), (1.09, True), (1.11, False), (-1.0, False)]
)
def test_realtime_in_truth_is_within_ten_percent(true_speed, explained):
    found = shape(finding("encoding.mismatch"), finding("pacing.burst"), facts=_Paced(true_speed))
    assert (found == [("encoding.mismatch", ("pacing.burst",))]) is explained


@pytest.mark.parametrize(
    ("true_ms", "explained"), [(4.9, False), (5.0, True), (300.0, True), (300.1, False), (None, False)]
)
def test_a_wrong_format_explains_the_chunks_only_when_the_true_format_makes_them_right(true_ms, explained):
    facts = _Paced(1.0)
    facts.true_chunk_ms = true_ms
    found = shape(finding("sample-rate.mismatch"), finding("chunking.too-large"), facts=facts)
    assert (found == [("sample-rate.mismatch", ("chunking.too-large",))]) is explained


@pytest.mark.parametrize(
    ("cut", "root"), [(1, "encoding.misaligned"), (2, "encoding.misaligned"), (3, "messages.partial-samples")]
)
def test_three_cut_frames_are_a_habit(cut, root):
    found = shape(finding("encoding.misaligned"), finding("messages.partial-samples"), facts=_Paced(1.0, cut))
    assert [cause for cause, _ in found] == [root]


@pytest.mark.parametrize(
    ("header", "explained"),
    [
        (Header(44, encoding="pcm_s16le", sample_rate=16000, channels=1), False),
        (Header(44, encoding="pcm_f32le", sample_rate=16000, channels=1), True),
        (Header(44, encoding="pcm_s16le", sample_rate=24000, channels=1), True),
        (Header(44, encoding="pcm_s16le", sample_rate=16000, channels=2), True),
        (None, False),
    ],
)
def test_a_header_explains_a_wrong_format_where_it_says_otherwise(header, explained):
    facts = _Paced(None)
    facts.sound = SimpleNamespace(contents=SimpleNamespace(first=SimpleNamespace(header=header), starts=()))
    facts.declared = Declared("pcm_s16le", 16000)
    found = shape(finding("container.wav-header"), finding("encoding.mismatch"), facts=facts)
    assert (found == [("container.wav-header", ("encoding.mismatch",))]) is explained


@pytest.mark.parametrize(("count", "rate", "explained"), [(5, 16000, True), (4, 16000, False), (5, 24000, False)])
def test_headers_that_are_heard_as_clicks_and_name_the_declared_rate_explain_another_one(count, rate, explained):
    start = SimpleNamespace(header=Header(44, encoding="pcm_s16le", sample_rate=rate, channels=1))
    facts = _Paced(None)
    facts.sound = SimpleNamespace(contents=SimpleNamespace(first=None, starts=(start,) * count))
    facts.declared = Declared("pcm_s16le", 16000)
    found = shape(finding("container.wav-header"), finding("sample-rate.mismatch"), facts=facts)
    assert (found == [("container.wav-header", ("sample-rate.mismatch",))]) is explained


def test_without_a_file_in_the_stream_a_header_explains_nothing():
    facts = _Paced(None)
    facts.sound = SimpleNamespace(contents=SimpleNamespace(first=None, starts=()))
    assert len(shape(finding("container.wav-header"), finding("encoding.mismatch"), facts=facts)) == 2


@pytest.mark.parametrize(("side", "explained"), [(0, True), (1, True), (None, False)])
def test_a_silent_side_explains_a_wrong_encoding(side, explained):
    facts = _Paced(None)
    facts.sound = SimpleNamespace(slot=side)
    found = shape(finding("channels.interleaved"), finding("encoding.mismatch"), facts=facts)
    assert (found == [("channels.interleaved", ("encoding.mismatch",))]) is explained


def test_an_estimate_that_cannot_be_computed_explains_nothing():
    class _Broken:
        @property
        def slot(self):
            raise ValueError("no")

    facts = _Paced(None)
    facts.sound = _Broken()
    found = shape(finding("channels.interleaved"), finding("encoding.mismatch"), facts=facts)
    assert len(found) == 2


def test_symptoms_come_in_the_order_of_the_checks_and_once():
    found = shape(
        finding("drain.no-close"),
        finding("joining.turns-missing"),
        finding("turns.left-open"),
        finding("joining.turns-missing"),
    )
    assert found == [("drain.no-close", ("joining.turns-missing", "turns.left-open"))]


def test_of_two_explanations_the_first_rule_wins():
    found = shape(finding("pacing.burst"), finding("encoding.changed"), finding("server.error-event"))
    assert found == [("encoding.changed", ("pacing.burst", "server.error-event"))]


def test_equally_bad_roots_come_by_confidence_then_in_the_order_of_the_checks():
    causes = ["joining.normalized", "turns.out-of-order", "encoding.byte-order"]
    order = shape(*(finding(cause, "fail", level) for cause, level in zip(causes, (0.8, 0.9, 0.8), strict=True)))
    assert [cause for cause, _ in order] == ["turns.out-of-order", "joining.normalized", "encoding.byte-order"]


@pytest.mark.parametrize(
    ("by", "code", "root"),
    [
        ("client", 1000, "drain.no-close"),
        ("client", 1001, "drain.no-close"),
        ("client", 1006, "connection.reconnected"),
        ("client", 1011, "connection.reconnected"),
    ],
)
def test_a_client_that_ends_each_connection_itself_has_no_reconnect_for_a_fault(by, code, root):
    part = session(steady(4), events=turn(1.0, "Hello"), close=(4.0, by, code))
    events = (*part.events, *(replace(event, t=event.t + 8) for event in part.events))
    (first, *_) = report(type(part)(events, url=part.url)).diagnoses
    assert first.cause == root and {"connection.reconnected", "drain.no-close"} - {root} <= set(first.explains)


def test_no_cause_explains_itself():
    assert [rule.root for rule in RULES if rule.root in rule.symptoms] == []
