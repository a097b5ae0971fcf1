import re

import numpy as np
import pytest
from builders import URL, session, steady
from heard import told

from sttdoctor.analysis.facts import Facts
from sttdoctor.analysis.rate.anchors import Anchor
from sttdoctor.analysis.rate.changes import find_change_by_sound, find_nearest_rate
from sttdoctor.analysis.rate.estimate import RateEstimate
from sttdoctor.analysis.rate.evidence import FORMAT_RATIOS
from sttdoctor.checks.sample_rate import CHECK, weigh_plausibility
from sttdoctor.encodings import ENCODINGS, STANDARD_RATES, SUPPORTED
from sttdoctor.evidence import Audio, Declared
from sttdoctor.thresholds import DEFAULTS


def heard(speech_s=6.0, speech_like=1.0, **likely):
    """An estimate with the given probabilities (r16000=0.9); the rest is shared by the other rates."""
    known = {int(name[1:]): value for name, value in likely.items()}
    rest = (1 - sum(known.values())) / (len(STANDARD_RATES) - len(known))
    return RateEstimate({rate: known.get(rate, rest) for rate in STANDARD_RATES}, speech_s, speech_like)


def judged(*args, **kwargs):
    return CHECK.judge(told(*args, **kwargs))


def found(answer):
    return [(f.cause, f.status) for f in answer.findings]


def test_a_rate_that_the_sound_excludes():
    answer = judged(heard(r24000=0.9, r22050=0.09), 16000)
    assert found(answer) == [("sample-rate.mismatch", "fail")]
    assert "sample_rate=24000" in answer.findings[0].fix


def test_a_doubtful_rate_is_a_warning():
    assert found(judged(heard(r24000=0.7, r22050=0.2, r16000=0.03), 16000)) == [("sample-rate.mismatch", "warn")]


@pytest.mark.parametrize("declared", [22050, 24000])
def test_neighbours_are_not_told_apart_by_sound(declared):
    assert judged(heard(r24000=0.95), declared).status == "pass"


def test_the_right_rate_passes():
    assert judged(heard(r16000=0.4, r24000=0.3), 16000).status == "pass"


@pytest.mark.parametrize("sound", [heard(speech_s=0.3), heard(speech_like=0.1), heard(speech_s=0.0, speech_like=0.0)])
def test_without_speech_it_is_unknown(sound):
    assert judged(sound, 16000).status == "unknown"


def test_an_unusual_voice_is_a_warning_and_longer_or_other_evidence_is_none():
    high = heard(r12000=0.95, r11025=0.045)
    (finding,) = judged(high, 16000).findings
    assert (finding.status, "probably recorded at 12000 Hz" in finding.summary) == ("warn", True)
    longer = told(high, 16000)
    longer.sound.is_long = True
    assert found(CHECK.judge(longer)) == [("sample-rate.mismatch", "fail")]
    assert anchored(high, 16000, r12000=10.0).status == "fail"
    assert judged(heard(r12000=0.5, r8000=0.49), 16000).status == "fail"


def anchored(sound, declared, **weights):
    """A case whose sound also holds keys of a telephone that have the given likelihood ratios (r24000=1e5)."""
    facts = told(sound, declared)
    known = {int(name[1:]): value for name, value in weights.items()}
    names = {rate: "DTMF digits 1 5 9" for rate, weight in known.items() if weight > 1}
    facts.sound.anchors = [Anchor({rate: known.get(rate, 0.5) for rate in STANDARD_RATES}, names)]
    return CHECK.judge(facts)


def test_tones_that_stand_elsewhere_are_told_as_evidence():
    answer = anchored(heard(r16000=0.97), 24000, r16000=1e5)
    (finding,) = answer.findings
    assert (finding.cause, finding.status) == ("sample-rate.mismatch", "fail")
    assert "DTMF digits 1 5 9 stand at 1.50 times their frequencies" in finding.summary
    assert [place.note for place in finding.evidence] == ["DTMF digits 1 5 9 stand at 1.50 times their frequencies"]
    assert answer.measurements["anchors"] == {"DTMF digits 1 5 9": 16000}


def test_tones_that_stand_where_they_belong_are_told():
    answer = anchored(heard(r16000=0.97), 16000, r16000=1e5)
    assert (answer.status, "stand where they belong at 16000 Hz" in answer.text) == ("pass", True)


def test_tones_that_contradict_the_voice_are_told_as_evidence():
    (finding,) = anchored(heard(r24000=0.98), 16000, r16000=5.0).findings
    assert [place.note for place in finding.evidence] == ["DTMF digits 1 5 9 stand where they belong at 16000 Hz"]
    assert "DTMF" not in finding.summary


def test_tones_tell_neighbours_apart():
    assert anchored(heard(r22050=0.97), 24000, r22050=1e5).status == "fail"


@pytest.mark.parametrize(("ratio", "status"), [(1e5, "fail"), (60.0, "unknown")])
def test_tones_tell_without_speech_but_hum_does_not(ratio, status):
    silent = RateEstimate({rate: 0.9999 if rate == 8000 else 0.0001 / 8 for rate in STANDARD_RATES}, 0.0, 0.0)
    assert anchored(silent, 16000, r8000=ratio).status == status


def test_without_a_declaration_the_sound_names_the_rate():
    answer = judged(heard(r22050=0.5, r24000=0.47), None)
    assert answer.status == "pass"
    assert (answer.reading, "it is 22050 or 24000 Hz" in answer.text) == ("22050 or 24000 Hz", True)


def test_a_steady_byte_rate_and_the_sound_agree():
    answer = judged(heard(r12000=0.3, r11025=0.3), 8000, pace=1.5)
    assert found(answer) == [("sample-rate.mismatch", "fail")]
    assert ": 12000 bytes a second come in, 1.50 times what the declaration promises" in answer.text
    assert [e.note for e in answer.findings[0].evidence] == ["steady at 12000 bytes a second of clock"]


def test_the_sound_wins_over_a_ratio_that_it_excludes():
    answer = judged(heard(r8000=0.9, r11025=0.0999), 8000, pace=2.0)
    assert answer.status == "pass"


def test_upsampled_audio_is_a_remark_and_not_a_wrong_rate():
    facts = told(heard(r16000=0.9), 16000)
    facts.sound.band_edge = 0.25
    assert found(CHECK.judge(facts)) == [("sample-rate.upsampled", "warn")]
    facts.sound.band_edge = 0.4
    assert CHECK.judge(facts).status == "pass"


@pytest.mark.parametrize("hz", [4780, 7020, 9604, 13900])
def test_an_edge_that_belongs_to_no_lower_rate_is_that_of_a_codec(hz):
    facts = told(heard(r44100=0.9), 44100)
    facts.sound.band_edge = hz / 44100
    assert CHECK.judge(facts).status == "pass"


def test_probabilities_sum_to_one_with_decimal_keys():
    measured = judged(heard(r16000=1 / 3), 16000).measurements
    assert sum(measured["probabilities"].values()) == pytest.approx(1.0, abs=1e-9)
    assert list(measured["probabilities"]) == [str(rate) for rate in STANDARD_RATES]


def test_the_prior_is_small():
    assert weigh_plausibility(told(None, 16000)) == 1.0
    assert weigh_plausibility(told(heard(r24000=0.99), 16000)) < 0.01


def test_sizes_alone_with_a_steady_ratio():
    subject = session(steady(10), 0.15)
    answer = CHECK.judge(Facts(DEFAULTS, session=subject))
    assert found(answer) == [("sample-rate.mismatch", "fail")]
    unknown = CHECK.judge(Facts(DEFAULTS, session=session(steady(10))))
    assert unknown.status == "unknown" and unknown.missing == "the audio itself"
    assert CHECK.judge(Facts(DEFAULTS, session=session(steady(10), 0.16))).status == "unknown"


def parts(*estimates):
    return [(1000 * i, estimate) for i, estimate in enumerate(estimates)]


def test_a_change_of_the_sound_is_located_between_parts():
    change = find_change_by_sound(parts(heard(r48000=0.95), heard(r48000=0.95), heard(r16000=0.95)))
    assert (change.offset, change.before, change.after) == (2000, 48000, 16000)


@pytest.mark.parametrize(
    "estimates",
    [
        (heard(r16000=0.95), heard(r16000=0.95)),
        (heard(r22050=0.95), heard(r24000=0.95)),
        (heard(r16000=0.5), heard(r24000=0.5)),
        (heard(r48000=0.99), heard(r16000=0.99, speech_like=0.1)),
        (*(heard(r48000=0.99) for _ in range(3)), *(heard(r16000=0.9, speech_like=0.85) for _ in range(2))),
        (),
    ],
)
def test_no_change_without_clear_evidence(estimates):
    assert find_change_by_sound(parts(*estimates)) is None


@pytest.mark.parametrize(("hz", "expected"), [(16050, 16000), (23900, 24000), (19000, None)])
def test_nearest_rate(hz, expected):
    assert find_nearest_rate(hz, STANDARD_RATES) == expected


def test_measurements_are_rounded():
    facts = told(heard(speech_s=6.126, speech_like=0.98765, r16000=0.9), 8000, pace=1.0 / 3)
    facts.sound.band_edge = 0.412345
    measured = CHECK.judge(facts).measurements
    assert (measured["speech_s"], measured["speech_like"], measured["band_edge"]) == (6.13, 0.988, 0.4123)
    assert (measured["wire_ratio"], measured["wire_bytes_per_s"]) == (0.3337, 2670.0)  # frames of 267 bytes


@pytest.mark.parametrize(
    ("sound", "words"),
    [
        (heard(speech_s=0.34), "only 0.3 s of speech were found"),
        (heard(speech_s=1.1, speech_like=0.1), "the sound is not clearly speech"),
        (heard(speech_s=0.0, speech_like=0.0), "no speech was found"),
    ],
)
def test_why_the_sound_cannot_tell(sound, words):
    assert words in judged(sound, None).text


@pytest.mark.parametrize(
    ("sound", "fix"),
    [
        (heard(r24000=0.99), "Declare sample_rate=24000, or resample to 16000 Hz before you send."),
        (
            heard(r24000=0.6, r22050=0.38),
            "Declare sample_rate=24000 (or 22050), or resample to 16000 Hz before you send.",
        ),
    ],
)
def test_the_fix_names_every_likely_rate(sound, fix):
    assert judged(sound, 16000).findings[0].fix.startswith(fix)


def test_how_sure_a_mismatch_is_counts_against_the_declared_rate():
    assert judged(heard(r24000=0.9, r16000=0.01), 16000).findings[0].confidence == 0.99


def test_where_nothing_stands_above_is_told_in_hz():
    facts = told(heard(r16000=0.9), 16000)
    facts.sound.band_edge = 0.25
    (finding,) = CHECK.judge(facts).findings
    assert finding.summary.startswith("There is nothing above 4000 Hz") and finding.confidence == 0.8


@pytest.mark.parametrize(
    ("ratio", "hz", "expected"), [(1.5, 12000, "fail"), (2.0, 16000, "fail"), (0.5, 4000, "fail"), (1.2, None, None)]
)
def test_sizes_alone_name_the_rate_that_they_would_be(ratio, hz, expected):
    answer = CHECK.judge(Facts(DEFAULTS, session=session(steady(10), 0.1 * ratio)))
    assert found(answer) == ([("sample-rate.mismatch", expected)] if expected else [])
    if expected:
        assert (
            f"Bytes come in at {ratio:.2f} times the declared rate, steadily: as if the audio were {hz} Hz"
            in answer.text
        )
        assert answer.findings[0].confidence == 0.6


@pytest.mark.parametrize("encoding", SUPPORTED)
@pytest.mark.parametrize("ratio", FORMAT_RATIOS)
def test_fewer_bytes_than_declared_are_never_told_as_more_and_more_never_as_fewer(encoding, ratio):
    width = ENCODINGS[encoding].width
    url = URL.replace("pcm_mulaw", encoding)
    answer = CHECK.judge(Facts(DEFAULTS, session=session(steady(60), 0.1 * ratio * width, url=url)))
    assert found(answer)
    hz = int(re.search(r"were (\d+) Hz", answer.text)[1])
    bits = [int(number) for number in re.findall(r"(\d+)-bit", answer.text)]
    assert (hz > 8000) == (ratio > 1) and all((bit > 8 * width) == (ratio > 1) for bit in bits)
    assert ("two channels" in answer.text) == (ratio == 2)
    assert ("not all sent" in answer.text) == (ratio < 1) != ("sent faster" in answer.text)
    if ratio == 0.5 and width > 1:
        assert bits == [4 * width]


def test_near_realtime_sizes_alone_are_a_warning():
    """22050 Hz declared as 24000 or 24000 as 22050."""
    for wanted in (24000 / 22050, 22050 / 24000):
        answer = CHECK.judge(Facts(DEFAULTS, session=session(steady(60), 0.1 * wanted)))
        assert all(status == "warn" for _, status in found(answer))


def test_bytes_that_cannot_be_decoded_need_no_other_capture():
    packed = np.frombuffer(b"PK\x03\x04\x14\0\0\0\x08\0" + bytes(20) + b"zip" * 2000, np.uint8)
    check = CHECK.judge(Facts(DEFAULTS, audio=Audio(packed), declared=Declared("pcm_s16le", 16000)))
    assert (check.status, check.text) == ("unknown", "The bytes cannot be read as samples.")
