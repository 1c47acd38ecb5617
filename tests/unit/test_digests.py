"""Files that did not change are not read again by a load, and every change is noticed."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pool_recon.loader import LoadSummary, digests, load_exports, preparation
from pool_recon.warehouse import connect
from tests.unit.conftest import Exports

SETTLED_AFTER_NS = digests._SETTLED_AFTER_NS
HEADER = "pool_id,seen_at\n"
Load = Callable[[], LoadSummary]


@pytest.fixture
def scanned(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that were read, by their relative paths."""
    paths: list[str] = []
    scan = preparation.scan

    def look(file: preparation.ExportFile) -> preparation.FileScan:
        paths.append(file.relative_path)
        return scan(file)

    monkeypatch.setattr(preparation, "scan", look)
    return paths


@pytest.fixture
def load(exports: Exports, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Loads with a cache, at a time when what was written before is no longer fresh."""
    monkeypatch.setattr(digests, "_SETTLED_AFTER_NS", 0)

    def run() -> LoadSummary:
        connection = connect(exports.warehouse)
        try:
            return load_exports(connection, exports.folder, state=tmp_path / "state")
        finally:
            connection.close()

    return run


def test_an_unchanged_file_is_read_once(
    exports: Exports, load: Load, scanned: list[str], tmp_path: Path
) -> None:
    exports.write("pools/a.csv", HEADER + "A-B,2026-06-01T00:00:00Z\n")
    first = load()
    assert first.files_loaded == len(scanned) == 6
    scanned.clear()
    again = load()
    assert (again.files_loaded, again.files_skipped, scanned) == (0, 6, [])
    exports.write("pools/b.csv", HEADER + "A-B,2026-06-02T00:00:00Z\n")
    assert (load().files_loaded, scanned) == (1, ["pools/b.csv"])
    (tmp_path / "state" / "digests.json").unlink()
    scanned.clear()
    assert (load().files_skipped, len(scanned)) == (7, 7)


@pytest.mark.parametrize("text", ["", "[]", '{"version": 0, "files": {}}', '{"version": 1}'])
def test_a_cache_that_cannot_be_read_costs_only_time(
    load: Load, scanned: list[str], tmp_path: Path, text: str
) -> None:
    load()
    (tmp_path / "state" / "digests.json").write_text(text)
    scanned.clear()
    assert (load().files_skipped, len(scanned)) == (5, 5)
    scanned.clear()
    assert (load().files_skipped, scanned) == (5, [])


def test_another_warehouse_still_gets_every_file(
    exports: Exports, load: Load, tmp_path: Path
) -> None:
    load()
    exports.warehouse = tmp_path / "another.duckdb"
    assert load().files_loaded == 5


def test_a_change_of_the_same_size_with_the_time_set_back_is_noticed(
    exports: Exports, load: Load
) -> None:
    file = exports.write("pools/a.csv", HEADER + "A-B,2026-06-01T00:00:00Z\n")
    load()
    before = file.stat()
    file.write_text(HEADER + "A-C,2026-06-01T00:00:00Z\n")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = file.stat()
    assert (after.st_size, after.st_mtime_ns, after.st_ino) == (
        before.st_size,
        before.st_mtime_ns,
        before.st_ino,
    )
    assert load().files_loaded == 1
    assert exports.column("select pool_id from raw.pools order by all") == ["A-B", "A-C"]


def test_a_file_in_the_place_of_another_is_noticed(exports: Exports, load: Load) -> None:
    file = exports.write("pools/a.csv", HEADER + "A-B,2026-06-01T00:00:00Z\n")
    other = exports.write("other.csv", HEADER + "A-C,2026-06-01T00:00:00Z\n")
    os.utime(other, ns=(file.stat().st_atime_ns, file.stat().st_mtime_ns))
    load()
    other.replace(file)
    assert load().files_loaded == 1


def test_a_file_that_was_just_written_is_read_again(
    exports: Exports, load: Load, scanned: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(digests, "_SETTLED_AFTER_NS", SETTLED_AFTER_NS)
    load()
    scanned.clear()
    load()
    assert len(scanned) == 5


def test_a_file_that_changes_while_it_is_read_is_not_kept(
    exports: Exports, load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan = preparation.scan

    def change(file: preparation.ExportFile) -> preparation.FileScan:
        found = scan(file)
        file.path.chmod(0o600)
        return found

    load()
    monkeypatch.setattr(preparation, "scan", change)
    exports.write("pools/a.csv", HEADER)
    assert load().files_loaded == 1
    kept = json.loads((tmp_path / "state" / "digests.json").read_text())["files"]
    assert len(kept) == 5


def test_nothing_secret_is_kept_of_a_path(exports: Exports, load: Load, tmp_path: Path) -> None:
    exports.write("pools/sk_live_1234567890.csv", HEADER)
    load()
    assert "sk_live" not in (tmp_path / "state" / "digests.json").read_text()
