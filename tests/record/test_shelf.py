"""Where recordings stand: calls kept together, and bounds of what is kept."""

import asyncio
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from proxying import TARGET, Keeping, hears, proxy
from websockets.asyncio.client import connect

import sttdoctor
from sttdoctor.errors import UsageError
from sttdoctor.readers.joining import MOST_BETWEEN_S
from sttdoctor.record.recording import Heading
from sttdoctor.record.shelf import Shelf

URL = f"ws://x{TARGET}"


def heading(peer="10.0.0.1", url=URL, **headers):
    return Heading(url, headers, "test", "proxy", peer)


class Shelved:
    """A shelf on a clock of its own."""

    def __init__(self, folder, **keeping):
        self.told = []
        self.shelf = Shelf(Keeping(f"{folder}/", **keeping), self.told.append)
        self.folder = folder
        self.now = 100.0

    def open(self, *args, **headers):
        return self.shelf.open(heading(*args, **headers), self.now)

    def close(self, journal):
        self.shelf.close(journal, self.now)

    def record(self, *args, **headers):
        journal = self.open(*args, **headers)
        self.close(journal)
        return journal.path

    def files(self):
        return sorted(path for path in self.folder.rglob("*.jsonl"))


def test_connections_of_one_client_that_follow_each_other_are_one_call(tmp_path):
    shelved = Shelved(tmp_path, calls=True)
    first = shelved.record()
    shelved.now += MOST_BETWEEN_S - 1
    second = shelved.record()
    assert first.parent == second.parent and first.parent.name.startswith("call-2")
    assert [path.name for path in (first, second)] == ["connection-1.jsonl", "connection-2.jsonl"]
    assert oct(first.parent.stat().st_mode & 0o777) == "0o700"


@pytest.mark.parametrize(
    "other",
    [
        {"peer": "10.0.0.2"},
        {"url": URL.replace("16000", "48000")},
        {"url": URL.replace("/turns", "")},
        {"user-agent": "another"},
        {"X-API-Key": "another"},
        {"Origin": "https://a.example"},
    ],
)
def test_what_comes_from_another_client_is_another_call(tmp_path, other):
    shelved = Shelved(tmp_path, calls=True)
    assert shelved.record().parent != shelved.record(**other).parent


def test_a_client_that_connects_anew_before_its_old_connection_is_over_is_in_the_same_call(tmp_path):
    shelved = Shelved(tmp_path, calls=True)
    old = shelved.open()
    shelved.shelf.leave(old, shelved.now)
    new = shelved.open()
    assert old.path.parent == new.path.parent
    for journal in (old, new):
        shelved.close(journal)
    assert shelved.record().parent == new.path.parent


def test_what_begins_much_later_or_at_the_same_time_is_another_call(tmp_path):
    shelved = Shelved(tmp_path, calls=True)
    running = shelved.open()
    beside = shelved.open()
    assert running.path.parent != beside.path.parent
    for journal in (running, beside):
        shelved.close(journal)
    shelved.now += MOST_BETWEEN_S + 1
    later = shelved.record()
    assert later.parent not in {running.path.parent, beside.path.parent}


def test_of_many_connections_the_oldest_that_are_over_go(tmp_path):
    shelved = Shelved(tmp_path, most_connections=3)
    running = shelved.open()
    paths = [shelved.record() for _ in range(5)]
    shelved.shelf.tidy(shelved.now)
    assert shelved.files() == sorted([running.path, *paths[-2:]])
    shelved.close(running)


def test_of_many_bytes_the_oldest_that_are_over_go_and_a_call_goes_as_a_whole(tmp_path):
    shelved = Shelved(tmp_path, calls=True, most_bytes=3000)
    first = [shelved.record(), shelved.record()]
    shelved.now += MOST_BETWEEN_S + 1
    running = shelved.open()
    for _ in range(30):
        running.recording.opened(101)
    assert running.size + sum(path.stat().st_size for path in first) > 2000
    shelved.shelf.tidy(shelved.now)
    assert all(path.exists() for path in first)
    for _ in range(60):
        running.recording.opened(101)
    shelved.shelf.tidy(shelved.now)
    assert shelved.files() == [running.path] and not first[0].parent.exists()
    shelved.close(running)


def test_a_call_that_may_go_on_stays_until_it_is_over(tmp_path):
    shelved = Shelved(tmp_path, calls=True, most_connections=1)
    one, other = shelved.record(), shelved.record("10.0.0.2")
    shelved.shelf.tidy(shelved.now)
    assert one.exists() and other.exists()
    shelved.shelf.tidy(math.inf)
    assert [path.exists() for path in (one, other)] == [False, True]


def test_recordings_of_an_earlier_run_count_and_nothing_else_is_touched(tmp_path):
    calls = Shelved(tmp_path, calls=True)
    call = calls.record().parent
    (call / "notes.txt").write_text("mine")
    old = Shelved(tmp_path)
    earlier = [old.record() for _ in range(3)]
    others = [tmp_path / "session.jsonl", tmp_path / "session-20260101-000000-1.jsonl.gz", tmp_path / "call-1"]
    for path in others:
        path.write_text("mine")
    (tmp_path / "session-20200101-000000-1.jsonl").symlink_to(others[0])
    shelved = Shelved(tmp_path, most_connections=2)
    kept = shelved.record()
    shelved.shelf.tidy(shelved.now)
    assert not list(call.glob("*.jsonl")) and (call / "notes.txt").exists()
    assert [path.exists() for path in (*earlier, kept)] == [False, False, True, True]
    assert all(path.read_text() == "mine" for path in others)


def test_bounds_and_calls_want_a_directory(tmp_path):
    for keeping in ({"calls": True}, {"most_bytes": 1}, {"most_connections": 1}):
        with pytest.raises(UsageError, match="want a directory"):
            Keeping(f"{tmp_path}/s.jsonl", **keeping).check()
    Keeping(f"{tmp_path}/new/", calls=True).check()


steps = st.lists(st.tuples(st.sampled_from(["open", "close", "wait", "write"]), st.integers(0, 3)), max_size=40)


@given(steps, st.booleans(), st.integers(1, 4), st.sampled_from([None, 2000]))
def test_whatever_happens_nothing_of_a_running_connection_goes(tmp_path_factory, taken, calls, most, most_bytes):
    shelved = Shelved(tmp_path_factory.mktemp("shelf"), calls=calls, most_connections=most, most_bytes=most_bytes)
    running, written = [], {}
    for what, number in taken:
        if what == "open":
            running.append(shelved.open(f"10.0.0.{number}"))
            written[running[-1]] = 1
        elif running and what == "close":
            shelved.close(running.pop(number % len(running)))
        elif running and what == "write":
            running[number % len(running)].recording.opened(101)
            written[running[number % len(running)]] += 1
        else:
            shelved.now += 40.0
        shelved.shelf.tidy(shelved.now)
        assert all(len(journal.path.read_bytes().splitlines()) == written[journal] for journal in running)
    for journal in running:
        shelved.close(journal)
    shelved.shelf.tidy(math.inf)
    assert len(shelved.files()) <= most
    size = sum(path.stat().st_size for path in shelved.files())
    assert shelved.shelf._size == size and (most_bytes is None or size <= most_bytes)
    assert shelved.told == []


def test_a_client_that_connects_again_is_judged_as_one(tmp_path):
    """Through the recorder, with a real client: the folder is one session."""

    async def main():
        async with (
            hears("Good morning.", "And good night.") as server,
            proxy(f"ws://127.0.0.1:{server.port}", Keeping(f"{tmp_path}/", calls=True)) as running,
        ):
            for is_last in (False, True):
                async with connect(
                    f"ws://127.0.0.1:{running.port}{TARGET}", additional_headers={"X-API-Key": "k"}
                ) as one:
                    for _ in range(5):
                        await one.send(bytes(3200))
                        await asyncio.sleep(0.1)
                    if is_last:
                        await one.send('{"type":"close"}')
                        async for _ in one:
                            pass
                    else:
                        one.transport.abort()  # its connection to the service is not over when the next one comes
            await running.finished(2)
            return [entry.path for entry in running.done]

    paths = asyncio.run(main())
    (folder,) = {path.parent for path in paths}
    report = sttdoctor.replay(str(folder))
    assert len(report.subject["request_ids"]) == 2
