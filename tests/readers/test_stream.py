"""Lines of a stream, in whatever pieces it comes."""

import bz2
import io
import lzma
import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sttdoctor.readers import stream
from sttdoctor.readers.stream import StreamError, marked_lines, numbered_lines, open_stream


class Pieces(io.RawIOBase):
    """Gives at most so many bytes at a time, and breaks at the end where that is wanted."""

    def __init__(self, content: bytes, size: int, breaks: bool = False) -> None:
        self._rest, self._size, self._breaks = content, size, breaks

    def read1(self, size: int) -> bytes:
        piece, self._rest = self._rest[: min(size, self._size)], self._rest[min(size, self._size) :]
        if not piece and self._breaks:
            raise StreamError("broken")
        return piece


class Marked:
    marks = re.compile(b"a")


contents = st.lists(st.sampled_from([b"\n", b"a", b"bb", b"b" * 9]), max_size=30).map(b"".join)


def lines_of(content: bytes, longest: int) -> list[tuple[int, bytes | None]]:
    lines = content.split(b"\n")
    lines = lines if lines[-1] else lines[:-1]
    return [(number, line if len(line) <= longest else None) for number, line in enumerate(lines, start=1)]


@given(contents, st.integers(1, 40), st.integers(1, 30))
def test_lines_are_the_same_in_whatever_pieces_they_come(content, size, longest):
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(stream, "MAX_LINE_BYTES", longest)
        assert list(numbered_lines(Pieces(content, size))) == lines_of(content, longest)


@given(contents, st.integers(1, 40), st.integers(1, 30))
def test_lines_with_a_mark_are_those_lines_in_which_it_stands(content, size, longest):
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(stream, "MAX_LINE_BYTES", longest)
        found = list(marked_lines(Pieces(content, size), Marked))
    assert found == [(number, line) for number, line in lines_of(content, longest) if line is None or b"a" in line]


def test_what_to_look_for_may_change_from_line_to_line():
    class Changing:
        marks = re.compile(b"a")

    found = []
    for number, _ in marked_lines(Pieces(b"b\na\nb\na\nb\n", 100), Changing):
        found.append(number)
        Changing.marks = re.compile(b"b" if Changing.marks.pattern == b"a" else b"a")
    assert found == [2, 3, 4, 5]


@pytest.mark.parametrize("read", [numbered_lines, lambda broken: marked_lines(broken, Marked)])
def test_where_the_stream_breaks_the_line_is_told(read):
    found = []
    with pytest.raises(StreamError) as broken:
        found.extend(number for number, _ in read(Pieces(b"a\nb\na\nrest", 3, breaks=True)))
    assert broken.value.line == 4


PACKERS = pytest.mark.parametrize("pack", [bz2.compress, lzma.compress])


@PACKERS
@given(contents, contents)
def test_what_is_packed_in_one_stream_or_two_reads_as_if_it_were_not(pack, first, second):
    whole = b"a" + first + b"\n" + second
    with open_stream(pack(b"a" + first) + pack(b"\n" + second)) as file:
        assert list(numbered_lines(file)) == lines_of(whole, len(whole))


@PACKERS
def test_what_is_packed_and_cut_gives_what_stands_before(pack):
    packed = pack(random.Random(1).randbytes(1 << 20))
    with open_stream(packed[:-100]) as file, pytest.raises(StreamError, match="damaged"):
        list(numbered_lines(file))


@PACKERS
def test_what_unpacks_to_far_more_than_its_size_is_not_read_to_its_end(pack):
    with open_stream(pack(bytes(80 << 20))) as file, pytest.raises(StreamError, match="unpacks to more than 100 times"):
        list(numbered_lines(file))
