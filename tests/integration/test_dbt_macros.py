"""What takes the place of dbt's own macros on DuckDB, run in a small project of the same name."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import jinja2
import pytest
from dbt.cli.main import dbtRunner

from pool_recon.dbt_runner import BuildSettings, NodeResult, _environment, _node_results
from pool_recon.dbt_runner import _invoke as invoke
from pool_recon.dbt_runner import _release_warehouse as release

ROOT = Path(__file__).resolve().parents[2]
# By model: its SQL, and the types that its columns a and b are under contract for.
KEPT = {
    "as_declared": ("select 1::integer as a, 2::decimal(38, 18) as b", "integer", "DECIMAL(38,18)"),
    "by_another_name_of_the_type": ("select 1::integer as a, 'x' as b", "int", "text"),
    "ending_with_a_comment": ("select 1::integer as a, 'x' as b -- no more", "integer", "varchar"),
    "in_another_order": ("select 'x' as b, 1::integer as a", "integer", "varchar"),
}
BROKEN = {
    "another_type": ("select 1::integer as a, 2::decimal(38, 2) as b", "integer", "decimal(38,18)"),
    "one_missing": ("select 1::integer as a", "integer", "varchar"),
    "one_more": ("select 1::integer as a, 'x' as b, 1 as c", "integer", "varchar"),
    "another_name": ("select 1::integer as a, 'x' as c", "integer", "varchar"),
}


class Project:
    """A project with our macros, and the warehouse that it builds."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.warehouse = folder / "small.duckdb"
        self.statements: list[str] = []
        (folder / "macros").symlink_to(ROOT / "macros")
        for name in ("models", "seeds", "tests"):
            (folder / name).mkdir()
        self.write(
            "dbt_project.yml",
            "{name: pool_recon, version: '1.0', profile: pool_recon, model-paths: [models],"
            " macro-paths: [macros], seed-paths: [seeds], test-paths: [tests],"
            " dispatch: [{macro_namespace: pool_recon, search_order: [pool_recon]}],"
            " models: {+schema: main, +post-hook: '{{ pool_recon.settled(this) }}'},"
            " seeds: {+schema: seeded, +column_types: {digits: varchar, flag: boolean}}}",
        )
        self.write("profiles.yml", (ROOT / "profiles.yml").read_text(encoding="utf-8"))

    def write(self, path: str, text: str) -> None:
        (self.folder / path).write_text(text, encoding="utf-8")

    def build(self) -> dict[str, NodeResult]:
        """What becomes of each node; afterwards `statements` are those that created schemas."""

        def hear(event: Any) -> None:
            if event.info.name == "SQLQuery" and "create schema" in event.data.sql:
                self.statements.append(event.data.sql)

        settings = BuildSettings(
            project_dir=self.folder,
            warehouse=self.warehouse,
            state_dir=self.folder / "state",
            close_date=date(2026, 6, 30),
            time_zone=None,
        )
        self.statements = []
        with _environment(settings):
            try:
                runner = dbtRunner(callbacks=[hear])
                return {n.name: n for n in _node_results(invoke(runner, settings, "build"))}
            finally:
                release()

    def rows(self, query: str) -> list[Any]:
        with duckdb.connect(str(self.warehouse), read_only=True) as connection:
            return connection.execute(query).fetchall()


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    made = Project(tmp_path_factory.mktemp("project"))
    described = []
    for number, (name, (query, *types)) in enumerate((KEPT | BROKEN).items()):
        made.write(f"models/{name}.sql", query)
        a, b = (f"{{name: {n}, data_type: '{t}'}}" for n, t in zip("ab", types, strict=True))
        described.append(
            f"{{name: {name}, columns: [{a}, {b}], config: {{contract: {{enforced: true}},"
            f" materialized: {('table', 'view')[number % 2]}}}}}"
        )
    made.write("models/models.yml", f"models: [{', '.join(described)}]")
    made.write("seeds/texts.csv", 'digits,flag,said\n007,true,"a ""b"", c"\n,false,\n1e3,,ü\n')
    return made


def test_a_contract_is_kept_to_the_digit(project: Project) -> None:
    built = project.build()
    assert {n for n, node in built.items() if node.status != "success"} == set(BROKEN)
    for name in BROKEN:
        assert "enforced contract that failed" in built[name].message


@pytest.mark.parametrize("kind", ["table", "view"])
def test_descriptions_are_kept_in_the_warehouse_where_that_is_asked_for(
    kind: str, tmp_path: Path
) -> None:
    made = Project(tmp_path)
    made.write("models/told.sql", "select 1 as a, 2 as b")
    for asked in ("{relation: true}", "{columns: true}", "{relation: true, columns: true}", "{}"):
        made.write(
            "models/models.yml",
            "models: [{name: told, description: It's so, columns: [{name: a, description: One}],"
            f" config: {{materialized: {kind}, persist_docs: {asked}}}}}]",
        )
        assert made.build()["told"].status == "success"
        names = f"'told', (select comment from duckdb_{kind}s() where {kind}_name = 'told')"
        told = made.rows(
            f"select {names} union all select column_name, comment from duckdb_columns()"
            " where table_name = 'told'"
        )
        assert dict(told) == {
            "told": "It's so" if "relation" in asked else None,
            "a": "One" if "columns" in asked else None,
            "b": None,
        }


def test_a_seed_is_read_as_declared_and_each_time_anew(project: Project) -> None:
    project.build()
    everything = "select * from seeded.texts order by all"
    rows = [("007", True, 'a "b", c'), ("1e3", None, "ü"), (None, False, None)]
    assert project.rows(everything) == rows
    with duckdb.connect(str(project.warehouse)) as connection:
        connection.execute("update seeded.texts set digits = '8'")
    project.build()
    assert project.rows(everything) == rows


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"digits,flag,said\n1,true,a\n#2,true\n", "CSV Error on Line: 3: Original Line: #2,true"),
        (b"digits,flag,said\n1;true;a\n", "Expected Number of Columns: 3 Found: 1"),
        (b"digits,flag,said\n1,yes?,a\n", "Could not convert string \"yes?\" to 'BOOLEAN'"),
        (b"digits;flag\n1;true\n", "seeds/texts.csv: the first line lacks digits, flag; expected"),
        (b'\xef\xbb\xbf"flag",digits\r\ntrue,#1\r\n\r\n', None),
    ],
)
def test_a_seed_that_cannot_be_read_names_the_line(
    content: bytes, said: str | None, tmp_path: Path
) -> None:
    made = Project(tmp_path)
    (tmp_path / "seeds" / "texts.csv").write_bytes(content)
    built = made.build()["texts"]
    if said is None:
        assert (built.status, made.rows("from seeded.texts")) == ("success", [(True, "#1")])
    else:
        assert built.status == "error"
        assert said in built.message


def test_schemas_are_created_once(project: Project) -> None:
    project.warehouse.unlink(missing_ok=True)
    project.build()
    assert len(project.statements) == 1
    project.build()
    assert project.statements == []


def test_deleted_rows_lie_where_they_are_as_long_as_they_are_few(tmp_path: Path) -> None:
    source = (ROOT / "macros" / "engine" / "leave_dead_rows.sql").read_text(encoding="utf-8")
    environment = jinja2.Environment(extensions=["jinja2.ext.do"])
    kept = SimpleNamespace(schema="intermediate", alias="kept")
    log = SimpleNamespace(
        package_name="pool_recon",
        resource_type="model",
        schema="history",
        alias="log",
        config=SimpleNamespace(materialized="incremental"),
    )
    # a model of another package may not have been built yet
    other = SimpleNamespace(**vars(log) | {"package_name": "other", "alias": "missing"})

    with duckdb.connect(str(tmp_path / "w.duckdb")) as connection:

        def run_query(statement: str) -> SimpleNamespace:
            return SimpleNamespace(rows=connection.execute(statement).fetchall())

        def vacuum_tasks(*, is_incremental: bool) -> object:
            (living,) = connection.execute("select count(*) from intermediate.kept").fetchall()[0]
            call = f"{{{{ duckdb__leave_dead_rows({is_incremental}, 'kept={living}') }}}}"
            environment.from_string(source + call).render(
                run_query=run_query,
                pool_recon=SimpleNamespace(kept_models=lambda: {"kept": kept}),
                graph=SimpleNamespace(nodes={"log": log, "other": other}),
            )
            setting = connection.execute("select current_setting('max_vacuum_tasks')").fetchone()
            return setting[0] if setting else None

        by_default = connection.execute("select current_setting('max_vacuum_tasks')").fetchall()
        connection.execute("create schema intermediate")
        connection.execute("create table intermediate.kept as select range as id from range(1000)")
        connection.execute("create schema history; create table history.log as select 0 as run")
        assert vacuum_tasks(is_incremental=True) == 0
        assert vacuum_tasks(is_incremental=False) == by_default[0][0] > 0
        connection.execute("delete from intermediate.kept where id < 200")
        assert vacuum_tasks(is_incremental=True) == 0
        connection.execute("delete from intermediate.kept where id < 201")
        assert vacuum_tasks(is_incremental=True) == by_default[0][0]

        # What is appended to at every close does not take a block for every close.
        connection.execute("insert into intermediate.kept select range from range(201)")
        found = []
        for run in range(20):
            found.append(vacuum_tasks(is_incremental=True))
            connection.execute(f"insert into history.log values ({run})")
            connection.execute("checkpoint")
        assert 1 < found.count(by_default[0][0]) < 5
        groups = connection.execute(
            "select count(distinct row_group_id) from pragma_storage_info('history.log')"
        ).fetchall()
        assert groups[0][0] <= 8


def test_only_a_build_of_all_rows_joins_as_it_is_written() -> None:
    source = (ROOT / "macros" / "engine" / "join_as_written.sql").read_text(encoding="utf-8")
    environment = jinja2.Environment(extensions=["jinja2.ext.do"])
    # Of a left join DuckDB would keep the small side in memory, on whichever side it stands.
    query = "select large.id from large left join small on large.id = small.id"
    turned = "select large.id from small left join large on large.id = small.id"

    with duckdb.connect() as connection:
        connection.execute("create table large as select range as id from range(100000)")
        connection.execute("create table small as select range as id from range(100)")

        def joins(*, is_incremental: bool) -> list[str]:
            call = f"{{{{ duckdb__join_as_written({is_incremental}) }}}}"
            environment.from_string(source + call).render(run_query=connection.execute)
            plans = [
                connection.execute(f"explain (format json) {sql}").fetchall()[0][1]
                for sql in (query, turned)
            ]
            return ["RIGHT" if '"RIGHT"' in plan else "LEFT" for plan in plans]

        assert joins(is_incremental=True) == ["LEFT", "RIGHT"]
        assert joins(is_incremental=False) == ["LEFT", "LEFT"]
        assert joins(is_incremental=True) == ["LEFT", "RIGHT"]
