"""Tables from DuckDB to Spark and back, value for value, as Parquet files."""

from __future__ import annotations

import shutil
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit
from urllib.request import url2pathname

from pool_recon.postgres.mirror import ON_THE_WAY, READ_LATER
from pool_recon.progress import Progress

if TYPE_CHECKING:
    import duckdb
    from pyspark.sql import DataFrame, SparkSession

# DuckDB reads the other types of the models by the names that Spark has for them.
_TYPES: Final = {"string": "varchar", "timestamp_ntz": "timestamp"}
# The column that says in which partition a row is kept; no other engine has it.
PARTITION: Final = "_kept_in"
# The file that a landed row came from: rows are only ever added, with files of a higher number.
_FILE: Final = "_file_id"
# Which files have landed: the table that is written last, so that none of them counts in part.
_FILES: Final = "files"
# What their columns stand for: where that changed, a file was read anew.
_FILE_COLUMNS: Final = "file_columns"


@dataclass(frozen=True)
class Landed:
    """What of the landed rows is in Parquet files: those of all files up to `last_file_id`.

    `digests` are of these rows, by the table, and of its columns.
    """

    last_file_id: int
    digests: Mapping[str, str]


def tables_of(connection: duckdb.DuckDBPyConnection, schema: str) -> list[str]:
    """The names of the tables of a schema of a DuckDB database, in order."""
    rows = connection.execute(
        "select table_name from duckdb_tables() where schema_name = ? order by table_name", [schema]
    ).fetchall()
    return [name for (name,) in rows]


def lend(
    connection: duckdb.DuckDBPyConnection, spark: SparkSession, schema: str, folder: Path
) -> None:
    """Let the tables of a schema of DuckDB be tables of Spark, whose files are in `folder`."""
    spark.sql(f"create schema if not exists {schema}")
    for table in tables_of(connection, schema):
        files = _write(connection, f"{schema}.{table}", folder / schema / table)
        spark.sql(f"create table {schema}.{table} using parquet location '{_literal(files)}'")


def lend_landed(
    connection: duckdb.DuckDBPyConnection,
    spark: SparkSession,
    schema: str,
    folder: Path,
    known: Landed,
) -> Landed:
    """Let the landed tables of DuckDB be tables of Spark, whose files are in `folder`.

    Of `known` rows that are the same as they were only those of later files are written. Returns
    what there is then.
    """
    spark.sql(f"create schema if not exists {schema}")
    last = _last_file(connection, schema)
    digests = {}
    for table in tables_of(connection, schema):
        name, files = f"{schema}.{table}", folder / table
        condition = "true"
        if _FILE in _columns(connection, schema, table):
            before, digests[table] = _digests(connection, name, known.last_file_id)
            if files.is_dir() and known.digests.get(table) == before:
                condition = f"{_FILE} > {known.last_file_id}"
        if condition == "true":
            shutil.rmtree(files, ignore_errors=True)
        if condition == "true" or last > known.last_file_id:
            _write(connection, name, files, condition, f"{last}.parquet")
        spark.sql(f"create table {name} using parquet location '{_literal(files)}'")
    return Landed(last, digests)


def store(
    connection: duckdb.DuckDBPyConnection,
    spark: SparkSession,
    schema: str,
    file_format: str,
    folder: Path,
    progress: Progress,
) -> None:
    """Write the landed tables of DuckDB into tables of Spark, which keep the rows that they have.

    Where these are not the rows of files that DuckDB has landed, all of them are written anew. A
    load that stops half-way leaves no table of files, so that nothing is built from what it left.
    `folder` is for temporary files that the workers read.
    """
    spark.sql(f"create schema if not exists {schema}")
    last = _last_stored(connection, spark, schema, file_format)
    spark.sql(f"drop table if exists {schema}.{_FILES}")
    names = sorted(tables_of(connection, schema), key=lambda table: table == _FILES)
    for number, table in enumerate(names):
        progress.step(table, number, len(names), "tables")
        name, mode, condition = f"{schema}.{table}", "overwrite", "true"
        if last is not None and _FILE in _columns(connection, schema, table):
            mode, condition = "append", f"{_FILE} > {last}"
            if not connection.execute(f"select 1 from {name} where {condition} limit 1").fetchone():
                continue
        files = _write(connection, name, folder / schema / table, condition)
        rows = spark.read.parquet(str(files))
        rows.write.format(file_format).mode(mode).saveAsTable(name)


def register(
    spark: SparkSession, name: str, columns: Sequence[Sequence[str]], folder: Path
) -> None:
    """Let the Parquet files of `folder` be a table, in partitions where it has their column."""
    stated = ", ".join(f"`{column}` {kind}" for column, kind in columns)
    partitions = ""
    if any(column == PARTITION for column, _ in columns):
        # As fill_partitions creates them.
        partitions = f"options (partitionOverwriteMode 'dynamic') partitioned by ({PARTITION})"
    spark.sql(f"create schema if not exists {name.split('.')[0]}")
    spark.sql(
        f"create table {name} ({stated}) using parquet {partitions} location '{_literal(folder)}'"
    )
    if partitions:
        spark.sql(f"msck repair table {name}")


def columns_of(spark: SparkSession, name: str) -> list[tuple[str, str]]:
    """The columns of a table of Spark, with their types there."""
    return [(field.name, field.dataType.simpleString()) for field in spark.table(name).schema]


def bring_back(
    connection: duckdb.DuckDBPyConnection,
    spark: SparkSession,
    schemas: list[str],
    left_out: Container[str],
    folder: Path,
    progress: Progress,
) -> None:
    """Put what was built in `schemas` of Spark in place of what DuckDB has of them.

    The tables are read from the Parquet files that Spark has of them, the views are written into
    `folder` first; tables of the names `left_out` stay. What nobody reads there is there by name,
    and says so to who does.
    """
    relations = sorted(
        (schema, name)
        for schema in schemas
        for name in names(spark, schema)
        if name not in left_out
    )
    views = {(schema, name) for schema in schemas for name in names(spark, schema, "views")}
    for schema in schemas:
        connection.execute(f'drop schema if exists "{schema}" cascade')
    for number, (schema, name) in enumerate(relations):
        progress.step(name, number, len(relations), "tables")
        connection.execute(f'create schema if not exists "{schema}"')
        rows = spark.table(f"{schema}.{name}")
        columns = [
            (column, _TYPES.get(kind, kind))
            for column, kind in columns_of(spark, f"{schema}.{name}")
            if column != PARTITION
        ]
        if schema in ON_THE_WAY and name not in READ_LATER:
            _point_to_nothing(connection, f"{schema}.{name}", columns)
            continue
        stated = ", ".join(f'"{column}" {kind}' for column, kind in columns)
        quoted = [f'"{column}"' for column, _ in columns]
        connection.execute(f'create table "{schema}"."{name}" ({stated})')
        files = [url2pathname(urlsplit(file).path) for file in rows.inputFiles()]
        if (schema, name) in views:
            files = _written(rows, folder / schema / name)
        if files:
            connection.execute(
                f'insert into "{schema}"."{name}" by name'
                f" select {', '.join(quoted)} from read_parquet(?, hive_partitioning = false)",
                [files],
            )


def names(spark: SparkSession, schema: str, kind: str = "tables") -> list[str]:
    """What there is in a schema of Spark; views are tables, too."""
    if not spark.catalog.databaseExists(schema):
        return []
    listed = spark.sql(f"show {kind} in {schema}").where("not isTemporary").collect()
    return [row[1] for row in listed]


def _written(rows: DataFrame, folder: Path) -> list[str]:
    """What a view gives, in files of `folder`."""
    rows.write.parquet(str(folder))
    return [str(file) for file in folder.glob("*.parquet")]


def _write(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    folder: Path,
    condition: str = "true",
    file: str = "rows.parquet",
) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    connection.execute(
        f"copy (from {table} where {condition}) to '{_literal(folder)}/{file}' (format parquet)"
    )
    return folder


def _columns(connection: duckdb.DuckDBPyConnection, schema: str, table: str) -> list[str]:
    rows = connection.execute(
        "select column_name from duckdb_columns() where schema_name = ? and table_name = ?"
        " order by column_index",
        [schema, table],
    ).fetchall()
    return [name for (name,) in rows]


def _last_file(connection: duckdb.DuckDBPyConnection, schema: str) -> int:
    found = connection.execute(f"select max(file_id) from {schema}.{_FILES}").fetchone()
    return int(found[0]) if found and found[0] is not None else 0


def _digests(connection: duckdb.DuckDBPyConnection, name: str, last_file: int) -> tuple[str, str]:
    """Digests of the rows of a landed table: of those of files up to `last_file`, and of all.

    Every value counts, so that a row that was changed by hand is noticed.
    """
    found = connection.execute(
        f"select sum(hash(landed)::hugeint) filter ({_FILE} <= ?)::varchar,"
        f" sum(hash(landed)::hugeint)::varchar from {name} as landed",
        [last_file],
    ).fetchone()
    of_known, of_all = found or (None, None)
    return of_known or "", of_all or ""


def _last_stored(
    connection: duckdb.DuckDBPyConnection, spark: SparkSession, schema: str, file_format: str
) -> int | None:
    """The last file whose rows are in the tables of Spark; None where they cannot be gone on from.

    They can where Spark has the first of the files that DuckDB has, read in the same way, and as
    many rows of them.
    """
    tables = tables_of(connection, schema)
    if not set(tables) <= set(names(spark, schema)):
        return None
    described = spark.sql(f"describe extended {schema}.{_FILES}").where("col_name = 'Provider'")
    if [row["data_type"].lower() for row in described.collect()] != [file_format]:
        return None
    for table, order in ((_FILES, ["file_id"]), (_FILE_COLUMNS, ["file_id", "column_position"])):
        name = f"{schema}.{table}"
        stored = [tuple(row) for row in spark.table(name).orderBy(*order).collect()]
        landed = connection.execute(f"from {name} order by {', '.join(order)}").fetchall()
        if not stored or landed[: len(stored)] != stored:
            return None
    last = int(spark.table(f"{schema}.{_FILES}").agg({"file_id": "max"}).collect()[0][0])
    for table in tables:
        name, columns = f"{schema}.{table}", _columns(connection, schema, table)
        if _FILE not in columns:
            continue
        if spark.table(name).columns != columns:
            return None
        found = connection.execute(
            f"select count(*) from {name} where {_FILE} <= ?", [last]
        ).fetchone()
        if found != (spark.table(name).count(),):
            return None
    return last


def _point_to_nothing(
    connection: duckdb.DuckDBPyConnection, name: str, columns: list[tuple[str, str]]
) -> None:
    """A view with the columns of a table that was only in Spark, which raises when it is read."""
    values = ", ".join(f'cast(null as {kind}) as "{column}"' for column, kind in columns)
    said = f"{name} was only in the Spark session that built it"
    connection.execute(f"create view {name} as select {values} where error('{said}') is null")


def _literal(path: Path) -> str:
    return str(path).replace("'", "''")
