#!/usr/bin/env bash
# npm stt-align-node 2.0.1: the first word of a transcript is lost when it starts at 0.0 s.
set -euo pipefail
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT && cd "$work"
npm init -y >/dev/null && npm install --silent --ignore-scripts --no-audit --no-fund stt-align-node@2.0.1 || exit 2
cat > show.js <<'JS'
const { readFileSync } = require("node:fs");
const { alignSTT } = require("stt-align-node");
const { version } = JSON.parse(readFileSync("node_modules/stt-align-node/package.json", "utf8"));
const right = "Not the red one, the blue one.";
const heard = (first) => [["not", 0.4], ["the", 0.6], ["red", 1.0], ["one", 1.3], ["the", 1.6], ["blue", 2.0], ["one", 2.4]].map(
  ([text, end], i, all) => ({ text, start: i ? all[i - 1][1] : first, end }));
const align = (first) => alignSTT({ words: heard(first) }, right).map(({ text }) => text).join(" ");
const seen = [align(0), align(0.1)];
console.log(`stt-align-node ${version}, node ${process.version}`);
console.log("It gives the words of a corrected text the times of the recogniser's. A time of 0 counts as none, and a word that has one");
console.log("of its two times is neither among those with times nor among those without. Speech that begins with the recording has");
console.log("such a word: streams that are opened by a voice detector, and pieces that were cut at a pause, all do.");
console.log(`text:                                ${right}`);
console.log(`aligned, the first word from 0.0 s:  ${seen[0]}`);
console.log(`aligned, the first word from 0.1 s:  ${seen[1]}`);
process.exit(seen[0] === right.replace("Not ", "") && seen[1] === right ? 0 : 1);
JS
node show.js
