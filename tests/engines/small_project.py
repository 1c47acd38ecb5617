"""A small project with our macros, for what an engine keeps from build to build."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from pool_recon import reference
from pool_recon.dbt_runner import BuildSettings, _environment, _invoke
from pool_recon.dbt_shortcuts import shortcuts

ROOT = Path(__file__).resolve().parents[2]
EXPORTS = [export.name for export in reference.exports()]
# What is at hand are the orders of new files.
ROWS_AT_HAND = """
    {%- set build = pool_recon.this_build() -%}
    {%- if execute and build.is_incremental -%}
    {%- do pool_recon.make_tables_at_hand({
        'rows': "as select distinct _row_number as row_order from raw.orders"
        " where _file_id > " ~ build.last_file_id
    }) -%}
    {%- endif -%}
    select {{ build.number }} as number
"""


def lay_out(folder: Path, models: Mapping[str, str], *, has_register: bool) -> None:
    """Write a project on the tables of `raw` into `folder`, an empty one.

    It has `models` beside `int_rows_at_hand`. Its hooks are ours, that of the register only with
    `has_register`.
    """
    (folder / "macros").symlink_to(ROOT / "macros")
    (folder / "models").mkdir()
    ours = yaml.safe_load((ROOT / "dbt_project.yml").read_text(encoding="utf-8"))
    theirs = {key: ours[key] for key in ("name", "profile", "dispatch", "vars", "on-run-end")}
    theirs["on-run-start"] = [
        hook for hook in ours["on-run-start"] if has_register or "register" not in hook
    ]
    theirs["models"] = {
        "+post-hook": ours["models"]["pool_recon"]["+post-hook"],
        "+schema": "intermediate",
        "+materialized": "table",
    }
    (folder / "dbt_project.yml").write_text(json.dumps(theirs), encoding="utf-8")
    profiles = (ROOT / "profiles.yml").read_text(encoding="utf-8")
    (folder / "profiles.yml").write_text(profiles, encoding="utf-8")
    tables = [{"name": name} for name in ("files", "file_columns", *EXPORTS)]
    sources = {"sources": [{"name": "raw", "tables": tables}]}
    (folder / "models" / "sources.yml").write_text(json.dumps(sources), encoding="utf-8")
    for name, query in {"int_rows_at_hand": ROWS_AT_HAND, **models}.items():
        (folder / "models" / f"{name}.sql").write_text(query, encoding="utf-8")


def run_dbt(
    folder: Path,
    target: str,
    command: str,
    *arguments: str,
    day: date,
    environment: Mapping[str, str],
    variables: Mapping[str, Any],
) -> Any:
    """What dbt says of a command in the project in `folder`, all of whose nodes succeed."""
    from dbt.cli.main import dbtRunner

    settings = BuildSettings(
        project_dir=folder,
        warehouse=folder / "none.duckdb",
        state_dir=folder / "state",
        close_date=day,
        time_zone=None,
        variables=variables,
        target=target,
        environment=environment,
    )
    with _environment(settings), shortcuts(folder / "cache", keeps_files=False):
        result = _invoke(dbtRunner(), settings, command, *arguments)
    assert [str(node.status) for node in result.results] == ["success"] * len(result.results)
    return result
