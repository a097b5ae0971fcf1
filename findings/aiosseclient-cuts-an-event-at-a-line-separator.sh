#!/usr/bin/env bash
# PyPI aiosseclient 0.1.8: an event ends at U+2028, U+0085 and other characters at which str.splitlines() cuts; the rest is dropped.
# Lines of an event stream end with CR, LF or both (server-sent events, 9.2.5); sseclient-py once did the same and mended it. No report found.
set -euo pipefail
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT && cd "$work"
python3 -m venv v && v/bin/pip install -q --disable-pip-version-check aiosseclient==0.1.8 aiohttp==3.14.5 httpx==0.28.1 httpx-sse==0.4.3 2>pip.log || { cat pip.log; exit 2; }
cat > show.py <<'PY'
import asyncio, json, logging, platform, sys
from importlib.metadata import version

import httpx
from aiohttp import web
from aiosseclient import aiosseclient
from httpx_sse import aconnect_sse

logging.disable()
texts = ["Call me at ten.", "First line,\u2028second line.", "\n\nA new paragraph.", "Bye."]
messages = [f"data: {line}" for line in texts[:1]] + ["data: " + json.dumps({"text": texts[1]}, ensure_ascii=False)]
messages += ["\n".join(f"data: {line}" for line in texts[2].split("\n")), f"data: {texts[3]}"]
stream = "".join(f"{message}\n\n" for message in messages)

async def answer(request):
    return web.Response(text=stream, content_type="text/event-stream")

async def main():
    app = web.Application()
    app.router.add_get("/", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}/"
    ours = [event.data async for event in aiosseclient(url)]
    async with httpx.AsyncClient() as client, aconnect_sse(client, "GET", url) as source:
        theirs = [event.data async for event in source.aiter_sse()]
    await runner.cleanup()
    return ours, theirs

ours, theirs = asyncio.run(main())
print(f"aiosseclient {version('aiosseclient')}, httpx-sse {version('httpx-sse')}, Python {platform.python_version()}")
print("JSON leaves U+2028 and U+0085 as they are, in JavaScript always, in Python with ensure_ascii=False; texts that were pasted hold")
print("them. What stands behind is taken for a line without a field, so the JSON has no end. Empty first lines of data are lost as well.")
for mine, right in zip(ours, theirs):
    print(f"sent {right!r}\n got {mine!r}")
sys.exit(0 if ours == [texts[0], '{"text": "First line,', "A new paragraph.", texts[3]] and theirs[2] == texts[2] and json.loads(theirs[1])["text"] == texts[1] else 1)
PY
v/bin/python show.py
