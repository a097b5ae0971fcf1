"""Access tokens of the stand-in: minted by `POST /access-token` for clients that may not hold a key. No I/O.

Documented are the request, the answer and the longest life of an hour: https://docs.cartesia.ai/api-reference/auth/access-token
How long a token lives when nothing is asked is not; here a minute, so that a client that keeps one too long is seen.
"""

import json
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from sttdoctor.simulate.handshake import RefusalError

PATH = "/access-token"
LONGEST_S, USUAL_S = 3600, 60
MOST_TOKENS = 10_000
"""That are remembered; of the oldest it is forgotten what it was minted for."""

_PREFIX = "simulated_token_"


class Tokens:
    """The tokens of one stand-in.

    Args:
        clock: Seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._minted: OrderedDict[str, tuple[float, bool]] = OrderedDict()  # end of its life, whether it is for speech

    def mint(self, body: bytes) -> str:
        """Return the answer to a request for a token, as JSON.

        Args:
            body: Of the request.

        Raises:
            RefusalError: It asks for something that there is not.
        """
        asked = _read(body)
        grants, life = asked.get("grants") or {}, asked.get("expires_in")
        if not isinstance(grants, dict):
            raise RefusalError(400, "Invalid request", "grants is an object of true and false")
        life = USUAL_S if life is None else life
        if isinstance(life, bool) or not isinstance(life, int) or not 1 <= life <= LONGEST_S:
            raise RefusalError(400, "Invalid request", f"expires_in is a number of seconds from 1 to {LONGEST_S}")
        token = _PREFIX + secrets.token_urlsafe(24)
        self._minted[token] = self._clock() + life, grants.get("stt") is True
        if len(self._minted) > MOST_TOKENS:
            self._minted.popitem(last=False)
        return json.dumps({"token": token})

    def check(self, token: str | None) -> None:
        """Look at the token of a handshake; one that was not minted here counts as any key does.

        Raises:
            RefusalError: It has expired, or is not for speech-to-text.
        """
        if token is None or not token.startswith(_PREFIX):
            return
        until, for_speech = self._minted.get(token, (0.0, True))
        if self._clock() > until:
            raise RefusalError(401, "Unauthorized", "the access token has expired")
        if not for_speech:
            raise RefusalError(403, "Forbidden", "the access token lacks the grant stt")


def _read(body: bytes) -> dict[str, Any]:
    try:
        asked = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        asked = None
    if not isinstance(asked, dict):
        raise RefusalError(400, "Invalid request", "the body is no JSON object")
    return asked
