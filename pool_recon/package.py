"""Writes the close package: a CSV file for each published view, and the manifest over them all.

The views of schema `package` hold every value as the text that is published; this module decides
nothing about content. The same warehouse and close date give the same bytes. The marts that
dashboards read come as Parquet files too, and what was read of earlier closes is written down, so
that the close can be run again without the warehouse.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pool_recon import __version__
from pool_recon.errors import CloseError
from pool_recon.package_manifest import MANIFEST_FILE
from pool_recon.reference import project_dir
from pool_recon.segments import Assembly, Day, Earlier, Segments, SpoiltError, assemble, cut

if TYPE_CHECKING:
    import duckdb

    from pool_recon.register import Register

MANIFEST_VERSION = 2
MANIFEST_DIGEST = "manifest_sha256"
VIEW_SCHEMA = "package"
VIEW_PREFIX = "pkg_"
CONTROL_TOTALS_VIEW = "pkg_control_totals"
# Columns of a view that are not published begin with it: the moment on whose day a row is, what
# orders the rows of a day, and a checksum of what a row is made of.
_HIDDEN = "_"
_MOMENT = "_moment"
_SORT = "_sort"
_CHECKSUM = "_checksum"
_DAY = f'cast("{_MOMENT}" as date)'
_DAY_FIRST = f"{_DAY} nulls first"
MART_SCHEMA = "marts"
PARQUET_FOLDER = "parquet"
# Which marts come as Parquet files is said by their own configuration.
PARQUET_TAG = "dashboard"
HISTORY_FOLDER = "history"
HISTORY_CLOSES = "closes.csv"
HISTORY_FINDINGS = "findings.csv"
HISTORY_BALANCES = "balances.csv"

# Files that are written at the same time, at most.
_MOST_WRITERS = 4
# How often a date was closed, and in which order files landed, is of the warehouse: closing again,
# and the same files in other loads, are to change no byte.
_OF_THE_WAREHOUSE = frozenset({"run_number", "row_order"})
# What the bytes of a package depend on beside the exports: the project, file by file where a row
# says something about the world, else folder by folder.
_PROJECT_FOLDERS = ("models", "macros", "tests/rules", "tests/invariants")
_CODE_SUFFIXES = frozenset({".py", ".sql", ".csv", ".css", ".j2"})


@dataclass(frozen=True)
class Verdict:
    """Whether each rule of the close holds: rule name to `holds`, `fails` or `not checked`.

    `failed_checks` names the other checks of the warehouse that failed, `disagreements` the rules
    of which the test and the checklist say different things. The second reading, by Great
    Expectations, adds the expectations that failed or could not be checked, and the rules that it
    judges otherwise than dbt.
    """

    rules: Mapping[str, str]
    failed_checks: tuple[str, ...] = ()
    disagreements: tuple[str, ...] = ()
    failed_expectations: tuple[str, ...] = ()
    unchecked_expectations: tuple[str, ...] = ()
    differing_readings: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """True where the close may be signed off."""
        return (
            bool(self.rules)
            and all(state == "holds" for state in self.rules.values())
            and not self.failed_checks
            and not self.disagreements
            and not self.failed_expectations
            and not self.unchecked_expectations
            and not self.differing_readings
        )


def write_tables(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    views: Iterable[str],
    project: Mapping[str, str],
    segments: Segments | None = None,
) -> list[dict[str, Any]]:
    """Write a CSV file for each of `views` into `folder` and return their manifest entries.

    Columns whose names begin with an underscore are not published. The day of `_moment` and those
    that begin with `_sort` order the rows, in the order of the columns; rows without a day come
    first. Where a view has days, those that did not change are taken from the package that
    `segments` knows, which gives the same bytes, if the same `project` made it, by its
    `project_digests`. Raises OSError and duckdb.Error where the warehouse cannot be read or the
    disk is full.
    """
    made_by = json.dumps(dict(project))
    return _side_by_side(
        connection,
        [
            partial(_write_csv, view=view, folder=folder, segments=segments, project=made_by)
            for view in sorted(views)
        ],
    )


def write_parquet(
    connection: duckdb.DuckDBPyConnection, folder: Path, marts: Iterable[str]
) -> list[dict[str, Any]]:
    """Write a Parquet file for each of `marts` into the Parquet folder of the package `folder`.

    Types are those of the mart, so that decimals stay exact; a timestamp says that it is in UTC.
    Returns the manifest entries. Raises OSError and duckdb.Error as `write_tables` does.
    """
    wanted = sorted(marts)
    if wanted:
        (folder / PARQUET_FOLDER).mkdir(exist_ok=True)
    return _side_by_side(
        connection, [partial(_write_parquet, mart=mart, folder=folder) for mart in wanted]
    )


def write_history(connection: duckdb.DuckDBPyConnection, folder: Path) -> list[dict[str, Any]]:
    """Write what this close read of earlier closes into the history folder of the package.

    One file has the figures of each earlier close that counts, another what it found: a row for
    each finding and unbroken run of closes that showed it with the same values. The third has the
    closing balances of the last of these closes, one row without a balance where it had none, and
    no row where they were not kept. Returns the manifest entries. Raises OSError and duckdb.Error
    as `write_tables` does.
    """
    (folder / HISTORY_FOLDER).mkdir(exist_ok=True)
    figures = [
        name
        for name, _ in _typed_columns(connection, "history", "close_results")
        if name not in {"close_date", *_OF_THE_WAREHOUSE}
    ]
    shown = _listed(
        *(
            f'"{name}"'
            for name, _ in _typed_columns(connection, "history", "verdicts_in_force")
            if name not in {"close_date", "close_number", "streak"}
        )
    )
    closes = f"""
        select {_listed("closes.close_date", *(f'trend."{name}"' for name in figures))}
        from history.closes_in_force as closes
        left join {MART_SCHEMA}.fct_close_trend as trend on closes.close_date = trend.close_date
        cross join intermediate.int_close as this_close
        where closes.close_date < this_close.close_date
        order by closes.close_date"""
    findings = f"""
        with earlier as (
            select verdicts.*
            from history.verdicts_in_force as verdicts
            cross join intermediate.int_close as this_close
            where verdicts.close_date < this_close.close_date
        ),
        numbered as (
            select
                *,
                close_number - row_number() over (
                    partition by {shown} order by close_number
                ) as unbroken
            from earlier
        )
        select
            {shown},
            min(close_date) as first_close_date,
            max(close_date) as last_close_date
        from numbered
        group by {shown}, unbroken
        order by all"""
    # The decimals of a balance, two at least: how many its asset has may change.
    balances = """
        with last as (
            select closes.close_date, closes.run_number
            from history.closes_in_force as closes
            cross join intermediate.int_close as this_close
            where closes.close_date < this_close.close_date
            order by closes.close_date desc
            limit 1
        )
        select
            balances.close_date,
            strftime(balances.cut_off_at, '%Y-%m-%dT%H:%M:%SZ') as cut_off_at,
            balances.environment,
            balances.partner_id,
            balances.asset,
            regexp_replace(
                cast(balances.closing as varchar), '(\\.[0-9]{2}[0-9]*?)0*$', '\\1'
            ) as closing
        from history.close_balances as balances
        inner join last
            on
                balances.close_date = last.close_date
                and balances.run_number = last.run_number
        order by all"""
    written = []
    for name, query in (
        (HISTORY_CLOSES, closes),
        (HISTORY_FINDINGS, findings),
        (HISTORY_BALANCES, balances),
    ):
        file = folder / HISTORY_FOLDER / name
        written.append(output_entry(file, _copy_csv(connection, query, file), folder))
    return written


def output_entry(
    file: Path, rows: int, package: Path | None = None, sha256: str | None = None
) -> dict[str, Any]:
    """What the manifest says of a file of the package that has `rows` rows.

    `package` is the folder of the package where the file lies deeper than that, `sha256` the
    digest of its bytes where it is known.
    """
    return {
        "file": file.relative_to(package or file.parent).as_posix(),
        "rows": rows,
        "sha256": sha256 or file_sha256(file),
        "size_bytes": file.stat().st_size,
    }


def write_manifest(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    outputs: list[dict[str, Any]],
    verdict: Verdict,
    project: Mapping[str, str],
    register: Register | None = None,
    settings: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Write manifest.json over `outputs`, the other files of `folder`, and return it.

    `project` are the `project_digests` of what made the warehouse, `settings` further settings on
    which bytes of the package depend. The manifest states its own SHA-256, so that it vouches for
    itself too: see `manifest_digest`. Raises CloseError where the warehouse contradicts itself,
    OSError and duckdb.Error where it cannot be read or the disk is full.
    """
    manifest = {
        "manifest_version": MANIFEST_VERSION,
        "close": close_parameters(connection),
        "settings": {**_settings(connection), **(settings or {})},
        "verdict": {
            "holds": verdict.holds,
            "rules": dict(verdict.rules),
            "failed_checks": list(verdict.failed_checks),
            "disagreements": list(verdict.disagreements),
            "failed_expectations": list(verdict.failed_expectations),
            "unchecked_expectations": list(verdict.unchecked_expectations),
            "differing_readings": list(verdict.differing_readings),
        },
        "versions": versions(),
        "project": dict(project),
        "inputs": _input_files(connection),
        "register": _register_file(register),
        "outputs": sorted(outputs, key=lambda output: str(output["file"])),
        "control_totals": _control_totals(connection),
    }
    manifest[MANIFEST_DIGEST] = manifest_digest(manifest)
    (folder / MANIFEST_FILE).write_bytes(manifest_bytes(manifest))
    return manifest


def manifest_bytes(manifest: Mapping[str, Any]) -> bytes:
    """The one notation of a manifest: sorted keys, two blanks of indent, UTF-8, a line feed.

    Raises UnicodeEncodeError for text that UTF-8 cannot hold.
    """
    text = json.dumps(manifest, indent=2, sort_keys=True, ensure_ascii=False)
    return f"{text}\n".encode()


def manifest_digest(manifest: Mapping[str, Any]) -> str:
    """The SHA-256 of the manifest's notation without its own digest, in hexadecimal digits."""
    rest = {name: value for name, value in manifest.items() if name != MANIFEST_DIGEST}
    return hashlib.sha256(manifest_bytes(rest)).hexdigest()


def _side_by_side(
    connection: duckdb.DuckDBPyConnection, writers: Sequence[Callable[..., dict[str, Any]]]
) -> list[dict[str, Any]]:
    """Run `writers` on a few connections to the same database and return what they return.

    Each has a thread to itself: putting rows in order and into words keeps one core busy, and
    further threads only cost time and memory.
    """

    def write(writer: Callable[..., dict[str, Any]]) -> dict[str, Any]:
        with contextlib.closing(connection.cursor()) as own:
            own.execute("set TimeZone = 'UTC'")
            return writer(own)

    hands = min(os.cpu_count() or 1, _MOST_WRITERS)
    connection.execute("set threads = 1")
    try:
        with ThreadPoolExecutor(max_workers=hands) as workers:
            return list(workers.map(write, writers))
    finally:
        connection.execute("reset threads")


def _write_csv(
    connection: duckdb.DuckDBPyConnection,
    view: str,
    folder: Path,
    segments: Segments | None,
    project: str,
) -> dict[str, Any]:
    columns, order = view_columns(connection, view)
    file = folder / f"{view.removeprefix(VIEW_PREFIX)}.csv"
    query = f"select {_listed(*map(_text, columns))} from {VIEW_SCHEMA}.{view}"
    ordered = f" order by {_listed(*order)}" if order else ""
    if segments is None or _DAY_FIRST not in order:
        rows = _copy_csv(connection, query + ordered, file)
        return output_entry(file, rows, folder)
    days = _days(connection, view)
    fingerprint = _fingerprint(connection, view, project)
    earlier = segments.known(file.name, fingerprint, days)
    assembly = None
    if earlier:
        with contextlib.suppress(SpoiltError):
            assembly = _assemble(connection, query, ordered, file, days, earlier)
    if assembly is None:
        _copy_csv(connection, query + ordered, file)
        assembly = cut(file, days)
    segments.note(file.name, fingerprint, assembly.segments)
    rows = sum(day.rows for day in days)
    return output_entry(file, rows, folder, sha256=assembly.hash.hexdigest())


def _days(connection: duckdb.DuckDBPyConnection, view: str) -> list[Day]:
    """The days of a view in their order, with what their rows sum up to.

    Where the view has no checksum of a row, as in a copy of what another engine built, its texts
    make one: in a statement of its own, for DuckDB would read them even where it needs none.
    """
    names = [f'"{name}"' for name, _ in _typed_columns(connection, VIEW_SCHEMA, view)]
    days = None
    if f'"{_CHECKSUM}"' in names:
        days = _summed_days(connection, view, f'"{_CHECKSUM}"')
    if days is None:
        days = _summed_days(connection, view, f"hash({_listed(*names)}) >> 1")
    return days or []


def _summed_days(
    connection: duckdb.DuckDBPyConnection, view: str, checksum: str
) -> list[Day] | None:
    """The days of a view with the sums of a whole number of each row; None where a row has none.

    Two sums of different hashes do not depend on the order of the rows, and changes that level each
    other out in one do not in the other.
    """
    days = connection.execute(
        f"""
        with summed as (select {_DAY} as day, {checksum} as one from {VIEW_SCHEMA}.{view})
        select
            coalesce(strftime(day, '%Y-%m-%d'), ''),
            count(*),
            sum(one) || ' ' || sum(hash(one, 'again')),
            count(*) - count(one)
        from summed group by day order by day nulls first"""
    ).fetchall()
    if any(unsummed for *_, unsummed in days):
        return None
    return [Day(*day) for *day, _ in days]


def _fingerprint(connection: duckdb.DuckDBPyConnection, view: str, project: str) -> str:
    """A digest of all that the bytes of a row depend on beside what it is made of."""
    definition = connection.execute(
        "select sql from duckdb_views() where schema_name = ? and view_name = ?",
        [VIEW_SCHEMA, view],
    ).fetchall()
    columns = _typed_columns(connection, VIEW_SCHEMA, view)
    stated = repr((project, version("duckdb"), view, definition, columns))
    return hashlib.sha256(stated.encode()).hexdigest()


def _assemble(
    connection: duckdb.DuckDBPyConnection,
    query: str,
    ordered: str,
    file: Path,
    days: Sequence[Day],
    earlier: Earlier,
) -> Assembly:
    """Write `file` from the days that are as they were, and from the others, written anew.

    Raises SpoiltError where the earlier file is not what it was.
    """
    anew = {day for day in days if day not in earlier.days}
    part = file.with_suffix(".part")
    if anew:
        _copy_csv(connection, f"{query} where {_is_on(days, anew)}{ordered}", part)
    try:
        return assemble(file, days, earlier, part if anew else None)
    finally:
        part.unlink(missing_ok=True)


def _is_on(days: Sequence[Day], wanted: Container[Day]) -> str:
    """The condition that a row belongs to one of those `days` of a view that are `wanted`.

    By ranges of the moment itself DuckDB knows which parts of a table it need not read. A range
    goes on until a day that is not wanted.
    """
    conditions = []
    for is_wanted, run in groupby(days, lambda day: day in wanted):
        if not is_wanted:
            continue
        names = [day.name for day in run]
        if not names[0]:
            conditions.append(f'"{_MOMENT}" is null')
            del names[0]
        if names:
            conditions.append(
                f"(\"{_MOMENT}\" >= timestamp '{names[0]}'"
                f" and \"{_MOMENT}\" < timestamp '{names[-1]}' + interval 1 day)"
            )
    return " or ".join(conditions)


def _text(column: str) -> str:
    # An empty text is published as null is: DuckDB alone would tell them apart by quotes.
    return f"nullif({column}, '') as {column}"


def _copy_csv(connection: duckdb.DuckDBPyConnection, query: str, file: Path) -> int:
    """Write the rows of a query, and return how many there are."""
    copied = connection.execute(
        f"copy ({query}) to '{_quoted(file)}'"
        " (format csv, header true, delimiter ',', quote '\"', escape '\"', nullstr '')"
    ).fetchone()
    return copied[0] if copied else 0


def _write_parquet(
    connection: duckdb.DuckDBPyConnection, mart: str, folder: Path
) -> dict[str, Any]:
    columns = [
        f'"{name}" at time zone \'UTC\' as "{name}"' if kind == "TIMESTAMP" else f'"{name}"'
        for name, kind in _typed_columns(connection, MART_SCHEMA, mart)
        if name not in _OF_THE_WAREHOUSE
    ]
    source = f"{MART_SCHEMA}.{mart}"
    if connection.execute(
        "select 1 from duckdb_views() where schema_name = ? and view_name = ?", [MART_SCHEMA, mart]
    ).fetchone():
        # What a file is like inside depends on whether its rows are computed while it is written,
        # and what is a view here is a table in a copy of what another engine built.
        connection.execute(f"create or replace temp table parquet_rows as from {source}")
        source = "parquet_rows"
    file = folder / PARQUET_FOLDER / f"{mart}.parquet"
    # A table has no order of its own; by all columns there is only one, up to equal rows.
    copied = connection.execute(
        f"copy (select {_listed(*columns)} from {source} order by all)"
        f" to '{_quoted(file)}' (format parquet, compression zstd)"
    ).fetchone()
    return output_entry(file, copied[0] if copied else 0, folder)


def _typed_columns(
    connection: duckdb.DuckDBPyConnection, schema: str, table: str
) -> list[tuple[str, str]]:
    return connection.execute(
        "select name, type from pragma_table_info(?) order by cid", [f"{schema}.{table}"]
    ).fetchall()


def _listed(*expressions: str) -> str:
    return ", ".join(expressions)


def view_columns(connection: duckdb.DuckDBPyConnection, view: str) -> tuple[list[str], list[str]]:
    """The columns of a view that are published, and what its rows are ordered by, as SQL."""
    names = [name for name, _ in _typed_columns(connection, VIEW_SCHEMA, view)]
    order = [
        _DAY_FIRST if name == _MOMENT else f'"{name}"'
        for name in names
        if name == _MOMENT or name.startswith(_SORT)
    ]
    return [f'"{name}"' for name in names if not name.startswith(_HIDDEN)], order


def close_parameters(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """What the warehouse was last built for: the close date, its time zone and the cut-off in UTC.

    Raises CloseError where it does not say.
    """
    row = connection.execute(
        "select strftime(close_date, '%Y-%m-%d'), business_time_zone,"
        " strftime(cut_off_at, '%Y-%m-%dT%H:%M:%SZ') from intermediate.int_close"
    ).fetchone()
    if row is None:
        raise CloseError("the warehouse does not say what it closes: int_close is empty")
    return {"close_date": row[0], "time_zone": row[1], "cut_off_at": row[2]}


def _settings(connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """The variables of the dbt project that the warehouse was last built with."""
    names = (
        "default_environment",
        "default_partner",
        "grace_period_seconds",
        "settlement_limit_seconds",
        "processing_limit_seconds",
    )
    row = connection.execute(
        "select default_environment, default_partner,"
        " date_diff('second', grace_limit_at, cut_off_at),"
        " date_diff('second', settlement_limit_at, cut_off_at),"
        " date_diff('second', processing_limit_at, cut_off_at) from intermediate.int_close"
    ).fetchone()
    return dict(zip(names, row or (None,) * len(names), strict=True))


def project_digests() -> dict[str, str]:
    """SHA-256 digests of all that decides how exports become a package, by name.

    Reference data file by file, the models, macros and checks of the dbt project and the code of
    this program each as a whole: over the paths and bytes of their files, in order of path.
    """
    project, code = project_dir(), Path(__file__).parent
    digests = {"dbt_project.yml": file_sha256(project / "dbt_project.yml")}
    for seed in (project / "seeds").glob("*.csv"):
        digests[f"seeds/{seed.name}"] = file_sha256(seed)
    for name in _PROJECT_FOLDERS:
        files = (path for path in (project / name).rglob("*") if path.suffix in {".sql", ".yml"})
        digests[name] = _folder_sha256(project / name, files)
    # A copy of the project that lies within an installed package is told apart from its code.
    own = (
        path
        for path in code.rglob("*")
        if path.suffix in _CODE_SUFFIXES and (code / "dbt_project") not in path.parents
    )
    digests["pool_recon"] = _folder_sha256(code, own)
    return dict(sorted(digests.items()))


def _folder_sha256(folder: Path, files: Iterator[Path]) -> str:
    named = {path.relative_to(folder).as_posix(): path for path in files}
    lines = (f"{file_sha256(path)}  {name}\n" for name, path in sorted(named.items()))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _input_files(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    columns = ("export", "path", "row_name", "sha256", "size_bytes", "rows")
    rows = connection.execute(
        "select export_name, path, row_name, sha256, size_bytes, row_count"
        " from raw.files order by file_id"
    ).fetchall()
    return [dict(zip(columns, row, strict=True)) for row in rows]


def _register_file(register: Register | None) -> dict[str, Any] | None:
    if register is None:
        return None
    return {
        "file": register.name,
        "rows": len(register.rows),
        "sha256": register.sha256,
        "size_bytes": register.size_bytes,
    }


def _control_totals(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    rows = connection.execute(
        f"select name, value from {VIEW_SCHEMA}.{CONTROL_TOTALS_VIEW} order by name"
    ).fetchall()
    totals = dict(rows)
    if len(totals) < len(rows):
        raise CloseError(f"{CONTROL_TOTALS_VIEW} names a control total twice")
    return totals


def versions() -> dict[str, str]:
    """The versions of this program and of what it is built on, by name."""
    return {
        "pool_recon": __version__,
        "dbt-core": version("dbt-core"),
        "dbt-duckdb": version("dbt-duckdb"),
        "duckdb": version("duckdb"),
        "great-expectations": version("great-expectations"),
        "jinja2": version("jinja2"),
        "vl-convert-python": version("vl-convert-python"),
        "xlsxwriter": version("xlsxwriter"),
        "pytz": version("pytz"),
        "python": platform.python_version(),
    }


def file_sha256(file: Path) -> str:
    """The SHA-256 of a file in hexadecimal digits. Raises OSError."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _quoted(file: Path) -> str:
    return str(file).replace("'", "''")
