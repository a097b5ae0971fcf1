"""How well the sample rate is told, on speakers that the net had not heard.

    python benchmarks/accuracy/rate.py CORPUS [--nets build/rate]

The shipped net has heard all speakers of its corpus. Every speaker is judged here by a net that was trained as the
shipped one, but without the speakers of its fold; `train_rate.py` leaves these five nets in its work folder. What is no
speech is judged by the shipped net.

Real recordings only, clips joined by speaker, seven true rates equally likely, made by resampling (upwards where a
recording holds less: those rows are named). Every speaker counts the same. Cartoon voices that were played fast by
their makers are a row of their own.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import corpus
import numpy as np
import voices
from corpus import SPED_UP, Clip, Floats

from sttdoctor.analysis.rate.estimate import TOLERANCE, RateEstimate, estimate_with
from sttdoctor.analysis.rate.evidence import list_most_probable
from sttdoctor.analysis.rate.net import Model, load_model
from sttdoctor.encodings import STANDARD_RATES
from sttdoctor.thresholds import DEFAULTS

SEVEN = (8000, 16000, 22050, 24000, 32000, 44100, 48000)
FAIL, WARN = (DEFAULTS[name] / (2 - DEFAULTS[name]) for name in ("sample-rate.fail_below", "sample-rate.warn_below"))
"""Masses near the declared rate; the check gives that rate twice the prior weight, which is taken off here."""
WRONG_BY = 1.449
"""A declaration that is wrong by this factor or more must be seen; 24 against 16 kHz is 1.5."""


@dataclass(frozen=True, slots=True)
class Case:
    """One judged excerpt: whose it is, its true rate in Hz, and the estimate."""

    clip: Clip
    true: int
    estimate: RateEstimate

    def of_seven(self) -> dict[int, float]:
        """The probabilities when only the seven rates come into question."""
        chosen = {rate: self.estimate.probabilities[rate] for rate in SEVEN}
        return {rate: p / sum(chosen.values()) for rate, p in chosen.items()}


def judged(excerpts: Iterator[tuple[Clip, Floats]], fold_of: dict[str, int], nets: list[Model]) -> list[Case]:
    """Every excerpt at the seven rates, by the net that has not heard its speaker."""
    cases = []
    for clip, samples in excerpts:
        for rate in SEVEN:
            made = corpus.resampled(samples, clip.rate, rate).astype(np.float64)
            cases.append(Case(clip, rate, estimate_with(nets[fold_of[clip.group]], made, STANDARD_RATES)))
    return cases


def weights_of(cases: list[Case]) -> np.ndarray:
    """Every speaker counts the same."""
    speakers = [case.clip.speaker for case in cases]
    counts = {speaker: speakers.count(speaker) for speaker in set(speakers)}
    weights = np.array([1.0 / counts[speaker] for speaker in speakers])
    return weights / weights.sum()


def accuracy(cases: list[Case], seven: bool) -> dict[str, float]:
    """Exact, near, size and coverage of the 95 % set, calibration error and mean of the top answer."""
    weights = weights_of(cases)
    told = [case.of_seven() if seven else case.estimate.probabilities for case in cases]
    best = np.array([max(p, key=lambda rate: p[rate]) for p in told])
    true = np.array([case.true for case in cases])
    off = np.abs(np.log(best / true))
    sets = [list_most_probable(p) for p in told]
    inside = np.array([case.true in chosen for case, chosen in zip(cases, sets, strict=True)])
    return {
        "exact": float(weights @ (off == 0.0)),
        "within 10 %": float(weights @ (off < np.log(1.1))),
        "within 1.4": float(weights @ (off < np.log(1.4))),
        "true in set": float(weights @ inside),
        "set size": float(weights @ [len(chosen) for chosen in sets]),
        "ECE": calibration_error(np.array([max(p.values()) for p in told]), off == 0.0, weights),
    }


def calibration_error(confidence: np.ndarray, right: np.ndarray, weights: np.ndarray) -> float:
    """Expected calibration error of the top answer in ten bins."""
    bins = np.minimum((confidence * 10).astype(int), 9)
    return float(sum(abs(np.sum((weights * (confidence - right))[bins == k])) for k in range(10)))


def masses(cases: list[Case]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Probability within 10 % of the declared rate, for right and for clearly wrong declarations, each with weights."""
    right = np.array([case.estimate.sum_near(case.true) for case in cases])
    wrong, wrong_weights = [], []
    for case, weight in zip(cases, weights_of(cases), strict=True):
        for rate in SEVEN:
            if abs(np.log(rate / case.true)) >= np.log(WRONG_BY):
                wrong.append(case.estimate.sum_near(rate))
                wrong_weights.append(weight)
    return right, weights_of(cases), np.array(wrong), np.array(wrong_weights) / np.sum(wrong_weights)


def detection_table(cases: list[Case]) -> None:
    right, right_weights, wrong, wrong_weights = masses(cases)
    print(f"\nDeclared rate judged by the probability within {TOLERANCE:.0%} of it ({len(right)} right declarations)")
    print("| below | false alarms | wrong by 1.45 or more seen |\n|---|---|---|")
    for threshold in sorted({0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, FAIL, WARN}):
        name = {FAIL: " (fail)", WARN: " (warn)"}.get(threshold, "")
        alarms, seen = right_weights @ (right < threshold), wrong_weights @ (wrong < threshold)
        print(f"| {threshold:.3g}{name} | {alarms:.4f} | {seen:.3f} |")


def row(name: str, cases: list[Case], seven: bool) -> None:
    if cases:
        values = " | ".join(f"{value:.3f}" for value in accuracy(cases, seven).values())
        speakers = len({case.clip.speaker for case in cases})
        print(f"| {name} | {len(cases)} | {speakers} | {values} |", flush=True)


def header(title: str) -> None:
    print(f"\n{title}\n| | cases | speakers | exact | within 10 % | within 1.4 | true in set | set size | ECE |")
    print("|---|---|---|---|---|---|---|---|---|")


def breakdown(cases: list[Case]) -> None:
    header("At 6 s, of seven, by what is judged")
    for rate in SEVEN:
        row(f"true {rate}", [case for case in cases if case.true == rate], True)
    row("recorded at the true rate or above", [case for case in cases if case.clip.rate >= case.true], True)
    row("upsampled to the true rate", [case for case in cases if case.clip.rate < case.true], True)
    for gender in ("F", "M"):
        row(f"gender {gender}", [case for case in cases if case.clip.gender.startswith(gender)], True)
    row("child or high", [case for case in cases if "child" in case.clip.gender], True)
    row("English", [case for case in cases if case.clip.language.startswith("en")], True)
    row("other languages", [case for case in cases if not case.clip.language.startswith("en")], True)
    print("\nConfusion at 6 s (rows true, columns told, share of the row)\n| |", " | ".join(map(str, SEVEN)), "|")
    print("|---" * (len(SEVEN) + 1) + "|")
    for rate in SEVEN:
        mine = [case for case in cases if case.true == rate]
        told = [max(case.of_seven().items(), key=lambda pair: pair[1])[0] for case in mine]
        shares = [float(weights_of(mine) @ (np.array(told) == other)) for other in SEVEN]
        print(f"| {rate} |", " | ".join(f"{share:.2f}" for share in shares), "|")


def reliability(cases: list[Case]) -> None:
    confidence = np.array([max(case.estimate.probabilities.values()) for case in cases])
    right, weights = np.array([case.estimate.best == case.true for case in cases]), weights_of(cases)
    print("\nReliability at 6 s, nine candidates\n| told | share | right |\n|---|---|---|")
    for low in np.arange(0.0, 1.0, 0.1):
        inside = (confidence >= low) & (confidence < low + 0.1 + 1e-9)
        if inside.any():
            share = weights[inside].sum()
            print(f"| {confidence[inside].mean():.2f} | {share:.2f} | {weights[inside] @ right[inside] / share:.2f} |")


def null_table(clips: list[Clip]) -> None:
    """What is not speech, with the whole model: how often any rate would be excluded."""
    rng = np.random.default_rng(101)
    sounds = {
        "recorded noise, music, silence (in training)": [c.samples for c in clips if "speech" not in c.kind],
        "fresh tones, noises, beats": [voices.sound(rng, float(rng.choice(SEVEN)), 6.0) for _ in range(120)],
        "fresh rendered music": [corpus.resampled(c.samples[: 48000 * 8], 48000, 16000) for c in voices.music(14, 777)],
    }
    print(
        "\nNo speech\n| | sounds | speech_like above 0.5 | a rate below fail | below fail and speech_like above 0.5 |"
    )
    print("|---|---|---|---|---|")
    for name, group in sounds.items():
        found = [estimate_with(load_model(), samples.astype(np.float64)) for samples in group]
        like = np.array([estimate.speech_like > 0.5 for estimate in found])
        low = np.array([min(map(estimate.sum_near, STANDARD_RATES)) < FAIL for estimate in found])
        if len(found):
            print(f"| {name} | {len(found)} | {like.mean():.3f} | {low.mean():.3f} | {(like & low).mean():.3f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--nets", type=Path, default=Path("build/rate"), help="where training left its nets")
    options = parser.parse_args()
    nets = corpus.held_out_nets(options.nets)
    clips = corpus.load(options.corpus)
    fold_of = corpus.folds([clip for clip in clips if "speech" in clip.kind])
    natural = [clip for clip in clips if clip.group != SPED_UP]
    at_six = judged(corpus.excerpts(natural, 6.0, 3, seed=5), fold_of, nets)
    header("At 6 s")
    row("seven candidates", at_six, True)
    row("nine candidates", at_six, False)
    sped_up = [clip for clip in clips if clip.group == SPED_UP]
    fast = judged(corpus.excerpts(sped_up, 6.0, 1, seed=5), fold_of, nets)
    row("sped-up cartoon voices, seven candidates", fast, True)
    detection_table(at_six)
    breakdown(at_six)
    reliability(at_six)
    null_table(clips)
    header("By length, of seven (joined by speaker)")
    for seconds in (0.5, 1.0, 2.0, 5.0, 10.0, 30.0):
        row(f"{seconds:g} s", judged(corpus.excerpts(natural, seconds, 1, seed=9), fold_of, nets), True)
    single = [clip for clip in natural if clip.kind == "speech" and len(clip.samples) >= 0.5 * clip.rate][::6]
    row("single clips, 0.5 to 10 s", judged(((clip, clip.samples) for clip in single), fold_of, nets), True)


if __name__ == "__main__":
    main()
