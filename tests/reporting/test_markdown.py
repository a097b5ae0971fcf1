import re
from html.parser import HTMLParser

import cmarkgfm
import hostile
import pytest
from common import FIXTURES
from hypothesis import example, given, settings
from markdown_it import MarkdownIt

import sttdoctor
from sttdoctor.reporting.escape import as_code, fence_of, for_markdown, for_terminal
from sttdoctor.reporting.markdown import render

COMMON = MarkdownIt("commonmark", {"linkify": True}).enable(["table", "strikethrough", "linkify"])
RENDERERS = {"github": cmarkgfm.github_flavored_markdown_to_html, "commonmark": COMMON.render}
FAULTY = FIXTURES / "sessions" / "joining-stripped.jsonl"


class Page(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.elements, self.words, self.outside_code = [], [], ""
        self.feed(html)
        self.close()
        self.text = "".join("".join(self.words).replace("\u200b", "").split())

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, *sorted(name for name, _ in attributes)))

    def handle_data(self, data):
        self.words.append(data)
        if self.elements and self.elements[-1] != ("code",):
            self.outside_code += data

    def handle_comment(self, data):
        self.elements.append(("comment", data))


def squeezed(text):
    return "".join(for_terminal(text).replace("\u200b", "").split())


@pytest.fixture(params=RENDERERS)
def shown(request):
    """A page of one of two renderers: GitHub's own, and a CommonMark one with tables, strikethrough and links."""
    return lambda text: Page(RENDERERS[request.param](text))


def test_the_diagnosis_comes_first_and_what_passed_is_only_named():
    text = render(sttdoctor.replay(FAULTY))
    lines = [line for line in text.splitlines() if line]
    assert lines[0].startswith("## FAIL joining.whitespace-stripped: Append the transcript as it is")
    assert lines[2] == "Checks: 1 failed, 16 passed, 1 not judged (language)."
    assert lines[3] == "### 1. joining.whitespace-stripped (fail, 97 % sure)"
    assert any(line.startswith("Passed: container, encoding,") for line in lines)
    assert len(lines) <= 30


@pytest.mark.parametrize("path", ["sessions/format-24k-declared-16k.jsonl.gz"])
def test_it_is_the_table_and_the_code_that_it_looks_like(shown, path):
    page = shown(render(sttdoctor.replay(FIXTURES / path)))
    names = [element[0] for element in page.elements]
    assert {"h2", "table", "th", "td", "pre", "code"} <= set(names) and "a" not in names
    assert "sttdoctorconvert" in page.text


def tells_nothing_but_text(render_page, text):
    """Assert that a report full of this text has the elements of one full of a word, and shows the text."""
    calm, wild = (render(hostile.report(words)) for words in ("QQQ", text))
    before, page = (render_page(markdown.partition("\nListen:\n")[0]) for markdown in (calm, wild))
    assert page.elements == before.elements
    calm, wild = (markdown.partition("\n")[2] for markdown in (calm, wild))  # the title holds the first sentence only
    before, page = (render_page(markdown.partition("\nListen:\n")[0]) for markdown in (calm, wild))
    assert page.text == before.text.replace("QQQ", squeezed(text))
    whole = render_page(wild)
    assert [name for name, *_ in whole.elements[len(page.elements) :]] in ([], ["p", "pre", "code"])


@pytest.mark.parametrize("name", ["script", "markdown", "terminal", "xml"])
def test_markup_in_a_capture_is_text(shown, name):
    pieces = hostile.TEXTS[name]
    for start in range(0, len(pieces), 40):
        tells_nothing_but_text(shown, pieces[start : start + 40])


@pytest.mark.parametrize("renderer", RENDERERS)
@settings(max_examples=200)
@example(text=" -")
@given(text=hostile.texts)
def test_whatever_stands_in_a_capture_is_text(renderer, text):
    tells_nothing_but_text(lambda markdown: Page(RENDERERS[renderer](markdown)), text)


@pytest.mark.parametrize("name", hostile.TEXTS)
def test_a_hostile_session_is_told_in_short(shown, name):
    text = render(hostile.judged(name))
    page = shown(text)
    assert hostile.controls(text) == {"\n"} and len(text) < 20_000
    assert not {"a", "img", "script", "b", "del", "em", "comment"} & {element[0] for element in page.elements}
    assert not re.search(r"@someone|#12|GH-3|:tada:", page.outside_code)


def test_what_means_nothing_in_a_place_is_left_as_it_is():
    plain = "pcm_s16le at 16000 Hz (mono), 1.5 x; sample_rate=16000, a-b + c: see 3."
    assert for_markdown(plain) == plain


@pytest.mark.parametrize(
    ("text", "code"), [("a", "`a`"), ("a`b", "`` a`b ``"), ("``", "``` `` ```"), (" a", "`  a `"), ("", "` `")]
)
def test_code_holds_any_backticks(text, code):
    assert as_code(text) == code


def test_a_block_is_longer_than_what_it_holds():
    assert (fence_of("ls"), fence_of("echo '````'")) == ("```", "`````")
