#!/usr/bin/env bash
# PyPI pyVoIP 1.6.8: a packet that was lost on the way is read as 20 ms at the lower limit of the scale, not as silence.
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

def listen(lost, pause=0):
    """Return what read(blocking=False) gives for a quiet call without the packets `lost`, and with a pause in the timestamps."""
    client = RTPClient({0: PayloadType.PCMU}, "127.0.0.1", 0, "127.0.0.1", 9, TransmitType.SENDRECV)
    for number in set(range(10)) - lost:
        stamp = 160 * number + (8 * pause if number >= 5 else 0)
        client.parse_packet(struct.pack("!BBHII", 0x80, 0, number, stamp, 7) + audioop.lin2ulaw(bytes(320), 2))
    frames = [client.read(160, blocking=False) for _ in range(10 + pause // 20)]
    return "".join("." if frame == b"\x80" * 160 else "#" if frame == bytes(160) else "?" for frame in frames)

print(f"pyVoIP {version('pyVoIP')}, Python {platform.python_version()}")
print("It gives audio of 8 bits without a sign, where 128 is silence and 0 the lower limit. What it has no packet for, between")
print("two that came, is filled with the byte 0: each packet that is lost, and each pause of a phone that sends nothing while")
print("nobody speaks, is a block at the limit with a bang at either end. One lost in a hundred, which nobody hears otherwise,")
print("is a bang every two seconds; as 16 bits it reads -32768.")
seen = {"nothing lost": listen(set()), "one packet lost": listen({4}), "a pause of 100 ms in the timestamps": listen(set(), 100)}
for what, frames in seen.items():
    print(f"{what}, frames of 20 ms (. is silence, # is the limit): {frames}")
sys.exit(0 if list(seen.values()) == ["." * 10, "....#.....", ".....#####....."] else 1)
PY
v/bin/python show.py
