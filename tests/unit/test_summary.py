"""Which findings a person is shown first, and the commands that lead on from them."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import click
import duckdb
import pytest

from pool_recon.close import CloseRequest, CloseResult, FindingCount
from pool_recon.loader import LoadSummary
from pool_recon.package import Verdict
from pool_recon.summary import (
    REVIEW_RULE,
    OverdueReview,
    TopException,
    close_summary,
    close_text,
    read_overdue_reviews,
    read_quiet_date,
    read_top_exceptions,
)
from pool_recon.trace.streams import STREAMS
from tests.unit.cli_support import MOMENTS

COLUMNS = (
    *("exception_id", "code", "severity", "subject_type", "subject_id", "partner_order_id"),
    *("quote_id", "transact_id", "asset", "amount_at_risk", "age_days", "owner"),
    *("first_action", "approval", "next_review_date", "environment"),
)


@pytest.fixture
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("create schema package")
        connection.execute("create schema reference")
        connection.execute("create schema intermediate")
        connection.execute(
            "create table intermediate.int_close as select date '2026-06-03' as close_date"
        )
        columns = ", ".join(f"{name} varchar" for name in COLUMNS)
        connection.execute(f"create table package.pkg_exceptions ({columns})")
        connection.execute(
            "create table reference.ref_findings as select * from (values "
            "('missing_trade', true), ('secret_exposed', false)) as codes(code, is_approvable)"
        )
        yield connection


def add(warehouse: duckdb.DuckDBPyConnection, exception_id: str, **values: Any) -> None:
    row = {
        "exception_id": exception_id,
        "code": "missing_trade",
        "severity": "blocking",
        "subject_type": "order",
        "subject_id": f"subject of {exception_id}",
        "age_days": "0",
        "owner": "finance",
        "first_action": "Ask.",
        "approval": "none",
        "environment": "live",
    } | values
    names = ", ".join(row)
    marks = ", ".join("?" for _ in row)
    sql = f"insert into package.pkg_exceptions ({names}) values ({marks})"
    warehouse.execute(sql, list(row.values()))


def first(warehouse: duckdb.DuckDBPyConnection) -> list[str]:
    return [exception.exception_id for exception in read_top_exceptions(warehouse)]


class TestOrder:
    def test_the_largest_of_every_asset_then_the_second_of_every_asset(
        self, warehouse: duckdb.DuckDBPyConnection
    ) -> None:
        for name, asset, amount in (
            ("e2", "EUR", "9.00"),
            ("e1", "EUR", "10.00"),
            ("e3", "EUR", "8.99"),
            ("b1", "BTC", "0.00000002"),
            ("b2", "BTC", "0.00000001"),
            ("none", None, None),
        ):
            add(warehouse, name, asset=asset, amount_at_risk=amount)
        assert first(warehouse) == ["b1", "e1", "none", "b2", "e2"]

    def test_what_nobody_can_approve_before_all_else(
        self, warehouse: duckdb.DuckDBPyConnection
    ) -> None:
        add(warehouse, "large", asset="EUR", amount_at_risk="10.00", age_days="9")
        add(warehouse, "of one case", transact_id="t1", asset="USD", amount_at_risk="5.00")
        for number in range(3):
            add(warehouse, f"secret {number}", code="secret_exposed")
        add(warehouse, "secret of a case", code="secret_exposed", transact_id="t1")
        found = read_top_exceptions(warehouse)
        assert [(e.exception_id, e.others) for e in found] == [
            ("secret 0", 0),
            ("large", 0),
            ("secret 1", 0),
            ("secret 2", 0),
            ("secret of a case", 1),
        ]

    def test_amounts_are_compared_exactly(self, warehouse: duckdb.DuckDBPyConnection) -> None:
        for name, amount in (
            ("smaller", "9007199254740993.000000000000000001"),
            ("larger", "9007199254740993.000000000000000002"),
        ):
            add(warehouse, name, asset="EUR", amount_at_risk=amount)
        assert first(warehouse) == ["larger", "smaller"]

    def test_the_oldest_among_equals(self, warehouse: duckdb.DuckDBPyConnection) -> None:
        for name, age in (("a", "2"), ("b", "10"), ("c", "3")):
            add(warehouse, name, asset="EUR", amount_at_risk="1.00", age_days=age)
        assert first(warehouse) == ["b", "c", "a"]

    def test_one_line_for_each_trade(self, warehouse: duckdb.DuckDBPyConnection) -> None:
        add(warehouse, "small", transact_id="t1", asset="EUR", amount_at_risk="1.00")
        add(warehouse, "large", transact_id="t1", asset="EUR", amount_at_risk="5.00")
        add(warehouse, "without", transact_id="t1")
        add(warehouse, "other", transact_id="t2", asset="EUR", amount_at_risk="2.00")
        found = read_top_exceptions(warehouse)
        assert [(e.exception_id, e.others) for e in found] == [("large", 2), ("other", 0)]

    def test_what_does_not_block_is_not_shown(self, warehouse: duckdb.DuckDBPyConnection) -> None:
        add(warehouse, "warning", severity="warning")
        add(warehouse, "approved", approval="approved")
        add(warehouse, "stale", approval="stale")
        assert first(warehouse) == ["stale"]

    def test_the_review_is_told(self, warehouse: duckdb.DuckDBPyConnection) -> None:
        add(warehouse, "due", next_review_date="2026-06-01")
        add(warehouse, "never")
        reviews = {e.exception_id: e.next_review_date for e in read_top_exceptions(warehouse)}
        assert reviews == {"due": "2026-06-01", "never": ""}

    def test_what_the_reference_data_lacks_can_never_be_approved(
        self, warehouse: duckdb.DuckDBPyConnection
    ) -> None:
        add(warehouse, "known", next_review_date="2026-06-01")
        add(warehouse, "unknown", next_review_date="2026-06-01", code="no_code")
        for found in (read_top_exceptions(warehouse), read_overdue_reviews(warehouse)):
            assert {each.code: each.is_approvable for each in found} == {
                "missing_trade": True,
                "no_code": False,
            }

    def test_no_more_than_asked_for(self, warehouse: duckdb.DuckDBPyConnection) -> None:
        for number in range(9):
            add(warehouse, f"e{number}")
        assert len(read_top_exceptions(warehouse)) == 5
        assert len(read_top_exceptions(warehouse, 2)) == 2


class TestQuietDate:
    @pytest.mark.parametrize(
        ("moments", "quiet_since"),
        [
            ({}, "never"),
            ({"orders": "2026-06-02 21:59:59.999999"}, "2026-06-02T21:59:59.999999Z"),
            ({"orders": "2026-06-01 00:00:00", "ledger": "2026-06-02 22:00:00"}, None),
            ({"quotes": "2026-06-03 21:59:59"}, None),
        ],
    )
    def test_no_record_is_of_the_close_date(
        self,
        warehouse: duckdb.DuckDBPyConnection,
        moments: dict[str, str],
        quiet_since: str | None,
    ) -> None:
        warehouse.execute(
            "alter table intermediate.int_close add column opening_at timestamp "
            "default timestamp '2026-06-02 22:00:00'"
        )
        for name, stream in STREAMS.items():
            columns = ", ".join(f"{moment} timestamp" for moment in MOMENTS)
            warehouse.execute(f"create table intermediate.{stream.in_force} ({columns})")
            if name in moments:
                values = ", ".join(f"timestamp '{moments[name]}'" for _ in MOMENTS)
                warehouse.execute(f"insert into intermediate.{stream.in_force} values ({values})")
        quiet = read_quiet_date(warehouse)
        assert (quiet and (quiet.newest_record_at or "never")) == quiet_since


class TestOverdueReviews:
    def test_whatever_was_due_before_the_close_date_the_longest_overdue_first(
        self, warehouse: duckdb.DuckDBPyConnection
    ) -> None:
        for name, due, approval in (
            ("due on the day", "2026-06-03", "none"),
            ("e1", "2026-06-02", "none"),
            ("e2", "2026-06-01", "approved"),
        ):
            add(warehouse, name, next_review_date=due, severity="warning", approval=approval)
        assert read_overdue_reviews(warehouse) == [
            OverdueReview(
                *(name, "missing_trade", "order", f"subject of {name}", "live", ""),
                *("finance", due, True),
            )
            for name, due in (("e2", "2026-06-01"), ("e1", "2026-06-02"))
        ]
        assert len(read_overdue_reviews(warehouse, 1)) == 1

    def test_other_findings_of_the_same_subject_are_left_out(
        self, warehouse: duckdb.DuckDBPyConnection
    ) -> None:
        add(warehouse, "due", subject_id="o1", next_review_date="2026-06-01")
        later = {"subject_id": "o1", "next_review_date": "2026-07-01"}
        add(warehouse, "another code", **later, code="missing_trade_too")
        add(warehouse, "another environment", **later)
        assert [r.exception_id for r in read_overdue_reviews(warehouse)] == ["due"]

    def test_what_nobody_owns_comes_first(self, warehouse: duckdb.DuckDBPyConnection) -> None:
        add(warehouse, "due", next_review_date="2026-06-01")
        add(warehouse, "of nobody", next_review_date="2026-07-01", owner=None)
        add(warehouse, "never", next_review_date=None)
        reviews = read_overdue_reviews(warehouse)
        assert [(r.exception_id, r.owner, r.next_review_date) for r in reviews] == [
            ("of nobody", "", "2026-07-01"),
            ("due", "finance", "2026-06-01"),
            ("never", "finance", ""),
        ]


def exception(**changed: Any) -> TopException:
    values: dict[str, Any] = {
        "exception_id": "e1",
        "code": "missing_trade",
        "subject_type": "order",
        "subject_id": "o1",
        "environment": "live",
        "asset": "EUR",
        "amount_at_risk": "10.00",
        "age_days": 3,
        "owner": "finance",
        "next_review_date": "2026-06-30",
        "first_action": "Ask for it.",
        "is_approvable": True,
        "others": 0,
    }
    return TopException(**(values | changed))


def closed(*top: TopException, blocking: int | None = None, **verdict: Any) -> CloseResult:
    rules = verdict.pop("rules", {"one": "fails" if top else "holds"})
    count = len(top) if blocking is None else blocking
    return CloseResult(
        loaded=LoadSummary(None, ()),
        package=Path("out/2026-06-30"),
        verdict=Verdict(rules, **verdict),
        rule_findings={"one": count},
        movements={"matched": 1},
        findings=[FindingCount("missing_trade", "blocking", count, "Ask.")] if count else [],
        approved=0,
        match_rate="100.00",
        top_exceptions=top,
    )


REQUEST = CloseRequest(
    Path("exports"), date(2026, 6, 30), Path("out"), Path("my data/w.duckdb"), Path("r.csv")
)


def commands(*top: TopException) -> list[list[str]]:
    return [shlex.split(line) for line in close_summary(REQUEST, closed(*top))["next"]]


def overdue(*reviews: OverdueReview, count: int | None = None) -> CloseResult:
    """A close that only overdue reviews block."""
    return replace(
        closed(rules={REVIEW_RULE: "fails"}),
        rule_findings={REVIEW_RULE: len(reviews) if count is None else count},
        overdue_reviews=reviews,
    )


REVIEW = OverdueReview(
    "e1", "missing_trade", "order", "o1", "live", "EUR", "finance", "2026-06-29", True
)


class TestNextCommands:
    def test_of_an_overdue_review(self) -> None:
        lines = close_summary(REQUEST, overdue(REVIEW))["next"]
        assert [line.split()[1] for line in lines] == ["trace", "explain", "approve"]
        assert lines[-1].endswith(
            "approve e1 --package out/2026-06-30 --register r.csv"
            " --approved-by NAME --reason TEXT --next-review DATE"
        )
        (_, _, line) = close_summary(REQUEST, overdue(replace(REVIEW, owner="")))["next"]
        assert line.endswith("--reason TEXT --owner NAME --next-review DATE")

    def test_what_blocks_comes_before_what_is_overdue(self) -> None:
        both = replace(closed(exception()), overdue_reviews=[replace(REVIEW, exception_id="e2")])
        assert (
            close_summary(REQUEST, both)["next"]
            == close_summary(REQUEST, closed(exception()))["next"]
        )

    def test_of_an_order(self) -> None:
        warehouse = ["--warehouse", "my data/w.duckdb"]
        assert commands(exception()) == [
            ["pool-recon", "trace", *warehouse, "o1"],
            ["pool-recon", "explain", "movement", *warehouse, "o1"],
            [
                *("pool-recon", "approve", "e1", "--package", "out/2026-06-30"),
                *("--register", "r.csv", "--approved-by", "NAME", "--reason", "TEXT"),
            ],
        ]

    @pytest.mark.parametrize(
        ("changes", "asked"),
        [
            ({"next_review_date": "2026-06-29"}, "--reason TEXT --next-review DATE"),
            ({"next_review_date": ""}, "--reason TEXT --next-review DATE"),
            ({"owner": ""}, "--reason TEXT --owner NAME"),
        ],
    )
    def test_an_approval_settles_the_owner_and_the_review_too(
        self, changes: dict[str, str], asked: str
    ) -> None:
        line = close_summary(REQUEST, closed(exception(**changes)))["next"][-1]
        assert line.endswith(asked)
        review = replace(REVIEW, **({"next_review_date": "2026-06-30"} | changes))
        assert close_summary(REQUEST, overdue(review))["next"][-1].endswith(asked)

    def test_all_are_about_one_finding_which_is_named(self) -> None:
        entry = exception(exception_id="e2", subject_type="ledger_entry", subject_id="l1")
        row = exception(subject_type="export_row", subject_id="a.csv:3", is_approvable=False)
        found = commands(row, entry, exception())
        assert [words[1] for words in found] == ["trace", "approve"]
        assert found[0][-1] == "l1"
        assert found[1][2] == "e2"
        text = click.unstyle("\n".join(close_text(REQUEST, closed(row, entry, exception()), 100)))
        assert "\nNext, for missing_trade of ledger_entry l1\n" in text

    @pytest.mark.parametrize("time", ["00:00:00Z", "00:00:00.000001Z"])
    def test_of_a_balance(self, time: str) -> None:
        balance = exception(
            code="balance_mismatch",
            subject_type="balance",
            subject_id=f"test:a:b c:EUR:2026-06-01T{time}",
            environment="test",
        )
        assert commands(balance)[0] == [
            *("pool-recon", "explain", "balance", "--warehouse", "my data/w.duckdb"),
            *("--partner=a:b c", "--environment=test", "--asset=EUR"),
            *(f"--from=2026-05-31T{time}", f"--to=2026-06-01T{time}"),
        ]
        assert [words[1] for words in commands(balance)] == ["explain", "approve"]

    @pytest.mark.parametrize(
        "subject",
        ["test:a:EUR", "test:a:EUR:0001-01-01T00:00:00Z", "live:a:EUR:2026-06-01T00:00:00Z"],
    )
    def test_of_a_balance_that_cannot_be_explained(self, subject: str) -> None:
        balance = exception(subject_type="balance", subject_id=subject, environment="test")
        assert [words[1] for words in commands(balance)] == ["approve"]

    def test_what_has_no_id_to_trace_and_cannot_be_approved(self) -> None:
        row = exception(subject_type="export_row", subject_id="a.csv:3", is_approvable=False)
        assert commands(row) == []

    def test_an_id_can_be_anything(self) -> None:
        assert commands(exception(subject_id="--json; $(rm x) 'y'"))[0][-2:] == [
            "--",
            "--json; $(rm x) 'y'",
        ]


class TestText:
    def text(self, result: CloseResult, width: int = 100) -> str:
        return click.unstyle("\n".join(close_text(REQUEST, result, width)))

    def test_nothing_that_a_terminal_would_act_on(self) -> None:
        text = self.text(closed(exception(subject_id="a\x1b[2Jb\u202ec", owner="x\ny")))
        assert "\x1b[2J" not in text
        assert "a?[2Jb?c" in text
        assert "x?y: Ask for it." in text

    def test_the_lines_keep_to_the_width(self) -> None:
        long = exception(first_action="word " * 60, amount_at_risk="1" * 20 + ".00")
        text = self.text(closed(long), 90)
        shown = text[text.index("at risk") : text.index("Next")]
        assert max(map(len, shown.splitlines())) <= 90

    def test_what_is_not_shown_is_counted(self) -> None:
        top = (exception(others=2), exception(exception_id="e2"))
        text = self.text(closed(*top, blocking=1204))
        assert "missing_trade of order o1 and 2 more findings" in text
        assert "and 1,200 more blocking findings" in text
        assert "more blocking" not in self.text(closed(*top, blocking=4))

    def test_amounts_that_are_not_known(self) -> None:
        assert "\n  unknown  3 days  missing_trade" in self.text(
            closed(exception(amount_at_risk=""))
        )
        assert "\n        -  3 days  missing_trade" in self.text(
            closed(exception(amount_at_risk="", asset=""))
        )

    @pytest.mark.parametrize(
        ("verdict", "said"),
        [
            ({"rules": {"one": "not checked"}}, "could not be checked\n  one"),
            ({"failed_checks": ("unique_x",)}, "or of the project)\n  unique_x"),
            ({"failed_expectations": ("promise",)}, "says more)\n  promise"),
            ({"unchecked_expectations": ("promise",)}, "could not be checked\n  promise"),
            ({"disagreements": ("one",)}, "say different things\n  one"),
            ({"differing_readings": ("one",)}, "say different things\n  one"),
        ],
    )
    def test_what_blocks_without_a_finding_is_named(
        self, verdict: dict[str, Any], said: str
    ) -> None:
        result = closed(**verdict)
        text = self.text(result)
        assert "BLOCKED" in text
        assert said in text
        assert "no matter for finance" in text
        assert any(close_summary(REQUEST, result)["defects"].values())

    def test_overdue_reviews_are_named_and_are_a_matter_for_their_owners(self) -> None:
        nobodys = replace(REVIEW, exception_id="e2", owner="", subject_id="o\x1b2")
        text = self.text(overdue(REVIEW, nobodys, count=1204))
        assert "\n  2026-06-29  missing_trade of order o1; finance\n" in text
        assert "missing_trade of order o?2; nobody owns it\n" in text
        assert "\n  and 1,202 more\n" in text
        assert "set a new date with a reason" in text
        assert "no matter for finance" not in text

    def test_what_is_counted_of_a_rule_is_said(self) -> None:
        failing = {"no_secrets": "fails", REVIEW_RULE: "fails", "nothing_lost": "holds"}
        counts = {"no_secrets": 12, REVIEW_RULE: 3}
        text = self.text(replace(closed(rules=failing), rule_findings=counts))
        assert (
            "\nRules that do not hold (findings not approved)\n"
            f"  {'no_secrets':<{len(REVIEW_RULE)}}  12\n"
            f"  {REVIEW_RULE}   3  approved ones too\n"
        ) in text

    def test_a_finding_without_a_command_is_a_matter_for_finance_too(self) -> None:
        row = exception(subject_type="export_row", subject_id="a.csv:3", is_approvable=False)
        text = self.text(closed(row))
        assert "no matter for finance" not in text
        assert "Do what is said of the findings above" in text

    def test_what_cannot_be_approved_is_not_offered_to_be(self) -> None:
        row = exception(subject_type="export_row", subject_id="a.csv:3", is_approvable=False)
        trade = replace(row, subject_type="trade", subject_id="t1")
        for top, said in (
            ((row, row), "Next (none of these findings can be approved)\n"),
            ((row, trade), "close again; this finding cannot be approved)\n"),
            ((row, exception()), "(correct the exports or approve the finding, then close again)"),
        ):
            text = self.text(closed(*top))
            assert said in text
            assert ("or approve" in text) == any(finding.is_approvable for finding in top)

    def test_a_rule_that_fails_is_not_an_expectation_that_fails_too(self) -> None:
        text = self.text(closed(exception(), failed_expectations=("one",)))
        assert "Expectations" not in text
