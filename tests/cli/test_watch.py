import io

from sttdoctor.cli import watch
from sttdoctor.cli.watch import Screen


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
