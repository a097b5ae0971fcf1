"""Faults of what is made of right events: `joining`; and events that break the documented order: `turns`."""

import html
import json
import re
from urllib.parse import quote

from faults_recipe import Heard, Recipe, Row
from faults_registry import fault
from faults_scene import SENTENCES, joins


def _finals(heard: Heard) -> list[str]:
    return [text for kind, text in heard if kind == "turn.end"]


@fault("joining.updates-joined", "text")
def updates_joined(recipe: Recipe) -> None:
    recipe.join = [
        joins.updates_joined,
        joins.everything_joined,
        lambda h: "".join(t for k, t in h if k == "turn.update"),
    ][recipe.rng.integers(3)]


@fault("joining.eager-ends-joined", "text")
def eager_ends_joined(recipe: Recipe) -> None:
    recipe.service.eager_share = 1.0
    recipe.join = joins.eager_ends_joined


@fault("joining.separator-added", "text")
def separator_added(recipe: Recipe) -> None:
    separator = str(recipe.rng.choice([" ", "\n", "\n\n", ", "]))
    recipe.note = repr(separator)
    recipe.join = lambda heard: separator.join(_finals(heard))


@fault("joining.whitespace-stripped", "text")
def whitespace_stripped(recipe: Recipe) -> None:
    recipe.join = joins.whitespace_stripped


@fault("joining.normalized", "text")
def normalized(recipe: Recipe) -> None:
    kind = recipe.note = str(recipe.rng.choice(["lower", "no punctuation", "both", "numbers", "upper"]))
    recipe.status = "warn" if kind in ("lower", "upper") else "fail"

    def join(heard: Heard) -> str:
        text = joins.concatenated(heard)
        if kind == "numbers":  # inverse text normalisation of the application
            for word, digit in {"one": "1", "two": "2", "four": "4", "six": "6", "seven": "7", "nine": "9"}.items():
                text = re.sub(rf"\b{word}\b", digit, text)
            recipe.status = "warn" if text != joins.concatenated(heard) else "fail"  # else punctuation is all that goes
            return text.replace(",", "").replace(".", "")
        text = text.lower() if kind in ("lower", "both") else text.upper() if kind == "upper" else text
        return re.sub(r"[^\w\s']", "", text) if kind in ("no punctuation", "both") else text

    recipe.join = join


@fault("joining.turns-missing", "text")
def turns_missing(recipe: Recipe) -> None:
    kind = recipe.note = str(recipe.rng.choice(["last only", "first lost", "one lost", "last lost"]))

    def join(heard: Heard) -> str:
        turns = _finals(heard)
        kept = {"last only": turns[-1:], "first lost": turns[1:], "last lost": turns[:-1]}.get(
            kind, turns[:1] + turns[2:]
        )
        return "".join(kept)

    recipe.join = join


@fault("joining.turns-repeated", "text")
def turns_repeated(recipe: Recipe) -> None:
    one = bool(recipe.rng.random() < 0.5)
    recipe.note = "one" if one else "all"
    if not one:  # where every turn has an eager end of the same text, both habits give this text
        recipe.also.add("joining.eager-ends-joined")
    recipe.join = lambda h: "".join(t * 2 if not one or n == 1 else t for n, t in enumerate(_finals(h)))


@fault("joining.partial-kept", "text")
def partial_kept(recipe: Recipe) -> None:
    """The last update stands where the final text should (in every turn, or in the last one)."""
    every = bool(recipe.rng.random() < 0.5)
    recipe.note = "every turn" if every else "last turn"

    def join(heard: Heard) -> str:
        turns, partial = [], ""
        for kind, text in heard:
            if kind == "turn.update":
                partial = text
            elif kind == "turn.end":
                turns.append((partial, text))
                partial = ""
        return "".join(p if every or n == len(turns) - 1 else end for n, (p, end) in enumerate(turns))

    recipe.join = join


@fault("joining.order", "text")
def order(recipe: Recipe) -> None:
    """A later turn is stored before an earlier one, or the newest stands first."""
    newest = bool(recipe.rng.random() < 0.4)
    recipe.note = "newest first" if newest else "swapped"

    def join(heard: Heard) -> str:
        turns = _finals(heard)
        return "".join(turns[::-1] if newest else [*turns[:-2], turns[-1], turns[-2]])

    recipe.join = join


@fault("joining.words-merged", "text", also=("joining.turns-missing",))
def words_merged(recipe: Recipe) -> None:
    """A turn begins as the one before it ended, and the application takes that for an overlap."""
    kind = recipe.note = str(recipe.rng.choice(["turn", "overlap", "word"]))

    def events(made: list[Row]) -> list[Row]:
        """The second turn says the first once more, or goes on from its last two words; or one word stands twice."""
        first = next(row["json"]["transcript"] for row in made if row["json"]["type"] == "turn.end").strip()
        again = first if kind == "turn" else " ".join(first.split()[-2:])
        turn = 0
        for row in made:
            event = row["json"]
            turn += event["type"] == "turn.start"
            if turn == 2 and "transcript" in event:
                words = event["transcript"].split()
                event["transcript"] = f" {again}" if kind == "turn" else " " + " ".join([again, *words])
                if kind == "word":
                    event["transcript"] = " " + " ".join([*words[:1], *words])
        return made

    def join(heard: Heard) -> str:
        text = ""
        for said in _finals(heard):
            words = said.split()
            if kind == "word":
                words = [word for n, word in enumerate(words) if not n or word != words[n - 1]]
                text += (" " if text else "") + " ".join(words)
                continue
            before = text.split()
            same = max((n for n in range(len(words) + 1) if n and before[-n:] == words[:n]), default=0)
            text = " ".join([*before, *words[same:]])
        return text

    recipe.events.append(events)
    recipe.join = join


@fault("joining.truncated", "text", also=("joining.turns-missing", "joining.partial-kept"))
def truncated(recipe: Recipe) -> None:
    kind = recipe.note = str(recipe.rng.choice(["column", "ellipsis", "tail", "first words"]))
    share = float(recipe.rng.uniform(0.4, 0.9))

    def join(heard: Heard) -> str:
        text = joins.concatenated(heard)
        size = int(share * len(text))
        if kind == "first words":
            return "".join(re.sub(r"^(\s*)\S+ ?", r"\1", said) for said in _finals(heard))
        return text[-size:] if kind == "tail" else text[:size] + ("..." if kind == "ellipsis" else "")

    recipe.join = join


@fault("joining.wrong-charset", "text")
def wrong_charset(recipe: Recipe) -> None:
    """Names with accents, written in one encoding and read in another."""
    kind = recipe.note = str(recipe.rng.choice(["cp1252", "twice", "unknown", "ascii"]))
    recipe.events.append(lambda made: _named(made, "Zoë Müller"))

    def join(heard: Heard) -> str:
        text = joins.concatenated(heard)
        if kind == "unknown":
            return text.encode("latin-1").decode("utf-8", "replace")
        if kind == "ascii":
            return text.encode("ascii", "replace").decode()
        for _ in range(1 + (kind == "twice")):
            text = text.encode().decode("cp1252")
        return text

    recipe.join = join


@fault("joining.escaped", "text")
def escaped(recipe: Recipe) -> None:
    kind = recipe.note = str(recipe.rng.choice(["html twice", "html", "url", "json"]))
    recipe.status = "fail" if kind == "html twice" else "warn"
    recipe.events.append(lambda made: _named(made, "R&D's Zoë"))

    def join(heard: Heard) -> str:
        text = joins.concatenated(heard)
        if kind == "json":
            return json.dumps(text)
        return quote(text) if kind == "url" else html.escape(html.escape(text) if kind == "html twice" else text)

    recipe.join = join


@fault("joining.labels-added", "text", status="warn")
def labels_added(recipe: Recipe) -> None:
    label = recipe.note = str(recipe.rng.choice(["Speaker 1: ", "[00:00:04] ", "- ", "<br>"]))
    recipe.join = lambda heard: "\n".join(label + said.strip() for said in _finals(heard))


def _named(made: list[Row], name: str) -> list[Row]:
    """The first word of every text becomes a name."""
    for row in made:
        text = row["json"].get("transcript", "")
        if text.strip():
            row["json"]["transcript"] = re.sub(r"\S+", name, text, count=1)
    return made


@fault("joining.text-added", "text", status="warn")
def text_added(recipe: Recipe) -> None:
    """What was said in the session before is still there."""
    earlier = " ".join(recipe.rng.choice(SENTENCES, 2, replace=False))
    recipe.join = lambda heard: f"{earlier} {''.join(_finals(heard)).strip()}"


@fault("joining.unrelated", "text", status="warn")
def unrelated(recipe: Recipe) -> None:
    texts = [
        "Your parcel leaves the warehouse tomorrow morning; the courier will ring twice.",
        "[object Object]",
        "Welcome to the hotel. Breakfast is served from seven until ten on the ground floor.",
        "The weather in the mountains remains cold with some snow above a thousand metres.",
    ]
    chosen = str(recipe.rng.choice(texts))
    recipe.join = lambda _heard: chosen


@fault("turns.out-of-order", "events", status="warn")
def out_of_order(recipe: Recipe) -> None:
    kind = recipe.note = str(recipe.rng.choice(["resume", "start twice", "update outside", "swapped"]))
    recipe.text = False

    def events(made: list[Row]) -> list[Row]:
        kinds = [row["json"]["type"] for row in made]
        number = kinds.index("turn.update")
        if kind == "resume":
            made.insert(number + 1, _like(made[number], "turn.resume"))
        elif kind == "start twice":
            made.insert(number + 1, _like(made[number], "turn.start"))
        elif kind == "update outside":
            end = kinds.index("turn.end")
            made.insert(end + 1, {**made[number], "t": made[end]["t"] + 0.05})
        else:
            start = kinds.index("turn.start")
            made[start]["json"], made[number]["json"] = made[number]["json"], made[start]["json"]
        return made

    recipe.events.append(events)


def _like(row: Row, kind: str) -> Row:
    return {"type": "receive", "t": row["t"] + 0.01, "json": {"type": kind, "request_id": row["json"]["request_id"]}}


@fault("turns.not-cumulative", "events", status="warn")
def not_cumulative(recipe: Recipe) -> None:
    """Updates hold only what is new, or earlier text is changed."""
    kind = recipe.note = str(recipe.rng.choice(["deltas", "revised"]))
    recipe.text = False

    def events(made: list[Row]) -> list[Row]:
        before, turn = "", 0
        for row in made:
            event = row["json"]
            turn += event["type"] == "turn.start"
            before = "" if event["type"] == "turn.start" else before
            if event["type"] == "turn.update":
                text = event["transcript"]
                if kind == "deltas":
                    event["transcript"] = text[len(before) :]
                elif turn % 2 == 1 and len(text.split()) > 2:
                    event["transcript"] = text.replace(text.split()[0], "Well", 1)
                before = text
        return made

    recipe.events.append(events)


@fault("turns.left-open", "ending", also=("server.stopped-answering", "server.closed-abnormally"))
def left_open(recipe: Recipe) -> None:
    """All is done right, the server closes with 1000, and the last turn never ended."""
    recipe.end_mid_turn()
    recipe.service.forget_last_end = True
    recipe.text = False


@fault("turns.mixed-connections", "events", also=("turns.out-of-order",))
def mixed_connections(recipe: Recipe) -> None:
    """Events of another connection stand among this one's."""
    recipe.text = False
    shift = float(recipe.rng.uniform(0.4, 1.2))

    def events(made: list[Row]) -> list[Row]:
        other = [
            {"type": "receive", "t": row["t"] + shift, "json": {**row["json"], "request_id": "0badcafe"}}
            for row in made
            if row["json"]["type"] != "connected"
        ][: int(recipe.rng.integers(6, 14))]
        return sorted(made + other, key=lambda row: row["t"])

    recipe.events.append(events)
