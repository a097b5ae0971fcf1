import re
from html.parser import HTMLParser

import pytest
from common import ROOT
from hypothesis import given
from hypothesis import strategies as st
from triage_rows import MIXED, row, summed

from sttdoctor.checks import all_causes
from sttdoctor.errors import UsageError
from sttdoctor.triage import overview
from sttdoctor.triage.row import COLUMNS
from sttdoctor.triage.summary import Summary
from sttdoctor.triage.text import render

HOSTILE = "\x1b[2J<script>alert(1)</script>\"'&\u202e"


def test_causes_are_counted_the_most_frequent_first_and_what_is_not_wrong_last():
    assert summed(MIXED).ranked() == [
        ("pacing.burst", 3),
        ("drain.no-close", 1),
        ("error", 1),
        ("unknown", 1),
        ("pass", 1),
    ]


def test_the_worst_examples_are_kept_by_status_then_confidence_then_name():
    summary = summed([*MIXED, row("0", "fail", "pacing.burst", 0.8)], keep=3)
    assert [example["path"] for example in summary.worst("pacing.burst")] == ["2", "0", "1"]


@given(st.lists(st.tuples(st.sampled_from(["fail", "warn"]), st.floats(0, 1)), min_size=1), st.integers(0, 4))
def test_the_examples_do_not_depend_on_the_order_of_rows(found, keep):
    rows = [row(str(n), status, "x.y", sure) for n, (status, sure) in enumerate(found)]
    there, back = (summed(order, keep=keep).worst("x.y") for order in (rows, rows[::-1]))
    assert there == back and len(there) == min(keep, len(rows))


def test_an_unknown_column_is_refused():
    with pytest.raises(UsageError, match="no column 'sdk' to group by; there are path, member"):
        Summary(("sdk",))


@pytest.mark.parametrize(
    ("rows", "codes"),
    [
        ([row()], (0, 0, 0)),
        ([row(unjudged="language")], (0, 0, 1)),
        ([row(), row("7", "error")], (0, 0, 1)),
        ([row("1", "warn", "x.y", 0.5)], (0, 1, 1)),
        ([row("1", "fail", "x.y", 0.5)], (1, 1, 1)),
    ],
)
def test_what_reaches_a_limit(rows, codes):
    limits = (("fail",), ("fail", "warn"), ("fail", "warn", "unknown"))
    assert tuple(int(summed(rows).reaches(limit)) for limit in limits) == codes
    assert not summed(rows).reaches(())


class Parsed(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.tags, self.links, self.text = [], [], ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name == "href"]

    def handle_data(self, data):
        if self.tags[-1:] not in (["style"], ["script"]):
            self.text += data


def test_hostile_text_controls_neither_terminal_nor_page():
    rows = [row(HOSTILE, "fail", "x.y", 0.5, client=HOSTILE, causes="x.y a.b"), row("b", "error", error=HOSTILE)]
    summary = summed(rows, "client")
    text = render(summary)
    assert "\x1b" not in text and "\u202e" not in text
    page = Parsed(overview.render(summary, {(HOSTILE, ""): "reports/00001.txt"}))
    assert page.tags.count("script") == 1 and "alert(1)" in page.text and "a.b" in page.text
    assert "\x1b" not in page.text and "\u202e" not in page.text and page.tags.count("bdi") == 7


def test_a_key_in_the_name_of_a_file_is_neither_in_the_text_nor_on_the_page():
    rows = [row("a/sk_car_c4n4ry1234.jsonl", "fail", "x.y", 0.9), row("a.zip", "fail", "x.y", member="api_key=c4n4ry")]
    for text, shown in ((render(summed(rows)), 1), (overview.render(summed(rows, listed=9), {}), 4)):
        assert "c4n4ry" not in text and text.count("REDACTED") == shown


def test_the_overview_links_to_the_reports(tmp_path):
    summary = summed(MIXED, "client")
    overview.prepare(str(tmp_path / "new" / "out"), anew=False)
    overview.write(str(tmp_path / "new" / "out"), summary, [(("2", ""), "the report \udcff")])
    folder = tmp_path / "new" / "out"
    page = Parsed((folder / "index.html").read_text())
    (link,) = [link for link in page.links if link.startswith("reports/")]
    assert (folder / link).read_text() == "the report \\udcff"
    assert {link for link in page.links if link.startswith("#")} == {"#o1", "#o2", "#o3", "#o4"}
    assert "7 captures: 3 fail" in page.text and "pacing.burst 100\u00a0%" in page.text


def test_the_overview_has_the_sentence_the_fix_and_the_statuses_of_each_cause():
    beside = row("8", "fail", "drain.no-close", 0.9, causes="drain.no-close pacing.burst")
    page = " ".join(Parsed(overview.render(summed([*MIXED, beside]), {})).text.split())
    cause = all_causes()["pacing.burst"]
    assert f"{cause.what} What to do: {cause.fix}" in page
    assert "pacing.burst 3 captures, 2 fail, 1 warn; beside another cause in 1 more" in page


def test_the_overview_shows_when_captures_began():
    rows = [row(str(day), "fail", "pacing.burst", 0.9, started_at=f"2026-11-{day:02}T10:00:00Z") for day in (1, 2, 9)]
    page = Parsed(overview.render(summed([*rows, row("x", started_at="soon")]), {}))
    said = " ".join(page.text.split())
    assert "3 captures with a time, by the day (UTC)" in said and "2026-11-01 2026-11-09" in said
    assert page.tags.count("g") == 9
    assert "Over time" not in overview.render(summed(MIXED), {})


def test_the_list_of_captures_holds_each_the_worst_first_up_to_a_limit():
    summary = summed(MIXED, listed=4)
    assert [kept["path"] for kept in summary.rows()] == ["7", "2", "4", "1"]
    page = " ".join(Parsed(overview.render(summary, {})).text.split())
    assert "The worst 4 of them; 3 more stand in the table" in page
    assert "left_out" not in page and "All captures" not in overview.render(summed(MIXED), {})


def test_the_page_allows_itself_only_its_own_style_and_script():
    page = overview.render(summed(MIXED, listed=9), {})
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1]
    assert re.fullmatch(
        r"default-src 'none'; style-src 'sha256-[^']+'; script-src 'sha256-[^']+'; base-uri 'none'; form-action 'none'",
        policy,
    )
    assert not re.search(r'\sstyle="|\son\w+="|(?:src|href)="(?!#)[^"]', page)


def test_an_overview_that_is_there_is_written_over_only_when_that_is_asked_for(tmp_path):
    (tmp_path / "reports").mkdir()
    for name in ("index.html", "reports/00001.html"):
        (tmp_path / name).write_text("mine")
        with pytest.raises(UsageError, match=r"there is an overview in .*; --resume and --force write it anew"):
            overview.prepare(str(tmp_path), anew=False)
        overview.prepare(str(tmp_path), anew=True)
        assert (tmp_path / name).read_text() == "mine"
        (tmp_path / name).unlink()
    overview.prepare(str(tmp_path), anew=False)


def test_a_column_of_the_overview_in_which_nothing_stands_is_left_out():
    page = Parsed(overview.render(summed([row("b", "error", error="is empty")]), {}))
    assert "why" in page.text and "confidence" not in page.text and "client" not in page.text
    page = Parsed(overview.render(summed([row("b", "fail", "x.y", 0.5, client="app")]), {}))
    assert all(word in page.text for word in ("confidence", "client")) and "also" not in page.text
    assert "worst examples" not in overview.render(summed([row()]), {})


def test_the_page_about_triage_has_every_column_with_its_meaning():
    page = (ROOT / "docs" / "triage.md").read_text()
    table = [f"| `{name}` | {meaning} |" for name, (_, meaning) in COLUMNS.items()]
    assert "\n".join(table) in page
