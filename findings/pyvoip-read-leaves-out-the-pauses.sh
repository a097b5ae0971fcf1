#!/usr/bin/env bash
# PyPI pyVoIP 1.6.8: reading a call, as its examples do, leaves out every frame of silence: words stand without pauses.
set -euo pipefail
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT && cd "$work"
python3 -c 'import sys; sys.exit(sys.version_info >= (3, 13))' || { echo "the package needs audioop, so a Python below 3.13"; exit 2; }
python3 -m venv v && v/bin/pip install -q --disable-pip-version-check pyVoIP==1.6.8 2>pip.log || { cat pip.log; exit 2; }
cat > show.py <<'PY'
import platform, struct, sys, warnings
from importlib.metadata import version

warnings.simplefilter("ignore")
import audioop
from pyVoIP.RTP import PayloadType, RTPClient, TransmitType

WORD, SILENCE = (audioop.lin2ulaw(struct.pack("<160h", *samples), 2) for samples in ([9000, -9000] * 80, [0] * 160))

def listen(**options):
    """Return which frames are read of a word, a second of silence, and a word: W for one of a word, . for one of silence."""
    client = RTPClient({0: PayloadType.PCMU}, "127.0.0.1", 0, "127.0.0.1", 9, TransmitType.SENDRECV)
    for number, payload in enumerate([WORD] * 5 + [SILENCE] * 50 + [WORD] * 5):
        client.parse_packet(struct.pack("!BBHII", 0x80, 0, number, 160 * number, 7) + payload)
    heard = ""
    while heard.count("W") < 10:
        heard += "." if client.read(160, **options) == b"\x80" * 160 else "W"
    return heard

print(f"pyVoIP {version('pyVoIP')}, Python {platform.python_version()}")
print("Reading waits until there is something to read: that is what its page says of blocking=True, the default. It takes a")
print("frame that is all silence (a muted phone, a gateway that gates the line) for nothing to read, and throws it away. Words")
print("come without the pauses between them: a recogniser finds no end of a turn, and the sound is shorter than the call.")
seen = {blocking: listen(blocking=blocking) for blocking in (True, False)}
for blocking, heard in seen.items():
    print(f"a word, 1 s of silence, a word, with blocking={blocking}: {len(heard)} frames of 20 ms, {heard.count('.')} of them silent")
sys.exit(0 if seen == {True: "W" * 10, False: "W" * 5 + "." * 50 + "W" * 5} else 1)
PY
v/bin/python show.py
