"""The compiled models in dependency order, and a warehouse in memory to run them in."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from pool_recon.loader import load_exports
from pool_recon.package import CONTROL_TOTALS_VIEW, VIEW_PREFIX, Verdict
from tests.harness.forking import clean_environment, run
from tests.harness.once import once
from tests.harness.packages import write_package

ROOT = Path(__file__).resolve().parents[2]
# what dbt names the database of a warehouse in memory, and so does DuckDB
IN_MEMORY = ":memory:"

FindingKey = tuple[str, str, str]


@dataclass(frozen=True)
class CompiledModel:
    """A model as dbt compiled it for its first run; `parents` are the models that it reads.

    `macros` are those by which dbt knows that the model has changed.
    """

    name: str
    relation: str
    schema: str
    is_view: bool
    sql: str
    parents: frozenset[str]
    macros: frozenset[str]


@dataclass(frozen=True)
class CompiledSeed:
    """A seed file with the types of its columns."""

    relation: str
    schema: str
    file: Path
    column_types: Mapping[str, str]


@dataclass(frozen=True)
class CompiledProject:
    """The project for one close date: seeds, what runs at the start, models by name in order.

    `analyses` are the statements by name.
    """

    seeds: tuple[CompiledSeed, ...]
    start: tuple[str, ...]
    models: Mapping[str, CompiledModel]
    analyses: Mapping[str, str]

    @property
    def package_views(self) -> list[str]:
        views = (name for name in self.models if name.startswith(VIEW_PREFIX))
        return [name for name in views if name != CONTROL_TOTALS_VIEW]

    def downstream(self, changed: Collection[str]) -> list[str]:
        """These models and all that read from them, in the order in which they run."""
        reached = set(changed)
        for model in self.models.values():
            if model.parents & reached:
                reached.add(model.name)
        return [name for name in self.models if name in reached]

    def upstream(self, wanted: Collection[str]) -> list[str]:
        """These models and all that they read from, in the order in which they run."""
        needed = set(wanted)
        for model in reversed(list(self.models.values())):
            if model.name in needed:
                needed |= model.parents
        return [name for name in self.models if name in needed]


@cache
def compiled_project(close_date: date) -> CompiledProject:
    """The project as dbt compiles it for a close date, once for all tests."""
    _, project = _compiled(close_date)
    return project


def _compiled(close_date: date) -> tuple[Path, CompiledProject]:
    """Where dbt wrote what it compiled, which is there as long as tests run, and what it was."""
    return once(f"compiled_{close_date}", lambda target: (target, _compile(target, close_date)))


def compiled_by_adapter(close_date: date, adapters: Sequence[str], folder: Path) -> dict[str, Any]:
    """By adapter, what each model, data test and analysis is compiled to by its macros."""
    arguments = [str(folder), str(ROOT), str(_compiled(close_date)[0]), *adapters]
    done = run("tests.harness.compiled_for", arguments, folder, _environment(close_date))
    assert done.returncode == 0, done.stdout + done.stderr
    files = {adapter: folder / f"{adapter}.json" for adapter in adapters}
    return {name: json.loads(file.read_text(encoding="utf-8")) for name, file in files.items()}


def _environment(close_date: date) -> dict[str, str]:
    return clean_environment() | {
        "POOL_RECON_WAREHOUSE": IN_MEMORY,
        "POOL_RECON_CLOSE_DATE": close_date.isoformat(),
        "DO_NOT_TRACK": "1",
    }


def _compile(target: Path, close_date: date) -> CompiledProject:
    folders = ("--project-dir", ROOT, "--profiles-dir", ROOT)
    output = ("--target-path", target, "--log-path", target)
    arguments = ["--quiet", "--log-level-file", "none", "compile", *folders, *output]
    done = run(
        "dbt.cli.main", [str(argument) for argument in arguments], target, _environment(close_date)
    )
    assert done.returncode == 0, done.stdout + done.stderr
    manifest = json.loads((target / "manifest.json").read_text(encoding="utf-8"))
    nodes = manifest["nodes"].values()
    return CompiledProject(
        seeds=tuple(_seed(node) for node in nodes if node["resource_type"] == "seed"),
        start=tuple(n["compiled_code"] for n in nodes if n["resource_type"] == "operation"),
        models=_in_order(
            [_model(node, manifest["macros"]) for node in nodes if node["resource_type"] == "model"]
        ),
        analyses={n["name"]: n["compiled_code"] for n in nodes if n["resource_type"] == "analysis"},
    )


def _seed(node: dict[str, Any]) -> CompiledSeed:
    file = ROOT / node["original_file_path"]
    return CompiledSeed(node["relation_name"], node["schema"], file, node["config"]["column_types"])


def _model(node: dict[str, Any], macros: dict[str, Any]) -> CompiledModel:
    parents = node["depends_on"]["nodes"]
    return CompiledModel(
        name=node["name"],
        relation=node["relation_name"],
        schema=node["schema"],
        is_view=node["config"]["materialized"] == "view",
        sql=node["compiled_code"],
        parents=frozenset(p.rpartition(".")[2] for p in parents if p.startswith("model.")),
        macros=_reached(node["depends_on"]["macros"], macros),
    )


def _reached(called: Iterable[str], macros: dict[str, Any]) -> frozenset[str]:
    """The names of these macros and of all that they call."""
    reached: set[str] = set()
    waiting = list(called)
    while waiting:
        macro = waiting.pop()
        if macro not in reached:
            reached.add(macro)
            waiting += macros[macro]["depends_on"]["macros"]
    return frozenset(macro.rpartition(".")[2] for macro in reached)


def _in_order(models: list[CompiledModel]) -> dict[str, CompiledModel]:
    ordered: dict[str, CompiledModel] = {}
    while len(ordered) < len(models):
        ready = [m for m in models if m.name not in ordered and m.parents <= ordered.keys()]
        assert ready, "the models read from one another in a circle"
        ordered |= {model.name: model for model in sorted(ready, key=lambda m: m.name)}
    return ordered


class Warehouse:
    """A warehouse in memory with the seeds in it; exports are loaded and closed one after another.

    Every close is a first close: the history begins empty.
    """

    def __init__(self, project: CompiledProject) -> None:
        self.project = project
        self.connection = duckdb.connect(IN_MEMORY)
        self.connection.execute("set timezone = 'UTC'; set threads = 1")
        self.connection.execute("create schema raw")
        schemas = {seed.schema for seed in project.seeds}
        schemas |= {model.schema for model in project.models.values()}
        for schema in sorted(schemas):
            self.connection.execute(f"create schema if not exists {schema}")
        for seed in project.seeds:
            types = ", ".join(f"'{name}': '{kind}'" for name, kind in seed.column_types.items())
            stated_types = f", types = {{{types}}}" if types else ""
            self.connection.execute(
                f"create table {seed.relation} as select * from read_csv(?, header = true,"
                f" delim = ',', quote = '\"'{stated_types})",
                [str(seed.file)],
            )

    def close_connection(self) -> None:
        self.connection.close()

    def load(self, *loads: Path) -> None:
        """Lands exports, one folder after another, in place of what was there."""
        self.connection.execute("drop schema raw cascade; create schema raw")
        for exports in loads:
            load_exports(self.connection, exports)
        for statement in self.project.start:
            self.connection.execute(statement)

    def run_models(
        self, names: Iterable[str] | None = None, overrides: Mapping[str, str] | None = None
    ) -> None:
        """Builds the models, or those named, with other SQL for some of them."""
        for name in self.project.models if names is None else names:
            model = self.project.models[name]
            kind = "view" if model.is_view else "table"
            sql = (overrides or {}).get(name, model.sql)
            self.connection.execute(f"create or replace {kind} {model.relation} as {sql}")

    def close(self, *loads: Path) -> None:
        """Loads the exports and builds every model."""
        self.load(*loads)
        self.run_models()

    def write_package(self, folder: Path) -> Path:
        """The files that a close publishes, with no verdict in the manifest."""
        folder.mkdir(parents=True, exist_ok=True)
        write_package(self.connection, folder, self.project.package_views, Verdict({}))
        return folder

    def findings(self) -> set[FindingKey]:
        """(code, subject_type, subject_id) of every finding."""
        rows = self.connection.execute(
            "select code, subject_type, subject_id from findings.findings_raised"
        ).fetchall()
        return {(str(code), str(kind), str(subject)) for code, kind, subject in rows}

    def breaches(self) -> list[tuple[str, str]]:
        """What breaks an invariant of the warehouse."""
        return self.connection.execute(
            "select invariant, subject from marts.close_invariant_breaches order by all"
        ).fetchall()
