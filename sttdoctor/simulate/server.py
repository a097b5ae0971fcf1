"""A local stand-in for the service's two realtime endpoints, so that a client can be tried without key and network.

It keeps to what the documentation says: https://docs.cartesia.ai/api-reference/stt/turns/websocket
Each connection can be recorded; times are then the server's own (`clock` is `server`).
"""

import asyncio
import contextlib
import threading
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from concurrent.futures import Future
from functools import partial
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import State

from sttdoctor.net import Door
from sttdoctor.record.recording import Heading, Recording, Row, Sink
from sttdoctor.simulate.conversation import Conversation
from sttdoctor.simulate.faults import Behaviour
from sttdoctor.simulate.handshake import Accepted, PageError, RefusalError, accept, check_key, version_of
from sttdoctor.simulate.tokens import PATH, Tokens
from sttdoctor.simulate.words import MakeWords

MAX_MESSAGE = 2**25
"""Bytes; the service documents no limit."""

MAX_REQUEST = 64 << 10
"""Bytes of a request that is no handshake."""

_END = b"\r\n\r\n"

MakeSink = Callable[[], Sink]
"""Called for each connection; what it returns takes the rows of its recording."""

_LEAVE_S = 0.4
"""What a client gets for its part of the closing handshake when the server stops."""


class _Connection(ServerConnection):
    """A connection with what its handshake asked for.

    It notes when a close frame comes: the library tells only when the socket is gone, which can be 10 s later.

    Attributes:
        is_dead: From here on nothing goes out any more.
    """

    recording: Recording
    accepted: Accepted
    request_id: str
    close_came: float | None = None
    is_dead: bool = False
    method: str = "GET"
    body: bytes = b""

    _came: bytes | None = b""  # of the request, while it is not complete

    def data_received(self, data: bytes) -> None:
        """Hand the request over as the library takes it: a GET without a body; what else there was is kept here."""
        if self._came is not None:
            self._came += data
            if (plain := _read_request(self._came)) is None:
                return
            self.method, data, self.body = plain
            self._came = None
        super().data_received(data)

    def send_data(self) -> None:
        """Send what the library wants to send, pongs too; nothing once the peer is to look gone."""
        if self.is_dead:
            self.protocol.data_to_send()
        else:
            super().send_data()

    def process_event(self, event: Any) -> None:
        if isinstance(event, Frame) and event.opcode is Opcode.CLOSE and self.close_came is None:
            self.close_came = time.monotonic()
        super().process_event(event)


def _read_request(came: bytes) -> tuple[str, bytes, bytes] | None:
    """The method of a request, what the library is given of it, and its body; None while more has to come."""
    line, found, _ = came[:MAX_REQUEST].partition(b" ")
    if len(came) > MAX_REQUEST or came.startswith(b"GET ") or not (line if found else came[:1]).isalpha():
        return "GET", came, b""
    head, found, body = came.partition(_END)
    if not found:
        return None
    request, *fields = head.split(b"\r\n")
    kept = [field for field in fields if not field.lower().startswith((b"content-length:", b"transfer-encoding:"))]
    lengths = [field.partition(b":")[2].strip() for field in fields if field.lower().startswith(b"content-length:")]
    length = lengths[0] if lengths else b"0"
    if length.isdigit() and len(body) < int(length[:9]):
        return None
    method, _, rest = request.partition(b" ")
    return method.decode("ascii"), b"\r\n".join((b"GET " + rest, *kept)) + _END, body


class Simulator:
    """The running stand-in.

    Attributes:
        port: Where it listens.
    """

    def __init__(self, make_words: MakeWords, behaviour: Behaviour, make_sink: MakeSink, door: Door) -> None:
        self.port = 0
        self._door = door
        self._guests: set[ServerConnection] = set()
        self._tokens = Tokens()
        self._make_words = make_words
        self._behaviour = behaviour
        self._make_sink = make_sink

    async def greet(self, connection: ServerConnection, request: Request) -> Response | None:
        """Take a handshake (None), or return the answer that refuses it."""
        assert isinstance(connection, _Connection)
        stranger = self._find_stranger(request)
        if connection.method == "POST" and request.path == PATH and stranger is None:
            return self._mint(connection, request)
        recording = Recording(_heading(request), self._make_sink())
        faults = self._behaviour.faults
        try:
            if stranger is not None:
                raise RefusalError(403, "Forbidden", stranger)
            if connection.method != "GET":
                raise RefusalError(405, "Method not allowed", f"only {PATH} takes a {connection.method}")
            if "login-page" in faults:
                raise PageError.of_portal(int(faults["login-page"]))
            if "gateway" in faults:
                raise PageError.of_gateway(int(faults["gateway"]))
            await asyncio.sleep(faults.get("slow-handshake", 0.0))
            accepted = accept(request.path, request.headers)
            self._tokens.check(accepted.token)
            if "rejected" in faults:
                raise RefusalError(int(faults["rejected"]), "Simulated refusal", "this was asked for with --fault")
            if "bad-auth" in faults:
                raise RefusalError(int(faults["bad-auth"]), "Unauthorized", "the key is not accepted")
            self._guests = {guest for guest in self._guests if guest.protocol.state is not State.CLOSED}
            if len(self._guests) >= faults.get("concurrency", float("inf")):
                message = "more connections are open than the plan has"
                raise RefusalError(429, "Too many concurrent requests", message, "concurrency_limited")
        except RefusalError as refused:
            headers, body = refused.answer(version_of(request.path, request.headers))
            recording.opened(refused.status, headers, body)
            return _respond(connection, refused.status, headers, body)
        self._guests.add(connection)
        connection.recording, connection.accepted, connection.request_id = recording, accepted, str(uuid.uuid4())
        return None

    @staticmethod
    def name(connection: ServerConnection, _request: Request, response: Response) -> None:
        """Put the id of a connection into the answer that takes it."""
        if response.status_code == 101 and isinstance(connection, _Connection):
            response.headers["cartesia-request-id"] = connection.request_id

    def _find_stranger(self, request: Request) -> str | None:
        """Why a request is refused, None where it may come in."""
        named = [", ".join(request.headers.get_all(name)) for name in ("Host", "Origin", "Sec-Fetch-Site")]
        return self._door.refusal(*named)

    def _mint(self, connection: "_Connection", request: Request) -> Response:
        """Answer a request for an access token, which is no session and is not recorded."""
        try:
            check_key(None, request.headers)
            return _respond(connection, 200, _JSON, self._tokens.mint(connection.body))
        except RefusalError as refused:
            return _respond(connection, refused.status, *refused.answer(version_of(request.path, request.headers)))

    async def handle(self, connection: ServerConnection) -> None:
        """Serve one accepted connection to its end."""
        assert isinstance(connection, _Connection)
        recording, accepted = connection.recording, connection.accepted
        request_id = connection.request_id
        recording.opened(101)
        words = self._make_words(accepted.sample_rate)
        try:
            die = partial(setattr, connection, "is_dead", True)
            await Conversation(connection, accepted, self._behaviour, words, recording, request_id, die).run()
            await connection.wait_closed()
        finally:
            words.close()
            recording.closed(*_close(connection), connection.close_came)

    def abort(self) -> None:
        """Cut the connections that are still there."""
        for guest in self._guests:
            if guest.protocol.state is not State.CLOSED:
                guest.transport.abort()


_JSON = {"content-type": "application/json"}


def _respond(connection: ServerConnection, status: int, headers: Mapping[str, str], body: str) -> Response:
    response = connection.respond(status, body)
    for name, value in headers.items():
        response.headers.pop(name, None)
        response.headers[name] = value
    return response


def _heading(request: Request) -> Heading:
    headers = dict(request.headers.raw_items())
    host = request.headers.get("Host", "")
    return Heading(f"ws://{host}{request.path}", headers, "sttdoctor simulate", "server")


def _close(connection: ServerConnection) -> tuple[str, int, str]:
    """Who closed, the code and the reason."""
    received, sent = connection.protocol.close_rcvd, connection.protocol.close_sent
    by_client = bool(connection.protocol.close_rcvd_then_sent)
    frame = received if by_client else sent
    if frame is None or received is None:
        return "unknown", 1006, ""
    return "client" if by_client else "server", frame.code, frame.reason


def _nowhere(_row: Row) -> None:
    """The sink of who records nothing."""


@contextlib.asynccontextmanager
async def serve_simulator(
    make_words: MakeWords,
    behaviour: Behaviour | None = None,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    make_sink: MakeSink = lambda: _nowhere,
    door: Door | None = None,
) -> AsyncIterator[Simulator]:
    """Run the stand-in. Leaving the context closes what is still open (1001) and waits for the recordings to end.

    Args:
        make_words: Where each connection's text comes from.
        behaviour: How to treat a connection.
        host: Where to listen; loopback unless others should reach it.
        port: 0 takes a free one.
        make_sink: Takes the recording of each connection.
        door: Who may connect; by default those whom the host lets in.

    Raises:
        OSError: The port is in use, or the host is not one of this machine.
    """
    running = Simulator(make_words, behaviour or Behaviour(), make_sink, door or Door.of(host))
    server = await serve(
        running.handle,
        host,
        port,
        process_request=running.greet,
        process_response=running.name,
        create_connection=_Connection,
        compression=None,  # what was sent is the same, and the clients' timing is not disturbed
        ping_interval=None,
        max_size=MAX_MESSAGE,
    )
    running.port = next(iter(server.sockets)).getsockname()[1]
    try:
        yield running
    finally:
        server.close()
        closing = asyncio.create_task(server.wait_closed())
        _, late = await asyncio.wait([closing], timeout=_LEAVE_S)
        if late:
            running.abort()
        await closing


@contextlib.contextmanager
def run_in_background(
    make_words: MakeWords, behaviour: Behaviour, make_sink: MakeSink, door: Door | None = None
) -> Iterator[Simulator]:
    """Run the stand-in on a free port of 127.0.0.1; leaving the context ends it, recordings included.

    Args:
        make_words: Where each connection's text comes from.
        behaviour: How to treat a connection.
        make_sink: Takes the recording of each connection; it is called in the thread.
        door: Who may connect; by default programs and pages of this machine.
    """
    started: Future[tuple[Simulator, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def run() -> None:
        ended = asyncio.Event()
        async with serve_simulator(make_words, behaviour, make_sink=make_sink, door=door) as running:
            started.set_result((running, asyncio.get_running_loop(), ended))
            await ended.wait()

    def thread() -> None:
        try:
            asyncio.run(run())
        except BaseException as error:
            if not started.done():
                started.set_exception(error)
                return
            raise

    worker = threading.Thread(target=thread, name="sttdoctor-simulator", daemon=True)
    worker.start()
    running, loop, ended = started.result()
    try:
        yield running
    finally:
        loop.call_soon_threadsafe(ended.set)
        worker.join()
