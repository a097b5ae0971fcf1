#!/usr/bin/env bash
# npm audio-mixer 2.1.4: the party on channel 0 is not heard when the one on channel 1 joined first.
set -euo pipefail
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT && cd "$work"
npm init -y >/dev/null && npm install --silent --ignore-scripts --no-audit --no-fund audio-mixer@2.1.4 || exit 2
cat > show.js <<'JS'
const { readFileSync } = require("node:fs");
const { InterleavedMixer } = require("audio-mixer");
const { version } = JSON.parse(readFileSync("node_modules/audio-mixer/package.json", "utf8"));
const SAMPLES = 1600, speech = (level) => Buffer.from(new Int16Array(SAMPLES).fill(level).buffer);

/** What stands on both channels when the inputs join in this order: 1000 is said on channel 0, and 2000 on channel 1. */
const mix = (order) => new Promise((done) => {
  const mixer = new InterleavedMixer({ channels: 2, bitDepth: 16, sampleRate: 8000 }), inputs = [];
  for (const channel of order) inputs[channel] = mixer.input({ channels: 1, volume: 100 }, channel);
  [1000, 2000].forEach((level, channel) => inputs[channel].write(speech(level)));
  mixer.once("data", (data) => { mixer.close(); done([data.readInt16LE(0), data.readInt16LE(2), data.length / 4]); });
});

(async () => {
  const first = await mix([0, 1]), second = await mix([1, 0]);
  console.log(`audio-mixer ${version}, node ${process.version}`);
  console.log("InterleavedMixer puts each input on a channel of its own, as a recording of a call wants it. Channel 0 counts as none");
  console.log("given: that input takes the next free place, which is right only if it is the first. Whichever side of a call answers");
  console.log("first decides whether both are heard; where it is the other one, a channel is silent, and no error says so.");
  console.log(`joined as 0, 1: ${first[0]} on channel 0, ${first[1]} on channel 1`);
  console.log(`joined as 1, 0: ${second[0]} on channel 0, ${second[1]} on channel 1`);
  process.exit(first.join() === `1000,2000,${SAMPLES}` && second.join() === `0,2000,${SAMPLES}` ? 0 : 1);
})();
setTimeout(() => process.exit(1), 20000);
JS
node --no-deprecation show.js
