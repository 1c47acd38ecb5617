"""What the package writer puts into files: exact text, a stable order, an honest manifest."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from pool_recon.errors import CloseError
from pool_recon.package import Verdict, write_parquet
from tests.harness.packages import write_package

VERDICT = Verdict({"no_secrets": "holds"})
AWKWARD = [
    "a,b",
    'say "x"',
    "two\nlines",
    "carriage\rreturn",
    " blanks ",
    "#comment",
    "semi;colon",
    "tab\tbed",
    "it's",
    "\ufeffmark",
    "snow \u2603 \U0001f600",
    "null",
    "007",
    "100.10",
    "=1+1",
    "\\N",
]


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    connection = duckdb.connect(str(tmp_path / "w.duckdb"))
    connection.execute(
        """
        create schema raw;
        create schema intermediate;
        create schema package;
        create table raw.files as
        select * from (values
            (2, 'quotes', 'quotes/b.csv', 'quotes/b.csv', 'bb', 20::bigint, 3::bigint),
            (1, 'orders', 'orders.csv', 'orders.csv', 'aa', 10, 2),
            (3, 'orders', 'orders.csv', 'orders.csv@cccccccc', 'cc', 11, 4)
        ) as files(file_id, export_name, path, row_name, sha256, size_bytes, row_count);
        create table intermediate.int_close as
        select
            date '2026-06-30' as close_date,
            'Europe/Berlin' as business_time_zone,
            timestamp '2026-06-30 22:00:00' as cut_off_at,
            timestamp '2026-06-30 21:00:00' as grace_limit_at,
            timestamp '2026-06-29 22:00:00' as settlement_limit_at,
            timestamp '2026-06-30 22:00:00' as processing_limit_at,
            'live' as default_environment,
            'acme' as default_partner;
        create view package.pkg_control_totals as
        select 'trades' as name, '12' as value, 2 as _sort
        union all select 'landed.orders', '6', 1;
        """
    )
    yield connection
    connection.close()


def view(connection: duckdb.DuckDBPyConnection, values: list[tuple[str | None, ...]]) -> str:
    """A published view of rows (id, text), whose order is that of the list."""
    connection.execute("create table given(id varchar, text varchar, _sort_a int)")
    ids, texts = [row[0] for row in values], [row[1] for row in values]
    connection.execute(
        "insert into given select unnest(?::varchar[]), unnest(?::varchar[]), unnest(?::int[])",
        [ids, texts, list(range(len(values)))],
    )
    connection.execute("create view package.pkg_things as select * from given order by random()")
    return "pkg_things"


def written(folder: Path, name: str) -> list[list[str]]:
    with (folder / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.reader(stream, strict=True))


def folder(tmp_path: Path, name: str = "package") -> Path:
    made = tmp_path / name
    made.mkdir()
    return made


def test_values_come_back_as_they_are(warehouse: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    out = folder(tmp_path)
    rows = [(f"id_{number}", text) for number, text in enumerate(AWKWARD)]
    write_package(warehouse, out, [view(warehouse, list(rows))], VERDICT)
    assert written(out, "things.csv") == [["id", "text"], *[list(row) for row in rows]]
    assert (out / "things.csv").read_bytes().startswith(b"id,text\nid_0,")


def test_null_and_empty_are_both_empty(
    warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    out = folder(tmp_path)
    write_package(warehouse, out, [view(warehouse, [("a", None), ("b", "")])], VERDICT)
    assert (out / "things.csv").read_bytes() == b"id,text\na,\nb,\n"


def test_sort_columns_order_the_rows_and_stay_inside(
    warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    out = folder(tmp_path)
    rows = [(f"id_{number}", str(-number)) for number in range(5000)]
    write_package(warehouse, out, [view(warehouse, list(rows))], VERDICT)
    assert written(out, "things.csv")[1:] == [list(row) for row in rows]


def test_a_view_without_rows_has_its_header(
    warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    out = folder(tmp_path)
    write_package(warehouse, out, [view(warehouse, [])], VERDICT)
    assert (out / "things.csv").read_bytes() == b"id,text\n"


def test_the_manifest_says_what_went_in_and_what_came_out(
    warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    out = folder(tmp_path)
    returned = write_package(warehouse, out, [view(warehouse, [("a", "two\nlines")])], VERDICT)
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert manifest == returned
    assert manifest["close"] == {
        "close_date": "2026-06-30",
        "time_zone": "Europe/Berlin",
        "cut_off_at": "2026-06-30T22:00:00Z",
    }
    assert [entry["row_name"] for entry in manifest["inputs"]] == [
        "orders.csv",
        "quotes/b.csv",
        "orders.csv@cccccccc",
    ]
    assert manifest["inputs"][1] == {
        "export": "quotes",
        "path": "quotes/b.csv",
        "row_name": "quotes/b.csv",
        "rows": 3,
        "sha256": "bb",
        "size_bytes": 20,
    }
    data = (out / "things.csv").read_bytes()
    assert manifest["outputs"] == [
        {
            "file": "things.csv",
            "rows": 1,
            "sha256": hashlib.sha256(data).hexdigest(),
            "size_bytes": len(data),
        }
    ]
    assert manifest["control_totals"] == {"landed.orders": "6", "trades": "12"}
    assert manifest["verdict"]["holds"] is True
    assert set(manifest["versions"]) >= {"pool_recon", "dbt-core", "duckdb", "python"}


def test_the_manifest_names_neither_machine_nor_moment(
    warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    view_name = view(warehouse, [("a", "b")])
    first, second = folder(tmp_path, "first"), folder(tmp_path, "second")
    write_package(warehouse, first, [view_name], VERDICT)
    write_package(warehouse, second, [view_name], VERDICT)
    text = (first / "manifest.json").read_text(encoding="utf-8")
    assert text == (second / "manifest.json").read_text(encoding="utf-8")
    assert str(tmp_path) not in text
    assert text.endswith("}\n")
    assert text == json.dumps(json.loads(text), indent=2, sort_keys=True) + "\n"


def test_a_folder_name_with_a_quote(warehouse: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    out = folder(tmp_path, 'it\'s, "here"')
    write_package(warehouse, out, [view(warehouse, [("a", "b")])], VERDICT)
    assert (out / "things.csv").read_bytes() == b"id,text\na,b\n"


def test_a_control_total_twice_is_an_error(
    warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    warehouse.execute(
        "create or replace view package.pkg_control_totals as"
        " select 'a' as name, '1' as value union all select 'a', '2'"
    )
    with pytest.raises(CloseError, match="twice"):
        write_package(warehouse, folder(tmp_path), [view(warehouse, [])], VERDICT)


@pytest.mark.parametrize(
    ("verdict", "holds"),
    [
        (VERDICT, True),
        (Verdict({}), False),
        (Verdict({"a": "holds", "b": "fails"}), False),
        (Verdict({"a": "not checked"}), False),
        (Verdict({"a": "holds"}, failed_checks=("x",)), False),
        (Verdict({"a": "holds"}, disagreements=("a",)), False),
    ],
)
def test_only_a_complete_verdict_holds(verdict: Verdict, holds: bool) -> None:
    assert verdict.holds is holds


def test_a_parquet_file_has_the_same_bytes_whatever_wrote_it(
    warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    # More rows than a row group takes, in another order each time.
    digests = set()
    for threads in (1, 4):
        warehouse.execute(f"set threads = {threads}")
        warehouse.execute(
            "create schema if not exists marts; create or replace table marts.fct_things as"
            " select n % 7 as run_number, 'id_' || n % 90000 as id, n::decimal(38, 18) as amount,"
            " timestamp '2026-06-30 00:00:00' + to_seconds(n) as created_at"
            " from range(130000) as numbers(n) order by random()"
        )
        out = folder(tmp_path, f"threads_{threads}")
        (entry,) = write_parquet(warehouse, out, ["fct_things"])
        assert (entry["file"], entry["rows"]) == ("parquet/fct_things.parquet", 130000)
        digests.add(entry["sha256"])
    assert len(digests) == 1
    read = f"from read_parquet('{out / entry['file']}')"
    assert warehouse.execute(
        f"select count(distinct row_group_id) from parquet_metadata('{out / entry['file']}')"
    ).fetchone() == (2,)
    assert [row[:2] for row in warehouse.execute(f"describe {read}").fetchall()] == [
        ("id", "VARCHAR"),
        ("amount", "DECIMAL(38,18)"),
        ("created_at", "TIMESTAMP WITH TIME ZONE"),
    ]
    warehouse.execute("set TimeZone = 'Asia/Tokyo'")
    assert warehouse.execute(
        f"select count(*) {read} as files semi join marts.fct_things as things"
        " on things.id = files.id and things.amount = files.amount"
        " and files.created_at at time zone 'UTC' = things.created_at"
    ).fetchone() == (130000,)


def test_the_manifest_vouches_for_itself(
    warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    out = folder(tmp_path)
    manifest = write_package(warehouse, out, [view(warehouse, [("a", "ü")])], VERDICT)
    rest = {name: value for name, value in manifest.items() if name != "manifest_sha256"}
    text = json.dumps(rest, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    assert manifest["manifest_sha256"] == hashlib.sha256(text.encode()).hexdigest()
    assert manifest["settings"] == {
        "default_environment": "live",
        "default_partner": "acme",
        "grace_period_seconds": 3600,
        "settlement_limit_seconds": 86400,
        "processing_limit_seconds": 0,
    }
    assert {"models", "macros", "seeds/ref_findings.csv", "pool_recon"} <= set(manifest["project"])
