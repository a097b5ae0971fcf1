"""`sttdoctor check`."""

from typing import Any

import click

from sttdoctor.cli.options import deliver, format_options, forms_of, report_options, source_of, spare, thresholds
from sttdoctor.cli.progress import progress


@click.command()
@click.argument("audio", type=click.Path())
@format_options
@report_options
def check(audio: str, encoding: str | None, sample_rate: int | None, **options: Any) -> None:
    """Is this headerless audio what the client declared?

    AUDIO is the bytes as sent, - for standard input. Without --encoding and --sample-rate both are inferred.

    sttdoctor check audio.raw --encoding pcm_s16le --sample-rate 16000
    """
    from sttdoctor.api import audio_facts, examine
    from sttdoctor.readers.capture import is_session_file

    forms_of(options)
    spare(options, audio)
    if is_session_file(audio):
        raise click.UsageError(f"{audio} is a recorded session, not audio; judge it with sttdoctor replay")
    limits = thresholds(options["settings"], options["config"])
    with progress(options["form"]) as told:
        facts = audio_facts(source_of(audio), encoding, sample_rate, limits)
        report = examine(facts, options["select"], options["ignore"], told)
    if options["wav"]:
        from sttdoctor.listen import pick_format, write_wav

        write_wav(facts, *pick_format(facts, report.checks), options["wav"], options["force"])
    deliver(report, options, facts)
