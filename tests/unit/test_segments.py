"""Days of files that are taken from an earlier package: the same bytes, or none of them."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import random
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pool_recon import package, segments
from pool_recon.errors import CloseError
from pool_recon.package import write_tables
from pool_recon.segments import HEADER, Day, Records, Segments

DEFINITION = """
    create or replace view package.pkg_things as
    with typed as (select id, text, amount, moment from things)
    select
        id, text, cast(amount as varchar) as amount, moment as _moment, id as _sort_1,
        {checksum} as _checksum
    from typed
"""
WITH_CHECKSUM = DEFINITION.format(checksum="cast(hash(typed) >> 1 as bigint)")
TEXTS = ["", None, "plain", "a,b", 'say "x"', "two\nlines", '"\n"\n', "\r\n", "ü\u2603", '""']

Write = Callable[..., Path]


@pytest.fixture(autouse=True)
def _every_block_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in files that are larger than any of a test."""
    monkeypatch.setattr(segments, "FORGOTTEN_AT_ONCE", 1)
    monkeypatch.setattr(segments, "_WORTH_A_THREAD", 1)


@pytest.fixture
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = duckdb.connect(":memory:pool_recon_segments")
    connection.execute("create schema package")
    connection.execute(
        "create table things(id varchar, text varchar, amount decimal(38, 18), moment timestamp)"
    )
    connection.execute(WITH_CHECKSUM)
    yield connection
    connection.close()


@pytest.fixture(params=["nothing", "a part", "all"])
def publish(
    request: pytest.FixtureRequest, warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
) -> Write:
    """Writes the package of a date, and checks that its bytes do not depend on what was taken.

    Nor do they depend on how far the package before it was copied ahead.
    """
    plain = tmp_path / "plain"
    plain.mkdir()

    def write(name: str = "2026-06-30", seed: str = "one", *, anew: bool = False) -> Path:
        project = {"seeds/ref_assets.csv": seed}
        out = tmp_path / f"{name}.new"
        out.mkdir()
        kept = Segments(tmp_path / "state", anew=anew)
        ahead = tmp_path / f"{name}.ahead"
        with kept.copied_ahead(ahead):
            come_so_far(kept, request.param)
            (entry,) = write_tables(warehouse, out, ["pkg_things"], project, kept)
        # Nothing is left of it: there may be no room for both.
        if ahead.exists():
            ahead.rmdir()
        (expected,) = write_tables(warehouse, plain, ["pkg_things"], project)
        assert entry == expected
        assert (out / "things.csv").read_bytes() == (plain / "things.csv").read_bytes()
        assert [file.name for file in out.iterdir()] == ["things.csv"]
        published = tmp_path / name
        if published.exists():
            (published / "things.csv").unlink()
            published.rmdir()
        out.rename(published)
        kept.remember(published)
        return published / "things.csv"

    return write


def come_so_far(kept: Segments, how_far: str) -> None:
    if kept._copier:
        kept._copier.join()
    for beginning in kept._beginnings.values():
        copied = beginning._copied
        del copied[{"nothing": 0, "a part": len(copied) // 2, "all": len(copied)}[how_far] :]


@pytest.fixture
def copied(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements by which rows were written anew with segments, the last ones last."""
    statements: list[str] = []
    copy = package._copy_csv

    def look(connection: duckdb.DuckDBPyConnection, query: str, file: Path) -> int:
        if file.parent.name != "plain":
            statements.append(query)
        return copy(connection, query, file)

    monkeypatch.setattr(package, "_copy_csv", look)
    return statements


def conditions(statement: str) -> list[str | tuple[str, str]]:
    """The first and the last of the days of each range that a statement reads."""
    _, _, condition = statement.partition(" where ")
    found: list[str | tuple[str, str]] = []
    for part in condition.partition(" order by ")[0].split(" or "):
        days = re.findall(r"timestamp '([-\d]+)'", part)
        found.append((days[0], days[1]) if days else "none" if "is null" in part else part)
    return found


def fill(warehouse: duckdb.DuckDBPyConnection, rows: int = 400) -> None:
    warehouse.execute(
        "insert into things select 'id_' || n,"
        " ['', null, 'a,b', 'say \"x\"', 'two\nlines'][n % 5 + 1],"
        " n / 3, timestamp '2026-06-01' + to_hours(n) from range(?) as numbers(n)",
        [rows],
    )
    warehouse.execute(
        "insert into things values ('no_day', 'x', 1, null), ('no_day_2', 'y', 2, null)"
    )


def test_rows_are_in_the_order_of_their_days(
    warehouse: duckdb.DuckDBPyConnection, publish: Write
) -> None:
    warehouse.execute(
        "insert into things values ('a', 'late', 1, '2026-06-02 10:00'), ('z', 'early', 1,"
        " '2026-06-01 10:00'), ('c', 'early too', 1, '2026-06-01 23:59:59.999999'),"
        " ('y', 'none', 1, null)"
    )
    with publish().open(newline="") as stream:
        assert [row["id"] for row in csv.DictReader(stream)] == ["y", "c", "z", "a"]


def test_the_first_and_the_last_day_that_a_timestamp_can_name_are_written_anew(
    warehouse: duckdb.DuckDBPyConnection, publish: Write, copied: list[str]
) -> None:
    fill(warehouse)
    publish()
    warehouse.execute(
        "insert into things values ('first', 'x', 1, '0001-01-01 00:00'),"
        " ('last', 'x', 1, '9999-12-31 23:59:59.999999')"
    )
    publish()
    assert conditions(copied[1]) == [("0001-01-01", "0001-01-01"), ("9999-12-31", "9999-12-31")]


def test_nothing_is_taken_where_all_is_to_be_written_anew(
    warehouse: duckdb.DuckDBPyConnection, publish: Write, copied: list[str]
) -> None:
    fill(warehouse)
    publish()
    publish(anew=True)
    assert copied[0] == copied[1]
    # What was written is known to the next.
    publish()
    assert len(copied) == 2


def test_days_that_did_not_change_are_not_written_again(
    warehouse: duckdb.DuckDBPyConnection, publish: Write, copied: list[str]
) -> None:
    fill(warehouse)
    publish("2026-06-29")
    assert len(copied) == 1
    publish("2026-06-30")
    assert len(copied) == 1
    warehouse.execute("update things set text = 'other' where id = 'id_30'")
    warehouse.execute("insert into things values ('late', 'x', 1, '2026-06-05 00:00')")
    warehouse.execute("delete from things where moment::date = '2026-06-09'")
    warehouse.execute("insert into things values ('new', 'x', 1, '2026-07-01 00:00')")
    publish("2026-07-01")
    assert len(copied) == 2
    # The day that is gone is no gap between two that are written anew.
    on_days = [("2026-06-02", "2026-06-02"), ("2026-06-05", "2026-06-05")]
    assert conditions(copied[1]) == [*on_days, ("2026-07-01", "2026-07-01")]
    warehouse.execute("delete from things where id = 'no_day'")
    publish("2026-07-01")
    assert conditions(copied[2]) == ["none"]
    warehouse.execute("update things set text = 'z' where moment is null or id = 'new'")
    publish("2026-07-01")
    assert conditions(copied[3]) == ["none", ("2026-07-01", "2026-07-01")]
    warehouse.execute(
        "update things set text = 'z' where moment::date between '2026-06-03' and '2026-06-05'"
        " or moment::date between '2026-06-08' and '2026-06-10'"
    )
    publish("2026-07-01")
    assert conditions(copied[4]) == [("2026-06-03", "2026-06-05"), ("2026-06-08", "2026-06-10")]
    warehouse.execute("delete from things")
    publish("2026-07-02")
    publish("2026-07-03")


@pytest.mark.parametrize(
    "checksum",
    [
        "cast(hash(typed) >> 1 as bigint)",
        "cast(null as bigint)",
        "case when text = 'a,b' then cast(hash(typed) >> 1 as bigint) end",
    ],
)
def test_a_change_of_any_column_is_seen(
    warehouse: duckdb.DuckDBPyConnection, publish: Write, copied: list[str], checksum: str
) -> None:
    warehouse.execute(DEFINITION.format(checksum=checksum))
    fill(warehouse)
    publish()
    changes = {
        "id": "'other'",
        "text": "'other'",
        "amount": "amount + 0.000000000000000001",
        "moment": "moment + interval 2 days",
    }
    names = [name for name, *_ in warehouse.execute("describe things").fetchall()]
    assert list(changes) == names
    for place, name in enumerate(names):
        warehouse.execute(
            f"update things set {name} = {changes[name]} where id = 'id_{place + 50}'"
        )
        publish()
    assert len(copied) == 1 + len(names)


def test_values_that_change_places_are_seen(
    warehouse: duckdb.DuckDBPyConnection, publish: Write, copied: list[str]
) -> None:
    warehouse.execute("alter table things add column more varchar")
    warehouse.execute(
        "insert into things values ('a', 'x', 1, '2026-06-01', 'y'),"
        " ('b', 'y', 2, '2026-06-01', 'x'), ('c', null, 1, '2026-06-01', '')"
    )
    warehouse.execute(
        WITH_CHECKSUM.replace("id, text, amount", "id, text, more, amount").replace(
            "id, text, cast", "id, text, more, cast"
        )
    )
    publish()
    for change in (
        "update things set text = more, more = text where id = 'a'",
        "update things set text = case id when 'a' then 'x' else 'y' end where id <> 'c'",
        "update things set text = '', more = null where id = 'c'",
        "update things set amount = 3 - amount where id <> 'c'",
        "update things set text = 'twin', more = 'twin' where id <> 'c'",
    ):
        warehouse.execute(change)
        publish()
    assert len(copied) >= 5


def test_another_definition_of_the_view_is_seen(
    warehouse: duckdb.DuckDBPyConnection,
    publish: Write,
    copied: list[str],
) -> None:
    fill(warehouse)
    publish()
    warehouse.execute(WITH_CHECKSUM.replace("text, cast", "upper(text) as text, cast"))
    publish()
    warehouse.execute(WITH_CHECKSUM.replace("id as _sort_1", "id || text as _sort_1"))
    publish()
    assert len(copied) == 3
    publish()
    assert len(copied) == 3
    publish(seed="another")
    assert len(copied) == 4


def spoil_first(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[200] ^= 1
    file.write_bytes(data)


def spoil_last(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[-2] ^= 1
    file.write_bytes(data)


@pytest.mark.parametrize(
    "spoil",
    [
        spoil_first,
        spoil_last,
        lambda file: file.write_bytes(file.read_bytes()[:-1]),
        lambda file: file.write_bytes(b""),
        lambda file: file.unlink(),
        lambda file: file.write_bytes(b"id" + file.read_bytes()),
    ],
)
@pytest.mark.parametrize(
    "change",
    [
        "select 1",
        "update things set text = 'other' where moment::date = '2026-06-08' or id = 'id_1'",
    ],
)
def test_what_was_changed_in_a_package_never_gets_into_another(
    warehouse: duckdb.DuckDBPyConnection,
    publish: Write,
    copied: list[str],
    spoil: Callable[[Path], object],
    change: str,
) -> None:
    fill(warehouse)
    spoil(publish("2026-06-29"))
    warehouse.execute(change)
    publish("2026-06-30")
    assert not copied[-1].count("where")
    copied.clear()
    publish("2026-07-01")
    assert not copied


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"version": 0}', '{"version": 1, "package": "x", "files": {"a": 1}}']
)
def test_an_index_that_cannot_be_read_costs_only_time(
    warehouse: duckdb.DuckDBPyConnection,
    publish: Write,
    copied: list[str],
    tmp_path: Path,
    text: str,
) -> None:
    fill(warehouse)
    publish()
    index = tmp_path / "state" / "segments.json"
    assert json.loads(index.read_text())["version"] == 1
    index.write_text(text)
    publish()
    publish()
    assert len(copied) == 2


@pytest.mark.parametrize("rows", [0, 3])
def test_an_index_without_a_header_costs_only_time(
    warehouse: duckdb.DuckDBPyConnection,
    publish: Write,
    copied: list[str],
    tmp_path: Path,
    rows: int,
) -> None:
    fill(warehouse)
    publish()
    index = tmp_path / "state" / "segments.json"
    read = json.loads(index.read_text())
    assert read["files"]["things.csv"]["segments"].pop(0)["day"]["name"] == HEADER.name
    index.write_text(json.dumps(read))
    warehouse.execute("insert into things select 'new', '', 1, '2027-01-01' from range(?)", [rows])
    publish()
    assert not copied[-1].count("where")
    assert [file.name for file in index.parent.iterdir()] == [index.name]


@pytest.mark.parametrize("closes", [10, pytest.param(200, marks=pytest.mark.exhaustive)])
def test_generated_changes_give_the_same_bytes(
    warehouse: duckdb.DuckDBPyConnection, publish: Write, closes: int
) -> None:
    chance = random.Random(4)
    fill(warehouse, 150)
    for close in range(closes):
        for _ in range(chance.randrange(4)):
            place = f"'id_{chance.randrange(150)}'"
            text = chance.choice(TEXTS)
            warehouse.execute(
                chance.choice(
                    [
                        f"update things set text = $1 where id = {place}",
                        f"insert into things select 'n{close}', $1, 1, timestamp '2026-06-01'"
                        f" + to_days({chance.randrange(20)})",
                        f"delete from things where id = {place} and text is distinct from $1",
                        f"update things set moment = null, text = $1 where id = {place}",
                        f"update things set moment = timestamp '2026-06-03', text = $1"
                        f" where id = {place}",
                    ]
                ),
                [text],
            )
        publish(f"2026-06-{close % 3 + 1:02}")


@settings(max_examples=75, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(st.text('a",\r\n', max_size=6), st.text('b",\n', max_size=6))),
    sizes=st.lists(st.integers(1, 4), min_size=30, max_size=30),
    block=st.integers(1, 40),
)
def test_records_are_cut_where_a_csv_reader_ends_them(
    monkeypatch: pytest.MonkeyPatch,
    rows: list[tuple[str, str]],
    sizes: list[int],
    block: int,
) -> None:
    monkeypatch.setattr(segments, "_BLOCK", block)
    texts = []
    for row in rows:
        line = io.StringIO()
        csv.writer(line, lineterminator="\n").writerow(row)
        texts.append(line.getvalue().encode())
    records = Records(io.BytesIO(b"".join(texts)))
    for size in sizes:
        wanted, texts = texts[:size], texts[size:]
        assert b"".join(map(bytes, records.take(len(wanted)))) == b"".join(wanted)
    assert texts or records.finish() is None
    with pytest.raises(CloseError, match="other rows"):
        list(records.take(len(texts) + 1))


def test_a_file_with_other_rows_than_were_counted_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "things.csv"
    file.write_bytes(b"id\na\nb\n")
    found = segments.cut(file, [Day("2026-06-01", 1, "x"), Day("2026-06-02", 1, "y")])
    assert [(segment.day.name, segment.end) for segment in found.segments] == [
        (HEADER.name, 3),
        ("2026-06-01", 5),
        ("2026-06-02", 7),
    ]
    assert found.segments[-1].sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    for rows in (1, 3):
        with pytest.raises(CloseError, match="other rows"):
            segments.cut(file, [Day("2026-06-01", rows, "x")])


def test_what_was_copied_to_a_full_disk_is_no_beginning(tmp_path: Path) -> None:
    source = tmp_path / "things.csv"
    source.write_bytes(b"id\na\n")
    days = [Day("2026-06-01", 1, "x")]
    found = segments.cut(source, days)
    (tmp_path / "ahead").mkdir()
    # What is short waits in memory until the file is closed.
    (tmp_path / "ahead" / "things.csv").symlink_to("/dev/full")
    beginning = segments.Beginning(tmp_path / "ahead" / "things.csv")
    beginning.copy(source, found.segments, threading.Event())
    assert beginning.moved(tmp_path / "new.csv", [HEADER, *days]) == []
    assert not (tmp_path / "new.csv").exists()
    assert list((tmp_path / "ahead").iterdir()) == []


def test_copying_ahead_ends_when_it_is_enough(tmp_path: Path) -> None:
    source = tmp_path / "things.csv"
    source.write_bytes(b"id\na\nb\n")
    days = [Day("2026-06-01", 1, "x"), Day("2026-06-02", 1, "y")]
    found = segments.cut(source, days)
    is_enough = threading.Event()
    beginning = segments.Beginning(tmp_path / "ahead.csv")
    is_enough.set()
    beginning.copy(source, found.segments, is_enough)
    assert beginning.moved(tmp_path / "new.csv", [HEADER, *days]) == []
    is_enough.clear()
    beginning.copy(source, found.segments, is_enough)
    begun = beginning.moved(tmp_path / "new.csv", [HEADER, days[0], Day("2026-06-02", 1, "z")])
    assert [hashed.segment.day for hashed in begun] == [HEADER, days[0]]
    assert (tmp_path / "new.csv").read_bytes() == b"id\na\n"
    assert begun[-1].hash.hexdigest() == hashlib.sha256(b"id\na\n").hexdigest()
