"""The pytest plugin in pytest runs of its own."""

import re
import subprocess
import sys
import tomllib
import wave

import pytest
from stand_in import ROOT, Format, speech

from sttdoctor import replay

pytest_plugins = ["pytester"]

S16 = Format("pcm_s16le", 16000)
PAGE = (ROOT / "docs" / "testing-your-client.md").read_text("utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
EVEN_WHEN_BUSY = "pytestmark = pytest.mark.sttdoctor(ignore=['pacing', 'continuity', 'latency'])"
CLIENT = f"""
import asyncio, json, pathlib, time
import pytest
from cartesia import AsyncCartesia, Cartesia

{EVEN_WHEN_BUSY}
DATA = pathlib.Path(__file__).with_name("speech.raw").read_bytes()
FORMAT = {{"model": "ink-2", "encoding": "pcm_mulaw", "sample_rate": 8000}}

def at(service):
    return {{"api_key": service.api_key, "websocket_base_url": service.websocket_base_url}}

def send(connection, close=True):
    began = time.monotonic()
    for start in range(0, len(DATA), 800):
        time.sleep(max(0, began + start / 8000 - time.monotonic()))
        connection.send_raw(DATA[start : start + 800])
    if close:
        connection.send({{"type": "close"}})

def talk(service, close=True, **changed):
    with Cartesia(**at(service)) as sdk, sdk.stt.auto_finalize.websocket(**{{**FORMAT, **changed}}) as connection:
        send(connection, close)
        return [event.transcript for event in connection if event.type == "turn.end"] if close else []
"""


@pytest.fixture
def project(pytester):
    """A project with speech and a client; `run(tests)` runs its tests in this process."""
    (pytester.path / "speech.raw").write_bytes(speech("bobby", 0.8))

    def run(tests, *args):
        pytester.makepyfile(CLIENT + tests)
        # the vendor's SDK does what websockets 17.1 warns of
        warnings = ("-W", "error", "-W", "ignore:connect:DeprecationWarning")
        return pytester.runpytest_inprocess("-p", "no:cacheprovider", *warnings, *args)

    return run


@pytest.mark.realtime
def test_healthy_clients_pass_whatever_their_kind(project):
    done = project("""
@pytest.mark.sttdoctor(script=["Bobby ripped the ledger."])
def test_sync(stt_service):
    stt_service.transcript = "".join(talk(stt_service))
    assert stt_service.transcript == "Bobby ripped the ledger."

def test_async(stt_service):
    async def run():
        async with AsyncCartesia(**at(stt_service)) as sdk, sdk.stt.auto_finalize.websocket(**FORMAT) as connection:
            async def sending():
                for start in range(0, len(DATA), 800):
                    await connection.send_raw(DATA[start : start + 800])
                    await asyncio.sleep(0.1)
                await connection.send({"type": "close"})
            sender = asyncio.create_task(sending())
            texts = [event.transcript async for event in connection if event.type == "turn.end"]
            await sender
            return texts
    stt_service.transcript = "".join(asyncio.run(run()))
    assert len(stt_service.sessions) == 1 and stt_service.reports()[0].status in ("pass", "warn")
    assert stt_service.url.startswith(stt_service.websocket_base_url) and stt_service.base_url.startswith("http://")
""")
    done.assert_outcomes(passed=2)


@pytest.mark.realtime
def test_a_client_that_misbehaves_fails_in_its_test_with_the_report(project):
    done = project("""
def test_leaves(stt_service):
    talk(stt_service, close=False)

def test_repeats(stt_service):
    stt_service.transcript = "".join(talk(stt_service) * 2)
""")
    done.assert_outcomes(failed=2)
    done.stdout.fnmatch_lines(["*sttdoctor: this session has a fault*", "*connection 1 of 1*", "*drain.no-close*"])
    done.stdout.fnmatch_lines(["*joining.turns-repeated*"])
    assert "Traceback" not in done.stdout.str()


@pytest.mark.realtime
def test_the_marker_chooses_what_is_judged(project):
    done = project("""
@pytest.mark.sttdoctor(ignore=["drain", "turns", "latency", "pacing", "continuity"])
def test_ignored(stt_service):
    talk(stt_service, close=False)

@pytest.mark.sttdoctor(select="drain", fail_on="warn")
def test_selected(stt_service):
    talk(stt_service, close=False)

@pytest.mark.sttdoctor(fail_on="never")
def test_never(stt_service):
    pass

@pytest.mark.sttdoctor(select="chunking", fail_on="fail", thresholds={"chunking.fail_ms": 50, "chunking.warn_ms": 40})
def test_thresholds(stt_service):
    talk(stt_service)
""")
    done.assert_outcomes(passed=2, failed=2)
    done.stdout.fnmatch_lines(["FAILED*::test_selected*", "FAILED*::test_thresholds*"])


@pytest.mark.realtime
def test_a_fault_is_not_held_against_the_client(project):
    done = project("""
@pytest.mark.sttdoctor(fault=["left-open", "slow-handshake=0.1"])
def test_left_open(stt_service):
    assert talk(stt_service) == []

@pytest.fixture
def text(request):
    service = request.getfixturevalue("stt_service")
    with pytest.raises(Exception, match="1011"):
        talk(service)
    return service

@pytest.mark.sttdoctor(fault="closed-abnormally", fault_after=0.5)
def test_cut(text):
    pass

@pytest.mark.sttdoctor(fault="rejected=403")
def test_refused(stt_service):
    with pytest.raises(Exception, match="403"):
        talk(stt_service)
""")
    done.assert_outcomes(passed=3)


@pytest.mark.realtime
def test_a_client_that_joins_texts_as_they_are_passes_wherever_the_space_stands(project):
    done = project("""
EACH = [pytest.param(border, marks=pytest.mark.sttdoctor(borders=border)) for border in ("trailing", "inside-word")]

def two_turns(service):
    with Cartesia(**at(service)) as sdk, sdk.stt.auto_finalize.websocket(**FORMAT) as connection:
        send(connection, close=False)
        send(connection)
        return [event.transcript for event in connection if event.type == "turn.end"]

@pytest.mark.parametrize("border", EACH)
def test_joined(stt_service, border):
    turns = two_turns(stt_service)
    stt_service.transcript = "".join(turns)
    assert len(turns) > 1 and ("  " in " ".join(turns)) == (border == "trailing")

@pytest.mark.sttdoctor(borders="between")
def test_wrong(stt_service):
    pass
""")
    done.assert_outcomes(passed=2, errors=1)
    done.stdout.fnmatch_lines(["*borders is one of leading, trailing, none, inside-word, not 'between'*"])


def test_a_test_that_fails_by_itself_keeps_its_failure_and_gets_the_report(project):
    done = project("""
def test_wrong(stt_service):
    talk(stt_service, close=False)
    assert 1 == 2
""")
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(["*assert 1 == 2*", "*sttdoctor*", "*drain.no-close*"])


def test_what_makes_no_sense_is_one_sentence(project):
    done = project("""
def test_unused(stt_service):
    pass

@pytest.mark.sttdoctor(fault="slwo")
def test_fault(stt_service):
    pass

@pytest.mark.sttdoctor(what=1)
def test_argument(stt_service):
    pass

@pytest.mark.sttdoctor(fail_on="sometimes")
def test_fail_on(stt_service):
    pass

@pytest.mark.sttdoctor(select="nothing")
def test_check(stt_service):
    with pytest.raises(Exception, match="no check"):
        stt_service.reports() or talk(stt_service) or stt_service.reports()
""")
    done.assert_outcomes(failed=2, errors=3)
    done.stdout.fnmatch_lines(["*sttdoctor: the client never connected*"])
    done.stdout.fnmatch_lines(["*there is no fault 'slwo'; did you mean slow?*"])
    done.stdout.fnmatch_lines(["*the marker has no argument 'what'*"])
    done.stdout.fnmatch_lines(["*fail_on is one of fail, warn, unknown, never, not 'sometimes'*"])


def test_a_suite_that_does_not_use_it_is_not_disturbed(pytester):
    pytester.makepyfile("""
import sys
def test_nothing_is_loaded():
    assert not {"numpy", "websockets", "sttdoctor.testing.fixture", "sttdoctor.api"} & set(sys.modules)
""")
    done = pytester.runpytest_subprocess("-W", "error", "--strict-markers", "-p", "no:cacheprovider")
    done.assert_outcomes(passed=1)
    loaded = "import sys, sttdoctor.testing.plugin; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True).stdout.split()
    assert "pytest" in modules and not {"numpy", "websockets", "click", "asyncio.base_events"} & set(modules)


def test_the_marker_is_registered(pytester):
    pytester.runpytest_inprocess("--markers").stdout.fnmatch_lines(["@pytest.mark.sttdoctor(*"])


@pytest.mark.realtime
def test_it_works_with_xdist(pytester):
    (pytester.path / "speech.raw").write_bytes(speech("bobby", 0.8))
    pytester.makepyfile(
        """
import json, pathlib, time
import pytest
from websockets.sync.client import connect

@pytest.mark.sttdoctor(ignore=["pacing", "continuity", "latency"])
@pytest.mark.parametrize("number", range(2))
def test_each_has_its_port(stt_service, number):
    data = pathlib.Path("speech.raw").read_bytes()
    query = "model=ink-2&encoding=pcm_mulaw&sample_rate=8000&cartesia_version=2026-03-01&access_token=any"
    with connect(stt_service.url + "?" + query) as connection:
        for start in range(0, len(data), 800):
            connection.send(data[start : start + 800])
            time.sleep(0.1)
        connection.send(json.dumps({"type": "close"}))
        assert [json.loads(message) for message in connection]
"""
    )
    pytester.runpytest_subprocess("-n", "2", "-p", "no:cacheprovider").assert_outcomes(passed=2)


def save(path, data, rate=16000):
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", "NONE"))
        file.writeframes(data)


@pytest.mark.realtime
def test_the_project_of_the_docs_runs_as_it_stands_there(pytester):
    """All files of the example, and the commands of its workflow but the installation."""
    app, tests, *_ = BLOCKS
    (project,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    (workflow,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    (pytester.path / "app.py").write_text(app)
    (pytester.path / "pyproject.toml").write_text(project)
    save(pytester.path / "sentence.wav", speech("mary", 0.9, fmt=S16))
    pytester.makepyfile(test_app=tests + f"\n\n{EVEN_WHEN_BUSY}\n")
    assert re.findall(r"- run: (.*)", workflow) == ['pip install ./tools/sttdoctor -e ".[test]"', "pytest"]
    assert set(tomllib.loads(project)["project"]["optional-dependencies"]["test"]) >= {"sttdoctor"}
    done = pytester.runpytest_inprocess("-p", "no:cacheprovider", "-W", "error")
    done.assert_outcomes(passed=2)
    assert "sttdoctor" not in re.sub("plugins: .*", "", done.stdout.str())
    assert not (pytester.path / "reports").exists()


@pytest.mark.realtime
def test_a_test_that_fails_leaves_its_report_and_recording(project, pytester):
    (pytester.path / "pytest.ini").write_text("[pytest]\nsttdoctor_reports = kept/here\n")
    done = project("""
@pytest.mark.parametrize("what", ["a/b"])
def test_leaves(stt_service, what):
    stt_service.transcript = "Something else."
    talk(stt_service, close=False)

def test_fails_by_itself(stt_service):
    stt_service.transcript = "".join(talk(stt_service))
    assert False

def test_is_well(stt_service):
    talk(stt_service)
""")
    done.assert_outcomes(failed=2, passed=1)
    left, failed = sorted((pytester.path / "kept" / "here").glob("*.html"), reverse=True)
    assert left.name.endswith("test_leaves-a-b-1.html") and failed.name.endswith("test_fails_by_itself-1.html")
    assert "drain.no-close" in left.read_text("utf-8")
    done.stdout.fnmatch_lines([f"report: {left}"])
    report = replay(str(left.with_suffix(".jsonl")))
    assert report.diagnoses[0].cause == "drain.no-close" and report.subject["transcript"]["got"] == "Something else."


@pytest.mark.realtime
def test_what_the_project_sets_holds_for_all_tests_and_the_marker_wins(project, pytester):
    (pytester.path / "pytest.ini").write_text(
        "[pytest]\nsttdoctor_select = drain chunking\nsttdoctor_fail_on = warn\n"
        "sttdoctor_thresholds = chunking.fail_ms=50 chunking.warn_ms=40\n"
    )
    done = project("""
pytestmark = []

def test_project(stt_service):
    talk(stt_service)

@pytest.mark.sttdoctor(thresholds={"chunking.fail_ms": 1000, "chunking.warn_ms": 300})
def test_marker(stt_service):
    talk(stt_service)
""")
    done.assert_outcomes(failed=1, passed=1)
    done.stdout.fnmatch_lines(["FAILED*::test_project*"])


@pytest.mark.realtime
def test_faults_are_parametrised(project):
    done = project("""
@pytest.mark.parametrize("stt_fault", ["rejected=403", "bad-auth"])
def test_refused(stt_service, stt_fault):
    with pytest.raises(Exception, match="403" if "403" in stt_fault else "401"):
        talk(stt_service)

@pytest.mark.parametrize("stt_fault", ["connection-lost", "closed-abnormally=1012"])
@pytest.mark.sttdoctor(fault="slow", fault_after=0.4)
def test_lost(stt_service):
    with pytest.raises(Exception):
        talk(stt_service)
""")
    done.assert_outcomes(passed=4)


@pytest.mark.realtime
def test_asynchronous_tests_and_programs_of_their_own(project, pytester):
    (pytester.path / "client.py").write_text("""
import pathlib, time
from cartesia import Cartesia
import os
data = pathlib.Path("speech.raw").read_bytes()
with Cartesia(api_key=os.environ["CARTESIA_API_KEY"]) as sdk:
    form = {"model": "ink-2", "encoding": "pcm_mulaw", "sample_rate": 8000}
    with sdk.stt.auto_finalize.websocket(**form) as connection:
        for start in range(0, len(data), 800):
            connection.send_raw(data[start : start + 800])
            time.sleep(0.1)
        connection.send({"type": "close"})
        print("".join(event.transcript for event in connection if event.type == "turn.end"), end="")
""")
    done = project("""
import subprocess, sys

@pytest.fixture
def anyio_backend():
    return "asyncio"

@pytest.mark.anyio
async def test_async(stt_service):
    await asyncio.to_thread(talk, stt_service)

@pytest.mark.anyio
async def test_async_leaves(stt_service):
    await asyncio.to_thread(talk, stt_service, close=False)

def test_program(stt_service):
    done = subprocess.run([sys.executable, "client.py"], env=stt_service.environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    stt_service.transcript = done.stdout
    assert stt_service.transcript
""")
    done.assert_outcomes(passed=2, failed=1)
    done.stdout.fnmatch_lines(["FAILED*::test_async_leaves*"])


def test_settings_that_make_no_sense_are_one_sentence(project, pytester):
    (pytester.path / "pytest.ini").write_text("[pytest]\nsttdoctor_thresholds = chunking.fail_ms\n")
    done = project("def test_it(stt_service): pass")
    done.assert_outcomes(errors=1)
    done.stdout.fnmatch_lines(["*sttdoctor: sttdoctor_thresholds takes NAME=VALUE, not 'chunking.fail_ms'*"])
