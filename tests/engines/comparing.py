"""Closes of two engines, file by file and table by table."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

import duckdb
import pytest

from benchmarks.in_brief import IN_BRIEF
from pool_recon import close as in_duckdb
from pool_recon.close import CloseRequest, CloseResult
from pool_recon.commands.shared import WAREHOUSE_NAME
from pool_recon.postgres import run as in_postgres
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


def close_in_brief(patch: pytest.MonkeyPatch) -> None:
    """Have closes of this process end with the CSV files, as `benchmarks.in_brief` has them."""
    for name, instead in IN_BRIEF.items():
        patch.setattr(in_duckdb, name, instead)
    # The one name that a close in PostgreSQL has of its own.
    patch.setattr(in_postgres, "second_reader", IN_BRIEF["second_reader"])


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
    *,
    is_anew: bool = False,
) -> Pair:
    """Close the same in DuckDB and in another engine, each in a warehouse of its own.

    With `is_anew` DuckDB keeps no row of an earlier close, whatever the other engine does.
    """
    made = []
    for name, close, keeps_none in (
        ("duckdb", in_duckdb.close, is_anew),
        ("other", close_in_other, False),
    ):
        out = folder / name
        warehouse = out / WAREHOUSE_NAME
        request = CloseRequest(exports, day, out, warehouse, register, is_full_refresh=keeps_none)
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
            # To add up what the rows hash to takes a fraction of the time of comparing them.
            sums = {
                connection.execute(
                    f"select count(*), sum(hash(*{RESULTS})) from {catalog}.{schema}.{table}"
                ).fetchone()
                for catalog in ("ours", "theirs")
            }
            if len(sums) == 1:
                continue
            for one, other in (("ours", "theirs"), ("theirs", "ours")):
                rows = connection.execute(
                    f"select {RESULTS} from {one}.{schema}.{table}"
                    f" except all select {RESULTS} from {other}.{schema}.{table} limit 1"
                ).fetchall()
                found += [f"{schema}.{table}, only {one}: {row}" for row in rows]
    return found
