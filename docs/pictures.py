"""Writes the pictures in `docs/images/`: parts of the report of a fixture, as Chromium shows them.

    python docs/pictures.py

Needs `chromium`; Pillow comes with matplotlib. The pictures differ from machine to machine with its fonts, so no test
compares them.
"""

import asyncio
import base64
import io
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))
from fixtures.browser import Page  # noqa: E402
from sttdoctor.api import examine, session_facts  # noqa: E402
from sttdoctor.reporting.data.collect import collect  # noqa: E402
from sttdoctor.reporting.html import render  # noqa: E402

IMAGES = ROOT / "docs" / "images"
WIDTH = 932
"""CSS pixels of the page, so that the text of a picture is as large as that of the page that shows it."""
MARGIN = 12


@dataclass(frozen=True)
class Shot:
    """A picture: its name, the session, and the CSS selectors of the first and the last element that it shows."""

    name: str
    session: str
    first: str
    last: str
    scheme: str = "light"


SHOTS = (
    Shot("report-diagnosis", "format-24k-declared-16k.jsonl.gz", "#diagnosis", "#diagnosis"),
    Shot("report-listen", "format-24k-declared-16k.jsonl.gz", ".players", "#figure-spectrograms"),
    Shot("report-stream-dark", "stream-muted.jsonl", "#figure-stream", "#figure-stream", "dark"),
    Shot("report-transcript", "joining-stripped.jsonl", "#h-transcript", "#transcript .turns"),
)


def main() -> None:
    """Write all of them."""
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_write(Path(folder)))


async def _write(folder: Path) -> None:
    async with Page(folder).opened() as page:
        await page.call("Page.enable")
        await page.call("Emulation.setScrollbarsHidden", hidden=True)
        for shot in SHOTS:
            path = folder / f"{shot.name}.html"
            facts = session_facts(str(ROOT / "fixtures" / "sessions" / shot.session), None, None, None, None)
            report = examine(facts)
            path.write_text(render(report, exhibits=collect(facts, report)), encoding="utf-8")
            _save(await _taken(page, path, shot), IMAGES / f"{shot.name}.png")


async def _taken(page: Page, path: Path, shot: Shot) -> bytes:
    features = [{"name": "prefers-color-scheme", "value": shot.scheme}]
    await page.call("Emulation.setEmulatedMedia", media="screen", features=features)
    await page.call("Emulation.setDeviceMetricsOverride", width=WIDTH, height=900, deviceScaleFactor=1, mobile=False)
    await page.call("Page.navigate", url=path.as_uri())
    loaded = "document.readyState === 'complete' ? done() : addEventListener('load', () => done())"
    await page.evaluate(f"new Promise((done) => {loaded}).then(() => true)")
    boxes = [await page.evaluate(_box(selector)) for selector in (shot.first, shot.last)]
    clip = dict(zip(("x", "y", "width", "height"), _clip(*boxes), strict=True)) | {"scale": 1}
    taken = await page.call("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)
    return base64.b64decode(taken["data"])


def _save(png: bytes, path: Path) -> None:
    """Write a picture with 128 colours: a third of the bytes, and no difference to see."""
    Image.open(io.BytesIO(png)).convert("RGB").quantize(128, dither=Image.Dither.NONE).save(path, optimize=True)


def _box(selector: str) -> str:
    """A script for the (left, top, right, bottom) of an element on the page."""
    return (
        f"(() => {{ const box = document.querySelector('{selector}').getBoundingClientRect();"
        " return [box.left, box.top + scrollY, box.right, box.bottom + scrollY]; })()"
    )


def _clip(first: list[float], last: list[float]) -> Iterator[float]:
    """(x, y, width, height) of all from the top of the first box to the bottom of the last one, with a margin."""
    left, right = min(first[0], last[0]) - MARGIN, max(first[2], last[2]) + MARGIN
    yield from (left, first[1] - MARGIN, right - left, last[3] - first[1] + 2 * MARGIN)


if __name__ == "__main__":
    main()
