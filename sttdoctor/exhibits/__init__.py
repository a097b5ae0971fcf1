"""What a report shows and lets people hear: plain values computed from a case, all of a size that does not grow with it."""

from sttdoctor.exhibits.collect import collect
from sttdoctor.exhibits.values import Exhibits

__all__ = ["Exhibits", "collect"]
