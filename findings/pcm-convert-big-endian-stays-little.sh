#!/usr/bin/env bash
# npm pcm-convert 3.3.0: asked for big-endian samples, it gives little-endian ones.
set -euo pipefail
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT && cd "$work"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund pcm-convert@3.3.0 || exit 2
cat > show.mjs <<'JS'
import { readFileSync } from "node:fs";
import convert from "pcm-convert";
const { version } = JSON.parse(readFileSync("node_modules/pcm-convert/package.json", "utf8"));
const samples = Float32Array.from([0.5, -0.25]); // as 16 bits 0x4000 and 0xe000, give or take one
const hex = (...formats) => { const out = convert(samples, ...formats); return Buffer.from(out.buffer, out.byteOffset, out.byteLength).toString("hex"); };
const seen = { "int16": hex("float32", "int16"), "int16 be": hex("float32", "int16 be"), "int16 be, source said to be le": hex("float32 le", "int16 be") };
console.log(`pcm-convert ${version}, node ${process.version}`);
console.log("The order of bytes of the target is taken only when the order of the source is given as well. Without it 'int16 be'");
console.log("is the same as 'int16', and no error says so.");
for (const [what, bytes] of Object.entries(seen)) console.log(`${what}: ${bytes}`);
process.exit(seen["int16"] === seen["int16 be"] && seen["int16"] !== seen["int16 be, source said to be le"] ? 0 : 1);
JS
node show.mjs
