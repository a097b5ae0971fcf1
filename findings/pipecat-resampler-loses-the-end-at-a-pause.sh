#!/usr/bin/env bash
# PyPI pipecat-ai 1.14.0: its stream resampler drops what it holds when frames pause for more than 0.2 s.
set -euo pipefail
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT && cd "$work"
python3 -m venv v && v/bin/pip install -q --disable-pip-version-check pipecat-ai==1.14.0 2>pip.log || { cat pip.log; exit 2; }
cat > show.py <<'PY'
import asyncio, platform, sys, time
from importlib.metadata import version

import numpy as np
from loguru import logger

logger.remove()
from pipecat.audio.resamplers.soxr_stream_resampler import SOXRStreamAudioResampler

tone = (8000 * np.sin(2 * np.pi * 300 * np.arange(24000) / 24000)).astype(np.int16)
frames = [tone[i : i + 480].tobytes() for i in range(0, 24000, 480)]

async def run(pause_s, **options):
    resampler, sizes = SOXRStreamAudioResampler(**options), []
    for second in range(3):
        sizes.append([len(await resampler.resample(frame, 24000, 16000)) // 2 for frame in frames])
        time.sleep(pause_s)
    return sizes

async def main():
    steady = await run(0)
    paused = await run(0.25)
    print(f"pipecat-ai {version('pipecat-ai')}, soxr {version('soxr')}, Python {platform.python_version()}")
    print("The resampler for streams answers nothing for the first frames and then 69 ms at once, since it keeps the end of")
    print("what it has for its filter. When no frame comes for 0.2 s (muted, push to talk, a gap of a caller), its state is")
    print("cleared, and what it kept is gone: the end of the last word before each pause, without a word in the log.")
    print(f"24000 to 16000 Hz, frames of 20 ms, the first ones give {steady[0][:6]} samples of 320")
    for name, sizes in (("3 s without a pause", steady), ("3 s with a pause of 0.25 s after each second", paused)):
        print(f"{name}: {sum(map(sum, sizes)) / 16000:.3f} s came out; by second {[sum(part) for part in sizes]}")
    lost = [16000 - sum(part) for part in paused]
    return sum(map(sum, steady)) > 48000 - 1500 and len(set(lost)) == 1 and lost[0] > 500

sys.exit(0 if asyncio.run(main()) else 1)
PY
v/bin/python show.py
