"""Raw export files to the tables of schema ``raw``: append-only, idempotent, all or nothing."""

import tempfile
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import cast

import duckdb

from pool_recon import reference
from pool_recon.errors import CloseError
from pool_recon.loader.digests import Digests
from pool_recon.loader.discovery import ExportFile, discover, files_of, passed_over
from pool_recon.loader.landing import (
    DuckDbLanding,
    NeedsCareError,
    Outdated,
    ReaderDisagreesError,
    create_tables,
)
from pool_recon.loader.lanes import Lanes
from pool_recon.loader.preparation import CleanCsv, FileKey, Prepared, prepare, rewrite
from pool_recon.loader.spool import Spool
from pool_recon.masking import mask
from pool_recon.progress import Progress
from pool_recon.warehouse import COPIED_FROM

__all__ = [
    "ExportFile",
    "ExportSummary",
    "LoadSummary",
    "discover",
    "files_of",
    "load_exports",
    "load_files",
    "rehearse",
]

# Files prepared ahead of the one that lands: enough to overlap, few enough to bound temp files.
_AHEAD = 2
# Files that one statement lands: enough to write large blocks, few enough to keep it readable.
_BATCH_FILES = 100


@dataclass(frozen=True)
class ExportSummary:
    """What one load did with one export. A skipped file was loaded by an earlier load."""

    export_name: str
    files_loaded: int
    files_skipped: int
    rows_landed: int


@dataclass(frozen=True)
class LoadSummary:
    """What one load did, per export in order of position. `load_id` is None if nothing was new.

    `read_again` are the ids of those skipped files whose columns have other meanings than when they
    were loaded, so that they were read anew; `outdated` are files of which that could not be done,
    because they are no longer there. `passed_over` are paths that look like an export's and are not
    read, see `discovery.passed_over`.
    """

    load_id: int | None
    exports: tuple[ExportSummary, ...]
    read_again: tuple[int, ...] = ()
    outdated: tuple[Outdated, ...] = ()
    passed_over: tuple[str, ...] = ()

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
    progress: Progress | None = None,
    state: Path | None = None,
) -> LoadSummary:
    """Land every file of `exports_dir` that is not loaded yet, in one transaction.

    A loaded file whose columns have other meanings by now, by an alias, is read anew in its place.
    Schema ``raw`` and its tables are created where they are missing. `connection` must have no
    open transaction; its time zone is UTC afterwards and it fetches no extensions. `progress` gets
    a step for each file. `state` is a folder where the digests of files are kept, so that a file
    that did not change is not read again.

    Raises:
        CloseError: a file cannot be loaded; nothing was changed.
    """
    digests = Digests(state)
    loaded = load_files(connection, discover(exports_dir), progress=progress, digests=digests)
    digests.save()
    return replace(loaded, passed_over=tuple(passed_over(exports_dir)))


def load_files(
    connection: duckdb.DuckDBPyConnection,
    files: list[ExportFile],
    *,
    progress: Progress | None = None,
    digests: Digests | None = None,
) -> LoadSummary:
    """Land these files in this order, those that are loaded already left out, as `load_exports`."""
    digests = digests or Digests()
    alone: set[Path] = set()
    careful: set[Path] = set()
    while True:
        try:
            return _load(connection, files, alone, careful, progress or Progress(), digests)
        except ReaderDisagreesError as disagreement:
            # Rare: the scan found the files clean. The error has spent the transaction.
            if len(disagreement.files) > 1:
                alone.update(file.path for file in disagreement.files)
                continue
            (file,) = disagreement.files
            if file.path in careful:
                raise file.error("cannot be read") from disagreement
            careful.add(file.path)


def rehearse(file: ExportFile, folder: Path) -> tuple[int, frozenset[str]]:
    """Land one file in a database in `folder`, an empty one, that is thrown away.

    Returns its number of rows and the columns of the export that it has.

    Raises:
        CloseError: the file cannot be loaded.
    """
    from pool_recon.warehouse import connect

    database = folder / "rehearsal.duckdb"
    try:
        with closing(connect(database)) as connection:
            loaded = load_files(connection, [file])
            columns = connection.execute(
                "select contract_column from raw.file_columns where contract_column is not null"
            ).fetchall()
        return loaded.rows_landed, frozenset(column for (column,) in columns)
    finally:
        database.unlink(missing_ok=True)


def _load(
    connection: duckdb.DuckDBPyConnection,
    files: list[ExportFile],
    alone: set[Path],
    careful: set[Path],
    progress: Progress,
    digests: Digests,
) -> LoadSummary:
    counts = {export.name: [0, 0, 0] for export in reference.exports()}
    lanes = Lanes(connection)
    # The lanes see what is committed, so the tables are there before any of them begins.
    has_created = create_tables(connection)
    # From now on it holds what no database has.
    connection.execute(f"drop view if exists {COPIED_FROM}")
    bytes_read, bytes_in_all = 0, sum(map(_size, files))
    try:
        connection.begin()
        with tempfile.TemporaryDirectory(prefix="pool_recon_") as temporary, lanes:
            folder = Path(temporary)
            landing = DuckDbLanding(connection, folder)
            prepared_files = _prepared(files, careful, landing.is_loaded, digests, folder)
            for group in _batches(prepared_files, landing, alone):
                landed = sum(rows for _, _, rows in counts.values())
                doing = f"{landed:,} rows landed, now {group[0].file.masked_path}"
                progress.step(doing, bytes_read, bytes_in_all)
                bytes_read += sum(prepared.scan.size_bytes for prepared in group)
                count = counts[group[0].file.export_name]
                if group[0].source is None or landing.is_loaded(group[0].key):
                    count[1] += 1
                elif landing.is_outdated(group[0].key):
                    _land(landing, group[0], folder)
                    count[1] += 1
                elif isinstance(group[0].source, CleanCsv):
                    lanes.submit(partial(landing.land_batch, batch=landing.batch(group)))
                    count[0] += len(group)
                    for prepared in group:
                        count[2] += cast(CleanCsv, prepared.source).row_count
                else:
                    rows = _land(landing, group[0], folder)
                    count[0] += 1
                    count[2] += rows
                if isinstance(group[0].source, Spool):
                    group[0].source.path.unlink()
            load_id = landing.finish()
            lanes.finish()
        connection.commit()
    except BaseException as error:
        with suppress(duckdb.Error):
            connection.rollback()
        if has_created:
            with suppress(duckdb.Error):
                connection.execute("drop schema raw cascade")
        if isinstance(error, duckdb.Error | OSError):
            reason = mask(str(error).splitlines()[0])
            raise CloseError(f"the exports could not be loaded: {reason}") from error
        raise
    by_export = tuple(ExportSummary(name, *count) for name, count in counts.items())
    return LoadSummary(load_id, by_export, landing.read_again, landing.outdated)


def _batches(
    prepared_files: Iterator[Prepared], landing: DuckDbLanding, alone: set[Path]
) -> Iterator[list[Prepared]]:
    """Group clean CSV files that follow each other in one layout; all else comes singly."""
    batch: list[Prepared] = []
    for prepared in prepared_files:
        if batch and (
            len(batch) == _BATCH_FILES or _layout(batch[0], alone) != _layout(prepared, alone)
        ):
            yield batch
            batch = []
        is_known = landing.is_loaded(prepared.key) or landing.is_outdated(prepared.key)
        if is_known or _layout(prepared, alone) is None:
            yield [prepared]
        else:
            batch.append(prepared)
    if batch:
        yield batch


def _layout(prepared: Prepared, alone: set[Path]) -> tuple[object, ...] | None:
    source = prepared.source
    if not isinstance(source, CleanCsv) or prepared.file.path in alone:
        return None
    columns = [(column.position, column.contract_column) for column in source.columns]
    return prepared.file.export_name, prepared.file.format, source.ends_plainly, columns


def _size(file: ExportFile) -> int:
    try:
        return file.path.stat().st_size
    except OSError:
        # What is wrong with the file is said when it is read.
        return 0


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
    digests: Digests,
    folder: Path,
) -> Iterator[Prepared]:
    """Prepare files in order, on another thread, a little ahead of the one that lands."""
    waiting: deque[Future[Prepared]] = deque()
    with ThreadPoolExecutor(max_workers=1) as worker:
        try:
            for number, file in enumerate(files):
                path = folder / f"{number}.csv"
                task = partial(prepare, file, is_loaded, digests, path, file.path in careful)
                waiting.append(worker.submit(task))
                if len(waiting) > _AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
