"""Findings over successive closes: opened, resolved, reopened; and earlier dates closed again."""

from __future__ import annotations

import csv
import shutil
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.end_to_end.closing import CLOSE_DATE, PREVIOUS, ROOT, Ran, pool_recon
from tests.fault_matrix.dsl import Scenario, write
from tests.oracle import close as oracle_close
from tests.oracle import compare
from tests.oracle.approvals import Key

DAYS = [date(2026, 6, 30) + timedelta(days=days) for days in range(6)]
OF_THE_DATE = ("reconciliation", "exceptions", "checklist", "balances")


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, strict=True))


@dataclass
class Closes:
    """One warehouse and its packages, closed again and again; the oracle tells each close."""

    exports: Path
    out: Path
    history: list[tuple[date, frozenset[Key]]] = field(default_factory=list)

    def close(self, day: date, *, in_brief: bool = True) -> Ran:
        arguments = ("--exports", self.exports, "--close-date", day, "--out", self.out)
        ran = pool_recon("close", *arguments, out=self.out, in_brief=in_brief)
        assert ran.exit_code in {0, 1}, ran.stderr
        told = oracle_close(self.exports, day, history=self.history)
        assert compare(self.out / day.isoformat(), told) == []
        self.history.append((day, told.keys))
        return ran

    def rows(self, day: date, name: str = "exceptions") -> list[dict[str, str]]:
        return read(self.out / day.isoformat() / f"{name}.csv")

    def finding(self, day: date, code: str) -> dict[str, str]:
        (found,) = (row for row in self.rows(day) if row["code"] == code)
        return found

    def holds(self, day: date, rule: str) -> bool:
        (found,) = (row for row in self.rows(day, "checklist") if row["rule"] == rule)
        return found["holds"] == "true"

    def files(self, day: date, names: tuple[str, ...] = ()) -> dict[str, bytes]:
        folder = self.out / day.isoformat()
        return {
            path.stem: path.read_bytes()
            for path in folder.glob("*.csv")
            if not names or path.stem in names
        }

    def query(self, sql: str) -> list[Any]:
        with duckdb.connect(str(self.out / "pool_recon.duckdb"), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def story(self, code: str) -> Any:
        ((*story,),) = self.query(
            "select times_opened, closes_seen, is_open, opened_on, reopened_on, last_seen_on,"
            f" resolved_on from marts.fct_finding_history where code = '{code}'"
        )
        return story


def assert_proven_by_a_re_run(closes: Closes, day: date, *more: object) -> None:
    """The package of a day comes out of its exports again, with the history that it carries."""
    package = closes.out / day.isoformat()
    arguments = ("verify", package, "--exports", closes.exports, *more)
    ran = pool_recon(*arguments, out=closes.out, is_fresh=True)
    assert ran.exit_code == 0, ran.stdout + ran.stderr
    assert "ok    re-run" in ran.stdout


def test_a_close_whose_verdicts_were_never_written_does_not_count(
    two_days: Ran, tmp_path: Path
) -> None:
    """Nor does it hide an earlier one of that date, nor is one of no findings taken for it."""
    counted = "select close_date, run_number from history.closes_in_force order by all"
    first, second = date.fromisoformat(PREVIOUS), date.fromisoformat(CLOSE_DATE)
    file = shutil.copy(two_days.out / "pool_recon.duckdb", tmp_path)
    with duckdb.connect(file) as connection:
        assert connection.execute(counted).fetchall() == [(first, 1), (second, 1)]
        connection.execute("insert into history.close_log values ($1, 2, 2, 7, 'torn')", [first])
        assert connection.execute(counted).fetchall() == [(first, 1), (second, 1)]
        connection.execute("insert into history.close_log values ($1, 3, 3, 0, 'none')", [first])
        assert connection.execute(counted).fetchall() == [(first, 3), (second, 1)]
        connection.execute("delete from history.close_log where close_date = $1", [first])
        connection.execute("insert into history.close_log values ($1, 1, 1, 7, 'torn')", [first])
        connection.execute("delete from history.close_verdicts where close_date = $1", [first])
        assert connection.execute(counted).fetchall() == [(second, 1)]


@pytest.mark.slow
def test_findings_open_resolve_and_reopen(tmp_path: Path) -> None:
    # An order that says failed of a settled trade on the first day, is corrected on the second,
    # and says failed again on the fourth; beside it a trade that nobody ever confirms.
    scenario = Scenario("past")
    moving = scenario.movement("-moving")
    scenario.drop(scenario.movement("-silent").event)
    moving.order |= {"product_state": "failed", "updated_at": "2026-06-30T12:00:00Z"}
    for day, state in ((1, "completed"), (3, "failed")):
        scenario.again(
            "orders", moving.order, product_state=state, updated_at=f"{DAYS[day]}T12:00:00Z"
        )
    closes = Closes(write(tmp_path / "exports", [scenario]), tmp_path / "out")

    closes.close(DAYS[0])
    for code in ("product_state_conflict", "missing_webhook"):
        opened = closes.finding(DAYS[0], code)
        assert (opened["opened_on"], opened["age_days"]) == ("2026-06-30", "0")
        assert opened["next_review_date"] == "2026-07-01"
        assert closes.story(code) == [1, 1, True, DAYS[0], None, DAYS[0], None]
    assert closes.holds(DAYS[0], "exceptions_owned_and_reviewed")
    exception_id = closes.finding(DAYS[0], "product_state_conflict")["exception_id"]

    closes.close(DAYS[1])
    assert [row["code"] for row in closes.rows(DAYS[1])] == ["missing_webhook"]
    assert closes.story("product_state_conflict") == [1, 1, False, DAYS[0], None, DAYS[0], DAYS[1]]
    assert closes.holds(DAYS[1], "exceptions_owned_and_reviewed")

    # The third day is never closed. The fourth reopens: the age from the first day, the review
    # from this one.
    closes.close(DAYS[3])
    reopened = closes.finding(DAYS[3], "product_state_conflict")
    assert reopened["exception_id"] == exception_id
    assert (reopened["opened_on"], reopened["age_days"]) == ("2026-06-30", "3")
    assert reopened["next_review_date"] == "2026-07-04"
    assert closes.story("product_state_conflict") == [2, 2, True, DAYS[0], DAYS[3], DAYS[3], None]
    assert closes.story("missing_webhook") == [1, 3, True, DAYS[0], None, DAYS[3], None]
    overdue = closes.finding(DAYS[3], "missing_webhook")
    assert (overdue["age_days"], overdue["next_review_date"]) == ("3", "2026-07-01")
    assert not closes.holds(DAYS[3], "exceptions_owned_and_reviewed")

    # Closing a date again that shows the same leaves a trace and nothing else.
    files = closes.files(DAYS[3])
    verdicts = closes.query("from history.close_verdicts order by all")
    closes.close(DAYS[3])
    assert closes.files(DAYS[3]) == files
    assert closes.query("from history.close_verdicts order by all") == verdicts
    runs = "select run_number, verdict_run_number from history.close_log where close_date = '{}'"
    assert closes.query(f"{runs} order by 1".format(DAYS[3])) == [(1, 1), (2, 1)]

    # A correction of the second day lands late: closed again, that day does show the finding. Of
    # the history it reads the first day alone.
    late = dict(moving.order, updated_at=f"{DAYS[1]}T13:00:00Z")
    path = closes.exports / "orders" / "late.csv"
    path.parent.mkdir()
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(late))
        writer.writeheader()
        writer.writerow(late)
    closes.close(DAYS[1])
    again = closes.finding(DAYS[1], "product_state_conflict")
    assert (again["opened_on"], again["age_days"]) == ("2026-06-30", "1")
    assert again["next_review_date"] == "2026-07-01"
    assert closes.story("product_state_conflict") == [1, 2, True, DAYS[0], None, DAYS[1], None]
    assert closes.query(f"{runs} order by 1".format(DAYS[1])) == [(1, 1), (2, 2)]
    assert closes.query("select count(*) from marts.fct_close_trend") == [(2,)]

    # For the days after it, its last close counts: the finding never was gone.
    closes.close(DAYS[4])
    unbroken = closes.finding(DAYS[4], "product_state_conflict")
    assert (unbroken["opened_on"], unbroken["age_days"]) == ("2026-06-30", "4")
    assert unbroken["next_review_date"] == "2026-07-01"
    assert closes.story("product_state_conflict") == [1, 4, True, DAYS[0], None, DAYS[4], None]

    # What was written down before is still there, word for word.
    kept = closes.query("from history.close_verdicts order by all")
    assert set(verdicts) <= set(kept)
    assert len(kept) == len(verdicts) + 2 + 2
    assert closes.query(
        "select close_date, run_number, movement_count, matched_count, exception_count,"
        " blocking_finding_count, match_rate_percent from marts.fct_close_trend order by 1"
    ) == [
        (DAYS[0], 1, 2, 0, 2, 2, "0.00"),
        (DAYS[1], 2, 2, 0, 2, 2, "0.00"),
        (DAYS[3], 2, 2, 0, 2, 2, "0.00"),
        (DAYS[4], 1, 2, 0, 2, 2, "0.00"),
    ]
    assert closes.query(
        "select close_date, run_number, matched_count, exception_count from history.close_results"
        " order by 1, 2"
    ) == [
        (DAYS[0], 1, 0, 2),
        (DAYS[1], 1, 1, 1),
        (DAYS[1], 2, 0, 2),
        (DAYS[3], 1, 0, 2),
        (DAYS[3], 2, 0, 2),
        (DAYS[4], 1, 0, 2),
    ]


@pytest.mark.slow
def test_five_days_of_daily_files(tmp_path: Path) -> None:
    made = tmp_path / "made"
    days = [date(2026, 6, 1) + timedelta(days=days) for days in range(5)]
    simulated = pool_recon(
        *("simulate", "--orders", 20, "--days", len(days), "--start", days[0], "--seed", 3),
        *("--faults", "missing_webhook:2,unknown_product_state:2", "--out", made),
        out=tmp_path,
    )
    assert simulated.exit_code == 0, simulated.stderr
    closes = Closes(tmp_path / "exports", tmp_path / "out")
    for day in days:
        for file in made.rglob(f"*{day}*"):
            arrived = closes.exports / file.relative_to(made)
            arrived.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, arrived)
        if day == days[3]:
            # What has arrived since tells more of an earlier day, whose last close counts.
            closes.close(days[1])
        closes.close(day, in_brief=day != days[3])
    # Every file of the simulation has a day, and has arrived by now.
    assert {path.name for path in closes.exports.rglob("*.csv")} == {
        path.name for path in made.rglob("*.csv") if not path.name.startswith("_")
    }

    # A trade of this day was returned on a later one, which is known by now.
    day = days[2]
    trades = {row["transact_id"] for row in closes.rows(day, "reconciliation")}
    assert trades & {
        row["transact_id"]
        for file in (closes.exports / "trades").glob("*.csv")
        if file.stem > day.isoformat()
        for row in read(file)
    }
    files = closes.files(day, OF_THE_DATE)
    assert set(files) == set(OF_THE_DATE)
    assert "nothing new" in closes.close(day).stdout
    assert closes.files(day, OF_THE_DATE) == files
    assert closes.rows(days[-1]), "the faults are found"
    # The package carries the history that it read.
    assert_proven_by_a_re_run(closes, days[3])


def test_the_subject_types_of_the_register_are_those_of_findings(bad_day: Ran) -> None:
    known = {row["subject_type"] for row in read(ROOT / "seeds" / "ref_subject_types.csv")}
    assert {row["subject_type"] for row in bad_day.rows("exceptions")} == known
