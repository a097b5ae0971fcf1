"""Trains the sample rate model: ``python benchmarks/training/train_rate.py CORPUS [--more CORPUS] [--work FOLDER]``.

Needs PyTorch, pyworld and soundfile; festival, flite, espeak-ng and fluidsynth add voices and music where installed.
The speech is split into five folds by speaker. Five teachers learn from four folds each, and answer for the speakers
of the fifth, which they have not heard. The shipped net goes on from a teacher and learns, from all speakers, the true
rate and these answers: how sure one can be of a new voice. Five more nets are made in the same way without the speakers
of a fold; they serve to calibrate and to measure (`benchmarks/accuracy/rate.py`). With one core it takes an hour and a
half. FOLDER keeps examples and nets.

One example is an excerpt of one voice at some true rate, heard at eight rates: the true one, one 6 to 13 % off, one
further off, and five others. The net scores each; the loss is the cross-entropy of picking the true one. What is not
speech must give equal scores. The true rate is blurred by 3.5 %, so that no net learns its training speakers by heart.

One file, though long: the steps of one training, read from top to bottom.
"""

import argparse
import copy
import sys
from collections import defaultdict
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "accuracy"))

import corpus
import numpy as np
import torch
import voices
from corpus import FOLDS, SPED_UP, Clip
from torch import Tensor, nn

from sttdoctor.analysis.rate.estimate import JUDGED_S, finite_mono, judge
from sttdoctor.analysis.rate.net import (
    BANDS,
    FEATURES,
    HOP_S,
    SHARED_BANDS,
    Model,
    extract_features,
    read_model,
    score_rates,
)
from sttdoctor.encodings import STANDARD_RATES

HEARD_AT, MAX_FRAMES = 8, 250
NULL = "null"
TAUGHT, SURER = 0.6, 1.35
"""How much the teachers' answers count, and a factor on their scores: they are too cautious."""
NOBODY = -2
"""Number of no fold."""
SPEECH_SCALE = (1.6, -6.0)
"""Gain and offset of the second score, of several tried by hand: with it no noise or music excludes a rate at 0.01."""

Pool = list[Clip]


def voice_pools(clips: list[Clip], seed: int) -> list[tuple[float, list[Pool]]]:
    """For each speaker and rate: how often to draw it, and its real voice beside the voices made from it."""
    recorded: dict[tuple[str, int], Pool] = defaultdict(list)
    for clip in clips:
        if "speech" in clip.kind and clip.group != SPED_UP and len(clip.samples) > 0.15 * clip.rate:
            recorded[clip.speaker, clip.rate].append(clip)
    pools = []
    for number, pool in enumerate(recorded.values()):
        seconds = sum(len(clip.samples) / clip.rate for clip in pool)
        weight = min(seconds, 20.0) ** 0.5 * (0.3 if "drascula" in pool[0].group else 1.0)
        pools.append((weight, [pool, *voices.made_voices(pool, seed + number)]))
        if number % 20 == 0:
            print("voices", number, "of", len(recorded), flush=True)
    return pools + [(1.2, [pool]) for pool in voices.synthesised()]


def other_rates(rate: float, rng: np.random.Generator) -> list[float]:
    """Rates to hear an example at: a near miss, a middling one, and the standard ones or random ones."""
    wrong = [rate * np.exp(rng.choice([-1, 1]) * rng.uniform(low, high)) for low, high in ((0.06, 0.13), (0.13, 0.6))]
    standard = rng.random() < 0.5
    pool = rng.permutation(STANDARD_RATES) if standard else np.exp(rng.uniform(np.log(6500), np.log(62000), 64))
    wrong += [float(other) for other in pool if abs(np.log(other / rate)) > 0.06]
    return wrong[: HEARD_AT - 1]


def speech_example(
    pools: list[Pool], recorded: Pool, pieces: Pool, rng: np.random.Generator
) -> tuple[corpus.Floats, float]:
    """An excerpt at a random true rate through a random recording chain, and the (blurred) rate in Hz.

    Now and then it is whispered, or stands before music, beats or noise.
    """
    pool = pools[0] if len(pools) == 1 or rng.random() < 0.5 else pools[int(rng.integers(1, len(pools)))]
    samples = corpus.joined(pool, float(np.exp(rng.uniform(np.log(0.8), np.log(8.0)))), rng)
    own = pool[0].rate
    rate = float(rng.choice(STANDARD_RATES) if rng.random() < 0.6 else np.exp(rng.uniform(np.log(8000), np.log(48000))))
    if own > rate or rng.random() < 0.9:
        samples = corpus.resampled(samples, own, rate, rng.uniform(0.005, 0.25))
    else:  # the cheap way, with mirror images of the spectrum
        grid = np.arange(int(len(samples) * rate / own)) * own / rate
        samples = np.interp(grid, np.arange(len(samples)), samples).astype(np.float32)
    if rng.random() < 0.04:
        samples = corpus.whispered(samples, rate, rng)
    if rng.random() < 0.75:
        samples = corpus.worsened(samples, rate, rng)
    if rng.random() < 0.12:
        behind = np.resize(no_speech(recorded, pieces, rate, len(samples) / rate, rng), len(samples))
        samples = samples / (10 * samples.std() + 1e-9) + behind * 10 ** (-rng.uniform(0, 20) / 20)
        samples = samples.astype(np.float32)
    return samples, rate * float(np.exp(-np.clip(rng.normal(0, 0.035), -0.09, 0.09)))


def no_speech(recorded: Pool, pieces: Pool, rate: float, seconds: float, rng: np.random.Generator) -> corpus.Floats:
    """Music or noise at a rate, about so long, at an RMS of 0.1."""
    kind = rng.random()
    if kind < 0.25 or (kind < 0.65 and not pieces):
        clip = recorded[int(rng.integers(len(recorded)))]
    else:
        clip = pieces[int(rng.integers(len(pieces)))] if pieces else recorded[0]
    if kind < 0.65:
        start = int(rng.integers(0, max(1, len(clip.samples) - int(1.5 * seconds * clip.rate))))
        part = clip.samples[start : start + int(1.5 * seconds * clip.rate)]
        samples = corpus.resampled(part, clip.rate * float(np.exp(rng.uniform(-0.4, 0.4))), rate)
    else:
        samples = voices.sound(rng, rate, seconds)
    return samples / (np.float32(10.0) * np.sqrt((samples**2).mean()) + np.float32(1e-9))


def null_example(recorded: Pool, pieces: Pool, rng: np.random.Generator) -> tuple[corpus.Floats, float]:
    """Music or noise at a random rate."""
    rate = float(rng.choice(STANDARD_RATES))
    samples = no_speech(recorded, pieces, rate, rng.uniform(1.0, 6.0), rng)
    return (corpus.worsened(samples, rate, rng) if rng.random() < 0.7 else samples), rate


def make_examples(clips: list[Clip], count: int, seed: int) -> dict[str, np.ndarray]:
    """Features of all frames of all examples (`frames`), first and last frame of each hearing (`bounds`), `groups`."""
    rng = np.random.default_rng(seed)
    pools = voice_pools(clips, seed)
    weights = np.array([weight for weight, _ in pools])
    nulls = [clip for clip in clips if clip.kind in ("music", "noise") and len(clip.samples) > 0.4 * clip.rate]
    pieces = voices.music(60, seed)
    frames, lengths, groups = [], [], []
    for number in range(count):
        if rng.random() < 0.12:
            group, (samples, rate) = NULL, null_example(nulls, pieces, rng)
        else:
            voice = pools[int(rng.choice(len(pools), p=weights / weights.sum()))][1]
            group, (samples, rate) = voice[0][0].group, speech_example(voice, nulls, pieces, rng)
        for heard in [rate, *other_rates(rate, rng)]:
            need = int(heard * (MAX_FRAMES + 1) * HOP_S) + 1
            start = int(rng.integers(0, max(1, len(samples) - need)))
            features = extract_features(samples[start : start + need], heard)[:MAX_FRAMES]
            frames.append(features.astype(np.float16))
            lengths.append(len(features))
        groups.append(group)
        if number % 1000 == 0:
            print("examples", number, flush=True)
    ends = np.cumsum(lengths).reshape(count, HEARD_AT)
    bounds = np.stack([ends - np.reshape(lengths, ends.shape), ends], axis=-1)
    return {"frames": np.concatenate(frames), "bounds": bounds, "groups": np.array(groups)}


class Net(nn.Module):
    """Three convolutions over time, pooled, beside overall mean and spread; run by `sttdoctor.analysis.rate.net`."""

    def __init__(self, mean: Tensor, scale: Tensor, width: int = 64) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("scale", scale)
        self.frame1 = nn.Conv1d(FEATURES, width, 5)
        self.frame2 = nn.Conv1d(width, width, 5, stride=2)
        self.frame3 = nn.Conv1d(width, width, 3)
        self.attention = nn.Conv1d(width, 1, 1)
        self.overall = nn.Linear(2 * FEATURES, 32)
        self.dense1 = nn.Linear(2 * width + 32, width)
        self.dense2 = nn.Linear(width, width)
        self.output = nn.Linear(width, 2)
        self.drop = nn.Dropout(0.2)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Scores (hearings, 2) of features (hearings, FEATURES, frames), of which `mask` (hearings, frames) counts."""
        x = (x - self.mean[:, None]) * self.scale[:, None] * mask[:, None]
        overall = _spread(x, (mask / mask.sum(1, keepdim=True))[:, None])
        hidden = torch.relu(self.frame1(x))
        hidden = torch.relu(self.frame2(self.drop(hidden)))
        hidden = torch.relu(self.frame3(self.drop(hidden)))
        whole = mask[:, 12::2][:, : hidden.shape[2]].clone()
        whole[:, 0] = 1.0
        attention = self.attention(hidden)[:, 0].float().masked_fill(whole < 0.5, -1e4).softmax(1)
        overall = torch.relu(self.overall(self.drop(overall)))
        vector = torch.cat([_spread(hidden, attention[:, None]), overall], 1)
        vector = torch.relu(self.dense1(self.drop(vector)))
        return self.output(self.drop(torch.relu(self.dense2(self.drop(vector))))).float()


def _spread(x: Tensor, weight: Tensor) -> Tensor:
    mean = (x * weight).sum(2)
    return torch.cat([mean, ((x * x * weight).sum(2) - mean**2).clamp(min=1e-4).sqrt()], 1)


def batch(frames: Tensor, bounds: np.ndarray, usual: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Padded features (hearings, FEATURES, frames) and mask of random parts of the hearings.

    By chance some features are the same for all hearings of an example: their usual values.
    """
    longest = 170
    cut = np.where(rng.random((len(bounds), 1)) < 0.5, rng.uniform(0.3, 1.0, (len(bounds), 1)), 1.0)
    whole = bounds[..., 1] - bounds[..., 0]
    length = np.clip((whole * cut).astype(int), np.minimum(whole, 3), longest).ravel()
    start = bounds[..., 0].ravel() + ((whole.ravel() - length) * rng.random(length.size)).astype(int)
    times = np.arange(max(17, length.max()))
    mask = times < length[:, None]
    x = frames[torch.from_numpy(np.where(mask, start[:, None] + times, len(frames) - 1))]
    for example in x.view(*bounds.shape[:2], len(times), FEATURES):
        chance, band = rng.random(), int(rng.integers(0, BANDS - 5))
        bands = slice(band, band + int(rng.integers(1, 6)))
        bands = slice(SHARED_BANDS, BANDS) if 0.25 < chance < 0.4 else slice(BANDS, None) if chance >= 0.4 else bands
        if chance < 0.5:
            example[..., bands] = usual[bands].to(x.dtype)
    return x.transpose(1, 2), torch.from_numpy(mask.astype(np.float32))


def loss_of(scores: Tensor, null: Tensor, answers: Tensor) -> Tensor:
    """Cross-entropy of the rate (first column, true rate first) plus that of "is speech" (second column).

    `TAUGHT` of what is wanted of the rate is what a teacher answered, where there is one (not NaN).
    """
    rate = scores[..., 0].log_softmax(1)
    wrong = nn.functional.softplus(scores[..., 1]).mean(1)
    missed = nn.functional.softplus(-scores[:, 0, 1])
    taught = -((SURER * answers.nan_to_num()).softmax(1) * rate).sum(1)
    true = torch.where(answers.isfinite().all(1), TAUGHT * taught - (1 - TAUGHT) * rate[:, 0], -rate[:, 0])
    return torch.where(null, -0.5 * rate.mean(1) + 0.3 * wrong, true + 0.3 * missed).mean()


def train(
    examples: dict[str, np.ndarray],
    chosen: np.ndarray,
    epochs: float,
    seed: int,
    start: dict[str, np.ndarray] | None = None,
    size: int = 48,
) -> Net:
    """A net trained on the chosen examples; the running average of its weights is returned.

    Args:
        examples: From `make_examples`, with `answers` of shape (examples, HEARD_AT), NaN where there is none.
        chosen: Numbers of the examples.
        epochs: How often each of them is seen.
        seed: Of what is left to chance.
        start: Weights to go on from, more slowly.
        size: Examples in a batch.
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    bounds, null = examples["bounds"], torch.from_numpy(examples["groups"] == NULL)
    frames = torch.from_numpy(examples["frames"]).to(torch.bfloat16)
    some = torch.cat([frames[first:last] for first, last in bounds[rng.permutation(chosen)[:800], 0]]).float()
    frames = torch.cat([frames, torch.zeros(1, FEATURES, dtype=torch.bfloat16)])
    usual = some.mean(0)
    net = Net(usual, 1.0 / (some.std(0) + 1e-3))
    if start is not None:
        net.load_state_dict(imported(net, start))
    peak = 2e-3 if start is None else 4e-4
    average, steps = copy.deepcopy(net), int(epochs * (len(chosen) // size))
    answers = torch.from_numpy(examples["answers"])
    optimiser = torch.optim.AdamW(net.parameters(), lr=peak, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, peak, total_steps=steps + 1, pct_start=0.1)
    order = np.concatenate([rng.permutation(chosen)[: len(chosen) // size * size] for _ in range(int(epochs) + 1)])
    for step in range(steps):
        rows = order[step * size : (step + 1) * size]
        kept = np.stack([np.r_[0, 1 + rng.permutation(HEARD_AT - 1)[:5]] for _ in rows])
        x, mask = batch(frames, np.take_along_axis(bounds[rows], kept[..., None], axis=1), usual, rng)
        scores = net(x, mask)  # in single precision: bfloat16 takes ten times as long where a processor lacks it
        told = torch.gather(answers[rows], 1, torch.from_numpy(kept))
        loss = loss_of(scores.view(size, -1, 2), null[rows], told)
        optimiser.zero_grad()
        loss.backward()
        if torch.isfinite(nn.utils.clip_grad_norm_(net.parameters(), 1.0)):
            optimiser.step()
        schedule.step()
        with torch.no_grad():
            for kept_weight, weight in zip(average.parameters(), net.parameters(), strict=True):
                kept_weight.lerp_(weight, 1.0 - min(0.997, 1.0 - 1.0 / (0.1 * step + 1.1)))
        if step % 100 == 0:
            print("step", step, "of", steps, "loss", round(loss.item(), 3), flush=True)
    return average


def exported(net: Net) -> dict[str, np.ndarray]:
    """Weights by the names and layouts that `sttdoctor.analysis.rate.estimate` reads: (inputs, outputs)."""
    arrays = {"feature_mean": net.mean.numpy(), "feature_scale": net.scale.numpy()}
    for name, module in net.named_children():
        if name != "drop":
            weight = module.weight.detach().numpy()
            arrays[f"{name}_weight"] = weight.reshape(len(weight), -1).T.astype(np.float16)
            arrays[f"{name}_bias"] = module.bias.detach().numpy()
    return arrays


def imported(net: Net, arrays: dict[str, np.ndarray]) -> dict[str, Tensor]:
    """What `exported` wrote, as the state of a net."""
    state = {"mean": torch.from_numpy(arrays["feature_mean"]), "scale": torch.from_numpy(arrays["feature_scale"])}
    for name, module in net.named_children():
        if name != "drop":
            weight = torch.from_numpy(arrays[f"{name}_weight"].T.astype(np.float32).copy())
            state[f"{name}.weight"] = weight.reshape(module.weight.shape)
            state[f"{name}.bias"] = torch.from_numpy(arrays[f"{name}_bias"].astype(np.float32))
    return state


def teachers_answers(examples: dict[str, np.ndarray], folds: np.ndarray, teachers: list[Model]) -> np.ndarray:
    """Scores of the hearings, shape (examples, HEARD_AT), by the teacher that has not heard the speaker, or NaN."""
    answers = np.full(examples["bounds"].shape[:2], np.nan, np.float32)
    for number in np.flatnonzero(folds >= 0):
        hearings = [examples["frames"][first:last].astype(np.float32) for first, last in examples["bounds"][number]]
        if all(map(len, hearings)):
            answers[number] = score_rates(hearings, teachers[folds[number]])[:, 0]
    return answers


def held_out_scores(nets: list[Model], clips: list[Clip], fold_of: dict[str, int]) -> tuple[np.ndarray, ...]:
    """Raw scores of unseen speakers at the standard rates, by the net that has not heard them.

    Returns:
        Rate scores (cases, rates), true rate as index, seconds of speech.
    """
    rates, rows = list(STANDARD_RATES), []
    for seconds in (0.7, 1.5, 3.0, 6.0, 10.0):
        for clip, samples in corpus.excerpts(clips, seconds, 1, seed=7):
            if clip.group == SPED_UP:
                continue
            for rate in (8000, 16000, 22050, 24000, 32000, 44100, 48000):
                clean = finite_mono(corpus.resampled(samples, clip.rate, rate))
                judged = judge(nets[fold_of[clip.group]], clean, rates)
                if judged is not None:
                    rows.append((judged[0], rates.index(rate), min(judged[2] / rate, JUDGED_S)))
    return tuple(np.array(column) for column in zip(*rows, strict=True))


def calibration(nets: list[Model], clips: list[Clip], fold_of: dict[str, int]) -> dict[str, np.ndarray]:
    """The sharpness (slope and offset over log seconds) of least held-out loss, and the scale of the second score."""
    found, true, seconds = held_out_scores(nets, clips, fold_of)
    cases = np.arange(len(true))

    def loss(slope: float, offset: float) -> float:
        logits = found * np.exp(offset + slope * np.log(np.clip(seconds, 0.3, JUDGED_S)))[:, None]
        return float(np.mean(np.logaddexp.reduce(logits, axis=1) - logits[cases, true]))

    grid = [(slope, offset) for slope in np.arange(0.0, 0.81, 0.05) for offset in np.arange(-0.6, 1.21, 0.05)]
    sharpness = min(grid, key=lambda pair: loss(*pair))
    print("held-out loss", round(loss(*sharpness), 3), "sharpness", sharpness, flush=True)
    return {"sharpness": np.array(sharpness, np.float32), "speech": np.array(SPEECH_SCALE, np.float32)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--output", type=Path, default=Path("sttdoctor/analysis/rate/rate_model.npz"))
    parser.add_argument("--work", type=Path, default=Path("build/rate"))
    parser.add_argument("--examples", type=int, default=16000)
    parser.add_argument("--epochs", type=int, default=5, help="of the teachers")
    parser.add_argument("--further", type=float, default=2.5, help="epochs of the nets that go on from them")
    parser.add_argument("--more", type=Path, nargs="*", default=[], help="further corpora, with folds of their own")
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.work.mkdir(parents=True, exist_ok=True)
    clips = measured = corpus.load(options.corpus)
    fold_of = corpus.folds([clip for clip in clips if "speech" in clip.kind])
    for folder in options.more:
        more = corpus.load(folder)
        fold_of = corpus.folds([clip for clip in more if "speech" in clip.kind]) | fold_of
        clips = clips + more
    stored = options.work / "examples.npz"
    if not stored.exists():
        np.savez(stored, **make_examples(clips, options.examples, seed=1))
    with np.load(stored) as file:
        examples = {name: file[name] for name in file.files}
    folds = np.array([fold_of.get(group, -1) for group in examples["groups"]])
    examples["answers"] = np.full(examples["bounds"].shape[:2], np.nan, np.float32)

    def trained(name: str, without: int, epochs: float, start: str | None = None) -> None:
        if not (options.work / name).exists():
            weights = None if start is None else dict(np.load(options.work / start))
            net = train(examples, np.flatnonzero(folds != without), epochs, without % FOLDS, weights)
            np.savez(options.work / name, **exported(net))

    for fold in range(FOLDS):
        trained(f"teacher{fold}.npz", fold, options.epochs)
    teachers = [read_model(options.work / f"teacher{fold}.npz") for fold in range(FOLDS)]
    examples["answers"] = teachers_answers(examples, folds, teachers)
    for fold in range(FOLDS):
        trained(f"held{fold}.npz", fold, options.further, f"teacher{fold}.npz")
    trained("all.npz", NOBODY, options.further, "teacher0.npz")
    constants = calibration(corpus.held_out_nets(options.work), measured, fold_of)
    for fold in range(FOLDS):
        np.savez(options.work / f"held{fold}.npz", **{**np.load(options.work / f"held{fold}.npz"), **constants})
    np.savez_compressed(options.output, **{**np.load(options.work / "all.npz"), **constants})


if __name__ == "__main__":
    main()
