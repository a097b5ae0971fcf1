"""A session as the log of a program that prints the events it receives, as languages and loggers print them."""

import json
import pprint
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from captures import EPOCH
from company import Company

from sttdoctor.evidence import Close, Frame, Session

Message = Mapping[str, Any]
Print = Callable[[Message], str]
Stamp = Callable[[float], str]


def javascript(event: Message) -> str:
    """As `console.log` prints a small object."""
    return "{ " + ", ".join(f"{key}: {_literal(value)}" for key, value in event.items()) + " }"


def javascript_lines(event: Message) -> str:
    """As `console.log` prints one that is too long for a line."""
    return "{\n" + ",\n".join(f"  {key}: {_literal(value)}" for key, value in event.items()) + "\n}"


def _literal(value: object) -> str:
    if not isinstance(value, str):
        return json.dumps(value)
    return repr(value) if "'" not in value else json.dumps(value, ensure_ascii=False)


def python_lines(event: Message) -> str:
    """As `pprint` prints a dictionary."""
    return pprint.pformat(dict(event), width=40)


def pydantic(event: Message) -> str:
    """As a model or a dataclass is represented."""
    return "TurnEvent(" + ", ".join(f"{key}={value!r}" for key, value in event.items()) + ")"


def go(event: Message) -> str:
    """As `%+v` prints a struct."""
    return "{" + " ".join(f"{_pascal(key)}:{_bare(value)}" for key, value in event.items()) + "}"


def go_map(event: Message) -> str:
    """As `%v` prints a map."""
    return "map[" + " ".join(f"{key}:{_bare(event[key])}" for key in sorted(event)) + "]"


def kotlin(event: Message) -> str:
    """As a data class prints itself."""
    return "TurnEvent(" + ", ".join(f"{_camel(key)}={_bare(value)}" for key, value in event.items()) + ")"


def swift(event: Message) -> str:
    """As a struct is printed whose members are optional."""
    members = (
        f"{_camel(key)}: " + (json.dumps(value) if key == "type" else f"Optional({json.dumps(value)})")
        for key, value in event.items()
    )
    return "TurnEvent(" + ", ".join(members) + ")"


def rust(event: Message) -> str:
    """As a message of tungstenite is printed for debugging."""
    return f"Text(Utf8Bytes(b{json.dumps(json.dumps(event))}))"


def logfmt(event: Message) -> str:
    return "msg=event " + " ".join(f"{key}={json.dumps(value)}" for key, value in event.items())


def words(event: Message) -> str:
    """The type and the text, as a program prints them for people; nothing of an event without a text of its own."""
    return f"{event['type']}: {event['transcript']}" if "transcript" in event else str(event["type"])


def brackets(event: Message) -> str:
    return f"[{event['type']}] {event.get('transcript', '')}"


def _bare(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _pascal(key: str) -> str:
    return "".join(part.title() for part in key.split("_"))


def _camel(key: str) -> str:
    return _pascal(key)[0].lower() + _pascal(key)[1:]


PRINTS: dict[str, Print] = {
    "json": json.dumps,
    "python": lambda event: repr(dict(event)),
    "javascript": javascript,
    "javascript in lines": javascript_lines,
    "python in lines": python_lines,
    "json in lines": lambda event: json.dumps(event, indent=2),
    "pydantic": pydantic,
    "go": go,
    "go map": go_map,
    "kotlin": kotlin,
    "swift": swift,
    "rust": rust,
    "logfmt": logfmt,
}
"""How a whole event is printed, by name."""

BARE: dict[str, Print] = {"words": words, "brackets": brackets}
"""How a program prints the type and the text alone."""


def _moment(t: float) -> datetime:
    return datetime.fromtimestamp(EPOCH + t, UTC)


def _clock(moment: datetime) -> str:
    return f"{moment:%H:%M:%S}.{moment.microsecond // 1000:03}"


STAMPS: dict[str, Stamp] = {
    "logging": lambda t: f"{_moment(t):%Y-%m-%d} {_clock(_moment(t)).replace('.', ',')} INFO app - ",
    "iso": lambda t: f"{_moment(t):%Y-%m-%d}T{_clock(_moment(t))}Z [info] ",
    "go": lambda t: f"{_moment(t):%Y/%m/%d} {_moment(t):%H:%M:%S}.{_moment(t).microsecond:06} ",
    "dots": lambda t: (
        f"[{_moment(t):%Y.%m.%d-%H.%M.%S}:{_moment(t).microsecond // 1000:03}][{int(t * 60) % 1000:3}]App: "
    ),
    "without colons": lambda t: f"{_moment(t):%Y%m%dT%H%M%S}.{_moment(t).microsecond // 1000:03}Z ",
    "colon before the milliseconds": lambda t: (
        f"[{_moment(t):%Y/%m/%d %H:%M:%S}:{_moment(t).microsecond // 100:04}] N: "
    ),
    "milliseconds": lambda t: f"{round(t * 1000) + 812} [main] DEBUG app - ",
    "a microcontroller's": lambda t: f"\x1b[0;32mI ({round(t * 1000) + 812}) STT: ",
    "logcat": lambda t: f"{_moment(t):%m-%d} {_clock(_moment(t))}  1234  1301 D SttClient: ",
    "time of day": lambda t: f"[{_clock(_moment(t))}] ",
    "console": lambda t: f"{_clock(_moment(t))} app.js:42 ",
    "since the start": lambda t: f"[{t:9.3f}s] ",
    "epoch": lambda t: f"{EPOCH + t:.3f} ",
    "none": lambda _: "",
}
"""What stands before a line, by name."""

RECEIVED = ("", "<- ", "recv: ", "Received message: ", "event: ", "onmessage ")


def print_session(
    session: Session,
    event: Print,
    stamp: Stamp,
    received: str = "",
    *,
    kinds: Sequence[str] | None = None,
    sends: bool = False,
    commands: bool = False,
    close: bool = False,
    url: bool = False,
    company: Company | None = None,
    times: int = 1,
) -> bytes:
    """Return the log of a program whose session it was.

    Args:
        session: What happened.
        event: How it prints an event.
        stamp: What it prints before a line.
        received: And before an event.
        kinds: Types of the events that it prints, None for all.
        sends: It says how many bytes of audio it sent.
        commands: It prints what it sent beside audio.
        close: It says with which code the connection closed.
        url: It says where it connects.
        company: What it prints beside.
        times: So often it prints each line.
    """
    lines = [(0.0, "listening")]
    if url:
        lines.append((0.0, f"connecting to {session.url}"))
    for number, item in enumerate(session.events):
        t = item.t or 0.0
        if isinstance(item, Close) and close:
            lines.append((t, f"connection closed: code={item.code} reason={item.reason}"))
        if not isinstance(item, Frame):
            continue
        if item.sent and item.binary and sends:
            lines.append((t, f"sent chunk of {item.size} bytes"))
        elif item.sent and not item.binary and commands:
            lines.append((t, ">> " + json.dumps(item.message)))
        elif not item.sent and isinstance(item.message, dict) and (kinds is None or item.message["type"] in kinds):
            lines.append((t, received + event(item.message)))
        if number % 40 == 39:
            lines.append((t, "level 0.31, still here"))
    if company is not None:
        lines = sorted([*lines, *company(session)], key=lambda line: line[0])
    printed = [stamp(t) + text for t, text in lines for _ in range(times)]
    return ("\n".join(printed) + "\n").encode()
