"""What dbt understood of the project, kept so that the next close need not have it read again.

Two things are kept in the cache of the user. What dbt wrote while it parsed helps where something
has changed: dbt compares every file and setting with it and parses the rest. Where nothing has
changed, the manifest itself is taken as it was, by a digest of all that it was made from.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import pickle
import platform
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from pool_recon.cache import cache_folder, read_own, write_own

_PARSED = "partial_parse.msgpack"
_MANIFEST = "manifest.pickle"
_PARSERS = (
    *("dbt-core", "dbt-common", "dbt-adapters", "dbt-duckdb", "dbt-postgres", "dbt-spark"),
    *("dbt-semantic-interfaces", "jinja2", "mashumaro"),
)
# Where dbt looks where dbt_project.yml does not say.
_DEFAULT_PATHS = {
    "analysis-paths": ["analyses"],
    "function-paths": ["functions"],
    "macro-paths": ["macros"],
    "model-paths": ["models"],
    "seed-paths": ["seeds"],
    "snapshot-paths": ["snapshots"],
    "test-paths": ["tests"],
}
_BESIDE = (
    *("profiles.yml", "packages.yml", "dependencies.yml", "package-lock.yml", "selectors.yml"),
    ".dbtignore",
)
# Where the warehouse lies, what it may use and what it closes is read anew by every command of dbt.
# That the database is called like the file is all that a manifest has of it.
_OF_THE_COMMAND = {
    *("POOL_RECON_CLOSE_DATE", "POOL_RECON_TIME_ZONE"),
    *("POOL_RECON_TEMP_DIRECTORY", "POOL_RECON_MEMORY_LIMIT", "POOL_RECON_THREADS"),
    *("POOL_RECON_CHECKPOINT_THRESHOLD", "POOL_RECON_FSYNC_MODE", "POOL_RECON_LANDED_ROWS"),
    *("POOL_RECON_WAREHOUSE", "PGPASSWORD"),
    *("POOL_RECON_SPARK_FOLDER", "POOL_RECON_SPARK_MASTER", "POOL_RECON_SPARK_MEMORY"),
    *("POOL_RECON_SPARK_PARTITIONS", "POOL_RECON_SPARK_CATALOG"),
}
# What dbt and its adapters read, and besides them what the files of the project ask for by name.
_READ_BY_DBT = ("POOL_RECON_", "PG", "DBT_")
_ASKED_FOR = re.compile(rb"\benv_var\(\s*['\"](\w+)")


def kept_or_parsed(
    project_dir: Path,
    state_dir: Path,
    database: str,
    settings: Mapping[str, Any],
    parse: Callable[[], Any],
) -> Any:
    """The manifest of the project in the environment as it is, from `parse` where it has changed.

    `settings` is what dbt is given beside the project and the environment, `database` the name of
    the database that it builds in; `state_dir` is where `parse` has dbt keep what it parsed. A
    cache that cannot be read or written only costs the time of parsing.
    """
    made_from = _made_from(project_dir, database, settings)
    folder = cache_folder(project_dir, settings["target"])
    manifest = _read(folder / _MANIFEST, made_from)
    if manifest is None:
        with _parsed_before(state_dir / "target" / _PARSED, folder / _PARSED):
            manifest = parse()
        # As it is now: a build writes into it what it compiled.
        content = pickle.dumps((made_from, pickle.dumps(_parts(manifest))))
        with contextlib.suppress(OSError):
            write_own(folder / _MANIFEST, content)
    return manifest


def _made_from(project_dir: Path, database: str, settings: Mapping[str, Any]) -> str:
    """A digest of every file, setting, variable and program that a manifest is made from."""
    import yaml

    digest = hashlib.sha256()
    project = (project_dir / "dbt_project.yml").read_bytes()
    paths = {
        path
        for key, paths in {**_DEFAULT_PATHS, **yaml.safe_load(project)}.items()
        if key.endswith("-paths")
        for path in paths
    }
    files = [project_dir / name for name in _BESIDE]
    for path in sorted({*paths, "dbt_packages"}):
        files += sorted(
            Path(folder, name) for folder, _, names in os.walk(project_dir / path) for name in names
        )
    asked_for = set(_ASKED_FOR.findall(project))
    for file in files:
        with contextlib.suppress(FileNotFoundError):
            content = file.read_bytes()
            digest.update(f"{file}\n{hashlib.sha256(content).hexdigest()}\n".encode())
            asked_for.update(_ASKED_FOR.findall(content))
    stated = {
        "settings": settings,
        "database": database,
        "environment": {
            name: value
            for name, value in sorted(os.environ.items())
            if (name.startswith(_READ_BY_DBT) or name.encode() in asked_for)
            and name not in _OF_THE_COMMAND
        },
        "versions": {name: _version(name) for name in _PARSERS},
        "python": platform.python_version(),
        "project_dir": str(project_dir),
        "dbt_project.yml": hashlib.sha256(project).hexdigest(),
    }
    digest.update(json.dumps(stated, sort_keys=True, default=str).encode())
    return digest.hexdigest()


def _version(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def _read(file: Path, made_from: str) -> Any:
    """The manifest in `file`; None where there is none that was made from the same."""
    content = read_own(file)
    if content is None:
        return None
    try:
        was_made_from, parts = pickle.loads(content)
        if was_made_from != made_from:
            return None
        from dbt.contracts.graph.manifest import Manifest

        return Manifest(**pickle.loads(parts))
    except Exception:
        # Of another version of dbt, or broken: whatever it is, the project is parsed.
        return None


def _parts(manifest: Any) -> dict[str, Any]:
    # Those without a name of their own are locks and look-ups, which dbt makes when it needs them.
    return {
        field.name: getattr(manifest, field.name)
        for field in dataclasses.fields(manifest)
        if not field.name.startswith("_")
    }


@contextlib.contextmanager
def _parsed_before(parsed: Path, kept: Path) -> Iterator[None]:
    """Start a new warehouse from what was parsed for another one, and keep what is parsed here."""
    with contextlib.suppress(OSError):
        if not parsed.exists() and kept.exists():
            parsed.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(kept, parsed)
    yield
    with contextlib.suppress(OSError):
        if not kept.exists() or kept.stat().st_mtime_ns < parsed.stat().st_mtime_ns:
            write_own(kept, parsed.read_bytes())
