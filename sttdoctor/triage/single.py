"""The page of a single capture that an overview links to."""

from sttdoctor.renderers import FORMATS
from sttdoctor.report import Report

FORMAT = FORMATS["text"]


def page(report: Report) -> str:
    """Return a report as the content of a file with the first suffix of `FORMAT`."""
    return FORMAT.render(report, width=100, colour=False, verbose=True)
