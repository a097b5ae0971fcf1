"""Did you connect with the right parameters?

Needs the URL; for the key and the version also the headers of the handshake, for a refusal its answer, for a
reconnect the rows of both connections. Bare audio has none of these: there a declared encoding is judged by its name.

What the service accepted is right: after an accepted handshake only those parameters are told that it takes without
looking at them. What it refused is named first, by its status and its words.
"""

from sttdoctor import missing
from sttdoctor.analysis.facts import Facts
from sttdoctor.checks.base import Answer, Check, answer, pick_worst, unknown
from sttdoctor.checks.connection.address import (
    BAD_AUTH,
    BAD_PARAMETER,
    KEY_IN_URL,
    WRONG_PATH,
    find_wrong_encoding,
    judge_key,
    judge_parameters,
    judge_path,
    tell_parameters,
)
from sttdoctor.checks.connection.endings import (
    DEAD,
    DOUBLED,
    IDLE_CUT,
    RECONNECTED,
    find_doubled,
    find_losses,
    find_reconnect,
)
from sttdoctor.checks.connection.handshake import (
    EXPIRED,
    INTERMEDIARY,
    REJECTED,
    SUBPROTOCOL,
    UNANSWERED,
    find_between,
    find_expired,
    find_rejection,
    find_unanswered,
    find_unconfirmed,
)
from sttdoctor.encodings import SUPPORTED

CHECK = Check(
    id="connection",
    order=60,
    question="Did you connect with the right parameters?",
    kinds=("audio", "session"),
    needs="the URL, the headers of the handshake, its answer, and the rows of every connection; of bare audio the name "
    "of the declared encoding, which is all that is judged there",
    why="A wrong address, key or parameter is refused or silently ignored; a connection that is cut or dead loses what "
    "was being said.",
    how="Path, required parameters, values and ranges are compared with the documentation; names of other vendors are "
    "recognised. What the service accepted counts as right, and what it refused comes first, unless that passes by "
    "itself (429, 5xx) and the client got in after a wait. A second handshake is judged by what was lost between the "
    "connections, a lost connection by what was sent or received last, and how long before.",
    causes=(
        REJECTED,
        BAD_PARAMETER,
        BAD_AUTH,
        EXPIRED,
        INTERMEDIARY,
        UNANSWERED,
        SUBPROTOCOL,
        IDLE_CUT,
        DEAD,
        KEY_IN_URL,
        WRONG_PATH,
        RECONNECTED,
        DOUBLED,
    ),
    docs="https://docs.cartesia.ai/api-reference/stt/turns/websocket",
    judge=lambda facts: _judge(facts),
    # of bare audio only a name that the service does not take is asked about
    applies_to=lambda facts: facts.session is not None or facts.declared.encoding not in (None, *SUPPORTED),
    of_handshake=True,
)


def _judge(facts: Facts) -> Answer:
    if facts.session is None:
        found = [tell_parameters(list(find_wrong_encoding(facts)))]
        return answer(pick_worst(found).summary, found, {})
    where = facts.address
    if where is None and not any(connection.open for connection in facts.connections):
        return unknown(missing.URL)
    if not facts.session.events:
        return unknown(missing.HANDSHAKE)
    findings = [
        *find_unanswered(facts),
        *find_unconfirmed(facts),
        *find_between(facts),
        *find_expired(facts),
        *judge_key(facts),
        *judge_path(facts),
        *judge_parameters(facts),
        *find_rejection(facts),
        *find_losses(facts),
        *find_reconnect(facts),
        *find_doubled(facts),
    ]
    if findings:
        return answer(pick_worst(findings).summary, findings, {})
    if where is None:
        return unknown(missing.NO_URL)
    said = f"The address and its parameters are correct.{_tell_overcome(facts)}"
    return answer(said, [], {"endpoint": facts.endpoint_name})


def _tell_overcome(facts: Facts) -> str:
    """What came before the first handshake that was accepted."""
    if not facts.overcome:
        return ""
    opens = [item.open for item in facts.connections[: facts.overcome + 1] if item.open is not None]
    first, last = opens[0], opens[-1]
    later = f"{last.t - first.t:.1f} s later" if last.t is not None and first.t is not None else "later"
    return f" The first handshake was refused with HTTP status {first.status}; it was accepted {later}."
