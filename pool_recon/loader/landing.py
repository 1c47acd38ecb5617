"""Landing of prepared files in DuckDB, by its own bulk readers, as text."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import duckdb

from pool_recon import __version__, reference
from pool_recon.errors import CloseError
from pool_recon.loader.columns import FileColumn, match_columns, understood
from pool_recon.loader.discovery import ExportFile
from pool_recon.loader.preparation import CleanCsv, FileKey, ParquetFile, PlainLines, Prepared
from pool_recon.loader.scan import SEPARATOR, stamp
from pool_recon.loader.spool import MALFORMED, ORIGINAL, SECRET, Spool
from pool_recon.masking import PATTERN, PREFIXES, REPLACEMENT, has_secret, is_masked, mask

_SESSION: Final = (
    # Nothing is fetched while a close runs; the readers are built in.
    "set autoinstall_known_extensions = false",
    "set autoload_known_extensions = false",
    "set TimeZone = 'UTC'",
    # Row numbers are given in the order of the file.
    "set preserve_insertion_order = true",
)
_TABLES: Final = {
    "loads": {"load_id": "integer", "loaded_at": "timestamp", "tool_version": "varchar"},
    "files": {
        "file_id": "integer",
        "load_id": "integer",
        "export_name": "varchar",
        "path": "varchar",
        "row_name": "varchar",
        "sha256": "varchar",
        "format": "varchar",
        "size_bytes": "bigint",
        "row_count": "bigint",
        "has_secret": "boolean",
    },
    "file_columns": {
        "file_id": "integer",
        "column_position": "integer",
        "column_name": "varchar",
        "contract_column": "varchar",
    },
}
_PROVENANCE: Final = {
    "_file_id": "integer",
    "_row_number": "bigint",
    "_is_malformed": "boolean",
    "_has_secret": "boolean",
    "_original_text": "varchar",
}
_AMOUNTS: Final = frozenset({"amount", "balance_after", "whole_number"})
_FLOATS: Final = frozenset({"FLOAT", "DOUBLE"})
_NESTED: Final = re.compile(r"^(STRUCT|MAP|UNION|VARIANT)\b|\]$")
_EXACT: Final = re.compile(r"DECIMAL\(\d+,\d+\)|U?HUGEINT")
_MEBIBYTE: Final = 1 << 20
_ROWS_AT_ONCE: Final = 1000

# A line that is a JSON object of nothing but strings, numbers, flags and nulls, as RE2 reads it.
# DuckDB's own check would let NaN and trailing commas pass. Names with an escape, and escapes of
# NUL and of half characters, are left to the careful reader.
_ESCAPE: Final = (
    r'\\(?:["\\/bfnrt]|u(?:0(?:0(?:0[1-9a-fA-F]|[1-9a-fA-F][0-9a-fA-F])|[1-9a-fA-F][0-9a-fA-F]{2})'
    r"|[1-9a-ce-fA-CE-F][0-9a-fA-F]{3}|[dD][0-7][0-9a-fA-F]{2}))"
)
_KEY: Final = r'"[^"\\\x00-\x1f]*"'
_STRING: Final = rf'"(?:[^"\\\x00-\x1f]|{_ESCAPE})*"'
_NUMBER: Final = r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
_MEMBER: Final = rf"[ \t]*{_KEY}[ \t]*:[ \t]*(?:{_STRING}|{_NUMBER}|true|false|null)[ \t]*"
_FLAT_OBJECT: Final = rf"[ \t]*\{{(?:[ \t]*|{_MEMBER}(?:,{_MEMBER})*)\}}[ \t]*"
# What json_type says of values that need no second look.
_JSON_TEXTS: Final = frozenset({None, "VARCHAR", "BOOLEAN", "NULL"})


class ReaderDisagreesError(Exception):
    """A bulk reader refused one of `files`, or read it otherwise than the scan did."""

    def __init__(self, *files: ExportFile) -> None:
        super().__init__(*files)
        self.files = files


class NeedsCareError(Exception):
    """A file is not as simple as its scan let hope; no statement has failed."""


def create_tables(connection: duckdb.DuckDBPyConnection) -> bool:
    """Create what is missing of schema ``raw``, and set up the session for landing.

    Returns whether the schema was missing altogether.

    Raises:
        CloseError: the schema is of another program; nothing was created.
    """
    found = connection.execute(
        "select 1 from information_schema.schemata "
        "where schema_name = 'raw' and catalog_name = current_database()"
    ).fetchone()
    if found:
        check_tables(connection)
    for statement in (*_SESSION, "create schema if not exists raw"):
        connection.execute(statement)
    for table, columns in _tables().items():
        stated = ", ".join(f"{_name(column)} {kind}" for column, kind in columns.items())
        connection.execute(f"create table if not exists raw.{_name(table)} ({stated})")
    return found is None


def check_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Raise CloseError where schema ``raw`` has a table of ours with other columns, or a view."""
    found = connection.execute(
        "select lower(table_name), list(column_name order by column_index) "
        "filter (where table_oid in (select table_oid from duckdb_tables())) from duckdb_columns() "
        "where schema_name = 'raw' and database_name = current_database() group by all order by all"
    ).fetchall()
    tables = _tables()
    for table, columns in found:
        # Rows are inserted by the place of their values.
        if table in tables and columns != list(tables[table]):
            raise CloseError(
                f"{_file_name(connection)} is no warehouse of this version of pool-recon: its "
                f"raw.{table} is not the table that exports land in; name another --warehouse, or "
                "move it away"
            )


def _tables() -> dict[str, dict[str, str]]:
    """The tables of schema ``raw``: their columns in order, and the types of these."""
    exports = {
        export.name: dict.fromkeys(
            (c.name for c in reference.export_columns(export.name)), "varchar"
        )
        | _PROVENANCE
        for export in reference.exports()
    }
    return _TABLES | exports


def _file_name(connection: duckdb.DuckDBPyConnection) -> str:
    """The name of the database file, which a working copy shares with the warehouse."""
    row = connection.execute(
        "select path from duckdb_databases() where database_name = current_database()"
    ).fetchone()
    return Path(row[0]).name if row and row[0] else "the database"


@dataclass(frozen=True)
class Outdated:
    """A landed file one of whose columns stands for something else by the aliases of today.

    `column_name` is the first such column (masked), `contract_column` what it stands for now, if
    for anything.
    """

    file_id: int
    export_name: str
    path: str
    column_name: str
    contract_column: str | None


@dataclass(frozen=True)
class Batch:
    """Clean CSV files of one export and one layout, which one statement can land.

    `file_ids` are those of `files`, in the same order.
    """

    files: tuple[Prepared, ...]
    file_ids: tuple[int, ...]


class DuckDbLanding:
    """Schema ``raw`` of one DuckDB connection, within a transaction of the caller."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, links: Path) -> None:
        """Read what is loaded; the tables are there. `links` is an empty folder for own use."""
        self._connection = connection
        self._links = links
        rows = connection.execute("select export_name, path, sha256 from raw.files").fetchall()
        self._keys: set[FileKey] = set(rows)
        self._paths = {key[:2] for key in self._keys}
        self._outdated = _outdated(connection)
        self._read_again: list[int] = []
        self._load_id = 1 + self._number("select coalesce(max(load_id), 0) from raw.loads")
        self._next_file_id = 1 + self._number("select coalesce(max(file_id), 0) from raw.files")
        self._files: list[list[Any]] = []
        self._file_columns: list[tuple[Any, ...]] = []

    def is_loaded(self, key: FileKey) -> bool:
        """Tell whether a file with this export, path and content is loaded as it reads today."""
        return key in self._keys and key not in self._outdated

    def is_outdated(self, key: FileKey) -> bool:
        """Tell whether this file is loaded, but reads otherwise by the aliases of today."""
        return key in self._outdated

    @property
    def read_again(self) -> tuple[int, ...]:
        """The ids of files that were loaded and that `land` has read anew."""
        return tuple(self._read_again)

    @property
    def outdated(self) -> tuple[Outdated, ...]:
        """The files that are loaded as they do not read any more."""
        return tuple(each for files in self._outdated.values() for each in files)

    def land(self, prepared: Prepared) -> int:
        """Land a file and return its number of rows.

        One that is outdated keeps its id, its load and the numbers of its rows.

        Raises:
            CloseError: the file cannot be loaded.
            NeedsCareError: the file needs the careful reader.
            ReaderDisagreesError: likewise, and the transaction must be rolled back first.
        """
        file, file_id = prepared.file, self._next_file_id
        known = self._outdated[prepared.key][0] if self.is_outdated(prepared.key) else None
        if known:
            file_id = known.file_id
            self._forget(known)
        match prepared.source:
            case CleanCsv() as source:
                columns, row_count = source.columns, self._land_csv(file, file_id, source)
            case PlainLines() as source:
                columns, row_count = self._land_lines(file, file_id, source)
            case ParquetFile():
                columns, row_count = self._land_parquet(file, file_id)
            case Spool() as source:
                columns, row_count = source.columns, self._land_spool(file, file_id, source)
            case None:
                raise ValueError(f"{file.masked_path} was not prepared")
        _refuse_changed(prepared)
        if known:
            self._done_again(prepared.key)
            self._read_again.append(file_id)
            self._note_columns(file_id, columns)
        else:
            self._register(prepared, columns, row_count)
        return row_count

    def batch(self, prepared: Sequence[Prepared]) -> Batch:
        """Register clean CSV files of one layout, for `land_batch` to land."""
        file_ids = []
        for each in prepared:
            assert isinstance(each.source, CleanCsv)
            file_ids.append(self._register(each, each.source.columns, each.source.row_count))
        return Batch(tuple(prepared), tuple(file_ids))

    def land_batch(self, connection: duckdb.DuckDBPyConnection, batch: Batch) -> None:
        """Land a batch within a transaction of `connection`, which may be another one.

        Raises:
            CloseError: a file changed meanwhile.
            ReaderDisagreesError: a file needs the careful reader; the transaction is spent.
        """
        files = [prepared.file for prepared in batch.files]
        first = batch.files[0].source
        assert isinstance(first, CleanCsv)
        paths = [
            self._readable(file, file_id)
            for file, file_id in zip(files, batch.file_ids, strict=True)
        ]
        # Rows are numbered through all files; what came before a file is taken off again.
        places, before = [], 0
        for path, file_id, prepared in zip(paths, batch.file_ids, batch.files, strict=True):
            assert isinstance(prepared.source, CleanCsv)
            places.append(f"({_text(path)}, {file_id}, {before}, {prepared.source.row_count})")
            before += prepared.source.row_count
        reader = _csv_reader(
            paths,
            [f"c{column.position}" for column in first.columns],
            header=True,
            ends_plainly=first.ends_plainly,
            compression=_compression(files[0]),
        )
        sources = {c.contract_column: f"c{c.position}" for c in first.columns if c.contract_column}
        export_name = files[0].export_name
        values = [
            f"{sources.get(column.name, 'null')}::varchar"
            for column in reference.export_columns(export_name)
        ]
        places_of_files = (
            f"(values {', '.join(places)}) as places(path, file_id, before, row_count)"
        )
        try:
            connection.execute(
                f"insert into raw.{_name(export_name)} select {', '.join(values)}, file_id, "
                "number - before, false, false, null from "
                f"(select *, row_number() over () as number from {reader}) "
                f"inner join {places_of_files} on filename = path"
            )
            wrong = connection.execute(
                f"select count(*) from {places_of_files} left join "
                "(select _file_id, count(*) as landed, min(_row_number) as lowest, "
                f"max(_row_number) as highest from raw.{_name(export_name)} "
                f"where _file_id >= {batch.file_ids[0]} and _file_id <= {batch.file_ids[-1]} "
                "group by all) "
                "on file_id = _file_id where coalesce(landed, 0) <> row_count "
                "or (row_count > 0 and (lowest <> 1 or highest <> row_count))"
            ).fetchone()
        except duckdb.Error as error:
            raise ReaderDisagreesError(*files) from error
        if wrong and wrong[0]:
            raise ReaderDisagreesError(*files)
        for prepared in batch.files:
            _refuse_changed(prepared)

    def finish(self) -> int | None:
        """Register the load; return its id, or None where no file was new."""
        for table, rows in (("files", self._files), ("file_columns", self._file_columns)):
            for start in range(0, len(rows), _ROWS_AT_ONCE):
                some = rows[start : start + _ROWS_AT_ONCE]
                marks = f"({', '.join('?' * len(some[0]))})"
                self._connection.execute(
                    f"insert into raw.{table} values {', '.join([marks] * len(some))}",
                    [value for row in some for value in row],
                )
        if not self._files:
            return None
        self._connection.execute(
            "insert into raw.loads values (?, current_timestamp::timestamp, ?)",
            [self._load_id, __version__],
        )
        return self._load_id

    def _register(self, prepared: Prepared, columns: Sequence[FileColumn], row_count: int) -> int:
        """Give the file its id, and note what `finish` will write of it."""
        file, found, file_id = prepared.file, prepared.scan, self._next_file_id
        export_name, path, sha256 = prepared.key
        came_before = (export_name, path) in self._paths
        self._files.append(
            [
                file_id,
                self._load_id,
                export_name,
                path,
                f"{path}@{sha256[:8]}" if came_before else path,
                sha256,
                file.format,
                found.size_bytes,
                row_count,
                has_secret(file.relative_path) or any(has_secret(c.name) for c in columns),
            ],
        )
        self._note_columns(file_id, columns)
        self._keys.add(prepared.key)
        self._paths.add((export_name, path))
        self._next_file_id += 1
        return file_id

    def _note_columns(self, file_id: int, columns: Sequence[FileColumn]) -> None:
        self._file_columns.extend(
            (file_id, column.position, mask(column.name), column.contract_column)
            for column in columns
        )

    def _done_again(self, key: FileKey) -> None:
        # Paths that differ only in a secret are known by the same key.
        del self._outdated[key][0]
        if not self._outdated[key]:
            del self._outdated[key]

    def _forget(self, known: Outdated) -> None:
        """Take away what was read of a file, for it to be read anew."""
        for table, column in ((known.export_name, "_file_id"), ("file_columns", "file_id")):
            self._connection.execute(
                f"delete from raw.{_name(table)} where {column} = ?", [known.file_id]
            )

    def _land_csv(self, file: ExportFile, file_id: int, source: CleanCsv) -> int:
        names = [f"c{column.position}" for column in source.columns]
        reader = _csv_reader(
            self._readable(file, file_id),
            names,
            header=True,
            ends_plainly=source.ends_plainly,
            compression=_compression(file),
        )
        sources = {
            column.contract_column: f"c{column.position}"
            for column in source.columns
            if column.contract_column
        }
        return self._insert_checked(file, file_id, reader, sources, source.row_count)

    def _land_spool(self, file: ExportFile, file_id: int, source: Spool) -> int:
        if not source.row_count:
            return 0
        reader = _csv_reader(
            str(source.path),
            [f"s{place}" for place in range(len(source.spool_columns))],
            header=False,
            ends_plainly=True,
            longest_line=source.longest_line,
        )
        places = {name: f"s{place}" for place, name in enumerate(source.spool_columns)}
        sources = {column: places[name] for column, name in source.sources.items()}
        count = self._insert(
            file,
            file_id,
            reader,
            sources,
            f"{places[MALFORMED]}::boolean",
            f"{places[SECRET]}::boolean",
            places[ORIGINAL],
        )
        if count != source.row_count:
            raise file.error(f"{source.row_count} rows were read but {count} landed")
        return count

    def _land_lines(
        self, file: ExportFile, file_id: int, source: PlainLines
    ) -> tuple[list[FileColumn], int]:
        reader = _csv_reader(
            self._readable(file, file_id),
            ["line"],
            header=False,
            ends_plainly=source.ends_plainly,
            compression=_compression(file),
            lines_only=True,
        )
        try:
            names, row_count = self._json_names(file, reader, source)
            columns = match_columns(file, names) if row_count else []
            texts = self._json_texts(reader, columns)
        except duckdb.Error as error:
            raise ReaderDisagreesError(file) from error
        names_of = [column.name for column in columns if column.contract_column in texts]
        values = f"(select line, {_extract('json_extract_string', names_of)} as v from {reader})"
        return columns, self._insert_checked(
            file, file_id, f"{values} where line <> ''", texts, row_count
        )

    def _json_names(
        self, file: ExportFile, reader: str, source: PlainLines
    ) -> tuple[list[str], int]:
        """Return the keys of all lines in order of appearance, and the number of rows.

        Raises:
            NeedsCareError: a line is no flat object, or a key comes twice in one.
        """
        keys = f"case when regexp_full_match(line, {_text(_FLAT_OBJECT)}) then json_keys(line) end"
        found = self._connection.execute(
            f"select {keys} as names, count(*), sum(strlen(line)) "
            f"from {reader} where line <> '' group by all"
        ).fetchall()
        rows = [row for row in found if row[0] is not None]
        if len(rows) != len(found) or sum(row[2] for row in found) != source.line_bytes:
            raise NeedsCareError(file)
        if any(len(set(names)) != len(names) for names, *_ in rows):
            raise NeedsCareError(file)
        if len(rows) > 1:
            rows = self._connection.execute(
                f"select {keys} as names, count(*), min(number) "
                f"from (select line, row_number() over () as number from {reader}) "
                "where line <> '' group by all order by 3"
            ).fetchall()
        names = list(dict.fromkeys(name for names, *_ in rows for name in names))
        return names, sum(row[1] for row in rows)

    def _json_texts(self, reader: str, columns: list[FileColumn]) -> dict[str, str]:
        """Return the expression of each contract column over a line and its extracted values."""
        wanted = [column for column in columns if column.contract_column]
        kinds: list[set[str | None]] = [set() for _ in wanted]
        if wanted:
            types = _extract("json_type", [column.name for column in wanted])
            rows = self._connection.execute(
                f"select distinct {types} from {reader} where line <> ''"
            ).fetchall()
            kinds = [set(kind) for kind in zip(*(row[0] for row in rows), strict=True)]
        texts: dict[str, str] = {}
        for place, (column, found) in enumerate(zip(wanted, kinds, strict=True), start=1):
            text = f"v[{place}]"
            if not found <= _JSON_TEXTS:
                # DuckDB reads a fraction as a double, so the digits are cut out of the line.
                number = rf'[{{,][ \t]*"{re.escape(column.name)}"[ \t]*:[ \t]*({_NUMBER})'
                text = f"coalesce(nullif(regexp_extract(line, {_text(number)}, 1), ''), {text})"
            # An empty text lands as null, as a CSV field does.
            texts[column.contract_column or ""] = f"nullif({text}, '')"
        return texts

    def _land_parquet(self, file: ExportFile, file_id: int) -> tuple[list[FileColumn], int]:
        path = _text(self._readable(file, file_id))
        try:
            schema = self._connection.execute(
                f"select name, num_children from parquet_schema({path})"
            ).fetchall()
            reader = f"read_parquet({path}, hive_partitioning = false, binary_as_string = true)"
            types = [
                str(row[1])
                for row in self._connection.execute(f"describe select * from {reader}").fetchall()
            ]
            columns = match_columns(file, _top_level(schema))
            _refuse_floats(file, columns, types)
            return columns, self._insert_parquet(file, file_id, reader, columns, types)
        except duckdb.Error as error:
            reason = str(error).splitlines()[0]
            raise file.error(
                f"broken parquet ({reason}); expected a whole file, export it again"
            ) from None

    def _insert_parquet(
        self,
        file: ExportFile,
        file_id: int,
        reader: str,
        columns: list[FileColumn],
        types: list[str],
    ) -> int:
        names = [f"c{column.position}" for column in columns]
        reader = f"{reader} as t({', '.join(names)})"
        texts = dict(zip(names, map(_as_text, names, types), strict=True))
        # A blank cannot be part of a secret, so none is made up from two values.
        line = f"concat_ws(' ', {', '.join(texts.values())})"
        marks = " or ".join(f"contains({line}, {_text(prefix)})" for prefix in PREFIXES)
        found = self._connection.execute(
            f"select coalesce(bool_or({marks}), false), "
            f"coalesce(bool_or(contains({line}, chr(0))), false) from {reader}"
        ).fetchone()
        may_hold_secret, with_nul = found or (False, False)
        if with_nul:
            raise file.error("a value has a NUL byte; expected text")
        secret = "false"
        if may_hold_secret:
            secret = f"regexp_matches({line}, {_text(PATTERN)})"
            texts = {
                name: f"regexp_replace({text}, {_text(PATTERN)}, {_text(REPLACEMENT)}, 'g')"
                for name, text in texts.items()
            }
        sources = {
            column.contract_column: f"nullif({texts[f'c{column.position}']}, '')"
            for column in columns
            if column.contract_column
        }
        return self._insert(file, file_id, reader, sources, "false", secret, "null")

    def _insert_checked(
        self, file: ExportFile, file_id: int, reader: str, sources: dict[str, str], expected: int
    ) -> int:
        """Insert well-formed rows; a count other than `expected` needs the careful reader."""
        try:
            count = self._insert(file, file_id, reader, sources, "false", "false", "null")
        except duckdb.Error as error:
            raise ReaderDisagreesError(file) from error
        if count != expected:
            raise ReaderDisagreesError(file)
        return count

    def _insert(
        self,
        file: ExportFile,
        file_id: int,
        reader: str,
        sources: dict[str, str],
        malformed: str,
        secret: str,
        original: str,
    ) -> int:
        values = [
            f"{sources.get(column.name, 'null')}::varchar"
            for column in reference.export_columns(file.export_name)
        ]
        return self._number(
            f"insert into raw.{_name(file.export_name)} "
            f"select {', '.join(values)}, {file_id}, row_number() over (), "
            f"{malformed}, {secret}, {original}::varchar from {reader}"
        )

    def _number(self, query: str) -> int:
        row = self._connection.execute(query).fetchone()
        return int(row[0]) if row else 0

    def _readable(self, file: ExportFile, file_id: int) -> str:
        """Return a path that DuckDB takes for this one file, not for a pattern or an address."""
        path = str(file.path.absolute())
        if not re.search(r"[*?\[\]{}\\]|://", path):
            return path
        link = self._links / f"{file_id}"
        if not link.is_symlink():
            link.symlink_to(path)
        return str(link)


def _outdated(connection: duckdb.DuckDBPyConnection) -> dict[FileKey, list[Outdated]]:
    """The loaded files with a column that now stands for something else, by what each is known by.

    Files of one layout are looked at once, because there may be thousands of them.
    """
    layouts = connection.execute(
        "with layouts as ("
        "select file_id, list({'name': column_name, 'meaning': contract_column} "
        "order by column_position) as layout from raw.file_columns group by file_id) "
        "select export_name, layout, list([file_id::varchar, path, sha256] order by file_id) "
        "from raw.files inner join layouts using (file_id) group by export_name, layout"
    ).fetchall()
    exports = {export.name for export in reference.exports()}
    outdated: dict[FileKey, list[Outdated]] = {}
    for export_name, layout, files in layouts:
        other = _read_otherwise(export_name, layout) if export_name in exports else None
        if other is None:
            continue
        for file_id, path, sha256 in files:
            outdated.setdefault((export_name, path, sha256), []).append(
                Outdated(int(file_id), export_name, path, other.name, other.contract_column)
            )
    return outdated


def _read_otherwise(export_name: str, layout: Sequence[dict[str, Any]]) -> FileColumn | None:
    """The first column of a landed layout that stands for something else today, as it does.

    What a column stands for whose name had to be masked cannot be asked again.
    """
    masked = {column["name"]: column["meaning"] for column in layout if is_masked(column["name"])}
    today = understood(export_name, [column["name"] for column in layout])
    for column, was in zip(today, layout, strict=True):
        meaning = column.contract_column
        if meaning in masked.values():
            meaning = None
        if column.name not in masked and meaning != was["meaning"]:
            return FileColumn(column.position, column.name, meaning)
    return None


def _refuse_changed(prepared: Prepared) -> None:
    if stamp(prepared.file) != prepared.scan.stamp:
        raise prepared.file.error(
            "changed while it was read; wait until it is complete and run again"
        )


def _compression(file: ExportFile) -> str:
    return "gzip" if file.format.endswith(".gz") else "none"


def _extract(function: str, names: Iterable[str]) -> str:
    """Return a call of a JSON `function` for several keys of a line at once, as a list."""
    paths = ", ".join(_text(f'$."{name}"') for name in names)
    return f"{function}(line, [{paths}]::varchar[])"


def _csv_reader(
    path: str | Sequence[str],
    names: Iterable[str],
    *,
    header: bool,
    ends_plainly: bool,
    compression: str = "none",
    longest_line: int = 0,
    lines_only: bool = False,
) -> str:
    columns = ", ".join(f"{_text(name)}: 'VARCHAR'" for name in names)
    options = {
        "columns": f"{{{columns}}}",
        "auto_detect": "false",
        "header": str(header).lower(),
        "delim": "','",
        "quote": "'\"'",
        "escape": "'\"'",
        "strict_mode": "true",
        # An empty field is null, quoted or not; no other text is.
        "nullstr": "''",
        "compression": _text(compression),
        "hive_partitioning": "false",
        # A part of a file that begins within quotes can be refused; row numbers need one reader.
        "parallel": "false",
    }
    if lines_only:
        options |= {"delim": _text(SEPARATOR), "quote": "''", "escape": "''"}
    # DuckDB 2.0 loses every row where new_line says \r\n; then the first line end must do.
    if ends_plainly:
        options["new_line"] = "'\\n'"
    # A character has up to 4 bytes.
    if longest_line > _MEBIBYTE // 4:
        options["max_line_size"] = str(4 * longest_line + _MEBIBYTE)
    if isinstance(path, str):
        paths = _text(path)
    else:
        paths = f"[{', '.join(map(_text, path))}]"
        options["filename"] = "true"
    given = ", ".join(f"{option} = {value}" for option, value in options.items())
    return f"read_csv({paths}, {given})"


def _top_level(schema: Sequence[tuple[Any, ...]]) -> list[str]:
    """Return the names of the top-level columns of a flattened parquet schema."""
    names: list[str] = []
    skip = 0
    for name, children in schema[1:]:
        if skip:
            skip -= 1
        else:
            names.append(str(name))
        skip += int(children or 0)
    return names


def _refuse_floats(file: ExportFile, columns: list[FileColumn], types: list[str]) -> None:
    kinds = {c.name: c.value_kind for c in reference.export_columns(file.export_name)}
    for column, kind in zip(columns, types, strict=True):
        if kind in _FLOATS and kinds.get(column.contract_column or "") in _AMOUNTS:
            raise file.error(
                f"the column {column.name} reads as the floating-point type {kind}, which has lost "
                "digits (so does a decimal of more than 38 digits); expected a decimal of up to 38 "
                "digits, or text"
            )


def _as_text(name: str, kind: str) -> str:
    if not _NESTED.search(kind):
        return f"{name}::varchar"
    # As JSON numbers these would pass through a double.
    return f"to_json({name}::{_EXACT.sub('VARCHAR', kind)})::varchar"


def _name(identifier: str) -> str:
    return '"' + identifier.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
