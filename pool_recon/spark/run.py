"""The close from end to end with Spark as its engine: load, build, test, package, publish."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pool_recon.close import (
    CloseRequest,
    CloseResult,
    build_settings,
    check_request,
    close_result,
    locally_explained,
    state_folder,
    write_close,
)
from pool_recon.dbt_runner import build_and_test, import_dbt_beside
from pool_recon.expectations.ahead import second_reader
from pool_recon.garbage import rarely_collected
from pool_recon.progress import Progress
from pool_recon.reference import built_schemas
from pool_recon.register import read_register, replace_register
from pool_recon.segments import Segments
from pool_recon.spark.kept import STATE, Kept
from pool_recon.spark.readiness import partitions
from pool_recon.spark.session import TARGET, explained, session
from pool_recon.spark.tables import bring_back, lend, store
from pool_recon.warehouse import connect, package_folder, publish, working_copy

if TYPE_CHECKING:
    import duckdb

    from pool_recon.loader import LoadSummary

_RAW: Final = "raw"
_HISTORY: Final = "history"
_FOLDER: Final = "POOL_RECON_SPARK_FOLDER"
_FORMAT: Final = "POOL_RECON_SPARK_FORMAT"
_PARTITIONS: Final = "POOL_RECON_SPARK_PARTITIONS"


def load(exports: Path, warehouse: Path, progress: Progress) -> tuple[str, LoadSummary]:
    """Land the exports in the warehouse, and what it has landed in tables of Spark; build nothing.

    The tables are those that dbt by itself finds with the same environment. Returns what they are
    called. Raises CloseError with the warehouse unchanged.
    """
    from pool_recon.loader import load_exports

    home = os.environ.get(_FOLDER) or f"{warehouse}.spark"
    with (
        locally_explained("load"),
        explained("load"),
        working_copy(warehouse) as copy,
        _work_folder(copy.file) as folder,
    ):
        progress("landing the exports")
        with contextlib.closing(connect(copy.file)) as connection:
            state = state_folder(warehouse)
            loaded = load_exports(connection, exports, progress=progress, state=state)
            progress("starting Spark")
            environment = {_FOLDER: home, "POOL_RECON_WAREHOUSE": str(warehouse)}
            with session(environment) as spark:
                progress("copying what has landed into Spark")
                file_format = os.environ.get(_FORMAT, "parquet")
                store(connection, spark, _RAW, file_format, folder, progress)
        publish(copy)
        return f"schema {_RAW} of Spark in {home}", loaded


def close(request: CloseRequest, progress: Progress) -> CloseResult:
    """Close a business date with the models built in Spark.

    The exports land in a copy of the warehouse, Spark reads them from Parquet files, dbt builds in
    a catalog that ends with the session, and what was built comes into the copy. Files of what an
    incremental build goes on from stay beside the warehouse. Raises CloseError with neither the
    warehouse nor the package changed.
    """
    from pool_recon.loader import load_exports

    check_request(request)
    register = read_register(request.register) if request.register else None
    import_dbt_beside()
    with (
        locally_explained("close"),
        explained("close"),
        rarely_collected(),
        second_reader() as reader,
        working_copy(request.warehouse) as copy,
        package_folder(request.out, request.close_date.isoformat()) as package,
        _work_folder(copy.file) as folder,
    ):
        settings = build_settings(request, copy.file, progress, TARGET)
        kept = Kept(settings.state_dir / "kept", folder)
        environment = {
            _FOLDER: str(kept.warehouse),
            _FORMAT: "parquet",
            "POOL_RECON_SPARK_CATALOG": "in-memory",
        }
        progress("landing the exports")
        with contextlib.closing(connect(copy.file)) as connection:
            loaded = load_exports(
                connection, request.exports, progress=progress, state=settings.state_dir
            )
            replace_register(connection, register)
            if not os.environ.get(_PARTITIONS):
                environment[_PARTITIONS] = str(partitions(_most_rows(connection)))
        settings = replace(settings, environment=environment)
        progress("starting Spark")
        with session(environment) as spark:
            progress("handing the exports to Spark")
            if not request.is_full_refresh:
                kept.take()
            with contextlib.closing(connect(copy.file)) as connection:
                kept.lend(connection, spark)
                lend(connection, spark, _HISTORY, folder / "lent")
            progress("reading the dbt project")
            nodes = build_and_test(settings)
            progress("reading what was built")
            with contextlib.closing(connect(copy.file)) as connection:
                schemas = built_schemas()
                bring_back(connection, spark, schemas, {STATE}, folder / "built", progress)
            kept.look(spark, nodes)
        segments = Segments(settings.state_dir, anew=request.is_full_refresh)
        verdict = write_close(
            *(copy.file, package.new, nodes, register, request.workbook_rows, progress),
            reader,
            segments,
        )
        result = close_result(copy.file, package.published, loaded, verdict, register)
        publish(copy, package)
        segments.remember(package.published)
        kept.remember()
        return result


def _most_rows(connection: duckdb.DuckDBPyConnection) -> int:
    """About how many rows the largest table has of those that have landed."""
    found = connection.execute(
        "select coalesce(max(estimated_size), 0) from duckdb_tables() where schema_name = ?", [_RAW]
    ).fetchone()
    return int(found[0]) if found else 0


@contextlib.contextmanager
def _work_folder(file: Path) -> Iterator[Path]:
    """An empty folder beside `file`, where there has to be room for as much, in full."""
    with tempfile.TemporaryDirectory(dir=file.parent, ignore_cleanup_errors=True) as temporary:
        yield Path(temporary).resolve()
