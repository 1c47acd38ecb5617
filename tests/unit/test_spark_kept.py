"""What Spark goes on from is as it was left, or it is not gone on from."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from pool_recon.loader.landing import create_tables
from pool_recon.spark.kept import Kept, _leave_only
from pool_recon.spark.tables import Landed, lend_landed

NOTES = {
    "version": 1,
    "last_file_id": 3,
    "digests": {"orders": "17"},
    "tables": [
        {"schema": "staging", "name": "stg_orders", "columns": [["value", "string"]]},
        {"schema": "intermediate", "name": "build_state", "columns": [["number", "int"]]},
    ],
    "files": {"raw/orders/3.parquet": 4, "built/staging/stg_orders/part.parquet": 4},
}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """What a close left behind."""
    home = tmp_path / "kept"
    for name in NOTES["files"]:  # type: ignore[attr-defined]
        (home / name).parent.mkdir(parents=True)
        (home / name).write_bytes(b"rows")
    (home / "notes.json").write_text(json.dumps(NOTES), encoding="utf-8")
    return home


def taken(home: Path) -> list[str]:
    """The files that the next close goes on from."""
    folder = home.with_name("work")
    folder.mkdir()
    kept = Kept(home, folder)
    kept.take()
    assert bool(kept._tables) is (kept._landed.last_file_id == 3)
    files = sorted((folder / "files").rglob("*.parquet"))
    return [file.relative_to(folder / "files").as_posix() for file in files]


def test_what_was_left_is_linked_and_stays(home: Path) -> None:
    assert taken(home) == ["built/staging/stg_orders/part.parquet", "raw/orders/3.parquet"]
    work = home.with_name("work") / "files" / "raw" / "orders"
    assert (work / "3.parquet").samefile(home / "raw" / "orders" / "3.parquet")
    (work / "3.parquet").unlink()
    assert (home / "raw" / "orders" / "3.parquet").read_bytes() == b"rows"


def changed_notes(**changes: object) -> Callable[[Path], object]:
    text = json.dumps({**NOTES, **changes})
    return lambda home: (home / "notes.json").write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda home: (home / "raw" / "orders" / "3.parquet").unlink(),
        lambda home: (home / "raw" / "orders" / "3.parquet").write_bytes(b"row"),
        lambda home: (home / "notes.json").unlink(),
        lambda home: (home / "notes.json").write_text("{", encoding="utf-8"),
        changed_notes(version=0),
        changed_notes(tables=[{"schema": "staging"}]),
    ],
)
def test_what_is_not_as_it_was_left_is_not_taken(
    home: Path, spoil: Callable[[Path], object]
) -> None:
    spoil(home)
    assert taken(home) == []


class Session:
    """What is asked of Spark."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def sql(self, statement: str) -> None:
        self.said.append(statement)


def test_only_new_rows_are_written_unless_an_old_one_was_changed(tmp_path: Path) -> None:
    with duckdb.connect() as connection:
        create_tables(connection)

        def lent(known: Landed, folder: Path) -> tuple[Landed, dict[str, int]]:
            session = Session()
            now = lend_landed(connection, session, "raw", folder, known)  # type: ignore[arg-type]
            assert f"create table raw.orders using parquet location '{folder / 'orders'}'" in (
                session.said
            )
            return now, {
                file.name: connection.execute(
                    "select count(*)::integer from read_parquet(?)", [str(file)]
                ).fetchall()[0][0]
                for file in sorted((folder / "orders").iterdir())
            }

        def land(file_id: int, rows: int) -> None:
            connection.execute("insert into raw.files (file_id) values (?)", [file_id])
            connection.execute(
                "insert into raw.orders (partner_order_id, _file_id, _row_number)"
                " select 'o' || range, ?, range from range(?)",
                [file_id, rows],
            )

        folder = tmp_path / "files"
        nothing, files = lent(Landed(0, {}), folder)
        assert (nothing.last_file_id, files) == (0, {"0.parquet": 0})
        land(1, 5)
        first, files = lent(nothing, folder)
        assert (first.last_file_id, files) == (1, {"0.parquet": 0, "1.parquet": 5})
        land(2, 3)
        second, files = lent(first, folder)
        assert files == {"0.parquet": 0, "1.parquet": 5, "2.parquet": 3}
        assert lent(second, folder) == (second, files)
        connection.execute(
            "update raw.orders set partner_order_id = null, user_reference = 'o4'"
            " where _row_number = 4"
        )
        third, files = lent(second, folder)
        assert files == {"2.parquet": 8}
        assert third.digests["quotes"] == second.digests["quotes"]
        # of what is known without its files all is written
        _, files = lent(third, tmp_path / "elsewhere")
        assert files == {"2.parquet": 8}


def test_files_of_partitions_that_a_table_lost_are_not_left_to_the_next_close(
    tmp_path: Path,
) -> None:
    for name in ("_kept_in=2026-06", "_kept_in=2026-07", "_temporary"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "part.parquet").write_bytes(b"rows")
    _leave_only(tmp_path, {"_kept_in=2026-07"})
    assert {path.name for path in tmp_path.iterdir()} == {"_kept_in=2026-07", "_temporary"}
