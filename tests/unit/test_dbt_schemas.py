"""Schemas of settings that are kept are those that dbt works out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from dbt.compilation import Compiler, Linker
from dbt.contracts.project import Project
from dbt_common import dataclass_schema
from dbt_common.dataclass_schema import ValidationError, dbtClassMixin

from pool_recon import dbt_schemas
from pool_recon.dbt_schemas import worked_out_before

SETTINGS = {"name": "p", "version": "1.0", "config-version": 2, "profile": "p"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "schemas.json"


def schema_of(settings: Any) -> Any:
    """What dbt validates against, worked out anew or taken from the cache."""
    dbtClassMixin.json_schema.__func__.cache_clear()  # type: ignore[attr-defined]
    return settings.json_schema()


def test_dbt_validates_against_what_was_kept(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = schema_of(Project)
    with worked_out_before(file):
        assert schema_of(Project) == theirs
    monkeypatch.setattr(dataclass_schema, "build_json_schema", None)
    with worked_out_before(file):
        assert schema_of(Project) == theirs
        Project.validate(SETTINGS)
        with pytest.raises(ValidationError, match="'nme' was unexpected"):
            Project.validate(SETTINGS | {"nme": "p"})


def test_another_version_works_them_out_anew(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with worked_out_before(file):
        schema_of(Project)
    kept = file.read_text("utf-8")
    monkeypatch.setattr(dbt_schemas, "version", lambda _: "another")
    file.write_text(kept.replace("additionalProperties", "spoiled"), encoding="utf-8")
    with worked_out_before(file):
        assert "spoiled" not in json.dumps(schema_of(Project))


@pytest.mark.parametrize("content", ["", "{", "[]", "1", "[1, 2]", "[[], []]"])
def test_a_broken_cache_costs_only_time(content: str, file: Path) -> None:
    theirs = schema_of(Project)
    file.parent.mkdir()
    file.write_text(content, encoding="utf-8")
    with worked_out_before(file):
        assert schema_of(Project) == theirs
    assert "additionalProperties" in file.read_text("utf-8")


def test_a_class_of_the_same_name_elsewhere_is_another(file: Path) -> None:
    @dataclass
    class Project(dbtClassMixin):
        own: str

    with worked_out_before(file):
        assert set(schema_of(Project)["properties"]) == {"own"}
        from dbt.contracts.project import Project as Theirs

        assert set(schema_of(Theirs)["properties"]) != {"own"}


def test_the_graph_is_not_summed_up(file: Path, tmp_path: Path) -> None:
    before = Linker.get_graph_summary
    build = dataclass_schema.build_json_schema
    settings: Any = SimpleNamespace(
        project_target_path=str(tmp_path),
        args=SimpleNamespace(which="list"),
        load_dependencies=dict,
    )
    nothing: Any = SimpleNamespace(
        **dict.fromkeys(("nodes", "sources", "exposures", "metrics", "functions"), {}),
        **dict.fromkeys(("semantic_models", "saved_queries", "unit_tests"), {}),
        **dict.fromkeys(("groups", "macros"), {}),
    )
    with worked_out_before(file):
        assert dataclass_schema.build_json_schema is not build
        Compiler(settings).compile(nothing, write=False)
        assert json.loads((tmp_path / "graph_summary.json").read_text("utf-8"))["linked"] == {}
        assert Linker().get_graph_summary(nothing) == {}
    assert Linker.get_graph_summary is before
    assert dataclass_schema.build_json_schema is build
