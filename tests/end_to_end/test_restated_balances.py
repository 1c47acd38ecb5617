"""An entry that comes after its date was closed: the next close says what it does to the balance.

The exports have nothing but adjustments, of which every close is green.
"""

from __future__ import annotations

import csv
import html
import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pytest

from pool_recon.reference import export_columns, exports
from tests.end_to_end.closing import Ran, documented_keys, pool_recon
from tests.end_to_end.test_dashboard import fetch, start, stop
from tests.harness.once import once

COLUMNS = ("entry_type", "effective_at", "asset", "amount", "partner_id", "ledger_entry_id")
HISTORY = "history/balances.csv"
LINE = (
    "  restated   1 balance of the close of 2026-06-13 is no longer what it published: "
    "EUR of alder (live), 1004.00 -> 504.00 (-500.00)"
)
HEADLINE = "1 balance of the close of 2026-06-13 is no longer what it published"
WHY = (
    "Entries before 2026-06-14T00:00:00Z came since that close, or are read otherwise now. Closing "
    "2026-06-13 again publishes it as it is now."
)


@dataclass
class Book:
    """Exports of a ledger, and the warehouse in which they are closed."""

    folder: Path

    @property
    def out(self) -> Path:
        return self.folder / "out"

    @property
    def exports(self) -> Path:
        return self.folder / "exports"

    def enter(self, name: str, *entries: tuple[str, str, str]) -> None:
        """Write a file of adjustments: moment, asset, and amount, of one partner."""
        with (self.exports / "ledger" / f"{name}.csv").open("w", newline="") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow((*COLUMNS, "transact_id"))
            for number, entry in enumerate(entries, start=1):
                writer.writerow(("adjustment", *entry, "alder", f"ple_{name}_{number}", ""))

    def close(self, day: str, *more: object, in_brief: bool = True) -> Ran:
        arguments = ("--exports", self.exports, "--close-date", day, "--out", self.out)
        ran = pool_recon("close", *arguments, *more, out=self.out, in_brief=in_brief)
        assert ran.exit_code == 0, ran.stdout + ran.stderr
        return ran

    def restated(self) -> list[Any]:
        """What the last close says of the one before it."""
        with duckdb.connect(str(self.out / "pool_recon.duckdb"), read_only=True) as connection:
            return connection.execute(
                "select asset, published_text, restated_text, difference_text,"
                " cast(published_on as varchar), cast(published_cut_off_at as varchar),"
                " cast(compared_at as varchar) from marts.fct_restated_balances order by all"
            ).fetchall()


def said(ran: Ran) -> list[str]:
    return [line for line in ran.stdout.splitlines() if line.startswith("  restated ")]


def text_of(page: str) -> str:
    """What a page says, without its tags; each cell stands by itself."""
    page = re.sub(r"</?(td|th|div|p|h2|h3)[ >]", r" \g<0>", page)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", "", page)).split())


@pytest.fixture
def book(tmp_path: Path) -> Book:
    """A ledger of four days, of which the thirteenth is closed."""

    def close_thirteenth(folder: Path) -> Ran:
        made = Book(folder)
        for export in exports():
            (made.exports / export.name).mkdir(parents=True)
            if export.name != "ledger" and export.is_required:
                header = ",".join(column.name for column in export_columns(export.name))
                (made.exports / export.name / "none.csv").write_text(f"{header}\n")
        made.enter("twelfth", ("2026-06-12T10:00:00Z", "EUR", "1000.00"))
        made.enter("thirteenth", ("2026-06-13T23:30:00Z", "EUR", "4.00"))
        made.enter("fourteenth", ("2026-06-14T00:00:00Z", "EUR", "20.00"))
        made.enter("fifteenth", ("2026-06-15T10:00:00Z", "USD", "3.00"))
        return made.close("2026-06-13")

    closed = once("restated_balances", close_thirteenth)
    assert said(closed) == []
    shutil.copytree(closed.out.parent, tmp_path / "book")
    return Book(tmp_path / "book")


LATE = ("2026-06-12T11:00:00Z", "EUR", "-500.00")
RESTATED = ("EUR", "1004.00", "504.00", "-500.00", "2026-06-13")


def test_a_late_entry_is_told_wherever_a_close_speaks(book: Book) -> None:
    book.enter("late", LATE)
    ran = book.close("2026-06-14", in_brief=False)
    assert said(ran) == [LINE]
    assert "Close of 2026-06-14: every rule holds" in ran.stdout
    midnight = "2026-06-14 00:00:00"
    assert book.restated() == [(*RESTATED, midnight, midnight)]

    package = book.out / "2026-06-14"
    page = text_of((package / "report.html").read_text(encoding="utf-8"))
    assert page.count(HEADLINE) == 2
    assert f"{HEADLINE}. {WHY} It is no finding and blocks nothing;" in page
    assert "EUR alder, live 1004.00 504.00 -500.00" in page
    sheet = openpyxl.load_workbook(package / "close.xlsx")["summary"]
    lines = [row[:5] for row in sheet.iter_rows(values_only=True)]
    at = lines.index(("Restated balances", "Published", "Now", "Difference", "Why"))
    assert lines[at + 1 : at + 3] == [
        (HEADLINE, None, None, None, WHY),
        ("EUR of alder (live)", "1004.00", "504.00", "-500.00", None),
    ]
    assert (package / HISTORY).read_text(encoding="utf-8") == (
        "close_date,cut_off_at,environment,partner_id,asset,closing\n"
        "2026-06-13,2026-06-14T00:00:00Z,live,alder,EUR,1004.00\n"
    )

    process, address = start(book.out / "pool_recon.duckdb")
    try:
        first, balances = (text_of(fetch(address, path)[2]) for path in ("/", "/balances"))
    finally:
        stop(process)
    assert f"{HEADLINE}." in first
    assert f"{HEADLINE}. {WHY} It is no finding" in balances
    assert "EUR alder, live 1004.00 504.00 -500.00" in balances

    proven = pool_recon("verify", package, "--exports", book.exports, out=book.out)
    assert proven.exit_code == 0, proven.stdout
    assert "ok    re-run" in proven.stdout

    changed = pool_recon("diff", book.out / "2026-06-13", package, out=book.out)
    assert (
        "Balances that A published otherwise than the entries of B give them\n"
        "  alder EUR (live): 1004.00 -> 504.00 (-500.00)\n"
    ) in changed.stdout
    back = pool_recon("diff", package, book.out / "2026-06-13", "--json", out=book.out)
    assert json.loads(back.stdout)["restated_balances"] == []


def test_closed_again_it_says_the_same_and_machines_are_told(book: Book) -> None:
    book.enter("late", LATE, ("2026-06-13T12:00:00Z", "USD", "1.5"))
    first = book.close("2026-06-14")
    assert said(first) == [
        LINE.replace("1 balance", "2 balances")
        .replace(" is ", " are ")
        .replace("published: EUR", "published: the first EUR")
    ]
    again = json.loads(book.close("2026-06-14", "--json").stdout)
    moment = "2026-06-14T00:00:00Z"
    of_both = {
        "close_date": "2026-06-13",
        "cut_off_at": moment,
        "compared_at": moment,
        "environment": "live",
        "partner_id": "alder",
    }
    assert again["restated_balances"] == [
        {**of_both, "asset": "EUR", "published": "1004.00", "restated": "504.00"}
        | {"difference": "-500.00"},
        {**of_both, "asset": "USD", "published": "0.00", "restated": "1.50", "difference": "1.50"},
    ]
    # The one after it goes on from what this one published.
    assert said(book.close("2026-06-15")) == []
    # And an earlier one knows nothing of it: nothing was closed before.
    assert said(book.close("2026-06-12")) == []
    assert book.restated() == []


def test_a_next_day_of_which_nothing_came_late_says_nothing(book: Book) -> None:
    book.enter("on time", ("2026-06-14T11:00:00Z", "EUR", "-500.00"))
    ran = book.close("2026-06-14", in_brief=False)
    assert said(ran) == []
    package = book.out / "2026-06-14"
    assert "no longer what it" not in (package / "report.html").read_text(encoding="utf-8")
    summary = openpyxl.load_workbook(package / "close.xlsx")["summary"]
    assert "Restated balances" not in {row[0] for row in summary.iter_rows(values_only=True)}
    changed = pool_recon("diff", book.out / "2026-06-13", package, out=book.out)
    assert "Balances  0 new, 0 gone, 1 changed" in changed.stdout
    assert "published otherwise" not in changed.stdout


def test_days_between_two_closes_are_no_change_of_the_first(book: Book) -> None:
    assert said(book.close("2026-06-16")) == []
    book.enter("late", LATE)
    assert said(book.close("2026-06-16", in_brief=False)) == [LINE]
    cut_off = "2026-06-14 00:00:00"
    assert book.restated() == [(*RESTATED, cut_off, cut_off)]
    changed = pool_recon("diff", book.out / "2026-06-13", book.out / "2026-06-16", out=book.out)
    assert "  alder EUR (live): 1004.00 -> 504.00 (-500.00)\n" in changed.stdout


@pytest.mark.slow
def test_once_the_earlier_date_is_closed_again_nothing_is_left_to_say(book: Book) -> None:
    book.enter("late", LATE)
    assert said(book.close("2026-06-13")) == []
    assert said(book.close("2026-06-14")) == []


def test_another_time_zone_leaves_entries_to_neither_close_or_to_both(book: Book) -> None:
    ran = book.close("2026-06-13", "--time-zone", "Europe/Berlin")
    assert said(ran) == []
    ran = book.close("2026-06-14", in_brief=False)
    assert said(ran) == [LINE.replace("1004.00 -> 504.00 (-500.00)", "1000.00 -> 1004.00 (+4.00)")]
    assert book.restated() == [
        (
            *("EUR", "1000.00", "1004.00", "4.00", "2026-06-13"),
            *("2026-06-13 22:00:00", "2026-06-14 00:00:00"),
        )
    ]
    page = text_of((book.out / "2026-06-14" / "report.html").read_text(encoding="utf-8"))
    between = (
        "That close ended at {} and this one begins at {}, by another time zone: what moved "
        "between the two is in {} of them. What else differs came since, or is read otherwise now. "
        "Closing 2026-06-13 again, with the time zone of this close, publishes it as it is now."
    )
    moments = ("2026-06-13T22:00:00Z", "2026-06-14T00:00:00Z")
    assert between.format(*moments, "neither") in page
    changed = pool_recon("diff", book.out / "2026-06-13", book.out / "2026-06-14", out=book.out)
    assert "  alder EUR (live): 1000.00 -> 1004.00 (+4.00)\n" in changed.stdout

    book.close("2026-06-13", "--time-zone", "UTC")
    ran = book.close("2026-06-14", "--time-zone", "Europe/Berlin", in_brief=False)
    assert said(ran) == [LINE.replace("504.00 (-500.00)", "1000.00 (-4.00)")]
    page = text_of((book.out / "2026-06-14" / "report.html").read_text(encoding="utf-8"))
    assert between.format(*reversed(moments), "both") in page


def test_a_warehouse_from_before_balances_were_kept_says_nothing(book: Book) -> None:
    with duckdb.connect(str(book.out / "pool_recon.duckdb")) as connection:
        connection.execute("drop view marts.fct_restated_balances")
        connection.execute("drop table history.close_balances")
        # Its project was another one.
        connection.execute("update intermediate.build_state set fingerprint = 'before'")
    book.enter("late", LATE)
    ran = book.close("2026-06-14", in_brief=False)
    assert said(ran) == []
    header, *rows = (book.out / "2026-06-14" / HISTORY).read_text().splitlines()
    assert header == "close_date,cut_off_at,environment,partner_id,asset,closing"
    assert rows == []
    package = book.out / "2026-06-14"
    proven = pool_recon("verify", package, "--exports", book.exports, out=book.out)
    assert proven.exit_code == 0, proven.stdout


def test_the_keys_are_documented() -> None:
    assert "restated_balances" in documented_keys("diff")
