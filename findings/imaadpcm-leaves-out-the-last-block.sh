#!/usr/bin/env bash
# npm imaadpcm 5.0.0: the last block is never decoded nor encoded, so a packet of one block is silence; each other one grows by a sample.
set -euo pipefail
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT && cd "$work"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund imaadpcm@5.0.0 || exit 2
cat > show.mjs <<'JS'
import { readFileSync } from "node:fs";
import imaadpcm from "imaadpcm";
const { decode, decodeBlock, encode } = imaadpcm;
const { version } = JSON.parse(readFileSync("node_modules/imaadpcm/package.json", "utf8"));
const BLOCK = 256, SAMPLES = 505; // of a mono block of IMA ADPCM in WAV: one sample in the head, 504 behind it

// A block: its first sample, the place in the table of steps and a zero, then two samples in each byte.
const block = new Uint8Array(BLOCK);
block.set([0x00, 0x10, 40, 0]); // 4096 is its first sample
block.fill(0x08, 4); // a little down and up by turns
const peak = (samples) => samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
const ends = (samples) => { let last = samples.length; while (last && !samples[last - 1]) last--; return last; };

const one = decode(block), four = decode(Uint8Array.from([...block, ...block, ...block, ...block]));
const tone = Int16Array.from({ length: 4 * SAMPLES }, (_, i) => Math.round(8000 * Math.sin((2 * Math.PI * 300 * i) / 8000)));
const packed = encode(tone);
console.log(`imaadpcm ${version}, node ${process.version}`);
console.log("decode() works a block off when the next one begins, and for the last one none begins: what stands in its place is");
console.log("zeros. Whoever decodes packet by packet, as they come from a line, gets nothing but silence, of the right length.");
console.log("encode() leaves out the last block in the same way. A decoded block has 506 samples, the first of them twice, where");
console.log(`its ${BLOCK} bytes hold ${SAMPLES}: a click in every block, and two thousandths too slow.`);
console.log(`one block: ${one.length} samples, the loudest ${peak(one)}; decodeBlock() of the same: ${decodeBlock([...block]).length} samples, the loudest ${peak(decodeBlock([...block]))}`);
console.log(`four blocks (${4 * SAMPLES} samples): sound up to sample ${ends(four)}`);
console.log(`encoding 4 x ${SAMPLES} samples: bytes other than zero up to ${ends(packed)} of ${4 * BLOCK}`);
process.exit(peak(one) === 0 && peak(decodeBlock([...block])) > 4000 && ends(four) === 3 * 506 && ends(packed) <= 3 * BLOCK ? 0 : 1);
JS
node show.mjs
