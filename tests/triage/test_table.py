import csv
import json

import pytest
from disk import small_files
from hypothesis import given, settings
from hypothesis import strategies as st

from sttdoctor.errors import InputError, UsageError
from sttdoctor.triage.row import COLUMNS, error_row
from sttdoctor.triage.table import Table, decode_cell, encode_cell, line_of, row_of_line
from sttdoctor.triage.task import Task

ROWS = [error_row(Task(f"calls/{n}\n,é", "m" * (n % 2)), f"odd\n{n}") | {"seconds": 0.5} for n in range(6)]


def written(path, rows=ROWS):
    table = Table(str(path))
    for row in rows:
        table.add(row)
    table.close()
    return path.read_bytes()


def keys(rows):
    return [(row["path"], row["member"]) for row in rows]


@pytest.fixture(params=["t.csv", "t.jsonl", "T.NDJSON"])
def path(request, tmp_path):
    return tmp_path / request.param


def test_rows_are_lines_and_read_back(path):
    content = written(path)
    table = Table(str(path), resume=True)
    assert list(table.rows()) == ROWS and table.done == set(keys(ROWS))
    table.close()
    assert path.read_bytes() == content
    assert content.count(b"\n") == len(ROWS) + (path.suffix == ".csv")


def test_a_row_stands_on_disk_as_soon_as_it_is_added_and_only_once(path):
    table = Table(str(path))
    table.add(ROWS[0])
    before = path.read_bytes()
    assert json.dumps(ROWS[0]).encode() in before or b"odd\\n0" in before
    table.add(ROWS[0])
    assert path.read_bytes() == before
    table.close()


def test_a_table_that_exists_is_not_written_over(path):
    content = written(path)
    with pytest.raises(UsageError, match="--resume goes on with it, --force writes over it"):
        Table(str(path))
    assert path.read_bytes() == content
    table = Table(str(path), force=True)
    assert not table.done and list(table.rows()) == []
    table.close()


def test_a_link_is_followed_only_when_that_is_asked_for(tmp_path):
    path, target = tmp_path / "t.jsonl", tmp_path / "elsewhere"
    path.symlink_to(target)
    with pytest.raises(UsageError, match="is a link to"):
        Table(str(path))
    assert not target.exists()
    Table(str(path), resume=True).close()
    assert target.exists()


def test_a_table_of_an_earlier_version_is_gone_on_with(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(",".join(COLUMNS) + "\n")
    Table(str(path)).close()
    assert path.read_text().count("\n") == 1
    path.write_text(",".join(COLUMNS) + "\na,,,pass" + "," * (len(COLUMNS) - 4) + "\n")
    table = Table(str(path), resume=True)
    assert table.done == {("a", "")}
    table.close()


def test_a_table_without_rows_is_no_loss(path):
    for _ in range(2):
        Table(str(path)).close()
    assert len(written(path).splitlines()) == len(ROWS) + (path.suffix == ".csv")


def test_columns_of_another_version_are_not_mixed(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("path,verdict\na,b\n")
    with pytest.raises(UsageError, match="its columns are others"):
        Table(str(path), resume=True)
    assert path.read_text() == "path,verdict\na,b\n"


@pytest.mark.parametrize("resume", [True, False])
def test_what_cannot_be_written_is_told(tmp_path, resume):
    with pytest.raises(UsageError, match=r"ends in \.csv or \.jsonl, not t\.xls"):
        Table(str(tmp_path / "t.xls"), resume)
    with pytest.raises(InputError, match="cannot write"):
        Table(str(tmp_path / "missing" / "t.csv"), resume)


def test_a_full_disk_is_told(tmp_path):
    table = Table(str(tmp_path / "t.jsonl"))
    table.close()
    table._file = open("/dev/full", "wb", buffering=0)  # noqa: SIM115
    with pytest.raises(InputError, match="No space left"):
        table.add(ROWS[0])
    table.close()


def test_a_disk_without_room_for_the_columns_is_told(tmp_path):
    with small_files(10), pytest.raises(InputError, match="File too large"):
        Table(str(tmp_path / "t.csv"))
    assert (tmp_path / "t.csv").read_bytes() == b""


@pytest.mark.parametrize("room", [0, 1, 40, 300])
def test_of_a_row_that_finds_no_room_nothing_stays(path, room):
    table = Table(str(path))
    table.add(ROWS[0])
    before = path.read_bytes()
    with small_files(len(before) + room), pytest.raises(InputError, match="File too large"):
        table.add(ROWS[1] | {"error": "x" * 400})
    assert path.read_bytes() == before
    table.add(ROWS[1])
    assert keys(table.rows()) == keys(ROWS[:2])
    table.close()


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan")])
def test_a_number_that_is_none_is_no_row(tmp_path, value):
    path = tmp_path / "t.jsonl"
    written(path, [ROWS[0] | {"duration_s": value}, ROWS[1]])
    table = Table(str(path), resume=True)
    assert keys(table.rows()) == keys([ROWS[1]])
    table.close()


@settings(max_examples=60)
@given(cut=st.floats(0, 1), suffix=st.sampled_from([".csv", ".jsonl"]))
def test_wherever_a_table_was_cut_off_it_is_mended_and_gone_on_with(tmp_path_factory, cut, suffix):
    path = tmp_path_factory.mktemp("cut") / f"t{suffix}"
    whole = written(path)
    path.write_bytes(whole[: round(cut * len(whole))])
    table = Table(str(path), resume=True)
    kept = list(table.rows())
    assert kept == ROWS[: len(kept)]
    for row in ROWS:
        table.add(row)
    table.close()
    assert path.read_bytes() == whole


@given(content=st.binary(max_size=200))
@settings(max_examples=50)
def test_any_bytes_where_a_table_should_be_are_survived(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("odd") / "t.jsonl"
    path.write_bytes(content)
    table = Table(str(path), resume=True)
    table.add(ROWS[0])
    table.close()
    again = Table(str(path), resume=True)
    assert list(again.rows()) == [ROWS[0]]
    again.close()


def test_rows_of_json_have_every_column(tmp_path):
    path = tmp_path / "t.jsonl"
    good = {"path": "a", "member": "", "status": "pass"}
    bad = ([], {**good, "path": 1}, {**good, "status": "x"}, {**good, "confidence": "0.5"}, {"path": "a"})
    path.write_text("\n".join(map(json.dumps, (good, *bad))) + "\n")
    table = Table(str(path), resume=True)
    assert [list(row) for row in table.rows()] == [list(COLUMNS)]
    table.close()


SIGNS = "=+-@\uff1d\uff0b\uff0d\uff20"
TEXT = st.text(st.characters(exclude_categories=())) | st.text("\\'nxu0\n\t\r1f,; \"" + SIGNS)
VALUES = {str: TEXT.filter(bool), int: st.integers(), float: st.floats(allow_nan=False)}
CELLS = st.fixed_dictionaries({name: st.none() | VALUES[kind] for name, (kind, _) in COLUMNS.items()}).map(
    lambda row: row | {"path": row["path"] or "p", "member": row["member"] or ""}
)


@given(TEXT)
def test_a_cell_is_one_line_no_formula_and_reads_back(text):
    cell = encode_cell(text)
    assert decode_cell(cell) == text
    assert not cell.lstrip().startswith(tuple(SIGNS)) and len(cell.splitlines()) <= 1
    cell.encode("utf-8")


@given(CELLS)
def test_a_spreadsheet_that_splits_anywhere_runs_nothing(row):
    line = line_of(row[name] for name in COLUMNS if COLUMNS[name][0] is str)
    for separator in ",;\t":
        for cell in next(csv.reader([line], delimiter=separator)) + line.split(";"):
            assert not cell.strip(' "').startswith(tuple(SIGNS))


def test_a_name_that_hides_a_formula_is_readable_and_harmless():
    assert encode_cell("x;=HYPERLINK(1).jsonl") == r"x;\x3dHYPERLINK(1).jsonl"
    assert encode_cell("\uff1d1+1") == "'\uff1d1+1"
    assert encode_cell("a=1; b - c; d") == "a=1; b - c; d"


@given(CELLS)
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
