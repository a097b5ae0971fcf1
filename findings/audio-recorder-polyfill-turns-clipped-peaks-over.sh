#!/usr/bin/env bash
# npm audio-recorder-polyfill 0.4.1: a sample of 1 is written as -32768, so each clipped peak becomes a click of full scale.
# The encoder's origin had the same (opus-recorder, issue 152, mended there in 2018); here it stands, unreported.
set -euo pipefail
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT && cd "$work"
npm init -y >/dev/null && npm install --silent --ignore-scripts --no-audit --no-fund audio-recorder-polyfill@0.4.1 wav-encoder@1.3.0 || exit 2
cat > show.mjs <<'JS'
import { readFileSync } from "node:fs";
import waveEncoder from "audio-recorder-polyfill/wave-encoder";
import wavEncoder from "wav-encoder";
const version = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8")).version;
let file;
globalThis.onmessage = null;
globalThis.postMessage = (buffer) => (file = buffer); // what a worker has, in which the encoder runs in a browser
waveEncoder();
const encode = (samples) => (onmessage({ data: ["encode", samples] }), onmessage({ data: ["dump", 16000] }), new Int16Array(file, 44));
const tone = (peak) => Float32Array.from({ length: 16000 }, (_, i) => peak * Math.sin((2 * Math.PI * 200 * i) / 16000));
const leaps = (samples) => samples.reduce((sum, sample, i) => sum + (i > 0 && Math.abs(sample - samples[i - 1]) > 40000), 0);
const few = [0.999, 1, 1.5, -1, -1.5], loud = encode(tone(1.2)).slice(), soft = encode(tone(0.9)).slice();
const other = new Int16Array(wavEncoder.encode.sync({ sampleRate: 16000, channelData: [tone(1.2)] }), 44);
const got = [...encode(Float32Array.from(few))];
console.log(`audio-recorder-polyfill ${version("audio-recorder-polyfill")}, wav-encoder ${version("wav-encoder")}, node ${process.version}`);
console.log("Samples are limited to 1 and then multiplied by 32768, which 16 bits cannot hold: the upper limit becomes the lower one. A");
console.log("microphone that is a little too loud gives two leaps of 65535 at each peak, where clipping alone would be heard as hoarse.");
console.log(`${few.join(", ")} -> ${got.join(", ")}`);
console.log(`leaps in a second of 200 Hz at 0.9 of full scale: ${leaps(soft)}; at 1.2: ${leaps(loud)}; wav-encoder at 1.2: ${leaps(other)}`);
process.exit(got.join() === "32735,-32768,-32768,-32768,-32768" && leaps(soft) === 0 && leaps(loud) >= 399 && leaps(other) === 0 ? 0 : 1);
JS
node show.mjs
