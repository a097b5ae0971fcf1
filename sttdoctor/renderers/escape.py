"""Text from a capture, made harmless for a terminal."""

import unicodedata

_DANGEROUS = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def for_terminal(text: str) -> str:
    r"""Replace what could control a terminal or reorder its line: control, format and direction characters.

    They appear as `\x1b` or `\u202e`; line breaks and tabs become `\n` and `\t`.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(char) for char in text)


def _shown(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii") if unicodedata.category(char) in _DANGEROUS else char
