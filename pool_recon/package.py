"""Writes the close package: a CSV file for each published view, and the manifest over them all.

The views of schema `package` hold every value as the text that is published; this module decides
nothing about content. The same warehouse and close date give the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pool_recon import __version__
from pool_recon.errors import CloseError

if TYPE_CHECKING:
    import duckdb

    from pool_recon.register import Register

MANIFEST_VERSION = 1
VIEW_SCHEMA = "package"
VIEW_PREFIX = "pkg_"
CONTROL_TOTALS_VIEW = "pkg_control_totals"


@dataclass(frozen=True)
class Verdict:
    """Whether each rule of the close holds: rule name to `holds`, `fails` or `not checked`.

    `failed_checks` names the other checks of the warehouse that failed, `disagreements` the rules
    of which the test and the checklist say different things. The second reading, by Great
    Expectations, adds the expectations that failed or could not be checked, and the rules that it
    judges otherwise than dbt.
    """

    rules: Mapping[str, str]
    failed_checks: tuple[str, ...] = ()
    disagreements: tuple[str, ...] = ()
    failed_expectations: tuple[str, ...] = ()
    unchecked_expectations: tuple[str, ...] = ()
    differing_readings: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """True where the close may be signed off."""
        return (
            bool(self.rules)
            and all(state == "holds" for state in self.rules.values())
            and not self.failed_checks
            and not self.disagreements
            and not self.failed_expectations
            and not self.unchecked_expectations
            and not self.differing_readings
        )


def write_package(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    views: Iterable[str],
    verdict: Verdict,
    register: Register | None = None,
) -> dict[str, Any]:
    """Write a CSV file for each of `views`, and manifest.json, into `folder`, an empty one.

    Returns the manifest. Raises as `write_tables` and `write_manifest` do.
    """
    outputs = write_tables(connection, folder, views)
    return write_manifest(connection, folder, outputs, verdict, register)


def write_tables(
    connection: duckdb.DuckDBPyConnection, folder: Path, views: Iterable[str]
) -> list[dict[str, Any]]:
    """Write a CSV file for each of `views` into `folder` and return their manifest entries.

    Columns whose names begin with `_sort` order the rows and are not published. Raises OSError and
    duckdb.Error where the warehouse cannot be read or the disk is full.
    """
    return [_write_csv(connection, view, folder) for view in sorted(views)]


def output_entry(file: Path, rows: int) -> dict[str, Any]:
    """What the manifest says of a file of the package that has `rows` rows."""
    return {
        "file": file.name,
        "rows": rows,
        "sha256": _sha256(file),
        "size_bytes": file.stat().st_size,
    }


def write_manifest(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    outputs: list[dict[str, Any]],
    verdict: Verdict,
    register: Register | None = None,
) -> dict[str, Any]:
    """Write manifest.json over `outputs`, the other files of `folder`, and return it.

    Raises CloseError where the warehouse contradicts itself, OSError and duckdb.Error where it
    cannot be read or the disk is full.
    """
    manifest = {
        "manifest_version": MANIFEST_VERSION,
        "close": close_parameters(connection),
        "verdict": {
            "holds": verdict.holds,
            "rules": dict(verdict.rules),
            "failed_checks": list(verdict.failed_checks),
            "disagreements": list(verdict.disagreements),
            "failed_expectations": list(verdict.failed_expectations),
            "unchecked_expectations": list(verdict.unchecked_expectations),
            "differing_readings": list(verdict.differing_readings),
        },
        "versions": _versions(),
        "inputs": _input_files(connection),
        "register": _register_file(register),
        "outputs": sorted(outputs, key=lambda output: str(output["file"])),
        "control_totals": _control_totals(connection),
    }
    text = json.dumps(manifest, indent=2, sort_keys=True, ensure_ascii=False)
    (folder / "manifest.json").write_text(text + "\n", encoding="utf-8", newline="\n")
    return manifest


def _write_csv(connection: duckdb.DuckDBPyConnection, view: str, folder: Path) -> dict[str, Any]:
    columns, order = _columns(connection, view)
    # An empty text is published as null is: DuckDB alone would tell them apart by quotes.
    values = ", ".join(f"nullif({column}, '') as {column}" for column in columns)
    order_by = f" order by {', '.join(order)}" if order else ""
    file = folder / f"{view.removeprefix(VIEW_PREFIX)}.csv"
    copied = connection.execute(
        f"copy (select {values} from {VIEW_SCHEMA}.{view}{order_by}) to '{_quoted(file)}'"
        " (format csv, header true, delimiter ',', quote '\"', escape '\"', nullstr '')"
    ).fetchone()
    return output_entry(file, copied[0] if copied else 0)


def _columns(connection: duckdb.DuckDBPyConnection, view: str) -> tuple[list[str], list[str]]:
    names = [
        name
        for (name,) in connection.execute(
            "select column_name from information_schema.columns"
            " where table_schema = ? and table_name = ? order by ordinal_position",
            [VIEW_SCHEMA, view],
        ).fetchall()
    ]
    published = [f'"{name}"' for name in names if not name.startswith("_sort")]
    return published, [f'"{name}"' for name in names if name.startswith("_sort")]


def close_parameters(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """What the warehouse was last built for: the close date, its time zone and the cut-off in UTC.

    Raises CloseError where it does not say.
    """
    row = connection.execute(
        "select strftime(close_date, '%Y-%m-%d'), business_time_zone,"
        " strftime(cut_off_at, '%Y-%m-%dT%H:%M:%SZ') from intermediate.int_close"
    ).fetchone()
    if row is None:
        raise CloseError("the warehouse does not say what it closes: int_close is empty")
    return {"close_date": row[0], "time_zone": row[1], "cut_off_at": row[2]}


def _input_files(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    columns = ("export", "path", "row_name", "sha256", "size_bytes", "rows")
    rows = connection.execute(
        "select export_name, path, row_name, sha256, size_bytes, row_count"
        " from raw.files order by file_id"
    ).fetchall()
    return [dict(zip(columns, row, strict=True)) for row in rows]


def _register_file(register: Register | None) -> dict[str, Any] | None:
    if register is None:
        return None
    return {
        "file": register.name,
        "rows": len(register.rows),
        "sha256": register.sha256,
        "size_bytes": register.size_bytes,
    }


def _control_totals(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    rows = connection.execute(
        f"select name, value from {VIEW_SCHEMA}.{CONTROL_TOTALS_VIEW} order by name"
    ).fetchall()
    totals = dict(rows)
    if len(totals) < len(rows):
        raise CloseError(f"{CONTROL_TOTALS_VIEW} names a control total twice")
    return totals


def _versions() -> dict[str, str]:
    return {
        "pool_recon": __version__,
        "dbt-core": version("dbt-core"),
        "dbt-duckdb": version("dbt-duckdb"),
        "duckdb": version("duckdb"),
        "great-expectations": version("great-expectations"),
        "jinja2": version("jinja2"),
        "vl-convert-python": version("vl-convert-python"),
        "xlsxwriter": version("xlsxwriter"),
        "python": platform.python_version(),
    }


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _quoted(file: Path) -> str:
    return str(file).replace("'", "''")
