"""Find out why a realtime speech-to-text client gives garbled text, answers late or gets errors.

`check` judges headerless audio, `replay` a recorded session; both return a `sttdoctor.report.Report`. The import is
light: what a judgement needs is imported with its first use.
"""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["__version__", "check", "replay"]

if TYPE_CHECKING:
    from sttdoctor.api import check, replay


def __getattr__(name: str) -> Any:
    if name in ("check", "replay"):
        from sttdoctor import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
