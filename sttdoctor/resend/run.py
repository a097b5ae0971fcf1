"""Send a recorded session to a service again and record what comes of it."""

import asyncio
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qsl

from sttdoctor import __version__
from sttdoctor.errors import InputError, UsageError
from sttdoctor.evidence import Session
from sttdoctor.net.listening import is_loopback
from sttdoctor.record.journal import Journal
from sttdoctor.record.naming import names, numbered
from sttdoctor.record.recording import Heading
from sttdoctor.record.upstream import Destination
from sttdoctor.resend.plan import Plan
from sttdoctor.resend.send import send

KEY = "CARTESIA_API_KEY"
PLACEHOLDER = "placeholder"  # the stand-in wants a key and takes any


def resend(
    plan: Plan,
    to: str,
    free: Iterator[Path],
    is_repaired: bool,
    tell: Callable[[str], None],
    show: Callable[[float], None],
) -> Path:
    """Send a plan, in real time, and record the new session.

    Args:
        plan: What to send when.
        to: Where to send it.
        free: Names for the recording, as `choose_names` makes them.
        is_repaired: Whether the plan is that of a healthy client, whose text is every final one as it is.
        tell: Is given each sentence for the user.
        show: Is given the seconds that were sent, as they pass.

    Returns:
        The recording.

    Raises:
        InputError: The service cannot be reached.
        UsageError: The address or the file cannot be used, or a key would be sent in clear.
    """
    destination = Destination.parse(to)
    key = _key(destination)
    if key and destination.upstream.in_clear:
        raise UsageError(f"{KEY} would be sent to {destination.upstream.host} without encryption; use wss://")
    url = destination.url(plan.path, plan.query)
    headers = {"User-Agent": f"sttdoctor/{__version__}", **plan.headers}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    for note in plan.notes:
        tell(f"- {note}")
    tell(f"sending {plan.seconds:.1f} s in real time to {destination.upstream.url}")
    ends: list[str] = []
    journal = Journal(Heading(url, headers, "sttdoctor resend", "client"), free, tell, ends=ends)
    if journal.path is None:
        raise UsageError("the new session cannot be recorded, so it was not sent")
    try:
        asyncio.run(send(plan, url, headers, journal.recording, show))
        if is_repaired:
            journal.recording.transcript("".join(ends))  # joined verbatim
    except InputError:
        if journal.status is None:  # nothing answered, so there is nothing to keep
            journal.path.unlink(missing_ok=True)
        raise
    finally:
        journal.end()
    tell(f"recorded in {journal.path}")
    return journal.path


def _key(destination: Destination) -> str:
    """Return the user's key; where there is none, a placeholder for this machine, empty for any other."""
    named = {name for name, _ in parse_qsl(destination.query, keep_blank_values=True)}
    wanting = is_loopback(destination.upstream.host) and not named & {"access_token", "api_key"}
    return os.environ.get(KEY, "").strip() or (PLACEHOLDER if wanting else "")


def choose_names(session: Session, record: str | None, is_repaired: bool) -> Iterator[Path]:
    """Return names for the recording of a session that is sent again; where none is given, free ones beside it."""
    if record is not None:
        return names(record)
    source = Path(session.path or "session.jsonl")
    stem = source.name.removesuffix(".gz").removesuffix(".jsonl")
    return numbered(source.with_name(f"{stem}-{'repaired' if is_repaired else 'again'}.jsonl"))
