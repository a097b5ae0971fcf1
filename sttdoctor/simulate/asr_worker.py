"""PocketSphinx in a process of its own, started by `sttdoctor.simulate.asr`.

It reads requests from standard input, each one letter, a length and so many bytes: B begins an utterance, A is audio
(16 kHz, signed 16-bit, in the machine's byte order), H asks for the text so far, E ends the utterance and asks for its
text. Answers go to standard output: a length and so many bytes of UTF-8. The process ends with its standard input.
"""

import signal
import struct
import sys
from typing import Any, BinaryIO

HEAD = struct.Struct("<cI")
LENGTH = struct.Struct("<I")

OPTIONS = {
    "samprate": 16000,
    "fwdflat": False,  # a second pass takes seconds at the end of an utterance
    "pl_window": 5,
    "maxhmmpf": 3000,
    "maxwpf": 20,  # these three keep the search small: half the time for the same text on the fixtures' clips
    "loglevel": "FATAL",
}


def main() -> None:
    """Serve until standard input ends."""
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C goes to every process of the terminal; the parent ends this one
    import pocketsphinx

    serve(pocketsphinx.Decoder(**OPTIONS), sys.stdin.buffer, sys.stdout.buffer)


def serve(decoder: Any, requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests to a decoder until they end."""
    while len(head := requests.read(HEAD.size)) == HEAD.size:
        kind, length = HEAD.unpack(head)
        data = requests.read(length)
        if kind == b"B":
            decoder.start_utt()
        elif kind == b"A":
            decoder.process_raw(data)
        else:
            if kind == b"E":
                decoder.end_utt()
            hypothesis = decoder.hyp()
            text = (hypothesis.hypstr if hypothesis else "").encode("utf-8")
            answers.write(LENGTH.pack(len(text)) + text)
            answers.flush()
