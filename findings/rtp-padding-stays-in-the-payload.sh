#!/usr/bin/env bash
# PyPI rtp 0.0.4: the padding of a packet is handed out as its last samples.
set -euo pipefail
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT && cd "$work"
python3 -c 'import sys; sys.exit(sys.version_info >= (3, 13))' || { echo "audioop, the comparison, needs a Python below 3.13"; exit 2; }
python3 -m venv v && v/bin/pip install -q --disable-pip-version-check rtp==0.0.4 aiortc==1.16.0 2>pip.log || { cat pip.log; exit 2; }
cat > show.py <<'PY'
import platform, struct, sys, warnings
from importlib.metadata import version

warnings.simplefilter("ignore")
import audioop
from aiortc.rtp import RtpPacket
from rtp import RTP

def read(packets, unpack):
    return [bytes(unpack(packet).payload) for packet in packets]

quiet = audioop.lin2ulaw(bytes(320), 2)
padding = bytes(3) + b"\x04"  # RFC 3550, 5.1: octets at the end that are no payload, the last one says how many
packets = [struct.pack("!BBHII", 0xA0, 0, number, 160 * number, 7) + quiet + padding for number in range(50)]
ours = read(packets, lambda packet: RTP().fromBytes(packet))
theirs = read(packets, RtpPacket.parse)
last = struct.unpack("<4h", audioop.ulaw2lin(ours[0][-4:], 2))
made = RTP(padding=True, payload=bytearray(quiet)).toBytes()
print(f"rtp {version('rtp')}, aiortc {version('aiortc')}, Python {platform.python_version()}")
print("A packet may be filled up behind its samples, as some ciphers and devices need it. The library tells that it is, in")
print("`padding`, and leaves it in `payload`. Zeros are full scale in mu-law: in a quiet call each packet ends in a click,")
print("50 of them a second, and the sound comes out too long. Written with padding=True a packet has no padding but the bit that")
print("says so, and a reader by the book takes as many samples off its end as the last one says (255 in silence, so all).")
print(f"50 packets of 160 samples of silence: rtp gives {sum(map(len, ours))} bytes, aiortc {sum(map(len, theirs))}")
print(f"the end of each, decoded: {last}")
print(f"written with padding=True: {len(made) - 12} bytes behind the header, the last of them {made[-1]}")
sys.exit(0 if ours == [quiet + padding] * 50 and theirs == [quiet] * 50 and last[0] == -32124 and len(made) == 172 else 1)
PY
v/bin/python show.py
