#!/usr/bin/env bash
# npm subtitle 4.2.2: a line of a caption that begins with NOTE, and all lines below it, are thrown away as a comment, in SRT as well.
# WebVTT has comments only as blocks of their own, SRT has none; no word of it in the README, no report found.
set -euo pipefail
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT && cd "$work"
npm init -y >/dev/null && npm install --silent --ignore-scripts --no-audit --no-fund subtitle@4.2.2 node-webvtt@2.0.0 || exit 2
cat > show.mjs <<'JS'
import { readFileSync } from "node:fs";
import { parseSync } from "subtitle";
import webvtt from "node-webvtt";
const version = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8")).version;
const cues = ["PLEASE TAKE\nNOTE OF THIS NUMBER:\n555 1234.", "AND BRING YOUR\nNOTEBOOK ALONG."];
const times = ["00:00:01.000 --> 00:00:02.000", "00:00:03.000 --> 00:00:04.000"];
const block = (text, i) => `${i + 1}\n${times[i]}\n${text}`;
const vtt = `WEBVTT\n\n${cues.map(block).join("\n\n")}\n`;
const srt = cues.map(block).join("\n\n").replaceAll(".000", ",000") + "\n";
const read = (text) => parseSync(text).filter(({ type }) => type === "cue").map(({ data }) => data.text);
const ours = { SRT: read(srt), WebVTT: read(vtt) }, theirs = webvtt.parse(vtt).cues.map(({ text }) => text);
console.log(`subtitle ${version("subtitle")}, node-webvtt ${version("node-webvtt")}, node ${process.version}`);
console.log("Live captions are often in capitals, and a line may well begin with NOTE, NOTES or NOTEBOOK. The parser takes it for a");
console.log("comment and drops it and the rest of the caption.");
for (const [kind, texts] of Object.entries(ours)) console.log(`${kind}: ${JSON.stringify(texts)}`);
console.log(`node-webvtt: ${JSON.stringify(theirs)}`);
process.exit(Object.values(ours).every((texts) => texts.join() === "PLEASE TAKE,AND BRING YOUR") && theirs.join() === cues.join() ? 0 : 1);
JS
node show.mjs
