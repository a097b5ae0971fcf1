#!/usr/bin/env bash
# PyPI wyoming 1.10.2: one channel made of two is twice as loud and clipped; 8-bit samples cave in.
set -euo pipefail
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT && cd "$work"
python3 -m venv v && v/bin/pip install -q --disable-pip-version-check wyoming==1.10.2 2>pip.log || { cat pip.log; exit 2; }
cat > show.py <<'PY'
import array, math, platform, sys, warnings
from importlib.metadata import version

warnings.simplefilter("ignore")
from wyoming.audio import AudioChunk, AudioChunkConverter

tone = [round(20000 * math.sin(2 * math.pi * 300 * i / 16000)) for i in range(16000)]

def mix(samples, width, **wanted):
    """Return what the converter makes of a stereo chunk that has `samples` on both channels."""
    both = [sample for sample in samples for _ in range(2)]
    data = array.array("h", both).tobytes() if width == 2 else bytes(128 + (sample >> 8) for sample in both)
    return AudioChunkConverter(channels=1, **wanted).convert(AudioChunk(16000, width, 2, data)).audio

wide = array.array("h", bytes(mix(tone, 2)))
narrow, wanted = [value - 128 for value in mix(tone, 1)], [sample >> 8 for sample in tone]
clipped = sum(abs(sample) >= 32767 for sample in wide)
upper = [got for got, want in zip(narrow, wanted, strict=True) if want > 0]
print(f"wyoming {version('wyoming')}, Python {platform.python_version()}")
print("AudioChunkConverter adds the channels up where others take their mean: the same voice on both, which is what a stereo")
print("recording of one speaker is, becomes 6 dB louder, and all above half of the scale is cut off. Samples of 8 bits, which")
print("have no sign in WAV, are added up as if they had one, unless the width is to change as well: every other half of a wave caves in.")
print(f"a tone of 20000 on both channels, to one: from {min(wide)} to {max(wide)}, {100 * clipped / len(wide):.0f} % of it at the limits")
print(f"8 bits, around 128, begins {[128 + value for value in wanted[:8]]}")
print(f"to one channel:     begins {list(mix(tone, 1)[:8])}; of {len(upper)} samples above the middle {upper.count(0)} are the middle")
sys.exit(0 if clipped > 0.3 * len(wide) and 2 * upper.count(0) > len(upper) else 1)
PY
v/bin/python show.py
