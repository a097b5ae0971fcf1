#!/usr/bin/env bash
# PyPI caption2text 0.1.2 and fairy-subtitle 1.1.0: a caption that is only digits (a code, a year, a number) vanishes.
set -euo pipefail
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT && cd "$work"
python3 -m venv v && v/bin/pip install -q --disable-pip-version-check caption2text==0.1.2 fairy-subtitle==1.1.0 srt==3.5.3 webvtt-py==0.6.0 2>pip.log || { cat pip.log; exit 2; }
cat > show.py <<'PY'
import logging, pathlib, platform, sys
from importlib.metadata import version

import srt, webvtt
from caption2text import srt_to_transcript
from fairy_subtitle import SubtitleLoader

logging.disable()
said = ["What is the code?", "4711", "Thank you."]
cues = [f"00:00:0{i}{{0}}000 --> 00:00:0{i + 1}{{0}}000\n{text}\n" for i, text in enumerate(said)]
as_srt = "\n".join(f"{i}\n{cue.format(',')}" for i, cue in enumerate(cues, 1))
as_vtt = "WEBVTT\n\n" + "\n".join(cue.format(".") for cue in cues)
pathlib.Path("said.srt").write_text(as_srt)
pathlib.Path("said.vtt").write_text(as_vtt)
seen = {
    "caption2text, SRT": srt_to_transcript("said.srt").split("\n"),
    "fairy-subtitle, SRT": [cue.text for cue in SubtitleLoader.load("said.srt")],
    "fairy-subtitle, WebVTT": [cue.text for cue in SubtitleLoader.load("said.vtt")],
    "srt, SRT": [cue.content for cue in srt.parse(as_srt)],
    "webvtt-py, WebVTT": [cue.text for cue in webvtt.read("said.vtt")],
}
print(", ".join(f"{name} {version(name)}" for name in ("caption2text", "fairy-subtitle", "srt", "webvtt-py")) + f", Python {platform.python_version()}")
print("A line of digits is taken for the number of a caption, wherever it stands, and removed. In a transcript of speech such")
print("lines are what was said: the answer to a question for a code, an amount, a year. The rest reads on as if nothing had")
print("been there, and a word error rate blames the recogniser.")
for name, texts in seen.items():
    print(f"{name}: {texts}")
lost = [name for name, texts in seen.items() if texts != said]
sys.exit(0 if lost == ["caption2text, SRT", "fairy-subtitle, WebVTT"] and all("4711" not in seen[name] for name in lost) else 1)
PY
v/bin/python show.py
