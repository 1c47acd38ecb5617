"""What dbt works out anew, and comes to the same each time.

Before it reads a setting, dbt derives from its classes what settings may look like; for every
statement that returns nothing it makes a table without rows, which looks up how dates are written
in every language; for every node it puts together which parts of Python a template may use, and
with which options it was called; and to tell which module asks for a switch it reads the source of
all that are being run: more than a tenth of a small build. The first is kept in the cache of the
user, the others are made once, for as long as a build lasts, or found without their source; a test
says where another version of dbt no longer comes by here.
"""

from __future__ import annotations

import contextlib
import inspect
import json
import platform
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import dbt_common.clients.agate_helper
import dbt_common.dataclass_schema
from dbt.context import base, providers
from dbt_common.behavior_flags import BehaviorFlagRendered

from pool_recon.cache import read_own, write_own

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

    tables: Any = dbt_common.clients.agate_helper
    make_empty = tables.empty_table
    # A table cannot be changed.
    empty = make_empty()
    contexts: Any = base
    list_modules: Callable[[], dict[str, dict[str, Any]]] = contexts.get_context_modules
    modules = list_modules()
    switch: Any = BehaviorFlagRendered
    name_asking = switch.__dict__["_default_source"]
    nodes: Any = providers
    list_options: Callable[[Any], dict[str, Any]] = nodes.args_to_dict
    theirs.build_json_schema = build_once
    tables.empty_table = lambda: empty
    # No template gets hold of the same dictionary as another.
    contexts.get_context_modules = lambda: {name: dict(of) for name, of in modules.items()}
    nodes.args_to_dict = _once_of_each(list_options)
    switch._default_source = staticmethod(_asking)
    try:
        yield
    finally:
        theirs.build_json_schema = build
        tables.empty_table = make_empty
        contexts.get_context_modules = list_modules
        nodes.args_to_dict = list_options
        switch._default_source = name_asking
        if added:
            with contextlib.suppress(OSError):
                write_own(file, json.dumps([made_by, kept | added]).encode())


def _once_of_each(list_options: Callable[[Any], dict[str, Any]]) -> Callable[[Any], dict[str, Any]]:
    """Lists the options of each call of dbt once, in a dictionary of its own each time."""
    listed: dict[int, tuple[Any, dict[str, Any]]] = {}

    def list_once(of: Any) -> dict[str, Any]:
        # A call that is kept cannot be mistaken for a later one in the same place of memory.
        if id(of) not in listed:
            listed[id(of)] = (of, list_options(of))
        return dict(listed[id(of)][1])

    return list_once


def _asking() -> str:
    """The name of the module that asks for a switch, the first that is not of the switch itself."""
    frame = inspect.currentframe()
    while frame:
        name = str(frame.f_globals.get("__name__"))
        if name not in {__name__, BehaviorFlagRendered.__module__}:
            return name
        frame = frame.f_back
    return "Unknown"


def _made_by() -> list[str]:
    return [platform.python_version(), *(f"{name} {version(name)}" for name in _PROGRAMS)]


def _read(file: Path, made_by: list[str]) -> dict[str, dict[str, Any]]:
    content = read_own(file)
    try:
        by, schemas = json.loads(content) if content else ([], {})
    except (ValueError, TypeError):
        return {}
    return schemas if by == made_by and isinstance(schemas, dict) else {}
