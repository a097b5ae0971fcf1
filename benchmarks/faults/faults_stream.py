"""Faults of when and how audio is sent and how a session ends: `chunking`, `pacing`, `continuity`, `drain`."""

from collections.abc import Callable
from typing import Any

from faults_recipe import Frame, Recipe, Row
from faults_registry import fault

Frames = list[Frame]
RATIOS = (0.25, 0.33, 0.36, 0.5, 0.67, 0.73, 0.92, 1.09, 1.33, 1.38, 1.5, 2, 2.76, 3)
KEEPALIVES: tuple[Any, ...] = ({"type": "KeepAlive"}, {"type": "keepalive"}, {"type": "ping"}, {"type": "KeepAlive"})


@fault("chunking.too-large", "chunk")
def too_large(recipe: Recipe) -> None:
    recipe.chunk_s = float(recipe.rng.uniform(1.3, 4.0))
    recipe.note = f"{recipe.chunk_s:.1f} s"


@fault(
    "chunking.too-small",
    "chunk",
    status="warn",
    formats=(("pcm_s16le", 16000), ("pcm_mulaw", 8000), ("pcm_s16le", 8000)),
)
def too_small(recipe: Recipe) -> None:
    recipe.chunk_s = float(recipe.rng.uniform(0.001, 0.0035))
    recipe.jitter_s = 0.0


def shifted(change: Callable[[float], float]) -> Callable[[Frames], Frames]:
    """Move every frame in time, in order."""

    def pace(frames: Frames) -> Frames:
        last = 0.0
        for frame in frames:
            last = frame.t = max(last, change(frame.t))
        return frames

    return pace


def mid_turn(recipe: Recipe, within: tuple[float, float] = (0.3, 0.7)) -> float:
    """A time inside an utterance that is not the last one."""
    turn = recipe.scene.turns[int(recipe.rng.integers(0, max(1, len(recipe.scene.turns) - 1)))]
    part = max(turn, key=lambda part: part.end - part.start)
    return float(part.start + (part.end - part.start) * recipe.rng.uniform(*within)) + 0.08


@fault("pacing.burst", "pace", turns=(4, 5))
def burst(recipe: Recipe) -> None:
    """4 to 8 s of audio in 0.1 to 0.8 s, in mid-session, or all of the rest at once."""
    at, within = recipe.rng.uniform(2.5, 4.0), recipe.rng.uniform(0.1, 0.8)
    audio_s = recipe.rng.uniform(4.5, 8.0)
    recipe.note = f"{audio_s:.1f} s in {within:.1f} s"

    def sent(t: float) -> float:
        if t <= at:
            return t
        return at + (t - at) * within / audio_s if t <= at + audio_s else t - audio_s + within

    recipe.pace.append(shifted(sent))


def _apart(recipe: Recipe, low: float, high: float) -> float:
    """A speed that is not one of the ratios of a wrong declaration."""
    while True:
        speed = float(recipe.rng.uniform(low, high))
        if all(abs(speed / ratio - 1) > 0.03 for ratio in RATIOS):
            return speed


@fault("pacing.too-fast", "pace", also=("pacing.burst", "endpoint.batch-fits"))
def too_fast(recipe: Recipe) -> None:
    recipe.remake(turns=5)
    speed = _apart(recipe, 1.4, 2.6)
    recipe.note = f"{speed:.2f} times"
    recipe.pace.append(shifted(lambda t: 0.08 + (t - 0.08) / speed))


@fault("pacing.too-slow", "pace")
def too_slow(recipe: Recipe) -> None:
    speed = _apart(recipe, 0.4, 0.77)
    recipe.note = f"{speed:.2f} times"
    if recipe.rng.random() < 0.3 and recipe.chunk_s <= 0.06:  # by pauses, in which what is recorded is thrown away
        recipe.note += " by pauses"
        every, length = 0.6, 0.6 * (1 - speed)
        recipe.pace.append(lambda frames: [frame for frame in frames if frame.t % every >= length])
        return
    recipe.pace.append(shifted(lambda t: 0.08 + (t - 0.08) / speed))


@fault("continuity.muted", "hole")
def muted(recipe: Recipe) -> None:
    at, hole = mid_turn(recipe), recipe.rng.uniform(1.5, 8.0)
    recipe.note = f"{hole:.1f} s"
    recipe.pace.append(shifted(lambda t: t + hole if t > at else t))


@fault("continuity.stalled", "hole")
def stalled(recipe: Recipe) -> None:
    at, hole = mid_turn(recipe), recipe.rng.uniform(2.5, 6.0)
    recipe.note = f"{hole:.1f} s"
    recipe.pace.append(shifted(lambda t: max(t, at + hole) if t > at else t))


@fault("continuity.stopped", "ending")
def stopped(recipe: Recipe) -> None:
    """The audio ends with the last word, before the turn does."""
    recipe.scene = recipe.scene.cut(recipe.scene.turns[-1][-1].end + 0.12)
    recipe.close_after = float(recipe.rng.uniform(3.0, 20.0))
    recipe.note = f"{recipe.close_after:.0f} s"


@fault("continuity.capture-died", "ending", also=("continuity.stopped",))
def capture_died(recipe: Recipe) -> None:
    """The audio ends in the middle of the last word; the client notices nothing for a while."""
    recipe.end_mid_turn()
    recipe.close_after = float(recipe.rng.uniform(3.0, 20.0))
    recipe.note = f"{recipe.close_after:.0f} s"


@fault("continuity.nothing-sent", "ending", solo=True)
def nothing_sent(recipe: Recipe) -> None:
    """The socket opens, and the audio never finds its way to it."""
    recipe.text = False
    recipe.close_after = None
    stayed = float(recipe.rng.uniform(6.0, 40.0))

    def drop(made: list[Row]) -> list[Row]:
        kept = [row for row in made if row["type"] in ("session", "open")]
        hello = {"type": "receive", "t": 0.07, "json": {"type": "connected", "request_id": "r1"}}
        return [*kept, hello, {"type": "close", "t": stayed, "by": "client", "code": 1000, "reason": ""}]

    recipe.rows.append(drop)


@fault("continuity.blocked", "hole", solo=True)
def blocked(recipe: Recipe) -> None:
    """Nothing is sent or read for some seconds, then all of it at once, by the client's own clock."""
    at, hole = mid_turn(recipe), recipe.rng.uniform(2.5, 6.0)
    recipe.clock, recipe.note = "client", f"{hole:.1f} s"
    recipe.also.add("continuity.stalled")
    recipe.pace.append(shifted(lambda t: max(t, at + hole) if t > at else t))

    def hold(made: list[Row]) -> list[Row]:
        waiting = [row for row in made if row["type"] == "receive" and at < row["t"] < at + hole]
        on_its_way = max((row for row in made if row["t"] <= at), key=lambda row: row["t"], default=None)
        for row in [on_its_way, *waiting] if on_its_way is not None else waiting:
            row["t"] = at + hole + 0.002
        made.sort(key=lambda row: row.get("t", 0.0))
        return made

    recipe.events.append(hold)


@fault("continuity.keepalive", "hole")
def keepalive(recipe: Recipe) -> None:
    at, hole, every = mid_turn(recipe), recipe.rng.uniform(4.0, 12.0), recipe.rng.uniform(0.8, 3.0)
    command = KEEPALIVES[recipe.rng.integers(len(KEEPALIVES))]

    def pace(frames: Frames) -> Frames:
        frames = shifted(lambda t: t + hole if t > at else t)(frames)
        extra = [Frame(at + n * every, dict(command)) for n in range(1, int(hole / every) + 1) if n * every < hole]
        return sorted(frames + extra, key=lambda frame: frame.t)

    recipe.pace.append(pace)


@fault("continuity.idle-timeout", "ending", solo=True)
def idle_timeout(recipe: Recipe) -> None:
    """Nothing is sent any more; after three minutes the service closes. Half of the time a turn is open."""
    if recipe.rng.random() < 0.5:
        recipe.end_mid_turn()
        recipe.also |= {"continuity.stopped", "continuity.capture-died"}
    recipe.note = "turn open" if recipe.also else "between turns"
    recipe.close_after = None
    recipe.leave_after = float(recipe.rng.uniform(180.0, 181.0))
    recipe.leave = ("server", 1001, "idle timeout" if recipe.rng.random() < 0.5 else "")
    if recipe.rng.random() < 0.25:  # a shorter limit, and an error that names it
        recipe.note += ", told by an error"
        recipe.leave_after = float(recipe.rng.uniform(15.0, 20.0))
        recipe.leave = ("server", 1011, "")
        recipe.rows.append(_with_idle_error)


def _with_idle_error(made: list[Row]) -> list[Row]:
    message = "The request timed out because no audio was received."
    error = {"type": "error", "title": "Request timeout", "message": message, "status_code": 408}
    at = next(n for n, row in enumerate(made) if row["type"] == "close")
    return [*made[:at], {"type": "receive", "t": made[at]["t"] - 0.01, "json": error}, *made[at:]]


@fault("connection.idle-cut", "ending", solo=True)
def idle_cut(recipe: Recipe) -> None:
    """Nothing is sent once all is said; what stands in between ends the connection at its limit."""
    limit = float(recipe.rng.choice([50, 60, 60, 300, 600, 900]))
    recipe.note = f"{limit:.0f} s"
    recipe.close_after = None
    recipe.leave_after = limit + float(recipe.rng.uniform(-0.3, 1.3))
    recipe.leave = ("unknown", 1006, "")
    recipe.also |= {"drain.connection-lost"}


@fault("connection.dead", "ending", solo=True)
def dead(recipe: Recipe) -> None:
    """Nothing comes in any more; sending goes on, or blocks once the buffers are full, and much later it is lost.

    Some clients notice nothing, send to the end and leave.
    """
    recipe.remake(turns=8)
    if recipe.rng.random() < 0.25:
        recipe.note, recipe.clock = "left politely", "client"
        recipe.remake(turns=12)
        recipe.read_until = mid_turn(recipe, (0.2, 0.4)) + 0.9
        recipe.close_after, recipe.leave_after = None, 0.01
        return
    if recipe.rng.random() < 0.3:
        _slept(recipe)
        return
    heard = recipe.read_until = mid_turn(recipe, (0.5, 0.8)) + 0.3
    sent = heard + float(recipe.rng.uniform(6.0, 12.0))
    recipe.close_after = None
    recipe.leave = recipe.lost
    recipe.note = "blocked" if recipe.rng.random() < 0.5 else "sent on"
    recipe.leave_after = float(recipe.rng.uniform(20.0, 90.0)) if recipe.note == "blocked" else 0.01
    recipe.pace.append(lambda frames: [frame for frame in frames if frame.t <= sent])


def _slept(recipe: Recipe) -> None:
    """The machine sleeps between two turns; the socket looks open afterwards, and nobody answers."""
    slept = float(recipe.rng.uniform(200.0, 20000.0))
    recipe.note, recipe.text, recipe.clock = f"slept {slept:.0f} s", False, "client"

    def rows(made: list[Row]) -> list[Row]:
        first = next(row["t"] for row in made if row.get("json", {}).get("type") == "turn.end") + 0.3
        later = [row | {"t": row["t"] + slept} for row in made if "audio" in row and first < row["t"] < first + 8]
        end = {"type": "close", "t": later[-1]["t"] + 10.0, "by": "client", "code": 1000, "reason": ""}
        return [*(row for row in made if row.get("t", 0.0) <= first), *later, end]

    recipe.rows.append(rows)


@fault("drain.no-close", "ending")
def no_close(recipe: Recipe) -> None:
    if recipe.rng.random() < 0.8:
        recipe.end_mid_turn()
    else:
        recipe.scene = recipe.scene.cut(recipe.scene.turns[-1][-1].end + 0.1)
    recipe.close_after = None
    recipe.leave_after = float(recipe.rng.uniform(0.0, 0.3))
    code = int(recipe.rng.choice([1000, 1000, 1001, 1005]))
    recipe.leave = ("client", code, "")
    recipe.note = str(code)


@fault("drain.hung-up", "ending")
def hung_up(recipe: Recipe) -> None:
    recipe.end_mid_turn()
    recipe.service.flush_s = float(recipe.rng.uniform(0.4, 0.8))
    recipe.leave_after = float(recipe.rng.choice([0.0, recipe.rng.uniform(0.0, 0.3)]))


@fault("drain.left-at-turn-end", "ending", also=("drain.no-close",))
def left_at_turn_end(recipe: Recipe) -> None:
    """The first turn.end comes when the user speaks again, and the client takes it for the end of all."""
    recipe.remake(turns=3)
    first, second = recipe.scene.turns[0][-1], recipe.scene.turns[1][0]
    usual_s = recipe.service.end_s + recipe.service.delay_s
    told = second.start + float(recipe.rng.uniform(0.6, 1.0))
    recipe.service.late_end_s = max(0.0, told - first.end - usual_s)
    recipe.scene = recipe.scene.cut(told + float(recipe.rng.uniform(0.2, 0.5)))
    recipe.close_after = None
    recipe.leave_after = float(recipe.rng.uniform(0.0, 0.2))


PING_TIMEOUT = ("client", 1011, "keepalive ping timeout")


@fault("drain.stopped-reading", "ending", solo=True)
def stopped_reading(recipe: Recipe) -> None:
    """The reader ends while audio goes on; pings go unanswered and the library gives up with 1011.

    A recorder at the client sees no more events, one elsewhere sees them all.
    """
    recipe.remake(turns=8)
    recipe.clock = recipe.note = str(recipe.rng.choice(["client", "client", "proxy", "server"]))
    if recipe.clock == "client":
        recipe.read_until = float(recipe.rng.uniform(4.0, 9.0))
    recipe.lost_at = recipe.scene.duration * 0.97
    recipe.lost = PING_TIMEOUT
    recipe.also.add("server.stopped-answering")


@fault("drain.connection-lost", "ending")
def connection_lost(recipe: Recipe) -> None:
    recipe.lost_at = mid_turn(recipe) if recipe.rng.random() < 0.6 else _last_turn(recipe)
    recipe.lost = ("unknown", 1006, "")
    if recipe.rng.random() < 0.25:  # the other side answers no ping, though it sends events
        recipe.clock, recipe.lost, recipe.note = "client", PING_TIMEOUT, "ping timeout"


def _last_turn(recipe: Recipe) -> float:
    last = recipe.scene.turns[-1][-1]
    return (last.start + last.end) / 2


@fault("latency.end-of-turn", "service", turns=(3, 4), formats=(("pcm_s16le", 16000), ("pcm_mulaw", 8000)))
def end_of_turn(recipe: Recipe) -> None:
    """The turn ends long after the speech although silence is sent."""
    slow = bool(recipe.rng.random() < 0.5)
    wait = recipe.rng.uniform(7.2, 10.0) if slow else recipe.rng.uniform(2.2, 5.0)
    recipe.status = "fail" if slow else "warn"
    recipe.note = f"{wait:.1f} s"
    recipe.remake(turns=3, pause_s=(wait + 1.0, wait + 2.0))
    recipe.service.end_s = float(wait)


@fault("latency.backlog", "pace", turns=(4, 5), formats=(("pcm_s16le", 16000), ("pcm_mulaw", 8000)), solo=True)
def backlog(recipe: Recipe) -> None:
    """The audio falls behind the clock: a little too slow for a long time, or many holes too short to count."""
    recipe.remake(turns=18)
    recipe.also |= {"pacing.too-slow", "continuity.muted"}
    recipe.status = ""
    if recipe.rng.random() < 0.3:
        _slow_uplink(recipe)
        return
    if recipe.rng.random() < 0.5:
        speed = float(recipe.rng.uniform(0.9305, 0.945))
        recipe.note = f"{speed:.3f} times"
        recipe.pace.append(shifted(lambda t: 0.08 + (t - 0.08) / speed))
        return
    every, hole = recipe.rng.uniform(4.2, 5.0), recipe.rng.uniform(0.35, 0.45)
    recipe.note = f"{hole:.2f} s every {every:.1f} s"
    recipe.pace.append(shifted(lambda t: t + int(t / every) * hole))


def _slow_uplink(recipe: Recipe) -> None:
    """The library takes each frame in time, and the network brings them later and later."""
    share = float(recipe.rng.uniform(0.5, 0.85))
    recipe.note, recipe.clock, punctual = f"uplink of {share:.2f}", "client", []

    def pace(frames: Frames) -> Frames:
        punctual.extend(frame.t for frame in frames)
        return shifted(lambda t: t / share)(frames)

    def rows(made: list[Row]) -> list[Row]:
        times = iter(punctual)
        for row in made:
            if "audio" in row:
                row["t"] = round(next(times), 4)
        return [made[0], *sorted(made[1:], key=lambda row: row["t"])]

    recipe.pace.append(pace)
    recipe.rows.append(rows)


@fault("latency.slow-reader", "reader")
def slow_reader(recipe: Recipe) -> None:
    """Events are read in batches, every three to six seconds."""
    recipe.clock = "client"
    recipe.read_every = float(recipe.rng.uniform(3.0, 6.0))
    recipe.also.add("latency.end-of-turn")
