import asyncio
import gzip
import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from common import FIXTURES
from hypothesis import given
from hypothesis import strategies as st
from stand_in import check_turns

from sttdoctor.analysis.decoding import decode

sys.path.append(str(FIXTURES))  # its modules import each other by name, as a script's do

import cases_audio
import joins
import plans
import sounds
from cases import Audio, AudioCase, SessionCase, script_of
from clients import hangs_up, leaves
from plans import Format

_spec = importlib.util.spec_from_file_location("fixtures_build", FIXTURES / "build.py")  # `build` is a packaging tool
assert _spec is not None and _spec.loader is not None
build = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(build)

Row = dict[str, Any]

MANIFEST = json.loads((FIXTURES / "manifest.json").read_text(encoding="utf-8"))
MULAW_8K = Format("pcm_mulaw", 8000)
KEYS = {
    "session": {"schema", "started_at", "url", "headers", "client", "source", "clock"},
    "open": {"t", "status"},
    "receive": {"t", "json"},
    "close": {"t", "by", "code", "reason"},
    "transcript": {"t", "text"},
}


def rows_of(text: str) -> list[Row]:
    return [json.loads(line) for line in text.splitlines()]


def read_session(path: Path) -> list[Row]:
    data = path.read_bytes()
    return rows_of((gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8"))


def events_of(rows: list[Row]) -> list[Row]:
    return [row["json"] for row in rows if row["type"] == "receive"]


def turn_events_of(rows: list[Row]) -> list[Row]:
    greeting, *events = events_of(rows)
    assert greeting["type"] == "connected"
    return events


def audio_of(rows: list[Row]) -> list[Row]:
    return [row for row in rows if row["type"] == "send" and "audio" in row]


def check_schema(rows: list[Row]) -> None:
    assert [row["type"] for row in rows[:3]] == ["session", "open", "receive"]
    assert rows[0]["schema"] == "sttdoctor.session/1" and rows[0]["clock"] == "server"
    assert rows[0]["headers"]["authorization"] == "Bearer REDACTED"
    assert rows[0]["client"].endswith("/4.2.0")
    assert [row["type"] for row in rows].count("close") == 1
    for row in rows:
        if row["type"] == "send":
            assert len({"audio", "json", "text"} & set(row)) == 1
        else:
            assert set(row) == KEYS[row["type"]] | {"type"}
    times = [row["t"] for row in rows[1:]]
    assert times == sorted(times)


@pytest.fixture(scope="module")
def recorded() -> dict[str, list[Row]]:
    """Three real clients at once, about three seconds."""

    def burst(data: bytes, fmt: Format) -> plans.Plan:
        return plans.burst(plans.live(data, fmt), at=0.5, audio_s=1.5, within_s=0.1)

    spoken = Audio(("mary", 0.9), MULAW_8K)
    cut = Audio(("mary",), MULAW_8K)
    cases = [
        SessionCase("healthy", "", spoken),
        SessionCase("burst", "", spoken, pacing=burst),
        SessionCase("no-close", "", cut, ending=leaves),
        SessionCase("hung-up", "", cut, ending=hangs_up),
        SessionCase("sync", "", spoken, sync=True),
    ]

    async def record_together() -> list[str]:
        return list(await asyncio.gather(*[build.record(case) for case in cases]))

    texts = asyncio.run(record_together())
    assert not any("sk_car" in text for text in texts)
    return {case.name: rows_of(text) for case, text in zip(cases, texts, strict=True)}


@pytest.mark.parametrize("name", ["healthy", "burst", "no-close", "hung-up", "sync"])
def test_recorded_rows_follow_the_schema(recorded: dict[str, list[Row]], name: str) -> None:
    check_schema(recorded[name])
    check_turns(turn_events_of(recorded[name]))


@pytest.mark.parametrize("name", ["healthy", "sync"])
def test_healthy_client_gets_everything(recorded: dict[str, list[Row]], name: str) -> None:
    rows = recorded[name]
    assert [event["type"] for event in events_of(rows)][-1] == "turn.end"
    assert [row["json"] for row in rows if "json" in row and row["type"] == "send"] == [{"type": "close"}]
    assert (rows[-2]["by"], rows[-2]["code"]) == ("server", 1000)
    assert rows[-1]["text"] == "Mary rolled the barrel."


def test_healthy_client_is_paced_by_its_microphone(recorded: dict[str, list[Row]]) -> None:
    times = [row["t"] for row in audio_of(recorded["healthy"])]
    assert len(times) == 28  # 2.77 s in chunks of 0.1 s
    assert times[-1] - times[0] > 2.0  # never faster than realtime, whatever the machine is busy with


def test_burst_is_a_burst(recorded: dict[str, list[Row]]) -> None:
    times = [row["t"] for row in audio_of(recorded["burst"])]
    assert min(last - first for first, last in zip(times, times[14:], strict=False)) < 0.7  # 1.4 s of audio


def test_client_without_close_command_loses_its_turn(recorded: dict[str, list[Row]]) -> None:
    rows = recorded["no-close"]
    assert not [row for row in rows if row["type"] == "send" and "json" in row]
    assert [event for event in events_of(rows) if event["type"] == "turn.start"]
    assert not [event for event in events_of(rows) if event["type"] == "turn.end"]
    assert (rows[-2]["by"], rows[-2]["code"], rows[-1]["text"]) == ("client", 1000, "")


def test_client_that_hangs_up_loses_its_turn(recorded: dict[str, list[Row]]) -> None:
    rows = recorded["hung-up"]
    assert [row["json"] for row in rows if row["type"] == "send" and "json" in row] == [{"type": "close"}]
    assert not [event for event in events_of(rows) if event["type"] == "turn.end"]
    assert (rows[-2]["by"], rows[-2]["code"]) == ("client", 1000)


def test_manifest_and_files_agree() -> None:
    listed = {entry["path"] for entry in MANIFEST}
    found = {
        path.relative_to(FIXTURES).as_posix()
        for folder in ("audio", "sessions", "captures")
        for path in (FIXTURES / folder).iterdir()
    }
    assert listed == found
    assert len(listed) == len(MANIFEST)
    assert sum(path.stat().st_size for path in FIXTURES.rglob("*") if path.is_file() and path.suffix != ".pyc") < 16e6
    assert {entry["expected"]["first_cause"] is None for entry in MANIFEST} == {True, False}
    for entry in MANIFEST:
        assert entry["kind"] == ("audio" if entry["path"].startswith("audio/") else "session")
        assert (entry["expected"]["first_cause"] is None) == (entry["expected"]["status"] in ("pass", "unknown"))
        assert all((FIXTURES / clip).is_file() for clip in entry["origin"])


@pytest.mark.parametrize(
    "entry", [entry for entry in MANIFEST if entry["path"].startswith("sessions/")], ids=lambda e: e["path"]
)
def test_stored_sessions_follow_the_schema(entry: Row) -> None:
    rows = read_session(FIXTURES / entry["path"])
    check_schema(rows)
    check_turns(turn_events_of(rows))
    declared = entry["declared"]
    assert f"encoding={declared['encoding']}&" in rows[0]["url"]
    assert rows[0]["url"].endswith(f"sample_rate={declared['sample_rate']}")


@pytest.mark.parametrize("case", cases_audio.CASES, ids=lambda case: case.name)
def test_stored_audio_is_what_the_script_makes(case: AudioCase) -> None:
    stored = (FIXTURES / "audio" / f"{case.name}.raw").read_bytes()
    rebuilt = case.audio.data()
    assert len(stored) == len(rebuilt)
    if case.audio.damage is None:
        encoding = case.audio.true.encoding
        difference = decode(stored, encoding) - decode(rebuilt, encoding)
        assert np.max(np.abs(difference)) <= 0.02  # another resampler may round a G.711 code to its neighbour


@pytest.mark.parametrize(
    ("encoding", "tolerance"),
    [
        ("pcm_s16le", 2**-16),
        ("pcm_s32le", 2**-32),
        ("pcm_f16le", 2**-11),
        ("pcm_f32le", 2**-24),
        ("s16be", 2**-16),
        ("s24le", 2**-24),
        ("u8", 2**-8),
        ("pcm_mulaw", 2**-6),
        ("pcm_alaw", 2**-6),
    ],
)
@given(values=st.lists(st.floats(-0.97, 0.97), min_size=1, max_size=50))
def test_encoding_and_decoding_are_inverse(encoding: str, tolerance: float, values: list[float]) -> None:
    samples = np.array(values)
    assert np.max(np.abs(decode(sounds.encode(samples, encoding), encoding) - samples)) <= tolerance * 1.001


@given(st.binary(min_size=800, max_size=40_000), st.integers(0, 3))
def test_habits_of_pacing_keep_the_audio(data: bytes, habit: int) -> None:
    plan = plans.live(data, MULAW_8K)
    changed = [
        plans.jittered(plan, 0.06),
        plans.muted(plan, 0.2, 1.0),
        plans.stalled(plan, 0.2, 1.0),
        plans.burst(plan, 0.2, 1.0, 0.1),
    ][habit]
    assert b"".join(frame for _, frame in changed if isinstance(frame, bytes)) == data
    times = [time for time, _ in changed]
    assert times == sorted(times)


def test_stall_catches_up_and_mute_does_not() -> None:
    plan = plans.live(bytes(80_000), MULAW_8K)
    assert plans.stalled(plan, 3.0, 2.5)[-1][0] == plan[-1][0] == 10.0
    assert plans.muted(plan, 3.0, 2.5)[-1][0] == 12.5


def test_lost_byte_makes_one_odd_frame() -> None:
    fmt = Format("pcm_s16le", 8000)
    lengths = [len(frame) for _, frame in plans.one_byte_lost(plans.live(bytes(16_000), fmt), 0.5)]
    assert lengths.count(1599) == 1 and sum(lengths) == 15_999


def test_joins_of_two_turns() -> None:
    heard = [
        ("turn.start", ""),
        ("turn.update", "Hi"),
        ("turn.eager_end", "Hi there."),
        ("turn.end", "Hi there."),
        ("turn.update", " How"),
        ("turn.end", " How are you?"),
    ]
    assert joins.concatenated(heard) == "Hi there. How are you?"
    assert joins.updates_joined(heard) == "HiHi there. How How are you?"
    assert joins.eager_ends_joined(heard) == "Hi there.Hi there. How are you?"
    assert joins.separator_added(heard) == "Hi there.  How are you?"
    assert joins.whitespace_stripped(heard) == "Hi there.How are you?"
    assert joins.normalized(heard) == "hi there how are you"
    assert joins.last_turn_only(heard) == " How are you?"
    assert joins.handled_twice(heard) == "Hi there.Hi there. How are you? How are you?"
    assert joins.partial_kept(heard) == "Hi How"


def test_script_follows_the_pauses() -> None:
    assert script_of((0.3, "mary", 0.3, "bobby", 1.0, "bobby")).turns == (
        "Mary rolled the barrel. Bobby ripped the ledger.",
        "Bobby ripped the ledger.",
    )
