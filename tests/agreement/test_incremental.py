"""What an incremental build leaves is what a full one makes of the same landed rows."""

from __future__ import annotations

import contextlib
import random
import re
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest
from dbt.constants import MAXIMUM_SEED_SIZE

from pool_recon.commands.shared import WAREHOUSE_NAME
from pool_recon.dbt_runner import BuildSettings, build_and_test
from pool_recon.loader import load_exports
from pool_recon.package import CONTROL_TOTALS_VIEW, VIEW_PREFIX, Verdict
from tests.fault_matrix import CLOSE_DATE, write_merged
from tests.harness.packages import write_package
from tests.harness.splitting import SplitExports
from tests.oracle.collide import collide
from tests.oracle.generate import generate_together

ROOT = Path(__file__).resolve().parents[2]
LOADS = 3
# What says how a build was made, or how often a date was closed, not what is in it.
OF_THE_BUILD = ("build_state", "int_rows_at_hand", "fct_close_trend")
# Findings that are raised once a limit before the cut-off has passed.
WAIT_FOR_A_LIMIT = ("missing_quote", "stuck_reserved", "unprocessed_event")


def build(
    warehouse: Path,
    close_date: date,
    models_at_a_time: int = 8,
    project: Path = ROOT,
    **settings: object,
) -> None:
    state = warehouse.parent / ".state"
    environment = {"POOL_RECON_THREADS": str(models_at_a_time)}
    build_and_test(
        BuildSettings(
            *(project, warehouse, state, close_date, None),
            environment=environment,
            **settings,  # type: ignore[arg-type]
        )
    )


def looked_at(warehouse: Path) -> tuple[bool, int, int]:
    """Whether the last build was incremental, the rows that it looked at, and all rows."""
    with contextlib.closing(duckdb.connect(str(warehouse), read_only=True)) as connection:
        row = connection.execute(
            "select bool_or(is_incremental), sum(rows_at_hand)::bigint, sum(readable_rows)::bigint"
            " from intermediate.int_rows_at_hand"
        ).fetchone()
    assert row is not None
    return row


def what_had_landed(warehouse: Path) -> tuple[str, int]:
    """What the last build noted of the rows that had landed."""
    with contextlib.closing(duckdb.connect(str(warehouse), read_only=True)) as connection:
        row = connection.execute(
            "select exports, last_file_id from intermediate.build_state"
        ).fetchone()
    assert row is not None
    return row


def findings_that_wait_for(warehouse: Path) -> Counter[str]:
    with contextlib.closing(duckdb.connect(str(warehouse), read_only=True)) as connection:
        codes = connection.execute("select code from findings.findings_raised").fetchall()
    return Counter(code for (code,) in codes)


def package(warehouse: Path, folder: Path) -> dict[str, bytes]:
    """The files of the package of a built warehouse, by name."""
    folder.mkdir()
    with contextlib.closing(duckdb.connect(str(warehouse))) as connection:
        views = connection.execute(
            "select view_name from duckdb_views() where schema_name = 'package'"
            f" and view_name like '{VIEW_PREFIX}%' and view_name <> '{CONTROL_TOTALS_VIEW}'"
        ).fetchall()
        write_package(connection, folder, [view for (view,) in views], Verdict({}))
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in folder.rglob("*")
        # it tells how often the date was closed
        if file.is_file() and file.name != "manifest.json"
    }


def differing_tables(incremental: Path, full: Path) -> list[str]:
    """The tables of two warehouses that do not have the same rows, and views that differ."""
    with contextlib.closing(duckdb.connect()) as connection:
        connection.execute(f"attach '{incremental}' as one (read_only)")
        connection.execute(f"attach '{full}' as other (read_only)")
        tables = connection.execute(
            "select schema_name || '.' || table_name from duckdb_tables()"
            " where database_name = 'one' and schema_name not in ('raw', 'history')"
            f" and table_name not in {OF_THE_BUILD}"
        ).fetchall()
        assert len(tables) > 50
        differing = []
        for (table,) in tables:
            one, other = (
                f"select columns(lambda name: name <> '_build_number') from {side}.{table}"
                for side in ("one", "other")
            )
            rows = connection.execute(
                f"select 1 from (({one} except all {other}) union all ({other} except all {one}))"
            ).fetchone()
            differing += [table] if rows else []
        views = connection.execute(
            "select schema_name || '.' || view_name from duckdb_views()"
            " where database_name in ('one', 'other') and not internal"
            " group by schema_name, view_name, sql having count(*) <> 2"
        ).fetchall()
    return differing + [view for (view,) in views]


def agrees_with_a_full_build(warehouse: Path, close_date: date) -> None:
    """Build in full from the same rows, one model after the other, and demand the same tables."""
    folder = warehouse.parent
    (folder / "incremental").mkdir()
    incremental = folder / "incremental" / warehouse.name
    shutil.copy(warehouse, incremental)
    build(warehouse, close_date, models_at_a_time=1, is_full_refresh=True)
    assert looked_at(warehouse)[0] is False
    assert what_had_landed(incremental) == what_had_landed(warehouse)
    assert differing_tables(incremental, warehouse) == []
    assert package(incremental, folder / "one") == package(warehouse, folder / "other")


def closed_step_by_step(
    exports: Path, folder: Path, days: Iterable[date], seed: int
) -> list[tuple[bool, int, int]]:
    """Close after every load, then in full from the same rows, and demand the same of both.

    The steps build many models at a time and the full build one after the other. Every other step
    is told that no landed row was touched, as one is of a warehouse that nobody wrote to. Returns
    what each step looked at.
    """
    dates = list(days)
    split = SplitExports(exports, folder, loads=len(dates), seed=seed)
    warehouse = folder / WAREHOUSE_NAME
    steps = []
    for load, close_date in enumerate(dates):
        split.land(warehouse, load)
        build(warehouse, close_date, is_untouched=load % 2 == 1)
        steps.append(looked_at(warehouse))
    agrees_with_a_full_build(warehouse, dates[-1])
    return steps


def some_days(seed: int) -> list[date]:
    chance = random.Random(seed)
    return sorted(CLOSE_DATE + timedelta(days=chance.choice([0, 1, 2, 3, 5])) for _ in range(LOADS))


def test_worlds_that_land_bit_by_bit(tmp_path: Path) -> None:
    exports = collide(tmp_path / "exports", range(200))
    dates = [CLOSE_DATE, CLOSE_DATE + timedelta(days=5), CLOSE_DATE + timedelta(days=5)]
    steps = closed_step_by_step(exports, tmp_path, dates, seed=1)
    assert [is_incremental for is_incremental, _, _ in steps] == [False, True, True]
    # what is over and was not touched is not looked at again
    assert steps[-1][1] < steps[-1][2]


@pytest.mark.slow
def test_messes_that_land_bit_by_bit(tmp_path: Path) -> None:
    exports = generate_together(tmp_path / "exports", range(16))
    dates = [CLOSE_DATE, CLOSE_DATE + timedelta(days=5), CLOSE_DATE + timedelta(days=6)]
    steps = closed_step_by_step(exports, tmp_path, dates, seed=2)
    assert steps[-1][0]
    assert steps[-1][1] < steps[-1][2]


def test_what_picks_the_rows_knows_every_use_of_a_limit() -> None:
    # Another use, or of another moment, has to be added to macros/working_set as well.
    used = set()
    for file in (ROOT / "models").rglob("*.sql"):
        text = file.read_text(encoding="utf-8")
        if file.stem != "int_close":
            compared = re.findall(r"([a-z_]+|coalesce\([^)]*\)) (?:<|>=) ([a-z]+_limit_at)", text)
            assert len(compared) == text.count("_limit_at"), file
            used |= {(file.stem, *pair) for pair in compared}
    of_trades = "coalesce(reserved_at, accepted_at, order_created_at)"
    assert used == {
        ("findings_of_orders", "created_at", "grace_limit_at"),
        ("findings_of_events", "received_at", "processing_limit_at"),
        ("findings_of_trades", of_trades, "settlement_limit_at"),
    }


@pytest.mark.slow
def test_time_passes_and_nothing_lands(tmp_path: Path) -> None:
    warehouse = tmp_path / WAREHOUSE_NAME
    with contextlib.closing(duckdb.connect(str(warehouse))) as connection:
        load_exports(connection, write_merged(tmp_path / "exports"))
    found = []
    for days in (0, 1, 2):
        build(warehouse, CLOSE_DATE + timedelta(days=days))
        found.append(findings_that_wait_for(warehouse))
    is_incremental, rows_looked_at, all_rows = looked_at(warehouse)
    assert is_incremental
    assert rows_looked_at < all_rows / 2
    # each of the limits is passed by something that was looked at before
    for code in WAIT_FOR_A_LIMIT:
        assert len({counts[code] for counts in found}) > 1, code
    agrees_with_a_full_build(warehouse, CLOSE_DATE + timedelta(days=2))


@pytest.mark.exhaustive
@pytest.mark.parametrize("seed", range(20))
def test_many_worlds_that_land_bit_by_bit(seed: int, tmp_path: Path) -> None:
    exports = collide(tmp_path / "exports", range(seed * 200, seed * 200 + 200))
    closed_step_by_step(exports, tmp_path, some_days(seed), seed)


@pytest.mark.exhaustive
@pytest.mark.parametrize("seed", range(20))
def test_many_messes_that_land_bit_by_bit(seed: int, tmp_path: Path) -> None:
    exports = generate_together(tmp_path / "exports", range(seed * 16, seed * 16 + 16))
    closed_step_by_step(exports, tmp_path, some_days(seed), seed)


class Closes:
    """One warehouse that is built again and again; `is_incremental` tells how."""

    def __init__(self, folder: Path, project: Path = ROOT) -> None:
        self.project = project
        self.warehouse = folder / WAREHOUSE_NAME
        SplitExports(ROOT / "samples" / "clean", folder, loads=2, seed=1).land(self.warehouse, 0)

    def change(self, statement: str) -> None:
        with contextlib.closing(duckdb.connect(str(self.warehouse))) as connection:
            connection.execute(statement)

    def is_incremental(
        self, close_date: date = CLOSE_DATE, variables: Mapping[str, object] | None = None
    ) -> bool:
        build(self.warehouse, close_date, project=self.project, variables=variables or {})
        return looked_at(self.warehouse)[0]


@pytest.mark.slow
def test_what_decides_for_all_rows_has_them_all_looked_at_again(tmp_path: Path) -> None:
    closes = Closes(tmp_path)
    assert not closes.is_incremental()
    assert not closes.is_incremental(variables={"grace_period_seconds": 7200})
    closes.change("delete from intermediate.int_trades_linked where random() < 0.5")
    assert not closes.is_incremental(variables={"grace_period_seconds": 7200})
    closes.change("update findings.findings_of_trades set actual = 'nothing at all'")
    assert not closes.is_incremental(variables={"grace_period_seconds": 7200})
    closes.change("update raw.trades set fiat_amount = fiat_amount || '0' where _row_number = 1")
    assert not closes.is_incremental(variables={"grace_period_seconds": 7200})
    assert not closes.is_incremental(CLOSE_DATE - timedelta(days=1))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project, to be extended."""
    copy = tmp_path / "project"
    for folder in ("analyses", "macros", "models", "seeds", "tests/invariants", "tests/rules"):
        shutil.copytree(ROOT / folder, copy / folder)
    for name in ("dbt_project.yml", "profiles.yml"):
        shutil.copy(ROOT / name, copy)
    return copy


@pytest.mark.slow
def test_a_seed_that_dbt_takes_no_digest_of_has_all_rows_looked_at_again(
    tmp_path: Path, project: Path
) -> None:
    states = project / "seeds" / "ref_product_states.csv"
    with states.open("a") as seed:
        seed.writelines(f"state_number_{number},pending\n" for number in range(60_000))
    assert states.stat().st_size > MAXIMUM_SEED_SIZE
    closes = Closes(tmp_path, project)
    assert not closes.is_incremental()
    text = states.read_text()
    assert text.count("\ncompleted,success\n") == 1
    states.write_text(text.replace("\ncompleted,success\n", "\ncompleted,pending\n"))
    assert not closes.is_incremental()


@pytest.mark.slow
def test_an_extended_project_is_not_taken_for_unchanged(
    tmp_path: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    findings = project / "models" / "findings"
    with (findings / "findings_of_trades.sql").open("a") as model:
        model.write("\n-- {{ var('own_limit') }} {{ env_var('OF_THE_DESK', '') }}\n")
    other = project / "dbt_packages" / "other"
    (other / "macros").mkdir(parents=True)
    (other / "dbt_project.yml").write_text("name: other\nversion: 1.0.0\n")
    (project / "packages.yml").write_text("packages: [{local: dbt_packages/other}]\n")
    stated = (project / "dbt_project.yml").read_text()
    dispatch = "dispatch:\n  - {macro_namespace: dbt, search_order: [other, dbt]}\n"
    (project / "dbt_project.yml").write_text(stated.replace("dispatch:\n", dispatch))
    closes = Closes(tmp_path, project)
    assert not closes.is_incremental(variables={"own_limit": 1})
    assert closes.is_incremental(variables={"own_limit": 1})
    assert not closes.is_incremental(variables={"own_limit": 2})
    monkeypatch.setenv("OF_THE_DESK", "2")
    assert not closes.is_incremental(variables={"own_limit": 2})
    (other / "macros" / "strings.sql").write_text(
        "{% macro default__type_string() %}{{ return('text') }}{% endmacro %}\n"
        "{% macro asked_by_nobody() %}{{ env_var('DBT_ENV_SECRET_KEY') }}{% endmacro %}\n"
    )
    assert not closes.is_incremental(variables={"own_limit": 2})
    # nothing is kept where a model that keeps rows is made a view
    model = findings / "findings_of_quotes.sql"
    model.write_text("{{ config(materialized='view') }}\n" + model.read_text())
    assert not closes.is_incremental(variables={"own_limit": 2})
    assert not closes.is_incremental(variables={"own_limit": 2})


def chained(exports: Path, orders: int) -> None:
    """Orders each of which names the trade of the next one, so that ids link them all."""
    at = f"{CLOSE_DATE - timedelta(days=9)}T10:00:00Z"
    tables = {
        "orders": (
            "partner_order_id,created_at,product_state,quote_id,transact_id",
            "o{0},{at},settled,q{0},t{1}",
        ),
        "quotes": (
            "quote_id,pool_id,source_amount,target_amount,expires_at",
            "q{0},EUR-USDC,1,1,{at}",
        ),
        "trades": (
            "transact_id,quote_id,idempotency_key,status,reserved_at",
            "t{0},q{0},k{0},settled,{at}",
        ),
        "events": (
            "event_id,transact_id,status,received_at,source",
            "e{0},t{0},settled,{at},status_read",
        ),
        "ledger": (
            "ledger_entry_id,entry_type,asset,amount,effective_at,transact_id",
            "l{0},trade_debit,EUR,1,{at},t{0}",
        ),
    }
    exports.mkdir()
    for export, (header, row) in tables.items():
        rows = [row.format(number, number + 1, at=at) for number in range(orders)]
        (exports / f"{export}.csv").write_text("\n".join([header, *rows, ""]))


@pytest.mark.slow
def test_ids_that_link_a_long_chain_are_followed_to_its_end(tmp_path: Path) -> None:
    exports, warehouse = tmp_path / "exports", tmp_path / WAREHOUSE_NAME
    chained(exports, orders=40)
    for close_date in (CLOSE_DATE, CLOSE_DATE + timedelta(days=1), CLOSE_DATE + timedelta(days=2)):
        with contextlib.closing(duckdb.connect(str(warehouse))) as connection:
            load_exports(connection, exports)
        build(warehouse, close_date)
        (exports / "ledger").mkdir(exist_ok=True)
        (exports / "ledger" / f"{close_date}.csv").write_text(
            "ledger_entry_id,entry_type,asset,amount,effective_at,transact_id\n"
            f"late_{close_date},trade_refund,EUR,1,{close_date}T12:00:00Z,t0\n"
        )
    is_incremental, rows_looked_at, all_rows = looked_at(warehouse)
    assert is_incremental
    assert rows_looked_at == all_rows == 5 * 40 + 2
    agrees_with_a_full_build(warehouse, close_date)
