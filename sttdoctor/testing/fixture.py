"""What the pytest fixture `stt_service` is made of: the stand-in in a thread, its recordings, and a verdict on them."""

import io
import os
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sttdoctor.api import examine, replay, session_facts
from sttdoctor.endpoints.cartesia import AUTO
from sttdoctor.errors import SttdoctorError
from sttdoctor.net import Door
from sttdoctor.outputs import write_whole
from sttdoctor.policy import FAIL_ON
from sttdoctor.readers.session_jsonl import line_of
from sttdoctor.record.recording import Row, Sink, to_file
from sttdoctor.redact import redact_tokens
from sttdoctor.report import Report
from sttdoctor.reporting import FORMATS
from sttdoctor.reporting.data.collect import collect
from sttdoctor.reporting.text import render
from sttdoctor.simulate.faults import BORDERS, FAULTS, Behaviour, Borders, parse
from sttdoctor.simulate.server import run_in_background
from sttdoctor.simulate.words import Script, default_script, read_script
from sttdoctor.thresholds import parse_settings

if TYPE_CHECKING:
    import pytest

API_KEY = "sk_car_simulated"

PATIENCE_S = 2.0
"""What a connection gets to end after the test; a client that has left needs some milliseconds."""


@dataclass(frozen=True)
class Options:
    """What the marker says; see docs/testing-your-client.md."""

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    fail_on: str = "fail"
    faults: Mapping[str, float] = field(default_factory=dict)
    fault_after: float = 2.0
    borders: Borders = "leading"
    script: Script = field(default_factory=default_script)
    thresholds: Mapping[str, float] = field(default_factory=dict)
    allow_origin: tuple[str, ...] = ()


def options_of(
    markers: "Iterable[pytest.Mark]", project: Mapping[str, Any] | None = None, fault: str | Iterable[str] = ()
) -> Options:
    """Read what is asked for: of the project, then of the markers; a nearer one wins, argument by argument.

    Args:
        markers: Of a test, the nearest first.
        project: Arguments of the marker for all tests; thresholds as `NAME=VALUE`.
        fault: Of the fixture `stt_fault`; wins over the markers where it holds something.

    Raises:
        ValueError: An argument that there is not, or a value that it cannot have.
    """
    given: dict[str, Any] = {"fault": fault} if fault else {}
    for mark in markers:
        if mark.args:
            raise ValueError("the marker takes arguments by name only")
        given = {**mark.kwargs, **given}
    general = dict(project or {})
    thresholds = _thresholds(general.pop("thresholds", ()))
    given = {**general, **given, "thresholds": {**thresholds, **given.get("thresholds", {})}}
    known = {"select", "ignore", "fail_on", "fault", "fault_after", "borders", "script", "thresholds", "allow_origin"}
    unknown = set(given) - known
    if unknown:
        raise ValueError(f"the marker has no argument {sorted(unknown)[0]!r}")
    fail_on = given.get("fail_on", "fail")
    if fail_on not in FAIL_ON:
        raise ValueError(f"fail_on is one of {', '.join(FAIL_ON)}, not {fail_on!r}")
    try:
        return Options(
            select=_names(given.get("select", ())),
            ignore=_names(given.get("ignore", ())),
            fail_on=fail_on,
            faults=parse(_names(given.get("fault", ()))),
            fault_after=given.get("fault_after", Options.fault_after),
            borders=_borders(given.get("borders", Options.borders)),
            script=_script(given.get("script")),
            thresholds=given["thresholds"],
            allow_origin=_names(given.get("allow_origin", ())),
        )
    except SttdoctorError as error:
        raise ValueError(str(error)) from None


def _thresholds(settings: Iterable[str]) -> dict[str, float]:
    """Limits of the project, `NAME=VALUE` each."""
    settings = list(settings)
    if bare := [setting for setting in settings if "=" not in setting]:
        raise ValueError(f"sttdoctor_thresholds takes NAME=VALUE, not {bare[0]!r}")
    try:
        return parse_settings(settings)
    except SttdoctorError as error:
        raise ValueError(str(error)) from None


def _borders(value: object) -> Borders:
    if value not in BORDERS:
        raise ValueError(f"borders is one of {', '.join(BORDERS)}, not {value!r}")
    return next(name for name in BORDERS if name == value)


def _names(value: str | Iterable[str]) -> tuple[str, ...]:
    """One name, several with commas, or a list of them."""
    parts = value.split(",") if isinstance(value, str) else value
    return tuple(part.strip() for part in parts if part.strip())


def _script(value: "str | Path | Iterable[str] | None") -> Script:
    """Text with one turn a line, a list of turns, or the path of a file."""
    if value is None:
        return default_script()
    if isinstance(value, Path):
        return read_script(value)
    turns = tuple(value.splitlines() if isinstance(value, str) else value)
    if not any(turns):
        raise ValueError("the script holds no text")
    return Script(turns)


class _Session:
    """The recording of one connection, as it grows."""

    def __init__(self) -> None:
        self.file = io.BytesIO()
        self.ended = threading.Event()

    def sink(self) -> Sink:
        """What takes its rows."""
        write = to_file(self.file)

        def take(row: Row) -> None:
            write(row)
            if row["type"] == "close" or (row["type"] == "open" and row["status"] != 101):
                self.ended.set()

        return take


class Service:
    """The stand-in that a test talks to.

    Attributes:
        port: Where it listens, on 127.0.0.1.
        transcript: Set by the test: the text that the application ended up with; a list has one text a connection.
    """

    def __init__(self, options: Options) -> None:
        self.port = 0
        self.transcript: str | list[str | None] | None = None
        self._options = options
        self._sessions: list[_Session] = []

    @property
    def websocket_base_url(self) -> str:
        """For an SDK that takes the base of its WebSocket addresses."""
        return f"ws://127.0.0.1:{self.port}"

    @property
    def base_url(self) -> str:
        """For an SDK that takes the base of its HTTP addresses."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """The turns endpoint, without a query."""
        return self.websocket_base_url + AUTO.path

    @property
    def api_key(self) -> str:
        """A key; any is accepted."""
        return API_KEY

    @property
    def environment(self) -> dict[str, str]:
        """The environment for a client that is a program of its own, with what the vendor's SDKs read."""
        return {**os.environ, "CARTESIA_BASE_URL": self.base_url, "CARTESIA_API_KEY": self.api_key}

    @property
    def sessions(self) -> list[bytes]:
        """The recording of each connection so far, as session JSONL."""
        return [session.file.getvalue() for session in self._sessions]

    def reports(self) -> list[Report]:
        """Judge each connection so far; waits a moment for those that are about to end."""
        deadline = time.monotonic() + PATIENCE_S
        for session in self._sessions:
            session.ended.wait(max(0.0, deadline - time.monotonic()))
        options = self._options
        return [
            replay(
                recorded,
                transcript=text,
                select=options.select,
                ignore=options.ignore,
                thresholds=options.thresholds,
            )
            for recorded, text in zip(self.sessions, self._transcripts(), strict=True)
        ]

    def verdict(self) -> str | None:
        """Return what is wrong, with the reports, or None."""
        if self._options.fail_on == "never":
            return None
        if not self._sessions:
            return f"sttdoctor: the client never connected to {self.base_url}"
        try:
            reports = self.reports()
        except SttdoctorError as error:
            return f"sttdoctor: {error}"
        wrong = [(number, report) for number, report in enumerate(reports, start=1) if self._is_wrong(report)]
        if not wrong:
            return None
        texts = [f"connection {number} of {len(reports)}\n\n{render(report, width=100)}" for number, report in wrong]
        return "sttdoctor: this session has a fault\n\n" + "\n".join(texts)

    def write_reports(self, folder: Path, name: str) -> list[Path]:
        """Write each connection's report and recording, over those of an earlier run; returns the reports.

        Raises:
            SttdoctorError: A file cannot be written.
        """
        options, written = self._options, []
        folder.mkdir(parents=True, exist_ok=True)
        page = FORMATS["html"]
        for number, (recorded, text) in enumerate(zip(self.sessions, self._transcripts(), strict=True), start=1):
            session = folder / f"{name}-{number}.jsonl"
            row = {"type": "transcript", "text": redact_tokens(text)} if text is not None else None
            with write_whole(session, force=True, private=True) as file:
                file.write(recorded + (line_of(row).encode("ascii") + b"\n" if row else b""))
            facts = session_facts(str(session), None, None, None, options.thresholds)
            report = examine(facts, options.select, options.ignore)
            with write_whole(session.with_suffix(".html"), force=True, private=True) as file:
                file.write(page.render(report, exhibits=collect(facts, report)).encode())
            written.append(session.with_suffix(".html"))
        return written

    def new_session(self) -> Sink:
        """Begin the recording of another connection."""
        session = _Session()
        self._sessions.append(session)
        return session.sink()

    def _transcripts(self) -> list[str | None]:
        """One text a connection; one text for several is that of the last, as a client that connects again has it."""
        count, given = len(self._sessions), self.transcript
        if isinstance(given, list):
            if len(given) != count:
                raise SttdoctorError(f"there are {len(given)} transcripts for {count} connections")
            return given
        texts: list[str | None] = [None] * count
        return [*texts[:-1], given]

    def _is_wrong(self, report: Report) -> bool:
        """Whether there is a diagnosis that the faults which the test asked for do not excuse."""
        statuses = FAIL_ON[self._options.fail_on]
        excused = {cause for name in self._options.faults for cause in FAULTS[name].causes}
        if any(found.status in statuses and found.cause not in excused for found in report.diagnoses):
            return True
        return "unknown" in statuses and any(check.status == "unknown" for check in report.checks)


@contextmanager
def serve_clients(options: Options) -> Iterator[Service]:
    """Run the stand-in for one test."""
    service = Service(options)
    behaviour = Behaviour(faults=options.faults, fault_after_s=options.fault_after, borders=options.borders)
    door = Door.of("127.0.0.1", options.allow_origin)
    with run_in_background(options.script.words, behaviour, service.new_session, door) as running:
        service.port = running.port
        yield service
