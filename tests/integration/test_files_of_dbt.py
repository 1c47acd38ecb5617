"""dbt writes no files that nobody reads."""

from __future__ import annotations

from pathlib import Path

import pytest
from dbt.compilation import Linker
from dbt.contracts.graph.nodes import ModelNode, ParsedNode

from pool_recon.dbt_runner import BuildSettings, build_and_test
from pool_recon.dbt_shortcuts.files import no_files_of_nodes
from tests.integration.small_build import small_build


@pytest.fixture
def settings(tmp_path: Path) -> BuildSettings:
    files = {
        "models/one.sql": "{{ config(tags='shown') }} select 1 as one",
        "tests/holds.sql": "select * from {{ ref('one') }} where one <> 1",
    }
    return small_build(tmp_path, files)


def written(settings: BuildSettings) -> set[str]:
    target = settings.state_dir / "target"
    return {file.relative_to(target).parts[0] for file in target.rglob("*.sql")}


def test_the_sql_of_nodes_is_written_only_to_look_for_faults(
    settings: BuildSettings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    names = {node.name for node in build_and_test(settings)}
    assert names == {"one", "holds"}
    assert written(settings) == set()
    summary = settings.state_dir / "target" / "graph_summary.json"
    assert '"linked": {}' in summary.read_text("utf-8")
    build_and_test(BuildSettings(**vars(settings) | {"is_debug": True, "is_full_refresh": True}))
    assert written(settings) == {"compiled", "run"}
    assert '"linked": {"' in summary.read_text("utf-8")


def test_dbt_is_as_it_was_afterwards() -> None:
    before = Linker.get_graph_summary, ParsedNode.write_node
    assert ModelNode.write_node is ParsedNode.write_node
    with no_files_of_nodes():
        assert ModelNode.write_node is not before[1]
    assert (Linker.get_graph_summary, ParsedNode.write_node) == before
