"""A report for one kind of reader each; none of the renderers knows how the result was found.

A format is one line in `FORMATS` and one module here with a function `render(report, *, ...) -> str`. What a renderer
needs beside the report it names in `takes`; whoever calls it makes just that. Where several reports are more than one
below the other the module has `join(rendered) -> str` too.
"""

import importlib
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from sttdoctor.errors import UsageError, suggest
from sttdoctor.values import immutable

if TYPE_CHECKING:
    from sttdoctor.report import Report


@immutable
class Format:
    """One form of a report.

    Attributes:
        name: As `--format` takes it; the module of the same name renders it.
        label: What it is, for a reader of a help.
        suffixes: Of file names that ask for it, in lower case.
        takes: Keyword arguments of its `render`.
        single: Whether a file holds one report only.
    """

    name: str
    label: str
    suffixes: tuple[str, ...]
    takes: tuple[str, ...] = ()
    single: bool = False

    def render(self, report: "Report", **options: Any) -> str:
        """Render a report; only then is the module imported.

        Args:
            report: The report.
            options: At least what the format takes; the rest is ignored.
        """
        text: str = self._module.render(report, **{name: options[name] for name in self.takes})
        return text

    def join(self, rendered: Sequence[str]) -> str:
        """Return reports in this form as one; a single one stays as it is."""
        if len(rendered) == 1:
            return rendered[0]
        join: Callable[[Sequence[str]], str] = getattr(self._module, "join", "\n".join)
        return join(rendered)

    @property
    def _module(self) -> Any:
        return importlib.import_module(f"{__name__}.{self.name}")


FORMATS = {
    form.name: form
    for form in (
        Format("text", "text", (".txt",), takes=("width", "colour", "verbose")),
        Format("json", "JSON", (".json",)),
        Format("markdown", "Markdown", (".md", ".markdown")),
        Format("junit", "JUnit", (".xml",), takes=("failing",)),
        Format("github", "GitHub annotations", ()),
        Format("html", "a page", (".html", ".htm"), takes=("exhibits",), single=True),
    )
}


def format_of(path: str) -> Format:
    """Return the format that a file's name asks for: text where it has no suffix.

    Raises:
        UsageError: A suffix that no format has.
    """
    for form in FORMATS.values():
        if path.lower().endswith(form.suffixes):
            return form
    suffix = os.path.splitext(path)[1]
    if suffix:
        known = [suffix for form in FORMATS.values() for suffix in form.suffixes]
        otherwise = f"there are {', '.join(known)}, or say which one with --format"
        raise UsageError(f"no report ends in {suffix}; {suggest(suffix, known, otherwise)}")
    return FORMATS["text"]
