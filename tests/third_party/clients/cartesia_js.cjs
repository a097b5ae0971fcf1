"use strict";
// The vendor's SDK for JavaScript, with the package ws.
const { Cartesia } = require("@cartesia/cartesia-js");
const { speak, tell } = require("./spoken.cjs");

async function main(baseURL, path) {
  const sdk = new Cartesia({ apiKey: "any", baseURL });
  const socket = sdk.stt.autoFinalize.websocket({ model: "ink-2", encoding: "pcm_s16le", sample_rate: 16000 });
  socket.on("error", () => {});
  let text = "";
  const reading = (async () => {
    for await (const event of socket.stream()) {
      if (event.type === "message" && event.message.type === "turn.end") text += event.message.transcript;
      if (event.type === "close") break;
    }
  })();
  await new Promise((resolve) => socket.once("event", resolve));
  for await (const chunk of speak(path, 0.1)) socket.sendRaw(chunk);
  socket.send({ type: "close" });
  await reading;
  tell(text);
}

main(...process.argv.slice(2)).then(() => process.exit(0));
