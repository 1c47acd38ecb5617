"""The seeds and views that a build would only make again as they are.

A third of the nodes of a build are seeds and views. What they are is said by the project alone:
rows of files, and statements over tables that every build fills. Where a warehouse has them as the
same project made them before, they are left as they are, and the build does without these nodes.
The cache of the user keeps what a project makes, as one digest of the rows and statements; where
the digest of a warehouse is another, whatever was done to it, all of them are made again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pool_recon.dbt_manifest import read_own, write_own
from pool_recon.warehouse import connect

_FILE = "unchanged.json"
# A statement that has these words, or comes by a macro that has them, may be another tomorrow.
_OF_THE_RUN = frozenset(
    {"env_var", "flags", "invocation_id", "load_result", "pool_recon_build", "results"}
    | {"run_query", "run_started_at", "selected_resources", "this"}
)
_PREFIXES = ("duckdb__", "default__")
_WORD = re.compile(r"\w+")


def made_by_the_project_alone(manifest: Any) -> list[Any]:
    """The seeds of a manifest, and its views whose statements do not depend on the build."""
    macros: dict[str, str] = {}
    for macro in manifest.macros.values():
        if macro.package_name == manifest.metadata.project_name:
            macros[macro.name] = macro.macro_sql
    return [
        node
        for node in manifest.nodes.values()
        if node.resource_type == "seed"
        or (
            node.resource_type == "model"
            and node.config.materialized == "view"
            and not _words(node.raw_code, macros) & _OF_THE_RUN
        )
    ]


def _words(text: str, macros: Mapping[str, str]) -> set[str]:
    """The words of a template, and those of all macros of the project that it may come by."""
    words: set[str] = set()
    unread = {text}
    while unread:
        new = set(_WORD.findall(unread.pop())) - words
        words |= new
        named = new | {prefix + word for word in new for prefix in _PREFIXES}
        unread |= {macros[name] for name in named & macros.keys()}
    return words


def stand_as_made(folder: Path, made_from: str, warehouse: Path, nodes: Iterable[Any]) -> bool:
    """Whether all of `nodes` are in the warehouse as the project has made them before.

    `made_from` is the digest of the project, `folder` where its cache is.
    """
    kept = read_own(folder / _FILE)
    try:
        known_from, known = json.loads(kept) if kept else ("", "")
    except (ValueError, TypeError):
        return False
    return known_from == made_from and known == _digest(warehouse, nodes)


def remember(folder: Path, made_from: str, warehouse: Path, nodes: Iterable[Any]) -> None:
    """Keep what `nodes` are in a warehouse in which a build has just made all of them."""
    digest = _digest(warehouse, nodes)
    if digest is not None:
        with contextlib.suppress(OSError):
            write_own(folder / _FILE, json.dumps([made_from, digest]).encode())


def _digest(warehouse: Path, nodes: Iterable[Any]) -> str | None:
    """What `nodes` are in the warehouse; None where one of them is missing."""
    if not warehouse.exists():
        return None
    wanted = {(node.schema, node.alias): node.resource_type == "seed" for node in nodes}
    with contextlib.closing(connect(warehouse, read_only=True)) as connection:
        found = connection.execute(
            "select schema_name, view_name, sql from duckdb_views() where not internal"
            " union all select schema_name, table_name, sql from duckdb_tables()"
        ).fetchall()
        stated = sorted(row for row in found if row[:2] in wanted)
        if len(stated) < len(wanted):
            return None
        rows = [
            connection.execute(
                f'select count(*), sum(hash(seed)) from "{schema}"."{name}" as seed'
            ).fetchall()
            for (schema, name), is_seed in sorted(wanted.items())
            if is_seed
        ]
    return hashlib.sha256(repr((stated, rows)).encode()).hexdigest()
