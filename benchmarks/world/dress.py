"""Who the client is: the headers and the address with which each kind of client opens its socket."""

from typing import Any

from faults_recipe import Row

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
)
SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 "
    "Mobile/15E148 Safari/604.1"
)
AGENTS = {
    "browser": CHROME,
    "safari": SAFARI,
    "electron": CHROME.replace("Safari", "dictate/2.1 Electron/37.2 Safari"),
    "python": "Python/3.12 websockets/15.0.1",
    "pipecat": "Python/3.11 websockets/15.0.1",
    "java": "okhttp/4.12.0",
    "android": "okhttp/4.12.0",
    "swift": "Dictate/48 CFNetwork/1568.300.101 Darwin/24.2.0",
    "esp32": "ESP32 Websocket Client",
    "go": "Go-http-client/1.1",
    "dart": "Dart/3.8 (dart:io)",
    "native": "WebSocket++/0.8.2",
    "node": "", "rust": "", "dotnet": "", "php": "", "ruby": "", "worker": "",
}  # fmt: skip
"""By kind of client; many libraries send no name of their own."""
PAGES = ("browser", "safari", "electron")


def dress(rows: list[Row], profile: str) -> list[Row]:
    """The rows with the headers of such a client; pages have a token in the address, since they cannot set headers."""
    head: dict[str, Any] = dict(rows[0])
    page = profile in PAGES
    query = "&cartesia_version=2026-03-01&access_token=REDACTED" if page else "&cartesia_version=2026-03-01"
    head["url"] = head["url"].split("&cartesia_version")[0] + query
    agent = AGENTS[profile]
    own = {} if page else {"authorization": "Bearer REDACTED"}
    head["headers"] = (
        own | ({"user-agent": agent} if agent else {}) | ({"origin": "https://app.example"} if page else {})
    )
    head["client"] = agent or profile
    head["source"] = "rebuilt from a public report"
    return [head, *rows[1:]]
