#!/usr/bin/env bash
# npm @plussub/srt-vtt-parser 2.0.5: WebVTT cues whose settings name a region are taken for the definition of one and dropped.
# The README says that blocks of NOTE, STYLE and REGION are left out, not that a cue is; no report found.
set -euo pipefail
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT && cd "$work"
npm init -y >/dev/null && npm install --silent --ignore-scripts --no-audit --no-fund @plussub/srt-vtt-parser@2.0.5 webvtt-parser@2.2.0 || exit 2
cat > show.mjs <<'JS'
import { readFileSync } from "node:fs";
import { parse } from "@plussub/srt-vtt-parser";
import webvtt from "webvtt-parser";
const version = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8")).version;
const file = `WEBVTT

REGION
id:fred
width:40%

00:00:01.000 --> 00:00:02.000 region:fred
Call me at ten.

keynote-2
00:00:03.000 --> 00:00:04.000
Not before.

00:05.000 --> 00:06.000 align:left
And not on Monday.

00:00:07.000 --> 00:00:08.000
Bye.
`; // region:fred is the setting of section 3.4 of WebVTT, and a time may leave its hours out
const ours = parse(file).entries;
const theirs = new webvtt.WebVTTParser().parse(file).cues.map(({ text }) => text);
console.log(`@plussub/srt-vtt-parser ${version("@plussub/srt-vtt-parser")}, webvtt-parser ${version("webvtt-parser")}, node ${process.version}`);
console.log("The first line of a block is searched for NOTE, STYLE and REGION anywhere and in any case. So a cue that says in which region");
console.log("it is shown is gone, as is one whose name holds such a word (keynote-2). Of a time without hours that settings follow, the");
console.log("end is NaN.");
console.log(`got:           ${JSON.stringify(ours.map(({ text, to }) => [text, `${to}`]))}`);
console.log(`webvtt-parser: ${JSON.stringify(theirs)}`);
process.exit(ours.map(({ text }) => text).join() === "And not on Monday.,Bye." && Number.isNaN(ours[0].to) && theirs.length === 4 ? 0 : 1);
JS
node show.mjs
