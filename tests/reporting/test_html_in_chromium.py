"""The HTML report in a real browser: it shows everything, plays, stays quiet on the network, and is accessible."""

import asyncio
import shutil

import pytest
from browsing import AXE, browser, complaints, find_violations, set_screen
from common import AUDIO, HEADER, OPEN, jsonl
from pages import HOSTILE, page_of, session_page
from triage_rows import MIXED, row, summed

from sttdoctor.api import session_facts
from sttdoctor.triage import overview

pytestmark = [
    pytest.mark.chromium,
    pytest.mark.skipif(shutil.which("chromium") is None, reason="there is no chromium"),
]
FAULTY = "format-24k-declared-16k.jsonl.gz"
PAGES = ("healthy-several-turns.jsonl", FAULTY, "joining-everything-joined.jsonl", "stream-burst.jsonl.gz", "hostile")

SECTIONS = "[...document.querySelectorAll('main section')].map((s) => [s.id, s.getBoundingClientRect().height])"
SHOWN = """[...document.querySelectorAll('.drawing')].map((f) => [f.id,
    [...f.querySelectorAll('svg')].map((s) => s.getBoundingClientRect().height).filter((h) => h > 0).length])"""
PLAY = """(async () => {
    const heard = [];
    for (const player of document.querySelectorAll('audio')) {
        await player.play();
        while (!player.currentTime) await new Promise(requestAnimationFrame);
        player.pause();
        const bytes = Uint8Array.from(atob(player.src.split(',')[1]), (c) => c.charCodeAt(0));
        const sound = await new OfflineAudioContext(1, 1, 24000).decodeAudioData(bytes.buffer);
        const samples = sound.getChannelData(0);
        const rms = Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / samples.length);
        heard.push([player.duration, sound.duration, rms, samples.reduce((most, x) => Math.max(most, Math.abs(x)), 0)]);
    }
    return heard;
})()"""


def hostile_page():
    start = {"type": "receive", "t": 0.5, "json": {"type": "turn.start", "request_id": HOSTILE}}
    ends = [
        {"type": "receive", "t": 1.0 + i, "json": {"type": "turn.end", "transcript": text}}
        for i, text in enumerate((HOSTILE, "\u05e9\u05dc\u05d5\u05dd " * 20, "x" * 1_000_000))
    ]
    rows = jsonl({**HEADER, "client": HOSTILE}, OPEN, AUDIO, start, *ends)
    return page_of(session_facts(rows, "\u202e" + HOSTILE + "y" * 5000, None, None, None))


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    for name in PAGES:
        page = hostile_page() if name == "hostile" else session_page(name)
        (folder / f"{name}.html").write_text(page, encoding="utf-8")
    return folder


async def show(page, path, scheme="light", width=1100, media="screen"):
    await set_screen(page, scheme, width, media)
    await page.call("Page.navigate", url=path.as_uri())
    ready = (
        "new Promise((done) => document.readyState === 'complete' ? done() : addEventListener('load', () => done()))"
    )
    await page.evaluate(f"{ready}.then(() => true)")
    assert await page.evaluate("location.href") == path.as_uri()


@pytest.mark.parametrize("name", PAGES)
def test_every_section_and_figure_shows_on_any_screen_and_nothing_is_loaded(pages, tmp_path, name):
    async def look():
        async with browser(tmp_path) as page:
            for width, media in ((1100, "screen"), (360, "screen"), (800, "print")):
                await show(page, pages / f"{name}.html", width=width, media=media)
                sections = await page.evaluate(SECTIONS)
                assert len(sections) >= 4 and all(height > 20 for _, height in sections), sections
                assert all(count == 1 for _, count in await page.evaluate(SHOWN))
                wide, inner = await page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
                assert wide <= inner
            assert await page.evaluate("typeof alert === 'function' && document.scripts.length") == 0
            return complaints(page)

    assert asyncio.run(look()) == ([], [])


def test_the_overview_of_a_fleet_fits_any_screen(tmp_path):
    path = tmp_path / "index.html"
    long = row("calls/" + "x" * 300, "fail", "joining.whitespace-stripped", 0.5, client="Mozilla/5.0 (X11; Linux) " * 5)
    path.write_text(overview.render(summed([*MIXED, long], "client", "encoding"), {}), encoding="utf-8")
    texts = "[...document.querySelectorAll('td')].every((cell) => cell.scrollWidth <= cell.clientWidth)"

    async def look():
        async with browser(tmp_path) as page:
            for width in (1280, 800, 360):
                await show(page, path, width=width)
                wide, inner = await page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
                assert wide <= inner and await page.evaluate(texts), width
            return complaints(page)

    assert asyncio.run(look()) == ([], [])


def test_the_list_of_a_fleet_sorts_and_filters_ten_thousand_rows(tmp_path):
    path = tmp_path / "index.html"
    kinds = (("pass", None), ("fail", "pacing.burst"), ("warn", "drain.no-close"))
    rows = [row(f"calls/{n:05}", *kinds[n % 3], 0.5, duration_s=n % 7 + 0.5) for n in range(10_000)]
    path.write_text(overview.render(summed(rows, listed=20_000), {}), encoding="utf-8")
    seen = """[document.getElementById('shown').value,
        [...document.querySelectorAll('#list tbody tr:not([hidden]) .name')].map((cell) => cell.textContent)]"""
    choose = """((id, value) => { const field = document.getElementById(id); field.value = value;
        field.dispatchEvent(new Event('input', {bubbles: true})); })"""

    async def use():
        async with browser(tmp_path) as page:
            await show(page, path)
            told, names = await page.evaluate(seen)
            assert told == "10000 of 10000 captures, the first 500 shown" and len(names) == 500
            await page.evaluate(f"{choose}('status', 'fail'); {choose}('words', 'CALLS 0001')")
            told, names = await page.evaluate(seen)
            assert (told, sorted(names)) == ("5 of 10000 captures", [f"calls/{n:05}" for n in (1, 10, 13, 16, 19)])
            click = "document.querySelectorAll('#list thead button')[0].click()"
            await page.evaluate(f"{click}; {click}")
            _, names = await page.evaluate(seen)
            assert names == sorted(names, reverse=True)
            state = await page.evaluate("document.querySelector('#list thead th').getAttribute('aria-sort')")
            assert state == "descending"
            return complaints(page)

    assert asyncio.run(use()) == ([], [])


def test_details_are_open_on_paper(pages, tmp_path):
    shown = "document.querySelector('.check details table').checkVisibility()"

    async def look():
        async with browser(tmp_path) as page:
            await show(page, pages / f"{FAULTY}.html")
            folded = await page.evaluate(shown)
            await show(page, pages / f"{FAULTY}.html", media="print")
            return folded, await page.evaluate(shown)

    assert asyncio.run(look()) == (False, True)


def test_both_players_play_what_they_promise(pages, tmp_path):
    async def listen():
        async with browser(tmp_path) as page:
            await show(page, pages / f"{FAULTY}.html")
            answer = await page.call(
                "Runtime.evaluate", expression=PLAY, awaitPromise=True, returnByValue=True, userGesture=True
            )
            assert "exceptionDetails" not in answer, answer
            return answer["result"]["value"], complaints(page)

    (declared, detected), said = asyncio.run(listen())
    assert said == ([], [])
    for shown, decoded, rms, peak in (declared, detected):
        assert shown == pytest.approx(decoded, abs=0.05)
        assert 0.01 < rms < 0.1 and peak < 0.55
    assert declared[1] == pytest.approx(8.0, abs=0.01) and detected[1] == pytest.approx(5.6, abs=0.1)


@pytest.mark.skipif(not AXE.is_file(), reason="there is no axe-core")
@pytest.mark.parametrize("name", [*PAGES, "fleet"])
def test_axe_finds_no_violation(pages, tmp_path, name):
    path = pages / f"{name}.html"
    if name == "fleet":
        timed = [{**each, "started_at": f"2026-11-2{n}T10:00:00Z"} for n, each in enumerate(MIXED)]
        path.write_text(overview.render(summed(timed, "client", listed=9), {}), encoding="utf-8")

    async def examine():
        found = {}
        async with browser(tmp_path) as page:
            for scheme, width in (("light", 1100), ("dark", 360)):
                await show(page, path, scheme, width)
                await page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
                found[scheme, width] = await find_violations(page)
        return found

    assert all(not violations for violations in asyncio.run(examine()).values())
