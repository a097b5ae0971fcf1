#!/usr/bin/env bash
# npm wav 1.0.2 and node-wav 0.0.2: a chunk of odd length before the samples, as a comment makes it, and no sound comes.
# RIFF fills such a chunk up with one byte that its length does not count. No report of it found (of JUNK chunks there is one, an error).
set -euo pipefail
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT && cd "$work"
npm init -y >/dev/null && npm install --silent --ignore-scripts --no-audit --no-fund wav@1.0.2 node-wav@0.0.2 wav-file-decoder@1.0.3 || exit 2
cat > show.mjs <<'JS'
import { readFileSync } from "node:fs";
import { once } from "node:events";
import wav from "wav";
import nodeWav from "node-wav";
import { decodeWavFile } from "wav-file-decoder";
const version = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8")).version;
const chunk = (id, body) => Buffer.concat([Buffer.from(id), Buffer.from(Uint32Array.of(body.length).buffer), body, Buffer.alloc(body.length % 2)]);
const format = Buffer.alloc(16);
format.writeUInt16LE(1, 0), format.writeUInt16LE(1, 2), format.writeUInt32LE(8000, 4), format.writeUInt32LE(16000, 8), format.writeUInt16LE(2, 12), format.writeUInt16LE(16, 14);
const samples = Buffer.from(Int16Array.from({ length: 800 }, (_, i) => 8000 * Math.sin(i / 4)).buffer);
const file = (comment) => chunk("RIFF", Buffer.concat([Buffer.from("WAVE"), chunk("fmt ", format), chunk("note", Buffer.from(comment)), chunk("data", samples)]));
async function stream(bytes) {
  const reader = new wav.Reader();
  let got = 0, failed = "no error";
  reader.on("data", (piece) => (got += piece.length)).on("error", ({ message }) => (failed = message)).end(bytes);
  await Promise.race([once(reader, "end"), new Promise((done) => setTimeout(done, 1000))]);
  return `${got / 2} samples, ${failed}`;
}
const count = (audio) => (audio ? `${audio.channelData[0].length} samples` : `${audio}`);
const read = async (bytes) => [await stream(bytes), count(nodeWav.decode(Uint8Array.from(bytes).buffer)), count(decodeWavFile(Uint8Array.from(bytes).buffer))];
const even = await read(file("Line 4")), odd = await read(file("Line 12"));
console.log(`wav ${version("wav")}, node-wav ${version("node-wav")}, wav-file-decoder ${version("wav-file-decoder")}, node ${process.version}`);
console.log("Both go on by the length that a chunk names, and not by the byte that fills an odd one up. From there on names and lengths");
console.log("of chunks are read one byte beside them: 'data' is never found. wav.Reader waits for a chunk of gigabytes, and its stream is");
console.log("empty; decode() returns undefined.");
["wav.Reader", "node-wav", "wav-file-decoder"].forEach((name, i) => console.log(`${name.padEnd(17)} comment of 6 characters: ${even[i]}; of 7: ${odd[i]}`));
process.exit(even[0] === "800 samples, no error" && odd[0] === "0 samples, no error" && even[1] === "800 samples" && odd[1] === "undefined" && odd[2] === "800 samples" ? 0 : 1);
JS
node show.mjs
