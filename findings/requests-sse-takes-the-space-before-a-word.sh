#!/usr/bin/env bash
# PyPI requests-sse 0.5.3, aiohttp-sse-client2 0.3.0: text that is streamed in pieces arrives without the spaces between its words.
set -euo pipefail
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT && cd "$work"
python3 -m venv v && v/bin/pip install -q --disable-pip-version-check requests-sse==0.5.3 aiohttp-sse-client2==0.3.0 httpx-sse==0.4.3 httpx==0.28.1 2>pip.log || { cat pip.log; exit 2; }
cat > show.py <<'PY'
import asyncio, http.server, platform, sys, threading
from importlib.metadata import version

import aiohttp, httpx, httpx_sse
from aiohttp_sse_client2.client import EventSource as AsyncEventSource
from requests_sse import EventSource

PIECES = ["Call", " me", " at", " ten", ", please", "."]

class Stream(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = "".join(f"data: {piece}\n\n" for piece in PIECES).encode()
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *ignored):
        pass

def take(events):
    return "".join(event.data for _, event in zip(PIECES, events))

async def take_async(url):
    async with aiohttp.ClientSession() as session, AsyncEventSource(url, session=session) as events:
        return "".join([(await anext(events)).data for _ in PIECES])

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stream)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}/"
with EventSource(url) as events:
    requests_sse = take(events)
aiohttp_sse = asyncio.run(take_async(url))
with httpx.Client() as client, httpx_sse.connect_sse(client, "GET", url) as events:
    by_the_book = take(events.iter_sse())
print(", ".join(f"{name} {version(name)}" for name in ("requests-sse", "aiohttp-sse-client2", "httpx-sse")) + f", Python {platform.python_version()}")
print("In an event stream (HTML standard, 9.2.6) one space behind the colon belongs to the line, and any further one to the")
print("data. These two take all of them. Pieces of a transcript or of an answer that begin with a space are put together")
print("without it, and the words run into each other; no piece is missing, and none looks wrong by itself.")
print(f"sent:                {''.join(PIECES)!r}")
print(f"requests-sse:        {requests_sse!r}")
print(f"aiohttp-sse-client2: {aiohttp_sse!r}")
print(f"httpx-sse:           {by_the_book!r}")
sys.exit(0 if requests_sse == aiohttp_sse == "Callmeatten, please." and by_the_book == "".join(PIECES) else 1)
PY
v/bin/python show.py
