import csv

from hypothesis import given
from hypothesis import strategies as st

from sttdoctor.triage.cells import decoded, encoded, line_of, row_of_line
from sttdoctor.triage.row import COLUMNS

SIGNS = "=+-@\uff1d\uff0b\uff0d\uff20"
TEXT = st.text(st.characters(exclude_categories=())) | st.text("\\'nxu0\n\t\r1f,; \"" + SIGNS)
VALUES = {str: TEXT.filter(bool), int: st.integers(), float: st.floats(allow_nan=False)}
ROWS = st.fixed_dictionaries({name: st.none() | VALUES[kind] for name, (kind, _) in COLUMNS.items()}).map(
    lambda row: row | {"path": row["path"] or "p", "member": row["member"] or ""}
)


@given(TEXT)
def test_a_cell_is_one_line_no_formula_and_reads_back(text):
    cell = encoded(text)
    assert decoded(cell) == text
    assert not cell.lstrip().startswith(tuple(SIGNS)) and len(cell.splitlines()) <= 1
    cell.encode("utf-8")


@given(ROWS)
def test_a_spreadsheet_that_splits_anywhere_runs_nothing(row):
    line = line_of(row[name] for name in COLUMNS if COLUMNS[name][0] is str)
    for separator in ",;\t":
        for cell in next(csv.reader([line], delimiter=separator)) + line.split(";"):
            assert not cell.strip(' "').startswith(tuple(SIGNS))


def test_a_name_that_hides_a_formula_is_readable_and_harmless():
    assert encoded("x;=HYPERLINK(1).jsonl") == r"x;\x3dHYPERLINK(1).jsonl"
    assert encoded("\uff1d1+1") == "'\uff1d1+1"
    assert encoded("a=1; b - c; d") == "a=1; b - c; d"


@given(ROWS)
def test_a_row_is_one_line_and_reads_back(row):
    line = line_of(row[name] for name in COLUMNS)
    assert line.endswith("\n") and line.count("\n") == 1
    assert row_of_line(line) == row
    assert len(next(csv.reader([line]))) == len(COLUMNS)


def test_a_table_without_quotes_as_earlier_versions_wrote_it_is_read():
    row = dict.fromkeys(COLUMNS) | {"path": "a b", "member": "", "status": "pass", "confidence": 0.5}
    line = line_of(row[name] for name in COLUMNS)
    assert line.startswith('"a b","","",') and row_of_line(line) == row == row_of_line(line.replace('"', ""))


@given(st.text() | st.lists(st.text('ab,"\\1.-x'), min_size=len(COLUMNS), max_size=len(COLUMNS)).map(",".join))
def test_any_line_is_a_row_or_none(line):
    row = row_of_line(line)
    assert row is None or list(row) == list(COLUMNS)
