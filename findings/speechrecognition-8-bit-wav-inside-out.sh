#!/usr/bin/env bash
# PyPI SpeechRecognition 3.17.0: an 8-bit WAV that was read and written again is turned inside out.
set -euo pipefail
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT && cd "$work"
python3 -m venv v && v/bin/pip install -q --disable-pip-version-check SpeechRecognition==3.17.0 2>pip.log || { cat pip.log; exit 2; }
cat > show.py <<'PY'
import io, platform, sys, wave
from importlib.metadata import version

import speech_recognition

def wav(samples):
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1), file.setsampwidth(1), file.setframerate(8000)
        file.writeframes(bytes(samples))
    return out.getvalue()

quiet = [128, 129, 127, 128, 130, 126] * 400  # almost silence: 8-bit WAV is unsigned, and its middle is 128
with speech_recognition.AudioFile(io.BytesIO(wav(quiet))) as source:
    audio = speech_recognition.Recognizer().record(source)
raw = list(audio.get_raw_data()[:6])
with wave.open(io.BytesIO(audio.get_wav_data())) as file:
    again = list(file.readframes(6))
with wave.open(io.BytesIO(audio.get_wav_data(convert_width=1))) as file:
    asked = list(file.readframes(6))
print(f"SpeechRecognition {version('SpeechRecognition')}, Python {platform.python_version()}")
print("An 8-bit WAV holds unsigned samples. get_raw_data() gives them as signed ones, which nothing says; and")
print("get_wav_data() writes those signed bytes into an 8-bit WAV as they are, so that near silence becomes full scale.")
print("With convert_width=1 or 2 the file is right.")
print(f"in the file:                     {quiet[:6]}")
print(f"get_raw_data():                  {raw}")
print(f"get_wav_data():                  {again}")
print(f"get_wav_data(convert_width=1):   {asked}")
sys.exit(0 if raw == again == [0, 1, 255, 0, 2, 254] and asked == quiet[:6] else 1)
PY
v/bin/python show.py
