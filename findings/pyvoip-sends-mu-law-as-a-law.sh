#!/usr/bin/env bash
# PyPI pyVoIP 1.6.8: in a call of A-law it sends mu-law under the number of A-law.
set -euo pipefail
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT && cd "$work"
python3 -c 'import sys; sys.exit(sys.version_info >= (3, 13))' || { echo "the package needs audioop, so a Python below 3.13"; exit 2; }
python3 -m venv v && v/bin/pip install -q --disable-pip-version-check pyVoIP==1.6.8 numpy 2>pip.log || { cat pip.log; exit 2; }
cat > show.py <<'PY'
import platform, socket, sys, warnings
from importlib.metadata import version

warnings.simplefilter("ignore")
import audioop
import numpy as np
from pyVoIP.RTP import PayloadType, RTPClient, TransmitType

tone = np.round(128 + 60 * np.sin(2 * np.pi * 300 * np.arange(16000) / 8000)).astype(np.uint8)  # 8 bits without a sign, as it takes them

def call(codec):
    """Return the number of the format and the samples of a second of a call of `codec`, as the phone at the other end has them."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.bind(("127.0.0.1", 0))
        phone.settimeout(10)
        client = RTPClient({int(codec): codec}, "127.0.0.1", 0, *phone.getsockname(), TransmitType.SENDRECV)
        client.write(tone.tobytes())
        client.start()
        packets = [phone.recv(2048) for _ in range(50)]
        client.stop()
    number = packets[0][1] & 127
    decode = {0: audioop.ulaw2lin, 8: audioop.alaw2lin}[number]
    return number, np.frombuffer(decode(b"".join(packet[12:] for packet in packets), 2), np.int16).astype(float)

def part_of_tone(samples):
    """Return how much of the power of `samples` is at the frequency of the tone."""
    wave = np.exp(-2j * np.pi * 300 * np.arange(len(samples)) / 8000)
    return 2 * abs(samples @ wave) ** 2 / len(samples) / (samples @ samples)

print(f"pyVoIP {version('pyVoIP')}, Python {platform.python_version()}")
print("Its page says that it supports PCMA and PCMU. Where the other end chose PCMA (as gateways in Europe do), each packet is")
print("numbered as A-law and filled with mu-law. The caller hears a rasp in the rhythm of the words, and so does whatever")
print("transcribes or records the call; what comes in is decoded rightly, so by its own side of the call nothing is wrong.")
seen = {}
for codec in (PayloadType.PCMU, PayloadType.PCMA):
    number, samples = call(codec)
    seen[number] = part_of_tone(samples)
    print(f"a tone sent in {codec}: packets of format {number}, of their power {100 * seen[number]:.0f} % is the tone, peak {int(abs(samples).max())}")
sys.exit(0 if seen[0] > 0.95 and seen[8] < 0.8 else 1)
PY
v/bin/python show.py
