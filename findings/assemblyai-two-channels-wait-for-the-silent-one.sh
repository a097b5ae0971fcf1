#!/usr/bin/env bash
# npm assemblyai 4.41.5: of two channels, one that pauses holds up the other, and they stay apart by the pause for good.
set -euo pipefail
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT && cd "$work"
npm init -y >/dev/null && npm install --silent --ignore-scripts --no-audit --no-fund assemblyai@4.41.5 ws@8.18.3 || exit 2
cat > show.js <<'JS'
const { version } = require("./node_modules/assemblyai/package.json");
const { StreamingTranscriber } = require("assemblyai");
const { WebSocketServer } = require("ws");
const RATE = 16000, sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const words = (marker, count) => new Int16Array(count).fill(marker); // a number that the mean of both channels still shows

const server = new WebSocketServer({ host: "127.0.0.1", port: 0 }, async () => {
  const got = [];
  server.on("connection", (socket) => {
    socket.on("message", (data, isBinary) => { if (isBinary) got.push(...new Int16Array(data.buffer.slice(data.byteOffset, data.byteOffset + data.length))); });
    socket.send(JSON.stringify({ type: "Begin", id: "x", expires_at: 0 }));
  });
  const transcriber = new StreamingTranscriber({ token: "x", sampleRate: RATE, channels: [{ name: "mic" }, { name: "system" }] });
  transcriber.connectionUrl = () => new URL(`ws://127.0.0.1:${server.address().port}`); // else it takes wss addresses only
  await transcriber.connect();
  const speak = (channel, marker) => transcriber.sendAudio(words(marker, RATE).buffer, { channel });
  speak("mic", 100), speak("system", 2000); // the first second: both
  await sleep(400);
  const before = got.length;
  for (let second = 1; second <= 5; second++) speak("mic", 100 + 100 * second); // five more: the tab is silent and sends nothing
  await sleep(400);
  const during = got.length - before;
  speak("mic", 700), speak("system", 4000); // both again, at the same time
  await sleep(400);
  const mixed = [...new Set(got.slice(before))], together = (200 + 4000) / 2, right = (700 + 4000) / 2;
  console.log(`assemblyai ${version}, node ${process.version}`);
  console.log("With `channels` the client mixes both before it sends, as far as both have sound. One that gives none for a while (a muted");
  console.log("microphone, a tab that plays nothing, a party on hold) keeps back the other: not a word of it is sent, and no error is");
  console.log("told. Once both go on, the one that waited is mixed with what the other says much later, for the rest of the session.");
  console.log(`sent while only the microphone gave sound, for 5 s: ${during} samples`);
  console.log(`then both for 1 s: ${got.length - before} samples, each the mean of ${mixed.map((mean) => 2 * mean - 4000)} of the microphone and 4000; said at that time was 700`);
  process.exit(during === 0 && mixed.join() === String(together) && together !== right ? 0 : 1);
});
setTimeout(() => process.exit(1), 30000);
JS
node show.js
