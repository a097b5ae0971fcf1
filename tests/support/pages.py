"""Reports as pages, and text that wants to break them."""

from functools import cache

from common import FIXTURES

from sttdoctor.api import examine, session_facts
from sttdoctor.reporting.data.collect import collect
from sttdoctor.reporting.html import render

HOSTILE = "<script>alert(1)</script> **bold** [link](javascript:x) \x1b[31m \u202edlrow& \x00 </style><img src=x>"


def page_of(facts):
    report = examine(facts)
    return render(report, exhibits=collect(facts, report))


@cache
def session_page(name):
    return page_of(session_facts(str(FIXTURES / "sessions" / name), None, None, None, None))
