"""Pages in real Chromium: screens, what the console and the network saw, what axe finds.

axe-core is looked for where `AXE_CORE` says, or where `npm install --prefix ~/.cache/sttdoctor axe-core` puts it.
"""

import os
import sys
from contextlib import asynccontextmanager
from pathlib import Path

from common import ROOT

sys.path.insert(0, str(ROOT))
from fixtures.browser import Page

AXE = Path(os.environ.get("AXE_CORE", Path.home() / ".cache/sttdoctor/node_modules/axe-core/axe.min.js"))
VIOLATIONS = """axe.run().then((r) => r.violations.map((v) => v.id + ': ' + v.nodes.map((n) => n.html).join(' | ')))"""


@asynccontextmanager
async def browser(folder):
    async with Page(folder).opened() as page:
        for domain in ("Page", "Log", "Network", "Runtime"):
            await page.call(f"{domain}.enable")
        yield page


async def set_screen(page, scheme="light", width=1100, media="screen"):
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    await page.call("Emulation.setEmulatedMedia", media=media, features=features)
    await page.call(
        "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 600
    )


async def find_violations(page):
    """What axe says of the page; it has to be there."""
    await page.evaluate(AXE.read_text(encoding="utf-8") + "; true")
    return await page.evaluate(VIOLATIONS)


def complaints(page, own=("file:", "data:", "about:")):
    """What the console said, and requests that left the page."""
    said = [p for method, p in page.events if method in ("Log.entryAdded", "Runtime.consoleAPICalled")]
    said += [p for method, p in page.events if method == "Runtime.exceptionThrown"]
    urls = [p["request"]["url"] for method, p in page.events if method == "Network.requestWillBeSent"]
    return said, [url for url in urls if not url.startswith(own)]
