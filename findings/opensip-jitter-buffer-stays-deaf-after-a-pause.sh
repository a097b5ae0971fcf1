#!/usr/bin/env bash
# PyPI opensip 0.2.1: when a caller's packets pause, the jitter buffer drops all that comes after.
set -euo pipefail
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT && cd "$work"
python3 -m venv v && v/bin/pip install -q --disable-pip-version-check opensip==0.2.1 2>pip.log || { cat pip.log; exit 2; }
cat > show.py <<'PY'
import platform, sys
from importlib.metadata import version

from opensip.jitter import JitterBuffer

SPEECH, SILENCE = b"\x10\x27" * 160, bytes(320)

def call(pauses):
    """Return how many of the 50 frames of each second are speech; nothing is sent in the seconds of `pauses`."""
    buffer, sequence, heard = JitterBuffer(), 65000, []
    for tick in range(50 * 6):
        if tick // 50 not in pauses:
            buffer.push(sequence & 0xFFFF, SPEECH)
            sequence += 1  # as RFC 3550 has it: one up for each packet that is sent, and none for a pause
        heard.append(buffer.pop_pcm() == SPEECH)
    return [sum(heard[second * 50 : second * 50 + 50]) for second in range(6)], buffer.stats

steady, _ = call(())
paused, stats = call((2,))
print(f"opensip {version('opensip')}, Python {platform.python_version()}")
print("The buffer counts on by one packet every 20 ms, also while none comes (silence suppression, hold, a muted phone). The")
print("sender does not: its numbers go on where they were, and now all of them are in the past. They are dropped as late, and")
print("the distance never shrinks: a pause of a second is the end of the call for whoever listens, in zeros, without an error.")
print(f"frames of speech by second, of 50, without a pause:         {steady}")
print(f"the same with nothing sent in the third second:             {paused}")
print(f"counted by the buffer: {stats['received']} packets received, {stats['late']} late, {stats['resets']} resets")
sys.exit(0 if steady[1:] == [50] * 5 and paused[3:] == [0, 0, 0] and stats["late"] == 150 else 1)
PY
v/bin/python show.py
