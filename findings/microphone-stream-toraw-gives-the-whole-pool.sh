#!/usr/bin/env bash
# npm microphone-stream 6.0.1: toRaw() ignores where a Buffer begins and ends.
set -euo pipefail
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT && cd "$work"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund microphone-stream@6.0.1 || exit 2
cat > show.mjs <<'JS'
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
const module = createRequire(import.meta.url)("microphone-stream");
const toRaw = (module.default ?? module).toRaw;
const { version } = JSON.parse(readFileSync("node_modules/microphone-stream/package.json", "utf8"));
const samples = Float32Array.from({ length: 128 }, (_, i) => i / 128);
const bytes = new Uint8Array(samples.buffer);
const alone = toRaw(Buffer.from(samples.buffer)); // a Buffer over memory of its own
const pooled = toRaw(Buffer.from(bytes)); // a copy, which Node takes from its pool when it is small
console.log(`microphone-stream ${version}, node ${process.version}`);
console.log("toRaw(chunk) turns a chunk of the stream back into floats. It reads chunk.buffer from its start to its end, not the");
console.log("part that the chunk is. A small Buffer that was copied, sliced or passed through another stream is a part of a");
console.log("pool: then old bytes of other places come out as audio, and the chunk's own samples stand somewhere inside.");
console.log(`128 samples in memory of their own: ${alone.length} samples out`);
console.log(`128 samples in a pooled Buffer:     ${pooled.length} samples out, for ${bytes.length} bytes of audio`);
process.exit(alone.length === 128 && pooled.length > 128 ? 0 : 1);
JS
node show.mjs
