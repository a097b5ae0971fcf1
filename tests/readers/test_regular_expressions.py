"""No regular expression over untrusted text takes more than linear time, by the way it is made.

A pattern that is searched for is tried from every place of the text, and a repeat that is followed by something it
could have taken itself is tried with every length. Either is harmless as long as no stretch of the text is walked
through again and again, which is what `faults` looks for.
"""

import ast
import importlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from re import _constants as code  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]

import pytest

import sttdoctor

ANCHORED = {"match", "fullmatch"}
LETTERS = frozenset(map(chr, range(0x180)))
FEW = 4  # times
REPEATS = (code.MAX_REPEAT, code.MIN_REPEAT, code.POSSESSIVE_REPEAT)


def letters(op: object, value: object) -> frozenset[str] | None:
    """Return which letters a part matches, None where it is not one letter long."""
    if op is code.LITERAL:
        return frozenset({chr(value)})  # type: ignore[arg-type]
    if op is code.NOT_LITERAL:
        return LETTERS - {chr(value)}  # type: ignore[arg-type]
    if op is code.ANY:
        return LETTERS - {"\n"}
    if op is code.IN:
        return inside(value)  # type: ignore[arg-type]
    return None


def inside(items: list[tuple[object, object]]) -> frozenset[str]:
    found: frozenset[str] = frozenset()
    for op, value in items:
        if op is code.RANGE:
            low, high = value  # type: ignore[misc]
            found |= frozenset(map(chr, range(low, high + 1)))
        elif op is code.CATEGORY:
            name = {"DIGIT": r"\d", "SPACE": r"\s", "WORD": r"\w"}
            kind = str(value).removeprefix("CATEGORY_").removeprefix("NOT_")
            are = frozenset(letter for letter in LETTERS if re.match(name[kind], letter))
            found |= LETTERS - are if "NOT_" in str(value) else are
        elif op is not code.NEGATE:
            found |= letters(op, value) or frozenset()
    return LETTERS - found if items[0][0] is code.NEGATE else found


def parts(op: object, value: object) -> list[list[tuple[object, object]]]:
    """Return the alternatives inside a part."""
    if op is code.SUBPATTERN:
        return [list(value[-1])]  # type: ignore[index]
    if op is code.BRANCH:
        return [list(item) for item in value[1]]  # type: ignore[index]
    if op is code.ATOMIC_GROUP:
        return [list(value)]  # type: ignore[call-overload]
    if op in REPEATS:
        return [list(value[2])]  # type: ignore[index]
    if op is code.GROUPREF_EXISTS:
        return [list(item) for item in value[1:] if item]  # type: ignore[index]
    return []


def first(items: list[tuple[object, object]]) -> tuple[frozenset[str], bool]:
    """Return with which letters a sequence can begin, and whether it can be empty."""
    found: frozenset[str] = frozenset()
    for op, value in items:
        one = letters(op, value)
        if one is not None:
            return found | one, False
        if op in (code.AT, code.ASSERT, code.ASSERT_NOT):
            continue
        inner = [first(item) for item in parts(op, value)]
        found |= frozenset().union(*(item[0] for item in inner))
        optional = op in REPEATS and value[0] == 0  # type: ignore[index]
        if inner and not optional and not any(item[1] for item in inner):
            return found, False
    return found, True


def is_unbounded(items: list[tuple[object, object]]) -> bool:
    return any(
        (op in REPEATS and value[1] is code.MAXREPEAT) or any(map(is_unbounded, parts(op, value)))  # type: ignore[index]
        for op, value in items
    )


def faults(
    items: list[tuple[object, object]],
    searched: bool,
    behind: list[tuple[object, object]] | None = None,
    before: list[frozenset[str]] | None = None,
) -> Iterator[str]:
    """Yield what of a sequence could be walked through again and again.

    Args:
        items: The sequence.
        searched: It is tried from every place of a text.
        behind: What follows it.
        before: The letters that stand before it in every match.
    """
    before = list(before or [])
    for place, (op, value) in enumerate(items):
        rest = items[place + 1 :] + (behind or [])
        one = letters(op, value)
        if one is not None:
            before.append(one)
        elif op in REPEATS and value[1] is code.MAXREPEAT:  # type: ignore[index]
            body = list(value[2])  # type: ignore[index]
            taken = letters(*body[0]) if len(body) == 1 else None
            if taken is None:
                if op is not code.POSSESSIVE_REPEAT or searched:
                    yield f"a repeat of more than one letter: {body}"
                yield from faults(body, False, body + rest)
                continue
            follows, can_end = first(rest)
            never_fails = can_end and not rest
            if op is not code.POSSESSIVE_REPEAT and follows & taken and is_unbounded(rest):
                yield f"two repeats that can share a stretch: {body} and {rest}"
            if searched and not never_fails and not any(not letter & taken for letter in before):
                yield f"a stretch in which many matches can begin: {body}"
        else:
            for item in parts(op, value):
                yield from faults(item, searched, rest, before)
            if op is code.SUBPATTERN:
                before += mandatory(list(value[-1]))  # type: ignore[index]


def explosions(items: Sequence, behind: Sequence = ()) -> Iterator[str]:
    """Yield repeats of a sequence, bounded or not, that can be parted in many ways: each time doubles the work."""
    for place, (op, value) in enumerate(items):
        rest = [*items[place + 1 :], *behind]
        if op in REPEATS and op is not code.POSSESSIVE_REPEAT and value[1] > FEW:
            yield from (
                f"a repeat within a repeat: {inner}" for inner in open_ends(list(value[2]), list(value[2]) + rest)
            )
        for item in parts(op, value):
            yield from explosions(item, rest)


def open_ends(items: Sequence, behind: Sequence) -> Iterator[object]:
    """Yield the repeats of a letter, not possessive, that could have taken what follows them."""
    for place, (op, value) in enumerate(items):
        rest = [*items[place + 1 :], *behind]
        if op in (code.POSSESSIVE_REPEAT, code.ATOMIC_GROUP):
            continue
        body = list(value[2]) if op in REPEATS else []
        taken = letters(*body[0]) if len(body) == 1 else None
        if taken is not None and value[0] < value[1] and value[1] > 1 and first(rest)[0] & taken:
            yield value
        for item in parts(op, value):
            yield from open_ends(item, rest)


def mandatory(items: list[tuple[object, object]]) -> list[frozenset[str]]:
    return [one for op, value in items if (one := letters(op, value)) is not None]


def of_pattern(pattern: re.Pattern[str] | re.Pattern[bytes], searched: bool = True) -> list[str]:
    items = list(parser.parse(pattern.pattern, pattern.flags & ~re.UNICODE & ~re.LOCALE))
    return [*faults(items, searched), *explosions(items)]


def patterns() -> Iterator[tuple[str, re.Pattern[str] | re.Pattern[bytes], bool]]:
    """Yield the patterns of the rooms that read what others wrote: name, pattern, and whether it is searched for."""
    root = Path(sttdoctor.__file__).parent
    source = {path: path.read_text("utf-8") for room in ("readers", "triage") for path in (root / room).rglob("*.py")}
    used: dict[str, set[str]] = {}
    for text in source.values():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Attribute):
                name = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
                used.setdefault(name, set()).add(node.attr)
    for path in source:
        module = importlib.import_module(".".join(path.relative_to(root.parent).with_suffix("").parts))
        for name, value in vars(module).items():
            if isinstance(value, re.Pattern):
                yield f"{path.stem}.{name}", value, not used.get(name, {"search"}) <= ANCHORED


@pytest.mark.parametrize(("pattern", "searched"), [pytest.param(*rest, id=name) for name, *rest in patterns()])
def test_a_pattern_of_a_reader_is_linear(pattern, searched):
    assert of_pattern(pattern, searched) == []


@pytest.mark.parametrize(
    "pattern",
    [
        r"([<>]) (TEXT|PING) (.*) \[(\d{1,12}) bytes\]$",
        r"\bmessage: (b?(?:'.*'|\".*\"))$",
        r'^\s*\{.*?"type"',
        r"a+b",
        r"(?:x|a+)b",
        r"\w+@\w+",
        r"(a+)+b",
        r"(?:[^\\]|\\.)*'",
        r"x[^y]*,\s*.*z",
        r"(?:/\*.{0,4000}?\*/){0,40}x",
        r"(?:\s|(?:\w{1,9},?)){0,40}x",
    ],
)
def test_a_pattern_that_is_not_linear_is_seen(pattern):
    assert of_pattern(re.compile(pattern))


@pytest.mark.parametrize(
    ("pattern", "searched"),
    [
        (r">a+", True),
        (r"> (\S+) HTTP$", True),
        (r"a+", True),
        (r"a+b", False),
        (r"(?:a|b+,)*+c", False),
        (r"a?b", True),
        (r"(?:/\*[^*]*+(?:\*(?!/)[^*]*+)*+\*/){0,40}+x", False),
        (r"(?:\w{1,9}: [^\n]{0,80}\n){1,40}x", False),
    ],
)
def test_a_linear_pattern_is_let_pass(pattern, searched):
    assert of_pattern(re.compile(pattern), searched) == []
