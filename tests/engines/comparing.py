"""Closes of two engines, file by file and table by table."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

import duckdb

from pool_recon.close import CloseRequest, CloseResult
from pool_recon.close import close as close_in_duckdb
from pool_recon.commands.shared import WAREHOUSE_NAME
from pool_recon.progress import Progress
from tests.fault_matrix import CLOSE_DATE

# What a user compares first.
PUBLISHED = (
    "reconciliation.csv",
    "exceptions.csv",
    "checklist.csv",
    "balances.csv",
    "conservation.csv",
)
Pair = tuple[CloseResult, CloseResult, Path, Path]

# When something was loaded is no answer, and neither is what DuckDB notes for its next build and
# its next package.
OF_ONE_ENGINE = {
    ("raw", "loads"),
    ("intermediate", "build_state"),
    ("intermediate", "int_rows_at_hand"),
}
RESULTS = "columns(lambda name: name not in ('_build_number', '_checksum', 'row_checksum'))"


def put_together(folder: Path, sets: Mapping[str, Path]) -> Path:
    """Several EXPORTS folders as one, each in a folder of its own below each export."""
    for name, exports in sets.items():
        for file in sorted(exports.rglob("*")):
            first, *rest = file.relative_to(exports).parts
            if file.is_file() and not first.startswith(("_", ".")):
                target = folder.joinpath(first.split(".")[0], name, *(rest or [first]))
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(file, target)
    return folder


def files_of(package: Path) -> dict[str, bytes]:
    """The content of every file of a package by its name."""
    files = (file for file in package.rglob("*") if file.is_file())
    return {file.relative_to(package).as_posix(): file.read_bytes() for file in files}


def close_in_both(
    folder: Path,
    close_in_other: Callable[[CloseRequest, Progress], CloseResult],
    exports: Path,
    day: date = CLOSE_DATE,
    register: Path | None = None,
) -> Pair:
    """Close the same in DuckDB and in another engine, each in a warehouse of its own."""
    made = []
    for name, close in (("duckdb", close_in_duckdb), ("other", close_in_other)):
        out = folder / name
        warehouse = out / WAREHOUSE_NAME
        request = CloseRequest(exports, day, out, warehouse, register)
        made.append((close(request, Progress()), warehouse))
    (ours, our_file), (theirs, their_file) = made
    return ours, theirs, our_file, their_file


def differences(pair: Pair) -> list[str]:
    """What is not the same in two closes, in full."""
    ours, theirs, our_file, their_file = pair
    one, other = files_of(ours.package), files_of(theirs.package)
    found = [f"{name} differs" for name in sorted(one | other) if one.get(name) != other.get(name)]
    return found + differing_tables(our_file, their_file)


def differing_tables(ours: Path, theirs: Path) -> list[str]:
    """The tables and views of two warehouse files whose rows differ, with one such row."""
    found = []
    with duckdb.connect() as connection:
        connection.execute(f"attach '{ours}' as ours (read_only)")
        connection.execute(f"attach '{theirs}' as theirs (read_only)")
        listed = [
            set(
                connection.execute(
                    "select table_schema, table_name from information_schema.tables"
                    " where table_catalog = ? and table_schema <> 'main'",
                    [catalog],
                ).fetchall()
            )
            for catalog in ("ours", "theirs")
        ]
        found += [f"{name} is missing" for name in (listed[0] ^ listed[1]) - OF_ONE_ENGINE]
        for schema, table in sorted((listed[0] & listed[1]) - OF_ONE_ENGINE):
            for one, other in (("ours", "theirs"), ("theirs", "ours")):
                rows = connection.execute(
                    f"select {RESULTS} from {one}.{schema}.{table}"
                    f" except all select {RESULTS} from {other}.{schema}.{table} limit 1"
                ).fetchall()
                found += [f"{schema}.{table}, only {one}: {row}" for row in rows]
    return found
