"""The process that reads along and writes, and the relay's end of it."""

import asyncio
import io
import json
import os
import signal
import subprocess
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st
from proxying import TARGET, echo, proxy, service
from websockets.asyncio.client import connect
from websockets.frames import Frame, Opcode

from sttdoctor.program import build_command
from sttdoctor.readers.capture import read_capture
from sttdoctor.record.desk import ALL_BYTES, LEAST_BYTES, MOST_BYTES, Desk, Line, desk
from sttdoctor.record.recording import Heading
from sttdoctor.record.scribe import STEP_BYTES, Scribe
from sttdoctor.record.shelf import Keeping
from sttdoctor.record.slips import Kind, Slip, pack, read_slips

HEADING = json.dumps(asdict(Heading(f"ws://x{TARGET}", {"X-API-Key": "canary"}, "test", "proxy"))).encode()
ANSWER = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
AUDIO = Frame(Opcode.BINARY, bytes(3200)).serialize(mask=True)

one_slip = st.builds(
    Slip, st.integers(0, 255), st.integers(0, 1 << 60), st.floats(allow_nan=False), st.binary(max_size=300)
)


@given(st.lists(one_slip, max_size=6), st.integers(0, 40))
def test_slips_come_out_as_they_went_in_and_a_cut_one_not_at_all(given_, cut):
    data = b"".join(map(pack, given_))
    read = list(read_slips(io.BytesIO(data[: len(data) - cut])))
    assert read == given_[: len(read)] and (cut or read == given_)


def begun(scribe, *numbers):
    for number in numbers:
        scribe.take(Slip(Kind.BEGUN, number, 100.0, HEADING))
        scribe.take(Slip(Kind.SERVER, number, 100.5, ANSWER))


def test_a_connection_from_its_beginning_to_its_end(tmp_path):
    told = []
    scribe = Scribe(Keeping(f"{tmp_path}/s.jsonl"), told.append)
    begun(scribe, 1)
    scribe.take(Slip(Kind.CLIENT, 1, 101.0, AUDIO))
    scribe.take(Slip(Kind.LOOK, 0, 0.0, b""))
    scribe.take(Slip(Kind.ENDED, 1, 102.0, b"client"))
    told = [said for said in told if "read" not in said]
    assert [next(iter(said)) for said in told] == ["begun", "seen", "ended"]
    assert told[0]["path"] == str(tmp_path / "s.jsonl")
    assert told[1]["glance"]["audio_s"] == pytest.approx(0.1) and told[1]["status"] == 101
    assert told[2]["close"]["code"] == 1006
    session = read_capture(told[0]["path"])
    assert [event.t for event in session.events] == [0.5, 1.0, 2.0]
    assert session.headers == {"x-api-key": "REDACTED"}


def test_what_is_read_is_told_in_steps_with_what_it_cost(tmp_path):
    told = []
    scribe = Scribe(Keeping(f"{tmp_path}/s.jsonl"), told.append)
    begun(scribe, 1, 2)
    handed = [Slip(Kind.CLIENT, number, 101.0, AUDIO) for number in (1, 2, 2)] * 40
    for slip in handed:
        scribe.take(slip)
    read = [one for said in told if "read" in said for one in said["read"]]
    assert sum(size for _, size, _ in read) > sum(slip.size for slip in handed) - STEP_BYTES
    assert {number for number, _, _ in read} == {1, 2} and all(seconds > 0 for _, _, seconds in read)
    for number in (1, 2):
        scribe.take(Slip(Kind.ENDED, number, 102.0, b""))


def test_a_defect_costs_its_own_connection_the_recording(tmp_path):
    told = []
    scribe = Scribe(Keeping(f"{tmp_path}/s.jsonl"), told.append)
    begun(scribe, 1, 2)

    def fails(*_):
        raise MemoryError("no more")

    scribe._connections[1].along.from_client = fails
    for number in (1, 2):
        for _ in range(2):
            scribe.take(Slip(Kind.CLIENT, number, 101.0, AUDIO))
        scribe.take(Slip(Kind.ENDED, number, 102.0, b"client"))
    (sentence,) = [said["told"] for said in told if "told" in said]
    assert "MemoryError" in sentence and "s.jsonl" in sentence
    assert [said["ended"] for said in told if "ended" in said] == [1, 2]
    assert len(read_capture(str(tmp_path / "s-2.jsonl")).events) == 4


def test_a_connection_that_cannot_begin_is_told_and_ends(tmp_path, monkeypatch):
    def fails(*_):
        raise MemoryError("no more")

    monkeypatch.setattr("sttdoctor.record.shelf.Journal", fails)
    told = []
    scribe = Scribe(Keeping(f"{tmp_path}/s.jsonl"), told.append)
    begun(scribe, 1)
    scribe.take(Slip(Kind.ENDED, 1, 102.0, b"client"))
    assert "MemoryError" in told[0]["told"] and told[1:] == [{"begun": 1, "path": None}, {"ended": 1}]


def test_the_process_writes_what_it_was_handed_though_nobody_listens(tmp_path):
    """The recorder was killed: its pipe to the process ends, and the one back leads nowhere."""
    handed = [Slip(Kind.BEGUN, 1, 100.0, HEADING), Slip(Kind.SERVER, 1, 100.0, ANSWER)]
    handed += [Slip(Kind.CLIENT, 1, 101.0, AUDIO)] * 200
    command = build_command("sttdoctor.record.scribe", Keeping(f"{tmp_path}/s.jsonl").pack())
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    process.stdin.write(b"".join(map(pack, handed)) + pack(handed[2])[:100])
    process.stdin.close()
    assert process.wait(30) == 0 and process.stderr.read() == b""
    process.stderr.close()
    session = read_capture(str(tmp_path / "s.jsonl"))
    assert len(session.events) == 201 and session.damage.lines == 0


class Taking:
    """A desk that takes everything."""

    waiting = 0

    def hand(self, _slip):
        return True


def test_a_line_holds_back_what_is_not_read_and_lets_go():
    desk, holds = Taking(), []
    line = Line(desk, 1, holds.append)
    for _ in range(MOST_BYTES // 1000 + 1):
        line.note(Kind.CLIENT, bytes(1000))
    assert holds == [True]
    line.read(MOST_BYTES - 4000)
    assert holds == [True, False]
    line.release()
    assert holds == [True, False] and desk.waiting == 0


def test_where_much_waits_each_may_have_little_of_it():
    desk, holds = Taking(), []
    desk.waiting = ALL_BYTES
    line = Line(desk, 1, holds.append)
    line.note(Kind.CLIENT, bytes(LEAST_BYTES - 100))
    assert holds == []
    line.note(Kind.CLIENT, bytes(100))
    assert holds == [True]


class Watching:
    def __init__(self):
        self.began_, self.ended_, self.told = [], [], []

    def began(self, entry):
        self.began_.append(entry)

    def ended(self, entry):
        self.ended_.append(entry)

    def tell(self, sentence):
        self.told.append(sentence)


def test_when_the_process_dies_connections_go_on(tmp_path):
    holds = []

    async def main():
        watcher = Watching()
        async with desk(Keeping(f"{tmp_path}/s.jsonl"), watcher) as running:
            heading = Heading(f"ws://x{TARGET}", {}, "test", "proxy")
            line = running.begin(heading, holds.append)
            async with asyncio.timeout(30):
                while not watcher.began_:
                    await asyncio.sleep(0.01)
                os.kill(running._process.pid, signal.SIGSTOP)
                while not holds:
                    line.note(Kind.CLIENT, bytes(100_000))
                os.kill(running._process.pid, signal.SIGKILL)
                while not watcher.told:
                    await asyncio.sleep(0.01)
            line.note(Kind.CLIENT, bytes(100_000))
            line.end("client")
            running.begin(heading, holds.append).end("client")
        return watcher

    watcher = asyncio.run(main())
    assert "has ended; connections go on" in watcher.told[0] and len(watcher.told) == 1
    assert holds == [True, False]
    assert [entry.path for entry in watcher.began_] == [tmp_path / "s.jsonl", None]
    assert watcher.ended_ == watcher.began_


def test_a_recorder_whose_scribe_is_killed_still_passes_everything_on(tmp_path, monkeypatch):
    started, start = [], asyncio.create_subprocess_exec

    async def noted(*args, **options):
        started.append(await start(*args, **options))
        return started[-1]

    monkeypatch.setattr(asyncio, "create_subprocess_exec", noted)

    async def main():
        async with service(echo) as port, proxy(f"ws://127.0.0.1:{port}", tmp_path) as running:
            async with connect(f"ws://127.0.0.1:{running.port}{TARGET}") as connection:
                await connection.send("one")
                assert await connection.recv() == "one"
                started[0].kill()
                await connection.send("two")
                assert await connection.recv() == "two"
            await running.finished()
            return running

    running = asyncio.run(main())
    assert any("has ended" in sentence for sentence in running.told)


class Pipe:
    """The way to a scribe that reads when it is told to."""

    def __init__(self):
        self.stdin, self.written, self.closed = self, b"", False

    def write(self, data):
        self.written += data

    def is_closing(self):
        return self.closed

    def close(self):
        self.closed = True

    def handed(self):
        return [(slip.number, slip.kind) for slip in read_slips(io.BytesIO(self.written))]


def with_lines(costs):
    """A desk with a line for each connection, and what reads a slip of it at a cost (s)."""
    pipe, watcher = Pipe(), Watching()
    desk = Desk(pipe, watcher)
    lines = {number: desk.begin(Heading("ws://x", {}, "test", "proxy"), lambda _: None) for number in costs}

    def read():
        slip = next(read_slips(io.BytesIO(pipe.written)))
        pipe.written = pipe.written[slip.size :]
        desk._hear({"read": [[slip.number, slip.size, costs[slip.number]]]})
        return slip.number, slip.kind

    for _ in costs:
        read()
    return desk, lines, pipe, watcher, read


def test_a_connection_that_is_hard_to_read_makes_no_other_wait():
    _, lines, pipe, _, read = with_lines({1: 0.5, 2: 0.001})
    for _ in range(12):
        lines[1].note(Kind.CLIENT, bytes(65_000))
    for _ in range(100):
        lines[2].note(Kind.CLIENT, bytes(3200))
    order = []
    while pipe.written:
        order.append(read()[0])
    assert max(place for place, number in enumerate(order) if number == 2) < 106
    assert (order.count(1), order.count(2)) == (12, 100)


def test_what_takes_too_long_at_the_end_is_left_out_and_ended(monkeypatch):
    monkeypatch.setattr("sttdoctor.record.desk.REST_S", 0.01)

    async def main():
        desk, lines, pipe, watcher, _ = with_lines({1: 0.5, 2: 0.001})
        for number in (2, 1):
            for _ in range(6):
                lines[number].note(Kind.CLIENT, bytes(65_000))
            lines[number].end("client")
        await desk.finish()
        return pipe, watcher

    pipe, watcher = asyncio.run(main())
    assert pipe.closed and "too long to read" in watcher.told[0]
    handed = pipe.handed()
    assert [slip for slip in handed if slip[1] == Kind.ENDED] == [(2, Kind.ENDED), (1, Kind.ENDED)]
    assert len(handed) < 10
