#!/usr/bin/env bash
# npm reconnecting-websocket 4.4.0 and partysocket 1.3.0: what was queued while the line was down goes out before onopen runs.
# Their READMEs say that messages are buffered and sent on open, and open the session in onopen; not in which order. No report found.
set -euo pipefail
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT && cd "$work"
npm init -y >/dev/null && npm install --silent --ignore-scripts --no-audit --no-fund reconnecting-websocket@4.4.0 partysocket@1.3.0 sturdy-websocket@0.2.1 ws@8.23.0 || exit 2
cat > show.mjs <<'JS'
import { readFileSync } from "node:fs";
import { once } from "node:events";
import { WebSocket, WebSocketServer } from "ws";
import ReconnectingWebSocket from "reconnecting-websocket";
import { WebSocket as PartySocket } from "partysocket";
import SturdyWebSocket from "sturdy-websocket";
const version = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8")).version;
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

async function session(make) {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await once(server, "listening");
  const connections = [];
  server.on("connection", (socket) => {
    const got = [];
    connections.push(got);
    socket.on("message", (data) => (got.push(`${data}`), connections.length === 1 && got.length === 2 && socket.terminate()));
  });
  const client = make(`ws://127.0.0.1:${server.address().port}`);
  for (const event of ["open", "reopen"]) client.addEventListener(event, () => client.send("start"));
  for (let i = 0; i < 15; i++) await pause(30), client.send(`audio ${i}`);
  await pause(300);
  client.close();
  server.close();
  return connections[1].slice(0, 4);
}
const options = { WebSocket, minReconnectionDelay: 150, maxReconnectionDelay: 150 };
const rws = await session((url) => new (ReconnectingWebSocket.default ?? ReconnectingWebSocket)(url, [], options));
const party = await session((url) => new PartySocket(url, [], options));
const sturdy = await session((url) => new (SturdyWebSocket.default ?? SturdyWebSocket)(url, { wsConstructor: WebSocket, minReconnectDelay: 150 }));
console.log(`reconnecting-websocket ${version("reconnecting-websocket")}, partysocket ${version("partysocket")}, sturdy-websocket ${version("sturdy-websocket")}, ws ${version("ws")}, node ${process.version}`);
console.log("A service that wants a first message (a key, a format) gets it from onopen. After a cut the audio of the pause is sent ahead of");
console.log("it, in one burst: the server sees sound of a session that nobody has opened, and refuses it, or closes, and so again.");
console.log(`second connection, reconnecting-websocket: ${rws.join(", ")} ...`);
console.log(`second connection, partysocket:            ${party.join(", ")} ...`);
console.log(`second connection, sturdy-websocket:       ${sturdy.join(", ")} ...`);
process.exit([rws, party].every((got) => got[0].startsWith("audio") && got[1].startsWith("audio")) && sturdy[0] === "start" ? 0 : 1);
JS
timeout 60 node show.mjs
