"""`sttdoctor serve` on the command line: what it refuses before it serves."""

import socket

import pytest
from common import one_sentence


def test_without_the_extra_it_says_what_to_install(run, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", {}.get)
    assert "pip install starlette uvicorn" in one_sentence(run("serve"))


def test_a_port_in_use_is_one_sentence(run):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert f"cannot listen at 127.0.0.1:{port}" in one_sentence(run("serve", "--listen", f"127.0.0.1:{port}"))


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("--listen", "8767"), "is no address to listen at"),
        (("--listen", "nowhere.invalid:1"), "cannot listen at"),
        (("--allow-origin", "x"), "is no origin"),
        (("--size-limit", "0"), "--size-limit"),
    ],
)
def test_options_that_make_no_sense_are_one_sentence(run, args, says):
    assert says in one_sentence(run("serve", *args))


def test_a_folder_that_cannot_be_made_is_one_sentence(run, tmp_path):
    (tmp_path / "file").write_text("")
    assert "cannot write" in one_sentence(run("serve", "--keep", tmp_path / "file" / "x"))
