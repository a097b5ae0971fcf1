#!/usr/bin/env bash
# PyPI aiortc 1.16.0: the bytes of a received Opus frame's plane are six times as long as its sound.
set -euo pipefail
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT && cd "$work"
python3 -m venv v && v/bin/pip install -q --disable-pip-version-check aiortc==1.16.0 av==18.1.0 numpy 2>pip.log || { cat pip.log; exit 2; }
cat > show.py <<'PY'
import asyncio, fractions, platform, sys
from importlib.metadata import version

import av
import numpy as np
from aiortc import MediaStreamTrack, RTCPeerConnection

class Tone(MediaStreamTrack):
    kind = "audio"
    at = 0

    async def recv(self):
        await asyncio.sleep(0.02)
        samples = (8000 * np.sin(2 * np.pi * 300 * np.arange(self.at, self.at + 320) / 16000)).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 16000, self.at, fractions.Fraction(1, 16000)
        self.at += 320
        return frame

async def main():
    caller, called, frames = RTCPeerConnection(), RTCPeerConnection(), asyncio.Queue()

    @called.on("track")
    async def receive(track):
        for _ in range(30):
            frames.put_nowait(await track.recv())

    caller.addTrack(Tone())
    await caller.setLocalDescription(await caller.createOffer())
    await called.setRemoteDescription(caller.localDescription)
    await called.setLocalDescription(await called.createAnswer())
    await caller.setRemoteDescription(called.localDescription)
    got = [await asyncio.wait_for(frames.get(), 20) for _ in range(30)]
    await caller.close(), await called.close()
    return got

frames = asyncio.run(main())
frame = frames[-1]
plane, array = bytes(frame.planes[0]), frame.to_ndarray().tobytes()
sizes = {(len(bytes(f.planes[0])), len(f.to_ndarray().tobytes())) for f in frames}
rest = set(plane[len(array):])
print(f"aiortc {version('aiortc')}, av {version('av')}, Python {platform.python_version()}")
print("A received Opus track gives frames of 20 ms. bytes(frame.planes[0]) is the buffer that the decoder allocated, not")
print("the frame: 20 ms of sound, then 100 ms of zeros. Sent on as it is, speech comes out as a sixth of sound in holes,")
print("and six times too fast for the clock. frame.to_ndarray().tobytes() is the sound alone.")
print(f"a frame: {frame.format.name}, {frame.sample_rate} Hz, {frame.layout.name}, {frame.samples} samples")
print(f"bytes(frame.planes[0]): {len(plane)} bytes, of which behind the sound only {sorted(rest)}")
print(f"frame.to_ndarray().tobytes(): {len(array)} bytes; all {len(frames)} frames alike: {len(sizes) == 1}")
sys.exit(0 if sizes == {(23040, 3840)} and rest == {0} and plane.startswith(array) else 1)
PY
v/bin/python show.py
