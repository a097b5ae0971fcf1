"use strict";
// The plugin of LiveKit's agents for Node: a stream of 20 ms frames, as a room gives them.
const { AudioFrame } = require("@livekit/rtc-node");
const { initializeLogger, stt } = require("@livekit/agents");
const { STT } = require("@livekit/agents-plugin-cartesia");
const { speak, tell } = require("./spoken.cjs");

async function main(baseUrl, path) {
  initializeLogger({ pretty: false, level: "silent" });
  const stream = new STT({ apiKey: "any", baseUrl }).stream();
  const sending = (async () => {
    for await (const chunk of speak(path, 0.02)) {
      const samples = new Int16Array(chunk.buffer.slice(chunk.byteOffset, chunk.byteOffset + chunk.byteLength));
      stream.pushFrame(new AudioFrame(samples, 16000, 1, samples.length));
    }
    stream.endInput();
  })();
  let text = "";
  for await (const event of stream) {
    if (event.type === stt.SpeechEventType.FINAL_TRANSCRIPT) text += event.alternatives[0].text;
  }
  await sending;
  tell(text);
}

main(...process.argv.slice(2)).then(() => process.exit(0));
