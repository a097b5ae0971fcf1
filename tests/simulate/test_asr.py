"""PocketSphinx behind the stand-in: what is declared right is readable, what is declared wrong is garbled."""

import asyncio
import importlib.util
import re
import signal
import subprocess

import pytest
from stand_in import Format, recorded, sdk_for, speech, talk

from sttdoctor.errors import InputError
from sttdoctor.program import build_command
from sttdoctor.simulate import asr
from sttdoctor.simulate.asr import Sphinx

recognises = pytest.mark.skipif(
    importlib.util.find_spec("pocketsphinx") is None, reason="PocketSphinx is not installed (extra asr)"
)
CLIPS = ("arctic-a0007", 0.3, "arctic-a0009", 0.9)
SAID = "and you always want to see it in the superlative degree he turned sharply and faced gregson across the table"
TRUE = Format("pcm_s16le", 24000)
WRONG = Format("pcm_s16le", 16000)


def share(text):
    """Share of the words that were said and are in a text."""
    words, found = SAID.split(), re.findall(r"[a-z']+", text.lower())
    return len([word for word in words if word in found]) / len(words)


class Microphone(Format):
    """Declares one format and is paced by another."""

    byte_rate = TRUE.byte_rate


@pytest.fixture(scope="module")
def sphinx():
    made = Sphinx()
    yield made
    made.close()


@pytest.fixture(scope="module")
def clients(sphinx):
    """The same audio declared right, declared wrong, and in floats at 48 kHz: (what was heard, report) of each."""

    async def one(true, declared):
        async with recorded(words=sphinx.words) as server:
            data = speech(*CLIPS, fmt=true)
            heard = await talk(server.port, data, declared, sdk=sdk_for(server.port))
        (report,) = server.reports(heard.text)
        return heard, report

    async def run():
        wide = Format("pcm_f32le", 48000)
        return await asyncio.gather(one(TRUE, TRUE), one(TRUE, Microphone(WRONG.encoding, WRONG.rate)), one(wide, wide))

    return asyncio.run(run())


@pytest.mark.asr
@recognises
def test_what_is_declared_right_is_readable(clients):
    assert share(clients[0][0].text) >= 0.8
    assert share(clients[2][0].text) >= 0.8


@pytest.mark.asr
@recognises
def test_a_wrong_sample_rate_garbles_the_text(clients):
    assert clients[1][0].text.strip()
    assert share(clients[1][0].text) < 0.5


@pytest.mark.asr
@recognises
def test_the_report_names_the_wrong_sample_rate(clients):
    assert clients[1][1].diagnoses[0].cause == "sample-rate.mismatch"
    assert "sample-rate.mismatch" not in {found.cause for found in clients[0][1].diagnoses}


@pytest.mark.asr
@recognises
def test_text_of_a_turn_only_ever_grows(clients):
    for heard, _ in clients:
        shown = ""
        for kind, text in heard:
            shown = "" if kind == "turn.start" else shown
            if text:
                assert text.startswith(shown)
                shown = text


@pytest.mark.asr
@recognises
def test_a_recogniser_that_dies_is_an_internal_error(sphinx):
    async def run():
        made = []

        def words(rate):
            made.append(sphinx.words(rate))
            return made[-1]

        async with recorded(words=words) as server:
            talking = asyncio.create_task(talk(server.port, speech("mary", 0.9), sdk=sdk_for(server.port)))
            while not made:
                await asyncio.sleep(0.01)
            made[0]._process.send_signal(signal.SIGKILL)
            await talking
        return server.reports()[0]

    assert "server.error-event" in {found.cause for found in asyncio.run(run()).diagnoses}


@pytest.mark.asr
@recognises
def test_no_process_is_left(sphinx):
    async def run():
        started = []

        def words(rate):
            started.append(sphinx.words(rate))
            return started[-1]

        async with recorded(words=words) as server:
            await talk(server.port, speech("mary"), sdk=sdk_for(server.port))
        return [one._process.poll() for one in started]

    assert asyncio.run(run()) == [-signal.SIGKILL]


@pytest.mark.parametrize(
    ("missing", "named"),
    [
        (("pocketsphinx", "soxr"), "PocketSphinx and soxr"),
        (("pocketsphinx",), "PocketSphinx"),
        (("soxr",), "soxr"),
    ],
)
def test_what_is_missing_is_named_with_the_extra_that_brings_it(monkeypatch, missing, named):
    monkeypatch.setattr(asr.importlib.util, "find_spec", lambda name: None if name in missing else name)
    with pytest.raises(InputError) as told:
        Sphinx()
    assert str(told.value) == f"--asr needs {named}: pip install pocketsphinx soxr"


@pytest.mark.asr
@recognises
def test_the_worker_ends_with_its_input():
    worker = subprocess.run(
        build_command("sttdoctor.simulate.asr_worker"), input=b"", capture_output=True, timeout=60, check=False
    )
    assert (worker.returncode, worker.stdout, worker.stderr) == (0, b"", b"")
