"""Amounts and timestamps: any text a partner could send against Python's decimal and datetime."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.harness import Warehouse
from tests.oracle.reference import COLUMNS, REQUIRED_EXPORTS
from tests.oracle.staging import ASCII_SPACE, UnreadableError, read_value

# one column of each kind; they are read by the same macro wherever they stand
SUBJECTS = {
    "amount": ("ledger", "amount"),
    "positive": ("quotes", "source_amount"),
    "balance": ("ledger", "balance_after"),
    "whole": ("ledger", "entry_seq"),
    "time": ("ledger", "effective_at"),
}
VALID = {
    "text": "x",
    "state": "buy_debit",
    "time": "2026-06-30T10:00:00Z",
    "amount": "1",
    "positive": "1",
    "balance": "1",
    "whole": "1",
    "word:trade_status": "settled",
}

digits = st.text("0123456789", max_size=23)
spaces = st.text(ASCII_SPACE, max_size=2)
numbers = st.builds(
    lambda *parts: "".join(parts),
    *(spaces, st.sampled_from(["", "", "-", "+", "--"]), digits),
    *(st.sampled_from(["", ".", ".", ","]), digits, spaces),
)
near_numbers = st.text("0123456789+-._,eEx $€%naif\t\u0663\uff11", max_size=12)
# neither NUL nor half a surrogate pair can be in a file that is UTF-8
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
amounts = st.one_of(numbers, numbers, near_numbers, texts)


def padded(low: int, high: int, width: int) -> st.SearchStrategy[str]:
    return st.integers(low, high).map(lambda number: f"{number:0{width}}")


fractions = st.text("0123456789", min_size=0, max_size=10).map(lambda text: f".{text}")
zones = st.one_of(
    st.sampled_from(["", "Z", "z", "+00:00", "+02", "-0230", "+14:00", " +01:00"]),
    st.builds("{}{}{}{}".format, *(st.sampled_from("+-\u2212"), padded(0, 25, 2)),
              *(st.sampled_from(["", ":"]), padded(0, 61, 2))),
)  # fmt: skip
timestamps = st.builds(
    "{}-{}-{}{}{}:{}{}{}{}".format,
    *(st.one_of(padded(2024, 2026, 4), padded(0, 10000, 4)), padded(0, 13, 2), padded(0, 32, 2)),
    *(st.sampled_from(["T", "T", " ", "t", "_", "  "]), padded(0, 24, 2), padded(0, 60, 2)),
    *(padded(0, 60, 2).map(lambda second: f":{second}") | st.just(""), fractions | st.just("")),
    zones,
)
likely_timestamps = st.builds(
    lambda moment, cut, zone: moment.isoformat()[:cut] + zone,
    *(st.datetimes(), st.sampled_from([16, 19, 23, 26]), zones),
)
times = st.one_of(timestamps, likely_timestamps, likely_timestamps, st.text("0123456789-:TZ ."))


def expected(kind: str, is_required: bool, text: str) -> tuple[Any, set[str]]:
    """The value that a text must have, or the reason for quarantine."""
    trimmed = text.strip(ASCII_SPACE)
    if not trimmed:
        return None, {"missing_required_value"} if is_required else set()
    try:
        value = read_value(kind, trimmed)
    except UnreadableError as reason:
        return None, {str(reason)}
    return value, set()


def staged(
    warehouse: Warehouse, folder: Path, export: str, column: str, written: list[str]
) -> Iterator[tuple[Any, set[str]]]:
    """The value and the quarantine reasons of each text, written to a file and staged."""
    for name in REQUIRED_EXPORTS:
        required = [each for each, kind in COLUMNS[name].items() if kind.startswith("*")]
        header = [*required, *([column] if name == export and column not in required else [])]
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as lines:
            writer = csv.writer(lines, quoting=csv.QUOTE_ALL)
            writer.writerow(header)
            for text in written if name == export else []:
                values = {each: VALID[COLUMNS[name][each].lstrip("*")] for each in required}
                writer.writerow([{**values, column: text}[each] for each in header])
    warehouse.load(folder)
    warehouse.run_models([f"stg_{export}"])
    rows = warehouse.connection.execute(
        f"select {column}, quarantine_reasons from staging.stg_{export} order by row_number"
    ).fetchall()
    assert len(rows) == len(written)
    for value, reasons in rows:
        if isinstance(value, datetime):
            value = value.replace(tzinfo=UTC)
        yield value, {each.split(" ")[0] for each in (reasons or "").split("; ") if each}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("properties")


def check(warehouse: Warehouse, folder: Path, kind: str, written: list[str]) -> None:
    export, column = SUBJECTS[kind]
    is_required = COLUMNS[export][column].startswith("*")
    found = staged(warehouse, folder, export, column, written)
    for text, (value, reasons) in zip(written, found, strict=True):
        wanted, wanted_reasons = expected(kind, is_required, text)
        assert reasons == wanted_reasons, repr(text)
        if not wanted_reasons:
            assert value == wanted, repr(text)
            assert value is None or isinstance(value, Decimal | datetime), repr(text)


few = settings(max_examples=6, suppress_health_check=list(HealthCheck), derandomize=True)
many = settings(max_examples=300, suppress_health_check=list(HealthCheck))
AMOUNT_KINDS = ["amount", "positive", "balance", "whole"]
AMOUNT_EXAMPLES = [
    *("1e3", "1_000", "0x10", "NaN", "inf", "-Infinity", "1,000.00", "€5", "(5)", "5-", "++5"),
    *("0.1234567890123456789", "12345678901234567890.123456789012345678", "123456789012345678901"),
    *("1e-19", "0.9999999999999999999", ".5", "5.", "-0", "+0.000000000000000000", "007.50"),
    *(
        "settled",
        "nan",
        "on-hold it_is",
        "a1",
        "\u00a05",
        "\v5\f",
        "\uff15",
        "\u0663",
        "1 000",
        "0" * 21,
    ),
]
TIME_EXAMPLES = [
    *("2026-06-30", "2026-06-30T24:00:00Z", "2026-06-30T23:59:60Z", "2026-02-29T00:00:00Z"),
    *("0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00", "0000-01-01T00:00:00Z"),
    *("2026-06-30T10:00:00.1234567899+02:00", "2026-06-30T10:00:00.999999999Z", "2026-06-30 10:00"),
    *("2026-06-30T10:00:00+24:00", "2026-06-30T10:00:00+02:60", "2026-06-30T10:00.5", "now"),
    *(
        "infinity",
        "epoch",
        "20260630T100000Z",
        "2026-W27-2T10:00",
        "1782813600",
        "2026-06-30T10:00 Z",
    ),
]


@pytest.mark.parametrize("kind", AMOUNT_KINDS)
@few
@example(written=AMOUNT_EXAMPLES)
@given(written=st.lists(amounts, min_size=60, max_size=120))
def test_amounts(warehouse: Warehouse, folder: Path, kind: str, written: list[str]) -> None:
    check(warehouse, folder, kind, written)


@few
@example(written=TIME_EXAMPLES)
@given(written=st.lists(times, min_size=60, max_size=120))
def test_timestamps(warehouse: Warehouse, folder: Path, written: list[str]) -> None:
    check(warehouse, folder, "time", written)


@pytest.mark.exhaustive
@pytest.mark.parametrize("kind", AMOUNT_KINDS)
@many
@given(written=st.lists(amounts, min_size=60, max_size=120))
def test_many_amounts(warehouse: Warehouse, folder: Path, kind: str, written: list[str]) -> None:
    check(warehouse, folder, kind, written)


@pytest.mark.exhaustive
@many
@given(written=st.lists(times, min_size=60, max_size=120))
def test_many_timestamps(warehouse: Warehouse, folder: Path, written: list[str]) -> None:
    check(warehouse, folder, "time", written)
