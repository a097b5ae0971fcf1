#!/usr/bin/env bash
# PyPI audio-pcm-resampler 0.1.0: 16-bit samples to mu-law gives half as many bytes as samples; mu-law to 16 bits wraps.
set -euo pipefail
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT && cd "$work"
python3 -c 'import sys; sys.exit(sys.version_info >= (3, 13))' || { echo "the package needs a Python below 3.13"; exit 2; }
python3 -m venv v && v/bin/pip install -q --disable-pip-version-check audio-pcm-resampler==0.1.0 2>pip.log || { cat pip.log; exit 2; }
cat > show.py <<'PY'
import platform, sys, warnings
from importlib.metadata import version

warnings.simplefilter("ignore")
import audioop
import numpy as np
from audio_pcm_resampler.audio_format import BitDepth, PCMFormat, ULAWFormat
from audio_pcm_resampler.audio_resampler import AudioResampler, AudioResamplerConfig

PCM, MU_LAW = PCMFormat(sample_rate=8000, bit_depth=BitDepth.INT16), ULAWFormat()

def convert(data, source, target):
    return AudioResampler(AudioResamplerConfig(input_format=source, output_format=target)).process(data)

tone = np.round(8000 * np.sin(2 * np.pi * 440 * np.arange(8000) / 8000)).astype(np.int16)
right = audioop.lin2ulaw(tone.tobytes(), 2)
sent = convert(tone, PCM, MU_LAW)
received = convert(right, MU_LAW, PCM)
print(f"audio-pcm-resampler {version('audio-pcm-resampler')}, Python {platform.python_version()}")
print("On the way to mu-law the samples are first made 8 bits wide, and two of them are then taken for one sample of 16")
print("bits: the stream is half as long as its sound, and sounds like noise an octave too high. On the way back samples of")
print("16 bits are multiplied as if they had 8, and wrap around. Neither raises an error.")
print(f"1 s at 8000 Hz to mu-law: {len(sent)} bytes (mu-law has {len(right)})")
print(f"mu-law to 16 bits: {received[:6].tolist()}")
print(f"right would be:    {np.frombuffer(audioop.ulaw2lin(right, 2), np.int16)[:6].tolist()}")
sys.exit(0 if len(sent) * 2 == len(right) and int(np.abs(received.astype(int)).max()) > 20000 else 1)
PY
v/bin/python show.py
