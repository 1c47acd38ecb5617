"""What PostgreSQL keeps from build to build, and what has it built anew, in a small project."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest

from tests.engines.postgres_server import PostgresServer
from tests.engines.small_project import EXPORTS, lay_out, run_dbt
from tests.fault_matrix import CLOSE_DATE

MODELS = {
    "int_kept": """
        {{ config(meta={'kept_by': {'row': 'row_order'}}) }}
        {%- set build = pool_recon.this_build() -%}
        -- depends on {{ ref('int_rows_at_hand') }}
        select _row_number as row_order, max(value) as value, {{ build.number }} as written_by
        from raw.orders
        {%- if build.is_incremental %}
        where _row_number in (select row_order from {{ pool_recon.relation_at_hand('rows') }})
        {%- endif %}
        group by _row_number
    """,
    "int_later": """
        select row_order, value from {{ pool_recon.kept_rows_at_hand(ref('int_kept'), []) }}
    """,
}


class Project:
    """A project with our macros on three rows of its own, each of which has a value."""

    def __init__(self, server: PostgresServer, folder: Path) -> None:
        self._server = server
        self.database = server.new_database()
        self._folder = folder
        lay_out(folder, MODELS, has_register=True)
        self.run("create schema raw")
        self.run("create table raw.files (file_id integer, export_name text)")
        self.run("create table raw.file_columns (file_id integer, contract_column text)")
        for table in EXPORTS:
            self.run(f"create table raw.{table} (_file_id integer, _row_number bigint, value text)")
        self.land(1, {1: "one", 2: "two", 3: "three"})

    def run(self, statement: str) -> str:
        return self._server.psql(self.database, "-c", statement)

    def land(self, file_id: int, values: dict[int, str]) -> None:
        self.run(f"insert into raw.files values ({file_id}, 'orders')")
        for row, value in values.items():
            self.run(f"insert into raw.orders values ({file_id}, {row}, '{value}')")

    def describe(self, column: dict[str, str]) -> None:
        models = {"models": [{"name": "int_kept", "columns": [column]}]}
        (self._folder / "models" / "models.yml").write_text(json.dumps(models), encoding="utf-8")

    def build(self, arguments: Sequence[str] = (), day: date = CLOSE_DATE, **variables: int) -> str:
        """What the kept table holds after a build, as row, value and the build that wrote it."""
        environment = self._server.environment(self.database)
        run_dbt(
            *(self._folder, "postgres", "build", *arguments),
            day=day,
            environment=environment,
            variables=variables,
        )
        row = "concat_ws(' ', row_order, value, written_by)"
        held = f"select string_agg({row}, ', ' order by row_order) from intermediate.int_kept"
        return self.run(held)


@pytest.fixture(scope="module")
def project(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Project:
    return Project(postgres, tmp_path_factory.mktemp("project"))


@pytest.mark.slow
def test_rows_are_kept_until_something_decides_for_all_of_them(project: Project) -> None:
    assert project.build() == "1 one 1, 2 two 1, 3 three 1"
    project.land(2, {2: "zwei", 4: "vier"})
    replaced = "1 one 1, 2 zwei 2, 3 three 1, 4 vier 2"
    assert project.build() == replaced
    # what comes after it looked only at what was replaced, and nothing is left lying about
    assert project.run("select count(*) from intermediate.int_later") == "2"
    tables = "select string_agg(tablename, ' ' order by tablename) from pg_tables"
    left = project.run(f"{tables} where schemaname = 'intermediate'")
    assert left == "build_state int_kept int_later int_rows_at_hand"
    anew = "1 one 1, 2 zwei 1, 3 three 1, 4 vier 1"
    assert project.build(grace_period_seconds=7200) == anew
    project.run("update intermediate.int_kept set written_by = 9")
    nothing_new = anew.replace(" 1,", " 9,").removesuffix("1") + "9"
    assert project.build(grace_period_seconds=7200) == nothing_new
    for unexpected in (
        "update raw.orders set value = 'eins' where value = 'one'",
        "delete from intermediate.int_kept where row_order = 3",
        "update intermediate.build_state set is_complete = false",
    ):
        project.run(unexpected)
        assert " 9" not in project.build(grace_period_seconds=7200), unexpected
        project.run("update intermediate.int_kept set written_by = 9")
    assert " 9" not in project.build(["--full-refresh"], grace_period_seconds=7200)
    project.run("update intermediate.int_kept set written_by = 9")
    for described in ({}, {"data_type": "bigint"}):
        project.describe({"name": "row_order", **described})
        assert " 9" not in project.build(grace_period_seconds=7200), described
        project.run("update intermediate.int_kept set written_by = 9")
    earlier = CLOSE_DATE.replace(day=1)
    assert " 9" not in project.build(day=earlier, grace_period_seconds=7200)
    project.run("update intermediate.int_kept set written_by = 9")
    settings = {
        "grace_period_seconds": 7200,
        "sources": {name: {"table": name} for name in EXPORTS},
    }
    assert " 9" not in project.build(**settings)
    # a build of a part is all of that part, and the next one goes on from nothing
    project.run("update intermediate.int_kept set written_by = 9")
    assert project.build(["--select", "int_rows_at_hand"], **settings).endswith("9")
    assert " 9" not in project.build(**settings)
