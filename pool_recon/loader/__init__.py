"""Raw export files to the tables of schema ``raw``: append-only, idempotent, all or nothing."""

import tempfile
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import duckdb

from pool_recon import reference
from pool_recon.errors import CloseError
from pool_recon.loader.discovery import ExportFile, discover
from pool_recon.loader.landing import DuckDbLanding, NeedsCareError, ReaderDisagreesError
from pool_recon.loader.masking import mask
from pool_recon.loader.preparation import FileKey, Prepared, prepare, rewrite
from pool_recon.loader.spool import Spool

__all__ = ["ExportFile", "ExportSummary", "LoadSummary", "discover", "load_exports", "load_files"]

# Files prepared ahead of the one that lands: enough to overlap, few enough to bound temp files.
_AHEAD = 2


@dataclass(frozen=True)
class ExportSummary:
    """What one load did with one export. A skipped file was loaded by an earlier load."""

    export_name: str
    files_loaded: int
    files_skipped: int
    rows_landed: int


@dataclass(frozen=True)
class LoadSummary:
    """What one load did, per export in order of position. `load_id` is None if nothing was new."""

    load_id: int | None
    exports: tuple[ExportSummary, ...]

    @property
    def files_loaded(self) -> int:
        """Number of files that were new."""
        return sum(export.files_loaded for export in self.exports)

    @property
    def files_skipped(self) -> int:
        """Number of files that had been loaded before."""
        return sum(export.files_skipped for export in self.exports)

    @property
    def rows_landed(self) -> int:
        """Number of rows of the new files, malformed ones included."""
        return sum(export.rows_landed for export in self.exports)


def load_exports(
    connection: duckdb.DuckDBPyConnection,
    exports_dir: Path,
    *,
    progress: Callable[[str], None] | None = None,
) -> LoadSummary:
    """Land every file of `exports_dir` that is not loaded yet, in one transaction.

    Schema ``raw`` and its tables are created where they are missing. `connection` must have no
    open transaction; its time zone is UTC afterwards and it fetches no extensions. `progress` gets
    a line for each file that lands.

    Raises:
        CloseError: a file cannot be loaded; nothing was changed.
    """
    return load_files(connection, discover(exports_dir), progress=progress)


def load_files(
    connection: duckdb.DuckDBPyConnection,
    files: list[ExportFile],
    *,
    progress: Callable[[str], None] | None = None,
) -> LoadSummary:
    """Land these files in this order, those that are loaded already left out, as `load_exports`."""
    careful: set[Path] = set()
    while True:
        try:
            return _load(connection, files, careful, progress)
        except ReaderDisagreesError as disagreement:
            # Rare: the scan found the file clean. The error has spent the transaction.
            if disagreement.file.path in careful:
                raise disagreement.file.error("cannot be read") from disagreement
            careful.add(disagreement.file.path)


def _load(
    connection: duckdb.DuckDBPyConnection,
    files: list[ExportFile],
    careful: set[Path],
    progress: Callable[[str], None] | None,
) -> LoadSummary:
    counts = {export.name: [0, 0, 0] for export in reference.exports()}
    connection.begin()
    try:
        with tempfile.TemporaryDirectory(prefix="pool_recon_") as temporary:
            folder = Path(temporary)
            landing = DuckDbLanding(connection, folder)
            for prepared in _prepared(files, careful, landing.is_loaded, folder):
                count = counts[prepared.file.export_name]
                if prepared.source is None or landing.is_loaded(prepared.key):
                    count[1] += 1
                else:
                    rows = _land(landing, prepared, folder)
                    count[0] += 1
                    count[2] += rows
                    if progress:
                        progress(f"{prepared.file.masked_path}: {rows} rows")
                if isinstance(prepared.source, Spool):
                    prepared.source.path.unlink()
            load_id = landing.finish()
        connection.commit()
    except BaseException as error:
        with suppress(duckdb.Error):
            connection.rollback()
        if isinstance(error, duckdb.Error | OSError):
            reason = mask(str(error).splitlines()[0])
            raise CloseError(f"the exports could not be loaded: {reason}") from error
        raise
    return LoadSummary(load_id, tuple(ExportSummary(name, *c) for name, c in counts.items()))


def _land(landing: DuckDbLanding, prepared: Prepared, folder: Path) -> int:
    try:
        return landing.land(prepared)
    except NeedsCareError:
        path = folder / "rewritten.csv"
        rows = landing.land(rewrite(prepared, path))
        path.unlink()
        return rows


def _prepared(
    files: list[ExportFile],
    careful: set[Path],
    is_loaded: Callable[[FileKey], bool],
    folder: Path,
) -> Iterator[Prepared]:
    """Prepare files in order, on another thread, a little ahead of the one that lands."""
    waiting: deque[Future[Prepared]] = deque()
    with ThreadPoolExecutor(max_workers=1) as worker:
        try:
            for number, file in enumerate(files):
                path = folder / f"{number}.csv"
                task = partial(prepare, file, is_loaded, path, file.path in careful)
                waiting.append(worker.submit(task))
                if len(waiting) > _AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
