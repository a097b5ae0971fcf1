"""No fix is printed that, carried out on the capture, leaves a finding."""

import sys

import pytest
from common import ROOT

pytestmark = pytest.mark.long
BENCHMARKS = str(ROOT / "benchmarks" / "faults")
CAUSES = [
    "container.wav-header",
    "container.text",
    "encoding.mismatch",
    "encoding.unsupported",
    "encoding.byte-order",
    "encoding.misaligned",
    "encoding.changed",
    "encoding.swapped",
    "encoding.doubled",
    "sample-rate.mismatch",
    "sample-rate.changed",
    "channels.interleaved",
    "signal.false-silence",
    "signal.dc-offset",
    "frames.header",
    "frames.two-streams",
    "frames.repeated",
    "frames.zero-filled",
    "frames.out-of-order",
    "frames.empty",
    "messages.audio-as-text",
    "messages.partial-samples",
    "messages.unknown-command",
    "messages.command-as-binary",
    "messages.audio-after-close",
    "chunking.too-large",
    "chunking.too-small",
    "pacing.burst",
    "pacing.too-fast",
    "pacing.too-slow",
    "continuity.muted",
    "continuity.stalled",
    "continuity.keepalive",
    "endpoint.mixed-up",
    "joining.updates-joined",
    "joining.separator-added",
    "joining.whitespace-stripped",
    "joining.turns-missing",
    "joining.turns-repeated",
    "joining.partial-kept",
]


@pytest.fixture(scope="module")
def trial():
    pytest.importorskip("soundfile")
    sys.path.append(BENCHMARKS)
    import fixes

    yield fixes
    sys.path.remove(BENCHMARKS)


@pytest.mark.parametrize("cause", CAUSES)
def test_a_fix_that_is_carried_out_leaves_nothing_to_find(trial, cause):
    (tried,) = trial.task((cause, 2, 1, None))
    assert tried.named and (tried.is_clean or tried.lost), tried
