"""Evidence that a capture may lack: what it is called in a list, and the sentence that says how to capture it.

Checks that lack the same say so in the same words, so that a report can say it once.
"""

from sttdoctor.values import immutable


@immutable
class Missing:
    """What a capture lacks.

    Attributes:
        noun: As it stands in a list of what is missing.
        sentence: What is missing, and what to capture or to give.
    """

    noun: str
    sentence: str


AUDIO = Missing(
    "the audio itself",
    "The capture holds lengths of audio, not the audio itself; record the content of the binary frames.",
)
SENDS = Missing("what the client sent", "The capture holds nothing that the client sent; record both directions.")
COMMANDS = Missing(
    "the client's commands",
    "The capture shows no message that the client sent beside its audio; record both directions in full.",
)
SENT_AUDIO = Missing("audio", "No audio was sent in binary frames.")
SAMPLES = Missing("bare samples", "The bytes cannot be read as samples.")
SPEECH = Missing("a few seconds of speech", "Capture a few seconds of speech.")
FORMAT = Missing("the declared format", "The declared format is not known; give --encoding and --sample-rate.")
TIMES = Missing("times", "The capture has no times; record when each frame was sent.")
PACE = Missing("a second frame", "Only one frame of audio was sent, which shows no pace.")
EVENTS = Missing("the received events", "The capture holds no received events; record both directions.")
KINDS = Missing(
    "all kinds of events",
    "The capture holds some kinds of events only, as the program printed them; print every message as it comes, or "
    "record both directions.",
)
TEXTS = Missing(
    "the whole texts of the events", "The capture holds no whole event texts; record every received message in full."
)
TURNS = Missing("turn events", "No turn event was received.")
LOUDER = Missing(
    "louder speech",
    "The sound is too quiet to see where its words end, and so how long an answer takes; record it louder.",
)
ENDED_TURN = Missing("a finished turn", "No turn that held speech came to its end, so nothing can be timed.")
END = Missing(
    "the end of the connection", "The capture stops before the connection ends; record until the socket is closed."
)
CLOSE = Missing(
    "the close of the connection",
    "A capture of this kind does not show how the connection was closed; sttdoctor record writes one that does.",
)
SIDE = Missing(
    "the side that closed", "The capture does not tell which side closed; record the close with its side and code."
)
URL = Missing("the URL", "The capture has neither URL nor handshake; record both (secrets are redacted).")
HANDSHAKE = Missing(
    "the answer to the handshake",
    "The capture ends before the handshake was answered; what stands of the request may be cut. Record on.",
)
NO_URL = Missing(
    "the URL", "The capture has no URL, so its parameters cannot be judged; record it (secrets are redacted)."
)
