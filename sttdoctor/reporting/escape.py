"""Text from a capture, made harmless for what shows it."""

import re
import unicodedata
from typing import Any

_DANGEROUS = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_MARKUP = re.compile(
    r"""
    [\\`*\[\]<>|~&!$^]                       # what begins or ends an element anywhere; formulas
    | (?<![A-Za-z0-9])_ | _(?![A-Za-z0-9])   # an underscore inside a word is only itself
    | (?<=www)\. | :(?=//)                   # addresses, of which links are made
    | ^[ ]*[-+=\#] | ^[ ]*\d+(?=[.)])        # at the start of a line: lists, headings
    """,
    re.VERBOSE | re.IGNORECASE,
)
_NAMES = re.compile(r"@|\#(?=\d)|GH-(?=\d)|:(?=[a-z0-9_+-]+:)", re.IGNORECASE)
_NOTHING = "&#8203;"
_WORD_ENDS = re.compile(r"([._-])(?=[^._-])")
_LONGEST_PART = 26
_BACKTICKS = re.compile("`+")


def for_terminal(text: str) -> str:
    r"""Replace what could control a terminal or reorder its line: control, format and direction characters.

    They appear as `\x1b` or `\u202e`; line breaks and tabs become `\n` and `\t`.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_show(char) for char in text)


def _show(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii") if unicodedata.category(char) in _DANGEROUS else char


def for_page(value: Any) -> Any:
    """Return a value of a page, for jinja's `finalize`: a text is cut and has no control and direction characters.

    Markup is the template's own and stays as it is; `autoescape` does the rest.
    """
    if hasattr(value, "__html__") or not isinstance(value, str):
        return value
    return for_terminal(cut(value))


def cut(text: str, longest: int = 4_000) -> str:
    """Return a text without its middle where it is longer than this."""
    if len(text) <= longest:
        return text
    half = longest // 2
    return f"{text[:half]} [... {len(text) - 2 * half} characters left out ...] {text[-half:]}"


def break_name(text: str) -> Any:
    """Return a name as markup of a page that may break after a slash, and within a long part where its words end."""
    from markupsafe import Markup, escape

    parts = re.split(r"(?<=[/ ])", for_terminal(cut(text)))
    # a Markup would escape what is put between its parts
    safe = [str(escape(part)) for part in parts]
    broken = (
        _WORD_ENDS.sub(r"\1<wbr>", one) if len(part) > _LONGEST_PART else one
        for part, one in zip(parts, safe, strict=True)
    )
    return Markup("<wbr>".join(broken).replace(" <wbr>", " "))


def for_markdown(text: str) -> str:
    """Return Markdown that shows a text as it is, in a paragraph or in a cell of a table.

    Nothing in it becomes an element, by CommonMark and GitHub's extensions
    (https://spec.commonmark.org/0.31.2/#backslash-escapes, https://github.github.com/gfm/). Mentions, numbers of
    issues and emoji are looked for after that, in the shown text, where no backslash helps: a space without width
    stands after what begins them.
    """
    escaped = _MARKUP.sub(_put_backslash, for_terminal(text))
    return _NAMES.sub(lambda match: match[0] + _NOTHING, escaped)


def _put_backslash(match: re.Match[str]) -> str:
    """A number at the start of a line gets its backslash behind it, before the point; a sign in front of itself."""
    before, last = match[0][:-1], match[0][-1]
    return f"{match[0]}\\" if last.isdigit() else f"{before}\\{last}"


def as_code(text: str) -> str:
    """Return Markdown that shows a text as code, between more backticks than stand in it; for use outside of tables."""
    safe = for_terminal(text)
    fence = fence_of(safe, 1)
    return f"{fence} {safe} {fence}" if "`" in safe or safe.strip(" ") != safe else f"{fence}{safe or ' '}{fence}"


def fence_of(text: str, least: int = 3) -> str:
    """Return so many backticks that no run of them in the text ends a block of code."""
    longest = max((len(run) for run in _BACKTICKS.findall(text)), default=0)
    return "`" * max(least, longest + 1)
