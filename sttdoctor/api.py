"""The two entry points: `check` for audio and `replay` for a session. The command line is a thin shell round them."""

import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from sttdoctor.analysis.facts import Facts
from sttdoctor.checks import all_checks
from sttdoctor.checks.base import Check, not_applicable, unknown
from sttdoctor.diagnosis import diagnose
from sttdoctor.encodings import ALIASES, ENCODINGS, SUPPORTED, meant_by
from sttdoctor.errors import UsageError, suggest
from sttdoctor.evidence import Declared, Session, Transcript
from sttdoctor.listen import is_audible, list_commands, pick_format, pick_later
from sttdoctor.readers.audio_file import Source, read_audio
from sttdoctor.readers.sockets import Wanted
from sttdoctor.redact import redact_tokens
from sttdoctor.report import CheckResult, Report
from sttdoctor.thresholds import DEFAULTS, validate

Progress = Callable[[int, int, str], None]

logger = logging.getLogger(__name__)


def check(
    source: Source,
    *,
    encoding: str | None = None,
    sample_rate: int | None = None,
    select: Iterable[str] = (),
    ignore: Iterable[str] = (),
    thresholds: Mapping[str, float] | None = None,
) -> Report:
    """Judge headerless audio.

    Args:
        source: A path, the bytes, or a binary file object.
        encoding: What the client declared; None when that is not known.
        sample_rate: What the client declared, Hz; None when that is not known.
        select: Ids of the checks to run; all when empty.
        ignore: Ids of checks to leave out.
        thresholds: Values that replace defaults, by name; each a number within its bounds.

    Returns:
        The report. A check that crashes is `unknown` in it.

    Raises:
        InputError: The audio cannot be read, is empty, or is a stream of more than 1 GiB.
        UsageError: An unknown encoding, check or threshold, a sample rate outside 1..1000000, or a threshold that is no
            number within its bounds.
    """
    return examine(audio_facts(source, encoding, sample_rate, thresholds), select, ignore)


def replay(
    source: Source | Sequence[str | os.PathLike[str]],
    *,
    transcript: str | None = None,
    encoding: str | None = None,
    sample_rate: int | None = None,
    connection: Wanted = None,
    select: Iterable[str] = (),
    ignore: Iterable[str] = (),
    thresholds: Mapping[str, float] | None = None,
) -> Report:
    """Judge a recorded session.

    Args:
        source: A path, the bytes, or a binary file object. Several paths, or a folder, are one client's session in the
            order of their times.
        transcript: The text that the application ended up with; wins over one in the session.
        encoding: Overrides what the session declares.
        sample_rate: Overrides what the session declares, Hz.
        connection: Which one, from 1, in a capture of several; `"all"`: all of one client.
        select: Ids of the checks to run; all when empty.
        ignore: Ids of checks to leave out.
        thresholds: Values that replace defaults, by name; each a number within its bounds.

    Returns:
        The report. A check that crashes is `unknown` in it.

    Raises:
        InputError: The capture cannot be read, holds nothing that can be used, or holds several connections of which
            none was chosen.
        UsageError: An unknown encoding, check or threshold, a sample rate outside 1..1000000, or a threshold that is no
            number within its bounds.
    """
    return examine(session_facts(source, transcript, encoding, sample_rate, thresholds, connection), select, ignore)


def audio_facts(
    source: Source,
    encoding: str | None,
    sample_rate: int | None,
    thresholds: Mapping[str, float] | None,
    name: str | None = None,
) -> Facts:
    """Read audio for `examine`; arguments and errors as for `check`, `name` in place of the path in the report."""
    declared = _tell_declared(encoding, sample_rate)
    limits = DEFAULTS | validate(thresholds or {})
    audio = read_audio(source)
    return Facts(limits, audio=audio if name is None else replace(audio, path=name), declared=declared)


def session_facts(
    source: Source | Sequence[Source],
    transcript: str | None,
    encoding: str | None,
    sample_rate: int | None,
    thresholds: Mapping[str, float] | None,
    connection: Wanted = None,
    name: str | None = None,
) -> Facts:
    """Read a session for `examine`; arguments and errors as for `replay`, `name` in place of the path in the report."""
    # the readers and what they redact by: a fifth of the start of `check`, which needs none of them
    from sttdoctor.readers.capture import read_session

    declared = _tell_declared(encoding, sample_rate)
    limits = DEFAULTS | validate(thresholds or {})
    sources = cast("Sequence[Source]", source if isinstance(source, list | tuple) else [source])
    session = read_session(sources, connection)
    if transcript is not None:
        session = replace(session, transcript=Transcript(redact_tokens(transcript)))
    if name is not None:
        session = replace(session, path=name)
    return Facts(limits, session=session, declared=declared)


def examine(
    facts: Facts, select: Iterable[str] = (), ignore: Iterable[str] = (), progress: Progress | None = None
) -> Report:
    """Run the checks on facts and diagnose.

    Args:
        facts: The subject.
        select: Ids of the checks to run; all when empty.
        ignore: Ids of checks to leave out.
        progress: Called before each check with how many are done, how many there are, and its id.

    Raises:
        UsageError: An unknown check.
    """
    kind = "session" if facts.session is not None else "audio"
    chosen = [check for check in _choose_checks(select, ignore) if kind in check.kinds and check.applies_to(facts)]
    results = tuple(_judge_all(chosen, facts, progress))
    findings = [finding for result in results for finding in result.findings]
    diagnoses = diagnose(findings, facts)
    listen: dict[str, str | None] = {"declared": None, "estimated": None}
    if is_audible(results):
        listen = list_commands(facts, *pick_format(facts, results), pick_later(facts, results))
    return Report(_describe_subject(facts, _can_estimate(facts)), diagnoses, results, listen)


def _can_estimate(facts: Facts) -> bool:
    """Whether the estimates can be computed; where not, the check that needs them has told the error."""
    try:
        return facts.sound.layout is None or facts.likely_rates is not None
    except Exception:
        return False


def _choose_checks(select: Iterable[str], ignore: Iterable[str]) -> list[Check]:
    wanted, unwanted = set(select), set(ignore)
    known = [check.id for check in all_checks()]
    for name in sorted((wanted | unwanted) - set(known)):
        raise UsageError(f"there is no check {name!r}; {suggest(name, known, 'there are ' + ', '.join(known))}")
    return [check for check in all_checks() if (not wanted or check.id in wanted) and check.id not in unwanted]


def _judge_all(chosen: list[Check], facts: Facts, progress: Progress | None) -> Iterator[CheckResult]:
    for done, check in enumerate(chosen):
        if progress is not None:
            progress(done, len(chosen), check.id)
        yield _run(check, facts)


def _run(check: Check, facts: Facts) -> CheckResult:
    """Run one check; a crash is an unknown answer, so that the others still run."""
    began, crashed = time.perf_counter(), False
    try:
        answer = check.judge(facts)
    except Exception as error:
        logger.debug("check %s crashed", check.id, exc_info=True)
        answer, crashed = unknown(f"The check crashed ({type(error).__name__}: {error}); please report this."), True
    if facts.refused and not (answer.findings or crashed or check.of_handshake):
        answer = not_applicable("The handshake was refused, so there was no session to judge.")
    return CheckResult(
        check.id,
        check.question,
        answer.status,
        answer.text,
        answer.findings,
        answer.measurements,
        check.docs,
        crashed,
        time.perf_counter() - began,
        answer.missing,
        answer.reading,
        answer.quiet,
    )


def _tell_declared(encoding: str | None, sample_rate: int | None) -> Declared:
    if encoding is not None and meant_by(encoding) is None:
        hint = suggest(encoding, (*SUPPORTED, *ENCODINGS, *ALIASES), f"the service takes {', '.join(SUPPORTED)}")
        raise UsageError(f"unknown encoding {encoding!r}; {hint}")
    if sample_rate is not None and not 0 < sample_rate <= 1_000_000:
        raise UsageError(f"a sample rate is between 1 and 1000000 Hz, not {sample_rate}")
    return Declared(encoding, sample_rate)


def _describe_subject(facts: Facts, trusted: bool) -> dict[str, Any]:
    formats = {
        "declared": {"encoding": facts.declared.encoding, "sample_rate": facts.declared.sample_rate},
        "estimated": _describe_estimated(facts) if trusted else dict.fromkeys(_ESTIMATED),
    }
    if facts.session is None:
        assert facts.audio is not None
        return {
            "kind": "audio",
            "path": _describe_declared(facts.audio.path),
            "bytes": len(facts.audio.data),
            **formats,
        }
    session = facts.session
    return {
        "kind": "session",
        "path": _describe_declared(session.path),
        "started_at": session.started_at,
        "client": session.client,
        "request_ids": facts.request_ids,
        "duration_s": facts.duration_s,
        **formats,
        "transcript": _describe_transcript(facts, session),
        "capture": {
            "source": session.source,
            "clock": session.clock,
            "lacks": sorted(session.lacks),
            "damaged_lines": session.damage.lines,
            "damage": [{"line": line, "note": note} for line, note in session.damage.examples],
        },
    }


def _describe_declared(path: str | None) -> str | None:
    """Return a path as it may be told: a key in a file's name is one as well."""
    return None if path is None else redact_tokens(path)


_ESTIMATED = ("encoding", "sample_rate", "sample_rates", "channels")


def _describe_estimated(facts: Facts) -> dict[str, Any]:
    estimate, layout = facts.sound.encoding, facts.sound.layout
    told = estimate is not None and estimate.decidable and layout is not None
    rates = facts.likely_rates if facts.rate_is_heard else []
    values = (
        layout.encoding if told and layout else None,
        rates[0] if rates else None,
        rates or None,
        layout.channels if told and layout else None,
    )
    return dict(zip(_ESTIMATED, values, strict=True))


def _describe_transcript(facts: Facts, session: Session) -> dict[str, Any]:
    ends = [turn.end for turn in facts.turns if turn.end is not None]
    heard = not session.lacks & {"receive", "text"}
    got = session.transcript.text if session.transcript is not None else None
    return {"expected": "".join(ends) if heard else None, "got": got, "turns": ends}
