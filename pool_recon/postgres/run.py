"""The close from end to end in a PostgreSQL database: load, build, test, package, publish."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pool_recon.close import (
    CloseRequest,
    CloseResult,
    build_settings,
    check_request,
    close_result,
    locally_explained,
    write_close,
)
from pool_recon.dbt_runner import build_and_test, import_dbt_beside
from pool_recon.expectations.ahead import second_reader
from pool_recon.garbage import rarely_collected
from pool_recon.postgres import landing, publishing
from pool_recon.postgres.mirror import mirror
from pool_recon.postgres.readiness import server
from pool_recon.postgres.server import RAW, Server, explained, session_options
from pool_recon.progress import Progress
from pool_recon.reference import built_schemas
from pool_recon.register import read_register
from pool_recon.segments import Segments
from pool_recon.warehouse import connect, package_folder, publish, working_copy

if TYPE_CHECKING:
    from pool_recon.loader import LoadSummary

TARGET: Final = "postgres"


def load(exports: Path, progress: Progress) -> tuple[str, LoadSummary]:
    """Land the exports in the database and build nothing. Returns what the database is called.

    Raises CloseError with the database unchanged.
    """
    with locally_explained("load"), explained("load"), server() as database:
        _tidy(database)
        with tempfile.TemporaryDirectory(prefix="pool_recon_") as temporary:
            progress("landing the exports")
            loaded = landing.land(database, exports, Path(temporary), progress)
        database.commit()
        return database.name, loaded


def close(request: CloseRequest, progress: Progress) -> CloseResult:
    """Close a business date in the database that the environment names.

    The exports land and are committed as unfinished; dbt builds in schemas of its own, which then
    take the place of those that readers see, in one transaction. `request.warehouse` becomes a
    DuckDB copy of what was built: the package is written from it, and other commands read it.
    Raises CloseError with what readers see of the database, the copy and the package unchanged.
    """
    check_request(request)
    register = read_register(request.register) if request.register else None
    import_dbt_beside()
    with (
        locally_explained("close"),
        explained("close"),
        rarely_collected(),
        second_reader() as reader,
        server() as database,
        working_copy(request.warehouse, is_anew=True) as copy,
        package_folder(request.out, request.close_date.isoformat()) as package,
        # Beside the copy, where there has to be room for as much.
        tempfile.TemporaryDirectory(dir=copy.file.parent) as temporary,
    ):
        folder = Path(temporary)
        _tidy(database)
        try:
            progress("landing the exports")
            environment = {
                **database.environment,
                "POOL_RECON_SCHEMA_PREFIX": publishing.NEXT,
                "PGOPTIONS": session_options(),
            }
            settings = build_settings(request, copy.file, progress, TARGET, environment)
            loaded = landing.land(database, request.exports, folder, progress, settings.state_dir)
            landing.mark_unfinished(database, loaded)
            landing.load_register(database, register, folder)
            publishing.prepare(database)
            database.commit()
            progress("reading the dbt project")
            nodes = build_and_test(settings)
            progress("reading what was built")
            schemas = {publishing.NEXT + schema: schema for schema in built_schemas()}
            with contextlib.closing(connect(copy.file)) as connection:
                names = {RAW: RAW, **schemas}
                left_out = landing.PASSING | publishing.NOTES
                mirror(database, connection, names, left_out, folder, progress)
            # Nothing is kept open while the package is written, which may take a while.
            database.rollback()
            segments = Segments(settings.state_dir, anew=request.is_full_refresh)
            verdict = write_close(
                *(copy.file, package.new, nodes, register, request.workbook_rows, progress),
                reader,
                segments,
            )
            result = close_result(copy.file, package.published, loaded, verdict, register)
            publishing.swap(database)
            landing.finish(database)
            publish(copy, package)
            database.commit()
            segments.remember(package.published)
        except BaseException:
            _take_back(database)
            raise
        publishing.drop_replaced(database)
        return result


def _tidy(database: Server) -> None:
    """Take away what a run that was killed has left."""
    landing.discard_unfinished(database)
    publishing.clear(database)
    database.commit()


def _take_back(database: Server) -> None:
    import psycopg2

    # What cannot be taken back now is taken back by the next run.
    with contextlib.suppress(psycopg2.Error):
        database.rollback()
        _tidy(database)
