import asyncio
import time

from hypothesis import given, settings
from hypothesis import strategies as st

from sttdoctor.simulate.conversation import MAX_COMMANDS, QUEUE_S, Backlog


def backlog(speed=float("inf"), buffer_s=10.0, byte_rate=16_000, width=2):
    return Backlog(byte_rate, width, speed, buffer_s)


async def everything(subject, count):
    return [await subject.next() for _ in range(count)]


@settings(deadline=None)  # a busy machine is no failure
@given(st.lists(st.binary(max_size=9000), max_size=20), st.sampled_from([1, 2, 4]))
def test_bytes_are_one_stream_in_whole_samples(frames, width):
    async def run():
        subject = backlog(buffer_s=float("inf"), width=width)
        assert all(subject.audio(frame) for frame in frames)
        subject.command("close")
        pieces = []
        while (item := await subject.next()) != "close":
            pieces.append(item)
        return pieces

    pieces = asyncio.run(run())
    data = b"".join(frames)
    assert b"".join(pieces) == data[: len(data) // width * width]
    assert all(0 < len(piece) <= 1600 and len(piece) % width == 0 for piece in pieces)


def test_commands_that_nobody_hears_are_bounded():
    async def run():
        subject = backlog()
        taken = [subject.command("x") for _ in range(MAX_COMMANDS + 1)]
        await subject.next()
        return taken, subject.command("x")

    taken, again = asyncio.run(run())
    assert taken == [True] * MAX_COMMANDS + [False] and again


def test_commands_stand_where_they_came():
    async def run():
        subject = backlog()
        subject.audio(bytes(1600))
        subject.command("finalize")
        subject.audio(bytes(3200))
        return await everything(subject, 4)

    assert [item if isinstance(item, str) else len(item) for item in asyncio.run(run())] == [
        1600,
        "finalize",
        1600,
        1600,
    ]


def test_a_huge_text_is_not_kept():
    async def run():
        subject = backlog()
        subject.command("x" * 1_000_000)
        return await subject.next()

    assert len(asyncio.run(run())) == 65536


def test_audio_is_heard_at_the_speed_of_the_service():
    async def run():
        subject = backlog(speed=4.0)
        subject.audio(bytes(16_000))  # a second
        began = time.monotonic()
        await everything(subject, 10)
        return time.monotonic() - began

    assert asyncio.run(run()) > 0.2


def test_a_buffer_that_is_flooded_says_so():
    subject = backlog(speed=2.0, buffer_s=1.0)
    assert subject.audio(bytes(12_000))
    assert not subject.audio(bytes(12_000))


def test_a_buffer_empties_with_time(monkeypatch):
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    subject = backlog(speed=2.0, buffer_s=1.0)
    for _ in range(20):
        assert subject.audio(bytes(8000))  # half a second of audio in a quarter of a second
        now += 0.25


def test_what_waits_is_bounded_even_without_a_limit_of_the_service():
    subject = backlog(buffer_s=float("inf"), byte_rate=1000, width=1)
    assert subject.audio(bytes(int(QUEUE_S + 1) * 1000))
    assert not subject.audio(bytes(1))
