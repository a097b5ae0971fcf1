"""The vendor's SDK for Python, version 2: it knows the manual endpoint alone, and puts the key into the URL."""

import sys
import threading

from cartesia import Cartesia
from spoken import speak, tell


def main(base_url: str, path: str) -> None:
    sdk = Cartesia(api_key="any", base_url=base_url.replace("http://", "ws://"))
    socket = sdk.stt.websocket(model="ink-whisper", language="en", encoding="pcm_s16le", sample_rate=16000)

    def send() -> None:
        for chunk in speak(path, 0.1):
            socket.send(chunk)
        socket.send("finalize")
        socket.send("done")

    sending = threading.Thread(target=send)
    sending.start()
    text = ""
    for event in socket.receive():
        if event["type"] == "transcript" and event["is_final"]:
            text += event["text"]
        if event["type"] == "done":
            break
    sending.join()
    socket.close()
    tell(text)


main(*sys.argv[1:])
