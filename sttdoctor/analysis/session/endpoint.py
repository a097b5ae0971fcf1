"""Which of the two realtime endpoints a session speaks to, and what its URL says."""

from collections.abc import Iterable
from urllib.parse import SplitResult, parse_qsl, urlsplit

from sttdoctor.endpoints.base import Endpoint
from sttdoctor.endpoints.cartesia import ENDPOINTS, rate_of
from sttdoctor.evidence import Declared, Frame, Session
from sttdoctor.redact import is_mask
from sttdoctor.values import immutable

MAX_PARAMETERS = 10_000
"""Of a URL that are looked at."""


@immutable
class Address:
    """The URL of a connection in parts.

    Attributes:
        scheme: In lower case.
        host: Without a port; empty where there is none.
        path: Without a slash at its end.
        query: (name, value) decoded, in order and with repetitions; the first `MAX_PARAMETERS`.
    """

    scheme: str
    host: str
    path: str
    query: tuple[tuple[str, str], ...]

    def values(self, key: str) -> list[str]:
        """Return all values of a query key."""
        return [value for name, value in self.query if name == key]

    def first(self, key: str) -> str | None:
        """Return the first value of a query key, None where it is absent."""
        return next(iter(self.values(key)), None)


def parse_address(url: str | None) -> Address | None:
    """Take a URL apart; None where there is none or it cannot be read."""
    if url is None:
        return None
    try:
        parts: SplitResult = urlsplit(url.strip())
        host = parts.hostname or ""
        fields = "&".join(parts.query.split("&", MAX_PARAMETERS)[:MAX_PARAMETERS])
        query = tuple(parse_qsl(fields, keep_blank_values=True))
    except ValueError:
        return None
    return Address(parts.scheme.lower(), host, parts.path.rstrip("/"), query)


def read_declared(where: Address | None) -> Declared:
    """Return what the parameters of a URL declare; a sample rate that is no positive whole number is none."""
    if where is None:
        return Declared()
    encoding = where.first("encoding")
    return Declared(None if encoding and is_mask(encoding) else encoding, rate_of(where.first("sample_rate") or ""))


def match_path(path: str) -> Endpoint | None:
    """Return the endpoint that a path ends in (a proxy may put a prefix before it), None for any other."""
    return next((endpoint for endpoint in ENDPOINTS if path.endswith(endpoint.path)), None)


def find_endpoint(session: Session) -> Endpoint | None:
    """Return the endpoint by the URL, else by the events; None where neither tells."""
    where = parse_address(session.url)
    by_path = match_path(where.path) if where else None
    return by_path or match_events(event for event in session.events if isinstance(event, Frame))


def match_events(frames: Iterable[Frame]) -> Endpoint | None:
    """Return the endpoint whose events were received, None where none was."""
    for frame in frames:
        if not frame.sent and frame.type:
            for endpoint in ENDPOINTS:
                if frame.type in endpoint.events:
                    return endpoint
    return None
