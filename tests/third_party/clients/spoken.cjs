"use strict";
// What the clients share: a file (WAV of 44 bytes and 16-bit samples at 16 kHz) as it is spoken, and the text that they end up with.
const fs = require("node:fs");

async function* speak(path, seconds) {
  const data = fs.readFileSync(path).subarray(44);
  const size = 2 * Math.round(16000 * seconds);
  const began = performance.now();
  for (let start = 0, number = 0; start < data.length; start += size, number++) {
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, began + 1000 * number * seconds - performance.now())));
    yield data.subarray(start, start + size);
  }
}

const tell = (text) => console.log(JSON.stringify({ text }));

module.exports = { speak, tell };
