"""What redaction costs, and what it takes for a secret that is none.

`python benchmarks/readers/redaction.py [--megabytes 1] [--text FILE...]` prints the speed (MB of text a second of the
processor) for natural text and for shapes that are made to be slow, as technical text, as speech and as a message of a
session; then, of the sentences of English text (the documentation of Python's modules and the licences on this machine,
or the files given), how many would be changed as speech and as technical text, and the first of them.
"""

import argparse
import json
import re
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from sttdoctor.readers.frames import text_frame
from sttdoctor.redact import redact_text, redact_tokens

NATURAL = "the quick brown fox has a signal and the key of it, passing sessions "
UNITS = {
    "natural": NATURAL,
    "percent-encoding": "%41",
    "of percent-encoding": "%25",
    "bearer": "bearer ",
    "empty values": 'api_key""',
    "escaped quotes": 'api_key\\"\\"',
    "addresses": "://a",
    "passwords": "://a:b@",
    "names": "key_",
    "names in one": "token",
    "assignments": "key=a ",
    "words behind a name": "token abc ",
    "commas": "key=,a",
    "begun keys": "sk_car_\n",
    "keys": "sk_car_a1b2c3 ",
    "begun web tokens": "-eyJaaaaaaaa",
    "base64 of JSON": "eyJhcGlfa2V5Ijoi ",
    "entities": "&#115;",
    "entities of entities": "&amp;",
    "escapes": "\\u0073",
    "backslashes": "\\",
    "invisible": "a\u200b",
    "protocols": "sec-websocket-protocol: a\n",
    "cookies": "cookie: a",
    "parameters": "?a=",
    "base64": "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo=",
}
LISTS = {
    "brackets": "[",
    "empty objects": "{},",
    "lists": '"=",[""],',
    "strings": '"abcdefgh",',
    "secret strings": '"api_key=ab",',
    "pairs": '["x-api-key","abc123"],',
    "named values": '{"name":"x-api-key","value":"abc"},',
    "words": '{"word":"signal","start":1.5,"end":2.5},',
}


def speed(work: Callable[[str], object], text: str) -> float:
    """The best of three."""
    seconds = []
    for _ in range(3):
        began = time.process_time()
        work(text)
        seconds.append(time.process_time() - began)
    return len(text.encode(errors="replace")) / max(min(seconds), 1e-9) / 1e6


def receive(text: str) -> object:
    return text_frame(1, 0.0, False, text)


def wrapped(text: str) -> object:
    return text_frame(1, 0.0, False, json.dumps({"type": "error", "message": text}))


def sentences(paths: list[Path]) -> Iterator[str]:
    library = Path(sysconfig.get_path("stdlib"))
    known = [*library.glob("*.py"), *library.glob("*/*.py"), *Path("/usr/share/common-licenses").glob("*")]
    for path in paths or sorted(known):
        try:
            text = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError):
            continue
        parts = re.findall(r'"""(.*?)"""', text, re.DOTALL) if path.suffix == ".py" else [text]
        for part in parts:
            for sentence in re.split(r"(?<=[.!?])\s+|\n\s*\n", part):
                if 20 < len(sentence) < 600 and re.fullmatch(r"[A-Za-z0-9 ,.'\-;:!?()\n\"]+", sentence):
                    yield " ".join(sentence.split())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=float, default=1.0)
    parser.add_argument("--text", type=Path, nargs="+", default=[])
    arguments = parser.parse_args()
    size = int(arguments.megabytes * 1e6)
    print(f"{'MB/s':<22}{'text':>8}{'speech':>8}{'frame':>8}{'error':>8}")
    for name, unit in UNITS.items():
        text = (unit * (size // len(unit) + 1))[:size]
        row = [speed(work, text) for work in (redact_text, redact_tokens, receive, wrapped)]
        print(f"{name:<22}" + "".join(f"{value:>8.1f}" for value in row), flush=True)
    for name, unit in LISTS.items():
        closing = "" if name == "brackets" else f'{unit.rstrip(",")},"key="]'
        text = ("" if name == "brackets" else "[") + unit * (size // len(unit)) + closing
        print(f"{name:<22}{'':>16}{speed(receive, text):>8.1f}", flush=True)
    spoken = list(dict.fromkeys(sentences(arguments.text)))
    for label, work in (("speech", redact_tokens), ("technical text", redact_text)):
        changed = [sentence for sentence in spoken if work(sentence) != sentence]
        print(f"{len(changed)} of {len(spoken)} sentences changed as {label}")
        sys.stdout.writelines(f"    {sentence[:110]}\n" for sentence in changed[:5])


if __name__ == "__main__":
    main()
