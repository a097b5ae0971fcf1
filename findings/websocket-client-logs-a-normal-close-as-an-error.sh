#!/usr/bin/env bash
# websocket-client 1.9.2, WebSocketApp.run_forever(): a server that ends the connection in order (close code 1000) makes
# the client log at the level ERROR, with the words "Connection closed normally", and call on_error before on_close.
set -uo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv" || exit 2
"$work/venv/bin/pip" install -q websocket-client==1.9.2 websockets==15.0.1 >/dev/null 2>&1 || exit 2
"$work/venv/bin/python" - <<'PY'
import logging
import threading
from importlib.metadata import version

import websocket
from websockets.sync.server import serve

print("websocket-client", version("websocket-client"), "against a server of websockets", version("websockets"))
print("In words: a close with code 1000 is no error (RFC 6455, 7.4.1), and the client reports it as one.\n")


def end_in_order(connection):
    connection.recv()
    connection.send("done")
    connection.close(1000, "goodbye")


records, calls = [], []


class Keep(logging.Handler):
    def emit(self, record):
        records.append((record.levelname, record.getMessage()))


with serve(end_in_order, "127.0.0.1", 0) as server:
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port = server.socket.getsockname()[1]
    websocket.enableTrace(False)
    logger = logging.getLogger("websocket")
    logger.handlers, logger.propagate = [Keep()], False
    logger.setLevel(logging.ERROR)
    app = websocket.WebSocketApp(
        f"ws://127.0.0.1:{port}/",
        on_open=lambda app: app.send("close"),
        on_message=lambda _app, text: calls.append(("on_message", text)),
        on_error=lambda _app, error: calls.append(("on_error", type(error).__name__)),
        on_close=lambda _app, code, reason: calls.append(("on_close", code, reason)),
    )
    failed = app.run_forever()
    server.shutdown()

print("logged at ERROR:", records)
print("called:", calls)
print("run_forever() returned", failed)
logged = any(level == "ERROR" and "1000" in text for level, text in records)
as_described = logged and [call[0] for call in calls] == ["on_message", "on_error", "on_close"]
print("\nas described" if as_described else "\nCHANGED")
raise SystemExit(0 if as_described else 1)
PY
