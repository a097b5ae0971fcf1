#!/usr/bin/env bash
# npm @deepgram/captions 1.2.0: captions of an AssemblyAI transcript come a thousand times too late.
set -euo pipefail
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT && cd "$work"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund @deepgram/captions@1.2.0 || exit 2
cat > show.js <<'JS'
const { readFileSync } = require("node:fs");
const { AssemblyAiConverter, DeepgramConverter, srt } = require("@deepgram/captions");
const { version } = JSON.parse(readFileSync("node_modules/@deepgram/captions/package.json", "utf8"));
const spoken = [["Good", 0.24, 0.56], ["morning.", 0.6, 1.1], ["Goodbye.", 95, 95.4]]; // seconds
// AssemblyAI's API gives times in milliseconds, Deepgram's in seconds.
const assembly = { id: "x", audio_duration: 96, words: spoken.map(([text, start, end]) => ({ text, start: start * 1000, end: end * 1000, confidence: 1, speaker: null })) };
const deepgram = { results: { channels: [{ alternatives: [{ words: spoken.map(([word, start, end]) => ({ word, start, end })) }] }] } };
const times = (converter) => srt(converter, 2).split("\n").filter((line) => line.includes("-->"));
const seen = times(new AssemblyAiConverter(assembly)), right = times(new DeepgramConverter(deepgram));
console.log(`@deepgram/captions ${version}, node ${process.version}`);
console.log("AssemblyAiConverter hands the times on as they come, in milliseconds, and they are written as seconds: a word at 0.24 s");
console.log("gets its caption after four minutes. Since only the time of day is written, it begins anew after a day: what is");
console.log("said after 86.4 s stands before what was said at the start. No error, and each caption looks in order.");
console.log(`the same words as Deepgram gives them: ${right.join(" | ")}`);
console.log(`as AssemblyAI gives them:              ${seen.join(" | ")}`);
process.exit(right[0].startsWith("00:00:00,240") && seen[0].startsWith("00:04:00,000") && seen[1].startsWith("02:23:20,000") ? 0 : 1);
JS
node show.js
