"""Turns with the texts that a test names."""

from sttdoctor.analysis.session.turns import Turn


def make(*texts, end=True, eager=()):
    """A turn whose updates are the texts; the last one is also its end."""
    pieces = [("update", text) for text in texts] + [("eager_end", text) for text in eager]
    made = Turn(1, pieces=pieces)
    if end:
        made.pieces.append(("end", texts[-1]))
        made.end = texts[-1]
    return made
