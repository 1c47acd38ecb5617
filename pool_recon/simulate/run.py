"""Writes simulated exports: one file per export and day."""

from __future__ import annotations

import csv
import os
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

import duckdb

from pool_recon.errors import CloseError
from pool_recon.reference import export_columns, exports, project_dir
from pool_recon.simulate.exports import (
    DAY_MS,
    LAST_ROW_AFTER_DAYS,
    MOVEMENT_EXPORTS,
    create_chain,
    create_ledger,
    create_movements,
    create_reference,
    create_rows,
    export_views,
)
from pool_recon.simulate.faults import ExpectedFinding, FaultPlan
from pool_recon.warehouse import is_of_a_full_disk

EXPECTED_FINDINGS_FILE = "_expected_findings.csv"

# File format -> (extension, COPY options).
FILE_FORMATS: Mapping[str, tuple[str, str]] = {
    "csv": ("csv", "format csv, header true"),
    "csv.gz": ("csv.gz", "format csv, header true, compression gzip"),
    "jsonl": ("jsonl", "format json"),
    "jsonl.gz": ("jsonl.gz", "format json, compression gzip"),
    "parquet": ("parquet", "format parquet, compression zstd"),
}


@dataclass(frozen=True)
class SimulationSummary:
    """What a simulation wrote.

    ``files`` are paths relative to the output folder, ``rows`` counts rows per export, and
    ``faults`` are the findings that a close of the last day is to raise, as
    (code, subject_type, subject_id).
    """

    files: tuple[str, ...]
    rows: Mapping[str, int]
    faults: tuple[tuple[str, str, str], ...] = field(default=())


def simulate(
    out: Path,
    *,
    orders: int,
    days: int,
    seed: int,
    start: date = date(2026, 6, 1),
    faults: Sequence[str] = (),
    file_format: str = "csv",
    file_formats: Mapping[str, str] | None = None,
) -> SimulationSummary:
    """Write ``days`` daily files of every export, for ``orders`` partner orders, below ``out``.

    The same arguments give the same bytes. Without ``faults`` a close of any of the days, with
    the files up to that day or with all of them, has no finding at all. ``faults`` are finding
    codes, ``code:count``, or ``all``; what a close of the last day is to find is then also
    written to ``out/_expected_findings.csv``. ``file_formats`` gives single files, named
    ``export/YYYY-MM-DD``, a format of their own.

    Raises:
        CloseError: arguments out of range, an unknown fault or format, an output folder that
            already holds files or cannot be written.
    """
    if orders < 1 or days < 1:
        raise CloseError(
            f"simulate: --orders and --days must be at least 1, got {orders} and {days}"
        )
    if start.toordinal() + days > date.max.toordinal():
        raise CloseError(f"simulate: {days} days from {start} go beyond the calendar")
    for name in (file_format, *(file_formats or {}).values()):
        if name not in FILE_FORMATS:
            raise CloseError(f"simulate: unknown file format {name!r}, expected one of "
                             + ", ".join(FILE_FORMATS))  # fmt: skip
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise CloseError(f"simulate: {out} exists and is not an empty folder, name a new one")
    plan = FaultPlan.of(faults, orders=orders, days=days, seed=seed)

    with tempfile.TemporaryDirectory(prefix="pool-recon-simulate-") as scratch:
        connection = duckdb.connect(
            str(Path(scratch) / "simulation.duckdb"),
            config={"memory_limit": "3GB", "temp_directory": str(Path(scratch) / "spill")},
        )
        try:
            return _simulate(
                connection, out, orders, days, seed, start, plan, file_format, file_formats or {}
            )
        except (OSError, duckdb.Error) as error:
            if is_of_a_full_disk(str(error)):
                raise CloseError(_no_room(out, Path(scratch), str(error))) from error
            if not isinstance(error, OSError | duckdb.IOException | duckdb.OutOfMemoryException):
                raise
            reason = str(error).splitlines()[0]
            raise CloseError(f"simulate: {out} could not be written: {reason}") from error
        finally:
            connection.close()


def _simulate(
    connection: duckdb.DuckDBPyConnection,
    out: Path,
    orders: int,
    days: int,
    seed: int,
    start: date,
    plan: FaultPlan,
    file_format: str,
    file_formats: Mapping[str, str],
) -> SimulationSummary:
    columns = {e.name: [c.name for c in export_columns(e.name)] for e in exports()}
    start_ms = int(datetime(start.year, start.month, start.day, tzinfo=UTC).timestamp()) * 1000

    end_ms = start_ms + days * DAY_MS

    create_reference(connection, _minor_units())
    plan.create_table(connection)
    create_movements(connection, orders, days, seed, start_ms)
    create_ledger(connection, end_ms)
    plan.change_ledger(connection, start_ms, end_ms)
    create_chain(connection)
    kind = "table" if plan.steps else "view"
    create_rows(connection, export_views(days, start_ms), list(columns), kind)
    plan.change_rows(connection, start_ms, end_ms)

    paths: dict[tuple[str, int], str] = {}
    copies: dict[tuple[str, int], str] = {}
    for export, names in columns.items():
        (out / export).mkdir(parents=True, exist_ok=True)
        for day in range(days):
            date_text = date.fromordinal(start.toordinal() + day).isoformat()
            extension, options = FILE_FORMATS[
                file_formats.get(f"{export}/{date_text}", file_format)
            ]
            paths[export, day] = f"{export}/{date_text}.{extension}"
            target = str(out / paths[export, day]).replace("'", "''")
            selected = plan.file_columns(export, names, day, days)
            low = start_ms + day * DAY_MS
            where = f"_at >= {low} and _at < {low + DAY_MS}"
            if not plan.steps and export in MOVEMENT_EXPORTS:
                # lets the engine skip what is stored of other days
                where += f" and _from between {low - LAST_ROW_AFTER_DAYS * DAY_MS} and {low}"
            copies[export, day] = (
                f"copy (select {', '.join(selected)} from {export}_rows"
                f" where {where} order by _at, _i, _k, _n)"
                f" to '{target}' ({options})"
            )
    rows = dict.fromkeys(columns, 0)
    # A day is too small for the engine to share out, so whole files are.
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        counts = pool.map(partial(_copy, connection), copies.values())
        for (export, _), count in zip(copies, counts, strict=True):
            rows[export] += count
    expected = plan.expected(connection, start_ms, paths, days)
    if plan.steps:
        _write_expected(out / EXPECTED_FINDINGS_FILE, expected)
    return SimulationSummary(
        files=tuple(paths.values()),
        rows=rows,
        faults=tuple((e.code, e.subject_type, e.subject_id) for e in expected),
    )


def _no_room(out: Path, scratch: Path, message: str) -> str:
    if str(scratch) in message:
        place, remedy = scratch.parent, "name another folder for temporary files with TMPDIR"
    else:
        place, remedy = out, "choose another --out"
    return f"simulate: no space is left in {place}: make room there, or {remedy}"


def _copy(connection: duckdb.DuckDBPyConnection, statement: str) -> int:
    """Run one COPY on a cursor of its own; returns the number of rows written."""
    with connection.cursor() as cursor:
        written = cursor.execute(statement).fetchone()
    return int(written[0]) if written else 0


def _write_expected(path: Path, expected: Sequence[ExpectedFinding]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["code", "subject_type", "subject_id"])
        writer.writerows((e.code, e.subject_type, e.subject_id) for e in expected)


def _minor_units() -> dict[str, int]:
    path = project_dir() / "seeds" / "ref_assets.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return {row["asset"]: int(row["minor_unit"]) for row in csv.DictReader(file)}
