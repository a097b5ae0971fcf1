from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.fft import next_fast_len

from sttdoctor.analysis.arrays import (
    autocorrelate,
    fast_length,
    find_long_stretches,
    find_stretches,
    measure_quantile,
    subtract_prediction,
)


def test_it_is_the_next_product_of_two_three_and_five():
    assert [fast_length(n) for n in range(1, 3000)] == [next_fast_len(n, real=True) for n in range(1, 3000)]


@given(st.lists(st.booleans(), max_size=40))
def test_stretches_hold_the_flags_that_are_set_and_no_other(flags):
    found = find_stretches(np.array(flags, dtype=bool)).tolist()
    assert [i for first, stop in found for i in range(first, stop)] == [i for i, flag in enumerate(flags) if flag]
    assert all(one[1] < other[0] for one, other in pairwise(found))


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 60)), max_size=60), st.integers(1, 45))
def test_long_stretches_are_those_of_all_that_are_long_enough(runs, least):
    values = [ord("a") if is_set else ord("-") for is_set, length in runs for _ in range(length)]
    data, table = np.array(values, dtype=np.uint8), np.arange(256) == ord("a")
    wanted = [[first, stop] for first, stop in find_stretches(table[data]).tolist() if stop - first >= least]
    assert find_long_stretches(data, table, least).tolist() == wanted


@pytest.mark.parametrize("length", [1, 2, 7, 160])
def test_a_lag_does_not_wrap_round(length):
    values = np.random.default_rng(length).normal(size=length)
    assert autocorrelate(values, length) == pytest.approx(np.correlate(values, values, "full")[length - 1 :])


def test_of_what_follows_from_its_past_nothing_is_left():
    times = np.arange(4000)
    tone = np.sin(0.3 * times)
    left = subtract_prediction(tone, autocorrelate(tone, 3), ridge=1e-9)
    assert np.abs(left).max() < 0.01
    noise = np.random.default_rng(1).normal(size=4000)
    lags = np.array([noise[: 4000 - lag] @ noise[lag:] for lag in range(3)])
    assert subtract_prediction(noise, lags, ridge=1e-9).std() == pytest.approx(1.0, abs=0.05)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30), st.floats(0.0, 1.0))
def test_a_quantile_is_that_of_numpy(values, share):
    assert measure_quantile(np.array(values), share) == pytest.approx(float(np.quantile(values, share)), abs=1e-6)
