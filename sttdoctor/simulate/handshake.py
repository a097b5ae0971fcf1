"""What the stand-in checks before it takes a connection, and the errors that it answers with. No I/O.

What is required, the encodings, the ranges and the shape of errors are documented:
https://docs.cartesia.ai/api-reference/stt/turns/websocket and https://docs.cartesia.ai/use-the-api/api-errors
Which status answers which mistake is not, apart from 429; the statuses here are the usual ones of HTTP.
"""

import json
import re
import uuid
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Self

from sttdoctor.analysis.session.endpoint import Address, parse_address
from sttdoctor.encodings import SUPPORTED
from sttdoctor.endpoints.base import Endpoint
from sttdoctor.endpoints.cartesia import (
    ENDPOINTS,
    REQUIRED,
    TURN_OPTIONS,
    is_rate,
    keyterm_problem,
    turn_option_problems,
)
from sttdoctor.values import immutable

STRUCTURED_FROM = "2026-03-01"
"""From this API version on errors are JSON; before, they are `Title: Message` in plain text."""

MAX_RATE = 1_000_000
"""Hz; no limit is documented, and more is no sound."""

_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


class RefusalError(Exception):
    """A handshake that is refused.

    Args:
        status: HTTP status.
        title: A few words.
        message: One sentence.
        code: Machine-readable, None where the documentation names none.
    """

    def __init__(self, status: int, title: str, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.status, self.title, self.message, self.code = status, title, message, code

    def answer(self, version: str | None) -> tuple[dict[str, str], str]:
        """Return the headers and the body, as the API version of the request has it."""
        if version is not None and version < STRUCTURED_FROM:
            return {"content-type": "text/plain; charset=utf-8"}, f"{self.title}: {self.message}"
        body = {"error_code": self.code, "title": self.title, "message": self.message, "request_id": str(uuid.uuid4())}
        return {"content-type": "application/json"}, json.dumps(body)


class PageError(RefusalError):
    """A handshake that is answered by something between client and service, with a page of its own.

    Args:
        status: Where it is 302, 303 or 307 the answer leads elsewhere.
        title: Of the page.
        message: In it.
        server: What calls itself so.
    """

    def __init__(self, status: int, title: str, message: str, server: str) -> None:
        super().__init__(status, title, message)
        self._server = server

    @classmethod
    def of_portal(cls, status: int) -> Self:
        """A network that wants somebody to sign in first: 200, or a status that leads elsewhere."""
        return cls(status, "Sign in", "this network wants somebody to sign in first", "simulated portal")

    @classmethod
    def of_gateway(cls, status: int) -> Self:
        """A proxy or a load balancer that does not pass a WebSocket on."""
        phrase = HTTPStatus(status).phrase
        return cls(status, f"{status} {phrase}", f"{phrase}.", "simulated gateway")

    def answer(self, version: str | None) -> tuple[dict[str, str], str]:  # noqa: ARG002  # it knows of no version
        """Return the headers and the body, a page."""
        page = f"<!doctype html><html><head><title>{self.title}</title></head><body>{self.message}</body></html>"
        headers = {"content-type": "text/html; charset=utf-8", "server": self._server}
        away = self.status in (302, 303, 307)
        return {**headers, "location": "https://login.invalid/sign-in"} if away else headers, page


@immutable
class Accepted:
    """What the URL of an accepted connection asks for.

    Attributes:
        endpoint: The one of the path.
        model: As the client names it.
        model_known: Whether the endpoint has it.
        encoding: One of the six.
        sample_rate: Hz.
        turn_options: Every option of `TURN_OPTIONS`, given or by default.
        token: The access token of the URL, None where there is none.
    """

    endpoint: Endpoint
    model: str
    model_known: bool
    encoding: str
    sample_rate: int
    turn_options: Mapping[str, float]
    token: str | None = None


def version_of(target: str, headers: Mapping[str, str]) -> str | None:
    """Return the API version that a request asks for; the query wins over the header."""
    where = parse_address(target)
    return (where.first("cartesia_version") if where else None) or headers.get("cartesia-version")


def accept(target: str, headers: Mapping[str, str]) -> Accepted:
    """Check a handshake.

    Args:
        target: Path and query of the request.
        headers: Of the request; names in lower case, or a mapping that ignores case.

    Raises:
        RefusalError: With the status and the error to answer.
    """
    where = parse_address(target)
    if where is None:
        raise RefusalError(400, "Bad request", "the URL cannot be read")
    endpoint = next((known for known in ENDPOINTS if where.path == known.path), None)
    if endpoint is None:
        raise RefusalError(404, "Not found", f"there is no {where.path[:100]}")
    check_key(where, headers)
    _check_version(version_of(target, headers))
    _check_parameters(where)
    said = {name: text for name in TURN_OPTIONS if (text := where.first(name)) is not None}
    problem = keyterm_problem(where.values("keyterm")) or next(
        (problem for problem, _ in turn_option_problems(said)), None
    )
    if problem:
        raise RefusalError(400, "Invalid parameter", problem)
    model = where.first("model") or ""
    options = {name: limits.default for name, limits in TURN_OPTIONS.items()}
    return Accepted(
        endpoint=endpoint,
        model=model,
        model_known=endpoint.models.fullmatch(model) is not None,
        encoding=where.first("encoding") or "",
        sample_rate=int(where.first("sample_rate") or 0),
        turn_options=options | {name: float(text) for name, text in said.items()},
        token=where.first("access_token"),
    )


def check_key(where: Address | None, headers: Mapping[str, str]) -> None:
    """Look for a key, whatever it is.

    Args:
        where: The address of the request; None where a key in it does not count.
        headers: Of the request.

    Raises:
        RefusalError: There is none.
    """
    scheme, _, key = headers.get("authorization", "").partition(" ")
    in_header = headers.get("x-api-key") or (scheme.lower() == "bearer" and key.strip())
    in_query = where is not None and (where.first("access_token") or where.first("api_key"))
    if not (in_header or in_query):
        message = "there is no key in X-API-Key or a Bearer Authorization, and no access_token in the URL"
        raise RefusalError(401, "Unauthorized", message)


def _check_version(version: str | None) -> None:
    if not version:
        message = "the header Cartesia-Version or the parameter cartesia_version is missing"
        raise RefusalError(400, "Missing version", message)
    if not _VERSION.fullmatch(version):
        raise RefusalError(400, "Invalid version", f"{version[:40]} is not a date like {STRUCTURED_FROM}")


def _check_parameters(where: Address) -> None:
    for key in REQUIRED:
        if not where.first(key):
            raise RefusalError(400, "Missing parameter", f"{key} is missing")
    encoding, rate = where.first("encoding") or "", where.first("sample_rate") or ""
    if encoding not in SUPPORTED:
        raise RefusalError(400, "Invalid parameter", f"encoding={encoding[:40]} is not one of {', '.join(SUPPORTED)}")
    if not is_rate(rate) or len(rate) > 12 or int(rate) > MAX_RATE:
        raise RefusalError(400, "Invalid parameter", f"sample_rate={rate[:40]} is not a sample rate in Hz")


def error_event(status: int, title: str, message: str, code: str | None, request_id: str) -> dict[str, Any]:
    """Return an error event; keys as in the vendor's SDK types."""
    event = {"type": "error", "title": title, "message": message, "status_code": status}
    return event | {"error_code": code, "request_id": request_id}
