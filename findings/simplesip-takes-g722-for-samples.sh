#!/usr/bin/env bash
# PyPI simplesip 0.1.5: it offers G.722 before all else, and reads the codes of a call in it as samples of 8 bits.
set -euo pipefail
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT && cd "$work"
python3 -m venv v && v/bin/pip install -q --disable-pip-version-check simplesip==0.1.5 g722==1.2.8 numpy 2>pip.log || { cat pip.log; exit 2; }
cat > show.py <<'PY'
import logging, platform, re, socket, struct, sys, threading, time
from importlib.metadata import version

import numpy as np
from G722 import G722
from simplesip import SimpleSIPClient

logging.disable()
tone = np.round(8000 * np.sin(2 * np.pi * 300 * np.arange(16000) / 16000)).astype(np.int16)
codes = bytes(G722(16000, 64000).encode(tone))

def open_socket():
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    opened.bind(("127.0.0.1", 0))
    return opened

def answer(server, phone, offers):
    """Answer each request with 200 OK, and an INVITE with the format that was offered first, as phones do."""
    while True:
        request, client = server.recvfrom(65536)
        head, _, offer = request.decode().partition("\r\n\r\n")
        kept = [line for line in head.split("\r\n") if re.match("(Via|From|To|Call-ID|CSeq):", line)]
        body = ""
        if head.startswith("INVITE"):
            offers.append(offer)
            first = re.search(r"m=audio \d+ \S+ (\d+)", offer)[1]
            body = f"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {phone.getsockname()[1]} RTP/AVP {first}\r\n"
        if not head.startswith("ACK"):
            lines = ["SIP/2.0 200 OK", *kept, "Content-Type: application/sdp", f"Content-Length: {len(body)}", "", body]
            server.sendto("\r\n".join(lines).encode(), client)

server, phone, spare, offers, heard = open_socket(), open_socket(), open_socket(), [], []
threading.Thread(target=answer, args=(server, phone, offers), daemon=True).start()
port = spare.getsockname()[1]
spare.close()
client = SimpleSIPClient("user", "secret", "127.0.0.1", port=server.getsockname()[1], local_port=port)
client.local_ip = "127.0.0.1"
client.set_audio_callback(lambda data, kind, *when: heard.append((kind, data)), format="pcm")
client.connect()
client.make_call("100")
until = time.monotonic() + 20
while not (offers and client.remote_rtp_info) and time.monotonic() < until:
    time.sleep(0.05)
media = ("127.0.0.1", int(re.search(r"m=audio (\d+)", offers[0])[1]))
for number in range(50):
    phone.sendto(struct.pack("!BBHII", 0x80, 9, number, 160 * number, 7) + codes[160 * number : 160 * number + 160], media)
    time.sleep(0.01)
until = time.monotonic() + 20
while len(heard) < 50 and time.monotonic() < until:
    time.sleep(0.05)

def part_of_tone(samples):
    """Return how much of the power of `samples` is at the frequency of the tone."""
    wave = np.exp(-2j * np.pi * 300 * np.arange(len(samples)) / 16000)
    return 2 * abs(samples @ wave) ** 2 / len(samples) / (samples @ samples)

got = np.frombuffer(b"".join(data for _, data in heard), np.int16).astype(float)
right = np.asarray(G722(16000, 64000).decode(codes), float)
print(f"simplesip {version('simplesip')}, g722 {version('g722')}, Python {platform.python_version()}")
print("Its page names G.722 among what is still to come; its offer names it first, and most desk phones then speak it. What they")
print("send is handed out as PCM of 16000 Hz and is none: each byte, which stands for two samples in steps of a predictor, becomes")
print("one sample of 8 bits, twice. A caller is a hiss at the rhythm of words. A service that answers in mu-law is right.")
print(f"offered: {re.search('m=audio.*', offers[0])[0].strip()}")
print(f"{len(heard)} packets of a tone in G.722 came as {heard[0][0]!r}: {100 * part_of_tone(got):.0f} % of the power is the tone, peak {abs(got).max():.0f}")
print(f"the same packets through g722: {100 * part_of_tone(right):.0f} %, peak {abs(right).max():.0f}")
sys.exit(0 if len(heard) == 50 and part_of_tone(got) < 0.3 and part_of_tone(right) > 0.9 else 1)
PY
timeout 90 v/bin/python show.py
