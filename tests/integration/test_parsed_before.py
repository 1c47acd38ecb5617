"""Where the project changed, dbt goes on with what it parsed, wherever the warehouse lies."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from dbt.parser.manifest import ManifestLoader

from pool_recon.dbt_runner import BuildSettings, parsed_project
from tests.integration.small_build import small_build


@pytest.fixture
def parsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BuildSettings:
    """A project that was parsed, and has a model more since."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    settings = small_build(tmp_path, {"models/one.sql": "select 1 as one"})
    parsed_project(settings)
    (settings.project_dir / "models" / "two.sql").write_text("select 2 as two", encoding="utf-8")
    return settings


@pytest.mark.parametrize(("name", "goes_on"), [("small.duckdb", True), ("other.duckdb", False)])
def test_what_was_parsed_counts_for_databases_of_one_name(
    name: str,
    goes_on: bool,
    parsed: BuildSettings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    went_on: list[bool] = []
    judged = ManifestLoader.is_partial_parsable

    def heard(self: Any, manifest: Any) -> Any:
        judgement = judged(self, manifest)
        went_on.append(judgement[0])
        return judgement

    monkeypatch.setattr(ManifestLoader, "is_partial_parsable", heard)
    elsewhere = tmp_path / "elsewhere"
    found = parsed_project(replace(parsed, warehouse=elsewhere / name, state_dir=elsewhere))
    assert went_on == [goes_on]
    assert {node.name for node in found.nodes.values()} == {"one", "two"}
    assert {node.database for node in found.nodes.values()} == {name.removesuffix(".duckdb")}
