import numpy as np
from common import FIXTURES
from hypothesis import given
from hypothesis import strategies as st

from sttdoctor.analysis.facts import Facts
from sttdoctor.evidence import Frame, FrameContents, Piece, join_contents
from sttdoctor.readers.capture import read_session
from sttdoctor.thresholds import DEFAULTS

contents = st.lists(st.tuples(st.binary(max_size=6), st.sampled_from("ab-")), max_size=12)


def held(content, stores, where):
    """A frame whose content lies in one of the stores, or in none."""
    held_content = Piece(content, stores[where]) if where in stores else content
    return Frame(1, 0.5, True, len(content), binary=True, content=held_content)


@given(contents)
def test_what_a_frame_carries_is_the_same_wherever_it_lies(chosen):
    stores = {"a": bytearray(), "b": bytearray()}
    frames = [held(content, stores, where) for content, where in chosen]
    plain = [Frame(1, 0.5, True, len(content), binary=True, content=content) for content, _ in chosen]
    assert frames == plain
    assert set(frames) == set(plain)
    assert repr(frames) == repr(plain)
    assert [frame.audio for frame in frames] == [content for content, _ in chosen]
    assert [frame.first_byte for frame in frames] == [content[0] if content else None for content, _ in chosen]
    assert list(FrameContents(frames)) == [content for content, _ in chosen]
    joined = b"".join(content for content, _ in chosen)
    assert [bytes(FrameContents(frames).join(most)) for most in (0, 3, 99)] == [joined[:most] for most in (0, 3, 99)]
    assert list(FrameContents(frames)[1:4]) == [content for content, _ in chosen][1:4]
    assert bytes(join_contents([frame.content for frame in frames])) == joined


def test_a_frame_without_content_has_none_and_counts_as_empty():
    frame = Frame(1, 0.5, True, 320, binary=True)
    assert (frame.audio, frame.first_byte) == (None, None)
    assert list(FrameContents([frame])) == [b""]
    assert FrameContents([frame]).sizes == [0]


def test_the_audio_of_a_session_is_in_memory_once():
    session = read_session([FIXTURES / "sessions" / "healthy-mulaw-20ms.jsonl"])
    facts = Facts(DEFAULTS, session=session)
    (connection,) = facts.connections
    piece = connection.audio_frames[7].content
    assert isinstance(piece, Piece)
    assert facts.audio is not None
    assert np.shares_memory(facts.audio.data, np.frombuffer(piece.view(), np.uint8))
    assert not facts.audio.data.flags.writeable
