"""Where a signal is active, decided without knowing its sample rate: in blocks of samples, not of seconds."""

import numpy as np
from numpy.typing import NDArray

STEP = 256
"""Samples of one level measurement: 5 ms at 48 kHz, 32 ms at 8 kHz."""
BLOCK = 32
"""Steps of one block (8192 samples): long pauses are left out block by block."""
ACTIVE_DB = 30.0
"""A step is active within this distance of the loud steps (their 95th percentile)."""


def finite_mono(samples: NDArray[np.floating]) -> NDArray[np.float32]:
    """The samples, shape (n,), without offset, NaN and infinity (they become 0), at an RMS of 1; all zero stays so."""
    clean = np.asarray(samples, dtype=np.float64).ravel()
    good = np.isfinite(clean)
    if not good.all():
        clean = np.where(good, clean, 0.0)
    if not clean.size:
        return np.zeros(0, np.float32)
    peak = float(np.abs(clean).max())
    if peak == 0.0:
        return np.zeros(clean.size, np.float32)
    clean = clean / peak
    clean -= clean.mean()
    rms = float(np.sqrt(np.mean(clean * clean)))
    return (clean / rms).astype(np.float32) if rms > 1e-9 else np.zeros(clean.size, np.float32)


def active_steps(samples: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which whole steps of `STEP` samples are active; shape (n // STEP,)."""
    count = len(samples) // STEP
    steps = samples[: count * STEP].reshape(count, STEP)
    power = np.einsum("ij,ij->i", steps, steps) / STEP
    if not count or power.max() <= 0.0:
        return np.zeros(count, bool)
    loud = np.percentile(power[power > 0.0], 95)
    return np.asarray(power > loud * 10.0 ** (-ACTIVE_DB / 10.0))


def active_excerpt(samples: NDArray[np.float32], active: NDArray[np.bool_], limit: int) -> NDArray[np.float32]:
    """The most active blocks in their order, at most about `limit` samples; blocks deep inside a pause are left out.

    Args:
        samples: Shape (n,).
        active: From `active_steps`.
        limit: Samples wanted; at least one block is returned.
    """
    size = STEP * BLOCK
    blocks = len(active) // BLOCK
    if blocks < 2:
        return samples[: max(limit, size)]
    share = active[: blocks * BLOCK].reshape(blocks, BLOCK).mean(axis=1)
    padded = np.pad(share, 1)
    near = np.maximum(np.maximum(padded[:-2], padded[2:]), share)
    wanted = np.flatnonzero(near > 0.0)
    keep = max(1, -(-limit // size))
    if len(wanted) > keep:
        best = np.argsort(-share[wanted], kind="stable")[:keep]
        wanted = np.sort(wanted[best])
    if len(wanted) == blocks:
        return samples[:limit]
    return samples[: blocks * size].reshape(blocks, size)[wanted].ravel()[: max(limit, size)]
