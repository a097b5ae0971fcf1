#!/usr/bin/env bash
# npm subsrt 1.1.1 and srt 0.0.3: a file with the other line ends is one caption that holds the whole file.
# Neither README names a line end; no report found in either tracker.
set -euo pipefail
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT && cd "$work"
npm init -y >/dev/null && npm install --silent --ignore-scripts --no-audit --no-fund subsrt@1.1.1 srt@0.0.3 srt-parser-2@1.2.3 || exit 2
cat > show.mjs <<'JS'
import { readFileSync } from "node:fs";
import subsrt from "subsrt";
import srt from "srt";
import srtParser from "srt-parser-2";
const version = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8")).version;
const lf = "1\n00:00:01,000 --> 00:00:02,000\nCall me at ten.\n\n2\n00:00:03,000 --> 00:00:04,000\nNot before.\n\n3\n00:00:05,000 --> 00:00:06,000\nBye.\n";
const vtt = "WEBVTT\n\n" + lf.replaceAll(",000", ".000");
const crlf = (text) => text.replaceAll("\n", "\r\n");
const readers = { subsrt: (text) => subsrt.parse(text).filter(({ type }) => type === "caption"), srt: (text) => Object.values(srt.fromString(text)), "srt-parser-2": (text) => new (srtParser.default ?? srtParser)().fromSrt(text) };
const counts = {};
console.log(`${Object.keys(readers).map((name) => `${name} ${version(name)}`).join(", ")}, node ${process.version}`);
console.log("subsrt tells captions apart by CR LF CR LF, srt by LF LF. Where the file has the other kind, as tools of the other system");
console.log("write it, one caption comes, and its text is the rest of the file, numbers and times in it. Nothing is reported.");
for (const [name, read] of Object.entries(readers)) {
  counts[name] = [read(lf), read(crlf(lf))].map((captions) => captions.length);
  console.log(`${name.padEnd(13)} of 3 captions, LF: ${counts[name][0]}, CR LF: ${counts[name][1]}`);
}
const [first] = readers.subsrt(lf);
const ofVtt = [vtt, crlf(vtt)].map((text) => readers.subsrt(text).length);
console.log(`subsrt, the first caption of LF: ${JSON.stringify(first.text)}`);
console.log(`subsrt, the same as WebVTT, LF: ${ofVtt[0]} captions, CR LF: ${ofVtt[1]}`);
process.exit(String(counts.subsrt) === "1,3" && String(counts.srt) === "3,1" && String(counts["srt-parser-2"]) === "3,3" && first.text.includes("-->") && String(ofVtt) === "0,3" ? 0 : 1);
JS
node show.mjs
