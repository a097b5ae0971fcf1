"""The page of a single capture that an overview links to."""

from sttdoctor.case import Case
from sttdoctor.exhibits.collect import collect
from sttdoctor.renderers import FORMATS
from sttdoctor.report import Report

FORMAT = FORMATS["html"]


def page(case: Case, report: Report) -> str:
    """Return a report as the content of a file with the first suffix of `FORMAT`."""
    return FORMAT.render(report, exhibits=collect(case, report))
