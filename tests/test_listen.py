"""Every command that a report prints runs as it stands, with the real ffmpeg, and plays what the tool believes."""

import base64
import os
import shlex
import shutil
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest
import soundfile
from common import FIXTURES, HEADER, OPEN, jsonl

import sttdoctor
from sttdoctor.analysis.decoding import Layout, decode
from sttdoctor.analysis.facts import Facts
from sttdoctor.encodings import ENCODINGS, SUPPORTED
from sttdoctor.errors import InputError
from sttdoctor.evidence import Audio, Declared
from sttdoctor.listen import build_repeat, list_commands, write_wav
from sttdoctor.readers.audio_file import read_audio
from sttdoctor.thresholds import DEFAULTS

needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
needs_ffplay = pytest.mark.skipif(shutil.which("ffplay") is None, reason="ffplay is not installed")

# What stands in for ffplay, which needs a display and a sound device: the same arguments given to ffmpeg, the file
# behind -i as ffmpeg wants it, and the sound written to a file instead of played.
STAND_IN = """#!{python}
import subprocess, sys
*arguments, file = sys.argv[1:]
line = ["ffmpeg", "-v", "error", "-nostdin", "-y", *arguments, "-i", file, "-c:a", "pcm_s16le", "{heard}"]
sys.exit(subprocess.run(line).returncode)
"""
TOOL = '#!/bin/sh\nexec {python} -m sttdoctor "$@"\n'
NAMES = ["plain.raw", "with space.raw", 'it\'s "quoted".raw', "-dash.raw", "12:30.raw", "$HOME;`x`.raw", "file:a.raw"]


def speech(encoding: str, seconds: float = 2.0) -> bytes:
    """Real speech at 8 kHz in an encoding."""
    data = (FIXTURES / "audio" / "mulaw-8k.raw").read_bytes()[: int(8000 * seconds)]
    samples = decode(data, "pcm_mulaw")
    if encoding == "pcm_mulaw":
        return data
    if encoding == "pcm_alaw":
        table = decode(bytes(range(256)), "pcm_alaw")
        return np.abs(samples[:, None] - table[None, :]).argmin(axis=1).astype(np.uint8).tobytes()
    scale, dtype = {
        "pcm_s16le": (2**15, "<i2"),
        "pcm_s32le": (2**31, "<i4"),
        "pcm_f16le": (1, "<f2"),
        "pcm_f32le": (1, "<f4"),
    }[encoding]
    return (samples * scale).astype(dtype).tobytes()


def play(command: str, folder: Path) -> tuple[np.ndarray, int]:
    """Run a printed command unchanged in a shell; return the samples and the rate that came out."""
    tools, heard = folder / ".tools", folder / ".tools" / "heard.wav"
    tools.mkdir(exist_ok=True)
    heard.unlink(missing_ok=True)
    for name, text in (("ffplay", STAND_IN), ("sttdoctor", TOOL)):
        (tools / name).write_text(text.format(python=sys.executable, heard=heard))
        (tools / name).chmod(0o755)
    environment = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}", "HOME": "/nowhere"}
    done = subprocess.run(["sh", "-c", command], cwd=folder, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, ""), command
    samples, rate = soundfile.read(heard)
    return samples, rate


def check(folder: Path, name: str, data: bytes, monkeypatch: pytest.MonkeyPatch, **declared: object) -> dict:
    (folder / name).write_bytes(data)
    monkeypatch.chdir(folder)
    return dict(sttdoctor.check(name, **declared).listen)  # type: ignore[arg-type]


def sounds_like(samples: np.ndarray, data: bytes, encoding: str) -> None:
    """16 bits of the decoded bytes, to within the rounding of the last bit."""
    expected = decode(data, encoding)
    assert samples.shape == expected.shape
    np.testing.assert_allclose(samples, np.clip(expected, -1, 32767 / 32768), atol=1.01 / 32768)


@needs_ffmpeg
@pytest.mark.parametrize("encoding", SUPPORTED)
def test_each_declared_encoding_plays(tmp_path, monkeypatch, encoding):
    data = speech(encoding)
    listen = check(tmp_path, "a.raw", data, monkeypatch, encoding=encoding, sample_rate=8000, select=["encoding"])
    assert listen["declared"] == listen["estimated"] or encoding == "pcm_f16le"
    for command in {listen["declared"], listen["estimated"]}:
        samples, rate = play(command, tmp_path)
        assert rate == 8000
        sounds_like(samples, data, encoding)


@needs_ffmpeg
@pytest.mark.parametrize(
    ("name", "encoding"), [(name, "pcm_mulaw") for name in NAMES] + [("-1:2 'x'.raw", "pcm_f16le")]
)
def test_any_file_name_plays(tmp_path, monkeypatch, name, encoding):
    data = speech(encoding)
    listen = check(tmp_path, name, data, monkeypatch, encoding=encoding, sample_rate=8000, select=["encoding"])
    sounds_like(play(listen["declared"], tmp_path)[0], data, encoding)


@needs_ffmpeg
@pytest.mark.parametrize("encoding", ["pcm_s16le", "pcm_f16le"])
def test_the_estimate_plays_from_its_offset_and_at_its_rate(tmp_path, monkeypatch, encoding):
    data = speech(encoding, 3.0)
    listen = check(
        tmp_path, "a.raw", data[1:], monkeypatch, encoding="pcm_mulaw", sample_rate=8000, select=["encoding"]
    )
    samples, rate = play(listen["estimated"], tmp_path)
    assert rate == 8000
    sounds_like(samples, data[2:], encoding)
    assert len(play(listen["declared"], tmp_path)[0]) == len(data) - 1


@needs_ffmpeg
@pytest.mark.parametrize(
    ("name", "encoding"), [("call.jsonl", "pcm_s16le"), ("-call 1:2.jsonl.gz", "pcm_f16le"), ("call.raw", "pcm_mulaw")]
)
def test_a_session_is_converted_and_plays(tmp_path, monkeypatch, name, encoding):
    data = speech(encoding)
    chunks = [data[start : start + 1600] for start in range(0, len(data), 1600)]
    rows = [
        {"type": "send", "t": 0.1 * i, "audio": base64.b64encode(part).decode()} for i, part in enumerate(chunks, 1)
    ]
    url = f"wss://api.cartesia.ai/stt/turns/websocket?encoding={encoding}&sample_rate=8000"
    (tmp_path / name).write_bytes(jsonl({**HEADER, "url": url}, OPEN, *rows))
    before = (tmp_path / name).read_bytes()
    monkeypatch.chdir(tmp_path)
    listen = sttdoctor.replay(name, select=["encoding"]).listen
    samples, rate = play(f"{listen['convert']} && {listen['estimated']}", tmp_path)
    assert rate == 8000
    sounds_like(samples, data, encoding)
    sounds_like(play(listen["declared"], tmp_path)[0], data, encoding)
    assert (tmp_path / name).read_bytes() == before


@needs_ffmpeg
def test_what_changes_on_the_way_plays_from_there_on(tmp_path, monkeypatch):
    session = FIXTURES / "sessions" / "format-48k-then-16k.jsonl.gz"
    (tmp_path / session.name).write_bytes(session.read_bytes())
    whole = (FIXTURES / "audio" / "byte-lost-midway.raw").read_bytes()
    listen = check(tmp_path, "lost.raw", whole, monkeypatch, encoding="pcm_s16le", sample_rate=16000)
    sounds_like(play(listen["estimated"], tmp_path)[0], whole[116_737:], "pcm_s16le")
    (tmp_path / "lost.raw").write_bytes(whole[:-1])  # ffmpeg complains of half a sample at the end
    sounds_like(play(listen["declared"], tmp_path)[0], whole[116_738:-1], "pcm_s16le")
    listen = sttdoctor.replay(session.name).listen
    (slow, right), (fast, wrong) = (
        play(f"{listen['convert']} && {listen[which]}", tmp_path) for which in ("estimated", "declared")
    )
    assert (right, wrong) == (16_000, 48_000)
    np.testing.assert_array_equal(slow, fast)


@needs_ffmpeg
@pytest.mark.parametrize("encoding", sorted(name for name, how in ENCODINGS.items() if how.ffmpeg))
def test_ffmpeg_knows_each_format_name(tmp_path, encoding):
    data = np.random.default_rng(1).bytes(ENCODINGS[encoding].width * 400)
    path = tmp_path / "a.raw"
    path.write_bytes(data)
    facts = Facts(DEFAULTS, audio=read_audio(path), declared=Declared())
    samples, rate = play(list_commands(facts, Layout(encoding), 22050)["estimated"] or "", tmp_path)
    assert (len(samples), rate) == (400, 22050)


@needs_ffplay
@pytest.mark.parametrize("encoding", ["pcm_s16le", "pcm_mulaw"])
def test_the_real_ffplay_takes_the_command(tmp_path, encoding):
    path = tmp_path / "a.raw"
    path.write_bytes(speech(encoding, 0.3))
    facts = Facts(DEFAULTS, audio=read_audio(path), declared=Declared())
    command = list_commands(facts, Layout(encoding, offset=2), 8000)["estimated"]
    assert command is not None
    quiet = command.replace("ffplay", "ffplay -v error -nostats -nodisp -autoexit", 1)
    silent = {**os.environ, "SDL_AUDIODRIVER": "dummy", "SDL_VIDEODRIVER": "dummy"}
    done = subprocess.run(["sh", "-c", quiet], env=silent, capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("source", [b"\1\2" * 500, "stream"])
def test_without_a_path_there_is_no_command(source):
    with (FIXTURES / "audio" / "mulaw-8k.raw").open("rb") as file:
        report = sttdoctor.check(file if source == "stream" else source, encoding="pcm_mulaw", sample_rate=8000)
    assert report.listen == {"declared": None, "estimated": None}


def test_without_a_declaration_there_is_no_declared_command(tmp_path, monkeypatch):
    assert check(tmp_path, "a.raw", bytes(1000), monkeypatch) == {"declared": None, "estimated": None}


def case_of(data: bytes) -> Facts:
    return Facts(DEFAULTS, audio=Audio(np.frombuffer(data, np.uint8)))


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_wav_file_holds_the_decoded_samples(tmp_path, encoding):
    data = np.random.default_rng(2).bytes(ENCODINGS[encoding].width * 3000 + 1)
    path = tmp_path / "a.wav"
    write_wav(case_of(data), Layout(encoding), 22050, str(path))
    samples, rate = soundfile.read(path)
    assert rate == 22050 and soundfile.info(path).channels == 1
    expected = np.nan_to_num(decode(data, encoding), nan=0.0)
    if "f" not in encoding:  # the size of random floats is anything
        np.testing.assert_allclose(samples, np.clip(expected, -1, 32767 / 32768), atol=0.51 / 32768)
    assert len(samples) == len(expected)


def test_a_wav_file_clips_and_takes_no_number_for_silence(tmp_path):
    values = [0.5, 2.0, -2.0, np.nan, np.inf, -np.inf]
    path = tmp_path / "a.wav"
    write_wav(case_of(np.array(values, "<f4").tobytes()), Layout("pcm_f32le"), 8000, str(path))
    assert soundfile.read(path, dtype="int16")[0].tolist() == [16384, 32767, -32768, 0, 32767, -32768]


def test_floats_in_16_bit_units_are_brought_to_full_scale(tmp_path):
    samples = decode(speech("pcm_mulaw"), "pcm_mulaw")
    path, raw = tmp_path / "a.wav", tmp_path / "a.raw"
    raw.write_bytes((samples * 32768).astype("<f4").tobytes())
    facts = Facts(DEFAULTS, audio=read_audio(raw), declared=Declared("pcm_f32le", 8000))
    write_wav(facts, Layout("pcm_f32le"), 8000, str(path))
    np.testing.assert_allclose(soundfile.read(path)[0], samples, atol=0.51 / 32768)


def test_interleaved_channels_and_offset_are_kept(tmp_path):
    data = np.arange(-50, 51, dtype="<i2").tobytes()
    path = tmp_path / "a.wav"
    write_wav(case_of(b"\0" + data), Layout("pcm_s16le", offset=1, channels=2), 8000, str(path))
    samples, _ = soundfile.read(path, dtype="int16")
    assert samples.tolist() == np.arange(-50, 50).reshape(-1, 2).tolist()


@pytest.mark.parametrize(
    ("layout", "rate", "target", "says"),
    [
        (None, 8000, "a.wav", "no audio that can be decoded"),
        (Layout("pcm_s16le"), 8000, "missing/a.wav", "cannot write .*missing/a.wav: there is no directory .*missing"),
        (Layout("pcm_s16le"), 8000, "", "Is a directory"),
    ],
)
def test_a_wav_file_that_cannot_be_written_is_told(tmp_path, layout, rate, target, says):
    with pytest.raises(InputError, match=says):
        write_wav(case_of(bytes(100)), layout, rate, str(tmp_path / target))


def test_where_nothing_tells_the_rate_the_most_usual_one_is_written(tmp_path):
    write_wav(case_of(bytes(100)), Layout("pcm_s16le"), None, str(tmp_path / "a.wav"))
    with wave.open(str(tmp_path / "a.wav")) as wav:
        assert (wav.getframerate(), wav.getnframes()) == (16000, 50)


def test_audio_that_no_wav_file_can_hold_is_refused(tmp_path):
    path = tmp_path / "a.raw"
    with path.open("wb") as file:
        file.truncate(5 << 30)
    facts = Facts(DEFAULTS, audio=read_audio(path))
    with pytest.raises(InputError, match="too long for a WAV file"):
        write_wav(facts, Layout("pcm_s16le"), 8000, str(tmp_path / "a.wav"))


@pytest.mark.parametrize("name", ["a b.jsonl", "it's; rm -rf $HOME.jsonl", "`x`.jsonl", 'x"y.jsonl', "\u00fc.jsonl"])
def test_the_command_that_repeats_a_report_is_quoted_and_names_no_folder(name):
    options = {
        "--transcript": Path("/home/me/my text.txt"),
        "--connection": "all",
        "--select": ("pacing", "drain"),
        "--ignore": (),
    }
    command = build_repeat("replay", (f"/home/me/{name}", "-"), options, {"pacing.min_s": 6.0})
    typed = [
        "--transcript",
        "my text.txt",
        "--connection",
        "all",
        "--select",
        "pacing,drain",
        "--set",
        "pacing.min_s=6",
    ]
    assert shlex.split(command) == ["sttdoctor", "replay", name, "-", *typed]


@pytest.mark.parametrize(("name", "typed"), [("-v", "./-v"), ("--config=x", "./--config=x"), ("a:b", "./a:b")])
def test_a_name_that_looks_like_an_option_is_no_option(name, typed):
    assert shlex.split(build_repeat("check", (name,), {"--encoding": None}, {})) == ["sttdoctor", "check", typed]


def test_a_key_in_a_name_is_not_repeated():
    assert "sk_car_" not in build_repeat("check", ("sk_car_AbCdEfGhIjKlMnOpQrStUvWx.raw",), {}, {})
