"""When a close tells dbt that nothing but later files came to what had landed."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pool_recon import close as close_module
from pool_recon import loader
from pool_recon.as_left import is_as_left, note_as_left, signature_of
from pool_recon.close import CloseRequest, close, load, state_folder
from pool_recon.dbt_runner import BuildSettings
from pool_recon.progress import Progress
from pool_recon.warehouse import publish, working_copy
from tests.end_to_end.closing import ROOT, Ran

EXPORTS = ROOT / "samples" / "bad_day"


class EnoughError(Exception):
    """Raised instead of building."""


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    """One that has landed, and was noted as a close notes what it published."""
    file = tmp_path / "w.duckdb"
    load(EXPORTS, file, Progress())
    note_as_left(signature_of(file), state_folder(file))
    return file


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, warehouse: Path) -> Callable[..., bool]:
    """Closes as far as dbt, and says what dbt would have been told."""

    def run(**how: Any) -> bool:
        settings: list[BuildSettings] = []

        def build(given: BuildSettings) -> None:
            settings.append(given)
            raise EnoughError

        monkeypatch.setattr(close_module, "build_and_test", build)
        out = warehouse.parent / "out"
        request = CloseRequest(
            exports=EXPORTS, close_date=date(2026, 6, 30), out=out, warehouse=warehouse, **how
        )
        with pytest.raises(EnoughError):
            close(request, Progress())
        return settings[0].is_untouched

    return run


def change(warehouse: Path) -> None:
    with contextlib.closing(duckdb.connect(str(warehouse))) as connection:
        connection.execute("update raw.ledger set amount = '1' where _row_number = 1")


def test_it_is_told_of_a_warehouse_that_nobody_wrote_to(told: Callable[..., bool]) -> None:
    assert told()
    assert told()


def test_nothing_is_told_of_one_that_was_never_noted(
    told: Callable[..., bool], warehouse: Path
) -> None:
    shutil.rmtree(state_folder(warehouse))
    assert not told()


def test_nothing_is_told_of_one_that_was_changed(
    told: Callable[..., bool], warehouse: Path
) -> None:
    change(warehouse)
    assert not told()


def test_nothing_is_told_where_all_is_looked_at_again(told: Callable[..., bool]) -> None:
    assert not told(is_full_refresh=True)


def test_nothing_is_told_where_landed_files_were_read_in_another_way(
    told: Callable[..., bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    land = loader.load_exports
    monkeypatch.setattr(
        loader, "load_exports", lambda *given, **how: replace(land(*given, **how), read_again=(1,))
    )
    assert not told()


def test_a_close_notes_what_it_published(clean: Ran) -> None:
    warehouse = clean.out / "pool_recon.duckdb"
    assert is_as_left(warehouse, state_folder(warehouse))


def test_a_change_is_seen_where_the_file_system_does_not_show_it(warehouse: Path) -> None:
    before = warehouse.stat()
    change(warehouse)
    with warehouse.open("r+b") as stream:
        stream.truncate(before.st_size)
    os.utime(warehouse, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = warehouse.stat()
    assert (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    assert not is_as_left(warehouse, state_folder(warehouse))


def test_a_copy_in_its_place_is_another_file(warehouse: Path) -> None:
    copy = warehouse.with_name("copy")
    shutil.copy2(warehouse, copy)
    copy.replace(warehouse)
    assert not is_as_left(warehouse, state_folder(warehouse))


@pytest.mark.parametrize("text", ["", "[]", '{"version": 1}', "\x00"])
def test_a_note_that_cannot_be_read_says_nothing(text: str, warehouse: Path) -> None:
    (note,) = state_folder(warehouse).glob("as_left.json")
    note.write_text(text, encoding="utf-8")
    assert not is_as_left(warehouse, state_folder(warehouse))


def test_a_warehouse_that_is_gone_is_not_as_left(warehouse: Path) -> None:
    warehouse.unlink()
    assert not is_as_left(warehouse, state_folder(warehouse))


def test_what_is_changed_as_soon_as_it_is_published_is_not_noted(
    warehouse: Path, tmp_path: Path
) -> None:
    with working_copy(warehouse) as copy:
        with contextlib.closing(duckdb.connect(str(copy.file))) as connection:
            connection.execute("create table raw.more as select 1 as one")
        signature = publish(copy)
        assert signature_of(warehouse) == signature
        change(warehouse)
        note_as_left(signature, tmp_path / "notes")
    assert not is_as_left(warehouse, tmp_path / "notes")


def test_it_is_asked_of_the_file_that_was_copied(
    told: Callable[..., bool], warehouse: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A link that leads elsewhere by the time says nothing about the copy."""
    other = warehouse.with_name("other.duckdb")
    warehouse.rename(other)
    shutil.copy(other, warehouse.with_name("changed.duckdb"))
    warehouse.symlink_to("changed.duckdb")
    land = loader.load_exports

    def land_and_turn(*given: Any, **how: Any) -> Any:
        warehouse.unlink()
        warehouse.symlink_to(other)
        return land(*given, **how)

    monkeypatch.setattr(loader, "load_exports", land_and_turn)
    assert not told()
