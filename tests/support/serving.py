"""`sttdoctor serve` as a process of its own, and requests to it over loopback."""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

BREAKER = """
import os, signal, sys

def broken(event, arguments):
    if event == "open" and os.path.basename(str(arguments[0])) == "capture" and arguments[2] & os.O_ACCMODE == 0:
        way = os.environ["BREAK"]
        if way == "segfault":
            os.kill(os.getpid(), signal.SIGSEGV)
        if way == "memory":
            raise MemoryError
        if way == "hang":
            while True:
                pass

sys.addaudithook(broken)
"""
"""Runs in each process before anything else: whoever reads a capture breaks."""


class Server:
    """A server in a process of its own, whose temporary files lie in a folder of their own."""

    def __init__(self, folder: Path, *args: str, breaks: str | None = None, before: Callable[[], None] | None = None):
        self.temporary = folder / "temporary"
        self.temporary.mkdir()
        environment = {**os.environ, "TMPDIR": str(self.temporary)}
        if breaks is not None:
            (folder / "breaker").mkdir()
            (folder / "breaker" / "sitecustomize.py").write_text(BREAKER)
            paths = filter(None, (str(folder / "breaker"), os.environ.get("PYTHONPATH")))
            environment |= {"PYTHONPATH": os.pathsep.join(paths), "BREAK": breaks}
        command = [sys.executable, "-m", "sttdoctor", "serve", "--listen", "127.0.0.1:0", *args]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, preexec_fn=before
        )
        assert self.process.stdout is not None
        self.first = self.process.stdout.readline()
        self.port = int(re.search(r"http://127\.0\.0\.1:(\d+)", self.first)[1])

    def ask(self, method: str, path: str, **headers: str) -> tuple[int, dict[str, str], str]:
        """Status, headers (names in lower case) and body of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        body = answer.read().decode()
        connection.close()
        return answer.status, found, body

    @contextmanager
    def begun(self, size: int, head: bytes) -> Iterator[http.client.HTTPConnection]:
        """An upload of so many bytes behind its head, which ends with its connection."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            connection.putrequest("POST", f"/captures?head={len(head)}")
            connection.putheader("Content-Length", str(len(head) + size))
            connection.endheaders()
            connection.send(head)
            yield connection

    def upload(self, content: bytes, name: str = "capture.jsonl", **options: Any) -> tuple[int, list[dict[str, Any]]]:
        """Status and lines of the answer to a capture; of a refusal its sentence as `error`."""
        with self.begun(len(content), head_of(name, **options)) as connection:
            connection.send(content)
            answer = connection.getresponse()
            body = answer.read()
        if answer.status != 200:
            return answer.status, [{"error": body.decode()}]
        return 200, [json.loads(line) for line in body.splitlines() if line]

    def judge(self, content: bytes, name: str = "capture.jsonl", **options: Any) -> dict[str, Any]:
        """The last line of the answer to a capture."""
        return self.upload(content, name, **options)[1][-1]

    def workers(self) -> list[int]:
        """Processes that the server has started and that are not waited for."""
        found = []
        for path in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = path.read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == self.process.pid:
                found.append(int(path.parent.name))
        return found

    def left(self) -> list[str]:
        """What lies in the temporary folder."""
        return [str(path.relative_to(self.temporary)) for path in self.temporary.rglob("*")]

    def wait_until_clean(self) -> None:
        """Wait until nothing is left of all requests: the end of an answer comes a moment before."""
        until(lambda: self.workers() == self.left() == [])

    def peak_bytes(self) -> int:
        """The most memory that the server has held."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return 1024 * int(re.search(r"VmHWM:\s+(\d+)", status)[1])

    def end(self, number: int = signal.SIGTERM) -> tuple[int, str, str]:
        """Exit code, output and errors after a signal."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=20)
        return self.process.returncode, out, err


def head_of(name: str, **options: Any) -> bytes:
    """What the page says of a capture."""
    return json.dumps({"name": name, **options}).encode()


def is_running(process: int) -> bool:
    """Whether a process is there, and not only still to be waited for."""
    path = Path(f"/proc/{process}/status")
    return path.exists() and "\nState:\tZ" not in path.read_text()


def until(ready: Callable[[], Any]) -> Any:
    """Wait until something is so; returns it."""
    for _ in range(600):
        if found := ready():
            return found
        time.sleep(0.05)
    raise AssertionError("it did not come")


def running(folder: Path) -> Iterator[Callable[..., Server]]:
    """For a fixture: what starts servers, which are ended behind it."""
    servers: list[Server] = []

    def start(*args: str, **options: Any) -> Server:
        home = folder / f"server-{len(servers)}"
        home.mkdir()
        servers.append(Server(home, *args, **options))
        return servers[-1]

    yield start
    for server in servers:
        server.process.kill()
        server.process.communicate()
