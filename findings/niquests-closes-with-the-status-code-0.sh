#!/usr/bin/env bash
# PyPI niquests 3.21.2 (urllib3-future 2.25.904): closing a WebSocket in order sends the status code 0.
set -euo pipefail
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT && cd "$work"
python3 -m venv v
v/bin/pip install -q --disable-pip-version-check 'niquests[ws]==3.21.2' urllib3-future==2.25.904 websockets==15.0.1 2>pip.log || { cat pip.log; exit 2; }
cat > show.py <<'PY'
import logging, platform, sys, threading
from importlib.metadata import version

import niquests
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import serve

logging.getLogger("websockets").setLevel(logging.CRITICAL)
seen, ended = [], threading.Event()

def listen(connection):
    try:
        for _ in connection:
            pass
        seen.append("a close in order")
    except ConnectionClosed as error:
        seen.append(str(error))
    ended.set()

with serve(listen, "127.0.0.1", 0) as server:
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with niquests.Session() as session:
        answer = session.get(f"ws://127.0.0.1:{server.socket.getsockname()[1]}/")
        answer.extension.send_payload("hello")
        answer.extension.close()
    ended.wait(10)
    server.shutdown()
print(f"niquests {version('niquests')}, urllib3-future {version('urllib3-future')}, Python {platform.python_version()}, "
      f"against websockets {version('websockets')}")
print("close() sends a close frame with the status code 0, which RFC 6455 (7.4.2) reserves as unused. So a server that looks")
print("at the code answers 1002, protocol error, to a client that did nothing wrong, and its log shows a failed connection.")
print(f"the server saw: {seen[0] if seen else 'nothing'}")
sys.exit(0 if seen and "1002" in seen[0] else 1)
PY
v/bin/python show.py
