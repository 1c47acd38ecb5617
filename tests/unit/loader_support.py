"""Lands one file of the export ``pools`` by the bulk reader and by the careful one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from pool_recon.errors import CloseError
from pool_recon.loader.digests import Digests
from pool_recon.loader.discovery import ExportFile
from pool_recon.loader.landing import (
    DuckDbLanding,
    NeedsCareError,
    ReaderDisagreesError,
    create_tables,
)
from pool_recon.loader.preparation import prepare, rewrite

# How many files of its own making a test tries.
EXAMPLES = pytest.mark.parametrize(
    "examples", [20, pytest.param(1000, marks=pytest.mark.exhaustive)]
)
COLUMNS = "pool_id, seen_at, entitled, _row_number, _is_malformed, _has_secret, _original_text"
CONNECTION = duckdb.connect()
# The tables are there before the transactions of the tests, which then take less time.
create_tables(CONNECTION)


def land(folder: Path, content: bytes, name: str = "pools.csv", careful: bool = False) -> Any:
    """Land one file alone; return its rows, its columns and the kind of reader."""
    path = folder / name
    path.write_bytes(content)
    suffix = name.split(".", 1)[1]
    file = ExportFile("pools", path, name, suffix)
    spools = [folder / "spool.csv", folder / "rewritten.csv"]
    CONNECTION.begin()
    try:
        landing = DuckDbLanding(CONNECTION, folder)
        prepared = prepare(file, landing.is_loaded, Digests(), spools[0], careful)
        try:
            count = landing.land(prepared)
        except NeedsCareError:
            prepared = rewrite(prepared, spools[1])
            count = landing.land(prepared)
        rows = CONNECTION.execute(f"select {COLUMNS} from raw.pools").fetchall()
        landing.finish()
        columns = CONNECTION.execute("from raw.file_columns").fetchall()
    finally:
        CONNECTION.rollback()
        for spool in spools:
            spool.unlink(missing_ok=True)
    assert count == len(rows)
    assert [row[3] for row in rows] == list(range(1, count + 1))
    return rows, columns, type(prepared.source)


def both(folder: Path, content: bytes, name: str = "pools.csv") -> Any:
    """Land by both readers, which must agree, and return rows and the kind of the first."""
    outcomes: list[Any] = []
    kinds = []
    for careful in (False, True):
        try:
            rows, columns, kind = land(folder, content, name, careful)
            outcomes.append((rows, columns))
            kinds.append(kind)
        except ReaderDisagreesError:
            # The load would be repeated with the careful reader.
            assert not careful
            outcomes.append(None)
            kinds.append(ReaderDisagreesError)
        except CloseError as error:
            outcomes.append(str(error))
            kinds.append(CloseError)
    if outcomes[0] is not None:
        assert outcomes[0] == outcomes[1]
    return outcomes[1], kinds[0]


def values(outcome: Any) -> list[tuple[Any, ...]]:
    return [row[:3] for row in outcome[0]]


def malformed(outcome: Any) -> dict[int, str]:
    return {row[3]: row[6] for row in outcome[0] if row[4]}
