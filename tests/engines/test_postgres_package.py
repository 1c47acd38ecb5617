"""The project as a package of a project whose tables are in PostgreSQL."""

from __future__ import annotations

import csv
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import pytest

from pool_recon.dbt_shortcuts import shortcuts
from tests.end_to_end.closing import CLOSE_DATE, ROOT, Ran
from tests.engines.postgres_server import PostgresServer
from tests.harness.forking import clean_environment

pytestmark = pytest.mark.slow

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
DATED = ("--vars", f"close_date: {CLOSE_DATE}")


@dataclass(frozen=True)
class Shop:
    """A project that has installed the package, and its database."""

    folder: Path
    server: PostgresServer
    database: str

    def says(self, *arguments: str) -> str:
        return self.server.psql(self.database, *arguments)

    def dbt(self, command: str, *arguments: str) -> list[str]:
        """Run dbt, none of whose nodes may have an error; returns what became of them."""
        from dbt.cli.main import dbtRunner

        environment = clean_environment() | self.server.environment(self.database)
        with (
            mock.patch.dict(os.environ, environment, clear=True),
            # Without them dbt comes to the same, in twice the time.
            shortcuts(self.folder / "cache", keeps_files=False),
        ):
            done = dbtRunner().invoke(
                [
                    *("--quiet", "--log-level", "none", "--log-level-file", "none"),
                    *("--no-version-check", command, *arguments),
                    *("--project-dir", str(self.folder), "--profiles-dir", str(self.folder)),
                ]
            )
        assert done.exception is None, done.exception
        nodes = getattr(done.result, "results", [])
        assert [node.message for node in nodes if node.status in {"error", "skipped"}] == []
        return [str(node.status) for node in nodes]


@pytest.fixture(scope="module")
def shop(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """A database with tables of another tool in which the package was built."""
    made = Shop(tmp_path_factory.mktemp("shop"), postgres, postgres.new_database())
    for file, text in FILES.items():
        (made.folder / file).write_text(text, encoding="utf-8")
    made.says("-c", "create schema shop_data")
    for export in EXPORTS:
        fill(made, export)
    made.dbt("deps")
    assert "success" in made.dbt("build", "--exclude-resource-type", "unit_test", *DATED)
    return made


def fill(shop: Shop, export: str) -> None:
    """The rows of the sample in one table, with the names that a shop has for its columns."""
    file = shop.folder / f"{export}.csv"
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
    shop.says("-c", f"create table {table} ({landed}, note text, landed_at bigint)")
    shop.says("-c", f"\\copy {table} from '{file}' with (format csv)")


@pytest.mark.parametrize(
    "name",
    [
        *("reconciliation", "checklist", "balances", "conservation"),
        *("orders", "quotes", "trades", "events", "ledger"),
    ],
)
def test_facts_are_those_of_a_close(shop: Shop, bad_day: Ran, tmp_path: Path, name: str) -> None:
    columns = ", ".join(bad_day.header(name))
    file = tmp_path / "published.csv"
    view = f"select {columns} from analytics_package.pkg_{name}"
    shop.says("-c", f"\\copy ({view}) to '{file}' with (format csv)")
    with file.open(encoding="utf-8", newline="") as stream:
        published = sorted(map(tuple, csv.reader(stream)))
    assert published == sorted(tuple(row.values()) for row in bad_day.rows(name))
    assert published


def test_findings_are_those_of_a_close(shop: Shop, bad_day: Ran) -> None:
    """But for the names of files and rows, which are those of the tables."""
    found = "select code, subject_type, approval, count(*) from analytics_package.pkg_exceptions"
    rows = shop.says("-c", f"{found} group by 1, 2, 3").split()
    theirs = Counter(
        f"{row['code']}|{row['subject_type']}|{row['approval']}"
        for row in bad_day.rows("exceptions")
    )
    assert set(rows) ^ {f"{key}|{count}" for key, count in theirs.items()} == set()


def test_extra_columns_stand_beside_their_records(shop: Shop) -> None:
    compared = (
        "select bool_and(extra.note = own.note), count(*) > 0"
        " from analytics_marts.extra_orders as extra"
        ' inner join shop_data.shop_orders as own on own."Order No" = extra.partner_order_id'
        " and own.landed_at = extra.row_number"
    )
    assert shop.says("-c", compared) == "t|t"


def test_unit_tests_hold(shop: Shop) -> None:
    assert set(shop.dbt("test", "--resource-type", "unit_test", *DATED)) == {"success", "pass"}
