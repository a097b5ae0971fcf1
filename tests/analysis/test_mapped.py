import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sttdoctor.analysis.mapped import blocks, release


@given(st.integers(0, 300), st.integers(1, 120))
def test_blocks_hold_every_byte_in_order(count, size):
    data = np.arange(count, dtype=np.uint8) if count < 256 else np.zeros(count, dtype=np.uint8)
    parts = list(blocks(data, size))
    assert all(len(part) == size for part in parts[:-1])
    assert np.concatenate([np.empty(0, np.uint8), *parts]).tolist() == data.tolist()


def resident_kb() -> int:
    try:
        with open("/proc/self/smaps_rollup", encoding="ascii") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("Rss:"))
    except OSError:
        pytest.skip("this system does not tell the resident memory")


def test_a_mapped_file_does_not_stay_in_memory(tmp_path):
    path = tmp_path / "long.raw"
    path.write_bytes(b"\1" * (96 << 20))
    data = np.asarray(np.memmap(path, dtype=np.uint8, mode="r"))
    before = resident_kb()
    most = 0
    for block in blocks(data, 8 << 20):
        assert block[::4096].all()
        most = max(most, resident_kb() - before)
    assert most < 64 << 10
    assert resident_kb() - before < 16 << 10
    assert int(data[-1]) == 1


def test_what_is_not_mapped_is_left_alone():
    release(np.zeros(10, np.uint8))
