"""The page in a real browser: real drops and keys, what is shown and downloaded, and that leaving ends the work."""

import asyncio
import json
import shutil
from contextlib import asynccontextmanager

import pytest
from browsing import AXE, browser, complaints, find_violations, set_screen
from common import FIXTURES
from serving import running, until
from triaged import capture

pytestmark = [
    pytest.mark.chromium,
    pytest.mark.skipif(shutil.which("chromium") is None, reason="there is no chromium"),
]
FAULTY = FIXTURES / "sessions" / "format-24k-declared-16k.jsonl.gz"
HEALTHY = FIXTURES / "sessions" / "healthy-several-turns.jsonl"
AUDIO = FIXTURES / "audio" / "f32-declared-s16.raw"
LOADED = """new Promise((done) => document.readyState === 'complete' ? done() : addEventListener('load', () => done()))
    .then(() => true)"""
CAPTURES = """[...document.querySelectorAll('.capture')].map((one) =>
    [one.querySelector('.name').textContent, one.querySelector('.badge').textContent,
     one.querySelector('.answer').textContent])"""
BUSY = "document.querySelectorAll('progress:not([hidden])').length"
AT_REST = """new Promise((done) => {
    const one = document.querySelector('SELECTOR');
    window.clicked = false;
    one.addEventListener('click', () => { window.clicked = true; }, {once: true});
    let before = null, left = 300;
    const look = () => {
        one.scrollIntoView({behavior: 'instant', block: 'center'});
        const {x, y, width, height} = one.getBoundingClientRect();
        const now = [x + width / 2, y + height / 2];
        const isHit = one.contains(document.elementFromPoint(...now));
        if (isHit && String(now) === String(before) || !left--) done(now);
        else { before = now; requestAnimationFrame(look); }
    };
    look(); })"""
REPORT = "document.querySelector('#frame').contentDocument"


@pytest.fixture
def start(tmp_path):
    yield from running(tmp_path)


@asynccontextmanager
async def opened(server, folder):
    """The page of a server; at the end nothing was said on the console, and nobody else was asked."""
    own = f"http://127.0.0.1:{server.port}/"
    async with browser(folder / "browser") as page:
        await set_screen(page)
        await page.call("Page.navigate", url=own)
        await page.evaluate(LOADED)
        yield page
        assert complaints(page, (own, "data:", "blob:", "about:")) == ([], [])


async def drop(page, *paths):
    """Drop files as a person does, from the file manager."""
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        await page.call("Input.dispatchDragEvent", type=kind, x=200, y=150, data=data)


async def wait(page, script):
    """Wait until a script says something; returns that."""
    for _ in range(1200):
        if found := await page.evaluate(script):
            return found
        await asyncio.sleep(0.05)
    raise AssertionError(await page.evaluate("document.body.innerText"))


async def finish(page, count):
    """Wait until so many captures are through; returns their names, words and answers."""
    await wait(page, f"document.querySelectorAll('.capture').length === {count} && !{BUSY}")
    return await page.evaluate(CAPTURES)


async def press(page, key, code=0, text=""):
    for kind in ("keyDown", "keyUp"):
        await page.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, text=text)


async def write(page, selector, text):
    await page.evaluate(f"document.querySelector('{selector}').focus()")
    await page.call("Input.insertText", text=text)


async def click(page, selector):
    """Click on an element where it is; once more where the page moved under the mouse."""
    for _ in range(10):
        x, y = await page.evaluate(AT_REST.replace("SELECTOR", selector))
        for kind in ("mousePressed", "mouseReleased"):
            await page.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)
        for _ in range(20):
            if await page.evaluate("window.clicked"):
                return
            await asyncio.sleep(0.05)
    raise AssertionError(f"no click reached {selector}")


def test_what_is_dropped_is_judged_and_its_report_is_shown(start, tmp_path):
    server = start()

    async def main():
        async with opened(server, tmp_path) as page:
            await drop(page, FAULTY)
            assert (await finish(page, 1))[0][:2] == [FAULTY.name, "fail"]
            await wait(page, f"{REPORT}?.querySelector('h1')?.textContent.includes('24000 Hz')")
            await wait(
                page, f"document.querySelector('#frame').offsetHeight >= Math.max(2000, {REPORT}.body.offsetHeight)"
            )
            styled = f"getComputedStyle({REPORT}.querySelector('.badge')).borderRadius"
            assert await page.evaluate(styled) != "0px"
            assert await page.evaluate(f"{REPORT}.querySelector('audio').readyState") >= 1
            await page.evaluate(f"{REPORT}.querySelector('nav a[href=\"#capture\"]').click()")
            await wait(page, "document.querySelector('#frame').getBoundingClientRect().top < -1000")
            targets = f"[...{REPORT}.links].filter((a) => a.protocol.startsWith('http')).map((a) => a.target)"
            assert set(await page.evaluate(targets)) == {"_blank"}
            await drop(page, HEALTHY, AUDIO, FIXTURES)
            found = await finish(page, 4)
            assert [words for _, words, _ in found] == ["fail", "pass", "pass", "not judged"]
            assert "folder" in found[3][2] and "encoding=pcm_f32le" in found[2][2]
            await click(page, ".capture:nth-child(2) .show")
            await wait(page, f"{REPORT}?.title.includes('{HEALTHY.name}')")
            assert await page.evaluate("document.activeElement.textContent") == f"Report of {HEALTHY.name}"

    asyncio.run(main())
    server.wait_until_clean()


def test_a_declaration_and_a_text_go_with_a_capture_and_can_be_changed(start, tmp_path):
    server = start()
    call = tmp_path / "call.jsonl"
    call.write_bytes(capture())

    async def main():
        async with opened(server, tmp_path) as page:
            await page.evaluate("document.querySelector('#first [name=encoding]').value = 'pcm_s16le'")
            await write(page, "#first [name=sample_rate]", "8000")
            await drop(page, AUDIO)
            assert (await finish(page, 1))[0][2].startswith("encoding.mismatch")
            await write(page, "#first [name=text]", "Hi. Hi.")
            await drop(page, call, AUDIO)
            await finish(page, 3)
            assert "belongs to one capture" in await page.evaluate("document.querySelector('#note').textContent")
            assert (await page.evaluate(CAPTURES))[1][1] == "pass"
            await drop(page, call)
            assert (await finish(page, 4))[3][2].startswith("joining.turns-repeated")
            assert await page.evaluate("document.querySelector('#first [name=text]').value") == ""
            await click(page, ".capture:nth-child(4) summary")
            await page.evaluate("document.querySelector('.capture:nth-child(4) [name=text]').select()")
            await page.call("Input.insertText", text="Hi.")
            await click(page, ".capture:nth-child(4) form button")
            assert (await finish(page, 4))[3][1] == "pass"

    asyncio.run(main())


def test_reports_are_downloaded_as_the_command_line_writes_them(start, tmp_path):
    server = start()
    folder = tmp_path / "downloads"
    folder.mkdir()

    async def main():
        async with opened(server, tmp_path) as page:
            await page.call("Page.setDownloadBehavior", behavior="allow", downloadPath=str(folder))
            await drop(page, FAULTY)
            await finish(page, 1)
            for form, suffix in (("html", "html"), ("json", "json"), ("markdown", "md")):
                await click(page, f".save .{form}")
                path = folder / f"{FAULTY.name}.{suffix}"
                await asyncio.to_thread(until, path.exists)

    asyncio.run(main())
    report = json.loads((folder / f"{FAULTY.name}.json").read_text())
    assert (report["status"], report["subject"]["path"]) == ("fail", FAULTY.name)
    assert (folder / f"{FAULTY.name}.html").read_text().startswith("<!DOCTYPE html>")
    assert (folder / f"{FAULTY.name}.md").read_text().startswith("## FAIL ")


def test_a_hostile_name_and_a_hostile_capture_are_shown_as_text(start, tmp_path):
    server = start()
    name = "<img src=x onerror=document.title=1>\u202egnp.\x1b[2J.jsonl"
    (tmp_path / name).write_bytes(capture("<script>document.title = 1</script>"))
    (tmp_path / "<b>x.har").write_bytes(b'{"log": {"entries": [' + b"[" * 100_000)

    async def main():
        async with opened(server, tmp_path) as page:
            await drop(page, tmp_path / name, tmp_path / "<b>x.har")
            first, second = await finish(page, 2)
            assert (
                first[0] == "<img src=x onerror=document.title=1>\\u{202e}gnp.\\u{1b}[2J.jsonl" and first[1] == "pass"
            )
            assert second[1] == "not judged" and "<b>x.har" in second[2] and "Traceback" not in second[2]
            await wait(page, f"!!{REPORT}?.querySelector('h1')")
            assert await page.evaluate("[document.title, document.images.length]") == ["sttdoctor", 0]
            assert await page.evaluate(f"{REPORT}.scripts.length") == 0

    asyncio.run(main())


def test_100_megabytes_are_read_without_the_server_growing(start, tmp_path):
    server = start()
    path = tmp_path / "long.raw"
    speech = (FIXTURES / "audio" / "s16-16k.raw").read_bytes()
    path.write_bytes(speech * (100_000_000 // len(speech) + 1))
    before = server.peak_bytes()

    async def main():
        async with opened(server, tmp_path) as page:
            seen = "window.seen = []; new MutationObserver(() => seen.push(document.querySelector('.state').innerText))"
            await page.evaluate(f"{seen}.observe(document.querySelector('#list'), {{subtree: true, childList: true}})")
            await drop(page, path)
            assert (await finish(page, 1))[0][1] == "pass"
            steps = " ".join(await page.evaluate("seen"))
            assert "reading" in steps and "question 2 of" in steps and "drawing the figures" in steps

    asyncio.run(main())
    assert server.peak_bytes() - before < 8 << 20
    server.wait_until_clean()


def test_who_cancels_or_leaves_ends_the_work(start, tmp_path):
    server = start(breaks="hang")
    (tmp_path / "call.jsonl").write_bytes(capture())

    async def main():
        async with opened(server, tmp_path) as page:
            for way in ("cancel", "remove", "leave"):
                await drop(page, tmp_path / "call.jsonl")
                await wait(page, f"{BUSY} && document.querySelector('.capture:last-child .answer').textContent")
                assert len(server.workers()) == 1
                if way == "leave":
                    await page.call("Page.navigate", url="about:blank")
                else:
                    await click(page, f".capture:last-child .{way}")
                await asyncio.to_thread(server.wait_until_clean)
                if way != "leave":
                    assert await finish(page, 1) == [["call.jsonl", "not judged", "You cancelled it."]]

    asyncio.run(main())


def test_what_is_too_large_and_a_server_that_is_gone_are_told(start, tmp_path):
    server = start("--size-limit", "1")
    (tmp_path / "long.raw").write_bytes(bytes(2 << 20))

    async def main():
        async with browser(tmp_path / "browser") as page:
            await page.call("Page.navigate", url=f"http://127.0.0.1:{server.port}/")
            await page.evaluate(LOADED)
            await drop(page, tmp_path / "long.raw")
            assert (await finish(page, 1))[0][2] == "It has 2.1 MB; the limit is 1.0 MB (--size-limit)."
            server.end()
            await drop(page, HEALTHY)
            assert "Is it still running?" in (await finish(page, 2))[1][2]

    asyncio.run(main())


def test_the_page_works_by_keyboard(start, tmp_path):
    server = start()

    async def main():
        async with opened(server, tmp_path) as page:
            await page.call("DOM.enable")
            await page.call("Page.setInterceptFileChooserDialog", enabled=True)
            for _ in range(2):  # past the link to the captures
                await press(page, "Tab", 9)
            assert await page.evaluate("document.activeElement.id") == "files"
            await press(page, "Enter", 13, "\r")
            await wait_for(page, "Page.fileChooserOpened")
            node = next(p["backendNodeId"] for method, p in page.events if method == "Page.fileChooserOpened")
            await page.call("DOM.setFileInputFiles", files=[str(FAULTY)], backendNodeId=node)
            await finish(page, 1)
            await page.evaluate("document.querySelector('.show').focus()")
            await press(page, "Enter", 13, "\r")
            await wait(page, "document.activeElement.id === 'h-report'")
            said = await page.evaluate("document.querySelector('#told').textContent")
            assert said.startswith(f"{FAULTY.name}: fail. sample-rate.mismatch")

    async def wait_for(page, event):
        for _ in range(200):
            if any(method == event for method, _ in page.events):
                return
            await asyncio.sleep(0.05)
        raise AssertionError(event)

    asyncio.run(main())


def test_the_page_fits_any_screen_and_axe_finds_no_violation(start, tmp_path):
    server = start()
    long = tmp_path / ("x" * 200 + ".txt")
    long.write_bytes(b"no capture")

    async def main():
        async with opened(server, tmp_path) as page:
            await drop(page, FAULTY, long)
            await finish(page, 2)
            await page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
            for scheme, width in (("light", 1280), ("dark", 390)):
                await set_screen(page, scheme, width)
                wide, inner = await page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
                assert wide <= inner
                if AXE.is_file():
                    assert await find_violations(page) == []

    asyncio.run(main())
