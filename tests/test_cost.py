"""What hostile captures cost, counted in steps: lines of Python that are executed, here and in the standard library.

`benchmarks/readers/hostile.py` measures seconds and memory of the same shapes at real sizes. What happens inside a
regular expression is no step; `test_regular_expressions.py` looks at these.
"""

import contextlib
import io
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest
from common import ROOT

import sttdoctor
from sttdoctor.analysis.session import join_search
from sttdoctor.errors import InputError
from sttdoctor.readers import json_stream, stream
from sttdoctor.readers.capture import read_capture
from sttdoctor.readers.session_jsonl import write_rows

sys.path.append(str(ROOT / "benchmarks" / "readers"))
from hostile_shapes import CONVERT, SHAPES, Shape

SIZE, PACKED_SIZE = 4000, 20_000
GROWTH = 2.5
SLACK = 4000  # steps; what a few more rows cost once


def steps(call: Callable[[], None]) -> int:
    """Count the lines that a call executes."""
    count = 0

    def follow(_: FrameType, event: str, __: Any) -> Any:
        nonlocal count
        count += event == "line"
        return follow

    before = sys.gettrace()
    sys.settrace(follow)
    try:
        call()
    finally:
        sys.settrace(before)
    return count


def work(shape: Shape, size: int) -> Callable[[], None]:
    """What the command of a shape does, in process."""
    content = shape.make(size)
    number = int(shape.command[-1]) if "--connection" in shape.command else None

    def call() -> None:
        with contextlib.suppress(InputError):
            if shape.command == CONVERT:
                list(write_rows(read_capture(content, number)))
            else:
                sttdoctor.replay(io.BytesIO(content), connection=number).to_json()

    return call


@pytest.fixture
def small_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is packed is read by small pieces, and no further than three times its size; a search ends soon."""
    monkeypatch.setattr(stream, "FREE_BYTES", 1 << 16)
    monkeypatch.setattr(stream, "MAX_RATIO", 3)
    monkeypatch.setattr(join_search, "MAX_STEPS", 100)
    for module in (stream, json_stream):
        monkeypatch.setattr(module, "_BLOCK_BYTES", 1 << 13)


@pytest.mark.usefixtures("small_bounds")
@pytest.mark.long
@pytest.mark.parametrize("name", SHAPES)
def test_twice_the_size_takes_little_more_than_twice_the_steps(name):
    shape, size = SHAPES[name], PACKED_SIZE if name.startswith("gzip-") else SIZE
    work(shape, size // 2)()  # what is imported and cached
    small, middle, large = (steps(work(shape, factor * size)) for factor in (1, 2, 4))
    assert large - middle <= GROWTH * max(middle - small, 0) + SLACK, (small, middle, large)


@pytest.mark.parametrize(("power", "enough"), [(1, True), (2, False)])
def test_what_is_not_linear_shows_in_the_steps(power, enough):
    def loop(size: int) -> Callable[[], None]:
        def run() -> None:
            for _ in range(size**power):
                pass

        return run

    small, middle, large = (steps(loop(factor * 100)) for factor in (1, 2, 4))
    assert (large - middle <= GROWTH * (middle - small)) == enough
