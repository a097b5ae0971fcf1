#!/usr/bin/env bash
# npm subtitle-converter 3.0.12: the text of an ASS caption ends at the first comma that no space follows.
# The last field of a Dialogue line is the text, commas and all; a comment in the code knows commas with a space only. No report found.
set -euo pipefail
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT && cd "$work"
npm init -y >/dev/null && npm install --silent --ignore-scripts --no-audit --no-fund subtitle-converter@3.0.12 ass-compiler@0.1.16 || exit 2
cat > show.mjs <<'JS'
import { readFileSync } from "node:fs";
import converter from "subtitle-converter";
import { parse } from "ass-compiler";
const version = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8")).version;
const said = ["We sold 1,200 of them, not more.", "\"Well,\" she said.", "Eins,zwei,drei.", "No comma here."];
const line = (text, i) => `Dialogue: 0,0:00:0${i}.00,0:00:0${i + 1}.00,Default,,0,0,0,,${text}`;
const file = ["[Script Info]", "ScriptType: v4.00+", "", "[Events]", "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text", ...said.map(line), ""].join("\n");
const ours = converter.convert(file, ".srt").subtitle.trim().split(/(?:\r?\n){2}/).map((block) => block.split(/\r?\n/).slice(2).join(" "));
const theirs = parse(file).events.dialogue.map(({ Text }) => Text.combined);
console.log(`subtitle-converter ${version("subtitle-converter")}, ass-compiler ${version("ass-compiler")}, node ${process.version}`);
console.log("A line of ASS is cut into its fields at each comma that no space follows. The text is the last field and may hold commas: a");
console.log("number of four figures or a quotation ends it, and what stands behind is dropped, without a word.");
said.forEach((text, i) => console.log(`${JSON.stringify(text)} -> ${JSON.stringify(ours[i])}`));
process.exit(ours.join("|") === "We sold 1|\"Well|Eins|No comma here." && theirs.join() === said.join() ? 0 : 1);
JS
node show.mjs
