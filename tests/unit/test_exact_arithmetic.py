"""The macros that calculate with amounts, against Python's decimal; and what Python adds up."""

from __future__ import annotations

import random
from decimal import Decimal, localcontext
from pathlib import Path

import duckdb
import jinja2
import pytest

from pool_recon.audit.diff import _change, _entry

MACROS = Path(__file__).resolve().parents[2] / "macros"
MONEY = "decimal(38, 18)"


def rendered(call: str, *files: str, engine: str = "duckdb") -> str:
    """The SQL that a macro call gives on an engine; `default` is one without macros of its own."""
    source = "".join((MACROS / file).read_text(encoding="utf-8") for file in files)
    for name in (
        *("product_misses", "amount_text", "part_of", "whole_part"),
        *("matches_whole", "matches_within", "matches_replaced", "white_space"),
    ):
        start = source.find("{{ return(adapter.dispatch('" + name)
        if start >= 0:
            end = source.index("}}", start) + 2
            arguments = source[start:end].split("'pool_recon')", 1)[1].rsplit(")", 1)[0]
            prefix = engine if f"macro {engine}__{name}(" in source else "default"
            call_of_it = f"{{{{ {prefix}__{name}{arguments} }}}}"
            source = f"{source[:start]}{call_of_it}{source[end:]}"
    source = source.replace("pool_recon.money_type()", f"'{MONEY}'").replace("pool_recon.", "")
    source = source.replace("dbt.type_string()", "'varchar'")
    environment = jinja2.Environment(extensions=["jinja2.ext.do"])
    return environment.from_string(source + "{{ " + call + " }}").render()


def table(rows: list[tuple[Decimal, ...]], columns: str) -> str:
    # As one text, for which DuckDB has no thousands of expressions to understand.
    lines = ";".join(",".join(f"{number:f}" for number in row) for row in rows)
    values = (
        f"split_part(line, ',', {place})::{MONEY} as {name}"
        for place, name in enumerate(columns.split(", "), start=1)
    )
    return (
        f"(select {', '.join(values)} from (select unnest(string_split('{lines}', ';')) as line))"
    )


def a_number(chance: random.Random, integer_digits: int, decimals: int) -> Decimal:
    whole = chance.randrange(10 ** chance.randint(1, integer_digits))
    places = chance.randint(0, decimals)
    return Decimal(whole) + Decimal(chance.randrange(10**places)).scaleb(-places)


def test_quote_terms_are_multiplied_exactly() -> None:
    chance = random.Random(5)
    rows = [(Decimal("99999999999999999999.99"),) * 3 + (Decimal(1),)]
    with localcontext() as context:
        context.prec = 120
        while len(rows) < 2000:
            source = a_number(chance, chance.choice([2, 8, 12, 20]), chance.choice([2, 8, 18]))
            rate = a_number(chance, chance.choice([1, 2, 6]), chance.choice([4, 10, 18]))
            tolerance = Decimal(chance.choice(["0.01", "0.000001", "1E-18", "1"]))
            product = source * rate
            nearest = product.quantize(Decimal("1E-18"))
            target = nearest + chance.choice([-1, 0, 1]) * tolerance
            target += chance.choice([-1, 0, 1]) * Decimal("1E-18")
            if source > 0 and 0 < target < Decimal(10) ** 20 - 5:
                rows.append((source, rate, target, tolerance))
            # a rate below zero misses all but the smallest targets
            small = tolerance - nearest + chance.choice([-1, 0, 1]) * Decimal("1E-18")
            if source > 0 and small > 0:
                rows.append((source, -rate, small, tolerance))
        assert any(rate < 0 and source * rate - target >= -u for source, rate, target, u in rows)
        cent = Decimal("0.01")
        rows += [(Decimal(1), Decimal(0), t, cent) for t in (cent, cent + Decimal("1E-18"))]
        most = Decimal(10) ** 20 - 1
        rows += [
            (most, rate, t, Decimal(1)) for rate in (Decimal(2), Decimal(-1)) for t in (cent, most)
        ]
        expected = [abs(s * r - t) > u for s, r, t, u in rows]
    assert {True, False} <= set(expected)
    for engine in ("duckdb", "default"):
        sql = rendered(
            "product_misses('s', 'r', 't', 'u')", "engine/product_misses.sql", engine=engine
        )
        found = duckdb.connect().sql(f"select {sql} from {table(rows, 's, r, t, u')}").fetchall()
        assert [row[0] for row in found] == expected
        unknown = f"(select s, if(s < 0, r, null) as r, t, u from {table(rows[:1], 's, r, t, u')})"
        assert duckdb.connect().sql(f"select {sql} from {unknown}").fetchall() == [(False,)]


@pytest.mark.parametrize("engine", ["duckdb", "default"])
def test_control_totals_are_exact_beyond_the_money_type(engine: str) -> None:
    chance = random.Random(2)
    files = (
        "publishing/sum_text.sql",
        *("engine/amount_text.sql", "engine/part_of.sql", "engine/whole_part.sql"),
    )
    sql = rendered("sum_text('x')", *files, engine=engine)
    with localcontext() as context:
        context.prec = 80
        rows = [
            (
                Decimal(total),
                chance.choice([1, -1])
                * Decimal(chance.randrange(10 ** chance.choice([1, 5, 38]))).scaleb(-18),
            )
            for total in range(100)
            for _ in range(chance.randint(1, 6))
        ]
        expected = {total: sum(x for of, x in rows if of == total) for total, _ in rows}
        found = duckdb.connect().sql(
            f"select total, {sql} from {table(rows, 'total, x')} group by total"
        )
        assert {total: Decimal(text) for total, text in found.fetchall()} == expected


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (
            "99999999999999999999",
            "0.000000000000000001",
            "-99999999999999999998.999999999999999999",
        ),
        ("-99999999999999999999", "99999999999999999999.5", "199999999999999999998.5"),
        ("100.00", "100.0", "0.00"),
        ("1", "none", None),
    ],
)
def test_two_amounts_of_packages_differ_exactly(a: str, b: str, expected: str | None) -> None:
    row = (
        duckdb.connect()
        .execute(
            f"select {_entry('x', 'amount')} from (select ? as x) as a, (select ? as x) as b",
            [a, b],
        )
        .fetchone()
    )
    assert row
    assert _change(row[0]).get("difference") == expected
