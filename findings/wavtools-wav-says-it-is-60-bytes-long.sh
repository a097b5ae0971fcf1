#!/usr/bin/env bash
# npm wavtools 0.1.5: every WAV it saves says in its header that it is 60 bytes long; Python's wave reads 8 samples of it.
set -euo pipefail
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT && cd "$work"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund wavtools@0.1.5 || exit 2
cat > write.mjs <<'JS'
import { writeFileSync } from "node:fs";
URL.createObjectURL = () => ""; // the only thing of a browser that the packer needs
const { WavPacker } = await import("wavtools/lib/wav_packer.js");
const tone = Float32Array.from({ length: 24000 }, (_, i) => 0.3 * Math.sin((2 * Math.PI * 300 * i) / 24000));
const { blob } = new WavPacker().pack(24000, { bitsPerSample: 16, channels: [tone], data: WavPacker.floatTo16BitPCM(tone) });
writeFileSync("saved.wav", Buffer.from(await blob.arrayBuffer()));
JS
cat > read.py <<'PY'
import json, platform, struct, sys, wave

data = open("saved.wav", "rb").read()
said = struct.unpack_from("<I", data, 4)[0] + 8
with wave.open("saved.wav") as file:
    promised, frames = file.getnframes(), file.readframes(file.getnframes())
version = json.load(open("node_modules/wavtools/package.json"))["version"]
print(f"wavtools {version}, read by Python {platform.python_version()}")
print("The size in the RIFF header is that of a file without any sound, whatever was recorded. Players go by the size of the")
print("data and play all of it; a reader that keeps to the outer size stops after 16 bytes of sound, without an error, while")
print("it still promises the whole. A recording from the browser is then transcribed as silence.")
print(f"the file has {len(data)} bytes, its header says {said}")
print(f"wave: getnframes() {promised}, readframes() gives {len(frames) // 2}")
sys.exit(0 if len(data) == 48044 and said == 60 and promised == 24000 and len(frames) == 16 else 1)
PY
node write.mjs && python3 read.py
