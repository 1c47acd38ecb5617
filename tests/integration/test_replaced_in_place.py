"""A model that cannot be built leaves what was there, although DuckDB drops that first."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import duckdb
import pytest

from pool_recon.dbt_runner import build_and_test
from pool_recon.errors import CloseError

from .small_build import small_build

ROOT = Path(__file__).resolve().parents[2]
PROJECT = "{name: pool_recon, version: '1.0', profile: small}"
# By model: how it is made, and a column that cannot be computed.
BROKEN = {
    # The last row cannot be computed, when the others are written.
    "a_table": ("materialized='table'", "case when value = 2999 then error('late') end"),
    "with_hook": (
        "materialized='table', post_hook='select 1'",
        "case when value = 2999 then error('') end",
    ),
    "a_view": ("materialized='view'", "no_column"),
}


def build(folder: Path, columns: Mapping[str, str]) -> None:
    """Build a project of these models with the macros of this one."""
    models = {
        f"models/{name}.sql": f"{{{{ config({BROKEN[name][0]}) }}}}"
        f" select {column} as value from (select range as value from range(3000))"
        for name, column in columns.items()
    }
    settings = small_build(folder, {"dbt_project.yml": PROJECT, **models})
    macros = folder / "project" / "macros"
    if not macros.exists():
        macros.symlink_to(ROOT / "macros")
    build_and_test(settings)


def values(folder: Path, model: str) -> list[tuple[object]]:
    with duckdb.connect(str(folder / "small.duckdb"), read_only=True) as connection:
        return connection.execute(f"from {model} order by abs(value)").fetchall()


def test_what_was_there_stays_where_a_model_cannot_be_built(tmp_path: Path) -> None:
    build(tmp_path, dict.fromkeys(BROKEN, "value"))
    # One at a time, so that it is that one which could not be built.
    for name, (_, broken) in BROKEN.items():
        with pytest.raises(CloseError, match=f"the model {name} cannot be built: "):
            build(tmp_path, {**dict.fromkeys(BROKEN, "value"), name: broken})
        assert len(values(tmp_path, name)) == 3000
    build(tmp_path, dict.fromkeys(BROKEN, "-value"))
    for name in BROKEN:
        assert values(tmp_path, name)[1] == (-1,)
