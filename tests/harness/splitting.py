"""Exports that land in several loads, whose order and cuts are a matter of chance."""

from __future__ import annotations

import contextlib
from pathlib import Path

import duckdb

from pool_recon.loader import load_exports

EXPORTS = ("orders", "quotes", "trades", "events", "ledger", "funding", "balances", "pools")
# Most rows come with the first load, so that the later ones touch little of what is there.
PER_CENT_OF_FIRST_LOAD = 91


class SplitExports:
    """Exports whose rows are dealt out to `loads` loads, by a `seed`.

    Each file of the exports is a file of every load, with those of its rows that fall to it.
    """

    def __init__(self, exports: Path, folder: Path, *, loads: int, seed: int) -> None:
        self._whole = folder / "whole.duckdb"
        self._loads = loads
        self._seed = seed
        with contextlib.closing(duckdb.connect(str(self._whole))) as connection:
            load_exports(connection, exports)
            tables = connection.execute(
                "select table_name from duckdb_tables() where schema_name = 'raw'"
            ).fetchall()
            (self._files,) = connection.execute(
                "select max(file_id) from raw.files"
            ).fetchone() or (0,)
        self._tables = [table for (table,) in tables]

    def land(self, warehouse: Path, load: int) -> None:
        """Add the rows of a load, counted from 0, to what `warehouse` has landed."""
        with contextlib.closing(duckdb.connect(str(warehouse))) as connection:
            connection.execute(f"attach '{self._whole}' as whole (read_only)")
            connection.execute("create schema if not exists raw")
            for table in self._tables:
                connection.execute(
                    f"create table if not exists raw.{table} as from whole.raw.{table} limit 0"
                )
            landed = [table for table in self._tables if table in EXPORTS]
            for table in landed:
                connection.execute(self._rows_of_load(table, load))
            rows = " union all ".join(f"select _file_id from raw.{table}" for table in landed)
            later = load * self._files
            connection.execute(
                "insert into raw.files by name select * replace ("
                f"(file_id + {later})::integer as file_id, path || '.{load}' as path,"
                f" row_name || '.{load}' as row_name, (select count(*) from ({rows}) as landed"
                f" where landed._file_id = files.file_id + {later}) as row_count"
                ") from whole.raw.files as files"
            )
            connection.execute(
                "insert into raw.file_columns by name select"
                f" * replace ((file_id + {later})::integer as file_id) from whole.raw.file_columns"
            )

    def write(self, folder: Path, load: int) -> None:
        """Add the rows of a load as files to an EXPORTS folder, but for malformed ones."""
        with contextlib.closing(duckdb.connect(str(self._whole), read_only=True)) as connection:
            files = connection.execute(
                "select files.export_name, files.file_id, string_agg(contract_column, ', ')"
                " from raw.files as files inner join raw.file_columns using (file_id) group by all"
            ).fetchall()
            for export_name, file_id, columns in files:
                (folder / export_name).mkdir(parents=True, exist_ok=True)
                file = folder / export_name / f"{file_id:04}.{load}.csv"
                connection.execute(
                    f"copy (select {columns} from raw.{export_name} where _file_id = {file_id}"
                    f" and not coalesce(_is_malformed, false) and {self._is_of_load(load)}"
                    f" order by _row_number) to '{file}' (header, force_quote *)"
                )

    def _rows_of_load(self, table: str, load: int) -> str:
        return (
            f"insert into raw.{table} by name select * replace ("
            f"(_file_id + {load * self._files})::integer as _file_id,"
            " row_number() over (partition by _file_id order by _row_number) as _row_number)"
            f" from whole.raw.{table} where {self._is_of_load(load)}"
        )

    def _is_of_load(self, load: int) -> str:
        def chance(salt: int) -> str:
            return f"hash(_file_id * 100000 + _row_number + {self._seed * 1000 + salt})"

        return (
            f"{load} = case when {chance(0)} % 100 < {PER_CENT_OF_FIRST_LOAD} then 0"
            f" else 1 + {chance(1)} % {self._loads - 1} end"
        )
