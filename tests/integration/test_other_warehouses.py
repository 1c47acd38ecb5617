"""The project as it is compiled for warehouses that are not here: well formed, in their words.

That a statement parses says that its grammar is that of the warehouse, as sqlglot knows it; that
its functions are known says that none of another engine was left in it. Neither says that it gives
the right answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import sqlglot

from tests.fault_matrix import CLOSE_DATE
from tests.harness import compiled_by_adapter

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs" / "porting.md").read_text(encoding="utf-8")
WAREHOUSES = ("snowflake", "bigquery", "databricks", "trino")
ENGINES = ("duckdb", "postgres", "spark")

# what every one of the warehouses has, with the same meaning
COMMON = (
    "abs cast ceil chr coalesce count date_trunc decimal extract first_value floor greatest lag"
    " least length lower lpad max min mod nullif regexp_replace replace row_number rpad rtrim"
    " substr substring sum trim upper"
)
OWN = {
    "snowflake": "array_agg array_construct_compact array_to_string ascii datediff"
    " get greatest_ignore_nulls least_ignore_nulls left listagg md5 regexp_instr regexp_like"
    " regexp_substr repeat right split_part to_char to_json to_variant trunc try_to_timestamp_ntz",
    "bigquery": "array_agg array_to_string ascii bignumeric concat datetime_diff datetime_sub"
    " format_datetime left md5 regexp_contains regexp_extract repeat right safe_cast safe_offset"
    " safe_ordinal split string_agg to_hex to_json_string trunc unnest",
    "databricks": "array array_join sort_array ascii collect_set concat_ws date_format dateadd"
    " datediff left max_by md5 min_by regexp_extract regexp_substr repeat right split_part struct"
    " timestampadd timestampdiff to_json translate try_cast filter",
    "trino": "array_agg array_join array_max array_min array_sort concat_ws date_add date_diff"
    " date_format filter json_format max_by md5 min_by regexp_extract regexp_like row split_part"
    " timestamp to_hex to_utf8 truncate try_cast",
}
# dbt has these dispatched itself, and every adapter has its own
OF_DBT = {"dateadd", "datediff"}
# no function, though a parenthesis may follow
WORDS = (
    "all and as by case distinct else end exists from group having in is join not on or order over"
    " partition select set then union using values when where with within"
)


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    folder = tmp_path_factory.mktemp("compiled")
    # That of the other tests, for which dbt reads the project only once.
    return compiled_by_adapter(CLOSE_DATE, [*ENGINES, *WAREHOUSES], folder)


def what_does_not_parse(statements: dict[str, str], dialect: str) -> list[str]:
    broken = []
    for name, sql in statements.items():
        try:
            (parsed,) = sqlglot.parse(sql, dialect=dialect, error_level=sqlglot.ErrorLevel.RAISE)
        except (sqlglot.errors.SqlglotError, ValueError) as error:
            broken.append(f"{name}: {error}")
            continue
        # what it does not understand it would hand on as it is
        if parsed is None or isinstance(parsed, sqlglot.exp.Command):
            broken.append(f"{name}: not understood")
    return broken


def functions_of(sql: str) -> set[str]:
    text = re.sub(r"--[^\n]*", "", sql)
    text = re.sub(r"\$\$.*?\$\$|'(?:[^'\\]|''|\\.)*'", "''", text)
    return (
        set(re.findall(r"\b([a-z_][a-z0-9_]*) ?\(", text))
        - set(WORDS.split())
        - set(names_given(text))
    )


def names_given(text: str) -> Iterator[str]:
    """The queries of a with clause, which parentheses follow."""
    yield from re.findall(r"\b(\w+) as \(", text)


def is_run(name: str) -> bool:
    """Whether it is a model or a test of data; analyses are for the engine at hand."""
    return not name.startswith("analysis.")


@pytest.mark.slow
@pytest.mark.parametrize("dialect", [*ENGINES, *WAREHOUSES])
def test_every_statement_is_well_formed(compiled: dict[str, dict[str, str]], dialect: str) -> None:
    assert len(compiled[dialect]) > 100
    assert what_does_not_parse(compiled[dialect], dialect) == []


def test_what_is_not_well_formed_is_found() -> None:
    assert what_does_not_parse({"a": "select a, from b where", "b": "select 1"}, "trino") != []
    union = {"a": "select 1 union select 2"}
    assert what_does_not_parse(union, "duckdb") == []
    assert what_does_not_parse(union, "bigquery") != []


@cache
def gaps_in_guide(warehouse: str) -> set[str]:
    """The functions that the guide says a warehouse lacks."""
    (row,) = re.findall(rf"^\| `{warehouse}` \| ([^|]*) \|", GUIDE, re.MULTILINE)
    return set(re.findall(r"`(\w+)`", row))


@pytest.mark.slow
@pytest.mark.parametrize("warehouse", WAREHOUSES)
def test_functions_are_those_of_the_warehouse_but_for_the_known_gaps(
    compiled: dict[str, dict[str, str]], warehouse: str
) -> None:
    used = {
        function
        for name, sql in compiled[warehouse].items()
        if is_run(name)
        for function in functions_of(sql)
    }
    assert used - OF_DBT - set(COMMON.split()) - set(OWN[warehouse].split()) == gaps_in_guide(
        warehouse
    )


def dispatched() -> set[str]:
    """The macros of which an engine may have its own."""
    calls = re.compile(r"adapter\.dispatch\('(\w+)', 'pool_recon'\)")
    return {
        name
        for path in (ROOT / "macros").rglob("*.sql")
        for name in calls.findall(path.read_text(encoding="utf-8"))
    }


def test_what_engines_differ_in_is_in_one_folder_and_in_the_guide() -> None:
    elsewhere = [
        path
        for path in (ROOT / "macros").rglob("*.sql")
        if path.relative_to(ROOT / "macros").parts[0] != "engine"
        and "adapter.dispatch(" in path.read_text(encoding="utf-8")
    ]
    assert elsewhere == []
    described = set(re.findall(r"^\| `(\w+)\(", GUIDE, re.MULTILINE))
    assert described == dispatched()


@pytest.mark.parametrize("warehouse", ["snowflake", "bigquery", "trino"])
def test_a_port_has_only_macros_that_are_dispatched(warehouse: str) -> None:
    text = (ROOT / "macros" / "engine" / "ports" / f"{warehouse}.sql").read_text(encoding="utf-8")
    own = set(re.findall(rf"macro {warehouse}__(\w+)\(", text))
    called = set(re.findall(rf"pool_recon\.{warehouse}__(\w+)\(", text))
    assert own - called <= dispatched()
    assert own
