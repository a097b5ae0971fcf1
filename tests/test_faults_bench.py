import itertools
import json
import sys

import pytest
from common import ROOT

import sttdoctor

BENCHMARKS = str(ROOT / "benchmarks" / "faults")


@pytest.fixture(scope="module")
def bench():
    pytest.importorskip("soundfile")
    sys.path.append(BENCHMARKS)
    import faults_bench

    yield faults_bench
    sys.path.remove(BENCHMARKS)


CAUSES = ("pacing.burst", "drain.no-close", "joining.separator-added", "connection.bad-auth")


@pytest.mark.parametrize("cause", CAUSES)
def test_a_seed_makes_the_same_session_again(bench, cause):
    first, second, other = (next(bench.fault_cases(seed, cause, 1, None)) for seed in (5, 5, 6))
    assert bench.jsonl(first.rows) == bench.jsonl(second.rows) != bench.jsonl(other.rows)


@pytest.mark.parametrize("cause", CAUSES)
def test_sessions_are_ordered_and_readable(bench, cause):
    facts = next(bench.fault_cases(5, cause, 1, None))
    times = [row["t"] for row in facts.rows if "t" in row]
    assert times == sorted(times)
    assert facts.causes == (cause,)
    report = json.loads(sttdoctor.replay(bench.jsonl(facts.rows), select=["connection"]).to_json())
    assert report["subject"]["kind"] == "session"


def test_every_cause_of_the_specification_has_a_generator(bench):
    from sttdoctor.checks import all_checks

    known = {cause.id for check in all_checks() for cause in check.causes}
    assert known == set(bench.FAULTS)


def test_a_warning_on_a_healthy_session_is_a_false_alarm(bench):
    def verdict(status, *said):
        made = tuple((cause, status, 0.5, ()) for cause in said)
        return bench.Verdict("x", (), (), "", status, "", made, (), (), 0.0)

    assert not bench.is_accused(verdict("pass")) and not bench.is_accused(verdict("unknown"))
    for status in ("warn", "fail"):
        assert bench.is_accused(verdict(status, "signal.too-quiet")) and bench.is_wrong(verdict(status))


MASKED = [f"masked-{style}-in-{place}" for style in ("stars", "word", "hidden", "filtered", "crosses", "tail")
          for place in ("authorization", "x-api-key", "access-token")]  # fmt: skip


@pytest.mark.parametrize("kind", [*MASKED, "parameters-of-a-relay", "press-without-speech"])
def test_a_healthy_session_whose_secrets_are_masked_is_not_accused(bench, kind):
    facts = next(bench.healthy_cases(7, 1, None, only=kind))
    report = sttdoctor.replay(bench.jsonl(facts.rows), select=["connection", "server", "messages"])
    assert report.diagnoses == () and report.status == "pass"


def test_one_piece_of_noise_that_fills_the_pauses_is_no_row_of_clicks(bench):
    cases = (bench.healthy_cases(seed, 2, None, only="comfort-noise-of-one-frame") for seed in (20261201, 5150))
    for facts in itertools.chain(*cases):
        assert sttdoctor.replay(bench.jsonl(facts.rows), select=["signal"]).diagnoses == ()


def test_a_verdict_needs_the_right_cause_first(bench):
    facts = bench.Case("x", [], ("drain.no-close",), frozenset({"turns.left-open"}))

    def scored(*said):
        made = bench.Verdict(
            "x", facts.causes, (), "", "fail", "", tuple((s, "fail", 0.9, ()) for s in said), (), (), 0.0
        )
        verdict = bench._scored(facts, made)
        return verdict.strict, verdict.lenient, verdict.top3

    assert scored("drain.no-close", "pacing.burst") == (True, True, True)
    assert scored("pacing.burst", "drain.no-close") == (False, False, True)
    assert scored("turns.left-open") == (False, True, False)
    assert scored() == (False, False, False)
