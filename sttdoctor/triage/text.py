"""A summary for a terminal: it fits a screen; the table and the page have all."""

from collections.abc import Iterator

from sttdoctor.checks import all_causes
from sttdoctor.checks.base import count_noun
from sttdoctor.reporting.escape import for_terminal
from sttdoctor.triage.summary import Summary, group_name, head, mix, name_of, share, words

_LINES = 22
"""Of a terminal of 24; two are left for the command and the prompt."""
_NAME_COLUMNS = 28
_GROUP_COLUMNS = 40
_SHOWN_GROUPS = 6


def render(summary: Summary, width: int = 80) -> str:
    """Return how often each cause comes first, what to do, the worst example of each, and the groups.

    Args:
        summary: Of a table.
        width: Columns of the terminal.
    """
    groups = list(_list_groups(summary, width))
    lines = [_cut_back(head(summary), width), "", *_list_outcomes(summary, width, _LINES - 2 - len(groups)), *groups]
    return "\n".join(lines) + "\n"


def _list_outcomes(summary: Summary, width: int, room: int) -> Iterator[str]:
    """Each cause, with its fix where there is room for it, then what has no cause."""
    yield f"{'what comes first':<{_NAME_COLUMNS}}{'all':>6}{'fail':>6}{'warn':>6}{'share':>7}  the worst"
    causes = all_causes()
    found = [item for item in summary.ranked() if item[0] in causes]
    rest = [item for item in summary.ranked() if item[0] not in causes]
    room -= 1 + len(rest)
    fixes = 2 * len(found) <= room
    shown = found if fixes or len(found) <= room else found[: max(1, room - 1)]
    for what, count in shown:
        yield _tell_outcome(summary, what, count, width)
        if fixes:
            yield _cut_back(f"    {causes[what].fix}", width)
    if len(shown) < len(found):
        yield f"and {count_noun(len(found) - len(shown), 'more cause')}: -o FILE has a table of all, --html DIR a page"
    for what, count in rest:
        yield _tell_outcome(summary, what, count, width)


def _tell_outcome(summary: Summary, what: str, count: int, width: int) -> str:
    fail, warn = (summary.counts[what, status] or "" for status in ("fail", "warn"))
    line = f"{for_terminal(words(what)):<{_NAME_COLUMNS}}{count:>6}{fail:>6}{warn:>6}{share(count, summary.count):>7}"
    room = width - len(line) - 2
    for row in summary.worst(what)[:1]:
        name = for_terminal(name_of(row))
        if row["status"] == "error":
            return f"{line}  " + _cut_back(f"{name}: {for_terminal(str(row['error']))}", room)
        return f"{line}  {_cut_front(name, room)}"
    return line


def _cut_front(text: str, room: int) -> str:
    """The end of a path tells captures apart."""
    return text if len(text) <= room else f"...{text[len(text) - max(0, room - 3) :]}"


def _cut_back(text: str, room: int) -> str:
    return text if len(text) <= room else f"{text[: max(0, room - 3)].rstrip()}..."


def _list_groups(summary: Summary, width: int) -> Iterator[str]:
    if not summary.group_by:
        return
    groups = [(for_terminal(group_name(values)), outcomes) for values, outcomes in summary.trends()]
    shown = groups[:_SHOWN_GROUPS]
    column = min(_GROUP_COLUMNS, max(len(name) for name, _ in shown))
    yield from ("", _cut_back(f"By {', '.join(summary.group_by)}", width))
    for name, outcomes in shown:
        told = f"  {_cut_back(name, column):<{column}}{outcomes.total():>7}  {for_terminal(mix(outcomes))}"
        yield _cut_back(told, width)
    if len(groups) > len(shown):
        yield f"  and {count_noun(len(groups) - len(shown), 'more group')}"
