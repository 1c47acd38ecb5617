"""What is done with a file before an engine reads it: scan it, match its columns, choose a reader.

Nothing here knows the engine, so that another one needs only another landing.
"""

import time
from codecs import BOM_UTF8
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pool_recon.loader.columns import FileColumn, match_columns
from pool_recon.loader.digests import Digests, signature
from pool_recon.loader.discovery import ExportFile
from pool_recon.loader.scan import CsvShape, FileScan, scan
from pool_recon.loader.spool import Spool, read_header, spool

# A file is known by its export, its masked path and its SHA-256.
FileKey = tuple[str, str, str]


@dataclass(frozen=True)
class CleanCsv:
    """A CSV file whose every record the scan has shown to be well-formed.

    `ends_plainly`: its lines end with a line feed, not with a carriage return and a line feed.
    """

    columns: list[FileColumn]
    ends_plainly: bool
    row_count: int


@dataclass(frozen=True)
class PlainLines:
    """A JSON lines file whose lines end all alike, without possible secrets; not yet parsed.

    `line_bytes` is the size of its lines without their ends. `ends_plainly` as of CleanCsv.
    """

    ends_plainly: bool
    line_bytes: int


@dataclass(frozen=True)
class ParquetFile:
    """A parquet file; only an engine can look into it."""


Source = CleanCsv | PlainLines | ParquetFile | Spool


@dataclass(frozen=True)
class Prepared:
    """A scanned file. `source` is None where the file is loaded already."""

    file: ExportFile
    scan: FileScan
    source: Source | None

    @property
    def key(self) -> FileKey:
        """What the file is known by."""
        return self.file.export_name, self.file.masked_path, self.scan.sha256


def prepare(
    file: ExportFile,
    is_loaded: Callable[[FileKey], bool],
    digests: Digests,
    spool_path: Path,
    careful: bool,
) -> Prepared:
    """Scan `file` and, unless `is_loaded` knows it, decide how it is to be read.

    A file is not scanned where `digests` tell that it is one that `is_loaded` knows. With `careful`
    the file is rewritten at `spool_path` even if it looks clean.

    Raises:
        CloseError: the file cannot be loaded.
    """
    if digest := digests.known(file):
        sha256, size = digest
        unchanged = Prepared(file, FileScan(sha256=sha256, size_bytes=size), None)
        if is_loaded(unchanged.key):
            return unchanged
    before, read_at = signature(file), time.time_ns()
    found = scan(file)
    digests.note(file, before, read_at, found.sha256)
    prepared = Prepared(file, found, None)
    if is_loaded(prepared.key):
        return prepared
    return Prepared(file, found, _source(file, found, spool_path, careful))


def rewrite(prepared: Prepared, spool_path: Path) -> Prepared:
    """Return `prepared` with the file rewritten at `spool_path` for the careful reader.

    Raises:
        CloseError: the file cannot be loaded.
    """
    source = spool(prepared.file, spool_path, prepared.scan.may_hold_secret)
    return Prepared(prepared.file, prepared.scan, source)


def _source(file: ExportFile, found: FileScan, spool_path: Path, careful: bool) -> Source:
    if file.format == "parquet":
        return ParquetFile()
    if not careful and not found.may_hold_secret:
        if found.csv:
            columns = match_columns(file, read_header(file))
            if _is_clean(found.csv, columns):
                plainly = b"\r\n" not in found.csv.line_ends
                return CleanCsv(columns, plainly, found.csv.records - 1)
        elif found.json and file.format != "json" and (lines := _plain_lines(found)):
            return lines
    return spool(file, spool_path, found.may_hold_secret)


def _plain_lines(found: FileScan) -> PlainLines | None:
    shape = found.json
    if not shape or shape.has_separator or shape.carriage_returns not in (0, shape.newlines):
        return None
    if shape.pairs != shape.carriage_returns:
        return None
    ends = shape.newlines + shape.pairs
    bom = len(BOM_UTF8) if shape.has_bom else 0
    return PlainLines(not shape.pairs, found.text_bytes - ends - bom)


def _is_clean(shape: CsvShape, columns: list[FileColumn]) -> bool:
    """Tell whether a bulk reader can be trusted with a file of this shape.

    DuckDB's reader refuses a record with too few fields but drops empty fields at the end of one
    with too many; then there are more commas than the columns allow. It takes the first line end
    for that of all lines, a column name's too. A file of one column cannot tell a blank line from
    an empty value.
    """
    return (
        shape.regular
        and not shape.starts_blank
        and len(columns) > 1
        and shape.commas == (len(columns) - 1) * shape.records
        and not any("\n" in column.name or "\r" in column.name for column in columns)
    )
