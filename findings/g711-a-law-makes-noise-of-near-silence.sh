#!/usr/bin/env bash
# npm g711 1.0.1: in A-law a sample of -1 becomes -248, so that near silence is a loud noise.
set -euo pipefail
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT && cd "$work"
npm init -y >/dev/null && npm install --silent --ignore-scripts --no-audit --no-fund g711@1.0.1 alawmulaw@6.0.0 || exit 2
cat > show.js <<'JS'
const { readFileSync } = require("node:fs");
const g711 = require("g711"), { alaw } = require("alawmulaw");
const version = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8")).version;
const decibels = (samples) => 20 * Math.log10(Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length) / 32768);
let state = 1;
const random = () => (state = (state * 48271) % 2147483647) / 2147483647;
const room = Int16Array.from({ length: 16000 }, () => Math.round(3 * (random() + random() + random() - 1.5))); // 2 s of a still room, from -4 to 4
const samples = Int16Array.from([0, -1, -4, -7, -8, -16, -100, 1, 4]);
const ours = Array.from(g711.alawToPCM(g711.alawFromPCM(samples))), theirs = Array.from(alaw.decode(alaw.encode(samples)));
console.log(`g711 ${version("g711")}, alawmulaw ${version("alawmulaw")}, node ${process.version}`);
console.log("A negative sample loses 8 before its size is looked at. From -1 to -7 that turns its sign, and the smallest step of A-law");
console.log("is written as the sixteenth: samples that nobody hears are thrown to -248. The still room between two words, which is");
console.log("such samples by the thousand, hisses; an end of speech that is found by the level is not found. mu-law is right.");
console.log(`samples:            ${Array.from(samples)}`);
console.log(`through g711:       ${ours}`);
console.log(`through alawmulaw:  ${theirs}`);
const levels = [room, g711.alawToPCM(g711.alawFromPCM(room)), alaw.decode(alaw.encode(room)), g711.ulawToPCM(g711.ulawFromPCM(room))].map((sound) => decibels(Array.from(sound)));
console.log(`a still room of ${levels[0].toFixed(0)} dB: in A-law by g711 ${levels[1].toFixed(0)} dB, by alawmulaw ${levels[2].toFixed(0)} dB; in mu-law by g711 ${levels[3].toFixed(0)} dB`);
process.exit(ours[1] === -248 && ours[3] === -248 && theirs[1] === -8 && levels[1] > levels[2] + 20 && levels[3] < levels[0] + 6 ? 0 : 1);
JS
node show.js
