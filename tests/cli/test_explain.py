import pytest
from common import one_sentence

from sttdoctor.checks import all_causes, all_checks
from sttdoctor.guides import load_guide
from sttdoctor.thresholds import THRESHOLDS, of_check


def test_the_list_names_every_check_and_cause(run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    done = run("explain")
    assert (done.code, done.err) == (0, "")
    listed = [line.split()[0] for line in done.out.splitlines() if not line.startswith("     ")]
    assert max(map(len, done.out.splitlines())) <= 80
    assert listed == [name for check in all_checks() for name in (check.id, *(cause.id for cause in check.causes))]


@pytest.mark.parametrize("check", all_checks(), ids=lambda check: check.id)
def test_a_check_is_explained_with_its_causes_and_thresholds(run, monkeypatch, check):
    monkeypatch.setenv("COLUMNS", "100")
    done = run("explain", check.id)
    plain = " ".join(done.out.split())
    assert done.code == 0
    for part in (check.question, check.why, check.how, check.needs, check.docs):
        assert " ".join(part.split()) in plain
    for cause in check.causes:
        assert f"{cause.id} ({cause.worst} at worst)" in plain
        assert cause.what in plain and f"Fix: {cause.fix}" in plain
    guide = load_guide(check.id)
    for example in (guide.bad, guide.good):
        assert f"  $ {example.command}\n" in done.out
        assert all(f"  {line}".rstrip() in done.out.splitlines() for line in example.report.splitlines())
    for code in guide.code.values():
        assert all(f"  {line}".rstrip() in done.out.splitlines() for line in code.splitlines())
    for name, meaning in guide.measurements.items():
        assert f"{name}: {meaning}" in plain
    for limit in of_check(check.id):
        assert f"{limit.name} = {limit.default:g} {limit.unit}" in plain and limit.reason in plain


@pytest.mark.parametrize("cause", all_causes())
def test_a_cause_is_explained(run, cause):
    done = run("explain", cause)
    plain = " ".join(done.out.split())
    assert done.code == 0
    assert plain.startswith(f"{cause} (") and all_causes()[cause].fix in plain and "vendor page: https://" in plain


def test_every_threshold_is_shown_by_a_check():
    shown = {limit.name for check in all_checks() for limit in of_check(check.id)}
    assert shown == {limit.name for limit in THRESHOLDS}


@pytest.mark.parametrize(
    ("topic", "says"),
    [
        ("pacing.too-fst", "did you mean pacing.too-fast?"),
        ("encodng", "did you mean encoding?"),
        ("zzzzz", "sttdoctor explain lists them"),
        ("\x1b[31m", r"'\x1b[31m'"),
    ],
)
def test_an_unknown_topic_is_refused_with_a_suggestion(run, topic, says):
    assert says in one_sentence(run("explain", topic))
