"""Faults of frames: `frames`."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from faults_recipe import Frame, Recipe
from faults_registry import fault
from faults_scene import Samples

Change = Callable[[list[bytes]], list[bytes]]


def _change(recipe: Recipe, change: Change) -> None:
    """Change what the frames of audio hold, each in its place."""

    def apply(frames: list[Frame]) -> list[Frame]:
        changed = iter(change([frame.data for frame in frames if isinstance(frame.data, bytes)]))
        return [Frame(f.t, next(changed), f.until) if isinstance(f.data, bytes) else f for f in frames]

    recipe.pace.append(apply)
    recipe.service.hears = "garbage"
    recipe.text = False
    recipe.also |= {"frames.out-of-order"}


@fault("frames.header", "frames", solo=True)
def header(recipe: Recipe) -> None:
    kind = recipe.note = str(recipe.rng.choice(["RTP", "AudioSocket", "length", "sequence", "type", "padding"]))
    first, stamp = int(recipe.rng.integers(1 << 16)), int(recipe.rng.integers(1 << 31))
    ssrc = int(recipe.rng.integers(1 << 32)).to_bytes(4, "big")

    def put(number: int, data: bytes) -> bytes:
        count = (first + number) % (1 << 16)
        rtp = (
            bytes([0x80, 0]) + count.to_bytes(2, "big") + ((stamp + 160 * number) % (1 << 32)).to_bytes(4, "big") + ssrc
        )
        return {
            "RTP": rtp + data,
            "AudioSocket": b"\x10" + len(data).to_bytes(2, "big") + data,
            "length": len(data).to_bytes(4, "little") + data,
            "sequence": b"\x01\x00" + count.to_bytes(4, "little") + data,
            "type": b"\x02AUD" + data,
            "padding": data + bytes(len(data) // 4 // 8 * 8),
        }[kind]

    _change(recipe, lambda made: [put(number, data) for number, data in enumerate(made)])


@fault("frames.out-of-order", "frames", solo=True, also=("frames.header",))
def out_of_order(recipe: Recipe) -> None:
    """Packets, with their headers or without, some of which overtake the one before."""
    late = float(recipe.rng.uniform(0.1, 0.4))
    recipe.chunk_s = min(recipe.chunk_s, 0.04)
    bare = bool(recipe.rng.random() < 0.5)
    recipe.note = "samples alone" if bare else "RTP"

    def change(made: list[bytes]) -> list[bytes]:
        heads = (bytes([0x80, 0]) + n.to_bytes(2, "big") + (160 * n).to_bytes(4, "big") for n in range(len(made)))
        packets = list(made) if bare else [head + b"ssrc" + data for head, data in zip(heads, made, strict=True)]
        for n in range(0, len(packets) - 1, 2):
            if recipe.rng.random() < late:
                packets[n], packets[n + 1] = packets[n + 1], packets[n]
        return packets

    _change(recipe, change)


@fault("frames.repeated", "frames", solo=True)
def repeated(recipe: Recipe) -> None:
    kind = recipe.note = str(recipe.rng.choice(["pool", "twice", "stale", "overlap", "own", "stuck", "replay"]))
    if kind == "twice":  # two handlers send each frame
        recipe.pace.append(lambda frames: [f for frame in frames for f in (frame, replace(frame, t=frame.t + 0.0004))])
        recipe.service.hears, recipe.text = "garbage", False
        return

    def change(made: list[bytes]) -> list[bytes]:
        if kind == "stale":  # every other frame is lost, and the one before sent in its place
            return [made[number // 2 * 2] for number in range(len(made))]
        if kind == "overlap":
            return [made[max(number - 1, 0)][len(data) // 2 // 8 * 8 :] + data for number, data in enumerate(made)]
        if kind == "own":  # a converter that asks again gets the same buffer once more
            return [data + data[: len(data) // 4 // 8 * 8] for data in made]
        if kind == "replay":  # a reader of fragments takes the last one again whenever it goes on
            length = round(recipe.rng.uniform(0.5, 1.2) / recipe.chunk_s) * len(made[0])
            return _replay(made, length, 3 * length)
        if kind == "stuck":  # reading fails, and the buffer stays as it was
            loud = max(range(len(made) // 2), key=lambda n: len(set(made[n])))
            return [*made[: loud + 1], *[made[loud]] * (len(made) - loud - 1)]
        pool, out = bytearray(8 * max(map(len, made))), []
        for number, data in enumerate(made):
            at = number % 8 * len(data)
            pool[at : at + len(data)] = data
            out.append(bytes(pool))
        return out

    _change(recipe, change)


def _replay(made: list[bytes], length: int, every: int) -> list[bytes]:
    """The same frames of a stream in which the last `length` bytes come once more whenever `every` are out."""
    data, at, out = b"".join(made), 0, b""
    while len(out) < len(data):
        out += data[at : at + every] + data[at + every - length : at + every]
        at += every
    ends = np.cumsum([len(part) for part in made]).tolist()
    return [out[end - len(part) : end] for end, part in zip(ends, made, strict=True)]


@fault("frames.two-streams", "frames", solo=True, turns=(4, 5))
def two_streams(recipe: Recipe) -> None:
    shift = int(recipe.rng.integers(20, 60))

    def apply(frames: list[Frame]) -> list[Frame]:
        sounds = [frame for frame in frames if isinstance(frame.data, bytes)]
        out: list[Frame] = []
        for frame in frames:
            out.append(frame)
            if isinstance(frame.data, bytes):
                other = sounds[(sounds.index(frame) + len(sounds) // 2 + shift) % len(sounds)]
                out.append(Frame(frame.t + 0.0006, other.data, frame.until))
        return out

    recipe.pace.append(apply)
    recipe.service.hears = "garbage"
    recipe.text = False


@fault("frames.zero-filled", "frames", solo=True)
def zero_filled(recipe: Recipe) -> None:
    """Short reads: the buffer goes out whole, and what was not read yet comes with the next frame."""
    rng = recipe.rng

    def apply(frames: list[Frame]) -> list[Frame]:
        size = max(len(frame.data) for frame in frames)
        data, at, out = b"".join(frame.data for frame in frames), 0, []
        while at < len(data):
            n = size if rng.random() > 0.3 else int(size * rng.uniform(0.3, 0.9)) // 8 * 8
            due = frames[min(len(frames) - 1, (at + n) // size)]
            out.append(Frame(due.t, data[at : at + n].ljust(size, b"\0"), due.until))
            at += n
        return sorted(out, key=lambda frame: frame.t)

    recipe.pace.append(apply)
    recipe.service.hears, recipe.text = "garbage", False
    recipe.also |= {"signal.dropouts", "frames.out-of-order"}


@fault("frames.scaled", "frames", solo=True)
def scaled(recipe: Recipe) -> None:
    """Each chunk is divided by its own maximum, or mapped from its own minimum and maximum."""
    recipe.note = str(recipe.rng.choice(["by the maximum", "from minimum to maximum"]))
    size = max(1, round(len(recipe.scene.samples) / max(1, round(recipe.scene.duration / recipe.chunk_s))))

    def one(part: Samples) -> Samples:
        if recipe.note == "by the maximum":
            return 0.9 * part / np.abs(part).max()
        return np.interp(part, (part.min(), part.max()), (-1, 1))

    recipe.shape.append(lambda x: np.concatenate([one(x[at : at + size]) for at in range(0, len(x), size)]))
    recipe.service.hears, recipe.text = "garbage", False


@fault("frames.empty", "frames", solo=True, status="warn")
def empty(recipe: Recipe) -> None:
    def apply(frames: list[Frame]) -> list[Frame]:
        extra = [Frame(f.t + 0.002, b"", f.until) for f in frames[::2] if isinstance(f.data, bytes)]
        return sorted([*frames, *extra], key=lambda frame: frame.t)

    recipe.pace.append(apply)
