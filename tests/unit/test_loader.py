"""Loading a folder: discovery, columns, secrets, parquet, all or nothing, and again."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pool_recon import __version__, loader, reference
from pool_recon.errors import CloseError
from pool_recon.loader import discover, load_exports
from pool_recon.loader.columns import fold
from pool_recon.loader.discovery import unread
from pool_recon.masking import mask, mask_json
from pool_recon.summary import outdated_text, passed_over_text
from tests.harness.aliases import aliased
from tests.unit.conftest import VALUES, Exports

SECRET = "sk_live_abcDEF123_"
POOLS = "pool_id,seen_at\np1,s1\np2,s2\n"


def csv_of(export: str, **changed: str) -> str:
    values = VALUES[export] | changed
    return f"{','.join(values)}\n{','.join(values.values())}\n"


# Discovery


def test_files_of_an_export_are_found_in_both_places_and_every_format(exports: Exports) -> None:
    row = {"pool_id": "p", "seen_at": "s"}
    exports.write("pools.csv", POOLS)
    exports.write("pools/b.csv.gz", POOLS)
    exports.write("pools/2026/01/a.jsonl", [row])
    exports.write("pools/2026/01/a.jsonl.gz", json.dumps(row))
    exports.write("pools/2026/02.ndjson", [row])
    exports.write("pools/2026.d/c.json", json.dumps([row]))
    exports.write("pools/UPPER.CSV", POOLS)
    duckdb.connect().sql("select 'p' as pool_id, 's' as seen_at").write_parquet(
        str(exports.folder / "pools/d.parquet")
    )
    for ignored in (
        ".hidden.csv",
        "_tmp.csv",
        ".git/a.csv",
        "_old/a.csv",
        "notes.txt",
        "a.csv.bak",
    ):
        exports.write(f"pools/{ignored}", "x")
    for ignored in ("_pools.csv", ".pools.csv", "Pools.csv", "pools_old.csv", "other/a.csv"):
        exports.write(ignored, "x")
    summary = exports.load()
    expected = [
        ("pools.csv", "csv", 2),
        ("pools/2026.d/c.json", "json", 1),
        ("pools/2026/01/a.jsonl", "jsonl", 1),
        ("pools/2026/01/a.jsonl.gz", "jsonl.gz", 1),
        ("pools/2026/02.ndjson", "ndjson", 1),
        ("pools/UPPER.CSV", "csv", 2),
        ("pools/b.csv.gz", "csv.gz", 2),
        ("pools/d.parquet", "parquet", 1),
    ]
    assert (
        exports.query(
            "select path, format, row_count from raw.files where export_name = 'pools' "
            "order by file_id"
        )
        == expected
    )
    assert exports.column(
        "select file_id from raw.files order by export_name = 'pools', 1"
    ) == list(range(1, 14))
    assert summary.exports[-1] == loader.ExportSummary("pools", 8, 0, 11)
    assert summary.passed_over == (
        "Pools.csv",
        "pools/a.csv.bak",
        "pools/notes.txt",
        "pools_old.csv",
    )
    assert exports.column("select count(*) from raw.pools") == [11]
    named = exports.query("select distinct _file_id, _row_number from raw.pools")
    assert len(named) == 11


@pytest.mark.parametrize("export", [e.name for e in reference.exports() if e.is_required])
def test_a_required_export_without_files_stops_the_run(exports: Exports, export: str) -> None:
    exports.remove(f"{export}.csv")
    (exports.folder / export).mkdir()
    exports.write(f"{export}/_{export}.csv", "x")
    with pytest.raises(CloseError, match=f"required export {export} has no file; expected"):
        exports.load()


ALMOST = (
    *("ORDERS.csv", "order.csv", "Order-2026-06-30.csv", "orders_eu.csv", "orders.2026-06-30.csv"),
    *("orders.xlsx", "orders.csv.zip", "orders.gz", "Trades", "ledger-06.parquet", "Funding.csv"),
)
SOMETHING_ELSE = (
    "pool_recon.duckdb",
    "exception_register.csv",
    "README.md",
    "orderly.csv",
    "other",
)


def test_what_looks_like_an_export_and_is_not_read_is_told(exports: Exports) -> None:
    assert exports.load().passed_over == ()
    for name in (*ALMOST, *SOMETHING_ELSE):
        exports.write(name if "." in name else f"{name}/a.csv", POOLS)
    loaded = exports.load()
    assert (loaded.files_loaded, loaded.passed_over) == (0, tuple(sorted(ALMOST)))
    assert unread(exports.folder) == sorted((*ALMOST, *SOMETHING_ELSE))
    assert passed_over_text(loaded) == (
        "Funding.csv and 10 more, not read: expected a name such as orders.csv, or a file of a "
        "known format in a folder such as orders; 'pool-recon doctor --exports' says which"
    )


def test_the_folder_must_exist(exports: Exports, tmp_path: Path) -> None:
    with pytest.raises(CloseError, match="does not exist"):
        discover(tmp_path / "nowhere")
    with pytest.raises(CloseError, match="is not a folder"):
        discover(exports.folder / "orders.csv")


def test_links_are_followed_but_not_in_circles(exports: Exports, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "a.csv").write_text(POOLS)
    (elsewhere / "up").symlink_to(exports.folder)
    (elsewhere / "self").symlink_to(elsewhere)
    (exports.folder / "pools").symlink_to(elsewhere)
    paths = [file.relative_path for file in discover(exports.folder)]
    assert [path for path in paths if path.startswith("pools")] == ["pools/a.csv"]
    (elsewhere / "gone.csv").symlink_to(elsewhere / "nothing")
    with pytest.raises(CloseError, match=r"pools/gone.csv \(export pools\): is no readable file"):
        discover(exports.folder)


@pytest.mark.parametrize(
    "name",
    [
        *("a*.csv", "[x].csv", "a?b.csv", "year=2026/a.csv", "it's.csv", 'q"q.csv', "a b;--.csv"),
        *(
            "\u00e4.csv",
            "{a,b}.csv",
            "back\\slash.csv",
            "*.parquet",
            "[z].parquet",
            "k=1/p.parquet",
        ),
        *("a*.jsonl", "new\nline.csv"),
    ],
)
def test_odd_file_names_are_just_names(exports: Exports, name: str) -> None:
    target = exports.write(f"pools/{name}", POOLS)
    if name.endswith("parquet"):
        duckdb.connect().sql(
            "select * from (values ('p1', 's1'), ('p2', 's2')) t(pool_id, seen_at)"
        ).write_parquet(str(exports.folder / "plain.parquet"))
        (exports.folder / "plain.parquet").rename(target)
    if name.endswith("jsonl"):
        exports.write(f"pools/{name}", [{"pool_id": f"p{n}", "seen_at": f"s{n}"} for n in (1, 2)])
    exports.write("pools/ab.csv", POOLS.replace("p1", "other"))
    exports.load()
    found = exports.query(
        "select path, pool_id, seen_at from raw.pools join raw.files on file_id = _file_id "
        "where path <> 'pools/ab.csv'"
    )
    assert found == [(f"pools/{name}", "p1", "s1"), (f"pools/{name}", "p2", "s2")]


def test_a_file_name_that_is_not_utf_8_stops_the_run(exports: Exports) -> None:
    exports.write(os.fsdecode(b"pools/\xff.csv"), POOLS)
    with pytest.raises(CloseError, match="file name is not UTF-8"):
        exports.load()


def test_a_folder_with_the_name_of_a_file_is_not_passed_over(exports: Exports) -> None:
    exports.write("pools.csv/part-0.csv", POOLS)
    with pytest.raises(
        CloseError, match=r"pools.csv \(export pools\): is a folder; expected a file"
    ):
        exports.load()


# Columns


@pytest.mark.parametrize(
    "name",
    ["entry_type", "entryType", "ENTRY-TYPE", " Entry Type ", "ledgerEntryType", "Reason", "type"],
)
def test_names_match_by_fold_and_alias(exports: Exports, name: str) -> None:
    header = csv_of("ledger").replace("entry_type,", f"{name},", 1)
    exports.write("ledger.csv", header)
    exports.load()
    assert exports.column("select entry_type from raw.ledger") == ["entry_type-1"]
    assert exports.query(
        "select column_name, contract_column from raw.file_columns join raw.files using (file_id) "
        "where export_name = 'ledger' and column_position = 2"
    ) == [(name, "entry_type")]


def test_the_own_name_wins_then_the_order_of_the_aliases(exports: Exports) -> None:
    row = {"ledgerEntryType": "third", "reason": "second", "type": "first"}
    others = {name: "x" for name in VALUES["ledger"] if name != "entry_type"}
    winners = []
    for _ in range(3):
        exports.write("ledger/a.jsonl", [others | row])
        exports.write(
            "ledger/b.csv", f"{','.join(others | row)}\n{','.join((others | row).values())}\n"
        )
        exports.load()
        winners.append(
            exports.query(
                "select distinct entry_type from raw.ledger where _file_id = "
                "(select max(_file_id) from raw.ledger)"
            )[0][0]
        )
        row.popitem()
    exports.write("ledger/c.jsonl", [others | {"type": "no", "entry_type": "own"}])
    exports.load()
    assert winners == ["first", "second", "third"]
    assert exports.column("select entry_type from raw.ledger order by _file_id desc limit 1") == [
        "own"
    ]
    assert exports.query(
        "select column_name, contract_column from raw.file_columns where column_name in "
        "('type', 'entry_type') and file_id = (select max(file_id) from raw.files) order by 1"
    ) == [("entry_type", "entry_type"), ("type", None)]


def test_a_missing_required_column_is_named_with_its_other_names(exports: Exports) -> None:
    exports.write("ledger/a.csv", "ledger_id,asset,amount,effective_at\n")
    with pytest.raises(CloseError) as caught:
        exports.load()
    assert str(caught.value) == (
        "ledger/a.csv (export ledger): a required column is missing: expected entry_type "
        "(or type, reason, ledger_entry_type); found 'ledger_id', 'asset', 'amount', "
        "'effective_at'; a name of your own goes into seeds/ref_column_aliases.csv"
    )


def test_fold() -> None:
    assert fold(" Partner-Order_ID\t") == fold("partnerOrderId") == "partnerorderid"
    assert fold("partner.order.id") != "partnerorderid"


# Secrets


def test_masking() -> None:
    assert mask(f"a {SECRET}! whsec_12345678") == "a sk_live_***! whsec_***"
    for near in ("sk_live_1234567", "sk_live_-12345678", "SK_LIVE_123456789", "sk_prod_123456789"):
        assert mask(near) == near
    assert mask_json(r'{"a":"s\u006b_live\u005Fabcd\u0045fgh') == '{"a":"sk_live_***'
    assert mask_json(r"sk_live_\u002dabcdefgh") == r"sk_live_\u002dabcdefgh"


def stored_bytes(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir() if path.is_file())


def test_a_secret_reaches_no_disk_and_no_message(
    exports: Exports, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    seen: list[bytes] = []
    remove = Path.unlink

    def look_and_remove(path: Path, *args: Any, **options: Any) -> None:
        seen.append(path.read_bytes())
        remove(path, *args, **options)

    monkeypatch.setattr(Path, "unlink", look_and_remove)
    escaped = "".join(f"\\u{ord(character):04x}" for character in SECRET)
    pools = [
        "pool_id,seen_at,unknown",
        f"{SECRET},s,u",
        f'p,"a,{SECRET}\nb",u',
        f"p,s,{SECRET}",
        f"p,{SECRET}",
        "p,s,sk_live_short",
    ]
    exports.write("pools/a.csv", "\n".join(pools))
    exports.write("pools/b.csv.gz", "\n".join(pools))
    lines = [
        f'{{"pool_id":"{SECRET}","seen_at":"s"}}',
        f'{{"pool_id":"{escaped}","seen_at":"s"}}',
        f'{{"pool_id":"p","seen_at":"s","x":{{"{escaped}":[1]}}}}',
        f'{{"pool_id":"p","seen_at":["{SECRET}"]}}',
        f'{{"pool_id":"{escaped}',
        f'["{SECRET}"]',
        '{"pool_id":"p","seen_at":"sk_live_\\nabcdefgh"}',
    ]
    exports.write("pools/c.jsonl", "\n".join(lines))
    exports.write("pools/d.json", "[" + ",".join(lines[:4] + lines[5:]) + "]")
    exports.write(f"pools/{SECRET}/e.csv", f"pool_id,seen_at,{SECRET}\np,s,u\n")
    relation = duckdb.connect().sql(
        f"select * from (values ('{SECRET}', 's', 1), ('p', 's', 2)) t(pool_id, seen_at, n) "
        f"union all select 'q', '[{SECRET}]', 3"
    )
    relation.write_parquet(str(exports.folder / "pools/f.parquet"))
    exports.load()
    assert exports.query(
        "select path, list(_row_number order by _row_number) from raw.pools "
        "join raw.files on file_id = _file_id where _has_secret group by all order by path"
    ) == [
        ("pools/a.csv", [1, 2, 3, 4]),
        ("pools/b.csv.gz", [1, 2, 3, 4]),
        ("pools/c.jsonl", [1, 2, 3, 4, 5, 6]),
        ("pools/d.json", [1, 2, 3, 4, 5]),
        ("pools/f.parquet", [1, 3]),
    ]
    assert exports.column("select path from raw.files where has_secret") == [
        "pools/sk_live_***/e.csv"
    ]
    assert exports.column(
        "select column_name from raw.file_columns where column_position = 3 "
        "and file_id = (select file_id from raw.files where has_secret)"
    ) == ["sk_live_***"]
    assert exports.query("select seen_at from raw.pools where contains(seen_at, '***')") == [
        ("a,sk_live_***\nb",),
        ("a,sk_live_***\nb",),
        ('["sk_live_***"]',),
        ('["sk_live_***"]',),
        ("[sk_live_***]",),
    ]
    assert set(exports.column("select _original_text from raw.pools where _is_malformed")) == {
        "p,sk_live_***",
        '{"pool_id":"sk_live_***',
        '["sk_live_***"]',
    }
    assert any(b"sk_live_***" in content for content in seen)
    for content in (*seen, stored_bytes(tmp_path)):
        assert SECRET.encode() not in content
    assert SECRET not in "".join(exports.progress.doing)
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize(
    ("path", "content"),
    [
        (f"pools/{SECRET}.csv", "x\n"),
        ("pools/a.csv", f"{SECRET}\n"),
        ("pools/a.csv", f"pool_id,seen_at,{SECRET},{SECRET}\n"),
        ("pools/a.jsonl", f'{{"{SECRET}":1}}\n'),
        ("pools/a.jsonl", f'{{"{SECRET}":1,"{SECRET}":2}}\n'),
        (f"pools/{SECRET}.json", "{"),
        (f"pools/{SECRET}.parquet", "no parquet"),
    ],
)
def test_errors_are_one_masked_line(exports: Exports, path: str, content: str) -> None:
    exports.write(path, content)
    with pytest.raises(CloseError) as caught:
        exports.load()
    assert SECRET not in str(caught.value)
    assert "sk_live_***" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_paths_that_differ_only_in_a_secret_are_two_files(exports: Exports) -> None:
    exports.write(f"pools/{SECRET}1.csv", POOLS)
    exports.write(f"pools/{SECRET}2.csv", POOLS.replace("p1", "p9"))
    exports.load()
    names = exports.column("select row_name from raw.files where export_name = 'pools'")
    sha = hashlib.sha256(POOLS.replace("p1", "p9").encode()).hexdigest()
    assert names == ["pools/sk_live_***.csv", f"pools/sk_live_***.csv@{sha[:8]}"]
    assert exports.load().load_id is None


# Parquet


def parquet(exports: Exports, select: str, path: str = "balances.parquet") -> None:
    duckdb.connect().sql(select).write_parquet(str(exports.folder / path))


def test_parquet_values_land_exactly(exports: Exports, monkeypatch: pytest.MonkeyPatch) -> None:
    parquet(
        exports,
        "select 'A' as currency, 1.10::decimal(38, 18) as balance, "
        "'2026-03-29 01:30:00.123456+02'::timestamptz as \"As Of\", "
        "{'a': [1.50], 'b': null} as environment, null::integer as partner_id, 0.1::double as x",
    )
    with duckdb.connect(str(exports.warehouse)) as connection:
        connection.execute("set TimeZone = 'Asia/Tokyo'")
        load_exports(connection, exports.folder)
        row = connection.execute("select * exclude (_file_id) from raw.balances").fetchone()
    assert row == (
        "A",
        "1.100000000000000000",
        "2026-03-28 23:30:00.123456+00",
        '{"a":["1.50"],"b":null}',
        None,
        1,
        False,
        False,
        None,
    )


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("decimal(18, 2)", "1.00"),
        ("integer", "1"),
        ("bigint", "1"),
        ("varchar", "1"),
        ("blob", "1"),
        ("double", None),
        ("float", None),
    ],
)
def test_amounts_of_a_floating_type_stop_the_run(
    exports: Exports, kind: str, text: str | None
) -> None:
    parquet(exports, f"select 'A' asset, '1'::{kind} as \"Balance\", 's' as as_of")
    if text is None:
        with pytest.raises(CloseError, match="the column Balance reads as the floating-point type"):
            exports.load()
    else:
        exports.load()
        assert exports.column("select balance from raw.balances") == [text]


def test_a_float_that_is_no_amount_of_the_export_lands(exports: Exports) -> None:
    parquet(
        exports, "select 'A' asset, '1' as balance, 's' as_of, 1.5::float as environment, 2.5 z"
    )
    exports.load()
    assert exports.column("select environment from raw.balances") == ["1.5"]


@pytest.mark.parametrize("cut", [0, 3, 50, -1])
def test_broken_parquet_stops_the_run(exports: Exports, cut: int) -> None:
    parquet(exports, "select 'A' asset, '1' as balance, 's' as_of")
    path = exports.folder / "balances.parquet"
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(CloseError, match=r"balances.parquet \(export balances\): broken parquet"):
        exports.load()


def test_parquet_columns_are_checked(exports: Exports) -> None:
    parquet(exports, "select 'A' asset, '1' as balance")
    with pytest.raises(CloseError, match="required column is missing: expected as_of"):
        exports.load()
    parquet(exports, "select 'A' asset, '1' as balance, 's' as_of, {'asset': 1} as \"As-Of\"")
    with pytest.raises(CloseError, match="same column name twice: 'as_of' and 'As-Of'"):
        exports.load()
    parquet(exports, "select 'A' || chr(0) asset, '1' as balance, 's' as_of")
    with pytest.raises(CloseError, match="a value has a NUL byte"):
        exports.load()


def test_nested_parquet_columns_do_not_count_as_columns(exports: Exports) -> None:
    parquet(
        exports,
        "select {'x': {'asset': 1}, 'l': [1]} as meta, 'A' as asset, map {'a': 1} as m, "
        "'1' as balance, [[1]] as ll, 's' as as_of",
    )
    exports.load()
    assert exports.query("select asset, balance, as_of from raw.balances") == [("A", "1", "s")]
    assert exports.column(
        "select column_name from raw.file_columns join raw.files using (file_id) "
        "where format = 'parquet' order by column_position"
    ) == ["meta", "asset", "m", "balance", "ll", "as_of"]


def test_parquet_rows_keep_their_order(exports: Exports) -> None:
    relation = duckdb.connect().sql(
        "select 'A' asset, range::varchar as balance, 's' as_of from range(300000)"
    )
    relation.write_parquet(str(exports.folder / "balances.parquet"), row_group_size=20000)
    exports.load()
    assert exports.query(
        "select count(*), bool_and(balance::bigint + 1 = _row_number), "
        "bool_and(rowid + 1 = _row_number) from raw.balances"
    ) == [(300000, True, True)]


# All or nothing, and again


def test_an_error_in_the_last_file_leaves_nothing(exports: Exports) -> None:
    exports.write("orders/a.csv", csv_of("orders"))
    exports.write("pools/z.json", "[")
    with pytest.raises(CloseError, match=r"pools/z\.json"):
        exports.load()
    assert (
        exports.column("select schema_name from duckdb_schemas() where schema_name = 'raw'") == []
    )
    exports.remove("pools/z.json")
    assert exports.load().load_id == 1
    exports.write("orders/b.csv", csv_of("orders"))
    exports.write("pools/z.json", "[")
    with pytest.raises(CloseError, match=r"pools/z\.json"):
        exports.load()
    assert exports.query("select (from raw.loads select count(*)), count(*) from raw.orders") == [
        (1, 1)
    ]


def test_a_second_load_of_the_same_files_does_nothing(exports: Exports) -> None:
    exports.write("pools.csv", POOLS)
    first = exports.load()
    again = exports.load()
    assert (first.load_id, first.files_loaded, first.files_skipped, first.rows_landed) == (
        1,
        6,
        0,
        2,
    )
    assert (again.load_id, again.files_loaded, again.files_skipped, again.rows_landed) == (
        None,
        0,
        6,
        0,
    )
    assert exports.query("select load_id, tool_version from raw.loads") == [(1, __version__)]
    assert exports.column("select count(*) from raw.pools") == [2]


def test_other_content_at_a_path_is_loaded_beside_the_old(exports: Exports) -> None:
    contents = [POOLS, POOLS.replace("p1", "p3"), POOLS, POOLS.replace("p1", "p4")]
    load_ids = []
    for content in contents:
        exports.write("pools.csv", content)
        load_ids.append(exports.load().load_id)
    assert load_ids == [1, 2, None, 3]
    shas = [hashlib.sha256(content.encode()).hexdigest() for content in contents]
    assert exports.query(
        "select file_id, load_id, row_name, sha256 from raw.files where export_name = 'pools'"
    ) == [
        (6, 1, "pools.csv", shas[0]),
        (7, 2, f"pools.csv@{shas[1][:8]}", shas[1]),
        (8, 3, f"pools.csv@{shas[3][:8]}", shas[3]),
    ]
    assert exports.column("select count(*) from raw.pools") == [6]


def test_an_already_loaded_file_is_not_parsed(
    exports: Exports, monkeypatch: pytest.MonkeyPatch
) -> None:
    exports.write("pools.csv", POOLS)
    exports.load()
    monkeypatch.setattr("pool_recon.loader.preparation._source", None)
    assert exports.load().files_skipped == 6


def test_a_bulk_reader_that_disagrees_is_not_believed(exports: Exports) -> None:
    exports.write("orders/a.csv", csv_of("orders"))
    exports.write("pools/a.csv", "pool_id,seen_at,x\n1,2\n1,2,3,4\n5,6,7\n")
    exports.write("pools/b.csv", "pool_id,seen_at,x\n1,2\n1,2,3,4\n5,6,7,8\n9,8\n")
    summary = exports.load()
    assert summary.rows_landed == 8
    assert exports.column("select count(*) from raw.pools where _is_malformed") == [6]
    assert exports.column("select count(*) from raw.files") == [8]


def test_every_table_exists_with_its_columns(exports: Exports) -> None:
    exports.load()
    for export in reference.exports():
        names = [row[0] for row in exports.query(f'describe raw."{export.name}"')]
        assert names == [
            *(column.name for column in reference.export_columns(export.name)),
            *("_file_id", "_row_number", "_is_malformed", "_has_secret", "_original_text"),
        ]


@pytest.mark.parametrize(
    ("foreign", "table"),
    [
        ("create table raw.Files (file_id integer, name varchar)", "files"),
        ("create table raw.orders (partner_order_id varchar)", "orders"),
        ("create view raw.loads as select 1 as load_id", "loads"),
    ],
)
def test_a_schema_raw_that_is_of_another_program_is_told_as_such(
    exports: Exports, foreign: str, table: str
) -> None:
    exports.query("create schema raw")
    exports.query(foreign)
    with pytest.raises(CloseError) as refused:
        exports.load()
    assert str(refused.value) == (
        f"{exports.warehouse.name} is no warehouse of this version of pool-recon: its raw.{table}"
        " is not the table that exports land in; name another --warehouse, or move it away"
    )
    exports.opened.close()
    named = "select table_name from information_schema.tables where table_schema = 'raw'"
    assert [name.lower() for name in exports.column(named)] == [table]


def test_a_schema_raw_may_hold_other_tables_too(exports: Exports) -> None:
    exports.query("create schema raw")
    exports.query("create table raw.rates (day date)")
    assert exports.load().load_id == 1


def test_sizes_and_hashes_are_of_the_files_as_stored(exports: Exports) -> None:
    stored = exports.write("pools.csv.gz", gzip.compress(POOLS.encode())).read_bytes()
    exports.load()
    assert exports.query("select size_bytes, sha256 from raw.files where format = 'csv.gz'") == [
        (len(stored), hashlib.sha256(stored).hexdigest())
    ]


def test_a_file_that_cannot_be_read_stops_the_run(
    exports: Exports, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = exports.write("pools.csv", POOLS)
    opened = Path.open

    def refuse(self: Path, *args: Any, **options: Any) -> Any:
        if self == path:
            raise PermissionError(13, "Permission denied")
        return opened(self, *args, **options)

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(CloseError, match=r"pools.csv \(export pools\): cannot be read: Permission"):
        exports.load()


def test_a_file_that_changes_while_it_is_read_stops_the_run(
    exports: Exports, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = exports.write("pools.csv", POOLS)
    refuse_changed = loader.landing._refuse_changed

    def grow_and_refuse(prepared: Any) -> None:
        if prepared.file.path == path:
            path.write_text(POOLS + "p3,s3\n")
        refuse_changed(prepared)

    monkeypatch.setattr(loader.landing, "_refuse_changed", grow_and_refuse)
    with pytest.raises(CloseError, match=r"pools.csv \(export pools\): changed while it was read"):
        exports.load()


# A name that is understood later


def raw(warehouse: Path) -> dict[str, list[Any]]:
    """All that is in schema raw but when it came there, in an order of its own."""
    with duckdb.connect(str(warehouse)) as connection:
        tables = connection.execute(
            "select table_name from duckdb_tables() where schema_name = 'raw'"
        ).fetchall()
        return {
            name: connection.execute(
                f"select columns(lambda c: c <> 'loaded_at') from raw.{name} order by all"
            ).fetchall()
            for (name,) in tables
        }


ROWS = [
    {"pool_id": "p1", "seen_at": "s1", "may use": "yes"},
    {"pool_id": "p2", "seen_at": "s2", "may use": "no"},
]
WITH_UNKNOWN = "pool_id,seen_at,may use\np1,s1,yes\np2,s2,no\n"


def test_files_are_read_again_in_their_place_where_a_column_is_understood_later(
    exports: Exports, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for path, content in {
        "pools/clean 1.csv": WITH_UNKNOWN,
        "pools/clean 2.csv": WITH_UNKNOWN.replace("p1", "p3"),
        "pools/zipped.csv.gz": WITH_UNKNOWN,
        "pools/careful.csv": WITH_UNKNOWN + f"p4,{SECRET},yes\np5,too few\n",
        "pools/lines.jsonl": ROWS,
        "pools/array.json": json.dumps(ROWS),
        "pools/nothing.csv": "pool_id,seen_at,may use\n",
        "pools/other.csv": POOLS,
    }.items():
        exports.write(path, content)
    parquet(
        exports, "select 'p1' as pool_id, 's1' as seen_at, true as \"may use\"", "pools/p.parquet"
    )
    first = exports.load()
    files = exports.query("from raw.files order by all")
    aliased(monkeypatch, "pools", "entitled", "May_Use")
    again = exports.load()
    assert (again.load_id, again.files_loaded, again.files_skipped) == (None, 0, 14)
    assert (len(again.read_again), again.outdated, again.rows_landed) == (8, (), 0)
    assert exports.query("from raw.files order by all") == files
    anew = tmp_path / "anew.duckdb"
    with duckdb.connect(str(anew)) as connection:
        assert load_exports(connection, exports.folder).rows_landed == first.rows_landed
    assert raw(exports.warehouse) == raw(anew)
    assert exports.column("select count(entitled) from raw.pools") == [14]
    last = exports.load()
    assert (last.read_again, last.files_skipped) == ((), 14)


def test_a_file_is_read_again_where_an_alias_went(
    exports: Exports, monkeypatch: pytest.MonkeyPatch
) -> None:
    exports.write("pools.csv", WITH_UNKNOWN)
    with monkeypatch.context() as patched:
        aliased(patched, "pools", "entitled", "may use")
        exports.load()
        assert exports.column("select entitled from raw.pools order by all") == ["no", "yes"]
    assert exports.load().read_again == (6,)
    assert exports.column("select entitled from raw.pools") == [None, None]


def test_new_files_land_beside_those_that_are_read_again(
    exports: Exports, monkeypatch: pytest.MonkeyPatch
) -> None:
    exports.write("pools/a.csv", WITH_UNKNOWN)
    exports.load()
    aliased(monkeypatch, "pools", "entitled", "may use")
    exports.write("pools/b.csv", WITH_UNKNOWN)
    exports.write("pools/c.csv", WITH_UNKNOWN + "p3,s3,1\n")
    loaded = exports.load()
    assert (loaded.load_id, loaded.files_loaded, loaded.rows_landed) == (2, 2, 5)
    assert loaded.read_again == (6,)
    assert exports.query(
        "select load_id, _file_id, count(entitled), max(_row_number) from raw.pools"
        " inner join raw.files on file_id = _file_id group by all order by all"
    ) == [(1, 6, 2, 2), (2, 7, 2, 2), (2, 8, 3, 3)]


def test_a_file_that_is_gone_stays_as_it_was_read_and_is_named(
    exports: Exports, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = exports.write("pools.csv", WITH_UNKNOWN)
    exports.load()
    aliased(monkeypatch, "pools", "entitled", "may use")
    file.write_text(WITH_UNKNOWN.replace("yes", "1"))
    loaded = exports.load()
    assert (loaded.files_loaded, loaded.read_again) == (1, ())
    (gone,) = loaded.outdated
    assert (gone.file_id, gone.path, gone.column_name, gone.contract_column) == (
        6,
        "pools.csv",
        "may use",
        "entitled",
    )
    assert outdated_text(loaded) == (
        "pools.csv (export pools): the column 'may use' means entitled now, and the file is not "
        "there to be read again; put it back where it was"
    )
    file.write_text(WITH_UNKNOWN)
    assert exports.load().read_again == (6,)
    assert exports.column("select count(entitled) from raw.pools") == [4]


def test_files_that_are_known_by_one_key_are_all_read_again(
    exports: Exports, monkeypatch: pytest.MonkeyPatch
) -> None:
    for secret in ("sk_live_aaaaAAAA11", "sk_live_bbbbBBBB22"):
        exports.write(f"pools/{secret}.csv", WITH_UNKNOWN)
    assert exports.load().files_loaded == 7
    aliased(monkeypatch, "pools", "entitled", "may use")
    assert exports.load().read_again == (6, 7)
    assert exports.column("select count(entitled) from raw.pools") == [4]
    assert exports.load().read_again == ()


def test_a_name_that_looks_like_a_secret_keeps_its_meaning(
    exports: Exports, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name is not stored, so that it cannot be asked again; it is a finding as it is."""
    exports.write("pools.csv", "pool_id,seen_at,risk_live_permission,allowed\np1,s1,yes,no\n")
    with monkeypatch.context() as patched:
        aliased(patched, "pools", "entitled", "risk_live_permission")
        exports.load()
        # It comes after the name that has the meaning already.
        aliased(patched, "pools", "entitled", "allowed")
        again = exports.load()
        assert (again.read_again, again.outdated) == ((), ())
    assert exports.load().read_again == ()
    assert exports.column("select entitled from raw.pools") == ["yes"]


def test_nothing_of_a_file_is_lost_that_cannot_be_read_again(
    exports: Exports, monkeypatch: pytest.MonkeyPatch
) -> None:
    header = csv_of("ledger").replace("entry_type,", "kind,", 1)
    with monkeypatch.context() as patched:
        aliased(patched, "ledger", "entry_type", "kind")
        exports.write("ledger.csv", header)
        exports.load()
    before = raw(exports.warehouse)
    with pytest.raises(CloseError, match=r"ledger\.csv .*a required column is missing"):
        exports.load()
    assert raw(exports.warehouse) == before


@pytest.mark.parametrize("alias", ["", " ", "_-"])
def test_a_blank_alias_is_refused(
    exports: Exports, monkeypatch: pytest.MonkeyPatch, alias: str
) -> None:
    aliased(monkeypatch, "pools", "entitled", alias)
    exports.write("pools.csv", POOLS)
    with pytest.raises(CloseError, match="in the export pools an alias of entitled is blank"):
        exports.load()


def test_an_alias_of_two_columns_is_refused(
    exports: Exports, monkeypatch: pytest.MonkeyPatch
) -> None:
    aliases = tuple(
        reference.ColumnAlias("pools", column, alias, rank)
        for rank, (column, alias) in enumerate([("pool_id", "the_name"), ("seen_at", "TheName")])
    )
    monkeypatch.setattr(reference, "column_aliases", lambda export: aliases)
    exports.write("pools.csv", POOLS)
    with pytest.raises(CloseError, match="the alias TheName stands for pool_id and for seen_at"):
        exports.load()
