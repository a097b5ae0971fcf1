"""Coverage-guided fuzzing of the readers: `python fuzz_readers.py har CORPUS_FOLDER -max_total_time=600`.

Needs atheris. The reader is `har`, `log`, `session` or `any`; what follows goes to libFuzzer. The corpus folder is
filled with small captures first. A find is an input that raises anything but InputError, or whose session cannot be
written and read again.
"""

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["sttdoctor.readers", "sttdoctor.redact", "sttdoctor.session_jsonl"]):
    from sttdoctor.errors import InputError
    from sttdoctor.readers import read_capture
    from sttdoctor.session_jsonl import write_rows

STARTS = {
    "har": b'{"log":{"entries":[{"request":{"url":"wss://a"},"_webSocketMessages":[',
    "log": b"> GET /stt/turns/websocket HTTP/1.1\n",
    "session": b'{"type":"session"}\n',
    "any": b"",
}
SEEDS = {
    "har": [
        b'{"type":"send","time":1790000000.5,"opcode":2,"data":"AAAA"},'
        b'{"type":"error","time":1,"opcode":-1,"data":"x"}]}]}}',
        b'{"type":"receive","time":1790000000500,"opcode":1,"data":"{\\"type\\":\\"turn.end\\",\\"transcript\\":\\"a\\"}"}]}]}}',
    ],
    "log": [
        b"2026-09-21 14:13:20,000 websockets.client > BINARY 00 01 ... 02 [3200 bytes]\n< TEXT '{}' [2 bytes]\n",
        b'[2026-09-21 14:13:20 - cartesia.x:1 - DEBUG] Received WebSocket message: b\'{"type":"turn.end"}\'\n',
        b"Connecting to wss://a/b\n< HTTP/1.1 101 x\n< a: b\n= connection is OPEN\n< CLOSE 1000 (OK) x [3 bytes]\n",
    ],
    "session": [
        b'{"type":"open","t":0.1,"status":101}\n{"type":"send","t":1,"audio":"AAAA"}\n',
        b'{"type":"receive","text":"{\\"type\\":\\"x\\",...","elided":true}\n{"type":"close","by":"server","code":1000}\n',
    ],
}
SEEDS["any"] = [STARTS[name] + seed for name in ("har", "log", "session") for seed in SEEDS[name]]


def main() -> None:
    name, folder = sys.argv[1], Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(SEEDS[name]):
        (folder / f"seed-{number}").write_bytes(seed)

    def one(data: bytes) -> None:
        try:
            session = read_capture(STARTS[name] + data)
        except InputError:
            return
        rows = "".join(f"{row}\n" for row in write_rows(session)).encode()
        again = read_capture(rows)
        assert len(again.events) == len(session.events) or again.damage.lines, "lost on the way back"

    atheris.Setup([sys.argv[0], str(folder), "-max_len=4096", "-timeout=20", *sys.argv[3:]], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
