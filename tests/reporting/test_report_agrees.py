"""A report agrees with itself: the line on top, the verdict, the answer and the fix are made from one judgement."""

import re

import numpy as np
import pytest
from heard import told
from hypothesis import given
from hypothesis import strategies as st

from sttdoctor.analysis.container.contents import Contents
from sttdoctor.analysis.encoding.estimate import LAYOUTS, EncodingEstimate
from sttdoctor.analysis.facts import Facts
from sttdoctor.analysis.rate.estimate import RateEstimate
from sttdoctor.api import examine
from sttdoctor.encodings import STANDARD_RATES, SUPPORTED
from sttdoctor.evidence import Audio, Declared
from sttdoctor.listen import pick_format
from sttdoctor.reporting import phrases
from sttdoctor.thresholds import DEFAULTS

KEYS = [*LAYOUTS, "not-pcm", "text"]
SHARES = st.floats(0, 1) | st.sampled_from([0.0, 1e-6, 0.02, 0.05, 1.0])


@st.composite
def heard(draw):
    """(what the sound says about each candidate, the declared rate, the pace of the wire as declared or None)."""
    declared = draw(st.sampled_from([*STANDARD_RATES, 8192, 15999, 23000, 96000]))
    candidates = sorted({*STANDARD_RATES, declared})
    shares = [share**4 for share in draw(st.lists(SHARES, min_size=len(candidates), max_size=len(candidates)))]
    total = sum(shares) or 1.0
    shares = [share / total for share in shares] if sum(shares) else [1 / len(shares)] * len(shares)
    sound = RateEstimate(dict(zip(candidates, shares, strict=True)), draw(st.sampled_from([0.5, 6.0])), 1.0)
    return sound, declared, draw(st.none() | st.sampled_from([0.5, 0.92, 1.0, 1.09, 1.5, 2.0, 2.7]))


def rates_in(text):
    """The rates that a text names, whatever it says about them."""
    return {int(rate) for rate in re.findall(r"\d{4,6}(?= Hz| or \d|, \d{4})", text)}


@given(heard())
def test_line_verdict_answer_and_fix_name_the_same_rates(given_):
    sound, declared, pace = given_
    facts = told(sound, declared, pace)
    report = examine(facts, ["sample-rate"])
    (check,) = report.checks
    line, likely = phrases.describe_formats(report), facts.likely_rates
    near = {rate for rate in likely if abs(rate / declared - 1) <= (0.02 if facts.wire_rate else 0.1)}
    mismatch = [finding for finding in check.findings if finding.cause == "sample-rate.mismatch"]
    assert "not at" not in line and "excluded" not in line
    if check.status == "unknown":
        assert check.reading == "" and rates_in(line) == {declared} and "not confirmed" in line
        return
    played = pick_format(facts, report.checks)[1]
    if not mismatch:
        assert (check.status, check.reading, played) == ("pass", f"{declared} Hz", declared)
        assert "as declared" in check.answer and "not at" not in check.answer and "excluded" not in check.answer
        assert rates_in(line) == {declared} and "sounds" not in line
        return
    (finding,) = mismatch
    better = rates_in(check.reading)
    assert declared not in better and not better & near and better <= set(likely)
    assert rates_in(line) == {declared, *better} and played in better
    assert ("sounds like" in line) == (check.status == "fail")
    assert ("cannot be excluded" in finding.summary) == bool(near)
    assert (f"not at {declared} Hz" in finding.summary) == (not near)
    assert f"{check.reading}" in finding.summary and f"sample_rate={played}" in finding.fix
    assert finding.status == "warn" or not near


@pytest.mark.parametrize(
    ("shares", "declared", "says"),
    [
        ({24000: 0.96, 22050: 0.04}, 22050, "plausible for 22050 Hz, as declared; 24000 Hz sounds alike."),
        ({24000: 0.85, 16000: 0.15}, 16000, "plausible for 16000 Hz, as declared, though 24000 Hz would fit better."),
        ({8000: 0.94, 16000: 0.05}, 16000, "fits 8000 Hz better than 16000 Hz as declared, which cannot be excluded."),
        (
            {
                24000: 0.55,
                22050: 0.37,
                16000: 0.015,
                **dict.fromkeys((8000, 11025, 12000, 32000, 44100, 48000), 0.0108),
            },
            16000,
            "fits 24000 or 22050 Hz better than 16000 Hz as declared, which cannot be excluded.",
        ),
        ({8000: 0.96, 16000: 0.04}, 16000, "was probably recorded at 8000 Hz, not at 16000 Hz as declared."),
        ({8000: 0.99, 16000: 0.01}, 16000, "was recorded at 8000 Hz, not at 16000 Hz as declared."),
    ],
)
def test_what_is_said_of_a_declared_rate(shares, declared, says):
    sound = RateEstimate({rate: shares.get(rate, 0.0) for rate in STANDARD_RATES}, 6.0, 1.0)
    (check,) = examine(told(sound, declared), ["sample-rate"]).checks
    assert check.answer.endswith(says)
    assert (check.status == "fail") == says.startswith("was recorded")


@st.composite
def read(draw):
    """(what the bytes say about each reading, the declared encoding or None)."""
    likely = draw(st.lists(st.sampled_from(KEYS), min_size=1, max_size=4, unique=True))
    shares = np.array([draw(SHARES) + 1e-9 for _ in likely])
    known = dict(zip(likely, (shares / shares.sum()).tolist(), strict=True))
    probabilities = dict.fromkeys(KEYS, 0.0) | known
    samples = [key for key in KEYS if key in LAYOUTS]
    layout = LAYOUTS[max(samples, key=probabilities.__getitem__)]
    estimate = EncodingEstimate(probabilities, layout, 0.0, True, "", {}, 9000)
    return estimate, draw(st.sampled_from([None, *SUPPORTED]))


@given(read())
def test_line_verdict_and_reading_name_the_same_encoding(given_):
    estimate, declared = given_
    facts = Facts(DEFAULTS, audio=Audio(np.zeros(9000, np.uint8)), declared=Declared(declared, 16000))
    facts.sound.encoding, facts.sound.encoding_changes, facts.sound.contents = estimate, [], Contents()
    facts.sound.rate, facts.rate_change = RateEstimate(dict.fromkeys(STANDARD_RATES, 1 / 9), 0.0, 0.0), None
    report = examine(facts, ["encoding"])
    (check,) = report.checks
    line, layout = phrases.describe_formats(report), facts.sound.layout
    if check.status == "pass":
        assert layout is not None and check.reading == layout.encoding and layout.offset == 0
        assert declared in (None, check.reading) and (", as declared" in check.answer) == (declared is not None)
        assert ("sounds" in line) == (declared is None)
        return
    assert check.reading != declared and check.reading in line
    assert ("sounds" in line) == (check.reading.split(",")[0] in LAYOUTS)
    if layout is None:
        assert check.reading in ("not plain samples", "text", "24-bit samples in 32 bits")
    elif check.reading.split(",")[0] != layout.encoding:
        assert max(estimate.probabilities.get("not-pcm", 0), estimate.probabilities.get("text", 0)) < 0.5


def test_a_rate_that_fits_best_is_never_a_mismatch_whatever_the_limits():
    facts = told(RateEstimate(dict.fromkeys(STANDARD_RATES, 1 / len(STANDARD_RATES)), 6.0, 1.0), 16000)
    facts.limits = {**facts.limits, "sample-rate.warn_below": 1.0}
    assert examine(facts, ["sample-rate"]).status == "pass"
