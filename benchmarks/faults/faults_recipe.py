"""How one made session comes about: everything that a fault may change, healthy by default.

A fault is a function that changes a `Recipe`. `faults_make.rows` then plays it on a virtual clock.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from faults_scene import Rng, Samples, Scene, scene

Row = dict[str, Any]
Heard = list[tuple[str, str]]


@dataclass
class Frame:
    """One message of the client: bytes, a dict (JSON) or a str; `until` is how much of the scene is out with it."""

    t: float
    data: bytes | dict[str, Any] | str
    until: float | None = None


@dataclass
class Segment:
    """Bytes of one format; `frame` is what a chunk's length must be a multiple of."""

    data: bytes
    seconds: float
    frame: int


@dataclass
class Service:
    """How the stand-in service behaves; seconds."""

    start_s: float
    eager_s: float
    end_s: float
    update_s: float
    delay_s: float
    flush_s: float
    eager_share: float = 0.7
    hears: str = "words"  # or "garbage", "nothing"
    stretch: float = 1.0  # heard seconds for each true second of sound
    late_end_s: float = 0.0
    stop_after: float | None = None  # nothing is said after this time on the clock
    forget_last_end: bool = False
    closes: bool = True  # answers the close command


@dataclass
class Recipe:
    """A session to be made. `rng` is the only source of chance."""

    rng: Rng
    scene: Scene
    encoding: str
    chunk_s: float
    profile: str
    service: Service
    corpus: Path | None = None
    said_encoding: str | None = None
    said_rate: int | None = None
    jitter_s: float = 0.0
    start_burst_s: float = 0.0
    drift: float = 0.0
    file_pacing: bool = False
    path: str = "/stt/turns/websocket"
    manual: bool = False
    query: list[tuple[str, str]] = field(default_factory=list)
    drop_query: set[str] = field(default_factory=set)
    drop_headers: set[str] = field(default_factory=set)
    headers: dict[str, str] = field(default_factory=dict)
    refused: tuple[int, str] | None = None
    refused_late: bool = False  # by an error event behind an accepted handshake; the body is JSON then
    clock: str = "server"
    shape: list[Callable[[Samples], Samples]] = field(default_factory=list)
    write: Callable[[Samples], bytes] | None = None
    damage: list[Callable[[bytes], bytes]] = field(default_factory=list)
    segments: Callable[[Samples], list[Segment]] | None = None
    pace: list[Callable[[list[Frame]], list[Frame]]] = field(default_factory=list)
    events: list[Callable[[list[Row]], list[Row]]] = field(default_factory=list)
    close_after: float | None = 0.1
    close_command: Any = None
    leave_after: float | None = None
    leave: tuple[str, int, str] = ("client", 1000, "")
    lost_at: float | None = None
    lost: tuple[str, int, str] = ("unknown", 1006, "")
    read_until: float | None = None
    read_every: float | None = None
    join: Callable[[Heard], str] | None = None
    text: bool = True
    rows: list[Callable[[list[Row]], list[Row]]] = field(default_factory=list)
    note: str = ""  # which variant of the fault
    also: set[str] = field(default_factory=set)  # causes that the spec makes as good a name
    status: str = "fail"  # what the first diagnosis should say

    def frame(self, encoding: str | None = None) -> int:
        """Bytes a sample."""
        return WIDTHS[encoding or self.encoding]

    def remake(self, **options: Any) -> None:
        """Another scene at the same rate."""
        self.scene = scene(self.rng, self.scene.rate, corpus=self.corpus, **options)

    def end_mid_turn(self) -> None:
        """The audio ends while the last turn is being spoken."""
        last = self.scene.turns[-1][-1]
        self.scene = self.scene.cut(last.start + (last.end - last.start) * self.rng.uniform(0.6, 0.95))


WIDTHS = {
    "pcm_s16le": 2, "pcm_s32le": 4, "pcm_f16le": 2, "pcm_f32le": 4, "pcm_mulaw": 1, "pcm_alaw": 1,
    "u8": 1, "s8": 1, "s16be": 2, "s24le": 3, "s32be": 4, "f32be": 4, "f64le": 8, "s64le": 8,
}  # fmt: skip
SIX = ("pcm_s16le", "pcm_s32le", "pcm_f16le", "pcm_f32le", "pcm_mulaw", "pcm_alaw")
COMMON = (
    ("pcm_s16le", 16000), ("pcm_s16le", 16000), ("pcm_s16le", 8000), ("pcm_s16le", 24000), ("pcm_s16le", 48000),
    ("pcm_s16le", 44100), ("pcm_mulaw", 8000), ("pcm_mulaw", 8000), ("pcm_alaw", 8000), ("pcm_f32le", 16000),
    ("pcm_f32le", 48000), ("pcm_f16le", 16000), ("pcm_s32le", 44100), ("pcm_s32le", 16000), ("pcm_f32le", 24000),
)  # fmt: skip
"""Formats that clients use, the usual ones more often."""
PROFILES = ("python", "python", "js", "pipecat", "livekit", "websockets")


def service(rng: Rng) -> Service:
    """Latencies of one session: 0.3 to 0.8 s from the end of speech to the end of the turn, when chunks are short."""
    end = rng.uniform(0.2, 0.55)
    return Service(
        start_s=rng.uniform(0.1, 0.3),
        eager_s=end * rng.uniform(0.4, 0.8),
        end_s=end,
        update_s=rng.uniform(0.3, 0.7),
        delay_s=rng.uniform(0.05, 0.22),
        flush_s=rng.uniform(0.2, 0.8),
    )


def healthy(rng: Rng, corpus: Path | None = None, encoding: str = "", rate: int = 0, turns: int = 0) -> Recipe:
    """A client with nothing wrong; what is not given is drawn."""
    if not encoding:
        encoding, drawn = COMMON[rng.integers(len(COMMON))]
        rate = rate or drawn
    profile = PROFILES[rng.integers(len(PROFILES))]
    if encoding != "pcm_s16le" and profile in ("pipecat", "livekit"):
        profile = "python"  # both send 16-bit only
    chunk = {"pipecat": 0.02, "livekit": 0.16}.get(profile) or float(rng.choice([0.02, 0.04, 0.05, 0.1, 0.1, 0.2]))
    made = scene(rng, rate, turns or int(rng.integers(2, 5)), corpus)
    recipe = Recipe(rng, made, encoding, chunk, profile, service(rng), corpus)
    recipe.jitter_s = float(rng.choice([0.0, 0.003, 0.02]))
    return recipe
