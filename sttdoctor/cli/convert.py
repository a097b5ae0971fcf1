"""`sttdoctor convert`."""

import sys
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from sttdoctor.cli.options import connection_option, source_of, standard_output

if TYPE_CHECKING:
    from sttdoctor.analysis.decoding import Bytes
    from sttdoctor.evidence import Session


_OTHER_AUDIO = (".wav", ".pcm", ".flac", ".mp3", ".ogg")
_OTHER_CAPTURES = (".har", ".har.zip", ".pcap", ".pcapng", ".flow", ".flows", ".log", ".txt", ".csv")
"""Suffixes under which nobody looks for session JSONL."""


@click.command()
@click.argument("captures", metavar="CAPTURE...", nargs=-1, required=True, type=click.Path())
@click.option(
    "-o",
    "--output",
    type=click.Path(),
    metavar="FILE",
    help="Default standard output; .raw takes the audio bytes as sent.",
)
@click.option("--force", is_flag=True, help="Overwrite an existing file that holds something else.")
@connection_option
@click.option("--no-audio", is_flag=True, help="Lengths instead of audio.")
@click.option("--no-text", is_flag=True, help="Lengths instead of spoken words.")
def convert(
    captures: tuple[str, ...], output: str | None, force: bool, connection: Any, no_audio: bool, no_text: bool
) -> None:
    """Write a capture as session JSONL, secrets redacted.

    CAPTURE is any capture that docs/captures.md names, plain or gzip; - is standard input. Several, or a folder of
    them, are joined, their clocks shifted by when they started. With -o NAME.raw the audio bytes are written, as they
    were sent.
    """
    from sttdoctor.anonymize import drop_audio, drop_text
    from sttdoctor.errors import UsageError
    from sttdoctor.outputs import check_spared, write_whole
    from sttdoctor.readers.capture import read_session

    check_spared((output,), captures, force)
    if output is not None and output.lower().endswith(_OTHER_AUDIO):
        raise UsageError(f"{output} would be audio; the bytes as sent go to a .raw file (replay --wav writes a WAV)")
    if output is not None and output.lower().endswith(_OTHER_CAPTURES):
        raise UsageError(f"convert writes session JSONL: name the file {output.rpartition('.')[0]}.jsonl")
    if captures.count("-") > 1:
        raise UsageError("only one CAPTURE can be standard input")
    session = read_session([source_of(capture) for capture in captures], connection)
    if session.beside:
        click.echo("the same audio went over several connections; one of them is written", err=True)
    session = drop_audio(session) if no_audio else session
    session = drop_text(session) if no_text else session
    if output is None:
        with standard_output():
            _write(sys.stdout.buffer, session, raw=False)
        return
    with write_whole(output, force, private=True) as file:
        _write(file, session, output.lower().endswith(".raw"))


def _write(file: BinaryIO, session: "Session", raw: bool) -> None:
    from sttdoctor.readers.session_jsonl import write_rows

    if raw:
        file.write(_audio(session).tobytes())
        return
    for row in write_rows(session):
        file.write(row.encode("ascii") + b"\n")


def _audio(session: "Session") -> "Bytes":
    from sttdoctor.analysis.facts import join_audio
    from sttdoctor.errors import InputError

    audio = join_audio(session)
    if audio is None:
        raise InputError("the capture holds no audio content, so there is nothing to write")
    return audio.data
