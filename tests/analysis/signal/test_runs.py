"""Constant stretches, to the sample: at 8 kHz the shortest that counts has 40 samples, its edges 16."""

import numpy as np
import pytest

from sttdoctor.analysis.signal.runs import find_constant_runs, join_runs

RATE = 8000


def stream(count=2000, **holes):
    """A saw of 100 and -100, with `s200=(50, 7)`: from sample 200 on, 50 samples of 7."""
    x = np.resize(np.array([100, -100], dtype=np.int16), count)
    for start, (length, value) in holes.items():
        x[int(start[1:]) : int(start[1:]) + length] = value
    return x


def found(x, first=0, rate=RATE):
    return [tuple(row[:5]) for row in find_constant_runs(x, first, rate).tolist()]


@pytest.mark.parametrize("start", range(200, 222))
@pytest.mark.parametrize("length", [40, 41, 59, 60, 61, 200])
def test_start_and_length_are_exact_wherever_the_stretch_lies(start, length):
    rows = found(stream(**{f"s{start}": (length, 0)}))
    assert rows == [(start, length, 0.0, 100.0, 100.0)]


def test_39_samples_are_too_few():
    for x in (stream(s200=(39, 0)), stream(), stream(19)):
        assert find_constant_runs(x, 0, RATE).shape == (0, 7)


def test_levels_beside_are_of_16_samples_about_the_value():
    x = stream(s200=(50, 0))
    x[:184], x[266:] = 5000, -5000  # beyond the edges
    x[184:192], x[192:200] = 17, 7
    x[250:258], x[258:266] = -1, 7
    rows = {row[0]: row for row in found(x)}
    assert rows[200] == (200, 50, 0.0, 13.0, 5.0)
    x[:200] = np.resize([40, -20], 200)
    x[200:250] = 10
    assert {row[0]: row for row in found(x)}[200] == (200, 50, 10.0, 30.0, np.sqrt((11**2 + 3**2) / 2))


def test_two_stretches_side_by_side_are_two():
    rows = found(stream(s200=(60, 0), s260=(80, 9)))
    assert rows == [(200, 60, 0.0, 100.0, 9.0), (260, 80, 9.0, 9.0, np.sqrt((91**2 + 109**2) / 2))]


def test_the_place_of_the_block_is_added():
    assert found(stream(s200=(50, 0)), first=10_000)[0][:2] == (10_200, 50)


def test_a_stretch_at_the_border_comes_however_short():
    assert [row[:2] for row in found(stream(s0=(39, 0)))] == [(0, 39)]
    assert [row[:2] for row in found(stream(s1=(39, 0)))] == []
    assert [row[:2] for row in found(stream(s1961=(39, 0)))] == [(1961, 39)]
    assert [row[:2] for row in found(stream(s1960=(39, 0)))] == []
    assert [row[:2] for row in found(stream(s1981=(19, 0)))] == []  # it holds no whole part of 20 samples


def test_at_either_end_of_the_stream_there_is_no_level_beside():
    assert found(stream(s0=(60, 7))) == [(0, 60, 7.0, 0.0, np.sqrt((93**2 + 107**2) / 2))]
    # the last whole part of 20 samples ends at 2000
    assert found(stream(2010, s1956=(54, 7))) == [(1956, 54, 7.0, np.sqrt((93**2 + 107**2) / 2), 0.0)]


def test_a_constant_block_has_no_level_beside():
    assert found(np.full(400, 3, np.int16)) == [(0, 400, 3.0, 0.0, 0.0)]
    assert found(np.full(19, 3, np.int16)) == []


def test_lower_rates_have_parts_of_two_samples_at_least():
    x = np.resize(np.array([1, 5], np.int16), 60)
    x[20:24] = 9
    assert found(x, rate=600) == [(20, 4, 9.0, np.sqrt(40.0), np.sqrt(40.0))]


def test_jumps_are_the_largest_step_on_either_side():
    x = stream(s200=(50, 0))
    x[184:200], x[250:266] = np.arange(16, 0, -1), 30
    assert find_constant_runs(x, 0, RATE)[0, 5:].tolist() == [1.0, 30.0]
    x[190] = 50
    assert find_constant_runs(x, 0, RATE)[0, 5:].tolist() == [41.0, 30.0]
    slow = np.repeat(x, 6)[:12_000]  # the same sound at six times the rate, between whose steps lies 1/8 ms as well
    assert find_constant_runs(slow, 0, 6 * RATE)[0, 6] == 30.0


def rows(*found):
    return np.array([row if len(row) == 7 else (*row, 0, 0) for row in found], dtype=float).reshape(-1, 7)


def test_the_smaller_jump_counts_and_where_the_stream_ends_none_is_small():
    joined = rows(
        (100, 50, 4, 1, 0, 8, 0), (150, 30, 4, 0, 1, 0, 6), (400, 60, 4, 0, 1, 0, 9), (500, 60, 4, 0, 0, 0, 0)
    )
    assert join_runs(joined, 0.5).jump.tolist() == [3.0, 4.5, np.inf]


def test_stretches_that_a_border_cut_are_joined_and_scaled():
    runs = join_runs(rows((100, 50, 4, 10, 0), (150, 30, 4, 0, 0), (180, 20, 4, 0, 20), (400, 60, 4, 1, 2)), 0.5)
    assert runs.start.tolist() == [100, 400] and runs.length.tolist() == [100, 60]
    assert (runs.value.tolist(), runs.before.tolist(), runs.after.tolist()) == ([2, 2], [5, 0.5], [10, 1])
    assert runs.start.dtype == runs.length.dtype == np.int64


@pytest.mark.parametrize("second", [(151, 30, 4, 0, 0), (149, 30, 4, 0, 0), (150, 30, 5, 0, 0)])
def test_a_distance_or_another_value_keeps_them_apart(second):
    assert len(join_runs(rows((100, 50, 4, 10, 0), second), 1.0).start) == 2


def test_one_or_none_to_join():
    assert join_runs(rows((100, 50, 4, 10, 3)), 2.0).after.tolist() == [6]
    assert [len(column) for column in (join_runs(rows(), 1.0).start, join_runs(rows(), 1.0).after)] == [0, 0]
