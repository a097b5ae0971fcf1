#!/usr/bin/env bash
# npm subsrt-ts 2.1.2 and subsrt 1.1.1: a time of LRC with three decimals comes out up to nine seconds late.
# Both take three digits (their pattern is \d{1,3}) and multiply by ten whatever their number; the README does not say so, no report found.
set -euo pipefail
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT && cd "$work"
npm init -y >/dev/null && npm install --silent --ignore-scripts --no-audit --no-fund subsrt-ts@2.1.2 subsrt@1.1.1 lrc-kit@1.2.1 || exit 2
cat > show.mjs <<'JS'
import { readFileSync } from "node:fs";
import { convert, parse } from "subsrt-ts";
import subsrt from "subsrt";
import * as kit from "lrc-kit";
const version = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8")).version;
const times = ["00:01.500", "00:03.250", "00:04.75", "00:05.900", "00:06.010"];
const file = `\n${times.map((time, i) => `[${time}]Line ${i + 1}`).join("\n")}\n`;
const start = (captions) => captions.filter(({ type }) => type === "caption").map(({ start }) => start / 1000);
const newer = start(parse(file, { format: "lrc" })), older = start(subsrt.parse(file, { format: "lrc" }));
const theirs = kit.Lrc.parse(file).lyrics.map(({ timestamp }) => Number(timestamp.toFixed(3)));
console.log(`subsrt-ts ${version("subsrt-ts")}, subsrt ${version("subsrt")}, lrc-kit ${version("lrc-kit")}, node ${process.version}`);
console.log("Transcribers and lyric editors write LRC with two or with three decimals. Of three the fraction counts ten times: half a");
console.log("second becomes five, and lines change places, so that some end before they begin.");
console.log(`times:     ${times.join(", ")}`);
console.log(`subsrt-ts: ${newer.join(", ")}`);
console.log(`subsrt:    ${older.join(", ")}`);
console.log(`lrc-kit:   ${theirs.join(", ")}`);
console.log(`as SRT:    ${convert(file, { from: "lrc", to: "srt" }).split(/\r?\n/).filter((line) => line.includes("-->")).join(" | ")}`);
const expected = "6,5.5,4.75,14,6.1";
process.exit(newer.join() === expected && older.join() === expected && theirs.join() === "1.5,3.25,4.75,5.9,6.01" ? 0 : 1);
JS
node show.mjs
