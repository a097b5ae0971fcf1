"""How the stand-in treats a connection. What is not documented is a guess, and docs/simulate.md says so."""

from dataclasses import dataclass, field

from sttdoctor.simulate.faults import Faults


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How the stand-in treats a connection.

    Attributes:
        latency_s: From hearing something to saying so.
        flush_s: From the close command to the last events.
        idle_timeout_s: Without audio for so long, the server closes (1001); documented are 3 minutes.
        speed: Audio is heard at so many times realtime at most; more waits.
        buffer_s: So many seconds of audio may wait, then comes an error event and a close with 1011.
        faults: What to do wrong, from `sttdoctor.simulate.faults.parse`.
        fault_after_s: Seconds of audio after which faults in mid-session strike.
    """

    latency_s: float = 0.15
    flush_s: float = 0.3
    idle_timeout_s: float = 180.0
    speed: float = 2.0
    buffer_s: float = 10.0
    faults: Faults = field(default_factory=dict)
    fault_after_s: float = 2.0
