"""A dbt project of a few lines, and how it is built."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

from pool_recon.dbt_runner import BuildSettings

_PROJECT = {
    "dbt_project.yml": "{name: small, version: '1.0', profile: small}",
    "profiles.yml": "small: {target: duckdb, outputs: {duckdb: {type: duckdb,"
    " path: \"{{ env_var('POOL_RECON_WAREHOUSE') }}\", config_options: {checkpoint_threshold:"
    " \"{{ env_var('POOL_RECON_CHECKPOINT_THRESHOLD') }}\"}}}}",
}


def small_build(folder: Path, files: Mapping[str, str]) -> BuildSettings:
    """Write a project of `files` into `folder`, and say how it is built there."""
    for name, text in {**_PROJECT, **files}.items():
        file = folder / "project" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return BuildSettings(
        project_dir=folder / "project",
        warehouse=folder / "small.duckdb",
        state_dir=folder / "state",
        close_date=date(2026, 6, 30),
        time_zone=None,
    )
