"""`sttdoctor convert`."""

import sys
from typing import TYPE_CHECKING, BinaryIO

import click

from sttdoctor.cli.options import source_of, standard_output

if TYPE_CHECKING:
    from sttdoctor.analysis.decoding import Bytes
    from sttdoctor.evidence import Session


_OTHER_AUDIO = (".wav", ".pcm", ".flac", ".mp3", ".ogg")
"""Suffixes under which nobody looks for JSON."""


@click.command()
@click.argument("capture", type=click.Path())
@click.option(
    "-o",
    "--output",
    type=click.Path(),
    metavar="FILE",
    help="Default standard output; .raw takes the audio bytes as sent.",
)
@click.option("--force", is_flag=True, help="Write over a file that is there and holds something else.")
@click.option("--connection", type=click.IntRange(min=1), metavar="N", help="Which one, in a capture of several.")
@click.option("--no-audio", is_flag=True, help="Lengths instead of audio.")
@click.option("--no-text", is_flag=True, help="Lengths instead of spoken words.")
def convert(
    capture: str, output: str | None, force: bool, connection: int | None, no_audio: bool, no_text: bool
) -> None:
    """Write a capture as session JSONL, secrets redacted.

    CAPTURE is session JSONL, a HAR, or a debug log of websockets or the Cartesia SDK, plain or gzip; - is standard
    input. With -o NAME.raw the audio bytes are written, as they were sent.
    """
    from sttdoctor.anonymize import without_audio, without_text
    from sttdoctor.errors import UsageError
    from sttdoctor.outputs import spare, whole
    from sttdoctor.readers import read_capture

    spare((output,), (capture,), force)
    if output is not None and output.lower().endswith(_OTHER_AUDIO):
        raise UsageError(f"{output} would be audio; the bytes as sent go to a .raw file (replay --wav writes a WAV)")
    session = read_capture(source_of(capture), connection)
    session = without_audio(session) if no_audio else session
    session = without_text(session) if no_text else session
    if output is None:
        with standard_output():
            _write(sys.stdout.buffer, session, raw=False)
        return
    with whole(output, force, private=True) as file:
        _write(file, session, output.lower().endswith(".raw"))


def _write(file: BinaryIO, session: "Session", raw: bool) -> None:
    from sttdoctor.session_jsonl import write_rows

    if raw:
        file.write(_audio(session).tobytes())
        return
    for row in write_rows(session):
        file.write(row.encode("ascii") + b"\n")


def _audio(session: "Session") -> "Bytes":
    from sttdoctor.analysis.facts import session_audio
    from sttdoctor.errors import InputError

    audio = session_audio(session)
    if audio is None:
        raise InputError("the capture holds no audio content, so there is nothing to write")
    return audio.data
