"""A model of the service: turn events (or deltas, on the manual endpoint) for frames that arrive on a virtual clock.

It follows https://docs.cartesia.ai/use-the-api/stt/turns: text is cumulative and append-only, audio time is what counts
(when no audio comes, nothing happens), and the close command flushes. It knows the true speech instead of hearing it.
"""

from bisect import bisect_left

from faults_recipe import Frame, Recipe, Row
from faults_scene import Utterance

GARBAGE = (
    "Uh,",
    "the",
    "a",
    "Mm,",
    "of",
    "then",
    "or",
    "So",
    "and",
    "do",
    "him.",
    "there",
    "Ship,",
    "mole",
    "it",
    "Was",
)


Event = tuple[float, str, str | None]


class Room:
    """When what was sent is heard."""

    def __init__(self, frames: list[Frame]) -> None:
        self._untils, self._times = [], []
        reached, clock = 0.0, 0.0
        for frame in frames:
            reached, clock = max(reached, frame.until or 0.0), max(clock, frame.t)
            self._untils.append(reached)
            self._times.append(clock)

    def heard(self, at: float) -> float | None:
        """The time at which the scene's second `at` has arrived, or None."""
        index = bisect_left(self._untils, at)
        return self._times[index] if index < len(self._times) else None

    @property
    def until(self) -> float:
        """How much of the scene has arrived."""
        return self._untils[-1] if self._untils else 0.0


def listen(recipe: Recipe, frames: list[Frame], close_at: float | None) -> list[Row]:
    """The rows that the service's answers make, in order of time."""
    request_id = "".join(recipe.rng.choice(list("0123456789abcdef"), 8))
    room = Room([frame for frame in frames if frame.until is not None])
    events: list[Event] = [] if recipe.manual else [(0.06, "connected", None)]
    if recipe.service.hears != "nothing":
        flushes = [frame.t for frame in frames if frame.data == "finalize"]
        events += deltas(recipe, room, close_at, flushes) if recipe.manual else turns(recipe, room, close_at)
    clock, made = 0.0, []
    stop = recipe.service.stop_after
    for at, kind, text in events:
        clock = max(clock, at)
        if stop is not None and clock > stop and kind != "connected":
            continue
        made.append({"type": "receive", "t": clock, "json": _event(kind, request_id, text)})
    if recipe.manual and close_at is not None and recipe.service.closes:
        last = {"type": "done", "request_id": request_id}
        made.append({"type": "receive", "t": max(clock, close_at + recipe.service.flush_s), "json": last})
    return made


def _event(kind: str, request_id: str, text: str | None) -> dict[str, object]:
    if kind in ("partial", "final"):
        event = {"type": "transcript", "is_final": kind == "final", "request_id": request_id, "text": text or ""}
        return {**event, "language": "en"}
    event = {"type": kind, "request_id": request_id}
    return event if text is None else {**event, "transcript": text}


def turns(recipe: Recipe, room: Room, close_at: float | None) -> list[Event]:
    """Events of the auto endpoint; pauses count as the service hears them (`stretch`)."""
    events: list[Event] = []
    first = True
    for turn in _regrouped(recipe):
        spoken, complete = _turn(recipe, room, turn, close_at, first)
        events += spoken
        first = False
        if not complete:
            break
    return events


def _regrouped(recipe: Recipe) -> list[tuple[Utterance, ...]]:
    """Turns as the service would find them: a pause that it hears as short does not end one."""
    model = recipe.service
    grouped: list[tuple[Utterance, ...]] = []
    for turn in recipe.scene.turns:
        gap = (turn[0].start - grouped[-1][-1].end) * model.stretch if grouped else 99.0
        if gap < model.end_s + 0.25:
            grouped[-1] = (*grouped[-1], *turn)
        else:
            grouped.append(turn)
    return grouped


def _turn(
    recipe: Recipe, room: Room, turn: tuple[Utterance, ...], close_at: float | None, first: bool
) -> tuple[list[Event], bool]:
    """The events of one turn, and whether it came to its end."""
    model, rng = recipe.service, recipe.rng
    marks = _marks(recipe, turn, first)
    events: list[Event] = []
    for at, kind, text in marks:
        heard = room.heard(at)
        if heard is None:
            break
        events.append((heard + model.delay_s * rng.uniform(0.7, 1.3), kind, text))
    else:
        if model.late_end_s:
            events[-1] = (events[-1][0] + model.late_end_s, *events[-1][1:])
        return events, True
    if not events or close_at is None or not model.closes or model.forget_last_end:
        return events, not events
    if len(events) > 0:
        text = _so_far(recipe, turn, room.until + 1.0, first)
        events.append((max(close_at + model.flush_s, events[-1][0]), "turn.end", text))
    return events, False


def _marks(recipe: Recipe, turn: tuple[Utterance, ...], first: bool) -> list[Event]:
    """(second of the scene at which it is known, kind, text) in order."""
    model, rng = recipe.service, recipe.rng
    marks: list[Event] = [(turn[0].start + model.start_s, "turn.start", None)]
    shown = ""
    for number, part in enumerate(turn):
        at = max(part.start, marks[-1][0]) + model.update_s
        while at < part.end:
            text = _so_far(recipe, turn, at, first)
            if len(text) > len(shown):
                marks.append((at, "turn.update", text))
                shown = text
            at += model.update_s * rng.uniform(0.8, 1.2)
        whole = _so_far(recipe, turn, part.end + 1.0 if number == len(turn) - 1 else part.end, first)
        following = turn[number + 1].start if number + 1 < len(turn) else None
        eager_at = part.end + model.eager_s / model.stretch
        eager = (following is None and rng.random() < model.eager_share) or following is not None
        if eager and (following is None or eager_at < following):
            marks.append((eager_at, "turn.eager_end", whole))
            shown = whole
            if following is not None:
                marks.append((following + 0.12, "turn.resume", None))
    marks.append((turn[-1].end + model.end_s / model.stretch, "turn.end", shown if len(shown) >= len(whole) else whole))
    return sorted(marks, key=lambda mark: mark[0])


def _so_far(recipe: Recipe, turn: tuple[Utterance, ...], at: float, first: bool) -> str:
    said: list[str] = []
    for part in turn:
        share = (at - 0.25 - part.start) / (part.end - part.start)
        said += part.words[: max(0, min(len(part.words), int(share * len(part.words))))]
    if recipe.service.hears == "garbage":
        said = [GARBAGE[len(word) * 7 % len(GARBAGE)] for word in said[::3]]
    return ("" if first or not said else " ") + " ".join(said)


def deltas(recipe: Recipe, room: Room, close_at: float | None, flushes: list[float]) -> list[Event]:
    """Events of the manual endpoint: finals are what was said since the last one, partials only a preview."""
    events: list[Event] = []
    delay = recipe.service.delay_s
    for number, turn in enumerate(recipe.scene.turns):
        text = ("" if number == 0 else " ") + " ".join(word for part in turn for word in part.words)
        heard = room.heard(turn[-1].end + 0.2) or (close_at or 0.0) + recipe.service.flush_s
        half = room.heard((turn[0].start + turn[-1].end) / 2)
        if half is not None:
            events.append((half + delay, "partial", text[: len(text) // 2]))
        cut = len(text) * 2 // 3  # finals may split inside a word
        events += [(heard + delay, "final", text[:cut]), (heard + delay + 0.3, "final", text[cut:])]
    events += [(at + recipe.service.flush_s, "flush_done", None) for at in flushes]
    return sorted(events, key=lambda event: event[0])
