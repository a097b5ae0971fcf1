#!/usr/bin/env bash
# npm @purinton/resampler 1.0.4: what is above the new band folds back into it at full level.
set -euo pipefail
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT && cd "$work"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund @purinton/resampler@1.0.4 || exit 2
cat > show.mjs <<'JS'
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { Resampler } from "@purinton/resampler";
const { version } = JSON.parse(readFileSync("node_modules/@purinton/resampler/package.json", "utf8"));
const [IN, OUT, PEAK] = [48000, 16000, 12000];
/** Level in dB, beside the tone that went in, of one frequency of what came out. */
function level(samples, hertz) {
  let [re, im] = [0, 0];
  samples.forEach((value, i) => {
    re += value * Math.cos((2 * Math.PI * hertz * i) / OUT);
    im += value * Math.sin((2 * Math.PI * hertz * i) / OUT);
  });
  return 20 * Math.log10((2 * Math.hypot(re, im)) / samples.length / PEAK);
}
async function resample(hertz) {
  const tone = Int16Array.from({ length: IN }, (_, i) => Math.round(PEAK * Math.sin((2 * Math.PI * hertz * i) / IN)));
  const stream = new Resampler({ inRate: IN, outRate: OUT });
  const chunks = [];
  stream.on("data", (chunk) => chunks.push(chunk));
  stream.end(Buffer.from(tone.buffer));
  await once(stream, "end");
  const bytes = Uint8Array.from(Buffer.concat(chunks));
  return Array.from(new Int16Array(bytes.buffer));
}
console.log(`@purinton/resampler ${version}, node ${process.version}`);
console.log("Its page promises windowed-sinc filtering in high quality. The sinc has the width of the input's rate also when the");
console.log("rate goes down, so nothing takes away what the new rate cannot hold: at 48 to 16 kHz each tone above 8 kHz comes out");
console.log("below it, as loud as it went in. Sibilants become noise inside the band of speech.");
const seen = [];
for (const hertz of [3000, 9000, 11000, 15000]) {
  const out = hertz > OUT / 2 ? OUT - hertz : hertz;
  seen.push(level(await resample(hertz), out));
  console.log(`a tone of ${hertz} Hz comes out at ${out} Hz with ${(seen.at(-1) + 0).toFixed(1)} dB`);
}
process.exit(seen.every((value) => Math.abs(value) < 0.5) ? 0 : 1);
JS
node show.mjs
