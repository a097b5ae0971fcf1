#!/usr/bin/env bash
# npm wave-resampler 1.0.0: resampling to a lower rate, with the defaults, changes the samples of the caller.
set -euo pipefail
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT && cd "$work"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund wave-resampler@1.0.0 || exit 2
cat > show.js <<'JS'
const { version } = require("./node_modules/wave-resampler/package.json");
const { resample } = require("wave-resampler");
const tone = () => Int16Array.from({ length: 1600 }, (_, i) => Math.round(16000 * Math.sin((2 * Math.PI * 440 * i) / 16000)));
const changed = (rate, options) => {
  const samples = tone(), before = tone();
  resample(samples, 16000, rate, options);
  return samples.filter((value, i) => value !== before[i]).length;
};
console.log(`wave-resampler ${version}, node ${process.version}`);
console.log("resample() returns a new array, and yet it also low-pass filters the array that it was given, in place,");
console.log("when the rate goes down and LPF is not switched off. Whoever resamples one buffer for the service and keeps it");
console.log("for a recording, or sends it to a second place, keeps filtered samples; done twice, it is filtered twice.");
const seen = { "16000 to 8000": changed(8000), "16000 to 8000, LPF: false": changed(8000, { LPF: false }), "16000 to 48000": changed(48000) };
for (const [what, count] of Object.entries(seen)) console.log(`${what}: ${count} of 1600 samples of the input changed`);
process.exit(Object.values(seen).map((count) => count > 0).join() === "true,false,false" ? 0 : 1);
JS
node show.js
