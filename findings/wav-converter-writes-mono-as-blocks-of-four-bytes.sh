#!/usr/bin/env bash
# npm wav-converter 1.0.0: encodeWav() says 4 bytes a block and 16 bytes a second whatever the sound is, and swaps both lengths.
# The README gives the defaults of a 16 kHz mono file and no word of this; no report found.
set -euo pipefail
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT && cd "$work"
npm init -y >/dev/null && npm install --silent --ignore-scripts --no-audit --no-fund wav-converter@1.0.0 node-wav@0.0.2 || exit 2
cat > show.mjs <<'JS'
import { readFileSync } from "node:fs";
import converter from "wav-converter";
import nodeWav from "node-wav";
const version = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8")).version;
const samples = Int16Array.from({ length: 16000 }, (_, i) => 8000 * Math.sin(i / 6)); // a second at 16 kHz, one channel
const file = converter.encodeWav(Buffer.from(samples.buffer), { sampleRate: 16000, numChannels: 1 });
const said = { riff: file.readUInt32LE(4), byteRate: file.readUInt32LE(28), block: file.readUInt16LE(32), data: file.readUInt32LE(40) };
const right = { riff: file.length - 8, byteRate: 32000, block: 2, data: 32000 };
const heard = nodeWav.decode(Uint8Array.from(file).buffer).channelData[0];
console.log(`wav-converter ${version("wav-converter")}, node-wav ${version("node-wav")}, node ${process.version}`);
console.log("A reader that counts by the block, as the format has it, takes two samples of a mono file for one: it ends after half of the");
console.log("sound. One that counts by bytes a second takes the second for half an hour, and `data` is said to be 36 bytes longer than the");
console.log("file, so that strict readers refuse it.");
console.log(`in the header:  ${JSON.stringify(said)}`);
console.log(`should be:      ${JSON.stringify(right)}`);
console.log(`node-wav reads ${heard.length} of ${samples.length} samples`);
process.exit(said.riff === 32000 && said.byteRate === 16 && said.block === 4 && said.data === 32036 && heard.length === 8009 ? 0 : 1);
JS
node show.mjs
