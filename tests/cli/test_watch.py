import asyncio
import io

from sttdoctor.cli import watch
from sttdoctor.cli.watch import Screen
from sttdoctor.record.desk import Entry


class Clock:
    now = 0.0

    def monotonic(self):
        return self.now


def test_of_more_lines_than_anybody_reads_the_number_is_told(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(watch, "time", clock)
    out = io.StringIO()
    screen = Screen(out, diagnose=False)
    for number in range(3000):
        screen.say(f"line {number}")
    assert out.getvalue().splitlines() == [f"line {number}" for number in range(1000)]
    clock.now += 1.0
    screen.say("later")
    for _ in range(100):
        screen.say("last")
    screen.close()
    told = out.getvalue().splitlines()
    assert told[1000:1002] == ["... 2000 lines are left out", "later"]
    assert told[1002:] == ["last"] * 49 + ["... 51 lines are left out"]


def test_what_is_not_diagnosed_when_it_ends_is_told_with_how_to_go_on(tmp_path, monkeypatch):
    """The first report is made in time, the second never is."""

    async def report(_screen, path):
        await asyncio.sleep(0 if path.name == "a.jsonl" else 1e6)

    monkeypatch.setattr(Screen, "_report", report)
    out = io.StringIO()

    async def main(hurries):
        screen = Screen(out, diagnose=True)
        for name in ("a.jsonl", "b c.jsonl"):
            path = tmp_path / name
            path.touch()
            screen.ended(Entry(path))
        hurry = asyncio.get_running_loop().create_future()
        if hurries:
            hurry.set_result(None)
        await screen.finish(1e6 if hurries else 0.01, hurry)

    for hurries in (False, True):
        out.truncate(0)
        asyncio.run(main(hurries))
        left = [line for line in out.getvalue().splitlines() if "not diagnosed yet" in line]
        assert left[-1].endswith(f"not diagnosed yet; next: sttdoctor replay '{tmp_path / 'b c.jsonl'}'")
        assert hurries or len(left) == 1
