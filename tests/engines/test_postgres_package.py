"""The project as a package of a project whose tables are in PostgreSQL."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from tests.end_to_end.closing import CLOSE_DATE, ROOT, Ran
from tests.engines.postgres_server import PostgresServer
from tests.harness.forking import clean_environment, run

EXPORTS = ("orders", "quotes", "trades", "events", "ledger", "funding", "balances", "pools")
SOURCES = "\n".join(
    f"      {name}: {{table: shop_{name}, order_by: [landed_at]}}" for name in EXPORTS[1:]
)
FILES = {
    "packages.yml": f"packages:\n  - local: {ROOT}\n",
    "dbt_project.yml": f"""
name: shop
version: "1.0.0"
profile: shop
flags: {{send_anonymous_usage_stats: false}}
vars:
  pool_recon:
    raw_schema: shop_data
    sources:
      orders:
        table: shop_orders
        columns: {{partner_order_id: Order No}}
        extra_columns: [note]
        order_by: [landed_at]
{SOURCES}
""",
    "profiles.yml": """
shop:
  target: dev
  outputs:
    dev:
      {type: postgres, host: "{{ env_var('PGHOST') }}", port: "{{ env_var('PGPORT') | int }}",
       dbname: "{{ env_var('PGDATABASE') }}", user: "{{ env_var('PGUSER') }}", password: "",
       schema: analytics, threads: 2}
""",
}


@pytest.fixture(scope="module")
def database(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database with tables of another tool in which the package was built."""
    name = postgres.new_database()
    folder = tmp_path_factory.mktemp("shop")
    for file, text in FILES.items():
        (folder / file).write_text(text, encoding="utf-8")
    postgres.psql(name, "-c", "create schema shop_data")
    for export in EXPORTS:
        fill(postgres, name, export, folder / f"{export}.csv")
    environment = clean_environment() | postgres.environment(name)
    quietly = ("--no-use-colors", "--no-version-check", "--log-level-file", "none")
    for command in (["deps"], ["build", "--vars", f"close_date: {CLOSE_DATE}"]):
        done = run("dbt.cli.main", [*quietly, *command], folder, environment)
        assert "Encountered an error" not in done.stdout, done.stdout
        assert "ERROR in" not in done.stdout, done.stdout
    return name


def fill(postgres: PostgresServer, database: str, export: str, file: Path) -> None:
    """The rows of the sample in one table, with the names that a shop has for its columns."""
    rows: list[dict[str, str]] = []
    for path in sorted((ROOT / "samples" / "bad_day" / export).glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as stream:
            rows += csv.DictReader(stream, strict=True)
    columns = list(dict.fromkeys(name for row in rows for name in row))
    renamed = {"partner_order_id": "Order No"} if export == "orders" else {}
    own = [renamed.get(name, name) for name in columns]
    table = f"shop_data.shop_{export}"
    landed = ", ".join(f'"{name}" text' for name in own)
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerows(
            [*(row.get(name) for name in columns), f"note {number}", number]
            for number, row in reversed(list(enumerate(rows, start=1)))
        )
    postgres.psql(database, "-c", f"create table {table} ({landed}, note text, landed_at bigint)")
    postgres.psql(database, "-c", f"\\copy {table} from '{file}' with (format csv)")


@pytest.mark.parametrize(
    "name",
    [
        *("reconciliation", "checklist", "balances", "conservation"),
        *("orders", "quotes", "trades", "events", "ledger"),
    ],
)
def test_facts_are_those_of_a_close(
    postgres: PostgresServer, database: str, bad_day: Ran, tmp_path: Path, name: str
) -> None:
    columns = ", ".join(bad_day.header(name))
    file = tmp_path / "published.csv"
    view = f"select {columns} from analytics_package.pkg_{name}"
    postgres.psql(database, "-c", f"\\copy ({view}) to '{file}' with (format csv)")
    with file.open(encoding="utf-8", newline="") as stream:
        published = sorted(map(tuple, csv.reader(stream)))
    assert published == sorted(tuple(row.values()) for row in bad_day.rows(name))
    assert published


def test_findings_are_those_of_a_close(
    postgres: PostgresServer, database: str, bad_day: Ran
) -> None:
    """But for the names of files and rows, which are those of the tables."""
    found = "select code, subject_type, approval, count(*) from analytics_package.pkg_exceptions"
    rows = postgres.psql(database, "-c", f"{found} group by 1, 2, 3").split()
    theirs = Counter(
        f"{row['code']}|{row['subject_type']}|{row['approval']}"
        for row in bad_day.rows("exceptions")
    )
    assert set(rows) ^ {f"{key}|{count}" for key, count in theirs.items()} == set()


def test_extra_columns_stand_beside_their_records(postgres: PostgresServer, database: str) -> None:
    compared = (
        "select bool_and(extra.note = own.note), count(*) > 0"
        " from analytics_marts.extra_orders as extra"
        ' inner join shop_data.shop_orders as own on own."Order No" = extra.partner_order_id'
        " and own.landed_at = extra.row_number"
    )
    assert postgres.psql(database, "-c", compared).strip() == "t|t"
