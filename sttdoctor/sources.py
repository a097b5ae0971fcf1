"""What a source of audio gives when nothing is asked of it, and the change that makes it fit.

The bytes tell an encoding, a rate and channels; often just one call of a library gives exactly that by default, and
then the person who has the fault can be told which one and what to write instead. Each row was run with the version
that stands in it, unless it says otherwise.
"""

from collections.abc import Iterable

from sttdoctor.encodings import SUPPORTED
from sttdoctor.values import immutable

_MOST = 2
"""Sources that a fix names; more would be a list to read and no answer."""


@immutable
class Source:
    """What one call gives.

    Attributes:
        kind: Of source, as a reader looks for it.
        name: The call, the program or the platform.
        encoding: A name of `sttdoctor.encodings.ENCODINGS`.
        sample_rates: Hz, of which it has one; none where it is the file's or the device's own.
        channels: None where they are the file's or the device's own.
        change: What to write instead; `{rate}` in it stands for the rate that is wanted (`write_change`).
        seen: Version, and `documentation` where it was read and not run.
        more: What else there is to know; empty where nothing is.
    """

    kind: str
    name: str
    encoding: str
    sample_rates: tuple[int, ...]
    channels: int | None
    change: str
    seen: str
    more: str = ""


_TO_16K = "(np.clip(x, -1, 1) * 32767).astype('<i2').tobytes()"
_WORKLET = (
    "new AudioContext({sampleRate: {rate}}), and scale each block to Int16Array: Math.max(-1, Math.min(1, x)) * 32767"
)

SOURCES = (
    Source(
        "recorder",
        "arecord without -f",
        "u8",
        (8000,),
        1,
        "arecord -t raw -f S16_LE -r {rate} -c 1",
        "alsa-utils 1.2.8",
    ),
    Source(
        "recorder",
        "arecord -f cd",
        "pcm_s16le",
        (44100,),
        2,
        "arecord -t raw -f S16_LE -r {rate} -c 1",
        "alsa-utils 1.2.8",
    ),
    Source(
        "recorder",
        "arecord -f dat",
        "pcm_s16le",
        (48000,),
        2,
        "arecord -t raw -f S16_LE -r {rate} -c 1",
        "alsa-utils 1.2.8",
    ),
    Source(
        "recorder",
        "sox synth without -b",
        "pcm_s32le",
        (48000,),
        1,
        "sox ... -t raw -e signed -b 16 -r {rate} -c 1 -",
        "SoX 14.4.2",
    ),
    Source(
        "recorder", "rec, sox -d", "pcm_s16le", (48000,), 2, "rec -t raw -e signed -b 16 -r {rate} -c 1 -", "SoX 14.4.2"
    ),
    Source(
        "recorder",
        "ffmpeg -f s16le of a lavfi sine",
        "pcm_s16le",
        (44100,),
        1,
        "-ar {rate} -ac 1",
        "ffmpeg 5.1.9, n9.0.2",
    ),
    Source(
        "recorder",
        "ffmpeg -f mulaw without -ar",
        "pcm_mulaw",
        (44100,),
        2,
        "-ar 8000 -ac 1",
        "ffmpeg 5.1.9",
        "-f changes neither the rate nor the channels",
    ),
    Source(
        "recorder",
        "GStreamer after audioconvert ! audioresample without caps",
        "f64le",
        (44100,),
        1,
        "! audio/x-raw,format=S16LE,rate={rate},channels=1 !",
        "1.22.0",
    ),
    Source("recorder", "GStreamer audiotestsrc", "pcm_s16le", (44100,), 1, "! audio/x-raw,rate={rate} !", "1.22.0"),
    Source(
        "recorder",
        "espeak-ng",
        "pcm_s16le",
        (22050,),
        1,
        "espeak-ng --stdout TEXT | sox -t wav - -t raw -e signed -b 16 -r {rate} -c 1 -",
        "1.51",
        "on a pipe a WAV header comes first",
    ),
    Source(
        "sound server",
        "parec, pacat --record",
        "pcm_s16le",
        (44100,),
        2,
        "parec --format=s16le --rate={rate} --channels=1 --latency-msec=50",
        "PulseAudio 16.1",
        "the default whatever the source is; without --latency-msec it comes in pieces of two seconds",
    ),
    Source(
        "sound server",
        "pw-record x.raw",
        "pcm_s16le",
        (48000,),
        2,
        "pw-record --rate {rate} --channels 1 -",
        "PipeWire 0.3.65",
        "x.pcm and x.bin begin with a WAV header",
    ),
    Source(
        "browser",
        "an AudioWorklet or ScriptProcessor",
        "pcm_f32le",
        (48000, 44100),
        1,
        _WORKLET,
        "Chromium 156, Firefox 153",
    ),
    Source(
        "browser",
        "an AudioWorklet whose blocks are scaled but not resampled",
        "pcm_s16le",
        (48000, 44100),
        1,
        _WORKLET,
        "Chromium 156",
    ),
    Source(
        "browser",
        "@ricky0123/vad-web onSpeechEnd",
        "pcm_f32le",
        (16000,),
        1,
        "scale to Int16Array",
        "0.0.31, documentation",
    ),
    Source(
        "Python",
        "soundfile.read",
        "f64le",
        (),
        None,
        f"soundfile.read(path, dtype='float32'), then {_TO_16K}, [:, 0] of several channels",
        "0.14.0",
        "dtype='int16' does for files of integers only: of a float WAV it gives zeros",
    ),
    Source(
        "Python", "librosa.load", "pcm_f32le", (22050,), 1, f"librosa.load(path, sr={{rate}}), then {_TO_16K}", "0.11.0"
    ),
    Source(
        "Python",
        "librosa.load(sr=16000), faster_whisper.decode_audio",
        "pcm_f32le",
        (16000,),
        1,
        _TO_16K,
        "0.11.0, 1.2.1",
    ),
    Source(
        "Python",
        "sounddevice RawInputStream()",
        "pcm_f32le",
        (44100, 48000),
        None,
        "RawInputStream(samplerate={rate}, channels=1, dtype='int16')",
        "0.5.6",
        "channels are all that the device has",
    ),
    Source(
        "Python",
        "wave of an 8-bit WAV file",
        "u8",
        (8000,),
        1,
        "((np.frombuffer(b, 'u1').astype('<i2') - 128) << 8).tobytes()",
        "3.11, 3.13",
    ),
    Source(
        "Python",
        "wave or SpeechRecognition of a 24-bit WAV file",
        "s24le",
        (),
        None,
        "get_raw_data(convert_width=2), or ffmpeg -c:a pcm_s16le",
        "3.17.0",
    ),
    Source(
        "Python",
        "pydub raw_data of an 8-bit or mu-law WAV file",
        "s8",
        (8000,),
        1,
        "segment.set_sample_width(2)",
        "0.25.1",
    ),
    Source(
        "Python",
        "scipy.io.wavfile or pydub of a 24-bit WAV file",
        "pcm_s32le",
        (),
        None,
        "(x >> 16).astype('<i2')",
        "1.17.1, 0.25.1",
        "the 24 bits stand at the top",
    ),
    Source(
        "Python",
        "miniaudio decode_file, stream_file, CaptureDevice",
        "pcm_s16le",
        (44100,),
        2,
        "nchannels=1, sample_rate={rate}",
        "1.71",
    ),
    Source("Python", "soundcard record()", "pcm_f32le", (), 2, f"channels=1, then {_TO_16K}", "0.4.6"),
    Source(
        "Python",
        "g711.decode_ulaw",
        "pcm_f32le",
        (8000,),
        1,
        "send the mu-law bytes themselves and declare pcm_mulaw",
        "1.6.5",
    ),
    Source(
        "Python",
        "gradio streaming microphone, fastrtc",
        "pcm_s16le",
        (48000,),
        1,
        "resample to {rate} Hz, or declare 48000",
        "6.31.0, 0.0.34",
    ),
    Source(
        "Python",
        "aiortc to_ndarray, discord.py voice receive, py-cord",
        "pcm_s16le",
        (48000,),
        2,
        "AudioResampler('s16', 'mono', {rate})",
        "1.16.0, 2.7.1, 2.8.1",
    ),
    Source("JavaScript", "DataView.setInt16(i, v)", "s16be", (), None, "setInt16(i, v, true)", "Node 20"),
    Source(
        "JavaScript",
        "naudiodon",
        "s8",
        (44100,),
        2,
        "sampleFormat: 16, sampleRate: {rate}, channelCount: 1",
        "2.3.6, documentation",
    ),
    Source("JavaScript", "wavefile getSamples()", "f64le", (), 1, "getSamples(false, Int16Array)", "11.0.0"),
    Source("telephony", "Twilio media streams", "pcm_mulaw", (8000,), 1, "declare pcm_mulaw at 8000", "documentation"),
    Source(
        "telephony",
        "Vonage",
        "pcm_s16le",
        (16000,),
        1,
        "declare what content-type says: audio/l16;rate=8000 or 16000",
        "documentation",
    ),
    Source(
        "telephony",
        "Genesys AudioHook",
        "pcm_mulaw",
        (8000,),
        None,
        "take one channel, and declare pcm_mulaw at 8000",
        "documentation",
    ),
    Source(
        "telephony",
        "Asterisk AudioSocket",
        "pcm_s16le",
        (8000,),
        1,
        "declare pcm_s16le at 8000 (at 16000 for type 0x12), and cut the 3 bytes before them if they are there",
        "documentation",
    ),
    Source(
        "agent framework",
        "LiveKit AudioStream",
        "pcm_s16le",
        (48000,),
        1,
        "rtc.AudioStream(track, sample_rate={rate}, num_channels=1)",
        "1.2.1",
    ),
    Source(
        "agent framework",
        "livekit-agents room input",
        "pcm_s16le",
        (24000,),
        1,
        "declare 24000, or RoomInputOptions(audio_sample_rate={rate})",
        "1.8.9",
    ),
    Source(
        "agent framework",
        "pipecat pipeline input",
        "pcm_s16le",
        (16000,),
        1,
        "declare 16000, whatever the telephone line has",
        "1.14.0",
    ),
    Source(
        "board",
        "I2S of ESP32 with an INMP441",
        "pcm_s32le",
        (16000,),
        None,
        "take the left slot, and samples >> 16 (or >> 14 for a quiet one)",
        "documentation",
        "24 bits at the top of a 32-bit slot",
    ),
)


def describe(source: Source) -> str:
    """Return what a source gives, for a reader: `u8, 8000 Hz, one channel`."""
    rates = f"{' or '.join(map(str, source.sample_rates))} Hz" if source.sample_rates else "any rate"
    channels = {None: "any channels", 1: "one channel", 2: "two channels"}[source.channels]
    return f"{source.encoding}, {rates}, {channels}" + (f"; {source.more}" if source.more else "")


def write_change(source: Source, sample_rate: int = 16_000) -> str:
    """Return what to write instead, so that the source gives this rate (Hz)."""
    return source.change.replace("{rate}", str(sample_rate))


def match_sources(
    encoding: str, rates: Iterable[int], channels: int, is_browser: bool | None = None
) -> tuple[Source, ...]:
    """Return the sources that give just this, those that say the rate first.

    A source of any rate counts only where its encoding is one that the service does not take: the others are common.

    Args:
        encoding: A name of `sttdoctor.encodings.ENCODINGS`.
        rates: Hz, those that the sound and the clock leave possible; empty where nothing tells.
        channels: As many as were found.
        is_browser: Whether the client runs in a browser; None where nothing tells.
    """
    known = set(rates)
    alike = [
        source
        for source in SOURCES
        if source.encoding == encoding
        and source.channels in (None, channels)
        and (known & set(source.sample_rates) or (not source.sample_rates and encoding not in SUPPORTED))
        and (is_browser is None or is_browser == (source.kind == "browser") or source.kind == "JavaScript")
    ]
    return tuple(sorted(alike, key=lambda source: not source.sample_rates))


def name_sources(
    encoding: str, rates: Iterable[int], channels: int, is_browser: bool | None = None, declared_hz: int | None = None
) -> str:
    """Return a sentence for each source of such audio, with what to write instead; empty where many give it or none.

    Args:
        encoding: As `match_sources` takes it, like the others.
        rates: Hz.
        channels: As many as were found.
        is_browser: None where nothing tells.
        declared_hz: The rate that the source should give; None for what is usual.
    """
    found = [
        (source.name, write_change(source, declared_hz) if declared_hz else write_change(source))
        for source in match_sources(encoding, rates, channels, is_browser)
    ]
    if not 1 <= len(found) <= _MOST:
        return ""
    return "".join(f" Using {name}? That is its default; instead: {change}." for name, change in found)
