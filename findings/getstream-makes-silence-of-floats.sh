#!/usr/bin/env bash
# PyPI getstream 7.0.0: PcmData.from_numpy() makes silence of an array of floats.
set -euo pipefail
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT && cd "$work"
python3 -m venv v && v/bin/pip install -q --disable-pip-version-check 'getstream[webrtc]==7.0.0' 2>pip.log || { cat pip.log; exit 2; }
cat > show.py <<'PY'
import platform, sys
from importlib.metadata import version

import numpy as np
from getstream.video.rtc.track_util import PcmData

tone = (0.5 * np.sin(2 * np.pi * 300 * np.arange(16000) / 16000)).astype(np.float32)
seen = {
    "floats": PcmData.from_numpy(tone, sample_rate=16000),
    "floats, format='f32'": PcmData.from_numpy(tone, sample_rate=16000, format="f32").to_int16(),
    "whole numbers": PcmData.from_numpy((tone * 32767).astype(np.int16), sample_rate=16000),
}
print(f"getstream {version('getstream')}, numpy {version('numpy')}, Python {platform.python_version()}")
print("from_numpy() promises an automatic conversion of the type of the samples. Its default target are whole numbers of 16 bits,")
print("and the conversion is a cast: floats between -1 and 1, which is what sound files, models and browsers give, lose all that")
print("is behind the point, and that is everything. No error; the length, the rate and the printed line are right.")
print(f"printed: {seen['floats']}")
for what, pcm in seen.items():
    print(f"from {what}: {len(pcm.to_bytes())} bytes, samples from {pcm.samples.min()} to {pcm.samples.max()}")
sys.exit(0 if not seen["floats"].samples.any() and all(pcm.samples.max() > 16000 for what, pcm in seen.items() if what != "floats") else 1)
PY
v/bin/python show.py
