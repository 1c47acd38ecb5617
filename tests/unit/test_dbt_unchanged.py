"""Seeds and views are left as they are only where they are what the project makes of them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest

from pool_recon.dbt_unchanged import made_by_the_project_alone, remember, stand_as_made

MACROS = {
    "plain": "{{ column }}",
    "by_dispatch": "{{ adapter.dispatch('engine', 'pool_recon')() }}",
    "duckdb__engine": "{{ pool_recon.close_date() }}",
    "close_date": "{{ env_var('POOL_RECON_CLOSE_DATE') }}",
    "this_build": "{{ graph.get('pool_recon_build') }}",
}
NODES = (("seeded", "codes", "seed"), ("shown", "one", "model"))


def manifest(*statements: str, materialized: str = "view") -> Any:
    def macro(name: str, text: str, package: str = "pool_recon") -> Any:
        return SimpleNamespace(name=name, macro_sql=text, package_name=package)

    macros = [macro(name, text) for name, text in MACROS.items()]
    macros.append(macro("ref", "{{ env_var('OF_DBT') }}", "dbt"))
    return SimpleNamespace(
        metadata=SimpleNamespace(project_name="pool_recon"),
        macros={str(number): each for number, each in enumerate(macros)},
        nodes={
            statement: SimpleNamespace(
                resource_type="model",
                config=SimpleNamespace(materialized=materialized),
                raw_code=statement,
            )
            for statement in statements
        },
    )


def test_what_the_date_or_the_build_may_change_is_built() -> None:
    alone = "select {{ pool_recon.plain('a') }} from {{ ref('b') }}"
    others = [
        "{{ pool_recon.close_date() }}",
        "{{ pool_recon.by_dispatch() }}",
        "{{ pool_recon.this_build() }}",
        "{{ run_query('select 1') }}",
    ]
    found = made_by_the_project_alone(manifest(alone, *others))
    assert [node.raw_code for node in found] == [alone]
    assert made_by_the_project_alone(manifest(alone, materialized="table")) == []


class Built:
    """A warehouse with a seed and a view, and the cache of who built it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "cache"
        self.file = folder / "w.duckdb"
        self.nodes = [
            SimpleNamespace(schema=schema, alias=alias, resource_type=kind)
            for schema, alias, kind in NODES
        ]
        self.run(
            "create schema seeded; create schema shown;"
            " create table seeded.codes as from (values ('a', 1), ('b', 2)) as t (code, n);"
            " create view shown.one as select code from seeded.codes"
        )

    def run(self, statement: str) -> None:
        with duckdb.connect(str(self.file)) as connection:
            connection.execute(statement)

    def stands(self, made_from: str = "project") -> bool:
        return stand_as_made(self.folder, made_from, self.file, self.nodes)

    def remember(self) -> None:
        remember(self.folder, "project", self.file, self.nodes)


@pytest.fixture
def built(tmp_path: Path) -> Built:
    made = Built(tmp_path)
    assert not made.stands()
    made.remember()
    assert made.stands()
    return made


@pytest.mark.parametrize(
    "change",
    [
        "update seeded.codes set n = 3 where code = 'b'",
        "insert into seeded.codes values ('b', 2)",
        "delete from seeded.codes where code = 'b'",
        "alter table seeded.codes alter n type bigint",
        "create or replace view shown.one as select code from seeded.codes where n = 1",
        "drop view shown.one",
        "drop view shown.one; drop table seeded.codes",
    ],
)
def test_what_was_changed_is_made_again(change: str, built: Built) -> None:
    built.run(change)
    assert not built.stands()


def test_another_project_makes_it_again(built: Built) -> None:
    assert not built.stands("another project")


def test_rows_in_another_order_are_the_same(built: Built) -> None:
    built.run("create table b as from seeded.codes order by n desc; delete from seeded.codes")
    built.run("insert into seeded.codes from b; drop table b")
    assert built.stands()


def test_another_warehouse_of_the_same_project_may_have_it_too(built: Built) -> None:
    (other := built.file.parent / "other").mkdir()
    assert Built(other).file != built.file
    assert stand_as_made(built.folder, "project", other / "w.duckdb", built.nodes)
    assert not stand_as_made(built.folder, "project", other / "none.duckdb", built.nodes)


@pytest.mark.parametrize("content", ["", "{", "[]", '["project"]', '{"a": 1, "b": 2}', "1"])
def test_a_cache_that_cannot_be_read_has_it_made_again(content: str, built: Built) -> None:
    (file,) = built.folder.iterdir()
    file.write_text(content, encoding="utf-8")
    assert not built.stands()


def test_what_is_missing_is_not_remembered(built: Built) -> None:
    built.run("drop view shown.one")
    built.remember()
    assert not built.stands()
    assert not (built.folder.parent / "none.duckdb").exists()
