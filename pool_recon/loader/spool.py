"""Files that a bulk reader must not see, rewritten as well-formed CSV with secrets masked."""

import gzip
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

from pool_recon.loader.columns import (
    FileColumn,
    candidates,
    fold,
    match_columns,
    same_name_twice,
)
from pool_recon.loader.csv_records import CsvRecord, UnclosedQuoteError, read_records
from pool_recon.loader.discovery import ExportFile
from pool_recon.loader.json_records import (
    BrokenArrayError,
    DeepElementError,
    JsonRecord,
    compact,
    read_array,
    read_lines,
    to_text,
)
from pool_recon.masking import has_secret, mask, mask_json

MALFORMED: Final = "_is_malformed"
SECRET: Final = "_has_secret"
ORIGINAL: Final = "_original_text"


@dataclass(frozen=True)
class Spool:
    """A well-formed CSV file without a header, every line ended by a line feed.

    `spool_columns` names its columns, the last three being MALFORMED, SECRET and ORIGINAL;
    `sources` says which of them each contract column comes from. A field without quotes is null.
    """

    path: Path
    columns: list[FileColumn]
    spool_columns: list[str]
    sources: dict[str, str]
    row_count: int
    longest_line: int


class _Writer:
    """Writes rows and keeps count."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.row_count = 0
        self.longest_line = 0

    def row(self, values: Sequence[str | None], with_secret: bool) -> None:
        if with_secret:
            values = [value and mask(value) for value in values]
        self._write([*values, "false", "true" if with_secret else "false", None])

    def malformed(self, width: int, text: str, masked: str) -> None:
        self._write([*[None] * width, "true", "true" if masked != text else "false", masked])

    def _write(self, values: Sequence[str | None]) -> None:
        line = ",".join(
            ["" if value is None else '"' + value.replace('"', '""') + '"' for value in values]
        )
        self.longest_line = max(self.longest_line, len(line))
        self._stream.write(line + "\n")
        self.row_count += 1


def open_text(file: ExportFile) -> TextIO:
    """Open a file as UTF-8 text without its byte-order mark, line ends as they are."""
    if file.format.endswith(".gz"):
        return io.TextIOWrapper(
            gzip.open(file.path, "rb"), encoding="utf-8-sig", newline=_line_end(file)
        )
    return file.path.open(encoding="utf-8-sig", newline=_line_end(file))


def read_header(file: ExportFile) -> list[str]:
    """Return the column names of a CSV file as written.

    Raises:
        CloseError: the file has no header, or its header cannot be read.
    """
    with open_text(file) as stream:
        return _header(file, _records(file, stream))


def spool(file: ExportFile, path: Path, may_hold_secret: bool) -> Spool:
    """Rewrite `file` at `path`.

    Raises:
        CloseError: the file has no header, a column name twice, no required column, a quote
            never closed, is no JSON array or has a row that is nested too deeply.
    """
    with open_text(file) as source, path.open("x", encoding="utf-8", newline="") as target:
        path.chmod(0o600)
        writer = _Writer(target)
        if file.format.startswith("csv"):
            return _spool_csv(file, source, path, writer, may_hold_secret)
        return _spool_json(file, source, path, writer, may_hold_secret)


def _line_end(file: ExportFile) -> str:
    # "" keeps every line end and splits at each; JSON takes a lone \r for a blank.
    return "" if file.format.startswith("csv") else "\n"


def _records(file: ExportFile, stream: TextIO) -> Iterator[CsvRecord]:
    try:
        yield from read_records(stream)
    except UnclosedQuoteError as error:
        raise file.error(
            f"a quote that is opened on line {error.line} is never closed; "
            'expected a closing " (and "" for a quote within a value)'
        ) from None


def _header(file: ExportFile, records: Iterator[CsvRecord]) -> list[str]:
    first = next(records, None)
    if first is None:
        raise file.error("the file is empty; expected a header with the column names")
    if first.fields is None:
        raise file.error("the header has text after a closing quote; expected RFC 4180")
    return first.fields


def _spool_csv(
    file: ExportFile, source: TextIO, path: Path, writer: _Writer, may_hold_secret: bool
) -> Spool:
    records = _records(file, source)
    columns = match_columns(file, _header(file, records))
    wanted = [column for column in columns if column.contract_column]
    places = [column.position - 1 for column in wanted]
    for record in records:
        fields = record.fields
        if fields is None or len(fields) != len(columns):
            writer.malformed(len(places), record.text, mask(record.text))
        else:
            secret = may_hold_secret and any(map(has_secret, fields))
            writer.row([fields[place] for place in places], secret)
    names = [column.contract_column or "" for column in wanted]
    return Spool(
        path,
        columns,
        [*names, MALFORMED, SECRET, ORIGINAL],
        {name: name for name in names},
        writer.row_count,
        writer.longest_line,
    )


def _spool_json(
    file: ExportFile, source: TextIO, path: Path, writer: _Writer, may_hold_secret: bool
) -> Spool:
    accepted = candidates(file.export_name)
    # Which name stands for a column is known only after the last row, so all are written.
    spool_columns = list(dict.fromkeys(name for names in accepted.values() for name in names))
    places = {name: place for place, name in enumerate(spool_columns)}
    spelled: dict[str, str] = {}
    keys: dict[str, int | None] = {}
    for record in _json_records(file, source):
        _note_keys(file, record.names, spelled, keys, places, writer.row_count + 1)
        if record.members is None:
            writer.malformed(len(places), record.text, mask_json(record.text))
            continue
        values: list[str | None] = [None] * len(places)
        for key, value in record.members:
            place = keys[key]
            if place is not None:
                values[place] = to_text(value)
        writer.row(values, may_hold_secret and has_secret(compact(record.members)))
    names = list(keys)
    columns = match_columns(file, names) if writer.row_count else []
    sources = {
        column.contract_column: fold(column.name) for column in columns if column.contract_column
    }
    return Spool(
        path,
        columns,
        [*spool_columns, MALFORMED, SECRET, ORIGINAL],
        sources,
        writer.row_count,
        writer.longest_line,
    )


def _json_records(file: ExportFile, source: TextIO) -> Iterator[JsonRecord]:
    if file.format != "json":
        yield from read_lines(source)
        return
    try:
        yield from read_array(source.read())
    except BrokenArrayError as error:
        raise file.error(f"no JSON array ({error}); expected [ {{...}}, ... ]") from None
    except DeepElementError as error:
        raise file.error(
            f"{error}, is nested too deeply to be read; leave its deep value out of the export, or "
            "export that value as text"
        ) from None


def _note_keys(
    file: ExportFile,
    names: Sequence[str],
    spelled: dict[str, str],
    keys: dict[str, int | None],
    places: dict[str, int],
    row: int,
) -> None:
    """Keep the names of a row that are new, refusing one that comes twice."""
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise file.error(
            f"row {row} has the same column name twice: {twice!r}; expected each name once"
        )
    for key in names:
        if key not in keys:
            folded = fold(key)
            if folded and spelled.setdefault(folded, key) != key:
                raise same_name_twice(file, spelled[folded], key)
            keys[key] = places.get(folded)
