"""Runs the suite on a warehouse and, where there is one, on the files of its close package."""

from __future__ import annotations

import contextlib
import csv
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pool_recon.errors import CloseError
from pool_recon.expectations.results import Expectation, Kind, Outcome, Result, SecondReading
from pool_recon.expectations.suite import (
    HEADERS,
    PublishedFile,
    expectations,
    judging_query,
    published_files,
    rule_names,
    shared_queries,
)
from pool_recon.long_records import options_for_records
from pool_recon.package_manifest import MANIFEST_FILE, stated_close_date
from pool_recon.warehouse import connect, files_landed_since, refuse_half_built

if TYPE_CHECKING:
    import duckdb

EXAMPLES = 20
_VERDICTS = {True: "holds", False: "fails"}


def validate(
    warehouse: Path, package: Path | None, dbt_verdicts: Mapping[str, str] | None = None
) -> SecondReading:
    """Judge a built warehouse by the suite, and the CSV files of `package` with it.

    `dbt_verdicts` says of each rule what dbt found: `holds`, `fails` or `not checked`; without it
    that is read from the published checklist. Nothing is written. Raises CloseError where the
    warehouse cannot be opened, holds no close, half a build or files that came later, or is of
    another close than the package, and without `dbt_verdicts` where that is no package: in a close
    it has no manifest yet.
    """
    if package is not None and dbt_verdicts is None:
        _refuse_no_package(package)
    suite = expectations(with_files=package is not None)
    with contextlib.closing(connect(warehouse, read_only=True)) as connection:
        close_date = _close_date(connection, warehouse)
        refuse_half_built(connection, warehouse)
        _refuse_later_files(connection, warehouse, close_date)
        if package is not None:
            _refuse_another_close(package, warehouse, close_date)
        _make_shared(connection)
        unread = {} if package is None else _read_files(connection, package)
        problems = {
            name: reason and _explained(name, reason, suite, unread)
            for name, reason in _evaluate(connection, suite).items()
        }
        results = [_result(connection, expectation, problems) for expectation in suite]
        said = dict(dbt_verdicts) if dbt_verdicts is not None else _checklist(connection)
    return SecondReading(close_date, [*_missing_rules(suite), *results], said)


def _evaluate(
    connection: duckdb.DuckDBPyConnection, suite: tuple[Expectation, ...]
) -> dict[str, str | None]:
    """By name of a statement that does not hold: None, or why it could not be checked."""
    try:
        from pool_recon.expectations.runner import evaluate

        return evaluate(connection, suite)
    except Exception as error:
        # Whatever stops Great Expectations as a whole, the close must say so and stay blocked.
        reason = f"Great Expectations stopped: {_first_line(error)}"
        return {expectation.name: reason for expectation in suite}


def _explained(
    name: str, reason: str, suite: tuple[Expectation, ...], unread: Mapping[str, str]
) -> str:
    """Why a statement could not be checked: what it reads of the package may not be there."""
    words = {
        word
        for expectation in suite
        if expectation.name == name
        for word in re.findall(r"\w+", expectation.query)
    }
    return next((why for relation, why in unread.items() if relation in words), reason)


def _result(
    connection: duckdb.DuckDBPyConnection, expectation: Expectation, problems: dict[str, str | None]
) -> Result:
    if expectation.name not in problems:
        return Result(expectation, Outcome.PASSED)
    reason = problems[expectation.name]
    if reason is not None:
        return Result(expectation, Outcome.NOT_CHECKED, None, reason=reason)
    import duckdb

    # Great Expectations counts no further than the rows that it fetches.
    try:
        found = connection.execute(
            "select cast(columns(*) as varchar) from ("
            f"select count(*) over () as unexpected_rows, * from ({expectation.query}\n) as rows"
            f" order by all limit {EXAMPLES}) as examples order by all"
        )
        columns = [column[0] for column in found.description or ()]
        examples = [dict(zip(columns, row, strict=True)) for row in found.fetchall()]
    except duckdb.Error as error:
        return Result(expectation, Outcome.NOT_CHECKED, None, reason=_first_line(error))
    counts = {int(example.pop("unexpected_rows")) for example in examples}
    if not counts:
        reason = "its rows changed while it was checked"
        return Result(expectation, Outcome.NOT_CHECKED, None, reason=reason)
    return Result(expectation, Outcome.FAILED, counts.pop(), examples)


def _missing_rules(suite: tuple[Expectation, ...]) -> Iterator[Result]:
    """A result for every rule of the registry that the suite does not state."""
    stated = {e.subject for e in suite if e.kind is Kind.RULE}
    for rule in rule_names():
        if rule not in stated:
            missing = Expectation(rule, Kind.RULE, rule, "The suite states every rule.", "")
            reason = "the suite has no statement of this rule"
            yield Result(missing, Outcome.NOT_CHECKED, None, reason=reason)


def _close_date(connection: duckdb.DuckDBPyConnection, warehouse: Path) -> str:
    import duckdb

    try:
        rows = connection.execute(
            "select strftime(close_date, '%Y-%m-%d') from intermediate.int_close"
        ).fetchall()
    except duckdb.Error:
        rows = []
    if len(rows) != 1:
        raise CloseError(f"the warehouse {warehouse} holds no close: run pool-recon close first")
    return str(rows[0][0])


def _refuse_no_package(package: Path) -> None:
    if not (package / MANIFEST_FILE).exists():
        raise CloseError(
            f"{package} is no close package: it has no {MANIFEST_FILE}; name a folder such as "
            "out/2026-06-30"
        )


def _refuse_later_files(
    connection: duckdb.DuckDBPyConnection, warehouse: Path, close_date: str
) -> None:
    if landed := files_landed_since(connection):
        raise CloseError(
            f"{landed} {warehouse} was built for {close_date}: close again, or run 'dbt build', "
            "and validate what comes of it"
        )


def _refuse_another_close(package: Path, warehouse: Path, close_date: str) -> None:
    stated = stated_close_date(package)
    if stated is not None and stated.isoformat() != close_date:
        raise CloseError(
            f"the package {package} is the close of {stated}, and {warehouse} was last built for "
            f"{close_date}: name the package of {close_date}, or close {stated} again first"
        )


def _checklist(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    import duckdb

    try:
        rows = connection.execute("select rule_name, holds from marts.close_checklist").fetchall()
    except duckdb.Error:
        return {}
    return {rule: _VERDICTS.get(holds, "not checked") for rule, holds in rows}


def _make_shared(connection: duckdb.DuckDBPyConnection) -> None:
    import duckdb

    for name, form, query in shared_queries():
        # What reads something that cannot be made cannot be checked, and says so.
        with contextlib.suppress(duckdb.Error):
            connection.execute(f"create temp {form} {name} as {query}")


def _read_files(connection: duckdb.DuckDBPyConnection, package: Path) -> dict[str, str]:
    """Read the files; say of each relation that is not there for it why it is not."""
    unread: dict[str, str] = {}
    connection.execute(
        f"create temp table {HEADERS}(file_name varchar, column_position int, column_name varchar)"
    )
    for file in published_files():
        path = package / f"{file.name}.csv"
        header = _header(path)
        if header:
            connection.executemany(
                f"insert into {HEADERS} values (?, ?, ?)",
                [[file.name, position, name] for position, name in enumerate(header, start=1)],
            )
            unread |= _read_file(connection, path, file, header)
        else:
            why = "has no header that can be read" if path.exists() else "is missing"
            unread |= _not_read(file, why)
    return unread


def _not_read(file: PublishedFile, why: str) -> dict[str, str]:
    return dict.fromkeys((file.relation, file.judged_relation), f"{file.name}.csv {why}")


def _header(path: Path) -> list[str]:
    """The column names of a CSV file; none where it cannot be read."""
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            return next(csv.reader(stream, strict=True), [])
    except (OSError, UnicodeDecodeError, csv.Error):
        return []


def _read_file(
    connection: duckdb.DuckDBPyConnection, path: Path, file: PublishedFile, header: list[str]
) -> dict[str, str]:
    import duckdb

    if len(set(header)) < len(header):
        return _not_read(file, "names a column twice")
    declared = ", ".join(f"{_text(name)}: 'VARCHAR'" for name in header)
    selected = ", ".join(
        f"nullif({column.name}, '') as {column.name}"
        if column.name in header
        else f"cast(null as varchar) as {column.name}"
        for column in file.columns
    )
    try:
        options = options_for_records(path)
    except OSError as error:
        return _not_read(file, f"cannot be read: {error.strerror or error}")
    source = (
        f"(select {selected} from read_csv({_text(str(path))}, columns = {{{declared}}},"
        " auto_detect = false, header = true, delim = ',', quote = '\"', escape = '\"',"
        f" null_padding = false, ignore_errors = false{options}))"
    )
    kept = ", ".join(file.kept_columns)
    published = (
        f"create temp table {file.relation} as select {kept} from {source}"
        if kept
        else f"create temp view {file.relation} as select * from {source}"
    )
    judged = f"create temp table {file.judged_relation} as {judging_query(file, source)}"
    unread = {}
    for relation, statement in ((file.relation, published), (file.judged_relation, judged)):
        try:
            connection.execute(statement)
        except duckdb.CatalogException as error:
            # It is the mart that is not there.
            unread[relation] = _first_line(error)
        except duckdb.Error as error:
            # A file that does not read as a CSV file of its columns cannot be checked further.
            unread |= _not_read(file, f"cannot be read: {_first_line(error)}")
    return unread


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _first_line(error: object) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), "no message")
