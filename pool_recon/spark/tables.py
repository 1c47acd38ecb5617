"""Tables from DuckDB to Spark and back, value for value, as Parquet files."""

from __future__ import annotations

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


def store(
    connection: duckdb.DuckDBPyConnection,
    spark: SparkSession,
    schema: str,
    file_format: str,
    folder: Path,
    progress: Progress,
) -> None:
    """Write the tables of a schema of DuckDB into tables of Spark, in place of what they have.

    `folder` is for temporary files that the workers read.
    """
    spark.sql(f"create schema if not exists {schema}")
    tables = tables_of(connection, schema)
    for number, table in enumerate(tables):
        progress.step(table, number, len(tables), "tables")
        files = _write(connection, f"{schema}.{table}", folder / schema / table)
        rows = spark.read.parquet(str(files))
        rows.write.format(file_format).mode("overwrite").saveAsTable(f"{schema}.{table}")


def bring_back(
    connection: duckdb.DuckDBPyConnection,
    spark: SparkSession,
    schemas: list[str],
    folder: Path,
    progress: Progress,
) -> None:
    """Put what was built in `schemas` of Spark in place of what DuckDB has of them.

    The tables are read from the Parquet files that Spark has of them, the views are written into
    `folder` first. What nobody reads there is there by name, and says so to who does.
    """
    relations = sorted((schema, name) for schema in schemas for name in _names(spark, schema))
    views = {(schema, name) for schema in schemas for name in _names(spark, schema, "views")}
    for schema in schemas:
        connection.execute(f'drop schema if exists "{schema}" cascade')
    for number, (schema, name) in enumerate(relations):
        progress.step(name, number, len(relations), "tables")
        connection.execute(f'create schema if not exists "{schema}"')
        rows = spark.table(f"{schema}.{name}")
        columns = [
            (field.name, _TYPES.get(field.dataType.simpleString(), field.dataType.simpleString()))
            for field in rows.schema.fields
        ]
        if schema in ON_THE_WAY and name not in READ_LATER:
            _point_to_nothing(connection, f"{schema}.{name}", columns)
            continue
        stated = ", ".join(f'"{column}" {kind}' for column, kind in columns)
        connection.execute(f'create table "{schema}"."{name}" ({stated})')
        files = [url2pathname(urlsplit(file).path) for file in rows.inputFiles()]
        if (schema, name) in views:
            files = _written(rows, folder / schema / name)
        if files:
            connection.execute(
                f'insert into "{schema}"."{name}" by name select * from read_parquet(?)', [files]
            )


def _names(spark: SparkSession, schema: str, kind: str = "tables") -> list[str]:
    """What there is in a schema of Spark; views are tables, too."""
    if not spark.catalog.databaseExists(schema):
        return []
    listed = spark.sql(f"show {kind} in {schema}").where("not isTemporary").collect()
    return [row[1] for row in listed]


def _written(rows: DataFrame, folder: Path) -> list[str]:
    """What a view gives, in files of `folder`."""
    rows.write.parquet(str(folder))
    return [str(file) for file in folder.glob("*.parquet")]


def _write(connection: duckdb.DuckDBPyConnection, table: str, folder: Path) -> Path:
    folder.mkdir(parents=True)
    connection.execute(f"copy (from {table}) to '{_literal(folder)}/rows.parquet' (format parquet)")
    return folder


def _point_to_nothing(
    connection: duckdb.DuckDBPyConnection, name: str, columns: list[tuple[str, str]]
) -> None:
    """A view with the columns of a table that was only in Spark, which raises when it is read."""
    values = ", ".join(f'cast(null as {kind}) as "{column}"' for column, kind in columns)
    said = f"{name} was only in the Spark session that built it"
    connection.execute(f"create view {name} as select {values} where error('{said}') is null")


def _literal(path: Path) -> str:
    return str(path).replace("'", "''")
