#!/usr/bin/env bash
# npm node-audio-mixer 1.3.7: a stereo input at another rate comes out with its channels mixed up sample by sample.
set -euo pipefail
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT && cd "$work"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund node-audio-mixer@1.3.7 || exit 2
cat > show.js <<'JS'
const { readFileSync } = require("node:fs");
const { AudioMixer } = require("node-audio-mixer");
const { version } = JSON.parse(readFileSync("node_modules/node-audio-mixer/package.json", "utf8"));

// A second of a tone on the left, and nothing on the right, to one channel at 48000 Hz.
const mix = (rate) => new Promise((done) => {
  const mixer = new AudioMixer({ sampleRate: 48000, channels: 1, bitDepth: 16 }), input = mixer.createAudioInput({ sampleRate: rate, channels: 2, bitDepth: 16 });
  const pcm = Buffer.alloc(rate * 4), parts = [];
  for (let i = 0; i < rate; i++) pcm.writeInt16LE(Math.round(8000 + 4000 * Math.sin((2 * Math.PI * 300 * i) / rate)), i * 4);
  const wait = setTimeout(() => done(Buffer.alloc(0)), 20000);
  mixer.on("data", (part) => {
    parts.push(part);
    const out = Buffer.concat(parts);
    if (out.length >= 90000) { clearTimeout(wait); mixer.close(); done(out); }
  });
  input.write(pcm);
});

(async () => {
  console.log(`node-audio-mixer ${version}, node ${process.version}`);
  console.log("The rate is changed before the channels are: left and right samples stand in turn, and are thinned out or repeated as");
  console.log("if they were one channel, so that from there on left is right, until the next step turns them again. Then the left one");
  console.log("is kept as the mono mix, and the right one dropped. Of a call that has one speaker on each side both are in it, in pieces");
  console.log("of a fraction of a millisecond; where one side is silent, the voice has thousands of holes a second.");
  const seen = [];
  for (const rate of [48000, 44100]) {
    const out = await mix(rate), samples = new Int16Array(out.buffer, out.byteOffset, out.length >> 1).subarray(0, 45000);
    const holes = samples.filter((sample) => sample === 0).length, runs = samples.filter((sample, i) => i && sample === 0 && samples[i - 1] !== 0).length;
    seen.push([samples.length, holes, runs]);
    console.log(`the left channel is never below 4000; mixed from ${rate} Hz: ${holes} of ${samples.length} samples are 0, in ${runs} holes`);
  }
  const [[same, none], [length, holes, runs]] = seen;
  process.exit(same === 45000 && none === 0 && length === 45000 && holes > 15000 && runs > 1000 ? 0 : 1);
})();
JS
node show.js
