"""HARs and traces of Playwright whose messages lie in files of their own."""

import io
import json
import zipfile

import pytest
from captures import FORMATS, har

from sttdoctor.errors import InputError
from sttdoctor.readers.capture import read_capture
from sttdoctor.readers.session_jsonl import write_rows
from sttdoctor.triage.archives import Room
from sttdoctor.triage.archives import members as triage_members

NAME = "0123456789abcdef.jsonl"


def attached(name=NAME):
    """A HAR whose messages are named, and the messages."""
    archive = har("Playwright", 1000.0)
    (entry,) = archive["log"]["entries"]
    messages = entry.pop("_webSocketMessages")
    entry["response"]["content"] = {"size": -1, "mimeType": "x-unknown", "_file": name}
    return archive, "".join(json.dumps(message) + "\n" for message in messages)


def rows(source):
    return list(write_rows(read_capture(source)))


EXPECTED = rows(FORMATS["playwright"])


def packed(files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def har_zip():
    archive, messages = attached()
    return packed({NAME: messages, "har.har": json.dumps(archive)})


def trace(name="trace.network"):
    archive, messages = attached(f"resources/{NAME}")
    (entry,) = archive["log"]["entries"]
    other = {"type": "resource-snapshot", "snapshot": {"request": {"url": "https://a/"}, "response": {"status": 200}}}
    lines = [other, {"type": "resource-snapshot", "snapshot": entry}]
    network = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
    return {f"resources/{NAME}": messages, "trace.trace": '{"type":"context-options"}\n', name: network}


def test_messages_in_a_file_beside_the_har(tmp_path):
    archive, messages = attached()
    (tmp_path / "x.har").write_text(json.dumps(archive))
    with pytest.raises(InputError, match=r"in a file of their own, .*which is not beside it"):
        read_capture(tmp_path / "x.har")
    (tmp_path / NAME).write_text(messages)
    assert rows(tmp_path / "x.har") == EXPECTED
    with pytest.raises(InputError, match="not beside it"):
        read_capture((tmp_path / "x.har").read_bytes())


@pytest.mark.parametrize(
    "name", ["../secret.jsonl", "/etc/passwd", ".hidden", "a/b.jsonl", "resources/../x", "", "link"]
)
def test_a_har_opens_no_other_files(tmp_path, name):
    folder = tmp_path / "a"
    folder.mkdir()
    archive, messages = attached(name)
    (folder / "x.har").write_text(json.dumps(archive))
    for path in (tmp_path / "secret.jsonl", folder / ".hidden", tmp_path / "x"):
        path.write_text(messages)
    (folder / "link").symlink_to(tmp_path / "secret.jsonl")
    with pytest.raises(InputError):
        read_capture(folder / "x.har")


@pytest.mark.parametrize("name", ["trace.network", "0-trace.network", "test.network"])
def test_a_packed_trace(name):
    assert rows(packed(trace(name))) == EXPECTED


def test_a_trace_that_was_unpacked(tmp_path):
    for name, content in trace().items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    assert rows(tmp_path / "trace.network") == EXPECTED


def test_a_packed_har_by_path_and_by_content(tmp_path):
    (tmp_path / "x.har.zip").write_bytes(har_zip())
    assert rows(tmp_path / "x.har.zip") == rows(har_zip()) == EXPECTED


def test_triage_takes_a_packed_har_for_one_capture(tmp_path):
    (tmp_path / "x.har.zip").write_bytes(har_zip())
    (task,) = triage_members(str(tmp_path / "x.har.zip"), Room())
    assert (task.path, task.member, task.error) == (str(tmp_path / "x.har.zip"), "", "")


def test_other_archives_are_named_for_what_they_are():
    with pytest.raises(InputError, match=r"zip archive and no capture; .*triage"):
        read_capture(packed({"a.jsonl": b"{}"}))
    with pytest.raises(InputError, match="damaged zip archive"):
        read_capture(har_zip()[:200])


def test_a_bomb_in_an_archive_is_not_unpacked():
    archive, messages = attached()
    content = packed({NAME: messages + " " * (80 << 20), "har.har": json.dumps(archive)})
    session = read_capture(content)
    assert session.damage.lines and "close" in session.lacks


def test_a_file_of_messages_alone_is_named_for_what_it_is():
    lines = [json.dumps(json.loads(line), separators=(",", ":")) for line in attached()[1].splitlines()]
    with pytest.raises(InputError, match=r"messages of a HAR .*give the .har"):
        read_capture("\n".join(lines).encode())


def test_damage_in_the_file_of_messages_keeps_those_before_it(tmp_path):
    archive, messages = attached()
    (tmp_path / "x.har").write_text(json.dumps(archive))
    (tmp_path / NAME).write_text(messages[: len(messages) // 2])
    session = read_capture(tmp_path / "x.har")
    assert session.damage.lines == 1 and 5 < len(session.events) < 35 and "text" in session.lacks


@pytest.mark.parametrize(
    ("creator", "says"), [("Firefox", "Firefox writes no WebSocket messages"), ("Playwright", "content: 'embed'")]
)
def test_a_har_without_messages_says_what_to_do_with_the_tool_that_wrote_it(creator, says):
    archive = har(creator)
    del archive["log"]["entries"][0]["_webSocketMessages"]
    with pytest.raises(InputError, match=says):
        read_capture(json.dumps(archive).encode())


def test_what_stands_in_a_damaged_archive_is_not_told():
    content = har_zip()
    at = content.index(NAME.encode())
    damaged = content[:at] + b"sk_car_geheim" + content[at + 13 :]
    try:
        told = repr(read_capture(damaged))
    except InputError as error:
        told = str(error)
    assert "geheim" not in told
