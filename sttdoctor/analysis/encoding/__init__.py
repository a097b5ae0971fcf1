"""Tell the encoding of headerless audio bytes, and where it changes.

The task: given bytes that a client sent as audio, say which of the encodings in `sttdoctor.encodings` wrote them,
whether they are shifted by part of a sample, whether two channels are interleaved, or that they are no samples at
all. This module is the door; the method is in `docs/encoding-estimate.md` and in the modules `encoding_*`.
"""

from sttdoctor.analysis.encoding.changes import EncodingChange, find_changes
from sttdoctor.analysis.encoding.estimate import LAYOUTS, EncodingEstimate, Layout, estimate_encoding

__all__ = ["LAYOUTS", "EncodingChange", "EncodingEstimate", "Layout", "estimate_encoding", "find_changes"]
