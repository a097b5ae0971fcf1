"""The server: a page, and one address that takes a capture and answers with its reports.

An upload is `POST captures?head=N`: N bytes of JSON (`Options`), then the capture as it is. The answer is one JSON
object a line, as `sttdoctor.serve.worker` writes them.
"""

import asyncio
import contextlib
import dataclasses
import json
import os
import re
import shutil
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sttdoctor import __version__
from sttdoctor.encodings import SUPPORTED
from sttdoctor.net import Door
from sttdoctor.reporting.escape import for_terminal
from sttdoctor.reporting.html import hash_style, load_style
from sttdoctor.serve.judging import judge
from sttdoctor.triage.task import Settings
from sttdoctor.values import immutable

MAX_HEAD_BYTES = 8 << 20
"""Of the options with the application's text: days of speech."""

STALLED_S = 60.0
"""An upload of which nothing comes for so long is given up: its client sleeps or is gone."""

_LONGEST_NAME = 255


@immutable
class Rules:
    """How captures are taken in.

    Attributes:
        settings: How they are judged; encoding and sample rate come with each.
        size_limit_bytes: Of one capture.
        jobs: Captures at a time; others wait.
        keep: Folder for captures and reports; None keeps nothing.
    """

    settings: Settings
    size_limit_bytes: int = 2 << 30
    jobs: int = 1
    keep: str | None = None


@immutable
class Options:
    """What the page says of a capture.

    Attributes:
        name: Of its file, to be shown.
        encoding: Declared for bare audio; None where that is not known.
        sample_rate: The same, Hz.
        text: That the application ended up with; None where that is not known.
    """

    name: str
    encoding: str | None = None
    sample_rate: int | None = None
    text: str | None = None

    @classmethod
    def parse(cls, content: bytes) -> "Options":
        """Read JSON.

        Raises:
            RefusalError: It holds something else.
        """
        try:
            options = cls(**json.loads(content))
        except (ValueError, TypeError, RecursionError):
            raise RefusalError(400, "the request does not begin with what the page says of a capture") from None
        texts = (options.encoding, options.text)
        if not isinstance(options.name, str) or not all(text is None or isinstance(text, str) for text in texts):
            raise RefusalError(400, "the name, the encoding and the text of a capture are texts")
        if options.sample_rate is not None and type(options.sample_rate) is not int:
            raise RefusalError(400, "the sample rate of a capture is a whole number of Hz")
        name = re.split(r"[/\\]", options.name)[-1][:_LONGEST_NAME]
        return dataclasses.replace(options, name=name or "the capture")


class RefusalError(Exception):
    """A request that is not served.

    Attributes:
        status: Of the answer.
    """

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


def make_app(rules: Rules, door: Door) -> Starlette:
    """Return the application."""
    style = load_style()
    css = style + _read("page.css")
    routes = [
        _serve("/", _render_page(rules), "text/html"),
        _serve("/page.css", css, "text/css"),
        _serve("/page.js", _read("page.js"), "text/javascript"),
        Route("/captures", _Captures(rules), methods=["POST"]),
    ]
    return Starlette(routes=routes, middleware=[Middleware(_Guard, door=door, report_style=hash_style(style))])


def _read(name: str) -> str:
    return files(__package__).joinpath("page", name).read_text("utf-8")


def _render_page(rules: Rules) -> str:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("sttdoctor.serve", "page")
    template = Environment(loader=loader, autoescape=True, undefined=StrictUndefined).get_template("index.html.jinja")
    return template.render(
        version=__version__,
        encodings=sorted(SUPPORTED),
        limit=rules.size_limit_bytes,
        most=MAX_HEAD_BYTES,
        at_once=min(rules.jobs, 4),  # a browser opens six connections to one server, the rest of the page needs one
        keep=for_terminal(rules.keep) if rules.keep else None,
    )


def _serve(path: str, content: str, media_type: str) -> Route:
    async def answer(_request: Request) -> Response:
        return Response(content, media_type=media_type)

    return Route(path, answer)


class _Guard:
    """Lets in whom the door lets in, and tells the browser what the page may do.

    The page shows reports in a frame, and what a page has made has the page's policy beside its own: so the style of
    reports stands here too.
    """

    def __init__(self, app: ASGIApp, door: Door, report_style: str) -> None:
        self._app = app
        self._door = door
        self._headers = {
            "content-security-policy": "default-src 'none'; script-src 'self'; connect-src 'self'; "
            f"style-src 'self' '{report_style}'; img-src data:; media-src data:; frame-src blob:; base-uri 'none'; "
            "form-action 'none'; frame-ancestors 'none'",
            "x-content-type-options": "nosniff",
            "referrer-policy": "no-referrer",
            "cross-origin-opener-policy": "same-origin",
            "cross-origin-resource-policy": "same-origin",
            "cache-control": "no-store",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        asked = (headers.get(name, "") for name in ("host", "origin", "sec-fetch-site"))
        refusal = self._door.refusal(*asked)
        app = self._app if refusal is None else PlainTextResponse(for_terminal(refusal), 403)

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self._headers)
            await send(message)

        await app(scope, receive, send_guarded)


class _Captures:
    """Takes captures in and judges them."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._slots = asyncio.Semaphore(rules.jobs)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with self._slots:  # nothing of the body is read before its turn: what waits does so in the browser
                with _folder(self._rules.keep) as folder:
                    await self._answer(folder, scope, receive, send)
        except ClientDisconnect:
            pass
        except RefusalError as error:
            await PlainTextResponse(str(error), error.status)(scope, receive, send)

    async def _answer(self, folder: Path, scope: Scope, receive: Receive, send: Send) -> None:
        path = folder / "capture"
        options = await _take_in(Request(scope, receive), path, self._rules.size_limit_bytes)
        settings = dataclasses.replace(self._rules.settings, encoding=options.encoding, sample_rate=options.sample_rate)
        question = {
            "path": str(path),
            "name": options.name,
            "text": options.text,
            "settings": dataclasses.asdict(settings),
            "keep": self._rules.keep is not None,
        }
        async with judge(question) as judging:
            # it stops where the client leaves
            await StreamingResponse(judging.lines(), media_type="application/x-ndjson")(scope, receive, send)
        if judging.ended and self._rules.keep:
            _keep(folder, self._rules.keep)


@contextmanager
def _folder(where: str | None) -> Iterator[Path]:
    """A folder for its owner alone, which is gone with all that is in it at the end.

    Raises:
        RefusalError: It cannot be made.
    """
    try:
        folder = tempfile.mkdtemp(prefix=".sttdoctor-" if where else "sttdoctor-", dir=where)
    except OSError as error:
        raise _make_unstorable(error) from None
    try:
        yield Path(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _keep(folder: Path, where: str) -> None:
    """Give a folder a name that stays."""
    moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    with contextlib.suppress(OSError):  # somebody took the folder away meanwhile
        folder.rename(Path(where) / f"{moment}-{folder.name.removeprefix('.sttdoctor-')}")


async def _take_in(request: Request, path: Path, limit: int) -> Options:
    """Write the capture of a request to a file, and return what the page says of it.

    Raises:
        RefusalError: The request is none of the page's, or the capture is too large or cannot be written.
        ClientDisconnect: The client left.
    """
    asked = request.query_params.get("head", "")
    head_bytes = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 9 else 0
    if head_bytes > MAX_HEAD_BYTES:
        raise RefusalError(413, f"the application's text is longer than {MAX_HEAD_BYTES >> 20} MiB")
    too_large = RefusalError(413, f"the capture is larger than {limit >> 20} MiB; --size-limit sets another limit")
    declared = request.headers.get("content-length", "0")
    if int(declared) > head_bytes + limit:
        raise too_large
    head = bytearray()
    written = 0
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o600), "wb") as file:
            async for chunk in _chunks(request):
                missing = head_bytes - len(head)
                head += chunk[:missing]
                rest = chunk[missing:]
                written += len(rest)
                if written > limit:
                    raise too_large
                await asyncio.to_thread(file.write, rest)  # a slow disk holds nobody else up
    except OSError as error:
        raise _make_unstorable(error) from None
    return Options.parse(bytes(head))


_BINARY = getattr(os, "O_BINARY", 0)


def _make_unstorable(error: OSError) -> RefusalError:
    return RefusalError(507, f"the capture cannot be stored: {error.strerror or error}")


async def _chunks(request: Request) -> AsyncIterator[bytes]:
    """Yield the body in pieces of about 64 KiB.

    Raises:
        RefusalError: Nothing came for long.
        ClientDisconnect: The client left.
    """
    stream = request.stream()
    while True:
        try:
            async with asyncio.timeout(STALLED_S):
                chunk = await anext(stream, None)
        except TimeoutError:
            raise RefusalError(408, f"nothing of the capture came for {STALLED_S:g} s") from None
        if chunk is None:
            return
        yield chunk


async def serve_page(listener: socket.socket, rules: Rules, door: Door) -> None:
    """Serve until SIGINT or SIGTERM comes; uploads and processes are gone then.

    Args:
        listener: A bound socket.
        rules: How captures are taken in.
        door: Who may use the page.
    """
    config = uvicorn.Config(
        make_app(rules, door),
        http="h11",
        ws="none",
        lifespan="off",
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=None,
        log_level="critical",
        timeout_graceful_shutdown=0,
    )
    server = uvicorn.Server(config)
    await server.serve([listener])
    running = list(server.server_state.tasks)  # cancelled by now
    await asyncio.gather(*running, return_exceptions=True)
