"""What dbt is given ready-made is what it works out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from dbt.context import base, providers
from dbt.contracts.project import Project
from dbt_common import dataclass_schema
from dbt_common.behavior_flags import BehaviorFlagRendered
from dbt_common.clients import agate_helper
from dbt_common.dataclass_schema import ValidationError, dbtClassMixin

from pool_recon.dbt_shortcuts import constants
from pool_recon.dbt_shortcuts.constants import worked_out_before

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
    monkeypatch.setattr(constants, "version", lambda _: "another")
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


def test_a_table_without_rows_is_made_once(file: Path) -> None:
    build, make = dataclass_schema.build_json_schema, agate_helper.empty_table
    with worked_out_before(file):
        assert dataclass_schema.build_json_schema is not build
        # As the adapters ask for it.
        from dbt_common.clients.agate_helper import empty_table

        assert empty_table() is empty_table()
        assert (list(empty_table().rows), empty_table().column_names) == ([], ())
        assert make().column_names == ()
        with pytest.raises(TypeError):
            empty_table().columns["a"] = 1
    assert dataclass_schema.build_json_schema is build
    assert agate_helper.empty_table is make


def test_what_templates_may_use_of_python_is_listed_once(file: Path) -> None:
    list_modules = base.get_context_modules
    with worked_out_before(file):
        # As every node asks for it.
        first, second = (base.BaseContext({}).to_dict()["modules"] for _ in range(2))
        assert base.get_context_modules is not list_modules
    theirs = base.BaseContext({}).to_dict()["modules"]
    assert {name: set(of) for name, of in first.items()} == {
        name: set(of) for name, of in theirs.items()
    }
    # itertools is wrapped anew each time.
    assert first["itertools"]["count"] is second["itertools"]["count"]
    assert theirs["itertools"]["count"] is not first["itertools"]["count"]
    first["re"]["own"] = None
    assert "own" not in second["re"]
    assert base.get_context_modules is list_modules


def test_the_options_of_a_call_are_listed_once(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []

    def list_options(of: Any) -> Any:
        calls.append(of)
        return {"which": of.which}

    monkeypatch.setattr(providers, "args_to_dict", list_options)
    build, test = SimpleNamespace(which="build"), SimpleNamespace(which="test")

    def listed(of: Any) -> Any:
        """As every node asks for it."""
        context: Any = SimpleNamespace(config=SimpleNamespace(args=of))
        member: Any = providers.ProviderContext.__dict__["invocation_args_dict"]
        return member.__get__(context)

    with worked_out_before(file):
        first, second = listed(build), listed(build)
        assert (first, listed(test)) == ({"which": "build"}, {"which": "test"})
        first["own"] = None
        assert (second, listed(build)) == ({"which": "build"}, {"which": "build"})
    assert calls == [build, test]
    assert providers.args_to_dict is list_options


def test_who_asks_for_a_switch_is_found(file: Path) -> None:
    def source() -> str:
        flag: Any = {"name": "switch", "default": False, "docs_url": "none"}
        return str(BehaviorFlagRendered(flag, {})._behavior_change_event.flag_source)

    before = BehaviorFlagRendered._default_source
    theirs = source()
    with worked_out_before(file):
        assert BehaviorFlagRendered._default_source is not before
        assert source() == theirs == __name__
    assert BehaviorFlagRendered._default_source is before
