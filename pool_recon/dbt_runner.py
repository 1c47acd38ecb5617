"""Runs the dbt project inside this process and reports what became of every node."""

from __future__ import annotations

import contextlib
import json
import os
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pool_recon.cache import cache_folder
from pool_recon.dbt_manifest import kept_or_parsed
from pool_recon.dbt_shortcuts import shortcuts
from pool_recon.errors import CloseError
from pool_recon.progress import Progress
from pool_recon.warehouse import LOG_OF_COPY, connect, is_of_a_full_disk

if TYPE_CHECKING:
    import duckdb

NO_CALLS_HOME = {
    "DO_NOT_TRACK": "1",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "GX_ANALYTICS_ENABLED": "false",
}

# Held while dbt is read, which one thread does for all.
_importing = threading.Lock()

_CSV_PREAMBLE = re.compile(r".*CSV Error on Line: [0-9]+")
_PREAMBLE = re.compile(r"[A-Z][A-Za-z ]* Error( in [^:]*)?")
# What DuckDB says of every statement once an error has made a file unusable.
_INVALIDATED = re.compile(
    r'database has been invalidated.*\n\s*Original error: "?(?P<error>.+?)"?\s*$', re.M
)


@dataclass(frozen=True)
class BuildSettings:
    """Where dbt runs and what it closes.

    `warehouse` is the DuckDB file to build in; `state_dir` is a folder that may be written, where
    dbt keeps what it parsed so that the next close need not parse again. Without a `time_zone` the
    project's own counts. `variables` take the place of the project's. Another `target` of
    profiles.yml finds in `environment` what it has to know. With `is_full_refresh` no row of an
    earlier build is kept. `is_untouched` says that nothing but later files came to what had landed
    when dbt built the warehouse last, so that dbt need not find out. `progress` hears of every
    seed, model and test. With `leaves_open` the file stays open, with what was built still in its
    log, until `built_warehouse` ends.
    """

    project_dir: Path
    warehouse: Path
    state_dir: Path
    close_date: date
    time_zone: str | None
    is_debug: bool = False
    is_full_refresh: bool = False
    is_untouched: bool = False
    variables: Mapping[str, str | int] = field(default_factory=dict)
    target: str = "duckdb"
    environment: Mapping[str, str] = field(default_factory=dict)
    leaves_open: bool = False
    progress: Progress = field(default_factory=Progress)


@dataclass(frozen=True)
class NodeResult:
    """What dbt reported about one seed, model or test.

    `status` is dbt's own word: success, error or skipped for what is built; pass, fail, warn,
    error or skipped for a test. `message` is one line, empty where there is nothing to say.
    `is_kept` says whether a model keeps rows from build to build, where the engine does.
    """

    name: str
    resource_type: str
    tags: frozenset[str]
    status: str
    message: str
    failures: int
    is_kept: bool = False


def import_dbt_beside() -> None:
    """Have dbt read beside what comes before it is needed; an error there is told once it is."""

    def read() -> None:
        with contextlib.suppress(Exception):
            _import_dbt()

    threading.Thread(target=read, daemon=True).start()


def _import_dbt() -> None:
    """Have what dbt and its adapter for DuckDB consist of read, which takes a second.

    How a class is read from JSON is then compiled when it is first asked for, as dbt has it for
    most of its own classes, and not for all of them: a tenth of that second.
    """
    with _importing:
        from mashumaro.config import BaseConfig

        before = BaseConfig.lazy_compilation
        BaseConfig.lazy_compilation = True
        try:
            from dbt.adapters import duckdb  # noqa: F401
            from dbt.cli import main  # noqa: F401
        finally:
            BaseConfig.lazy_compilation = before


def build_and_test(settings: BuildSettings) -> list[NodeResult]:
    """Build every seed and model, and run every data test.

    No failing test keeps a model from being built: a close that fails still owes finance its
    package. Raises CloseError where the project cannot be parsed or a seed or model cannot be
    built.
    """
    _import_dbt()
    from dbt.cli.main import dbtRunner

    cache = cache_folder(settings.project_dir, settings.target)
    with _environment(settings), shortcuts(cache, keeps_files=settings.is_debug):
        try:
            manifest = _manifest(settings)
            steps = _Steps(settings.progress)
            runner = dbtRunner(manifest=manifest, callbacks=[steps.hear])
            steps.begin("building and testing the warehouse", "models and tests")
            nodes = _run(runner, settings, "build")
            models = [node for node in nodes if node.resource_type != "test"]
            broken = [node for node in models if node.status not in {"success", "skipped"}]
            if broken or not models:
                raise CloseError(_cannot_build(broken))
            if any(node.status == "skipped" for node in models):
                # A test failed that has models after it. No test of this project has.
                steps.begin("building the warehouse", "models")
                nodes = _run(runner, settings, "build", "--exclude-resource-type", "test")
                steps.begin("testing the warehouse", "tests")
                nodes += _run(runner, settings, "test")
        except BaseException:
            _release_warehouse()
            raise
        if not settings.leaves_open:
            _release_warehouse()
        return nodes


@contextlib.contextmanager
def built_warehouse(file: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to the DuckDB file that dbt left open, or else to the file, to read from.

    Meanwhile what is in the log of the file is folded in. Nothing has the file open afterwards.
    Raises CloseError where the file cannot be opened, duckdb.Error where the log cannot be folded
    in.
    """
    try:
        with (
            contextlib.closing(_left_open(file) or connect(file)) as connection,
            contextlib.closing(connection.cursor()) as other,
            ThreadPoolExecutor(max_workers=1) as beside,
        ):
            folded = beside.submit(other.execute, "checkpoint")
            yield connection
            folded.result()
    finally:
        _release_warehouse()


def _run(runner: Any, settings: BuildSettings, command: str, *arguments: str) -> list[NodeResult]:
    result = _invoke(
        runner,
        settings,
        command,
        *("--exclude-resource-type", "unit_test"),
        # There is nothing to build in it: dbt would report it as "no-op".
        *(("--exclude-resource-type", "exposure") if command == "build" else ()),
        *(("--full-refresh",) if command == "build" and settings.is_full_refresh else ()),
        *arguments,
    )
    return _node_results(result)


def parsed_project(settings: BuildSettings) -> Any:
    """The dbt project as dbt understands it, a `dbt.contracts.graph.manifest.Manifest`.

    Raises CloseError where the project cannot be parsed.
    """
    with _environment(settings):
        return _manifest(settings)


def _manifest(settings: BuildSettings) -> Any:
    from dbt.cli.main import dbtRunner

    def parse() -> Any:
        # dbt goes on with what it parsed only where the file is the same, of which a manifest has
        # but the name. It opens none to parse.
        file = os.environ["POOL_RECON_WAREHOUSE"]
        os.environ["POOL_RECON_WAREHOUSE"] = settings.warehouse.name
        try:
            return _invoke(dbtRunner(), settings, "parse")
        finally:
            os.environ["POOL_RECON_WAREHOUSE"] = file

    return kept_or_parsed(
        settings.project_dir,
        settings.state_dir,
        settings.warehouse.name,
        {"target": settings.target, "variables": dict(settings.variables)},
        parse,
    )


def can_connect(project_dir: Path, target: str, logs: Path) -> bool:
    """Whether dbt by itself can reach the database of an output of profiles.yml."""
    from dbt.cli.main import dbtRunner

    try:
        outcome = dbtRunner().invoke(
            [
                *("--quiet", "--log-level", "none", "--log-level-file", "none"),
                *("--no-send-anonymous-usage-stats", "--no-version-check"),
                *("debug", "--connection", "--target", target),
                *("--project-dir", str(project_dir), "--profiles-dir", str(project_dir)),
                *("--log-path", str(logs)),
            ]
        )
    finally:
        _release_warehouse()
    return bool(outcome.success and outcome.result)


class _Steps:
    """Tells from the events of dbt how many nodes are done and which ones run."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._counted = ""
        self._total = 0
        self._done = 0
        self._running: list[str] = []

    def begin(self, phase: str, counted: str) -> None:
        """A phase begins whose nodes are called `counted`."""
        self._counted = counted
        self._progress(phase)

    def hear(self, event: Any) -> None:
        """Take in an event; dbt sends them one at a time."""
        kind = event.info.name
        if kind == "ConcurrencyLine":
            self._total, self._done, self._running = event.data.node_count, 0, []
        elif kind == "NodeStart":
            self._running.append(event.data.node_info.node_name)
        elif kind == "NodeFinished":
            self._done += 1
            with contextlib.suppress(ValueError):
                self._running.remove(event.data.node_info.node_name)
        else:
            return
        doing = " and ".join(self._running)
        self._progress.step(doing, self._done, self._total, self._counted)


def one_line(message: object) -> str:
    """The first informative line of an error message of dbt or DuckDB, without its preamble."""
    original = _INVALIDATED.search(str(message))
    if original:
        return original["error"]
    lines = [line.strip() for line in str(message).splitlines() if line.strip()]
    # dbt's first line says only what kind of error it is and in which file.
    if len(lines) > 1 and _PREAMBLE.fullmatch(lines[0]):
        lines = lines[1:]
    # DuckDB's first line says only where in a CSV file, the next two what is there and wrong.
    if lines and _CSV_PREAMBLE.fullmatch(lines[0]):
        return ": ".join(lines[:3])
    return lines[0] if lines else "no message"


def _cannot_build(broken: list[NodeResult]) -> str:
    if not broken:
        return "dbt found nothing to build: the dbt project is incomplete; install it again"
    # What fails after a disk was full says less.
    first = next((node for node in broken if is_of_a_full_disk(node.message)), broken[0])
    others = f" (and {len(broken) - 1} more)" if len(broken) > 1 else ""
    if "overflow" in first.message.lower():
        return (
            f"amounts add up to more than 20 integer digits in the model {first.name}{others}: "
            "look for an amount that cannot be meant in the ledger, quotes and trades exports"
        )
    return f"the {first.resource_type} {first.name} cannot be built{others}: {first.message}"


def _invoke(runner: Any, settings: BuildSettings, command: str, *arguments: str) -> Any:
    quietness = ("--log-level", "info") if settings.is_debug else ("--quiet", "--log-level", "none")
    outcome = runner.invoke(
        [
            *quietness,
            *("--log-level-file", "none", "--no-use-colors", "--no-version-check"),
            *("--no-send-anonymous-usage-stats", "--no-write-json", "--no-fail-fast"),
            command,
            *("--project-dir", str(settings.project_dir)),
            *("--profiles-dir", str(settings.project_dir)),
            *("--target-path", str(settings.state_dir / "target")),
            *("--log-path", str(settings.state_dir / "logs")),
            *("--target", settings.target),
            *(("--vars", json.dumps(dict(settings.variables))) if settings.variables else ()),
            *arguments,
        ]
    )
    if isinstance(outcome.exception, KeyboardInterrupt):
        raise outcome.exception
    if outcome.exception is not None:
        reason = one_line(outcome.exception)
        raise CloseError(f"dbt {command} stopped: {reason}") from outcome.exception
    return outcome.result


def _node_results(result: Any) -> list[NodeResult]:
    return [
        NodeResult(
            name=entry.node.name,
            resource_type=str(entry.node.resource_type),
            tags=frozenset(entry.node.tags),
            status=str(entry.status),
            message=one_line(entry.message) if entry.message else "",
            failures=entry.failures or 0,
            is_kept="kept_by" in (entry.node.config.meta or {}),
        )
        for entry in result.results
    ]


@contextlib.contextmanager
def _environment(settings: BuildSettings) -> Iterator[None]:
    """Give dbt the environment of this close and nothing of the caller's DBT_ settings."""
    before = dict(os.environ)
    for name in before:
        if name.startswith("DBT_"):
            del os.environ[name]
    os.environ.update(NO_CALLS_HOME)
    os.environ.update(
        POOL_RECON_CLOSE_DATE=settings.close_date.isoformat(),
        POOL_RECON_TIME_ZONE=settings.time_zone or "",
        POOL_RECON_WAREHOUSE=str(settings.warehouse),
        # It is written to the disk when it is whole, and not after every model.
        POOL_RECON_FSYNC_MODE="NONE",
        POOL_RECON_CHECKPOINT_THRESHOLD=LOG_OF_COPY,
        POOL_RECON_LANDED_ROWS="untouched" if settings.is_untouched else "",
        **settings.environment,
    )
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _left_open(file: Path) -> duckdb.DuckDBPyConnection | None:
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    environment: Any = DuckDBConnectionManager._ENV
    if environment is None or environment.creds.path != str(file.absolute()):
        return None
    connection: duckdb.DuckDBPyConnection = environment.conn.cursor()
    connection.execute("set TimeZone = 'UTC'")
    return connection


def _release_warehouse() -> None:
    # dbt's DuckDB adapter keeps the file open for the life of the process, and after an error, from
    # Python 3.12 on, for as long as the frames of that error are not collected.
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    environment: Any = DuckDBConnectionManager._ENV
    close_all: Callable[[], None] = DuckDBConnectionManager.close_all_connections
    close_all()
    if environment is not None:
        environment.close()
