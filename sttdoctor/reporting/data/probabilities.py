"""The probability of each format that comes into question."""

from sttdoctor.analysis.facts import Facts
from sttdoctor.analysis.rate.estimate import TOLERANCE
from sttdoctor.encodings import ENCODINGS
from sttdoctor.reporting.data.values import Candidate, Odds

_MOST = 6
_LEAST = 0.005
_WORDS = {"not-pcm": "no plain samples", "text": "text"}


def odds(facts: Facts) -> Odds | None:
    """Collect the candidates; None where neither encoding nor rate can be told."""
    estimate = facts.sound.encoding
    encodings: tuple[Candidate, ...] = ()
    if estimate is not None and estimate.decidable:
        encodings = _likeliest(estimate.probabilities, facts.declared.meant)
    heard = facts.audio is not None and facts.sound.layout is not None
    told = facts.rate_probabilities if heard and facts.rate_is_told else None
    rates = tuple(
        Candidate(f"{rate} Hz", probability, rate == facts.declared.sample_rate)
        for rate, probability in sorted((told or {}).items())
    )
    return Odds(encodings, rates, _are_alike(facts)) if encodings or rates else None


def _are_alike(facts: Facts) -> bool:
    if not facts.declared.sample_rate or not facts.likely_rates:
        return False
    return 0 < abs(facts.likely_rates[0] / facts.declared.sample_rate - 1) <= TOLERANCE


def _likeliest(probabilities: dict[str, float], declared: str | None) -> tuple[Candidate, ...]:
    ordered = sorted(probabilities, key=lambda key: -probabilities[key])
    shown = [key for i, key in enumerate(ordered) if i < _MOST and (probabilities[key] >= _LEAST or i < 3)]
    if declared is not None and declared not in shown:
        shown.append(declared)
    return tuple(Candidate(_name(key), probabilities[key], key == declared) for key in shown)


def _name(key: str) -> str:
    name, plus, shift = key.partition("+")
    if not plus:
        return _WORDS.get(key, key) if key not in ENCODINGS else key
    return f"{name}, {shift} byte{'s' if shift != '1' else ''} off"
