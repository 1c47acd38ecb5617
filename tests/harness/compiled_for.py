"""Compiles the project as the adapter of another warehouse would dispatch it.

`forking.run` has it done in a process of its own, because it changes which macros dbt finds. dbt
reads the project with the adapter that is installed, if it was not read before; only the choice
among the macros is that of the other warehouse.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from dbt.cli.main import dbtRunner
from dbt.context.providers import BaseDatabaseWrapper

# as the adapters themselves say from which others they inherit
INHERITS = {"databricks": ("spark",)}


# macros of dbt itself, of which each adapter has its own; that of no adapter stands for them here
OF_ADAPTERS = {"dateadd", "datediff", "type_string"}
dispatch = BaseDatabaseWrapper.dispatch


def dispatched_for(adapter: str) -> Any:
    """The `adapter.dispatch` of a project whose target is of this adapter."""

    def choose(self: Any, macro_name: str, macro_namespace: str | None = None) -> Any:
        # of this wrapper alone: each model has one of its own, and two of them are compiled at once
        if adapter != "duckdb" and macro_namespace == "pool_recon":
            names = [adapter, *INHERITS.get(adapter, ()), "default"]
        elif adapter != "duckdb" and macro_name in OF_ADAPTERS:
            names = ["default"]
        else:
            return dispatch(self, macro_name, macro_namespace)
        self._get_adapter_macro_prefixes = lambda: names
        try:
            return dispatch(self, macro_name, macro_namespace)
        finally:
            del self._get_adapter_macro_prefixes

    return choose


def compile_for(folder: Path, adapters: list[str], project: Path, compiled: Path) -> None:
    """Write ADAPTER.json into the folder: what every model, data test and hook is compiled to.

    `compiled` is where dbt wrote to when it compiled the project in the same environment.
    """
    (folder / "target").mkdir()
    shutil.copy(compiled / "partial_parse.msgpack", folder / "target")
    options = [
        *("--quiet", "--no-version-check", "--log-level-file", "none", "--no-write-json"),
        *("--target-path", str(folder / "target"), "--log-path", str(folder / "logs")),
        *("--project-dir", str(project), "--profiles-dir", str(project)),
    ]
    parsed = dbtRunner().invoke(["parse", *options])
    assert parsed.success, parsed.exception
    for adapter in adapters:
        BaseDatabaseWrapper.dispatch = dispatched_for(adapter)
        done = dbtRunner(manifest=parsed.result).invoke(["compile", *options])
        assert done.success, done.exception
        compiled = {
            result.node.unique_id: result.node.compiled_code
            for result in done.result.results
            if result.node.resource_type in {"model", "test", "analysis"}
        }
        (folder / f"{adapter}.json").write_text(json.dumps(compiled), encoding="utf-8")
