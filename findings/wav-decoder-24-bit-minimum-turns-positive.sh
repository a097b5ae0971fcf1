#!/usr/bin/env bash
# npm wav-decoder 1.3.0: the lowest sample of a 24-bit WAV comes out as the highest.
set -euo pipefail
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT && cd "$work"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund wav-decoder@1.3.0 || exit 2
cat > show.js <<'JS'
const { version } = require("./node_modules/wav-decoder/package.json");
const decoder = require("wav-decoder");
function wav(bits, samples) {
  const width = bits / 8;
  const file = Buffer.alloc(44 + width * samples.length);
  file.write("RIFF", 0);
  file.writeUInt32LE(file.length - 8, 4);
  file.write("WAVEfmt ", 8);
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(1, 20); // PCM
  file.writeUInt16LE(1, 22); // mono
  file.writeUInt32LE(48000, 24);
  file.writeUInt32LE(48000 * width, 28);
  file.writeUInt16LE(width, 32);
  file.writeUInt16LE(bits, 34);
  file.write("data", 36);
  file.writeUInt32LE(width * samples.length, 40);
  samples.forEach((value, i) => file.writeIntLE(value, 44 + width * i, width));
  return file;
}
console.log(`wav-decoder ${version}, node ${process.version}`);
console.log("A recording that is too loud stays at its lowest value for several samples. With 24 bits that value, and no other,");
console.log("is decoded as +1 instead of -1: each such peak becomes a click over the whole range. 16 and 32 bits are right.");
const seen = [16, 24, 32].map((bits) => {
  const low = -(2 ** (bits - 1));
  const found = Array.from(decoder.decode.sync(wav(bits, [low / 2, low + 1, low, low + 1])).channelData[0]);
  console.log(`${bits} bits: half of the lowest, beside the lowest, lowest, beside it: ${found.map((v) => v.toFixed(3)).join("  ")}`);
  return Math.sign(found[2]);
});
process.exit(seen.join() === "-1,1,-1" ? 0 : 1);
JS
node show.js
