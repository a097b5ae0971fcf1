"""The vendor's SDK for Python, synchronous: one thread sends, another reads."""

import sys
import threading

from cartesia import Cartesia
from spoken import speak, tell


def main(base_url: str, path: str) -> None:
    with (
        Cartesia(api_key="any", base_url=base_url) as sdk,
        sdk.stt.auto_finalize.websocket(model="ink-2", encoding="pcm_s16le", sample_rate=16000) as connection,
    ):

        def send() -> None:
            for chunk in speak(path, 0.1):
                connection.send_raw(chunk)
            connection.send({"type": "close"})

        sending = threading.Thread(target=send)
        sending.start()
        text = "".join(event.transcript for event in connection if event.type == "turn.end")
        sending.join()
    tell(text)


main(*sys.argv[1:])
