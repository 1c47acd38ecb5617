"""Scenarios that need files of their own, each closed alone; and what quarantine keeps."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest

from tests.fault_matrix import CLOSE_DATE, Scenario, expected, separate_scenarios, write
from tests.fault_matrix.dsl import AFTER, LAST_SECOND
from tests.fault_matrix.matrix_report import Closed, closes_of_all
from tests.harness import Warehouse
from tests.oracle import close, compare, compare_amounts_at_risk


@pytest.fixture(scope="module")
def closes() -> dict[str, Closed]:
    """The close of each scenario that is closed alone, by its name."""
    alone = (closed for closed in closes_of_all() if len(closed.scenarios) == 1)
    return {closed.scenarios[0].name: closed for closed in alone}


@pytest.mark.parametrize("scenario", separate_scenarios(), ids=lambda each: each.name)
def test_a_separate_scenario(scenario: Scenario, closes: dict[str, Closed]) -> None:
    closed = closes[scenario.name]
    result = close(closed.exports, CLOSE_DATE)
    assert compare(closed.package, result) == []
    assert compare_amounts_at_risk(closed.package, result) == []
    assert closed.found == expected(scenario)
    assert closed.breaches == []


def test_the_text_of_a_row_in_quarantine_is_what_was_written(
    warehouse: Warehouse, exports_folders: dict[str, Path], tmp_path: Path
) -> None:
    exports = tmp_path / "exports"
    shutil.copytree(exports_folders["clean"], exports)
    written = {
        "transact_id": " t9 ",
        "quote_id": "q,9",
        "idempotency_key": "K9\n",
        "status": " SETLED ",
        "fiat_amount": '1,5 "or so"',
    }
    with (exports / "trades" / "unread.csv").open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, [*written, "side"])
        writer.writeheader()
        writer.writerow({**written, "side": ""})
    warehouse.close(exports)
    ((reasons, text),) = warehouse.connection.execute(
        "select quarantine_reasons, original_text from intermediate.int_rows_flagged"
        " where quarantine_reasons is not null"
    ).fetchall()
    assert reasons == "unknown_value (status); invalid_amount (fiat_amount)"
    assert json.loads(text) == written


def test_a_version_that_ends_after_the_cut_off_is_no_duplicate(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    returned = Scenario("returned-later")
    trade = returned.movement().trade
    for status, ended in (("settled", LAST_SECOND), ("returned", AFTER), ("returned", AFTER)):
        returned.again("trades", trade, status=status, terminal_at=ended)
    warehouse.close(write(tmp_path / "exports", [returned]))
    places = warehouse.connection.execute(
        "select place from marts.fct_row_places where export_name = 'trades' order by row_order"
    ).fetchall()
    assert [place for (place,) in places] == [
        *("superseded", "movement", "after_cut_off", "after_cut_off"),
    ]
