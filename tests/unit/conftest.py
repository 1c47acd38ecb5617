from __future__ import annotations

import contextlib
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pool_recon import reference
from pool_recon.loader import LoadSummary, load_exports
from pool_recon.progress import Progress

VALUES = {
    export.name: {
        column.name: f"{column.name}-1" for column in reference.export_columns(export.name)
    }
    for export in reference.exports()
}


class Steps(Progress):
    """Keeps what it hears."""

    def __init__(self) -> None:
        self.doing: list[str] = []
        self.done: list[tuple[int, int]] = []

    def step(self, doing: str, done: int, total: int, counted: str = "") -> None:
        self.doing.append(doing)
        self.done.append((done, total))


class Exports:
    """A folder of exports and the warehouse that they are loaded into."""

    def __init__(self, folder: Path, warehouse: Path) -> None:
        self.folder = folder
        self.warehouse = warehouse
        self.progress = Steps()
        # What stays open until the test ends: to open a file takes longer than to load a few rows.
        self.opened = contextlib.ExitStack()
        folder.mkdir()
        for export in reference.exports():
            if export.is_required:
                self.write(f"{export.name}.csv", ",".join(VALUES[export.name]) + "\n")

    def write(self, path: str, content: str | bytes | list[Any]) -> Path:
        """Write a file; a list becomes JSON lines, text in a path of .gz is compressed."""
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, list):
            content = "".join(json.dumps(row) + "\n" for row in content)
        if isinstance(content, str):
            content = content.encode()
            if path.endswith(".gz"):
                content = gzip.compress(content)
        target.write_bytes(content)
        return target

    def remove(self, *paths: str) -> None:
        for path in paths:
            (self.folder / path).unlink()

    def load(self) -> LoadSummary:
        connection = self.opened.enter_context(duckdb.connect(str(self.warehouse)))
        return load_exports(connection, self.folder, progress=self.progress)

    def query(self, sql: str) -> list[Any]:
        with duckdb.connect(str(self.warehouse)) as connection:
            return connection.execute(sql).fetchall()

    def column(self, sql: str) -> list[Any]:
        return [row[0] for row in self.query(sql)]


@pytest.fixture
def exports(tmp_path: Path) -> Iterator[Exports]:
    made = Exports(tmp_path / "exports", tmp_path / "warehouse.duckdb")
    with made.opened:
        yield made
