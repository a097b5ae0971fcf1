#!/usr/bin/env bash
# PyPI aiortp 0.8.0: its A-law is the mirror image of everybody else's.
set -euo pipefail
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT && cd "$work"
python3 -c 'import sys; sys.exit(sys.version_info >= (3, 13))' || { echo "audioop, the comparison, needs a Python below 3.13"; exit 2; }
python3 -m venv v && v/bin/pip install -q --disable-pip-version-check aiortp==0.8.0 2>pip.log || { cat pip.log; exit 2; }
cat > show.py <<'PY'
import platform, struct, sys, warnings
from importlib.metadata import version

warnings.simplefilter("ignore")
import audioop
from aiortp.codecs.g711 import PcmaCodec, PcmuCodec

samples = (100, -100, 8000, -8000, 30000)
pcm = struct.pack("<5h", *samples)
print(f"aiortp {version('aiortp')}, Python {platform.python_version()}")
print("In A-law (ITU-T G.711) the first bit is 1 for positive samples, as in mu-law. aiortp takes it the")
print("other way round in both directions: between two of its own ends nothing shows, but what a telephone sends comes")
print("out upside down, and goes back upside down. By ear it is the same; mixed with another copy of the call it cancels.")
signs = []
for codec, encode, decode in ((PcmaCodec(), audioop.lin2alaw, audioop.alaw2lin), (PcmuCodec(), audioop.lin2ulaw, audioop.ulaw2lin)):
    ours = struct.unpack("<5h", codec.decode(encode(pcm, 2)))
    theirs = struct.unpack("<5h", decode(codec.encode(pcm), 2))
    signs.append([all(a * b > 0 for a, b in zip(samples, values)) for values in (ours, theirs)])
    print(f"{type(codec).__name__}: sent {samples}, read by aiortp {ours}; sent by aiortp, read by a peer {theirs}")
sys.exit(0 if signs == [[False, False], [True, True]] else 1)
PY
v/bin/python show.py
