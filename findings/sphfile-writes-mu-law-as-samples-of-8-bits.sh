#!/usr/bin/env bash
# PyPI sphfile 1.0.3: the mu-law of a NIST SPHERE file is written into a WAV file of linear samples, byte for byte.
# The README: "the library does not support files with embedded-shorten-* encodings, only the base ulaw encoding". No report found.
set -euo pipefail
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT && cd "$work"
python3 -c 'import sys; sys.exit(sys.version_info >= (3, 13))' || { echo "audioop, the comparison, needs a Python below 3.13"; exit 2; }
python3 -m venv v && v/bin/pip install -q --disable-pip-version-check sphfile==1.0.3 numpy==1.26.4 soundfile==0.14.0 2>pip.log || { cat pip.log; exit 2; }
cat > show.py <<'PY'
import math, platform, struct, sys, warnings, wave
from importlib.metadata import version

warnings.simplefilter("ignore")
import audioop
import numpy as np
import soundfile
from sphfile import SPHFile

def tone(peak):
    return [round(peak * math.sin(2 * math.pi * 440 * i / 8000)) for i in range(4000)]

def levels(samples):
    """Return the level of both halves, in dB below full scale."""
    return [round(10 * math.log10(np.mean(half**2))) for half in np.split(samples, 2)]

sound = struct.pack("<8000h", *tone(100), *tone(20000))  # half a second soft, half a second loud
head = "NIST_1A\n   1024\nsample_count -i 8000\nsample_n_bytes -i 1\nchannel_count -i 1\nsample_rate -i 8000\nsample_coding -s4 ulaw\nend_head\n"
with open("call.sph", "wb") as file:  # as corpora of telephone speech have it
    file.write(head.encode().ljust(1024, b" ") + audioop.lin2ulaw(sound, 2))
SPHFile("call.sph").write_wav("call.wav")
with wave.open("call.wav") as file:
    kind = f"{8 * file.getsampwidth()} bits, {file.getcomptype()}"
    codes = file.readframes(8000)
ours = levels((np.frombuffer(codes, "u1").astype(float) - 128) / 128)
theirs = levels(soundfile.read("call.sph")[0])
print(f"sphfile {version('sphfile')}, numpy {version('numpy')}, soundfile {version('soundfile')}, Python {platform.python_version()}")
print("sample_coding is read and not used: one byte a sample goes into the WAV file as if it were linear. The codes of soft sounds")
print("stand at its limits, so that they are as loud as the loud ones: pauses roar, and the words drown in it.")
print(f"the WAV file ({kind}): a soft tone at {ours[0]} dB, a loud one at {ours[1]} dB")
print(f"read by soundfile: {theirs[0]} dB and {theirs[1]} dB")
print(f"the samples of the WAV file are the codes of mu-law: {codes == audioop.lin2ulaw(sound, 2)}")
sys.exit(0 if kind == "8 bits, NONE" and ours[0] > -6 and ours[0] >= ours[1] - 3 and theirs[0] < theirs[1] - 40 and codes == audioop.lin2ulaw(sound, 2) else 1)
PY
v/bin/python show.py
