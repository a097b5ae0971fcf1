"""The page of a single capture that an overview links to."""

from sttdoctor.analysis.facts import Facts
from sttdoctor.report import Report
from sttdoctor.reporting import FORMATS
from sttdoctor.reporting.data.collect import collect

FORMAT = FORMATS["html"]


def page(facts: Facts, report: Report) -> str:
    """Return a report as the content of a file with the first suffix of `FORMAT`."""
    return FORMAT.render(report, exhibits=collect(facts, report))
