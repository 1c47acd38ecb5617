"""When a manifest is taken as it was kept, and what makes the project be parsed anew."""

from __future__ import annotations

import json
import os
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dbt.config.project
import pytest
import yaml
from dbt.config.runtime import load_project
from dbt.contracts.graph.manifest import Manifest

from pool_recon import dbt_manifest
from pool_recon.dbt_manifest import _DEFAULT_PATHS

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = {"target": "duckdb", "variables": {}}


class Parsed:
    """A project whose manifest is asked for, and how often it was parsed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "project"
        self.state = folder / "state"
        self.times = 0
        for path, text in {
            "dbt_project.yml": "model-paths: [models]\nmacro-paths: [macros]\n",
            "profiles.yml": "{}",
            "models/deep/a.sql": "select '{{ env_var( \"OF_THE_DESK\", '') }}'",
            "macros/m.sql": "",
            "docs/read_by_nobody.md": "",
        }.items():
            self.write(path, text)

    def write(self, path: str, text: str) -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def parse(self) -> Manifest:
        self.times += 1
        return Manifest(env_vars={"parsed": str(self.times)})

    def ask(self, database: str = "w.duckdb", **settings: Any) -> str:
        manifest = dbt_manifest.kept_or_parsed(
            self.folder, self.state, database, SETTINGS | settings, self.parse
        )
        assert isinstance(manifest, Manifest)
        found = manifest.env_vars["parsed"]
        # A build writes into it; what is kept does not change with it.
        manifest.env_vars["parsed"] = "spoiled"
        return found

    @property
    def kept(self) -> Path:
        (file,) = Path(os.environ["XDG_CACHE_HOME"]).rglob("manifest.pickle")
        return file


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Parsed:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("POOL_RECON_CLOSE_DATE", "2026-06-30")
    return Parsed(tmp_path)


def test_it_is_parsed_once(project: Parsed) -> None:
    assert [project.ask(), project.ask(), project.ask()] == ["1", "1", "1"]


@pytest.mark.parametrize(
    "change",
    [
        lambda project, _: project.write("models/deep/a.sql", "select 2"),
        lambda project, _: project.write("models/b.sql", ""),
        lambda project, _: (project.folder / "macros/m.sql").unlink(),
        lambda project, _: (project.folder / "macros/m.sql").rename(
            project.folder / "macros/n.sql"
        ),
        lambda project, _: project.write("dbt_project.yml", "model-paths: [models]\n"),
        # Where dbt looks although dbt_project.yml does not say so.
        lambda project, _: project.write("snapshots/s.sql", ""),
        lambda project, _: project.write("seeds/s.csv", ""),
        lambda project, _: project.write("profiles.yml", "{a: 1}"),
        lambda project, _: project.write("packages.yml", "{}"),
        lambda project, _: project.write("dbt_packages/other/models/a.sql", ""),
        lambda _, patch: patch.setenv("POOL_RECON_SCHEMA_PREFIX", "next_"),
        lambda _, patch: patch.setenv("PGUSER", "another"),
        lambda project, _: project.write(".dbtignore", "models/a.sql"),
        # Asked for by a model, see below.
        lambda _, patch: patch.setenv("OF_THE_DESK", "another"),
        lambda _, patch: patch.setattr(dbt_manifest, "version", lambda _: "another"),
    ],
)
def test_any_change_is_noticed(
    change: Callable[[Parsed, pytest.MonkeyPatch], object],
    project: Parsed,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    project.ask()
    change(project, monkeypatch)
    assert project.ask() == "2"
    assert project.ask() == "2"


def test_it_is_known_where_dbt_looks_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flags = SimpleNamespace(TARGET_PATH=None, LOG_PATH=None)
    monkeypatch.setattr(dbt.config.project, "get_flags", lambda: flags)
    project = {"name": "bare", "version": "1.0", "profile": "bare"}
    (tmp_path / "dbt_project.yml").write_text(json.dumps(project), encoding="utf-8")
    read = load_project(str(tmp_path), False, None)
    assert {path for paths in _DEFAULT_PATHS.values() for path in paths} == {*read.all_source_paths}


def test_other_settings_are_noticed(project: Parsed) -> None:
    assert project.ask() == "1"
    assert project.ask(variables={"grace_period_seconds": 1}) == "2"
    assert project.ask(variables={"grace_period_seconds": 1}, database="other.duckdb") == "3"


@pytest.mark.parametrize(
    "variables",
    [
        {"POOL_RECON_WAREHOUSE": "/elsewhere/w.duckdb", "HOME": "/elsewhere"},
        {"ASKED_FOR_BY_NOBODY": "1"},
        {"POOL_RECON_LANDED_ROWS": "untouched"},
        {"POOL_RECON_CLOSE_DATE": "2026-07-01", "POOL_RECON_TIME_ZONE": "Europe/Berlin"},
    ],
)
def test_where_the_file_lies_and_which_date_is_closed_makes_no_difference(
    variables: dict[str, str], project: Parsed, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.ask()
    project.write("docs/read_by_nobody.md", "changed")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert project.ask() == "1"


def test_what_is_closed_decides_nothing_about_the_project() -> None:
    # It would be as it was for the date of the first close.
    asks = {"close_date", "close_moment", "cut_off_at", "business_time_zone"}
    names = re.compile(rf"{'|'.join(sorted(asks))}|CLOSE_DATE|TIME_ZONE")
    macros = "".join(path.read_text("utf-8") for path in (ROOT / "macros").rglob("*.sql"))
    assert {name for name in asks if f"macro {name}(" in macros} == asks
    project = yaml.safe_load((ROOT / "dbt_project.yml").read_text("utf-8"))
    configured = [json.dumps(project["models"]), json.dumps(project["seeds"])]
    for folder in ("models", "seeds", "tests"):
        for path in (ROOT / folder).rglob("*.yml"):
            read = yaml.load(path.read_text("utf-8"), yaml.CSafeLoader) or {}
            nodes = [node for kind in ("models", "seeds") for node in read.get(kind, ())]
            configured += [json.dumps(node.get("config", {})) for node in nodes]
        for path in (ROOT / folder).rglob("*.sql"):
            configured += re.findall(
                r"\bconfig\((.*?)\)\s*-?}}", path.read_text("utf-8"), re.DOTALL
            )
    assert len(configured) > 100
    assert [text for text in configured if names.search(text)] == []


@pytest.mark.parametrize("content", [b"", b"no pickle", pickle.dumps(1), pickle.dumps(("x", b""))])
def test_what_is_broken_is_parsed_anew(content: bytes, project: Parsed) -> None:
    project.ask()
    project.kept.write_bytes(content)
    assert project.ask() == "2"


def test_what_others_can_write_is_not_read(project: Parsed) -> None:
    project.ask()
    assert project.kept.stat().st_mode & 0o077 == 0
    project.kept.chmod(0o666)
    assert project.ask() == "2"


def test_without_a_cache_it_is_parsed(project: Parsed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", os.devnull)
    assert [project.ask(), project.ask()] == ["1", "2"]
