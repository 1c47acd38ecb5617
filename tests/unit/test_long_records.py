"""CSV files with records of any length: found in one pass, and read by all that reads a package."""

from __future__ import annotations

import csv
import io
from dataclasses import astuple
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pool_recon import long_records
from pool_recon.audit.consistency import open_files
from pool_recon.audit.evidence import Manifest, Package, csv_source
from pool_recon.audit.rerun import _register
from pool_recon.expectations import suite, validation
from pool_recon.long_records import longest_record, options_for_records
from pool_recon.postgres.mirror import _insert
from pool_recon.register import COLUMNS, RegisterRow, _finding

HEADER = ["id", "text"]
# Of the CSV reader of Python.
DEFAULT_LIMIT = 131_072
LONG_TEXTS = [
    pytest.param("x" * 2_100_000, id="one line of 2 MB"),
    pytest.param('y,"\n' * 600_000, id="many lines of 3 MB"),
    pytest.param("z" * 40_000_000, id="one line of 40 MB"),
]


def written(file: Path, rows: list[tuple[str, str]]) -> Path:
    """A file as DuckDB writes those of a package."""
    with duckdb.connect() as connection:
        connection.execute("create table rows (id varchar, text varchar)")
        connection.execute(
            "insert into rows select unnest($1), unnest($2)", [*zip(*rows, strict=True)]
        )
        connection.execute(
            f"copy rows to '{file}' (format csv, header true, delimiter ',', quote '\"',"
            " escape '\"', nullstr '')"
        )
    return file


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(
        st.tuples(st.text('a",\n', max_size=12), st.text('b",\r\n', max_size=12)), max_size=8
    ),
    block=st.integers(1, 20),
    has_last_end=st.booleans(),
)
@example(rows=[("a", "b\nb"), ("", "")], block=3, has_last_end=False)
def test_the_longest_record_is_found_wherever_blocks_end(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    rows: list[tuple[str, str]],
    block: int,
    has_last_end: bool,
) -> None:
    monkeypatch.setattr(long_records, "_BLOCK", block)
    records = []
    for row in rows:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerow(row)
        records.append(text.getvalue().encode())
    if records and not has_last_end:
        records[-1] = records[-1].removesuffix(b"\n")
    file = tmp_path / "rows.csv"
    file.write_bytes(b"".join(records))
    assert longest_record(file) == max([block, *map(len, records)])


def test_ordinary_files_are_read_as_ever(tmp_path: Path) -> None:
    file = written(tmp_path / "rows.csv", [(str(number), "a, b\nc") for number in range(20_000)])
    assert file.stat().st_size > 200_000
    assert options_for_records(file) == ""


@pytest.mark.parametrize("text", LONG_TEXTS)
def test_verify_reads_a_long_value(text: str, tmp_path: Path) -> None:
    file = written(tmp_path / "orders.csv", [("1", "a"), ("2", text), ("3", "b")])
    stated = {"close": {}, "outputs": [{"file": file.name, "rows": 3}]}
    with duckdb.connect() as connection:
        package = Package(tmp_path, None, ())
        assert open_files(connection, package, Manifest(stated, "")) == []
        assert connection.execute("select text from orders where id = '2'").fetchall() == [(text,)]


@pytest.mark.parametrize("text", LONG_TEXTS)
def test_the_second_reading_reads_a_long_value(text: str, tmp_path: Path) -> None:
    written(tmp_path / "things.csv", [("1", "a"), ("2", text), ("3", "b")])
    columns = tuple(
        suite.PublishedColumn(name, "text", "", name == "id", "", name, name == "id")
        for name in HEADER
    )
    file = suite.PublishedFile("things", "marts.things", "", ("id",), True, columns)
    with duckdb.connect() as connection:
        connection.execute("create schema marts")
        connection.execute("create table marts.things (id varchar, text varchar)")
        connection.executemany(
            "insert into marts.things values (?, ?)", [("1", "a"), ("2", text), ("3", "other")]
        )
        validation._read_file(connection, tmp_path / "things.csv", file, HEADER)
        found = connection.execute(f"select id from {file.relation}").fetchall()
        assert sorted(found) == [("1",), ("2",), ("3",)]
        judged = f"select row_key, difference from {file.judged_relation}"
        assert connection.execute(judged).fetchall() == [("3", "text is b, not other")]


def test_a_part_of_a_large_file_may_begin_within_a_value_of_many_lines(tmp_path: Path) -> None:
    rows = [(str(number), "a, b\n" * 60_000) for number in range(40)]
    file = written(tmp_path / "rows.csv", rows)
    with duckdb.connect() as connection:
        query = f"select count(*), sum(length(text)) from {csv_source(file, HEADER)}"
        assert connection.execute(query).fetchall() == [(40, 40 * 300_000)]


def test_what_postgres_gives_back_may_be_long(tmp_path: Path) -> None:
    text = "x" * 17_000_000
    file = tmp_path / "rows.csv"
    file.write_text(f'"1","{text}"\n"2",\n', encoding="utf-8")
    with duckdb.connect() as connection:
        _insert(connection, "rows", [("id", "varchar"), ("text", "varchar")], file)
        assert connection.execute("from rows").fetchall() == [("1", text), ("2", None)]


def test_approve_and_the_re_run_read_a_long_value(tmp_path: Path) -> None:
    text = "x" * 200_000
    names = ("exception_id", "code", "subject_type", "subject_id", "environment", "evidence_hash")
    exceptions = tmp_path / "exceptions.csv"
    exceptions.write_text(f"{','.join(names)}\n1,c,s,{text},live,h\n", encoding="utf-8")
    csv.field_size_limit(DEFAULT_LIMIT)
    assert _finding(exceptions, "1")["subject_id"] == text
    row = RegisterRow(2, *(text if name == "reason" else name for name in COLUMNS))
    with (tmp_path / "register.csv").open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([("line_number", *COLUMNS), astuple(row)])
    stated = {"register": {"file": "register.csv", "sha256": "", "size_bytes": 0}}
    csv.field_size_limit(DEFAULT_LIMIT)
    register = _register(tmp_path, Manifest(stated, ""))
    assert register is not None
    assert register.rows == (row,)
