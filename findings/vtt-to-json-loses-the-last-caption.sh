#!/usr/bin/env bash
# npm vtt-to-json 0.1.1: the last caption of a file is lost, and the text of one that says the same as the one before.
set -euo pipefail
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT && cd "$work"
npm init -y >/dev/null && npm install --silent --ignore-scripts --no-audit --no-fund vtt-to-json@0.1.1 node-webvtt@1.9.4 || exit 2
cat > show.js <<'JS'
const { readFileSync } = require("node:fs");
const convert = require("vtt-to-json"), webvtt = require("node-webvtt");
const version = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8")).version;
const said = ["Shall I book it?", "No.", "No.", "When then?", "Am Freitag nach fünf Uhr.", "It is booked."];
const vtt = "WEBVTT\n\n" + said.map((text, i) => `00:00:0${i}.000 --> 00:00:0${i + 1}.000\n${text}\n`).join("\n"); // ends with a line end, as files do
convert(vtt).then((captions) => {
  const ours = captions.map(({ part }) => part), theirs = webvtt.parse(vtt).cues.map(({ text }) => text);
  const words = captions.flatMap((caption) => caption.words.map(({ word }) => word)).filter((word) => word.startsWith("f"));
  console.log(`vtt-to-json ${version("vtt-to-json")}, node-webvtt ${version("node-webvtt")}, node ${process.version}`);
  console.log("A caption is kept when the next one begins, and the last one only if its text is the very last line, without a line end");
  console.log("behind it, which a text file has: the last thing that was said is not in the result. A caption that says the same as the");
  console.log("one before is taken for a rolling caption of the same words and emptied, so the second 'No.' of a conversation is gone.");
  console.log("Letters other than those of English are taken out of its words.");
  console.log(`said:        ${JSON.stringify(said)}`);
  console.log(`vtt-to-json: ${JSON.stringify(ours)}, words ${words}`);
  console.log(`node-webvtt: ${JSON.stringify(theirs)}`);
  process.exit(ours.join("|") === "Shall I book it?|No.||When then?|Am Freitag nach fünf Uhr." && words.join() === "freitag,fnf" && theirs.join("|") === said.join("|") ? 0 : 1);
});
JS
node show.js
