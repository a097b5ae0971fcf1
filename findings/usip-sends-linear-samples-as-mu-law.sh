#!/usr/bin/env bash
# PyPI usip 1.0.0: it offers PCMU and sends the microphone's 16-bit samples in its packets, and plays the peer's mu-law as 16 bits.
# RFC 3551, 4.5.14: PCMU is one byte of G.711 mu-law a sample. Its page names "RTP audio streaming" and no codec; no report found.
set -euo pipefail
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT && cd "$work"
python3 -c 'import sys; sys.exit(sys.version_info >= (3, 13))' || { echo "audioop, the comparison, needs a Python below 3.13"; exit 2; }
python3 -m venv v && v/bin/pip install -q --disable-pip-version-check --no-deps usip==1.0.0 2>pip.log || { cat pip.log; exit 2; }
cat > pyaudio.py <<'PY'
"""In the place of PyAudio, which needs a sound card: a microphone that hears a tone, and a loudspeaker that keeps what it gets."""
import math, struct, time

paInt16, played = 8, []

class Stream:
    at = 0

    def read(self, frames, exception_on_overflow=True):
        time.sleep(frames / 8000)
        self.at += frames
        return struct.pack(f"<{frames}h", *(round(8000 * math.sin(2 * math.pi * 440 * i / 8000)) for i in range(self.at - frames, self.at)))

    def write(self, data):
        played.append(data)

    def stop_stream(self): ...
    close = stop_stream

class PyAudio:
    def open(self, **how):
        return Stream()

    def get_device_info_by_index(self, index):
        return {"maxInputChannels": 1, "maxOutputChannels": 1}
PY
cat > show.py <<'PY'
import platform, re, socket, struct, sys, warnings
from importlib.metadata import version
from pathlib import Path

warnings.simplefilter("ignore")
import audioop
import pyaudio
import sip_client
from sip_client.audio import AudioManager

peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
peer.bind(("127.0.0.1", 0))
peer.settimeout(5)
free = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
free.bind(("127.0.0.1", 0))
port = free.getsockname()[1]
free.close()
line = AudioManager()
line.start_audio_stream(0, 0, port, peer.getsockname())
ours = [peer.recv(2048) for _ in range(10)]
theirs = audioop.lin2ulaw(struct.pack("<160h", *[4000] * 160), 2)
for number in range(5):
    peer.sendto(struct.pack("!BBHII", 0x80, 0, number, 160 * number, 9) + theirs, ("127.0.0.1", port))
    ours.append(peer.recv(2048))
line.stop_audio_stream()
line.audio_thread.join(2)
offer = re.findall(r"a=rtpmap:\d+ ([\w/-]+)", Path(sip_client.__path__[0], "sip", "messages.py").read_text())
kind, payload = ours[0][1] & 0x7F, ours[0][12:]
linear = payload == pyaudio.Stream().read(160)
print(f"usip {version('usip')}, Python {platform.python_version()}")
print("No codec stands between the sound card and the packets. The other side decodes each half of a sample as mu-law: noise, twice as")
print("long as it should be. And what it says is played as if two of its bytes were one sample: noise, half as long.")
print(f"in its offer: {', '.join(offer)}")
print(f"sent: payload type {kind} (PCMU) with {len(payload)} bytes for 160 samples; they are the samples themselves: {linear}")
print(f"received {len(theirs)} bytes of mu-law, given to the sound card as 16-bit samples: {len(pyaudio.played[0])} bytes, the same: {pyaudio.played[0] == theirs}")
sys.exit(0 if "PCMU/8000" in offer and kind == 0 and len(payload) == 320 and linear and pyaudio.played[0] == theirs else 1)
PY
v/bin/python show.py
