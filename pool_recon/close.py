"""The close from end to end: load, build, test, package, publish."""

from __future__ import annotations

import contextlib
import csv
import os
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pool_recon.as_left import is_as_left, note_as_left
from pool_recon.dbt_runner import (
    BuildSettings,
    NodeResult,
    build_and_test,
    built_warehouse,
    import_dbt_beside,
    one_line,
)
from pool_recon.drawing import Draw, drawn_beside
from pool_recon.errors import CloseError
from pool_recon.expectations.ahead import Reader, second_reader
from pool_recon.garbage import rarely_collected
from pool_recon.package import (
    CONTROL_TOTALS_VIEW,
    PARQUET_TAG,
    VIEW_PREFIX,
    VIEW_SCHEMA,
    Verdict,
    output_entry,
    project_digests,
    write_history,
    write_manifest,
    write_parquet,
    write_tables,
)
from pool_recon.progress import Progress
from pool_recon.reference import project_dir
from pool_recon.register import (
    Register,
    read_register,
    refuse_second_rows,
    replace_register,
)
from pool_recon.restated import RestatedBalance, read_restated_balances
from pool_recon.segments import Segments
from pool_recon.summary import (
    REVIEW_RULE,
    OverdueReview,
    QuietDate,
    TopException,
    read_overdue_reviews,
    read_quiet_date,
    read_top_exceptions,
)
from pool_recon.warehouse import (
    check_temp_directory,
    connect,
    locked_warehouse,
    memory_limit,
    naming,
    no_memory,
    no_room,
    os_reason,
    package_folder,
    publish,
    working_copy,
    write_to_disk,
)

if TYPE_CHECKING:
    import duckdb

    from pool_recon.loader import LoadSummary

RULE_TAG = "checklist"
RULE_TEST_PREFIX = "assert_"
INVARIANTS_TEST = "assert_invariants_hold"
_MOST_BREACHES = 5
TARGET = "duckdb"
_THREADS = "POOL_RECON_THREADS"
# In every time zone a date must have a beginning and an end. The macro `close_date` has these too.
_FIRST_DATE, _LAST_DATE = date(2, 1, 1), date(9998, 12, 31)

T = TypeVar("T")


@dataclass(frozen=True)
class CloseRequest:
    """What to close.

    `close_date` is a business date in `time_zone`, an IANA name; None leaves that to the dbt
    project, whose own setting is UTC. `workbook_rows` is how many rows of a file a sheet of the
    workbook takes at most, None the default. With `is_full_refresh` every row is looked at again.
    """

    exports: Path
    close_date: date
    out: Path
    warehouse: Path
    register: Path | None = None
    time_zone: str | None = None
    is_debug: bool = False
    workbook_rows: int | None = None
    is_full_refresh: bool = False


@dataclass(frozen=True)
class FindingCount:
    """How many findings of one code stand unapproved, and what to do about them first."""

    code: str
    severity: str
    findings: int
    first_action: str


@dataclass(frozen=True)
class RegisterUse:
    """How many rows the exception register has, and the lines of those that match no finding."""

    rows: int
    unmatched_lines: Sequence[int]


@dataclass(frozen=True)
class CloseResult:
    """What a close found, after everything was written; `register` is None where none was given.

    `match_rate` is the share of matched movements in per cent, empty where there are none.
    """

    loaded: LoadSummary
    package: Path
    verdict: Verdict
    rule_findings: dict[str, int]
    movements: dict[str, int]
    findings: Sequence[FindingCount]
    approved: int
    match_rate: str = ""
    top_exceptions: Sequence[TopException] = ()
    overdue_reviews: Sequence[OverdueReview] = ()
    restated_balances: Sequence[RestatedBalance] = ()
    register: RegisterUse | None = None
    quiet_date: QuietDate | None = None


def load(exports: Path, warehouse: Path, progress: Progress) -> LoadSummary:
    """Land the exports in the warehouse and build nothing.

    Raises CloseError with the warehouse unchanged.
    """
    from pool_recon.loader import load_exports

    with locally_explained("load"), working_copy(warehouse) as copy:
        progress("landing the exports")
        with contextlib.closing(connect(copy.file)) as connection:
            state = state_folder(warehouse)
            loaded = load_exports(connection, exports, progress=progress, state=state)
        publish(copy)
        return loaded


def close(request: CloseRequest, progress: Progress) -> CloseResult:
    """Close a business date: load the exports, build and test the warehouse, publish both.

    Raises CloseError with neither the warehouse nor the package changed. That a rule fails is no
    error: `verdict` of the result tells it.
    """
    from pool_recon.loader import load_exports

    check_request(request)
    register = read_register(request.register) if request.register else None
    import_dbt_beside()
    with (
        locally_explained("close"),
        rarely_collected(),
        locked_warehouse(request.warehouse) as warehouse,
        package_folder(request.out, request.close_date.isoformat()) as package,
        _segments(request).copied_ahead(package.ahead) as segments,
    ):
        copy = warehouse.copied()
        settings = build_settings(request, copy.file, progress)
        progress("landing the exports")
        with contextlib.closing(connect(copy.file, leaves_log=True)) as connection:
            loaded = load_exports(
                connection, request.exports, progress=progress, state=settings.state_dir
            )
            replace_register(connection, register)
        progress("reading the dbt project")
        if not (request.is_full_refresh or loaded.read_again):
            is_untouched = is_as_left(copy.warehouse, settings.state_dir)
            settings = replace(settings, is_untouched=is_untouched)
        with second_reader() as reader:
            nodes = build_and_test(settings)
            verdict = write_close(
                *(copy.file, package.new, nodes, register, request.workbook_rows, progress),
                reader,
                segments,
            )
        result = close_result(copy.file, package.published, loaded, verdict, register)
        note_as_left(publish(copy, package), settings.state_dir)
        segments.remember(package.published)
        return result


def _segments(request: CloseRequest) -> Segments:
    return Segments(state_folder(request.warehouse), anew=request.is_full_refresh)


def write_close(
    warehouse: Path,
    package: Path,
    nodes: Sequence[NodeResult],
    register: Register | None,
    workbook_rows: int | None,
    progress: Progress,
    reader: Reader,
    segments: Segments | None = None,
) -> Verdict:
    """Write the package of a built warehouse into `package`, an empty folder, and judge it.

    `nodes` are what dbt built and tested, `reader` reads it all a second time. The same warehouse,
    register and number of rows give the same bytes, with `segments` of an earlier package or
    without. Raises CloseError where the warehouse contradicts itself, OSError and duckdb.Error.
    """
    from pool_recon.workbook import DEFAULT_ROWS

    rows = workbook_rows or DEFAULT_ROWS
    with naming(package), drawn_beside() as draw:
        progress("writing the package")
        project = project_digests()
        with built_warehouse(warehouse) as connection:
            if register:
                refuse_second_rows(connection, register)
            verdict = judge(nodes, _rule_names(), _checklist(connection))
            verdict = replace(verdict, failed_checks=explained(connection, verdict.failed_checks))
            outputs = write_tables(connection, package, _views(nodes), project, segments)
        written = _beside(partial(write_to_disk, warehouse))
        # Read only, because the second reading opens the warehouse meanwhile.
        with contextlib.closing(connect(warehouse, read_only=True)) as connection:
            progress("reading it all a second time")
            connection.execute(f"set memory_limit = '{memory_limit(processes=2)}'")
            reading = _beside(partial(read_again, warehouse, package, verdict, reader))
            outputs += write_parquet(connection, package, _dashboard_marts(nodes))
            outputs += write_history(connection, package)
            verdict, reports = reading.result()
            outputs += reports
            progress("writing the report and the workbook")
            outputs += write_documents(connection, package, verdict, outputs, rows, draw)
            write_manifest(
                *(connection, package, outputs, verdict, project, register),
                settings={"workbook_rows": rows},
            )
    written.result()
    return verdict


def _beside(work: Callable[[], T]) -> Future[T]:
    """Do `work` beside what comes next; an error there does not wait for it."""
    done: Future[T] = Future()

    def run() -> None:
        try:
            done.set_result(work())
        except BaseException as error:
            done.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return done


def close_result(
    warehouse: Path,
    package: Path,
    loaded: LoadSummary,
    verdict: Verdict,
    register: Register | None,
) -> CloseResult:
    """What a close has to say once it is written; `package` is where its package will be."""
    from pool_recon.report.figures import share

    with contextlib.closing(connect(warehouse)) as connection:
        movements = _movements(connection)
        rule_findings = _rule_findings(connection)
        return CloseResult(
            loaded=loaded,
            package=package,
            verdict=verdict,
            rule_findings=rule_findings,
            movements=movements,
            match_rate=share(movements.get("matched", 0), sum(movements.values())),
            top_exceptions=read_top_exceptions(connection),
            overdue_reviews=(
                read_overdue_reviews(connection) if rule_findings.get(REVIEW_RULE) else ()
            ),
            restated_balances=read_restated_balances(connection),
            findings=_findings(connection),
            approved=_approved(connection),
            register=_register_use(connection, register) if register else None,
            quiet_date=read_quiet_date(connection),
        )


def judge(nodes: Sequence[NodeResult], rules: Sequence[str], checklist: dict[str, bool]) -> Verdict:
    """Tell from what ran whether each rule holds; what did not run exactly once does not hold.

    `rules` is the registry of rules, `checklist` what the published checklist says of each.
    """
    tests = [node for node in nodes if node.resource_type == "test"]
    of_rules = [test for test in tests if RULE_TAG in test.tags]
    runs = Counter(test.name for test in of_rules)
    statuses = {test.name: test.status for test in of_rules}
    verdicts = {}
    for rule in rules:
        test = f"{RULE_TEST_PREFIX}{rule}"
        verdicts[rule] = "not checked"
        if runs[test] == 1 and statuses[test] in {"pass", "fail", "warn"}:
            verdicts[rule] = "holds" if statuses[test] == "pass" else "fails"
    expected = {f"{RULE_TEST_PREFIX}{rule}" for rule in rules}
    failed = [test.name for test in tests if test.name not in expected and test.status != "pass"]
    failed += [name for name in statuses if name not in expected]
    disagreements = [
        rule
        for rule in sorted({*rules, *checklist})
        if verdicts.get(rule) != "not checked"
        and checklist.get(rule) is not (verdicts.get(rule) == "holds")
    ]
    return Verdict(verdicts, tuple(sorted(set(failed))), tuple(disagreements))


def explained(
    connection: duckdb.DuckDBPyConnection, failed_checks: Sequence[str]
) -> tuple[str, ...]:
    """The names of checks that failed; that of the invariants once for each breach, with it."""
    texts: list[str] = []
    for name in failed_checks:
        breaches = (
            connection.execute(
                "select invariant || ': ' || coalesce(subject, ''), count(*) over ()"
                " from marts.close_invariant_breaches order by all limit ?",
                [_MOST_BREACHES],
            ).fetchall()
            if name == INVARIANTS_TEST
            else []
        )
        texts += [f"{name}: {breach}" for breach, _ in breaches] or [name]
        if breaches and breaches[0][1] > len(breaches):
            texts.append(f"{name}: and {breaches[0][1] - len(breaches)} more")
    return tuple(texts)


def read_again(
    warehouse: Path, package: Path, verdict: Verdict, reader: Reader
) -> tuple[Verdict, list[dict[str, Any]]]:
    """Judge the warehouse and the files of the package anew, by Great Expectations in `reader`.

    Writes the results into `package`. Returns the verdict with what this reading adds to it, and
    the manifest entries of the results.
    """
    from pool_recon.expectations import write_report

    reading = reader(warehouse, package, verdict.rules)
    added = replace(
        verdict,
        failed_expectations=reading.failed,
        unchecked_expectations=reading.not_checked,
        differing_readings=reading.disagreements,
    )
    rows = len(reading.results)
    return added, [output_entry(file, rows) for file in write_report(reading, package)]


def write_documents(
    connection: duckdb.DuckDBPyConnection,
    package: Path,
    verdict: Verdict,
    outputs: Sequence[Mapping[str, Any]],
    workbook_rows: int,
    draw: Draw,
) -> list[dict[str, Any]]:
    """Write the report page and the workbook over the files in `package`.

    `outputs` are the manifest entries of these files, `draw` draws the charts. Returns the entries
    of the two: the rows of the page are the findings that it lists, those of the workbook the rows
    on its sheets.
    """
    from pool_recon.report import read_figures, write_report
    from pool_recon.workbook import write_workbook

    figures = read_figures(connection, verdict, outputs)
    # The page mostly waits for its charts.
    with ThreadPoolExecutor(max_workers=1) as beside:
        page = beside.submit(write_report, figures, package, draw)
        workbook, rows = write_workbook(connection, package, figures, workbook_rows)
    return [output_entry(page.result(), figures.listed), output_entry(workbook, rows)]


@contextlib.contextmanager
def locally_explained(action: str) -> Iterator[None]:
    """Turn what DuckDB and the operating system refuse into one line."""
    import duckdb

    try:
        yield
    except (duckdb.Error, OSError, CloseError) as error:
        full = no_room(error)
        if full:
            raise CloseError(f"the {action} stopped: {full}") from error
        limited = no_memory(error)
        if limited:
            raise CloseError(f"the {action} stopped: {limited}") from error
        if isinstance(error, duckdb.Error):
            raise CloseError(f"DuckDB stopped the {action}: {one_line(error)}") from error
        if isinstance(error, OSError):
            raise CloseError(f"the {action} stopped: {os_reason(error)}") from error
        raise


def state_folder(warehouse: Path) -> Path:
    """The folder beside `warehouse` for what is only kept to save time."""
    return warehouse.absolute().parent / ".pool_recon" / warehouse.name


def build_settings(
    request: CloseRequest,
    file: Path,
    progress: Progress,
    target: str = TARGET,
    environment: Mapping[str, str] | None = None,
) -> BuildSettings:
    """How dbt builds what `request` asks for, in `file` or in another `target`."""
    state = state_folder(request.warehouse)
    return BuildSettings(
        project_dir=project_dir(),
        warehouse=file.absolute(),
        # What dbt keeps of one target it cannot use for another.
        state_dir=state if target == TARGET else state.with_name(f"{state.name}.{target}"),
        close_date=request.close_date,
        time_zone=request.time_zone,
        is_debug=request.is_debug,
        is_full_refresh=request.is_full_refresh,
        target=target,
        environment=environment or {},
        leaves_open=True,
        progress=progress,
    )


def check_request(request: CloseRequest) -> None:
    """Raise CloseError where `request` asks for what does not exist."""
    from pytz import all_timezones_set

    if request.time_zone is not None and request.time_zone not in all_timezones_set:
        raise CloseError(
            f"unknown time zone {request.time_zone!r}: give an IANA name, such as Europe/Berlin"
        )
    if not _FIRST_DATE <= request.close_date <= _LAST_DATE:
        raise CloseError(
            f"--close-date {request.close_date} is too near an end of the calendar: give a date "
            f"from {_FIRST_DATE} to {_LAST_DATE}"
        )
    models = os.environ.get(_THREADS)
    if models and not re.fullmatch("[1-9][0-9]{0,3}", models):
        raise CloseError(
            f"{_THREADS} is {models!r}: expected how many models are built at a time, from 1 on"
        )
    check_temp_directory()


def _rule_names() -> list[str]:
    seed = project_dir() / "seeds" / "ref_checklist_rules.csv"
    with seed.open(encoding="utf-8", newline="") as stream:
        return [row["rule_name"] for row in csv.DictReader(stream)]


def _views(nodes: Sequence[NodeResult]) -> list[str]:
    views = [
        node.name
        for node in nodes
        if node.resource_type == "model"
        and node.name.startswith(VIEW_PREFIX)
        and node.name != CONTROL_TOTALS_VIEW
    ]
    if not views:
        raise CloseError("there is nothing to publish: the dbt project is incomplete")
    return views


def _dashboard_marts(nodes: Sequence[NodeResult]) -> list[str]:
    return [
        node.name for node in nodes if node.resource_type == "model" and PARQUET_TAG in node.tags
    ]


def _checklist(connection: duckdb.DuckDBPyConnection) -> dict[str, bool]:
    rows = connection.execute(
        f"select rule, holds is not distinct from 'true' from {VIEW_SCHEMA}.pkg_checklist"
    ).fetchall()
    return dict(rows)


def _rule_findings(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """How many findings break each rule: those not approved, and of overdue reviews all."""
    rows = connection.execute(
        "select rule, findings::bigint"
        " - case when rule = ? then 0 else coalesce(approved::bigint, 0) end"
        f" from {VIEW_SCHEMA}.pkg_checklist",
        [REVIEW_RULE],
    ).fetchall()
    return dict(rows)


def _movements(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    rows = connection.execute(
        f"select reconciliation_state, count(*) from {VIEW_SCHEMA}.pkg_reconciliation"
        " group by all order by count(*) desc, reconciliation_state"
    ).fetchall()
    return dict(rows)


def _findings(connection: duckdb.DuckDBPyConnection) -> list[FindingCount]:
    rows = connection.execute(
        "select code, severity, count(*), any_value(first_action)"
        f" from {VIEW_SCHEMA}.pkg_exceptions where approval is distinct from 'approved'"
        " group by code, severity order by severity, count(*) desc, code"
    ).fetchall()
    return [FindingCount(*row) for row in rows]


def _approved(connection: duckdb.DuckDBPyConnection) -> int:
    row = connection.execute(
        f"select count(*) from {VIEW_SCHEMA}.pkg_exceptions where approval = 'approved'"
    ).fetchone()
    return row[0] if row else 0


def _register_use(connection: duckdb.DuckDBPyConnection, register: Register) -> RegisterUse:
    if not register.rows:
        return RegisterUse(0, ())
    rows = connection.execute(
        f"select line_number::integer from {VIEW_SCHEMA}.pkg_register"
        " where matched is distinct from 'true' order by 1"
    ).fetchall()
    return RegisterUse(len(register.rows), [line for (line,) in rows])
