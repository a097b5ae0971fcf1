#!/usr/bin/env bash
# npm nodejs-websocket 1.7.2: its pong is not the ping that came, so a peer that checks it, as Python's websockets does, ends the call.
# RFC 6455, 5.5.3: a pong has the data of its ping; 5.6 and 8.1: a text may be cut inside a character. No report found.
set -euo pipefail
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT && cd "$work"
npm init -y >/dev/null && npm install --silent --ignore-scripts --no-audit --no-fund nodejs-websocket@1.7.2 ws@8.23.0 || exit 2
python3 -m venv v && v/bin/pip install -q --disable-pip-version-check websockets==17.4 2>pip.log || { cat pip.log; exit 2; }
cat > client.cjs <<'JS'
const [, , library, url] = process.argv;
if (library === "ws") new (require("ws").WebSocket)(url).on("message", (data) => console.log(`text ${data}`)).on("error", () => {});
else require("nodejs-websocket").connect(url).on("text", (text) => console.log(`text ${text}`)).on("error", () => {});
setTimeout(() => process.exit(), 4000);
JS
cat > show.py <<'PY'
import asyncio, platform, sys
from importlib.metadata import version

from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

async def call(library):
    """Return what the client got of a text in two fragments, and how the call ended; pings as by default, 20 times as fast."""
    ended = asyncio.get_running_loop().create_future()

    async def handler(connection):
        await connection.send(["gr", "üß"])  # fragments, cut between characters
        word = "grüß".encode()
        for head, part in ((0x01, word[:3]), (0x80, word[3:])):  # and inside one
            connection.transport.write(bytes([head, len(part)]) + part)
        try:
            await asyncio.wait_for(connection.wait_closed(), 3)
            ended.set_result(f"closed with {connection.protocol.close_sent.code} {connection.protocol.close_sent.reason!r}")
        except TimeoutError:
            ended.set_result("still open after 3 s")

    async with serve(handler, "127.0.0.1", 0, ping_interval=1, ping_timeout=1, compression=None) as server:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        client = await asyncio.create_subprocess_exec("node", "client.cjs", library, url, stdout=asyncio.subprocess.PIPE)
        how = await ended
        client.terminate()
        told, _ = await client.communicate()
        return told.decode().split("\n")[:2], how

ours, theirs = asyncio.run(call("nodejs-websocket")), asyncio.run(call("ws"))
print(f"nodejs-websocket 1.7.2, ws 8.23.0, websockets {version('websockets')}, Python {platform.python_version()}")
print("Whatever comes is made text: the data of a ping, too, which are sent back with each byte that is no UTF-8 replaced. The peer")
print("waits for its own four random bytes, takes the connection for dead, and closes it with 1011, by default 40 s after the start")
print("(15 in 16 pings are no UTF-8). Texts in fragments are decoded one fragment at a time: a letter that lies across is lost.")
print(f"nodejs-websocket: {ours[1]}, texts {ours[0]}")
print(f"ws:               {theirs[1]}, texts {theirs[0]}")
sys.exit(0 if "1011" in ours[1] and "\ufffd" in ours[0][1] and "open" in theirs[1] and theirs[0][1] == "text grüß" else 1)
PY
v/bin/python show.py
