"""Every limit that a verdict depends on, in one place, each with its reason; users change them by name.

Names are `check.measure`. Where a limit comes from the service's documentation the reason says so; the others are
chosen so that a healthy client is never accused and a fault that the service would feel is always seen.
"""

import math
import reprlib
from collections.abc import Iterable, Mapping

from sttdoctor.errors import UsageError, suggest
from sttdoctor.values import immutable


@immutable
class Threshold:
    """One limit: its name, default, unit and the reason for the default."""

    name: str
    default: float
    unit: str
    reason: str

    @property
    def bounds(self) -> tuple[float, float]:
        """The least and the greatest value that make sense."""
        return _BOUNDS.get(self.unit, (1, 1_000_000))


_SHARES = (
    "probability",
    "ratio",
    "share",
    "share of the band",
    "of full scale",
    "of the loud samples",
    "of the loud samples in 2 s",
)
_MEASURES = ("s", "ms", "x realtime", "x the usual error", "holes a minute")
_BOUNDS = {**dict.fromkeys(_SHARES, (0, 1)), **dict.fromkeys(_MEASURES, (0, 1_000_000))}
"""By unit. Any other is a number of things, which is at least one: none of them is no fault."""

THRESHOLDS = (
    Threshold("encoding.fail_below", 0.02, "probability", "the declared encoding is as good as excluded by the bytes"),
    Threshold("encoding.warn_below", 0.2, "probability", "another encoding explains the bytes clearly better"),
    Threshold(
        "sample-rate.fail_below",
        0.03,
        "probability",
        "the declared rate, give or take 10 %, is excluded (false alarms: docs/methods/rate-model.md)",
    ),
    Threshold(
        "sample-rate.warn_below",
        0.1,
        "probability",
        "another rate explains the evidence clearly better (false alarms: docs/methods/rate-model.md)",
    ),
    Threshold(
        "sample-rate.fail_far",
        0.4,
        "probability",
        "of rates more than 1.4 times off: with less, a short recording of an unusual voice is only doubtful",
    ),
    Threshold("sample-rate.min_speech_s", 1.0, "s", "a shorter piece of speech says little about the speaker's pitch"),
    Threshold(
        "sample-rate.upsampled_below",
        0.62,
        "share of the band",
        "telephone audio in a 16 kHz stream fills 0.5 of the band; real wideband speech reaches well beyond 0.62",
    ),
    Threshold("frames.empty", 0.05, "share", "now and then a filter returns nothing; more is a habit of the client"),
    Threshold("connection.gap_s", 0.5, "s", "a shorter interruption between two connections loses no word"),
    Threshold(
        "connection.silent_s", 3.0, "s", "connected comes with the handshake; a slow link may take a second or two"
    ),
    Threshold(
        "channels.fail_above", 0.9, "probability", "below it one channel remains a possible reading of the same bytes"
    ),
    Threshold(
        "signal.silent_peak",
        0.001,
        "of full scale",
        "muted analog lines peak at 0.0005 to 0.001, live speech at 0.004 or more (public bug reports)",
    ),
    Threshold(
        "signal.quiet_rms",
        0.003,
        "of full scale",
        "-50 dBFS in the loud parts: 10 dB under speech that peaks at -30 dBFS",
    ),
    Threshold("signal.noise_rms", 0.02, "of full scale", "-34 dBFS: the noise of rooms and lines is softer"),
    Threshold("signal.noise_s", 5, "s", "who has just connected may not have spoken yet"),
    Threshold("signal.clipped_share", 0.005, "of the loud samples", "about the share at which clipping is heard"),
    Threshold(
        "signal.clipped_share_worst",
        0.02,
        "of the loud samples in 2 s",
        "single peaks of loud speech reach 0.001; clipping by 12 dB makes 0.05",
    ),
    Threshold("signal.wrapped", 10, "jumps", "a click or two from end to end may be a switch or an edit"),
    Threshold("signal.dc_offset", 0.05, "of full scale", "converters are off by less than 0.02; more costs headroom"),
    Threshold("signal.dropouts", 3, "holes", "a single hole may be an accident or an edit"),
    Threshold("signal.dropouts_per_min", 1, "holes a minute", "rarer holes cost a word now and then: a warning"),
    Threshold("signal.false_silence_s", 0.1, "s", "clipped speech never stays at one extreme for so long"),
    Threshold("signal.click_ratio", 1.1, "x the usual error", "at a period that is heard often, speech has 0.6 to 1.0"),
    Threshold(
        "signal.muted_s", 3, "s", "shorter silence is a pause, a hole, or a button that was pressed for a moment"
    ),
    Threshold(
        "signal.muted_times", 3, "times", "of silence shorter than that: once or twice may be an edit or a click"
    ),
    Threshold("signal.echo_strength", 0.1, "ratio", "-20 dB: a softer second route adds no words"),
    Threshold("chunking.min_ms", 5, "ms", "smaller frames cost more in headers than in audio"),
    Threshold("chunking.warn_ms", 300, "ms", "the service recommends about 100 ms; longer frames delay each answer"),
    Threshold("chunking.fail_ms", 1000, "ms", "a second of audio at once makes every answer up to a second late"),
    Threshold("pacing.backlog_warn_s", 1, "s", "more audio waits than jitter and a scheduler explain"),
    Threshold("pacing.backlog_fail_s", 3, "s", "a large batch can overload the server's buffer (vendor documentation)"),
    Threshold(
        "pacing.drain_speed", 1.1, "x realtime", "the bucket empties a little faster, so clock drift never fills it"
    ),
    Threshold("pacing.start_burst_s", 2, "s", "clients flush what they queued during the handshake; harmless"),
    Threshold("pacing.start_window_s", 1.5, "s", "how long after the first frame such a flush may take"),
    Threshold("pacing.min_s", 5, "s", "shorter stretches of audio do not show a speed"),
    Threshold("pacing.fast_warn", 1.1, "x realtime", "far more than any sound card drifts"),
    Threshold("pacing.fast_fail", 1.3, "x realtime", "each minute adds a backlog of 18 s"),
    Threshold("pacing.slow_warn", 0.9, "x realtime", "answers fall behind by six seconds a minute"),
    Threshold("pacing.slow_fail", 0.8, "x realtime", "answers fall behind by twelve seconds a minute"),
    Threshold("continuity.stall_warn_s", 1, "s", "a hole that is filled later delays the words in it by its length"),
    Threshold("continuity.stall_fail_s", 2, "s", "turn detection and answers stand still for so long"),
    Threshold("continuity.turn_warn_s", 0.5, "s", "turn detection runs on audio: without it an open turn cannot end"),
    Threshold("continuity.turn_fail_s", 1, "s", "longer than turn detection itself takes"),
    Threshold("continuity.pause_warn_s", 2, "s", "silence should be sent as audio, also between turns"),
    Threshold("continuity.nothing_s", 5, "s", "a microphone starts within a second or two; a user who looks does not"),
    Threshold(
        "continuity.idle_limit_s",
        180,
        "s",
        "the service closes a socket without audio after three minutes (vendor documentation)",
    ),
    Threshold(
        "drain.hang_up_s", 5, "s", "the last events come well within it; a client that leaves sooner may lose them"
    ),
    Threshold(
        "latency.end_of_turn_warn_s", 1.5, "s", "turn detection costs about half a second (vendor documentation)"
    ),
    Threshold(
        "latency.end_of_turn_margin_s", 1, "s", "beyond the session's turn_end_timeout_ms no turn should stay open"
    ),
    Threshold("latency.behind_speed", 0.985, "x realtime", "slower than any sound card drifts: audio is held back"),
    Threshold("latency.late_start_s", 3, "s", "a turn begins within a second of its first word"),
    Threshold("latency.reader_gap_s", 2, "s", "updates come several times a second while somebody speaks"),
    Threshold("endpoint.batch_s", 10, "s", "of shorter recordings a realtime endpoint is as good"),
    Threshold("endpoint.batch_speed", 3, "x realtime", "no live source is this fast"),
    Threshold("endpoint.pause_s", 1.5, "s", "a pause in the audio that no jitter explains"),
    Threshold("endpoint.pauses", 3, "pauses", "once or twice may be a fault; again and again is a habit"),
    Threshold("server.silence_s", 5, "s", "updates come several times a second while somebody speaks"),
    Threshold("joining.similar", 0.6, "ratio", "below it the application's text is not made from this session"),
)

_BY_NAME = {threshold.name: threshold for threshold in THRESHOLDS}
DEFAULTS: dict[str, float] = {threshold.name: float(threshold.default) for threshold in THRESHOLDS}


def parse_settings(settings: Iterable[str]) -> dict[str, float]:
    """Read `NAME=VALUE` settings.

    Raises:
        UsageError: A setting has no `=`, an unknown name or a value that is no number within its bounds.
    """
    values = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals:
            raise UsageError(f"--set takes NAME=VALUE, not {setting!r}")
        values[name.strip()] = _validate_one(name.strip(), value.strip())
    return values


def read_tables(tables: Mapping[str, object]) -> dict[str, float]:
    """Read thresholds from the tables of a TOML file, one a check: `[pacing]` with `backlog_fail_s = 5`.

    Raises:
        UsageError: They name an unknown threshold or give a value that is no number within its bounds.
    """
    values = {}
    for check, table in tables.items():
        entries = table.items() if isinstance(table, dict) else [("", table)]
        for key, value in entries:
            name = f"{check}.{key}" if key else check
            values[name] = _validate_one(name, value)
    return values


def validate(values: Mapping[str, object]) -> dict[str, float]:
    """Return values by name as numbers.

    Raises:
        UsageError: An unknown name, or a value that is no number within its bounds.
    """
    return {name: _validate_one(name, value) for name, value in values.items()}


def _validate_one(name: str, value: object) -> float:
    if name not in _BY_NAME:
        raise UsageError(
            f"unknown threshold {name!r}; {suggest(name, _BY_NAME, 'sttdoctor explain lists them by check')}"
        )
    try:
        number = math.nan if isinstance(value, bool) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    least, most = _BY_NAME[name].bounds
    if not least <= number <= most:
        raise UsageError(f"threshold {name} takes a number from {least} to {most}, not {reprlib.repr(value)}")
    return number


def of_check(check: str) -> list[Threshold]:
    """Return the thresholds of one check."""
    return [threshold for threshold in THRESHOLDS if threshold.name.startswith(check + ".")]
