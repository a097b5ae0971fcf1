"""`sttdoctor check`."""

from typing import TYPE_CHECKING, Any

import click

from sttdoctor.cli.options import (
    deliver,
    format_options,
    forms_of,
    refuse_single,
    report_options,
    source_of,
    spare,
    tell_error,
    thresholds,
)
from sttdoctor.cli.progress import progress

if TYPE_CHECKING:
    from sttdoctor.analysis.facts import Facts
    from sttdoctor.report import Report


@click.command()
@click.argument("audio", metavar="AUDIO...", nargs=-1, required=True, type=click.Path())
@format_options
@report_options
def check(audio: tuple[str, ...], encoding: str | None, sample_rate: int | None, **options: Any) -> None:
    """Is this headerless audio what the client declared?

    AUDIO is the bytes as sent, - for standard input; each of several is judged by itself. Without --encoding and
    --sample-rate both are inferred.

    sttdoctor check audio.raw --encoding pcm_s16le --sample-rate 16000
    """
    from sttdoctor.api import audio_facts, examine
    from sttdoctor.errors import InputError
    from sttdoctor.program import keep_memory
    from sttdoctor.readers.first_bytes import may_be_session_file

    keep_memory()
    forms_of(options)
    spare(options, *audio)
    if len(audio) > 1:
        refuse_single(options)
    if audio.count("-") > 1:
        raise click.UsageError("only one AUDIO can be standard input")
    for path in filter(may_be_session_file, audio):
        from sttdoctor.readers.capture import is_session_file

        if is_session_file(path):
            raise click.UsageError(f"{path} is a recorded session, not audio; judge it with sttdoctor replay")
    limits = thresholds(options["settings"], options["config"])
    facts: Facts | None = None
    reports: list[Report] = []
    unread = False
    with progress(options["form"]) as told:
        for path in audio:
            try:
                facts = audio_facts(source_of(path), encoding, sample_rate, limits)
            except InputError as error:
                if len(audio) == 1:
                    raise
                unread = True
                tell_error(str(error))
            else:
                reports.append(examine(facts, options["select"], options["ignore"], told))
    if facts is not None and options["wav"]:
        from sttdoctor.listen import pick_format, write_wav

        write_wav(facts, *pick_format(facts, reports[0].checks), options["wav"], options["force"])
    code = deliver(reports, options, facts) if reports else 2
    click.get_current_context().exit(2 if unread else code)
