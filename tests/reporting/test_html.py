"""The HTML report, without a browser: what stands in it, and that nothing of a capture becomes markup."""

import base64
import re
from functools import cache

import html5lib
import pytest
from common import AUDIO, FIXTURES, HEADER, OPEN, jsonl
from pages import HOSTILE, page_of, session_page

from sttdoctor.api import audio_facts, examine, session_facts
from sttdoctor.comparison import compare_with_older
from sttdoctor.reporting.data.collect import collect
from sttdoctor.reporting.data.values import Exhibits
from sttdoctor.reporting.html import render

XHTML = "{http://www.w3.org/1999/xhtml}"


@cache
def audio_page(name, encoding, rate):
    return page_of(audio_facts(str(FIXTURES / "audio" / name), encoding, rate, None))


def tree(page):
    """Parsed as a browser does; a fault of the markup is an error."""
    parser = html5lib.HTMLParser(strict=True, tree=html5lib.getTreeBuilder("etree"))
    return parser.parse(page)


def elements(root, name):
    return list(root.iter(XHTML + name))


def text_of(root):
    return " ".join("".join(root.itertext()).split())


def ids(root):
    return [element.get("id") for element in root.iter() if element.get("id")]


@pytest.mark.parametrize(
    ("name", "sections"),
    [
        ("healthy-several-turns.jsonl", {"listen", "stream", "transcript"}),
        ("format-24k-declared-16k.jsonl.gz", {"listen", "stream", "transcript"}),
        ("joining-everything-joined.jsonl", {"listen", "stream", "transcript"}),
    ],
)
def test_a_page_is_whole_and_well_formed(name, sections):
    root = tree(session_page(name))
    found = ids(root)
    assert {"diagnosis", "questions", "capture", *sections} <= set(found)
    assert len(found) == len(set(found))
    targets = [a.get("href")[1:] for a in elements(root, "a") if a.get("href").startswith("#")]
    assert set(targets) <= set(found)
    assert [len(elements(root, name)) for name in ("h1", "main", "script", "link", "iframe")] == [1, 1, 0, 0, 0]


def test_the_page_forbids_itself_all_but_its_own_styles_and_data():
    page = session_page("healthy-several-turns.jsonl")
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1]
    assert policy.startswith("default-src 'none'; style-src 'sha256-") and "unsafe" not in policy
    assert not re.search(r'\sstyle="', page) and not re.search(r"\son\w+=", page)
    outside = [
        url for url in re.findall(r'(?:src|href|xlink:href)="([^"#][^"]*)"', page) if not url.startswith("data:")
    ]
    assert all(url.startswith("https://docs.cartesia.ai/") for url in outside)


def test_a_fault_comes_first_with_its_fix_and_its_confidence():
    root = tree(session_page("format-24k-declared-16k.jsonl.gz"))
    hero = next(section for section in elements(root, "section") if section.get("id") == "diagnosis")
    words = text_of(hero)
    assert "recorded at 24000 Hz, not at 16000 Hz" in words
    assert "Declare sample_rate=24000" in words and "% sure" in words


def test_measurements_and_limits_stand_beside_each_answer():
    root = tree(session_page("format-24k-declared-16k.jsonl.gz"))
    rows = [[text_of(cell) for cell in row] for row in elements(root, "tr")]
    assert any(row[:2] == ["pacing.backlog_fail_s", "3 s"] and len(row) == 3 for row in rows)
    assert ["The same over what the declaration promises wire_ratio", "1.5"] in rows
    waited = next(row for row in rows if row[0] == "Most audio that waited at once max_backlog_s")
    assert re.fullmatch(r"1\.7\d* s", waited[1])


def links_in(root, of_class):
    found = [element for element in root.iter() if of_class in (element.get("class") or "").split()]
    return {a.get("href") for element in found for a in elements(element, "a")}


def test_what_a_diagnosis_explains_is_linked_both_ways():
    root = tree(session_page("format-24k-declared-16k.jsonl.gz"))
    assert {"#check-pacing", "#check-latency"} <= links_in(root, "sure")
    said = [text_of(p) for p in elements(root, "p") if p.get("class") == "belongs"]
    assert said == ["What to do: sample-rate.mismatch", *["Explained by: sample-rate.mismatch"] * 2]
    assert links_in(root, "belongs") == {"#diagnosis"}


def test_each_cause_is_explained_inside_the_page():
    root = tree(session_page("format-24k-declared-16k.jsonl.gz"))
    about = next(section for section in elements(root, "section") if section.get("id") == "causes")
    words = text_of(about)
    assert words.count("Why it matters:") == 3 and "explained by sample-rate.mismatch" in words
    linked = {a.get("href") for a in elements(root, "a") if a.get("href").startswith("#cause-")}
    assert linked == {"#cause-sample-rate.mismatch", "#cause-pacing.too-fast", "#cause-latency.backlog"}
    assert "causes" not in ids(tree(session_page("healthy-several-turns.jsonl")))


def test_the_page_says_when_it_was_made_and_how_to_make_it_again():
    facts = session_facts(str(FIXTURES / "sessions" / "stream-muted.jsonl"), None, None, None, None)
    report = examine(facts)
    command = "sttdoctor replay 'my calls.jsonl' --set pacing.min_s=6"
    page = tree(render(report, exhibits=collect(facts, report, command)))
    assert command in [text_of(code) for code in elements(page, "code")]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", text_of(elements(page, "time")[0]))
    bare = tree(render(report, exhibits=Exhibits()))
    assert not elements(bare, "time") and "from a terminal, where" not in text_of(bare)


def test_two_versions_have_two_players_and_one_version_has_one():
    two, one = (elements(tree(session_page(name)), "audio") for name in
                ("format-24k-declared-16k.jsonl.gz", "healthy-several-turns.jsonl"))  # fmt: skip
    assert [audio.get("aria-label").split(":")[0] for audio in two] == ["As declared", "As detected"]
    assert len(one) == 1
    sound = base64.b64decode(two[0].get("src").partition(",")[2])
    assert sound[:4] == b"RIFF"


@pytest.mark.parametrize(
    ("name", "encoding", "rate", "players", "says"),
    [
        ("s16-16k.raw", None, None, ["As detected"], "No complete format was declared"),
        ("mulaw-declared-s16.raw", "pcm_s16le", 8000, ["As declared", "As detected"], "read in two ways"),
        ("silence.raw", "pcm_s16le", 16000, [], "All of the audio is silent, so there is nothing to hear."),
        ("s16-16k.raw", "pcm_s16le", 1, ["As detected"], "Nothing plays audio at 1 Hz"),
    ],
)
def test_audio_alone_has_a_page_too(name, encoding, rate, players, says):
    root = tree(audio_page(name, encoding, rate))
    assert [audio.get("aria-label").split(":")[0] for audio in elements(root, "audio")] == players
    assert says in text_of(root)
    assert "stream" not in ids(root) and "transcript" not in ids(root)


def test_compressed_audio_is_played_as_the_service_hears_it():
    ogg = b"OggS" + b"\x00\x02" + bytes(range(256)) * 200
    root = tree(page_of(audio_facts(ogg, "pcm_s16le", 16000, None)))
    assert [audio.get("aria-label").split(":")[0] for audio in elements(root, "audio")] == ["As declared"]
    assert "cannot be read as samples" in text_of(root)


def test_a_capture_without_audio_says_so():
    rows = jsonl(HEADER, OPEN, *({"type": "send", "t": 0.1 * i, "bytes": 3200} for i in range(50)))
    root = tree(page_of(session_facts(rows, None, None, None, None)))
    assert elements(root, "audio") == [] and "lengths of audio, not the audio itself" in text_of(root)
    assert "figure-stream" in ids(root)


def test_without_sound_nothing_is_promised_to_hear():
    """A steady byte rate accuses the declaration, but there is no sound that could show or play it."""
    frames = ({"type": "send", "t": 0.1 * i, "bytes": 4800} for i in range(100))
    connected = {"type": "receive", "t": 0.1, "json": {"type": "connected", "request_id": "r"}}
    facts = session_facts(jsonl(HEADER, OPEN, connected, *frames), None, None, None, None)
    report = examine(facts)
    page = render(report, exhibits=collect(facts, report))
    assert report.diagnoses[0].cause == "sample-rate.mismatch"
    assert report.to_dict()["subject"]["estimated"]["sample_rate"] is None
    assert not {"listen", "figure-odds"} & set(ids(tree(page)))
    assert not any(words in page for words in ("Hear and see it", "Listen", "ffplay", "sounds like"))


def test_the_headline_counts_and_equal_answers_stand_together():
    frames = ({"type": "send", "t": 0.1 * i, "bytes": 3200} for i in range(3))
    report = examine(session_facts(jsonl(HEADER, OPEN, *frames), None, None, None, None))
    root = tree(render(report, exhibits=Exhibits()))
    assert text_of(elements(root, "h1")[0]) == report.tally
    answers = [item for item in elements(root, "li") if "check " in (item.get("class") or "")]
    assert len(answers) < len(report.checks) == sum(name.startswith("check-") for name in ids(root))
    named = [text_of(elements(item, "h3")[0]) for item in answers]
    assert (
        "container, encoding, sample-rate, channels, signal, frames, latency" in named
        and "Are you using a supported language?" in named
    )


def test_of_a_refused_handshake_the_page_has_two_answers():
    root = tree(page_of(session_facts(jsonl(HEADER, {**OPEN, "status": 503}), None, None, None, None)))
    answers = [text_of(item) for item in elements(root, "li") if "check " in (item.get("class") or "")]
    assert len(answers) == 2 and "17 checks The handshake was refused" in answers[1]


def test_what_appended_updates_would_give_is_folded_away():
    update = {"type": "receive", "t": 1.0, "json": {"type": "turn.update", "transcript": "Hello"}}
    end = {"type": "receive", "t": 2.0, "json": {"type": "turn.end", "transcript": "Hello there."}}
    root = tree(page_of(session_facts(jsonl(HEADER, OPEN, AUDIO, update, end), None, None, None, None)))
    folded = [text_of(item) for item in elements(root, "details")]
    assert any("every update is appended" in text and "HelloHello there." in text for text in folded)


def test_an_empty_capture_has_a_page():
    root = tree(page_of(session_facts(jsonl(HEADER), None, None, None, None)))
    assert "No audio was sent in binary frames" in text_of(root)


@pytest.mark.parametrize("word", [HOSTILE, "x" * 500_000])
def test_hostile_text_is_shown_as_text(word):
    url = HEADER["url"] + "&keyterm=" + "%3Cscript%3E" + word[:50].replace(" ", "%20")
    message = {"type": "receive", "t": 1.0, "json": {"type": "turn.start", "request_id": word}}
    end = {"type": "receive", "t": 2.0, "json": {"type": "turn.end", "transcript": word, "error": word}}
    error = {"type": "receive", "t": 2.1, "json": {"type": "error", "message": word, "code": word}}
    rows = jsonl({**HEADER, "url": url, "client": word, "source": word}, OPEN, AUDIO, message, end, error)
    page = page_of(session_facts(rows, word + " " + word, None, None, None))
    root = tree(page)
    assert elements(root, "script") == [] and len(elements(root, "style")) == 1
    assert elements(root, "img") == []
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", page)
    assert len(page) < 400_000 and page.isascii()
    if word is HOSTILE:
        assert "<script>alert(1)</script> **bold** [link](javascript:x) \\x1b[31m \\u202edlrow&" in text_of(root)


def test_what_differs_in_the_text_is_marked_in_words():
    root = tree(session_page("joining-everything-joined.jsonl"))
    tags = {text_of(tag) for tag in elements(root, "b")}
    assert "repeated" in tags
    assert "more than once in the application's text" in text_of(root)


@pytest.mark.parametrize(
    ("name", "label", "marks"),
    [("joining-stripped.jsonl", "no space", "no space"), ("joining-line-per-turn.jsonl", "extra space", "line break")],
)
def test_a_mark_in_the_text_has_the_name_that_its_legend_gives(name, label, marks):
    root = tree(session_page(name))
    tags = [text_of(tag) for tag in elements(root, "b") if tag.get("class") == "tag"]
    assert tags == [label, label, marks, marks]
    said = [text_of(p) for p in elements(root, "p") if p.get("class") == "said"]
    assert said[0].replace(". ", ".") == f"Mary rolled the barrel.{marks}"


def test_two_sessions_are_compared_in_words():
    facts = session_facts(str(FIXTURES / "sessions" / "joining-stripped.jsonl"), None, None, None, None)
    other = session_facts(str(FIXTURES / "sessions" / "healthy-several-turns.jsonl"), None, None, None, None)
    report = compare_with_older(examine(facts), examine(other))
    rows = [[text_of(cell) for cell in row] for row in elements(tree(render(report, exhibits=Exhibits())), "tr")]
    assert ["check", "what", "this session", "the other"] in rows
    assert ["joining", "findings", "joining.whitespace-stripped", "none"] in rows


def test_a_command_breaks_between_its_words_only():
    page = session_page("format-24k-declared-16k.jsonl.gz")
    assert "<code><span>ffplay</span> <span>-f</span> <span>s16le</span> " in page


def test_a_report_without_any_exhibit_still_has_its_answers():
    facts = session_facts(jsonl(HEADER, OPEN, AUDIO), None, None, None, None)
    root = tree(render(examine(facts), exhibits=Exhibits(no_sound="Nothing.", failed=("the sound (ValueError: <b>)",))))
    assert "Not shown: the sound (ValueError: <b>)" in text_of(root) and elements(root, "figure") == []


def test_figures_follow_the_colours_of_the_page():
    page = session_page("format-24k-declared-16k.jsonl.gz")
    svg = "".join(re.findall(r'<div class="(?:wide|narrow)".*?</div>', page, re.DOTALL))
    colours = set(re.findall(r'(?:fill|stroke)="([^"]*)"', svg))
    assert {"var(--ink)", "var(--main)", "var(--muted)"} <= colours
    assert all(colour in ("none", "") or colour.startswith(("var(", "url(")) for colour in colours), colours
    assert set(re.findall(r"var\(--(\w+)\)", svg)) <= set(re.findall(r"--(\w+):", page))


def test_the_same_case_gives_the_same_page():
    name = "healthy-several-turns.jsonl"
    again = page_of(session_facts(str(FIXTURES / "sessions" / name), None, None, None, None))
    made_at = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC")
    assert made_at.sub("", session_page(name)) == made_at.sub("", again) and made_at.search(again)
