"""The dbt project as Python reads it: the seeds that say which exports and columns exist.

The same CSV files are seeds of dbt, so that SQL and Python never disagree about a name.
"""

import csv
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeVar

from pool_recon.errors import CloseError

_PROJECT_VARIABLE = "POOL_RECON_PROJECT_DIR"
_MARKER = Path("seeds", "ref_exports.csv")
_FLAGS = {"true": True, "false": False}

_Row = TypeVar("_Row")


@dataclass(frozen=True)
class Export:
    """One kind of raw export. `position` orders exports, from 1."""

    name: str
    position: int
    is_required: bool
    versioning: str


@dataclass(frozen=True)
class ExportColumn:
    """One column that an export may carry. `position` orders the columns of an export, from 1."""

    export_name: str
    name: str
    position: int
    value_kind: str
    vocabulary: str | None
    is_column_required: bool
    is_value_required: bool
    is_documented: bool


@dataclass(frozen=True)
class ColumnAlias:
    """Another name under which a column may arrive. The lowest `rank` of a column wins."""

    export_name: str
    column_name: str
    alias: str
    rank: int


def project_dir() -> Path:
    """Return the folder of the dbt project.

    The environment variable POOL_RECON_PROJECT_DIR wins; else it is the copy that an installed
    package carries, else the root of the source checkout.

    Raises:
        CloseError: no such folder.
    """
    chosen = os.environ.get(_PROJECT_VARIABLE)
    package = Path(__file__).resolve().parent
    candidates = [Path(chosen)] if chosen else [package / "dbt_project", *package.parents]
    for folder in candidates:
        if (folder / _MARKER).is_file():
            return folder
    raise CloseError(
        f"the dbt project was not found: expected a folder with {_MARKER.as_posix()}; "
        f"install the package anew or set {_PROJECT_VARIABLE}"
    )


def exports() -> tuple[Export, ...]:
    """Return every export in order of position.

    Raises:
        CloseError: the seed is missing or contradicts itself.
    """
    return _exports(project_dir())


def export_columns(export: str) -> tuple[ExportColumn, ...]:
    """Return the columns of `export` in order of position; empty for an unknown export.

    Raises:
        CloseError: the seed is missing or contradicts itself.
    """
    return tuple(c for c in _columns(project_dir()) if c.export_name == export)


def built_schemas() -> list[str]:
    """The schemas that dbt builds, as readers know them."""
    project = (project_dir() / "dbt_project.yml").read_text(encoding="utf-8")
    return sorted(set(re.findall(r"^\s*\+schema:\s*['\"]?(\w+)", project, flags=re.MULTILINE)))


def built_relations() -> set[str]:
    """Return the names of the tables and views that dbt builds."""
    files = (
        file
        for folder, ending in (("models", "*.sql"), ("seeds", "*.csv"))
        for file in (project_dir() / folder).rglob(ending)
    )
    return {file.stem for file in files}


def column_aliases(export: str) -> tuple[ColumnAlias, ...]:
    """Return the aliases of the columns of `export` in order of rank.

    Raises:
        CloseError: the seed is missing or contradicts itself.
    """
    return tuple(a for a in _aliases(project_dir()) if a.export_name == export)


@cache
def _exports(project: Path) -> tuple[Export, ...]:
    def make(row: dict[str, str]) -> Export:
        return Export(
            row["export_name"],
            int(row["export_position"]),
            _FLAGS[row["is_required"]],
            row["versioning"],
        )

    rows = _read(project / _MARKER, make, [lambda e: e.name, lambda e: e.position])
    return tuple(sorted(rows, key=lambda e: e.position))


@cache
def _columns(project: Path) -> tuple[ExportColumn, ...]:
    known = {export.name for export in _exports(project)}

    def make(row: dict[str, str]) -> ExportColumn:
        if row["export_name"] not in known:
            raise ValueError(f"unknown export_name {row['export_name']!r}")
        return ExportColumn(
            row["export_name"],
            row["column_name"],
            int(row["column_position"]),
            row["value_kind"],
            row["vocabulary"] or None,
            _FLAGS[row["is_column_required"]],
            _FLAGS[row["is_value_required"]],
            _FLAGS[row["is_documented"]],
        )

    rows = _read(
        project / "seeds" / "ref_export_columns.csv",
        make,
        [lambda c: (c.export_name, c.name), lambda c: (c.export_name, c.position)],
    )
    return tuple(sorted(rows, key=lambda c: (c.export_name, c.position)))


@cache
def _aliases(project: Path) -> tuple[ColumnAlias, ...]:
    known = {(column.export_name, column.name) for column in _columns(project)}

    def make(row: dict[str, str]) -> ColumnAlias:
        if (row["export_name"], row["column_name"]) not in known:
            raise ValueError(f"unknown column {row['export_name']}.{row['column_name']}")
        return ColumnAlias(
            row["export_name"], row["column_name"], row["alias"], int(row["alias_rank"])
        )

    rows = _read(
        project / "seeds" / "ref_column_aliases.csv",
        make,
        [lambda a: (a.export_name, a.alias), lambda a: (a.export_name, a.column_name, a.rank)],
    )
    return tuple(sorted(rows, key=lambda a: (a.export_name, a.rank)))


def _read(
    path: Path, make: Callable[[dict[str, str]], _Row], keys: list[Callable[[_Row], object]]
) -> list[_Row]:
    """Read a seed, making one object of each line and refusing two lines with one key."""
    name = f"seeds/{path.name}"
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream, strict=True)
            lines = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CloseError(f"{name}: cannot be read as a CSV file in UTF-8: {error}") from None
    found: list[_Row] = []
    seen: set[tuple[int, object]] = set()
    for number, line in enumerate(lines, start=1):
        # The reader marks with None what a line has too much or lacks.
        if None in line or None in line.values():
            columns = ", ".join(reader.fieldnames or ())
            raise CloseError(f"{name}: row {number}: expected a value for each of {columns}")
        try:
            row = make(line)
        except (KeyError, TypeError, ValueError) as error:
            reason = f"missing or unknown value {error}" if isinstance(error, KeyError) else error
            raise CloseError(f"{name}: row {number}: {reason}") from None
        for index, key in enumerate(keys):
            value = (index, key(row))
            if value in seen:
                text = ", ".join(map(str, value[1])) if isinstance(value[1], tuple) else value[1]
                raise CloseError(f"{name}: row {number}: {text} is given twice; expected once")
            seen.add(value)
        found.append(row)
    return found
