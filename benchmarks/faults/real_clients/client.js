"use strict";
// One application on the vendor's JavaScript SDK. A job (JSON) comes on standard input: where to connect, what to send when,
// how to end. What it heard goes to standard output as JSON: a list of [event type, transcript].
// CommonJS on purpose: as an ES module the SDK does not find its optional `ws` package on Node 20.
const { Cartesia } = require("@cartesia/cartesia-js");

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));

async function main() {
  const job = JSON.parse(require("fs").readFileSync(0, "utf8"));
  const sdk = new Cartesia({ apiKey: "sk_car_local_test", baseURL: `http://127.0.0.1:${job.port}` });
  const socket = sdk.stt.autoFinalize.websocket(job.parameters, { perMessageDeflate: false });
  const heard = [];
  let ended = false;
  const reading = (async () => {
    for await (const event of socket.stream()) {
      if (event.type === "message") heard.push([event.message.type, event.message.transcript ?? ""]);
      if (event.type === "close") break;
    }
    ended = true;
  })();
  socket.on("error", () => {});
  await new Promise((resolve) => {
    socket.on("event", resolve); // the greeting; audio may go out before it, but the pace is measured from here
    setTimeout(resolve, 5000);
  });
  const began = performance.now();
  for (const [due, kind, value] of job.plan) {
    await sleep(due * 1000 - (performance.now() - began));
    if (ended) break;
    if (kind === "audio") socket.sendRaw(Buffer.from(value, "base64"));
    else socket.send(value);
  }
  if (job.leave_after !== null && !ended) {
    await sleep(job.leave_after * 1000);
    socket.close({ code: 1000, reason: "" });
  }
  await Promise.race([reading, sleep(job.patience_s * 1000)]);
  process.stdout.write(JSON.stringify(heard));
  process.exit(0);
}

main();
