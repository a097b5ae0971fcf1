"""Lines of a log in what stands round them where applications run, written by hand as the tools write it."""

import csv
import io
import json
from binascii import b2a_qp
from collections.abc import Callable
from datetime import UTC, datetime
from xml.sax.saxutils import escape

from captures import EPOCH

Line = tuple[float, str]
"""Seconds, message."""

LOGGER = "websockets.client"


def iso(t: float, digits: int = 3) -> str:
    moment = datetime.fromtimestamp(EPOCH + t, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{round((EPOCH + t) % 1 * 10**digits) % 10**digits:0{digits}}"


def each(make: Callable[[float, str], object]) -> Callable[[list[Line]], bytes]:
    """One JSON object, or text, for each line."""

    def dressed(lines: list[Line]) -> bytes:
        made = (make(t, message) for t, message in lines)
        return "".join(f"{item if isinstance(item, str) else json.dumps(item)}\n" for item in made).encode()

    return dressed


def go_json(record: object) -> str:
    """As the encoder of Go writes it, which escapes the marks of HTML."""
    return json.dumps(record).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def docker(lines: list[Line], logged: Callable[[float, str], str] = lambda _, message: message) -> bytes:
    """Docker's json-file, which cuts lines of more than 16 KiB."""
    out = []
    for t, message in lines:
        text = logged(t, message) + "\n"
        pieces = [text[i : i + 16384] for i in range(0, len(text), 16384)]
        out += [go_json({"log": piece, "stream": "stderr", "time": f"{iso(t, 9)}Z"}) for piece in pieces]
    return "".join(f"{line}\n" for line in out).encode()


def docker_of_json(lines: list[Line]) -> bytes:
    return docker(lines, lambda t, message: json.dumps({"level": "debug", "ts": EPOCH + t, "msg": message}))


def docker_of_plain(lines: list[Line]) -> bytes:
    return docker(lines, lambda t, message: f"{iso(t).replace('T', ' ').replace('.', ',')} {LOGGER} {message}")


def runtime(lines: list[Line]) -> bytes:
    """Files of a container runtime under Kubernetes, which cut lines too."""
    out = []
    for t, message in lines:
        pieces = [message[i : i + 16384] for i in range(0, len(message), 16384)] or [""]
        tags = ["P"] * (len(pieces) - 1) + ["F"]
        out += [f"{iso(t, 9)}Z stderr {tag} {piece}" for tag, piece in zip(tags, pieces, strict=True)]
        out.append(f"{iso(t, 9)}Z stdout F GET /healthz 200")
    return "".join(f"{line}\n" for line in out).encode()


def cloudwatch(lines: list[Line]) -> bytes:
    """`aws logs filter-log-events`."""
    events = [
        {
            "logStreamName": "app/1",
            "timestamp": round((EPOCH + t) * 1000),
            "message": message,
            "ingestionTime": 1,
            "eventId": "3",
        }
        for t, message in lines
    ]
    return json.dumps({"events": events, "searchedLogStreams": []}, indent=4).encode()


def insights(lines: list[Line]) -> bytes:
    """`aws logs get-query-results`, the newest line first."""
    rows = [
        [{"field": "@timestamp", "value": iso(t).replace("T", " ")}, {"field": "@message", "value": message}]
        for t, message in reversed(lines)
    ]
    return json.dumps({"queryLanguage": "CWLI", "results": rows, "status": "Complete"}, indent=4).encode()


def google(lines: list[Line]) -> bytes:
    """`gcloud logging read --format=json`, the newest line first."""
    entries = [
        {
            "insertId": f"x{number}",
            "jsonPayload": {"message": message, "python_logger": LOGGER},
            "labels": {"instance": "1"},
            "receiveTimestamp": "2027-01-01T00:00:00.123456789Z",
            "severity": "DEBUG",
            "timestamp": f"{iso(t, 6)}Z",
        }
        for number, (t, message) in enumerate(lines)
    ]
    return json.dumps(entries[::-1], indent=2).encode()


def table(lines: list[Line]) -> bytes:
    """A console's export to CSV, the newest line first."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["timestamp", "message"])
    writer.writerows([round((EPOCH + t) * 1000), message] for t, message in reversed(lines))
    return out.getvalue().encode()


def other_table(lines: list[Line]) -> bytes:
    """An export with names of columns that say little, with a byte order mark and the newest line first."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["TimeGenerated [UTC]", "ContainerName", "LogEntry"])
    writer.writerows([f"{iso(t)}Z", "web", message] for t, message in reversed(lines))
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def loki(lines: list[Line]) -> bytes:
    """The answer of Loki to a query, the newest line first."""
    values = [[f"{round((EPOCH + t) * 1000)}000000", message] for t, message in reversed(lines)]
    data = {"resultType": "streams", "result": [{"stream": {"app": "stt"}, "values": values}], "stats": {}}
    return json.dumps({"status": "success", "data": data}).encode()


def elastic(lines: list[Line]) -> bytes:
    """The answer of Elasticsearch to a search, the newest line first."""
    hits = [
        {"_id": "1", "_source": {"@timestamp": f"{iso(t)}Z", "message": message}, "sort": [1]}
        for t, message in reversed(lines)
    ]
    return json.dumps({"took": 1, "_shards": {"total": 1}, "hits": {"total": {"value": 9}, "hits": hits}}).encode()


def open_telemetry(lines: list[Line]) -> bytes:
    """The file exporter of a collector, a batch a line."""
    records = [
        {"timeUnixNano": f"{round((EPOCH + t) * 1e6)}000", "severityText": "DEBUG", "body": {"stringValue": message}}
        for t, message in lines
    ]
    named = {"attributes": [{"key": "service.name", "value": {"stringValue": "stt"}}]}
    batches = [
        {"resourceLogs": [{"resource": named, "scopeLogs": [{"scope": {"name": LOGGER}, "logRecords": part}]}]}
        for part in (records[:20], records[20:])
    ]
    return "".join(f"{json.dumps(batch)}\n" for batch in batches).encode()


def jaeger(lines: list[Line]) -> bytes:
    """A trace whose span has a log for each line."""
    logs = [
        {
            "timestamp": round((EPOCH + t) * 1e6),
            "fields": [
                {"key": "level", "type": "string", "value": "debug"},
                {"key": "event", "type": "string", "value": message},
            ],
        }
        for t, message in lines
    ]
    span = {"spanID": "a1", "startTime": 1, "tags": [{"key": "span.kind", "value": "client"}], "logs": logs}
    return json.dumps({"data": [{"traceID": "5f", "spans": [span], "processes": {"p1": {}}}], "total": 0}).encode()


def application_insights(lines: list[Line]) -> bytes:
    """The answer to a query, a table of rows."""
    columns = [{"name": name, "type": "string"} for name in ("timestamp", "message", "severityLevel")]
    rows = [[f"{iso(t, 6)}Z", message, 0] for t, message in lines]
    return json.dumps({"tables": [{"name": "PrimaryResult", "columns": columns, "rows": rows}]}, indent=1).encode()


def new_relic(lines: list[Line]) -> bytes:
    """The answer to a query, the newest line first."""
    events = [{"timestamp": round((EPOCH + t) * 1000), "message": message} for t, message in reversed(lines)]
    return json.dumps({"results": [{"events": events}], "metadata": {"eventTypes": ["Log"]}}).encode()


def sentry(lines: list[Line]) -> bytes:
    """An event with its breadcrumbs."""
    crumbs = [{"timestamp": round(EPOCH + t, 3), "category": "console", "message": message} for t, message in lines]
    event = {"event_id": "9a", "message": "WebSocket closed", "breadcrumbs": {"values": crumbs}, "user": {"id": "7"}}
    return json.dumps(event, indent=2).encode()


def wrangler(lines: list[Line]) -> bytes:
    """`wrangler tail --format json`: what one call printed is a list."""
    logs = [{"message": [message], "level": "log", "timestamp": round((EPOCH + t) * 1000)} for t, message in lines]
    return json.dumps({"outcome": "ok", "exceptions": [], "logs": logs, "event": {"request": {}}}, indent=2).encode()


def journal_export(lines: list[Line]) -> bytes:
    """`journalctl -o export`: what holds several lines or colours has its length before it."""
    out = b""
    for number, (t, message) in enumerate(lines):
        content = message.encode()
        is_plain = "\n" not in message and "CLOSE" not in message
        length = len(content).to_bytes(8, "little")
        shown = b"MESSAGE=" + content if is_plain else b"MESSAGE\n" + length + content
        stamps = f"__REALTIME_TIMESTAMP={round((EPOCH + t) * 1e6)}\n__MONOTONIC_TIMESTAMP=1\n"
        out += f"__CURSOR=s=1;i={number}\n{stamps}PRIORITY=6\n".encode() + shown + b"\n_PID=7\n\n"
    return out


def journal(t: float, message: str) -> dict[str, object]:
    """`journalctl -o json`: what holds colours is a list of bytes."""
    shown: object = list(message.encode()) if "CLOSE" in message else message
    return {"__CURSOR": "s=1", "__REALTIME_TIMESTAMP": str(round((EPOCH + t) * 1e6)), "PRIORITY": "6", "MESSAGE": shown}


def loguru(t: float, message: str) -> dict[str, object]:
    """A sink with `serialize=True`."""
    record = {"message": message, "time": {"repr": iso(t, 6), "timestamp": EPOCH + t}}
    return {"text": f"{iso(t)} | DEBUG | {message}\n", "record": record}


def java_xml(lines: list[Line]) -> bytes:
    """The XMLFormatter of java.util.logging, a member a line."""
    records = "".join(
        f"<record>\n  <date>{iso(t, 6)}Z</date>\n  <millis>{round((EPOCH + t) * 1000)}</millis>\n"
        f"  <message>{escape(message)}</message>\n</record>\n"
        for t, message in lines
    )
    return f'<?xml version="1.0" encoding="UTF-8" standalone="no"?>\n<log>\n{records}</log>\n'.encode()


def junit(lines: list[Line]) -> bytes:
    """The report of a test, as pytest writes it with junit_logging."""
    text = escape("".join(f"{iso(t)} DEBUG {message}\n" for t, message in lines))
    case = f'<testcase classname="t" name="stt" time="3.6"><system-err>\n{text}</system-err></testcase>'
    return f'<?xml version="1.0" encoding="utf-8"?><testsuites><testsuite>{case}</testsuite></testsuites>'.encode()


def parts_of(t: float) -> dict[str, int]:
    """A moment as log4j writes it."""
    whole, micros = divmod(round((EPOCH + t) * 10**6), 10**6)
    return {"epochSecond": whole, "nanoOfSecond": micros * 1000}


DRESSES: dict[str, Callable[[list[Line]], bytes]] = {
    "docker": docker,
    "docker-of-json": docker_of_json,
    "docker-of-plain": docker_of_plain,
    "runtime": runtime,
    "cloudwatch": cloudwatch,
    "insights": insights,
    "google": google,
    "table": table,
    "other-table": other_table,
    "insights-compact": lambda lines: json.dumps(json.loads(insights(lines))).encode(),
    "loki": loki,
    "elastic": elastic,
    "open-telemetry": open_telemetry,
    "jaeger": jaeger,
    "application-insights": application_insights,
    "new-relic": new_relic,
    "sentry": sentry,
    "wrangler": wrangler,
    "journal-export": journal_export,
    "compact-log-events": each(lambda t, m: {"@t": f"{iso(t)}Z", "@mt": m, "@l": "Debug"}),
    "other-names": each(lambda t, m: {"severity": "DEBUG", "log_entry": m, "happened": f"{iso(t)}Z"}),
    "journal": each(journal),
    "journal-pretty": lambda lines: "".join(json.dumps(journal(*line), indent=1) + "\n" for line in lines).encode(),
    "journal-short": each(lambda t, m: f"Sep 21 {iso(t)[11:19]} host app[7]: {iso(t)[11:].replace('.', ',')} {m}"),
    "ecs": each(lambda t, m: {"@timestamp": f"{iso(t)}Z", "message": m, "log": {"logger": LOGGER, "original": m}}),
    "loguru": each(loguru),
    "firelens": each(lambda t, m: {"date": EPOCH + t, "source": "stderr", "log": m, "container_name": "app"}),
    "compose": each(lambda t, m: f"web-1  | {json.dumps({'time': f'{iso(t)}Z', 'msg': m})}"),
    "logfmt": each(lambda t, m: f"time={iso(t)}Z level=DEBUG msg={json.dumps(m)} logger={LOGGER}"),
    "keys": each(lambda t, m: f"event={m!r} logger='{LOGGER}' level='debug' timestamp='{iso(t)}Z'"),
    "behind": each(lambda t, m: f"{iso(t)} [debug    ] {m:<30} [{LOGGER}] lineno={int(t * 1000)} thread=MainThread"),
    "java-xml": java_xml,
    "log4j": each(lambda t, m: {"instant": parts_of(t), "level": "DEBUG", "loggerName": LOGGER, "message": m}),
    "log4j-list": lambda lines: json.dumps(
        [{"instant": parts_of(t), "message": m} for t, m in lines], indent=2
    ).encode(),
    "python-records": each(lambda t, m: repr({"level": "DEBUG", "message": m, "timestamp": round((EPOCH + t) * 1000)})),
    "one-literal": lambda lines: json.dumps("".join(f"{iso(t)} {m}\n" for t, m in lines)).encode(),
    "junit": junit,
    "quoted-printable": lambda lines: (
        b"Subject: log\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n"
        b"Content-Transfer-Encoding: quoted-printable\n\n"
        + b2a_qp("".join(f"{iso(t)} {m}\n" for t, m in lines).encode())
    ),
    "utf-32": lambda lines: each(lambda t, m: f"{iso(t)} {m}")(lines).decode().encode("utf-32"),
    "utf-16": lambda lines: each(lambda t, m: f"{iso(t)} {m}")(lines).decode().encode("utf-16"),
    "utf-16-be": lambda lines: each(lambda t, m: f"{iso(t)} {m}")(lines).decode().encode("utf-16-be"),
    "docker-in-utf-16": lambda lines: docker(lines).decode().encode("utf-16-le"),
}


def trace_lines(steps: list[tuple[float, bool, bytes | str]], path: str, headers: dict[str, str]) -> list[Line]:
    """What `websocket-client` traces of a session; the request's headers are one record."""
    request = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    found = [
        (0.0, "--- request header ---"),
        (0.0, f"GET {path} HTTP/1.1\r\n{request}\r\n"),
        (0.0, "-----------------------"),
    ]
    answer = ("--- response header ---", "HTTP/1.1 101 Switching Protocols", "Server: x", "-----------------------")
    found += [(0.05, line) for line in answer]
    for t, sent, content in steps:
        payload = content if isinstance(content, bytes) else content.encode()
        way, opcode = ("Sent", "Rcv")[not sent], 1 + isinstance(content, bytes)
        found += [(t, f"++{way} raw: {payload!r}"), (t, f"++{way} decoded: fin=1 opcode={opcode} data={payload!r}")]
    code = b"\x03\xe8"
    found += [(3.6, f"++{way} decoded: fin=1 opcode=8 data={code!r}") for way in ("Rcv", "Sent")]
    return found
