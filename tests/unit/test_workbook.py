"""What the workbook makes of the files of a package: the same values, nothing that can run."""

from __future__ import annotations

import csv
import errno
import os
import time
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pytest
from openpyxl.utils.escape import unescape

from pool_recon import workbook
from pool_recon.cli import close
from pool_recon.package import Verdict
from pool_recon.report.figures import Figures, Tally
from pool_recon.workbook import DEFAULT_EXCEPTIONS, DEFAULT_ROWS, MAX_ROWS, write_workbook
from tests.unit.test_report import figures as figures
from tests.unit.test_report import rule

# Of a cell that is not filled.
PLAIN = "00000000"
AWKWARD = [
    "=1+1",
    "+1",
    "-1",
    "@sum(a1)",
    "\tx",
    "\rx",
    "'x",
    '=cmd|" /C calc"!A0',
    "https://example.org/",
    "internal:summary!A1",
    "<r><t>no rich text</t></r>",
    "<r></c></row>broken</r>",
    "<&>\"'",
    " blanks ",
    "two\nlines",
    "_x0041_",
    "\x01\x1f",
    "\ufeffmark",
    "\ufffe\uffff",
    "snow \u2603 \U0001f600",
    "007",
    "1e5",
    "TRUE",
    "2026-06-30",
]


@pytest.fixture
def connection() -> duckdb.DuckDBPyConnection:
    """A warehouse that knows the type of each column."""
    connection = duckdb.connect()
    connection.execute(
        "create schema marts; create table marts.fct_things"
        "(id varchar, amount decimal(38, 18), entry_seq decimal(38, 0), age_days integer,"
        " next_review_date date, reconciliation_state varchar, severity varchar)"
    )
    return connection


def package(folder: Path, files: dict[str, list[list[str]]], figures: Figures) -> Figures:
    """Write CSV files into a folder; returns the figures with these files."""
    for name, rows in files.items():
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream).writerows(rows)
    outputs = [{"file": f"{name}.csv", "rows": len(rows) - 1} for name, rows in files.items()]
    return replace(figures, files=[*outputs, {"file": "expectations.json", "rows": 1}])


def cells(path: Path, sheet: str) -> list[list[Any]]:
    book = openpyxl.load_workbook(path)
    return [[cell.value for cell in row] for row in book[sheet].iter_rows()]


def column(path: Path, sheet: str, at: int = 0) -> Sequence[Any]:
    return [row[at] for row in cells(path, sheet)]


def test_every_text_is_text(
    tmp_path: Path, connection: duckdb.DuckDBPyConnection, figures: Figures
) -> None:
    rows = [["id", "severity"], *([value, "x"] for value in AWKWARD)]
    path, count = write_workbook(connection, tmp_path, package(tmp_path, {"orders": rows}, figures))
    assert count == len(AWKWARD)
    sheet = openpyxl.load_workbook(path)["orders"]
    found = [sheet.cell(row, 1) for row in range(2, sheet.max_row + 1)]
    assert {cell.data_type for cell in found} <= {"s", "inlineStr"}
    assert {cell.number_format for cell in found} == {"@"}
    assert not any(cell.hyperlink for cell in found)
    assert [unescape(cell.value) for cell in found] == AWKWARD
    with zipfile.ZipFile(path) as archive:
        parts = [archive.read(name) for name in archive.namelist() if "sheet" in name]
    assert not any(b"<f>" in part or b"<f " in part for part in parts)


def test_amounts_are_exact_text_with_a_number_beside(
    tmp_path: Path, connection: duckdb.DuckDBPyConnection, figures: Figures
) -> None:
    rows = [
        ["id", "amount", "entry_seq", "age_days", "next_review_date"],
        ["a", "1000.10", "7", "3", "2026-07-01"],
        ["b", "-0.123456789012345678", "12345678901234567890", "", "0001-01-01"],
        ["c", "", "", "0", ""],
    ]
    path, _ = write_workbook(connection, tmp_path, package(tmp_path, {"ledger": rows}, figures))
    head, *found = cells(path, "ledger")
    assert head == ["id", "amount", "amount_number", "entry_seq", "age_days", "next_review_date"]
    assert found[0][1:5] == ["1000.10", 1000.1, 7, 3]
    assert found[0][5].date().isoformat() == "2026-07-01"
    assert found[1][1] == "-0.123456789012345678"
    assert found[1][2] == pytest.approx(-0.123456789012346, abs=1e-15)
    assert found[1][3:] == ["12345678901234567890", None, "0001-01-01"]
    assert found[2][1:] == [None, None, None, 0, None]


def test_a_sheet_has_a_frozen_header_with_filters(
    tmp_path: Path, connection: duckdb.DuckDBPyConnection, figures: Figures
) -> None:
    files = {
        "exceptions": [["id", "severity", "amount"], ["a", "blocking", "1"], ["b", "warning", ""]],
        "orders": [["id"]],
    }
    path, _ = write_workbook(connection, tmp_path, package(tmp_path, files, figures))
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["summary", "exceptions", "orders"]
    sheet = book["exceptions"]
    assert sheet.freeze_panes == "B2"
    assert sheet.auto_filter.ref == "A1:D3"
    assert sheet.column_dimensions["B"].width >= len("severity")
    assert len(sheet.conditional_formatting) == 1
    assert book["orders"].auto_filter.ref == "A1"


def test_every_sheet_is_printed_on_the_width_of_one_page(
    tmp_path: Path, connection: duckdb.DuckDBPyConnection, figures: Figures
) -> None:
    files = {
        "orders": [["id"], ["o1"]],
        "reconciliation": [[f"column_{number}" for number in range(60)], ["value"] * 60],
        "trades": [["id"], *([f"t{number}"] for number in range(3))],
    }
    path, _ = write_workbook(connection, tmp_path, package(tmp_path, files, figures), rows=2)
    book = openpyxl.load_workbook(path)
    for sheet in book:
        page = sheet.page_setup
        assert sheet.sheet_properties.pageSetUpPr.fitToPage, sheet.title
        assert (int(page.paperSize), page.orientation) == (9, "landscape"), sheet.title
        assert (int(page.fitToWidth or 1), int(page.fitToHeight)) == (1, 0), sheet.title
    heads = {sheet.title: sheet.print_title_rows for sheet in book}
    # The note about what is cut stands above the header.
    assert heads == {
        "summary": None,
        "orders": "$1:$1",
        "reconciliation": "$1:$1",
        "trades": "$2:$2",
    }


def test_a_cut_is_said_and_exceptions_come_first(
    tmp_path: Path, connection: duckdb.DuckDBPyConnection, figures: Figures
) -> None:
    states = ["matched", "exception", "matched", "exception", "matched"]
    movements = [[f"m{number}", state] for number, state in enumerate(states)]
    files = {
        "reconciliation": [["id", "reconciliation_state"], *movements],
        "orders": [["id"], *([f"o{number}"] for number in range(4))],
    }
    told = replace(package(tmp_path, files, figures), states=[("matched", 3), ("exception", 2)])
    path, count = write_workbook(connection, tmp_path, told, rows=3)
    assert count == 6
    note, head, *found = column(path, "reconciliation")
    assert note == (
        "Cut: 3 of 5 rows, those with exceptions first; all of them are in reconciliation.csv"
    )
    assert [head, *found] == ["id", "m1", "m3", "m0"]
    assert column(path, "orders")[0] == "Cut: 3 of 4 rows; all of them are in orders.csv"
    book = openpyxl.load_workbook(path)
    assert book["orders"].freeze_panes == "B3"
    assert book["orders"].auto_filter.ref == "A2:A5"
    summary = {row[0]: row for row in cells(path, "summary")}
    assert summary["orders"][1:3] == [4, 3]
    assert "orders.csv" in summary["orders"][4]
    assert any("Some sheets do not show" in str(key) for key in summary)


def test_no_sheet_outgrows_excel(
    tmp_path: Path,
    connection: duckdb.DuckDBPyConnection,
    figures: Figures,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert MAX_ROWS + 2 == 1_048_576
    monkeypatch.setattr(workbook, "MAX_ROWS", 3)
    files = {
        name: [["id"], *([f"{name}{number}"] for number in range(rows))]
        for name, rows in (("orders", 3), ("quotes", 4))
    }
    told = package(tmp_path, files, figures)
    for rows in (None, 2_000_000):
        path, count = write_workbook(connection, tmp_path, told, rows)
        assert count == 6
        assert column(path, "orders") == ["id", "orders0", "orders1", "orders2"]
        assert column(path, "quotes") == [
            "Cut: 3 of 4 rows; all of them are in quotes.csv",
            *("id", "quotes0", "quotes1", "quotes2"),
        ]
        assert openpyxl.load_workbook(path)["quotes"].max_row == 5


@pytest.mark.parametrize(
    ("name", "rows", "shown"),
    [
        ("exceptions", None, DEFAULT_EXCEPTIONS),
        ("orders", None, DEFAULT_ROWS),
        ("exceptions", 7, 7),
        ("orders", 10**7, MAX_ROWS),
    ],
)
def test_a_sheet_takes_what_was_asked_for(name: str, rows: int | None, shown: int) -> None:
    assert workbook._limit(name, rows) == shown


def test_nothing_becomes_a_formula_in_heads_and_summary(
    tmp_path: Path, connection: duckdb.DuckDBPyConnection, figures: Figures
) -> None:
    formulas = [value for value in AWKWARD if value[0] in "=+-@\t\r"]
    risks = {value: {"blocking": "1"} for value in formulas}
    told = replace(
        package(tmp_path, {"orders": [formulas, ["x"] * len(formulas)]}, figures),
        assets=[Tally("all", {"blocking": 1, "warning": 0, "approved": 0}, 0, 0, risks)],
        rules=[rule("=1+1")],
        verdict=Verdict({"=1+1": "fails"}, failed_checks=("=1+1", "@x")),
        states=[("matched", 1), ("=1+1", 2)],
    )
    path, _ = write_workbook(connection, tmp_path, told)
    book = openpyxl.load_workbook(path)
    assert [unescape(cell.value) for cell in book["orders"][1]] == formulas
    texts = [cell for row in book["summary"].iter_rows() for cell in row if cell.value]
    assert {unescape(str(cell.value)) for cell in texts} >= set(formulas)
    assert "f" not in {cell.data_type for cell in (*texts, *book["orders"][1])}
    assert {cell.number_format for cell in texts if isinstance(cell.value, str)} <= {"@", "General"}


def test_balances_that_differ_and_rows_in_quarantine_are_coloured(
    tmp_path: Path, connection: duckdb.DuckDBPyConnection, figures: Figures
) -> None:
    connection.execute(
        "create table marts.fct_balances(closing decimal(38, 18), reported_balance decimal(38, 18))"
    )
    files = {
        # What the close found counts, and not whether it is the closing balance.
        "balances": [
            ["asset", "closing", "reported_balance"],
            ["EUR", "1.00", "1.01"],
            ["GBP", "1.00", "1.00"],
            ["USD", "1.00", "1.00"],
            ["CHF", "1.00", ""],
        ],
        "conservation": [["export", "quarantined"], ["orders", "0"]],
    }
    told = replace(package(tmp_path, files, figures), mismatches={2})
    for rows, cells in ((None, ["D2", "D3", "D4"]), (3, ["D3", "D4", "D5"])):
        path, _ = write_workbook(connection, tmp_path, told, rows)
        book = openpyxl.load_workbook(path)
        sheet = book["balances"]
        assert [sheet[cell].value for cell in cells] == ["1.01", "1.00", "1.00"]
        assert [sheet[cell].fill.fgColor.rgb for cell in cells] == [PLAIN, "FFFBF1DD", PLAIN]
        assert {sheet[cell].number_format for cell in cells} == {"@"}
        assert not sheet.conditional_formatting
    (rules,) = book["conservation"].conditional_formatting
    assert (str(rules.sqref), rules.rules[0].formula) == ("B2", ["0"])


def test_the_tabs_tell_the_verdict(
    tmp_path: Path, connection: duckdb.DuckDBPyConnection, figures: Figures
) -> None:
    files = {"checklist": [["rule"]], "exceptions": [["code"]], "orders": [["id"]]}
    ready = package(tmp_path, files, figures)
    tally = Tally("all", {"blocking": 1, "warning": 0, "approved": 0}, 0, 0, {})
    failing = replace(
        ready,
        verdict=Verdict({"no_secrets": "fails"}),
        rules=[rule("no_secrets", "fails")],
        findings=tally,
    )
    colours = []
    for told in (ready, failing):
        path, _ = write_workbook(connection, tmp_path, told)
        book = openpyxl.load_workbook(path)
        colours.append([book[name].sheet_properties.tabColor.rgb for name in book.sheetnames])
    assert all(now != before for now, before in zip(colours[0][:3], colours[1][:3], strict=True))
    assert colours[0][3] == colours[1][3]


def test_the_help_tells_the_limit() -> None:
    (option,) = (each for each in close.params if each.name == "workbook_rows")
    told = f"[default: {DEFAULT_ROWS}, of exceptions {DEFAULT_EXCEPTIONS}]"
    assert told in str(vars(option)["help"])


@pytest.mark.parametrize("text", ["x" * 40_000, "\U0001f600" * 20_000])
def test_a_text_longer_than_a_cell_is_cut_with_a_note(
    text: str, tmp_path: Path, connection: duckdb.DuckDBPyConnection, figures: Figures
) -> None:
    told = package(tmp_path, {"orders": [["id"], [text], ["short"]]}, figures)
    path, _ = write_workbook(connection, tmp_path, told)
    _, found, short = column(path, "orders")
    assert short == "short"
    assert found.endswith(f" [cut: {len(text)} characters in orders.csv]")
    assert text.startswith(found[: found.index(" [cut")])
    assert len(found.encode("utf-16-le")) // 2 <= 32_767
    summary = {row[0]: row for row in cells(path, "summary")}
    assert "1 texts longer than a cell can hold" in summary["orders"][4]


def test_the_same_package_gives_the_same_bytes(
    tmp_path: Path,
    connection: duckdb.DuckDBPyConnection,
    figures: Figures,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    files = {"orders": [["id", "amount"], *([value, "1.5"] for value in AWKWARD)]}
    made = []
    for mask, zone in ((0o022, "UTC"), (0o077, "Asia/Tokyo")):
        folder = tmp_path / zone.replace("/", "_")
        folder.mkdir()
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        before = os.umask(mask)
        try:
            path, _ = write_workbook(connection, folder, package(folder, files, figures))
        finally:
            os.umask(before)
        made.append(path.read_bytes())
        assert path.stat().st_mode & 0o777 == 0o666 & ~mask
        assert sorted(file.name for file in folder.iterdir()) == ["close.xlsx", "orders.csv"]
    monkeypatch.undo()
    time.tzset()
    assert made[0] == made[1]


def test_assets_that_the_summary_leaves_out_are_counted(
    tmp_path: Path, connection: duckdb.DuckDBPyConnection, figures: Figures
) -> None:
    tally = Tally("EUR", {"blocking": 1}, 0, 0, {"EUR": {"blocking": "1.00"}})
    files = {"orders": [["id"]]}
    for count, said in ((1, []), (11, ["Assets not listed here, in exceptions.csv: 10"])):
        told = replace(figures, assets=[tally], asset_count=count)
        path, _ = write_workbook(connection, tmp_path, package(tmp_path, files, told))
        assert [text for text in column(path, "summary") if "not listed" in str(text)] == said


def test_a_full_disk_is_an_error_of_the_operating_system(
    figures: Figures,
    connection: duckdb.DuckDBPyConnection,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    figures = package(tmp_path, {"orders": [["partner_order_id"], ["o1"]]}, figures)
    monkeypatch.setattr(zipfile.ZipFile, "write", full)
    with pytest.raises(OSError, match="No space left on device"):
        write_workbook(connection, tmp_path, figures)


def test_the_umask_of_the_process_is_left_alone(
    tmp_path: Path,
    connection: duckdb.DuckDBPyConnection,
    figures: Figures,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The report page is written at the same time: its mode would follow.
    masks: list[int] = []
    monkeypatch.setattr(os, "umask", lambda mask: masks.append(mask) or 0o022)
    write_workbook(connection, tmp_path, package(tmp_path, {"orders": [["id"]]}, figures))
    assert masks == []
