#!/usr/bin/env bash
# PyPI PyWave 0.5.0: read() goes on behind the samples, and gives the text of the next chunk as sound.
set -euo pipefail
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT && cd "$work"
python3 -m venv v && v/bin/pip install -q --disable-pip-version-check PyWave==0.5.0 2>pip.log || { cat pip.log; exit 2; }
cat > show.py <<'PY'
import pathlib, platform, struct, sys, wave
from importlib.metadata import version

import PyWave

def chunk(name, data):
    return name + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)

# Half a second of a quiet room, and behind it who recorded it, where most editors and sound cards put that.
room = struct.pack("<4000h", *[3, -2, 0, 1] * 1000)
about = chunk(b"LIST", b"INFO" + chunk(b"ISFT", b"Recorder 2.1\0"))
body = b"WAVE" + chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, 8000, 16000, 2, 16)) + chunk(b"data", room) + about
pathlib.Path("room.wav").write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
file, parts = PyWave.open("room.wav"), []
while part := file.read(320):  # 20 ms, until it is empty, as its page shows
    parts.append(part)
read = b"".join(parts)
rest = read[len(room):]
with wave.open("room.wav") as right:
    frames = right.readframes(right.getnframes())
print(f"PyWave {version('PyWave')}, Python {platform.python_version()}")
print("The place in the data is compared with the end of the data in the file, which lies farther by the length of the header:")
print("what stands within 44 bytes behind the samples is handed out with them. At the end of a file in a quiet room that is a")
print("burst at full scale, so the last word has a click behind it; of samples of 24 bits the next file begins out of step.")
print(f"samples in the file: {len(room)} bytes; Python's wave reads {len(frames)}, PyWave {len(read)}")
print(f"the last of them: {rest!r}, as samples up to {max(map(abs, struct.unpack(f'<{len(rest) // 2}h', rest)))}")
sys.exit(0 if frames == room and read == room + about[:44] and len(rest) > 30 else 1)
PY
v/bin/python show.py
