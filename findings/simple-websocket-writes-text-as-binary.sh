#!/usr/bin/env bash
# npm simple-websocket 9.1.0: a string that is written goes out as a binary message, and one that is sent as a text message.
set -euo pipefail
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT && cd "$work"
npm init -y >/dev/null && npm install --silent --ignore-scripts --no-audit --no-fund simple-websocket@9.1.0 ws@8.18.3 || exit 2
cat > show.js <<'JS'
const { version } = require("./node_modules/simple-websocket/package.json");
const Socket = require("simple-websocket");
const { WebSocketServer } = require("ws");
const command = JSON.stringify({ type: "close" });
const server = new WebSocketServer({ host: "127.0.0.1", port: 0 }, () => {
  const kinds = [];
  server.on("connection", (connection) => connection.on("message", (data, isBinary) => {
    kinds.push(`${isBinary ? "binary" : "text"} ${data}`);
    if (kinds.length < 2) return;
    console.log(`simple-websocket ${version}, node ${process.version}`);
    console.log("The socket is a stream as well, and a stream of Node makes bytes of a string before the socket sees it. Audio is written");
    console.log("or piped, and so is a command beside it, as the same client does on a plain TCP socket; a server that takes commands in");
    console.log("text messages only takes this one for a few more bytes of sound. The close command is never understood.");
    console.log(`write(command) arrives as: ${kinds[0]}\nsend(command) arrives as:  ${kinds[1]}`);
    process.exit(kinds.join() === `binary ${command},text ${command}` ? 0 : 1);
  }));
  const socket = new Socket(`ws://127.0.0.1:${server.address().port}`);
  socket.on("connect", () => socket.write(command, () => socket.send(command)));
});
setTimeout(() => process.exit(1), 20000);
JS
node show.js
