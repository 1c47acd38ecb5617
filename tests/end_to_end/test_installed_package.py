"""The dbt project as a package of a project with tables, names, rules and macros of its own."""

from __future__ import annotations

import csv
import re
import shutil
import subprocess
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from tests.end_to_end.closing import CLOSE_DATE, ROOT, Ran, close
from tests.harness.forking import clean_environment, run

pytestmark = pytest.mark.slow

EXPORTS = ("orders", "quotes", "trades", "events", "ledger", "funding")
ABSENT = ("balances", "pools")

PROJECT = """
name: shop
version: "1.0.0"
profile: shop
flags: {send_anonymous_usage_stats: false}
dispatch:
  - macro_namespace: pool_recon
    search_order: [shop, pool_recon]
models:
  pool_recon:
    +docs: {node_color: silver}
    marts:
      +schema: finance
seeds:
  shop:
    +column_types: {asset: varchar, minor_unit: integer}
  pool_recon:
    ref_assets:
      +enabled: false
vars:
  pool_recon:
    raw_schema: shop_data
    sources:
      orders:
        table: Shop Orders
        columns: {partner_order_id: Order No, created_at: placed, client_reference: created_at}
        extra_columns: [campaign, Gift Note]
        order_by: [_synced]
      quotes: {table: quotes_v2, order_by: [_synced]}
      trades: {schema: shop_trading, table: trades, order_by: [_synced]}
      events: {table: webhooks, order_by: [_synced]}
      ledger: {model: ledger_of_partner, order_by: [_synced]}
      funding: {table: funding, order_by: [_synced]}
      exception_register: {model: approvals}
"""
FILES = {
    "dbt_project.yml": PROJECT,
    "packages.yml": f"packages:\n  - local: {ROOT}\n",
    "profiles.yml": """
shop:
  target: dev
  outputs:
    dev: {type: duckdb, path: shop.duckdb, schema: analytics, threads: 1, settings: {TimeZone: UTC}}
""",
    "models/ledger_of_partner.sql": "select * from shop_data.bookings where booking_kind <> 'memo'",
    "seeds/approvals.csv": (
        "code,subject_type,subject_id,environment,owner,next_review_date,approved_by,approved_on,"
        "reason,expires_on\n"
        "orphan_event,event,evt_orphan_0,,,,Ada Controller,2026-06-30,seen,\n"
    ),
    "seeds/ref_assets.csv": (ROOT / "seeds" / "ref_assets.csv").read_text(encoding="utf-8")
    + "DOGE,8\n",
    "macros/shop.sql": """
{% macro generate_schema_name(custom_schema_name, node) -%}
    shop_{{ custom_schema_name or 'own' }}
{%- endmacro %}
{% macro duckdb__row_as_text(columns) -%}
    'a row of ' || {{ columns | length }} || ' columns'
{%- endmacro %}
""",
}
TABLES = {
    "orders": 'shop_data."Shop Orders"',
    "quotes": "shop_data.quotes_v2",
    "trades": "shop_trading.trades",
    "events": "shop_data.webhooks",
    "ledger": "shop_data.bookings",
    "funding": "shop_data.funding",
}


def name_of_rows(export: str) -> str:
    """What the rows of an export are named after in the consumer's findings."""
    return "shop_own.ledger_of_partner" if export == "ledger" else TABLES[export].replace('"', "")


@dataclass(frozen=True)
class Consumer:
    """A project that installs the package: where it is, what its build said, what was built."""

    folder: Path
    built: subprocess.CompletedProcess[str]
    closed: Ran
    row_names: dict[str, str]

    def query(self, sql: str) -> list[tuple[object, ...]]:
        with duckdb.connect(str(self.folder / "shop.duckdb"), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def published(self, name: str) -> list[dict[str, str]]:
        """A file of the package as the consumer's view has it."""
        with duckdb.connect(str(self.folder / "shop.duckdb"), read_only=True) as connection:
            found = connection.execute(f"select * from shop_package.pkg_{name}")
            columns = [column[0] for column in found.description or []]
            rows = [dict(zip(columns, row, strict=True)) for row in found.fetchall()]
        return [
            {key: value or "" for key, value in row.items() if not key.startswith("_")}
            for row in rows
        ]


def dbt(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    quietly = ("--no-use-colors", "--no-version-check", "--log-level-file", "none")
    return run("dbt.cli.main", [*quietly, *arguments], folder, clean_environment())


def fill(warehouse: Path, exports: Path) -> dict[str, str]:
    """The exports as another tool lands them; returns what the loader calls each of their rows."""
    names: dict[str, str] = {}
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("create schema shop_data; create schema shop_trading")
        for export in EXPORTS:
            rows: list[dict[str, str]] = []
            for path in sorted((exports / export).glob("*.csv")):
                with path.open(encoding="utf-8", newline="") as stream:
                    for number, row in enumerate(csv.DictReader(stream, strict=True), start=1):
                        rows.append(row)
                        names[f"{name_of_rows(export)}:{len(rows)}"] = (
                            f"{path.relative_to(exports).as_posix()}:{number}"
                        )
            columns = list(dict.fromkeys(name for row in rows for name in row))
            landed = ", ".join(f'"{own_name(export, name)}" varchar' for name in columns)
            connection.execute(f"create table {TABLES[export]} ({landed}, _synced bigint)")
            connection.executemany(
                f"insert into {TABLES[export]} values ({'?, ' * len(columns)}?)",
                # the rows lie in another order than they came
                [
                    (*(row.get(name) for name in columns), position)
                    for position, row in reversed(list(enumerate(rows)))
                ],
            )
        connection.execute(
            'alter table shop_data."Shop Orders" add column campaign integer;'
            'alter table shop_data."Shop Orders" add column "Gift Note" varchar;'
            'update shop_data."Shop Orders" set campaign = _synced;'
            'update shop_data."Shop Orders" set "Gift Note" = \'for \' || _synced;'
            "alter table shop_data.bookings add column booking_kind varchar default 'entry';"
            "insert into shop_data.bookings (booking_kind) values ('memo');"
            "alter table shop_data.funding alter amount type decimal(30, 6);"
            "alter table shop_data.funding alter confirmed_at type timestamptz"
            " using cast(nullif(confirmed_at, '') as timestamptz);"
        )
    return names


def own_name(export: str, column: str) -> str:
    own = {"partner_order_id": "Order No", "created_at": "placed", "client_reference": "created_at"}
    return own.get(column, column) if export == "orders" else column.replace("_id", "Id")


@pytest.fixture(scope="module")
def consumer(tmp_path_factory: pytest.TempPathFactory) -> Consumer:
    exports = tmp_path_factory.mktemp("exports")
    for export in EXPORTS:
        shutil.copytree(ROOT / "samples" / "bad_day" / export, exports / export)
    register = tmp_path_factory.mktemp("register") / "register.csv"
    register.write_text(FILES["seeds/approvals.csv"], encoding="utf-8")
    closed = close(exports, tmp_path_factory.mktemp("closed"), "--register", register)
    assert closed.exit_code == 1, closed.stderr
    folder = tmp_path_factory.mktemp("shop")
    for name, text in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    names = fill(folder / "shop.duckdb", exports)
    installed = dbt(folder, "deps")
    assert installed.returncode == 0, installed.stdout
    built = dbt(folder, "build", "--vars", f"close_date: {CLOSE_DATE}")
    return Consumer(folder, built, closed, names)


def test_every_model_is_built_and_only_rules_fail(consumer: Consumer) -> None:
    assert "SKIP=0" in consumer.built.stdout, consumer.built.stdout
    failed = set(re.findall(r"Failure in test (\w+)", consumer.built.stdout))
    broken = {row["rule"] for row in consumer.closed.rows("checklist") if row["holds"] == "false"}
    assert failed == {f"assert_{rule}" for rule in broken}
    assert "assert_no_secrets" in failed
    assert "WARN=0" in consumer.built.stdout
    assert "Error in" not in consumer.built.stdout


def test_the_schemas_are_those_of_the_installing_project(consumer: Consumer) -> None:
    built = {
        str(row[0])
        for row in consumer.query("select schema_name from duckdb_tables() where not internal")
    }
    parts = ("staging", "intermediate", "findings", "finance", "marts", "history")
    assert built == {
        *("shop_data", "shop_trading"),
        *(f"shop_{part}" for part in parts),
        *("shop_reference", "shop_own"),
    }


@pytest.mark.parametrize(
    "name",
    [
        *("reconciliation", "orders", "quotes", "trades", "events", "ledger", "balances"),
        *("checklist", "conservation"),
    ],
)
def test_facts_are_those_of_a_close(consumer: Consumer, name: str) -> None:
    theirs = consumer.closed.rows(name)
    assert sorted(map(str, consumer.published(name))) == sorted(map(str, theirs))
    assert theirs


def test_findings_are_those_of_a_close(consumer: Consumer) -> None:
    """Rows and columns of a table are named after it; the ids of such findings follow the name."""
    files = {name.partition(":")[0]: name for name in consumer.row_names}

    def known(row: dict[str, str]) -> tuple[str, ...]:
        is_row = row["subject_type"] == "export_row"
        subject = consumer.row_names.get(row["subject_id"], row["subject_id"])
        if row["code"] == "private_field_exposed":
            subject = subject.rpartition(":")[2]
        left_out = {"subject_id", "exception_id", "evidence_hash"} if is_row else {"subject_id"}
        if row["code"] == "documented_column_absent":
            left_out |= {"actual", "evidence_hash"}
        return (subject, *(value for key, value in row.items() if key not in left_out))

    assert len(files) == len(EXPORTS)
    mine = Counter(known(row) for row in consumer.published("exceptions"))
    theirs = Counter(known(row) for row in consumer.closed.rows("exceptions"))
    assert mine == theirs
    codes = {row["code"] for row in consumer.published("exceptions")}
    assert codes >= {"secret_exposed", "quarantined_row", "private_field_exposed"}


def test_the_register_is_the_own_model(consumer: Consumer) -> None:
    register = consumer.query("select code, subject_id from shop_staging.stg_exception_register")
    assert register == [("orphan_event", "evt_orphan_0")]


def test_no_secret_is_carried_on(consumer: Consumer) -> None:
    tables = consumer.query(
        "select schema_name, table_name from duckdb_tables() where schema_name like 'shop\\_%'"
        " escape '\\' and schema_name not in ('shop_data', 'shop_trading', 'shop_own')"
    )
    for schema, table in tables:
        ((count,),) = consumer.query(
            f"select count(*) from {schema}.{table} as t where regexp_matches(cast(t as varchar),"
            " '(sk_live_|sk_test_|whsec_)[A-Za-z0-9_]{8,}')"
        )
        assert count == 0, table
    assert consumer.query("select count(*) from shop_staging.stg_events where has_secret") == [(1,)]


def test_extra_columns_stand_beside_their_records(consumer: Consumer) -> None:
    rows = consumer.query(
        'select extra.campaign, extra."Gift Note", own._synced, extra.partner_order_id,'
        ' own."Order No" from shop_marts.extra_orders as extra'
        ' inner join shop_data."Shop Orders" as own on extra.row_number = own._synced + 1'
    )
    assert rows
    for campaign, note, synced, order, own_order in rows:
        assert (campaign, note, order) == (synced, f"for {synced}", own_order)
    ((in_force, records),) = consumer.query(
        "select count(*), count(distinct partner_order_id) from shop_marts.extra_orders"
        " where is_in_force"
    )
    assert in_force == records == len(consumer.published("orders")) < len(rows)


def test_own_macros_and_seeds_take_the_place_of_those_of_the_package(consumer: Consumer) -> None:
    texts = consumer.query(
        "select distinct original_text from shop_staging.stg_ledger"
        " where quarantine_reasons is not null"
    )
    assert texts == [("a row of 15 columns",)]
    assert consumer.query(
        "select schema_name from duckdb_tables() where table_name = 'ref_assets'"
    ) == [("shop_own",)]
    assert consumer.query("select minor_unit from shop_own.ref_assets where asset = 'DOGE'") == [
        (8,)
    ]


def test_an_unknown_key_is_an_error_that_names_it(consumer: Consumer, tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    shutil.copytree(consumer.folder, folder, symlinks=True)
    project = folder / "dbt_project.yml"
    text = project.read_text(encoding="utf-8")
    project.write_text(text.replace("{partner_order_id:", "{order_number:"), encoding="utf-8")
    done = dbt(folder, "compile", "-s", "landed_orders")
    assert done.returncode != 0
    assert (
        "sources.orders.columns has the unknown key order_number; expected some of"
        " partner_order_id, created_at, product_state"
    ) in done.stdout


@pytest.mark.parametrize(
    ("model", "is_found"), [("fct_reconciliation", True), ("int_close", False)]
)
def test_a_model_on_the_way_is_not_for_others(
    model: str, is_found: bool, consumer: Consumer, tmp_path: Path
) -> None:
    folder = tmp_path / "shop"
    shutil.copytree(consumer.folder, folder, symlinks=True)
    query = f"select * from {{{{ ref('pool_recon', '{model}') }}}}"
    (folder / "models" / "reads.sql").write_text(query, encoding="utf-8")
    done = dbt(folder, "parse")
    assert ("which is not allowed because the referenced node" in done.stdout) is not is_found
    assert (done.returncode == 0) is is_found


def test_a_value_of_another_type_than_text_is_left_out_with_its_secret(
    consumer: Consumer, tmp_path: Path
) -> None:
    folder = tmp_path / "shop"
    shutil.copytree(consumer.folder, folder, symlinks=True)
    project = folder / "dbt_project.yml"
    text = project.read_text(encoding="utf-8")
    extras = "[campaign, Gift Note, tags, profile]"
    project.write_text(text.replace("[campaign, Gift Note]", extras), encoding="utf-8")
    with duckdb.connect(str(folder / "shop.duckdb")) as connection:
        table = 'shop_data."Shop Orders"'
        connection.execute(
            f"alter table {table} add column tags varchar[];"
            f"alter table {table} add column profile struct(note varchar, age integer);"
            f"update {table} set tags = [case _synced when 1 then 'sk_live_' || 'abcdefgh12' end],"
            " profile = {'note': case _synced when 2 then 'whsec_' || 'abcdefgh12' end, 'age': 1}"
        )
    done = dbt(folder, "run", "-s", "landed_orders", "--vars", f"close_date: {CLOSE_DATE}")
    assert done.returncode == 0, done.stdout
    with duckdb.connect(str(folder / "shop.duckdb"), read_only=True) as connection:
        rows = connection.execute(
            "select extra_1, extra_3, extra_4 from shop_staging.landed_orders where _has_secret"
            " and extra_1 in (1, 2) or extra_1 = 3 order by extra_1"
        ).fetchall()
    profile = {"note": None, "age": 1}
    assert rows == [(1, None, profile), (2, [None], None), (3, [None], profile)]


def test_columns_that_are_only_alike_are_an_error_that_names_them(
    consumer: Consumer, tmp_path: Path
) -> None:
    folder = tmp_path / "shop"
    shutil.copytree(consumer.folder, folder, symlinks=True)
    quotes = "alter table shop_data.quotes_v2"
    with duckdb.connect(str(folder / "shop.duckdb")) as connection:
        connection.execute(f'{quotes} add column "Source Amount" varchar')
    # What is written as the export has it comes first.
    assert dbt(folder, "compile", "-s", "landed_quotes").returncode == 0
    with duckdb.connect(str(folder / "shop.duckdb")) as connection:
        connection.execute(f"{quotes} rename source_amount to sourceAmount")
    done = dbt(folder, "compile", "-s", "landed_quotes")
    assert done.returncode != 0
    assert "has several columns for source_amount: " in done.stdout
    assert "say which is meant, as it is written there, in columns of" in done.stdout
