"""The workbook, as another program reads it."""

from __future__ import annotations

from pathlib import Path

import duckdb

from pool_recon.report.figures import Figures
from pool_recon.workbook import write_workbook
from tests.harness.libreoffice import read_by_libreoffice
from tests.unit.test_report import figures as figures
from tests.unit.test_workbook import AWKWARD, package
from tests.unit.test_workbook import connection as connection


def test_libreoffice_reads_every_text_as_it_is(
    tmp_path: Path, connection: duckdb.DuckDBPyConnection, figures: Figures
) -> None:
    # Characters that no reader keeps are left out: XML has no form for them.
    values = [value for value in AWKWARD if not set(value) & set("\x01\x1f\ufffe\uffff\r")]
    rows = [["id", "amount"], *([value, "-0.100000000000000001"] for value in values)]
    write_workbook(connection, tmp_path, package(tmp_path, {"orders": rows}, figures))
    read = read_by_libreoffice(tmp_path / "close.xlsx", tmp_path)["orders"]
    assert read[0] == ["id", "amount", "amount_number"]
    assert [row[0] for row in read[1:]] == values
    assert {row[1] for row in read[1:]} == {"-0.100000000000000001"}
    assert {row[2] for row in read[1:]} == {"-0.10"}


def test_libreoffice_shows_the_number_of_every_amount(
    tmp_path: Path, connection: duckdb.DuckDBPyConnection, figures: Figures
) -> None:
    shown = {
        "-0.0000000000000001": "-0.0000000000000001",
        "0.000000000000000001": "0.000000000000000001",
        "0.0000001": "0.0000001",
        "0.000001": "0.000001",
        "-1234.5": "-1,234.50",
        "163124.860000": "163,124.86",
        "0": "0.00",
        "123456789.123456789": "123,456,789.123457",
        "99999999999999999999.999999999999999999": "100,000,000,000,000,000,000.00",
    }
    rows = [["id", "amount"], *(["a", amount] for amount in shown)]
    write_workbook(connection, tmp_path, package(tmp_path, {"orders": rows}, figures))
    read = read_by_libreoffice(tmp_path / "close.xlsx", tmp_path)["orders"]
    assert {row[1]: row[2] for row in read[1:]} == shown
