"""What dbt works out at the start of every run, and comes to the same each time.

Before it reads a setting, dbt derives from its classes what settings may look like, and before it
builds, it sums up the graph in a file that nobody reads: a tenth of a small build. The first is
kept in the cache of the user, the second is left out, for as long as a build lasts; a test says
where another version of dbt no longer comes by here.
"""

from __future__ import annotations

import contextlib
import json
import platform
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import dbt_common.dataclass_schema
from dbt.compilation import Linker

from pool_recon.dbt_manifest import read_own, write_own

_PROGRAMS = ("dbt-core", "dbt-common", "dbt-adapters", "mashumaro")


class _Kept:
    """A schema as it was worked out before."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self._schema = schema

    def to_dict(self) -> dict[str, Any]:
        """The schema as JSON Schema has it."""
        return self._schema


@contextlib.contextmanager
def worked_out_before(file: Path) -> Iterator[None]:
    """Take the schemas of settings from `file`, and keep there those that were asked for.

    A file that cannot be read or written only costs the time of working them out.
    """
    made_by = _made_by()
    kept = _read(file, made_by)
    added: dict[str, dict[str, Any]] = {}
    theirs: Any = dbt_common.dataclass_schema
    build: Callable[[Any], Any] = theirs.build_json_schema

    def build_once(of: Any) -> Any:
        name = f"{of.__module__}.{of.__qualname__}"
        if name in kept:
            return _Kept(kept[name])
        built = build(of)
        schema = built.to_dict()
        with contextlib.suppress(TypeError, ValueError):
            if json.loads(json.dumps(schema)) == schema:
                added[name] = schema
        return built

    linker: Any = Linker
    sum_up = linker.get_graph_summary
    theirs.build_json_schema = build_once
    linker.get_graph_summary = lambda *_: {}
    try:
        yield
    finally:
        theirs.build_json_schema = build
        linker.get_graph_summary = sum_up
        if added:
            with contextlib.suppress(OSError):
                write_own(file, json.dumps([made_by, kept | added]).encode())


def _made_by() -> list[str]:
    return [platform.python_version(), *(f"{name} {version(name)}" for name in _PROGRAMS)]


def _read(file: Path, made_by: list[str]) -> dict[str, dict[str, Any]]:
    content = read_own(file)
    try:
        by, schemas = json.loads(content) if content else ([], {})
    except (ValueError, TypeError):
        return {}
    return schemas if by == made_by and isinstance(schemas, dict) else {}
