import base64
import bz2
import gzip
import io
from dataclasses import replace

import numpy as np
import pytest
import soundfile
from builders import session
from common import FIXTURES, ROOT

import sttdoctor
from sttdoctor.analysis.facts import Facts
from sttdoctor.api import examine
from sttdoctor.evidence import Audio, Declared, Frame
from sttdoctor.thresholds import DEFAULTS

RATE = 16000
NOISE = np.random.default_rng(2).normal(size=RATE)
VOICE = 0.2 * np.convolve(NOISE, 0.9 ** np.arange(40), "same") * (0.6 + 0.4 * np.sin(np.arange(RATE) / 900))
BARE = np.rint(np.clip(VOICE, -1, 1) * 32767).astype("<i2").tobytes()


def wav(rate=RATE, channels=1, subtype="PCM_16"):
    file = io.BytesIO()
    soundfile.write(file, np.stack([VOICE] * channels, axis=1), rate, format="WAV", subtype=subtype)
    return file.getvalue()


def judged(data, encoding="pcm_s16le", rate=RATE, select=("container",)):
    facts = Facts(DEFAULTS, audio=Audio(np.frombuffer(data, np.uint8)), declared=Declared(encoding, rate))
    return examine(facts, select)


def finding(data, **declared):
    (found,) = judged(data, **declared).checks[0].findings
    return found


@pytest.mark.parametrize(("form", "begin"), [("AIFF", "An AIFF header of"), ("AU", "An AU"), ("CAF", "A CAF")])
def test_a_header_has_its_article(form, begin):
    file = io.BytesIO()
    soundfile.write(file, VOICE, RATE, format=form, subtype="PCM_16")
    assert finding(file.getvalue()).summary.startswith(begin)


def test_bare_samples_pass():
    assert judged(BARE).checks[0].status == "pass"


def test_a_header_as_declared_is_told_with_the_place_where_the_samples_begin():
    found = finding(wav())
    assert (found.cause, found.status) == ("container.wav-header", "fail")
    assert "44 bytes" in found.summary and "as declared" in found.summary
    assert "byte 44" in found.fix and "-f s16le -ac 1 -ar 16000" in found.fix
    assert found.evidence[0].offset == 0


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (wav(rate=24000), ("24000 Hz", "declared is 16000 Hz", "sample_rate=24000")),
        (wav(subtype="FLOAT"), ("pcm_f32le", "declared is pcm_s16le", "encoding=pcm_f32le")),
        (wav(channels=2), ("stereo", "one channel")),
        (wav(subtype="IMA_ADPCM"), ("IMA ADPCM", "declared is pcm_s16le")),
    ],
)
def test_a_header_that_contradicts_the_declaration(data, words):
    found = finding(data)
    assert all(word in found.summary + found.fix for word in words)


def test_a_header_in_every_frame_of_a_session():
    chunk = wav()[:3244]
    base = session([])
    frames = tuple(Frame(3 + i, 0.1 * i, True, len(chunk), binary=True, content=chunk) for i in range(8))
    report = examine(Facts(DEFAULTS, session=type(base)((*base.events, *frames), url=base.url)), ["container"])
    (found,) = report.checks[0].findings
    assert "8 WAV headers" in found.summary
    assert [(place.line, place.t) for place in found.evidence[:2]] == [(3, 0.0), (4, 0.1)]


def test_chunks_behind_the_samples_are_a_warning():
    found = finding(BARE + b"LIST\x1a\0\0\0INFOISFT\x0e\0\0\0Lavf60.16.100\0")
    assert (found.cause, found.status, found.confidence) == ("container.wav-header", "warn", 0.95)
    assert [e.offset for e in found.evidence] == [len(BARE)] and f"at byte {len(BARE)};" in found.summary


def test_compressed_audio():
    file = io.BytesIO()
    soundfile.write(file, VOICE, RATE, format="OGG", subtype="VORBIS")
    found = finding(file.getvalue())
    assert (found.cause, found.status) == ("container.compressed", "fail")
    assert "Ogg" in found.summary and "ffmpeg" in found.fix and "MediaRecorder" in found.fix


def test_text_and_what_is_in_it():
    found = finding(base64.b64encode(wav()))
    assert (found.cause, found.status) == ("container.text", "fail")
    assert "a WAV file" in found.summary


def test_the_other_checks_judge_what_is_behind_the_header():
    report = judged(wav(), select=())
    (diagnosis,) = (d for d in report.diagnoses if d.cause == "container.wav-header")
    assert not [cause for cause in diagnosis.explains if cause.startswith("encoding")]
    assert report.subject["estimated"]["encoding"] == "pcm_s16le"


def test_a_header_that_names_the_true_format_explains_the_mismatch():
    report = judged(wav(subtype="FLOAT"), select=("container", "encoding"))
    (diagnosis,) = report.diagnoses
    assert (diagnosis.cause, diagnosis.explains) == ("container.wav-header", ("encoding.mismatch",))


def test_a_header_that_agrees_with_a_wrong_declaration_explains_nothing():
    floats = wav()[:44] + VOICE.astype("<f4").tobytes()
    causes = [d.cause for d in judged(floats, select=("container", "encoding")).diagnoses]
    assert sorted(causes) == ["container.wav-header", "encoding.mismatch"]


def test_compressed_audio_explains_everything_else():
    file = io.BytesIO()
    soundfile.write(file, VOICE, RATE, format="OGG", subtype="VORBIS")
    assert [d.cause for d in judged(file.getvalue(), select=()).diagnoses] == ["container.compressed"]


BOTH = b"".join((wav(), wav(rate=24000)))


def test_a_header_at_odds_asks_to_declare_or_to_convert():
    found = finding(wav(rate=24000))
    assert found.summary == (
        "A WAV header of 44 bytes stands in the stream at its start; the service plays it as a click. "
        "It says pcm_s16le at 24000 Hz, mono; declared is 16000 Hz."
    )
    assert found.fix.endswith(
        ", and declare encoding=pcm_s16le and sample_rate=24000, or convert it: "
        "ffmpeg -i FILE -f s16le -ac 1 -ar 16000 out.raw"
    )
    assert found.confidence == 0.99


def test_two_channels_cannot_be_declared():
    found = finding(wav(channels=2))
    assert "declared is one channel (the service takes no other)." in found.summary
    assert "and declare" not in found.fix and ", after you convert it: ffmpeg" in found.fix
    assert "declared is 16000 Hz and one channel." in finding(wav(rate=24000, channels=2)).summary


def test_without_a_rate_declared_the_rate_of_the_header_is_not_at_odds():
    found = finding(wav(rate=24000), rate=None)
    assert found.summary.endswith("It says pcm_s16le at 24000 Hz, mono, as declared.")
    assert found.fix.endswith(", or convert it: ffmpeg -i FILE -f s16le -ac 1 -ar 24000 out.raw")


@pytest.mark.parametrize(("form", "endian"), [("WAV", "FILE"), ("AIFF", "FILE"), ("W64", "FILE"), ("AU", "LITTLE")])
def test_a_file_of_which_nothing_is_declared_carries_the_audio_and_is_judged_inside(form, endian):
    samples = np.fromfile(FIXTURES / "audio" / "s16-16k.raw", "<i2")
    file = io.BytesIO()
    soundfile.write(file, samples, RATE, format=form, subtype="PCM_16", endian=endian)
    whole = sttdoctor.check(file.getvalue())
    assert whole.status == "pass" and not whole.diagnoses
    assert whole.checks[0].id == "container" and "16000 Hz, mono" in whole.checks[0].answer
    assert whole.subject["estimated"]["sample_rate"] == 16000
    declared = sttdoctor.check(file.getvalue(), encoding="pcm_s16le", sample_rate=RATE)
    assert declared.diagnoses[0].cause == "container.wav-header"


def test_several_headers_are_counted_and_all_are_clicks():
    found = finding(BOTH)
    assert found.summary.startswith("2 WAV headers of 44 bytes stand in the stream, each played as a click. It says")
    assert found.fix.startswith("Write no header to any chunk")
    assert [e.offset for e in found.evidence] == [0, 44 + len(BARE)]


def test_where_a_header_stands_is_told():
    found = finding(BARE[:1000] + wav())
    assert found.summary.startswith("A WAV header of 44 bytes stands in the stream at byte 1000; the service")
    assert found.fix.startswith("Send from byte 1044 on: ")


@pytest.mark.parametrize(
    ("lead", "words"),
    [
        (b"", "The bytes are FLAC; the service takes bare samples only."),
        (BARE[:1000], "A stream of FLAC begins at byte 1000; the service takes bare samples only."),
    ],
)
def test_where_a_compressed_stream_begins_is_told(lead, words):
    file = io.BytesIO()
    soundfile.write(file, VOICE, RATE, format="FLAC")
    found = finding(lead + file.getvalue())
    assert (found.summary, found.confidence) == (words, 0.99)
    assert found.evidence[0].offset == len(lead) and "MediaRecorder" not in found.fix


def test_text_is_as_sure_as_a_file():
    found = finding(base64.b64encode(BARE))
    assert (found.confidence, found.fix) == (0.99, "Decode to bytes before sending, and send them in binary frames.")


@pytest.mark.parametrize(
    ("pack", "name", "command"),
    [(gzip.compress, "gzip", "gzip -dc FILE > audio.raw"), (bz2.compress, "bzip2", "bzip2 -dc FILE > audio.raw")],
)
def test_a_general_compressor_is_named_with_the_command_that_unpacks(pack, name, command):
    report = judged(pack(BARE), select=())
    (found,) = report.checks[0].findings
    assert (found.cause, found.status) == ("container.compressed", "fail")
    assert f"The bytes are {name};" in found.summary and command in found.fix and "ffmpeg" not in found.fix
    assert [diagnosis.cause for diagnosis in report.diagnoses] == ["container.compressed"]


def test_base64_of_gzip_says_how_to_unpack_what_it_holds():
    found = finding(base64.b64encode(gzip.compress(BARE)))
    assert found.cause == "container.text" and "What it holds is gzip" in found.summary
    assert "gzip -dc FILE" in found.fix and "ffmpeg" not in found.fix


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"hello", "5 bytes are too few to tell samples from a file or text, and all of them could be text."),
        (b"\x55", "1 byte is too few to tell samples from a file or text, and all of them could be text."),
        (BARE[20000:20046], "46 bytes are too few to tell samples from a file or text."),
    ],
)
def test_a_few_bytes_are_an_open_question(data, says):
    check = judged(data).checks[0]
    assert check.status == "unknown" and check.answer.startswith(says), check.answer


def test_bytes_that_are_few_but_unmistakable_are_told():
    assert finding(b'{"a": 1}').cause == "container.text"
    assert judged(BARE[20000:20048]).checks[0].status == "pass"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 3\r\n\r\nno!", "an HTTP answer"),
        (b"<!DOCTYPE html>\n<html><body>502 Bad Gateway</body></html>", "HTML or XML"),
        (b'{"error": {"code": 401, "message": "no such key"}}', "JSON"),
    ],
)
def test_text_that_may_be_an_error_of_the_source(data, words):
    found = finding(data)
    assert found.summary == f"The bytes are {words}, not samples."
    assert found.fix.startswith("Look at what it says: it may be an error of the source. Send the samples")


@pytest.mark.parametrize("name", ["README.md", "CHANGELOG.md", "docs/serve.md"])
def test_a_page_of_text_with_marks_is_text_and_no_message_among_samples(name):
    (found,) = sttdoctor.check(ROOT / name, select=["container"]).checks[0].findings
    assert (found.cause, found.summary) == ("container.text", "The bytes are text, not samples.")
    assert "sttdoctor replay" in found.fix


def test_a_header_in_front_of_a_header_is_cut_with_it():
    found = finding(wav()[:44] + wav())
    assert (
        "one behind the other" in found.summary and "from byte 88 on" in found.fix and "each of them" not in found.fix
    )


def test_packets_of_gsm_are_told_by_their_mark():
    file = io.BytesIO()
    soundfile.write(file, np.tile(VOICE, 2), 8000, format="RAW", subtype="GSM610")
    packets = [file.getvalue()[at : at + 66] for at in range(0, len(file.getvalue()) - 66, 66)]
    base = session(np.arange(len(packets)) * 0.04, 66 / 8000)
    contents = iter(packets)
    events = tuple(replace(e, content=next(contents)) if isinstance(e, Frame) else e for e in base.events)
    (found,) = examine(Facts(DEFAULTS, session=replace(base, events=events)), ["container"]).checks[0].findings
    assert found.cause == "container.compressed" and "GSM 06.10" in found.summary and "slin" in found.fix
