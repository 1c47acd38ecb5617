"""What the files of a package say of one another: rows, control totals, and that they agree.

Everything is read from the CSV files as text and added up exactly, apart from the statements that
made the files. The Parquet files are held against the CSV files value for value.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pool_recon.audit.evidence import (
    Manifest,
    Package,
    Problem,
    csv_source,
    header_of,
    name_of,
    quoted,
)
from pool_recon.errors import CloseError
from pool_recon.exact import EXACT

if TYPE_CHECKING:
    import duckdb

_EXAMPLES: Final = 5
# The rule whose findings have no code of their own.
_OWNED_AND_REVIEWED: Final = "exceptions_owned_and_reviewed"
_STEPS: Final = ("funding", "debits", "refunds", "returns", "fees", "adjustments")
_PARQUET: Final = "parquet"

# Whole parts and fractions are summed apart, because a sum of amounts can outgrow the type.
_SUM: Final = (
    "sum(cast(trunc({0}) as decimal(38, 0)))::varchar, sum({0} - trunc({0}))::decimal(38, 18)"
    "::varchar"
)
_AMOUNT: Final = "cast({} as decimal(38, 18))"
# What a movement repeats of its trade, of the quote that this trade was the first to use, and of
# its order: columns of their files, and how reconciliation.csv names them where it does otherwise.
_OF_TRADES: Final = (
    *("quote_id", "effective_status", "environment", "partner_id"),
    *("partner_order_id", "pool_id", "side", "fiat_amount", "crypto_amount", "request_id"),
    *("reserved_at", "terminal_at", "current_status trade_status"),
)
_OF_QUOTES: Final = (
    *("pool_id", "side", "source_asset", "target_asset", "quote_status"),
    *("expires_at", "accepted_at"),
)
_OF_ORDERS: Final = ("product_state", "created_at")


def _repeated(kind: str, key: str, columns: Sequence[str], movements: str) -> str:
    """A query of where `movements` repeat other values than the file of their `kind` has."""
    pairs = [(names[0], names[-1]) for names in map(str.split, columns)]
    differing = [
        f"case when records.{theirs} is distinct from movements.{ours} then '{theirs}' end"
        for theirs, ours in pairs
    ]
    return f"""
        select
            'the {kind} ' || {key} || ' is repeated with another ' || differing
            || ' by the movement ' || movement_id as problem
        from (
            select
                records.{key},
                movements.movement_id,
                concat_ws(', ', {", ".join(differing)}) as differing
            from {kind}s as records
            inner join ({movements}) as movements on records.{key} = movements.{key}
        )
        where differing <> ''
        """


def _counted(file: str, column: str, records: str) -> str:
    """A query of trades of which `file` has another number of records than is stated of them."""
    return f"""
        select
            'the trade ' || transact_id || ' has ' || {column} || ' {records}, and {file}.csv has '
            || coalesce(found, 0) as problem
        from (select * from reconciliation where trade_status is not null)
        left join (
            select transact_id, count(*) as found from {file} group by all
        ) using (transact_id)
        where {column} is distinct from coalesce(found, 0)::varchar
        """


def open_files(
    connection: duckdb.DuckDBPyConnection, package: Package, manifest: Manifest
) -> list[Problem]:
    """Make a view of each CSV and Parquet file; tell which cannot be read or has other rows."""
    import duckdb

    connection.execute(f"create schema {_PARQUET}")
    problems = []
    for name, stated in manifest.outputs.items():
        file = package.folder / name
        try:
            rows = _rows_of(connection, file, name)
        except (duckdb.Error, CloseError, ValueError, KeyError, TypeError) as error:
            reason = str(error).splitlines()[0]
            problems.append(Problem(name, f"cannot be read: {reason}"))
            continue
        if rows is not None and rows != stated["rows"]:
            problems.append(
                Problem(name, f"has {rows:,} rows, and manifest.json says {stated['rows']:,}")
            )
    return problems


def _rows_of(connection: duckdb.DuckDBPyConnection, file: Path, name: str) -> int | None:
    """The rows of a file, None where only its bytes are proven; what can be queried has a view."""
    if file.suffix == ".csv":
        source = csv_source(file, header_of(file))
        view = name_of(file.stem) if "/" not in name else name_of(name)
    elif file.suffix == ".parquet":
        source, view = f"read_parquet({quoted(str(file))})", f"{_PARQUET}.{name_of(file.stem)}"
    elif file.suffix == ".json":
        return len(json.loads(file.read_bytes())["expectations"])
    else:
        return None
    connection.execute(f"create view {view} as select * from {source}")
    return _count(connection, f"select count(*) from {view}")


def _count(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0


def control_totals(connection: duckdb.DuckDBPyConnection) -> dict[str, Decimal]:
    """The control totals, added up anew from the CSV files.

    Raises duckdb.Error where a file lacks a column or an amount is none.
    """
    totals: dict[str, Decimal] = {}
    for name, query in (
        ("movements", "select count(*) from reconciliation"),
        ("ledger_entries", "select count(*) from ledger"),
    ):
        totals[name] = Decimal(_count(connection, query))
    for prefix, query in (
        (
            "movements",
            "select reconciliation_state, count(*) from reconciliation group by all",
        ),
        ("findings", "select severity, count(*) from exceptions group by all"),
    ):
        for name, count in connection.execute(query).fetchall():
            totals[f"{prefix}.{name}"] = Decimal(count)
    for prefix, asset, amount, source in (
        ("source_amount", "source_asset", "source_amount", "reconciliation"),
        # Which entries touch the balance is told by the entries that made the balances.
        (
            "balance_delta",
            "asset",
            "delta",
            f"ledger semi join {_PARQUET}.fct_balance_entries using (ledger_entry_id)",
        ),
    ):
        rows = connection.execute(
            f"select coalesce({asset}, ''), {_SUM.format(_AMOUNT.format(amount))}"
            f" from {source} where {amount} is not null group by all"
        ).fetchall()
        for name, whole, fraction in rows:
            totals[f"{prefix}.{name}"] = EXACT.add(Decimal(whole), Decimal(fraction))
    return totals


def compare_totals(stated: Mapping[str, Any], found: Mapping[str, Decimal]) -> list[Problem]:
    """The control totals of the manifest that the files do not add up to, exactly."""
    problems = []
    for name in sorted({*stated, *found}):
        if name not in stated:
            problems.append(
                Problem(
                    f"control total {name}", f"is not stated, and the files give {found[name]:f}"
                )
            )
        elif name not in found:
            problems.append(
                Problem(f"control total {name}", f"is stated as {stated[name]}, and no file has it")
            )
        elif _decimal(stated[name]) != found[name]:
            problems.append(
                Problem(
                    f"control total {name}",
                    f"is stated as {stated[name]}, and the files give {found[name]:f}",
                )
            )
    return problems


def _decimal(text: Any) -> Decimal | None:
    try:
        return Decimal(text) if isinstance(text, str) else None
    except InvalidOperation:
        return None


def disagreements(connection: duckdb.DuckDBPyConnection, manifest: Manifest) -> list[Problem]:
    """Where the files of the package contradict one another or the manifest.

    Raises duckdb.Error where a file lacks a column.
    """
    problems = _verdict(connection, manifest)
    for file, query in _STATEMENTS:
        problems += _examples(
            connection, file, query.format(close_date=manifest.close["close_date"])
        )
    problems += repetitions(connection)
    problems += _landed(connection, manifest)
    problems += _register(connection, manifest)
    problems += _parquet(connection)
    return problems


def repetitions(connection: duckdb.DuckDBPyConnection) -> list[Problem]:
    """Where reconciliation.csv repeats a trade, quote, order, event or entry otherwise.

    Raises duckdb.Error where a file lacks a column.
    """
    return [
        problem for file, query in _REPETITIONS for problem in _examples(connection, file, query)
    ]


def _examples(connection: duckdb.DuckDBPyConnection, subject: str, query: str) -> list[Problem]:
    rows = connection.execute(
        f"select count(*) over (), problem from ({query}) order by problem limit {_EXAMPLES}"
    ).fetchall()
    problems = [Problem(subject, text) for _, text in rows]
    if rows and rows[0][0] > len(rows):
        problems.append(Problem(subject, f"and {rows[0][0] - len(rows):,} more like these"))
    return problems


def _verdict(connection: duckdb.DuckDBPyConnection, manifest: Manifest) -> list[Problem]:
    verdict = manifest.content["verdict"]
    checklist = dict(connection.execute("select rule, holds = 'true' from checklist").fetchall())
    differing = set(verdict.get("disagreements", ()))
    problems = [
        Problem(
            "checklist.csv",
            f"{rule} {'holds' if checklist.get(rule) else 'does not hold'}, and manifest.json says "
            f"{verdict['rules'].get(rule, 'nothing')}",
        )
        for rule in sorted({*checklist, *verdict["rules"]} - differing)
        if (verdict["rules"].get(rule) == "holds") is not bool(checklist.get(rule))
        or rule not in checklist
    ]
    other = (
        "failed_checks",
        "disagreements",
        "failed_expectations",
        "unchecked_expectations",
        "differing_readings",
    )
    holds = (
        bool(verdict["rules"])
        and all(state == "holds" for state in verdict["rules"].values())
        and not any(verdict.get(name) for name in other)
    )
    if holds is not verdict["holds"]:
        problems.append(Problem("manifest.json", "its verdict is not that of its rules and checks"))
    return problems


# Statements about the files: the file that is named, and a query of what contradicts.
_STATEMENTS: Final = (
    (
        "checklist.csv",
        f"""
        with listed as (
            select
                kept.rule_name as rule,
                count(*) as findings,
                count(*) filter (where exceptions.approval = 'approved') as approved
            from exceptions
            inner join {_PARQUET}.fct_exceptions as kept using (exception_id)
            where kept.rule_name is not null
            group by all
            union all
            select
                '{_OWNED_AND_REVIEWED}',
                count(*),
                count(*) filter (where approval = 'approved')
            from exceptions
            where
                owner is null or next_review_date is null or next_review_date < '{{close_date}}'
        )
        select
            checklist.rule || ' counts ' || checklist.findings || ' findings, '
            || checklist.approved || ' approved, and holds is ' || checklist.holds
            || '; exceptions.csv lists ' || coalesce(listed.findings, 0) || ', '
            || coalesce(listed.approved, 0) || ' approved' as problem
        from checklist
        left join listed using (rule)
        where
            checklist.findings is distinct from coalesce(listed.findings, 0)::varchar
            or checklist.approved is distinct from coalesce(listed.approved, 0)::varchar
            or (
                checklist.holds is distinct from 'false'
                and coalesce(listed.findings, 0)
                > case when rule = '{_OWNED_AND_REVIEWED}' then 0
                else coalesce(listed.approved, 0) end
            )
        """,
    ),
    (
        "reconciliation.csv",
        """
        with carried as (
            select movement_id, unnest(string_split(finding_codes, ';')) as code
            from reconciliation
        )
        select
            'the movement ' || movement_id || ' carries ' || code
            || ', which exceptions.csv does not list' as problem
        from carried
        anti join exceptions using (code)
        """,
    ),
    (
        "reconciliation.csv",
        """
        select
            'the trade ' || coalesce(trades.transact_id, movements.transact_id)
            || case when movements.transact_id is null then ' of trades.csv is no movement'
            else ' is not in trades.csv' end as problem
        from trades
        full outer join (
            select transact_id from reconciliation where trade_status is not null
        ) as movements using (transact_id)
        where trades.transact_id is null or movements.transact_id is null
        """,
    ),
    (
        "conservation.csv",
        """
        select
            'of ' || export || ' ' || landed || ' rows landed, and ' || staged || ' + '
            || duplicates || ' + ' || superseded || ' + ' || quarantined || ' are accounted for'
            as problem
        from conservation
        where
            landed::bigint is distinct from
            staged::bigint + duplicates::bigint + superseded::bigint + quarantined::bigint
            and (select holds from checklist where rule = 'nothing_lost') is distinct from 'false'
        """,
    ),
    (
        "balances.csv",
        f"""
        select
            'the balance of ' || partner_id || ' in ' || asset || ' (' || environment
            || ') opens with ' || opening || ', and its movements do not give ' || closing
            as problem
        from balances
        where
            {" + ".join(_AMOUNT.format(column) for column in ("opening", *_STEPS))}
            is distinct from {_AMOUNT.format("closing")}
            and (select holds from checklist where rule = 'balances_roll_forward')
            is distinct from 'false'
        """,
    ),
    (
        "balances.csv",
        f"""
        with entries as (
            select environment, partner_id, asset, sum({_AMOUNT.format("delta")}) as moved
            from ledger
            semi join {_PARQUET}.fct_balance_entries using (ledger_entry_id)
            group by all
        )
        select
            'the balance of ' || coalesce(balances.partner_id, entries.partner_id) || ' in '
            || coalesce(balances.asset, entries.asset) || ' closes with '
            || coalesce(balances.closing, 'nothing') || ', and the entries of ledger.csv give '
            || coalesce(entries.moved, 0) as problem
        from balances
        full outer join entries
            on balances.environment is not distinct from entries.environment
            and balances.partner_id is not distinct from entries.partner_id
            and balances.asset is not distinct from entries.asset
        where {_AMOUNT.format("balances.closing")} is distinct from coalesce(entries.moved, 0)
        """,
    ),
)

# Of the same kind, about what reconciliation.csv repeats of the other files.
_REPETITIONS: Final = (
    (
        "trades.csv",
        _repeated(
            "trade",
            "transact_id",
            _OF_TRADES,
            "select * from reconciliation where trade_status is not null",
        ),
    ),
    (
        "quotes.csv",
        _repeated(
            "quote",
            "quote_id",
            _OF_QUOTES,
            """
            select * from reconciliation
            where trade_status is not null
            qualify 1 = row_number() over (
                partition by quote_id
                order by cast(reserved_at as timestamp) nulls last, transact_id
            )
            """,
        ),
    ),
    (
        "orders.csv",
        _repeated(
            "order",
            "partner_order_id",
            _OF_ORDERS,
            "select * from reconciliation where product_state is not null",
        ),
    ),
    (
        "ledger.csv",
        _counted("ledger", "ledger_entry_count", "entries"),
    ),
    (
        "events.csv",
        _counted("events", "event_count", "events"),
    ),
)


def _landed(connection: duckdb.DuckDBPyConnection, manifest: Manifest) -> list[Problem]:
    """Rows of the input files against the rows that conservation accounts for."""
    rows: dict[str, int] = {}
    for entry in manifest.content["inputs"]:
        rows[entry["export"]] = rows.get(entry["export"], 0) + entry["rows"]
    accounted = connection.execute("select export, landed from conservation").fetchall()
    return [
        Problem(
            "conservation.csv",
            f"of {export} {landed} rows landed, and the input files have {rows.get(export, 0)}",
        )
        for export, landed in accounted
        if str(rows.get(export, 0)) != landed
    ] + [
        Problem("conservation.csv", f"the export {export} of the input files is not in it")
        for export in sorted(set(rows) - {export for export, _ in accounted})
    ]


def _register(connection: duckdb.DuckDBPyConnection, manifest: Manifest) -> list[Problem]:
    stated = (manifest.content.get("register") or {"rows": 0})["rows"]
    found = _count(connection, "select count(*) from register")
    if found == stated:
        return []
    return [Problem("register.csv", f"has {found} rows, and the register had {stated}")]


def _parquet(connection: duckdb.DuckDBPyConnection) -> list[Problem]:
    """Each Parquet file against the CSV file of the same mart, by all columns of both."""
    from pool_recon.expectations.suite import published_files

    problems = []
    marts = _tables(connection, _PARQUET)
    for file in published_files():
        schema, _, mart = file.mart.partition(".")
        if schema != "marts" or file.mart_filter or mart not in marts:
            continue
        kinds = marts[mart]
        published = _tables(connection, "main").get(file.name, {})
        pairs = [
            (column.name, column.mart_column)
            for column in file.columns
            if column.name in published and column.mart_column in kinds
        ]
        texts = ", ".join(
            f"{_typed(name, kinds[mart_column])} as {name_of(mart_column)}"
            for name, mart_column in pairs
        )
        values = ", ".join(_plain(name, kinds[name]) for _, name in pairs)
        shown = " || ' ' || ".join(
            f"coalesce({name_of(dict(pairs)[key])}::varchar, '')" for key in file.keys
        )
        for one, other, what in (
            (
                f"select {texts} from {name_of(file.name)}",
                f"select {values} from {_PARQUET}.{mart}",
                f"lacks the row of {file.name}.csv with the key ",
            ),
            (
                f"select {values} from {_PARQUET}.{mart}",
                f"select {texts} from {name_of(file.name)}",
                f"has a row that {file.name}.csv lacks, with the key ",
            ),
        ):
            problems += _examples(
                connection,
                f"{_PARQUET}/{mart}.parquet",
                f"select {quoted(what)} || {shown} as problem from (({one}) except all ({other}))",
            )
    return problems


def _tables(connection: duckdb.DuckDBPyConnection, schema: str) -> dict[str, dict[str, str]]:
    tables: dict[str, dict[str, str]] = {}
    for table, column, kind in connection.execute(
        "select table_name, column_name, data_type from information_schema.columns"
        " where table_schema = ?",
        [schema],
    ).fetchall():
        tables.setdefault(table, {})[column] = kind
    return tables


def _typed(column: str, kind: str) -> str:
    """The published text of a value as the type that the Parquet file has it in."""
    if kind.startswith("TIMESTAMP"):
        return f"cast(rtrim({name_of(column)}, 'Z') as timestamp)"
    return f"cast({name_of(column)} as {kind})"


def _plain(column: str, kind: str) -> str:
    """A value of a Parquet file, its moment in UTC."""
    if kind.startswith("TIMESTAMP"):
        return f"{name_of(column)} at time zone 'UTC' as {name_of(column)}"
    return name_of(column)
