"""What Spark goes on from at the next close: Parquet files of rows that it need not look at again.

They lie beside the warehouse and only save time: without them, or where one of them is not as it
was left, the next build is a full one. A close works on links to them in a folder of its own, so
that one that stops leaves them as they were. Whether they are those of what has landed is decided
by the build itself, from the rows.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pool_recon.reference import built_schemas
from pool_recon.spark import tables
from pool_recon.spark.tables import PARTITION, Landed

if TYPE_CHECKING:
    import duckdb
    from pyspark.sql import SparkSession

    from pool_recon.dbt_runner import NodeResult

# What dbt notes about the rows that it keeps.
STATE: Final = "build_state"
_NOTES: Final = "notes.json"
_NOTES_VERSION: Final = 1
_RAW: Final = "raw"
_BUILT: Final = "built"


@dataclass(frozen=True)
class _Table:
    """A table that dbt built; `columns` are pairs of a name and a type of Spark."""

    schema: str
    name: str
    columns: Sequence[Sequence[str]]

    @property
    def is_partitioned(self) -> bool:
        return any(name == PARTITION for name, _ in self.columns)


class Kept:
    """The files that a close goes on from, and those that it leaves to the next.

    `home` is the folder where they stay between two closes, `folder` an empty one for this close,
    in the same file system.
    """

    def __init__(self, home: Path, folder: Path) -> None:
        self._home = home
        self._folder = folder
        self._files = folder / "files"
        self._made = folder / "spark" / "tables"
        self._landed = Landed(0, {})
        self._tables: list[_Table] = []

    @property
    def warehouse(self) -> Path:
        """Where Spark makes new tables."""
        return self._folder / "spark"

    def take(self) -> None:
        """Link what the last close left, or nothing where it is not as it was left."""
        try:
            notes = json.loads((self._home / _NOTES).read_text(encoding="utf-8"))
            _expect(notes["version"] == _NOTES_VERSION)
            for name, size in notes["files"].items():
                _expect((self._home / name).stat().st_size == size)
                _link(self._home / name, self._files / name)
            self._landed = Landed(notes["last_file_id"], notes["digests"])
            self._tables = [_Table(**table) for table in notes["tables"]]
        except (OSError, ValueError, KeyError, TypeError):
            shutil.rmtree(self._files, ignore_errors=True)
            self._landed, self._tables = Landed(0, {}), []

    def lend(self, connection: duckdb.DuckDBPyConnection, spark: SparkSession) -> None:
        """Let Spark have what has landed, writing only rows that are new, and what was built."""
        folder = self._files / _RAW
        self._landed = tables.lend_landed(connection, spark, _RAW, folder, self._landed)
        for table in self._tables:
            files = self._files / _BUILT / table.schema / table.name
            files.mkdir(parents=True, exist_ok=True)
            tables.register(spark, f"{table.schema}.{table.name}", table.columns, files)

    def look(self, spark: SparkSession, nodes: Iterable[NodeResult]) -> None:
        """Find out what there is to keep of what was built; nothing where dbt noted nothing."""
        kept = {STATE, *(node.name for node in nodes if node.is_kept)}
        self._tables = [
            _Table(schema, name, tables.columns_of(spark, f"{schema}.{name}"))
            for schema in built_schemas()
            for name in tables.names(spark, schema)
            if name in kept
        ]
        for table in self._tables:
            if table.is_partitioned:
                there = spark.sql(f"show partitions {table.schema}.{table.name}").collect()
                _leave_only(self._folder_of(table), {row[0] for row in there})
        states = [table for table in self._tables if table.name == STATE]
        if not states or spark.table(f"{states[0].schema}.{STATE}").isEmpty():
            self._tables = []

    def remember(self) -> None:
        """Leave to the next close what was found; the Spark session has ended.

        What cannot be left is not: then the next build is a full one.
        """
        if not self._tables:
            return
        following = self._folder / "following"
        with contextlib.suppress(OSError):
            following.mkdir()
            (self._files / _RAW).rename(following / _RAW)
            for table in self._tables:
                target = following / _BUILT / table.schema / table.name
                target.parent.mkdir(parents=True, exist_ok=True)
                self._folder_of(table).rename(target)
            notes = {
                "version": _NOTES_VERSION,
                "last_file_id": self._landed.last_file_id,
                "digests": self._landed.digests,
                "tables": [asdict(table) for table in self._tables],
                "files": dict(_sizes(following)),
            }
            (following / _NOTES).write_text(json.dumps(notes), encoding="utf-8")
            self._home.parent.mkdir(parents=True, exist_ok=True)
            if self._home.exists():
                self._home.rename(self._folder / "replaced")
            following.rename(self._home)

    def _folder_of(self, table: _Table) -> Path:
        made = self._made / f"{table.schema}.db" / table.name
        return made if made.exists() else self._files / _BUILT / table.schema / table.name


def _leave_only(folder: Path, partitions: Collection[str]) -> None:
    """Remove the files of partitions that a table no longer has.

    Spark leaves them where it did not make the table itself, and would find them again.
    """
    for partition in folder.glob(f"{PARTITION}=*"):
        if partition.name not in partitions:
            shutil.rmtree(partition)


def _expect(is_so: bool) -> None:
    if not is_so:
        raise ValueError


def _sizes(folder: Path) -> Iterator[tuple[str, int]]:
    """The files of tables below `folder`, by their relative path, with their bytes."""
    for file in sorted(folder.rglob("*.parquet")):
        if not file.name.startswith((".", "_")):
            yield file.relative_to(folder).as_posix(), file.stat().st_size


def _link(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        # Files of tables are written once: what is replaced gets another name.
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
