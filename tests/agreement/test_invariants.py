"""The invariants of the warehouse hold of the project, and not of one with a defect."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.harness import Warehouse

ELSEWHERE = "landed row is not in exactly one place"
TWICE = "row of a mart is not unique"
LOST = "order by row_order offset 1"
# A model, its defect, what that breaks, and of how many rows.
DEFECTS = (
    ("int_orders_in_force", "from {m}", LOST, ELSEWHERE, 1),
    ("int_orders_in_force", "(select * from {m} limit 1)", "union all from {m}", ELSEWHERE, 1),
    ("int_quotes_linked", "from {m}", LOST, ELSEWHERE, 1),
    ("int_trades_in_force", "from {m}", LOST, ELSEWHERE, 1),
    ("int_events_joined", "from {m}", LOST, ELSEWHERE, 1),
    ("int_ledger_entries_joined", "from {m}", "order by row_order offset 2", ELSEWHERE, 2),
    ("int_funding_in_force", "from {m}", LOST, ELSEWHERE, 1),
    ("int_balances_in_force", "from {m}", LOST, ELSEWHERE, 1),
    ("int_pools_in_force", "from {m}", LOST, ELSEWHERE, 1),
    (
        "int_rows_set_aside",
        "from {m} union all select 'quotes', row_order, 'superseded'",
        "from (select row_order from staging.stg_quotes, range(2) order by row_order limit 2)",
        ELSEWHERE,
        1,
    ),
    ("fct_balances", "(select * from {m} limit 1)", "union all from {m}", TWICE, 1),
    ("fct_conservation", "(select * from {m} limit 1)", "union all from {m}", TWICE, 1),
)


@pytest.fixture(scope="module")
def closed(warehouse: Warehouse, exports_folders: dict[str, Path]) -> Warehouse:
    warehouse.close(exports_folders["clean"])
    return warehouse


def test_all_invariants_hold(closed: Warehouse) -> None:
    assert closed.breaches() == []


@pytest.mark.parametrize(
    ("model", "record_id"),
    [("int_events_joined", "event_id"), ("int_ledger_entries_joined", "ledger_entry_id")],
)
def test_an_id_that_is_in_a_fact_twice_is_told(
    model: str, record_id: str, closed: Warehouse
) -> None:
    stated = closed.project.models[model].sql
    again = "select * replace (-row_order as row_order) from sound order by row_order desc limit 1"
    sql = f"with sound as ({stated}) from sound union all ({again})"
    judged = ["int_rows_misplaced", "close_invariant_breaches"]
    try:
        closed.run_models([model], {model: sql})
        [(twice,)] = closed.connection.execute(
            f"select count(*) - count(distinct {record_id}) from intermediate.{model}"
        ).fetchall()
        assert twice == 1
        closed.run_models(judged)
        assert [found for found, _ in closed.breaches()] == [ELSEWHERE]
    finally:
        closed.run_models([model, *judged])


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_row_that_is_lost_or_counted_twice_is_told(
    defect: tuple[str, str, str, str, int], closed: Warehouse
) -> None:
    model, *parts, invariant, count = defect
    stated = closed.project.models[model].sql
    sql = " ".join(map(str, parts)).format(m="sound")
    judged = ["int_rows_misplaced", "close_invariant_breaches"]
    try:
        closed.run_models([model], {model: f"with sound as ({stated}) {sql}"})
        closed.run_models(judged)
        assert [found for found, _ in closed.breaches() if found == invariant] == [
            invariant
        ] * count
    finally:
        closed.run_models([model, *judged])


@pytest.fixture(scope="class")
def bad_day(warehouse: Warehouse, exports_folders: dict[str, Path]) -> Warehouse:
    warehouse.close(exports_folders["bad_day"])
    return warehouse


class TestFindings:
    """What is found is not lost where the reference data or the register is at fault."""

    FROM_THE_CODES = (
        *("findings_of_ledger_entries", "findings_raised", "findings_approved", "findings_dated"),
        *("fct_exceptions", "close_invariant_breaches"),
    )

    def test_one_whose_code_is_unknown_blocks_and_is_told(self, bad_day: Warehouse) -> None:
        code = "negative_balance"
        found = bad_day.findings()
        execute = bad_day.connection.execute
        execute("begin")
        try:
            execute(f"delete from reference.ref_findings where code = '{code}'")
            bad_day.run_models(self.FROM_THE_CODES)
            assert bad_day.findings() == found
            assert ("ref_findings: the code of a finding is missing", code) in bad_day.breaches()
            [(exceptions, blocking)] = execute(
                "select count(*), count(*) filter (where is_open_blocking)"
                f" from marts.fct_exceptions where code = '{code}'"
            ).fetchall()
            assert exceptions == blocking == 1
        finally:
            execute("rollback")

    def test_one_that_two_rows_of_the_register_are_about_is_there_once(
        self, bad_day: Warehouse
    ) -> None:
        execute = bad_day.connection.execute
        execute("begin")
        try:
            for line, environment in ((2, "null"), (3, "'live'")):
                execute(
                    "insert into raw.exception_register by name select "
                    f"{line} as line_number, code, subject_type, subject_id, owner || '{line}' as"
                    f" owner, {environment} as environment from marts.fct_exceptions"
                    " where code = 'negative_balance'"
                )
            bad_day.run_models(("stg_exception_register", *self.FROM_THE_CODES))
            told = [found for found, _ in bad_day.breaches()]
            assert told == ["several rows of the exception register are about one finding"]
            [(owner,)] = execute(
                "select owner from marts.fct_exceptions where code = 'negative_balance'"
            ).fetchall()
            assert owner.endswith("2")
        finally:
            execute("rollback")

    def test_one_that_was_made_a_warning_breaks_no_rule_of_blocking_ones(
        self, bad_day: Warehouse
    ) -> None:
        execute = bad_day.connection.execute
        violations = (
            "select count(*) from intermediate.int_checklist_violations"
            " where rule_name = 'no_other_blocking_findings' and violation like 'orphan_event:%'"
        )
        assert execute(violations).fetchone() != (0,)
        execute("begin")
        try:
            execute(
                "update reference.ref_findings set severity = 'warning' where code = 'orphan_event'"
            )
            bad_day.run_models((*self.FROM_THE_CODES, "int_checklist_violations"))
            assert execute(violations).fetchone() == (0,)
        finally:
            execute("rollback")

    def test_one_that_has_an_owner_and_no_review_is_told(self, bad_day: Warehouse) -> None:
        execute = bad_day.connection.execute
        told = (
            "select distinct violation from intermediate.int_checklist_violations"
            " where rule_name = 'exceptions_owned_and_reviewed'"
        )
        execute("begin")
        try:
            execute(
                "update reference.ref_findings set days_to_review = null"
                " where code = 'orphan_event'"
            )
            bad_day.run_models((*self.FROM_THE_CODES, "int_checklist_violations"))
            assert execute(told).fetchall() == [("orphan_event has no review date",)]
        finally:
            execute("rollback")

    def test_an_environment_that_none_is(self, bad_day: Warehouse) -> None:
        execute = bad_day.connection.execute
        execute("begin")
        try:
            execute("update intermediate.int_close set default_environment = 'Live'")
            bad_day.run_models(["close_invariant_breaches"])
            breach = ("default_environment is not in ref_vocabularies", "Live")
            assert breach in bad_day.breaches()
        finally:
            execute("rollback")
