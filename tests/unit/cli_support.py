"""A close without dbt: exports of a few rows, and a build that makes its views with plain SQL."""

from __future__ import annotations

import contextlib
import csv
import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pool_recon import cli, reference
from pool_recon import close as close_module
from pool_recon.dbt_runner import BuildSettings, NodeResult
from pool_recon.reference import export_columns, project_dir
from pool_recon.trace.streams import STREAMS
from pool_recon.warehouse import connect

# The columns that say on which day a record counts.
MOMENTS = (
    *("created_at", "accepted_at", "reserved_at", "terminal_at"),
    *("received_at", "effective_at"),
)


def rule_names() -> list[str]:
    with (project_dir() / "seeds" / "ref_checklist_rules.csv").open(encoding="utf-8") as stream:
        return [row["rule_name"] for row in csv.DictReader(stream)]


def write_exports(folder: Path, orders: int = 2) -> Path:
    """The required exports with their required columns: `orders` orders, else no rows."""
    folder.mkdir(parents=True, exist_ok=True)
    for export in reference.exports():
        if not export.is_required:
            continue
        columns = [c.name for c in export_columns(export.name) if c.is_column_required]
        lines = [",".join(columns)]
        if export.name == "orders":
            lines += [",".join(f"{c}{number}" for c in columns) for number in range(orders)]
        (folder / f"{export.name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def rule_test(rule: str, status: str = "pass") -> NodeResult:
    return NodeResult(f"assert_{rule}", "test", frozenset({"checklist"}), status, "", 0)


def model(name: str) -> NodeResult:
    return NodeResult(name, "model", frozenset(), "success", "", 0)


@dataclass
class FakeBuild:
    """Stands in for dbt: makes the published views, and reports what it is told to."""

    failing_rules: set[str] = field(default_factory=set)
    failing_in_checklist: set[str] | None = None
    extra_tests: list[NodeResult] = field(default_factory=list)
    settings: BuildSettings | None = None

    def __call__(self, settings: BuildSettings) -> list[NodeResult]:
        self.settings = settings
        stated = self.failing_rules
        if self.failing_in_checklist is not None:
            stated = self.failing_in_checklist
        with contextlib.closing(connect(settings.warehouse)) as connection:
            connection.execute(
                f"""
                create schema if not exists intermediate;
                create schema if not exists package;
                create or replace table intermediate.int_close as
                select
                    date '{settings.close_date}' as close_date,
                    'UTC' as business_time_zone,
                    date '{settings.close_date}' as opening_at,
                    date '{settings.close_date}' + interval 1 day as cut_off_at,
                    cut_off_at as grace_limit_at,
                    cut_off_at as settlement_limit_at,
                    cut_off_at as processing_limit_at,
                    'live' as default_environment,
                    'default' as default_partner;
                create schema if not exists history;
                create schema if not exists marts;
                create or replace table history.close_results
                (close_date date, run_number integer, movement_count bigint);
                create or replace view marts.fct_close_trend as
                select * from history.close_results;
                create or replace table history.closes_in_force
                (close_date date, run_number integer);
                create or replace table history.close_balances
                (
                    close_date date, run_number integer, cut_off_at timestamp,
                    environment varchar, partner_id varchar, asset varchar,
                    closing decimal(38, 18)
                );
                create or replace table history.verdicts_in_force
                (exception_id varchar, close_date date, close_number bigint, streak bigint);
                create or replace view package.pkg_reconciliation as
                select
                    partner_order_id as movement_id,
                    'matched' as reconciliation_state,
                    _row_number as _sort_row
                from raw.orders;
                create or replace view package.pkg_exceptions as
                select
                    'e1' as exception_id, 'missing_trade' as code, 'blocking' as severity,
                    'order' as subject_type, 'o1' as subject_id, 'o1' as partner_order_id,
                    null::varchar as quote_id, null::varchar as transact_id,
                    'live' as environment, 'EUR' as asset,
                    '10.00' as amount_at_risk, 'Ask for it.' as first_action,
                    'finance' as owner, '2' as age_days, 'none' as approval,
                    '2026-07-07' as next_review_date
                where {bool(stated)};
                create schema if not exists reference;
                create or replace table reference.ref_findings as
                select 'missing_trade' as code, true as is_approvable;
                create or replace view package.pkg_control_totals as
                select 'orders' as name, count(*)::varchar as value, 1 as _sort from raw.orders;
                create or replace table intermediate.checklist
                (rule varchar, holds varchar, findings varchar, approved varchar);
                create or replace view package.pkg_checklist as
                select * from intermediate.checklist;
                """
            )
            for stream in STREAMS.values():
                connection.execute(
                    f"create or replace table intermediate.{stream.in_force} as select "
                    + ", ".join(
                        f"timestamp '{settings.close_date}' as {moment}" for moment in MOMENTS
                    )
                )
            connection.executemany(
                "insert into intermediate.checklist values (?, ?, ?, '0')",
                [
                    [rule, "false" if rule in stated else "true", str(int(rule in stated))]
                    for rule in rule_names()
                ],
            )
        views = ("pkg_reconciliation", "pkg_exceptions", "pkg_control_totals", "pkg_checklist")
        tests = [
            rule_test(rule, "fail" if rule in self.failing_rules else "pass")
            for rule in rule_names()
        ]
        return [model(view) for view in views] + tests + self.extra_tests


@pytest.fixture
def build(monkeypatch: pytest.MonkeyPatch) -> FakeBuild:
    fake = FakeBuild()
    monkeypatch.setattr(close_module, "build_and_test", fake)
    # The fake warehouse has no marts: what reads them a second time has tests of its own.
    monkeypatch.setattr(close_module, "second_reader", contextlib.nullcontext)
    monkeypatch.setattr(close_module, "drawn_beside", contextlib.nullcontext)
    monkeypatch.setattr(close_module, "read_again", lambda _f, _p, verdict, _r: (verdict, []))
    monkeypatch.setattr(close_module, "write_documents", lambda *_: [])
    return fake


@pytest.fixture
def exports(tmp_path: Path) -> Path:
    return write_exports(tmp_path / "exports")


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as left:
        cli.main([str(argument) for argument in arguments])
    return int(left.value.code or 0)


def close(exports: Path, out: Path, *more: object, date: str = "2026-06-30") -> int:
    return run("close", "--exports", exports, "--close-date", date, "--out", out, *more)


def content(folder: Path) -> dict[str, str]:
    """Every file that is not dbt's own, by path and content."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and ".pool_recon" not in path.parts
    }


def the_line(capsys: pytest.CaptureFixture[str]) -> str:
    """The one line on stderr; nothing is on stdout."""
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.endswith("\n")
    assert captured.err.count("\n") == 1
    return captured.err
