"""Looks over a set-up before a close and says what is missing or wrong, and what to do about it.

Nothing is changed: exports are landed in a database that is thrown away, the dbt project is parsed
into a temporary folder, and folders are tried with files that have no name.
"""

from __future__ import annotations

import contextlib
import os
import platform
import re
import shutil
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pool_recon import __version__, machine, reference
from pool_recon.console import plural
from pool_recon.errors import CloseError, NotReadyError, Obstacle
from pool_recon.progress import Progress

SUMMARY_VERSION = 1

OK, NOTE, MEND = "ok", "note", "mend"

_GIB = 1 << 30
_LEAST_MEMORY = _GIB
_LEAST_DISK = _GIB // 2


@dataclass(frozen=True)
class SetUp:
    """What to look over; None for what is not used, or what the environment says."""

    exports: Path | None
    out: Path
    warehouse: Path
    register: Path | None
    time_zone: str | None
    target: str | None = None


@dataclass(frozen=True)
class Check:
    """What was looked at and found; `state` is ok, note (worth knowing) or mend.

    `remedy` says what to do, empty where nothing need be done.
    """

    subject: str
    state: str
    finding: str
    remedy: str = ""


def examine(set_up: SetUp, progress: Progress) -> list[Check]:
    """Look over everything; a check that breaks is something to mend and hides no other."""
    examinations: tuple[tuple[str, Callable[[SetUp], Iterator[Check]]], ...] = (
        ("Python", _python),
        ("dependencies", _dependencies),
        ("dbt project", _dbt_project),
        ("target database", _target),
        ("usage statistics", _statistics),
        ("exports", _exports),
        ("register", _register),
        ("time zone", _time_zone),
        ("warehouse", _warehouse),
        ("out folder", _out),
        ("disk", _disk),
        ("memory", _memory),
        ("notification", _notification),
    )
    checks = []
    for done, (subject, examination) in enumerate(examinations):
        progress("looking over the set-up")
        progress.step(subject, done, len(examinations), "checks")
        try:
            checks += list(examination(set_up))
        except NotReadyError as error:
            checks.append(_to_mend(subject, error.obstacle))
        except CloseError as error:
            checks.append(Check(subject, MEND, str(error), "mend what the line says"))
        except Exception as error:
            reason = f"could not be checked: {type(error).__name__}: {error}"
            checks.append(Check(subject, MEND, " ".join(reason.split()), _INSTALL))
    return checks


def _to_mend(subject: str, obstacle: Obstacle) -> Check:
    return Check(subject, MEND, obstacle.finding, obstacle.remedy)


def doctor_summary(checks: list[Check]) -> dict[str, Any]:
    """The checks as one JSON object."""
    to_mend = sum(check.state == MEND for check in checks)
    return {
        "schema_version": SUMMARY_VERSION,
        "command": "doctor",
        "version": __version__,
        "is_well": not to_mend,
        "to_mend": to_mend,
        "checks": [vars(check) for check in checks],
    }


_INSTALL = "install pool-recon anew: make clean close, or pip install --force-reinstall pool-recon"


def _python(_: SetUp) -> Iterator[Check]:
    found = platform.python_version()
    if os.name != "posix":
        yield Check("Python", MEND, f"{found} on {os.name}", "run it on Linux, macOS or WSL")
    else:
        yield Check("Python", OK, found)


def _dependencies(_: SetUp) -> Iterator[Check]:
    from importlib.metadata import PackageNotFoundError, version

    from packaging.requirements import Requirement

    locked = _locked_versions()
    wanted = [Requirement(line) for line in _requirement_lines()]
    wanted = [each for each in wanted if each.marker is None or each.marker.evaluate({"extra": ""})]
    wrong, unlocked = False, []
    for requirement in wanted:
        name = requirement.name
        try:
            found = version(name)
        except PackageNotFoundError:
            wrong = True
            yield Check("dependencies", MEND, f"{name} is not installed", _install(requirement))
            continue
        if not requirement.specifier.contains(found, prereleases=True):
            wrong = True
            finding = f"{name} {found} is installed, and {requirement.specifier} is needed"
            yield Check("dependencies", MEND, finding, _install(requirement))
        elif locked and locked.get(name.lower()) != found:
            unlocked.append(f"{name} {found} (locked: {locked.get(name.lower(), 'none')})")
    if unlocked:
        finding = f"allowed, and not the versions tested together: {', '.join(unlocked)}"
        remedy = "pip install --require-hashes -r requirements.lock, if results must be the same"
        yield Check("dependencies", NOTE, finding, remedy)
    elif not wrong:
        kept = ", as locked" if locked else ""
        yield Check("dependencies", OK, f"{len(wanted)} at allowed versions{kept}")


def _install(requirement: Any) -> str:
    return f"pip install '{requirement.name}{requirement.specifier}'"


def _requirement_lines() -> list[str]:
    from importlib.metadata import PackageNotFoundError, requires

    project = _checkout() / "pyproject.toml"
    if project.is_file():
        with project.open("rb") as stream:
            return list(tomllib.load(stream)["project"]["dependencies"])
    try:
        return requires("pool-recon") or []
    except PackageNotFoundError:
        raise CloseError(f"pool-recon is not installed: {_INSTALL}") from None


def _locked_versions() -> dict[str, str]:
    lock = _checkout() / "requirements.lock"
    if not lock.is_file():
        return {}
    return dict(re.findall(r"^([a-z0-9._-]+)==([^\s;]+)", lock.read_text("utf-8"), re.MULTILINE))


def _checkout() -> Path:
    return Path(__file__).resolve().parents[1]


def _dbt_project(set_up: SetUp) -> Iterator[Check]:
    from pool_recon.dbt_runner import BuildSettings, parsed_project

    project = reference.project_dir()
    with tempfile.TemporaryDirectory(prefix="pool_recon_") as folder:
        settings = BuildSettings(
            project_dir=project,
            warehouse=Path(folder) / set_up.warehouse.name,
            state_dir=Path(folder),
            # Any date will do: nothing is built.
            close_date=date(2000, 1, 1),
            time_zone=None,
        )
        try:
            nodes = parsed_project(settings).nodes.values()
        except CloseError as error:
            remedy = f"mend the project in {project}, or unset POOL_RECON_PROJECT_DIR"
            yield Check("dbt project", MEND, str(error), remedy)
            return
    models = sum(str(node.resource_type) == "model" for node in nodes)
    yield Check("dbt project", OK, f"{plural(models, 'model')} in {project}")


def _target(set_up: SetUp) -> Iterator[Check]:
    from pool_recon.dbt_runner import can_connect

    target = set_up.target or os.environ.get("POOL_RECON_TARGET", "duckdb")
    if target == "duckdb":
        yield Check("target database", OK, "DuckDB, in the warehouse file")
        return
    if target == "postgres":
        yield from _postgres()
        return
    if target == "spark":
        yield from _spark()
        return
    project = reference.project_dir()
    with tempfile.TemporaryDirectory(prefix="pool_recon_") as logs:
        is_reached = can_connect(project, target, Path(logs))
    if is_reached:
        yield Check("target database", OK, f"the output {target} of profiles.yml is reached")
    else:
        yield Check(
            "target database",
            MEND,
            f"the output {target} of profiles.yml cannot be reached",
            f"see why with: dbt debug --connection --target {target} --project-dir {project} "
            f"--profiles-dir {project}",
        )


def _postgres() -> Iterator[Check]:
    from pool_recon.postgres.readiness import is_in_use, obstacles
    from pool_recon.postgres.server import connected, explained

    subject = "target database"
    with explained("examination"), connected() as found:
        yield Check(
            subject, OK, f"{found.name}, PostgreSQL {found.product}, reached as {found.role}"
        )
        problems = [_to_mend("target rights", obstacle) for obstacle in obstacles(found)]
        if not problems:
            finding = "may make schemas, and owns those that a close has made"
            problems = [Check("target rights", OK, finding)]
        yield from problems
        if is_in_use(found):
            finding = f"a load or a close is working on {found.name}"
            yield Check(subject, MEND, finding, "wait until it ends")


def _spark() -> Iterator[Check]:
    from pool_recon.spark.readiness import in_words, obstacles

    problems = [_to_mend("target database", obstacle) for obstacle in obstacles()]
    yield from problems or [Check("target database", OK, in_words())]


def _statistics(_: SetUp) -> Iterator[Check]:
    import yaml

    project = reference.project_dir() / "dbt_project.yml"
    flags = (yaml.safe_load(project.read_text("utf-8")) or {}).get("flags") or {}
    if flags.get("send_anonymous_usage_stats") is False:
        yield Check("usage statistics", OK, "off, in every command and for dbt by itself")
    else:
        yield Check(
            "usage statistics",
            MEND,
            f"{project} does not turn them off for dbt by itself",
            "add send_anonymous_usage_stats: false under flags:",
        )


def _exports(set_up: SetUp) -> Iterator[Check]:
    if set_up.exports is None:
        yield Check("exports", NOTE, "not looked at", "name the folder with --exports")
        return
    from pool_recon.loader.discovery import FORMATS, unread

    names = [export.name for export in reference.exports()]
    for export in reference.exports():
        yield from _export(set_up.exports, export)
    try:
        others = unread(set_up.exports)
    except CloseError as error:
        yield Check("exports", MEND, str(error), "let who closes read it")
        return
    for path in others:
        remedy = f"if it is an export, name it after one: {', '.join(names)}"
        if "/" in path:
            remedy = f"if it is part of the export, give it as {', '.join(sorted(FORMATS))}"
        yield Check("exports", NOTE, f"{path} is not read", remedy)


def _export(exports: Path, export: reference.Export) -> Iterator[Check]:
    from pool_recon.loader import files_of, rehearse

    subject = f"export {export.name}"
    try:
        files = files_of(exports, export.name)
    except CloseError as error:
        yield Check(subject, MEND, str(error), "mend or move the file")
        return
    if not files:
        state, needed = (MEND, "needed") if export.is_required else (NOTE, "optional")
        remedy = f"add {export.name}.csv or a folder {export.name}"
        if not export.is_required:
            remedy += ", to have checked what it says"
        yield Check(subject, state, f"absent, and {needed}", remedy)
        return
    rows, columns, broken = 0, frozenset[str](), False
    with tempfile.TemporaryDirectory(prefix="pool_recon_") as folder:
        for file in files:
            try:
                landed, found = rehearse(file, Path(folder))
            except CloseError as error:
                broken = True
                remedy = "correct the file; a column of another name can be added to the aliases"
                yield Check(subject, MEND, str(error), remedy)
            else:
                rows, columns = rows + landed, columns | found
    if broken:
        return
    absent = [
        column.name
        for column in reference.export_columns(export.name)
        if column.is_documented and column.name not in columns
    ]
    finding = f"{plural(rows, 'row')} of {plural(len(files), 'file')}"
    if absent:
        remedy = "a close warns of it; ask for them in the export"
        yield Check(subject, NOTE, f"{finding}, without {', '.join(absent)}", remedy)
    else:
        yield Check(subject, OK, finding)


def _register(set_up: SetUp) -> Iterator[Check]:
    from pool_recon.register import read_register, refuse_equal_rows

    if set_up.register is None:
        yield Check("register", OK, "none is used")
        return
    try:
        register = read_register(set_up.register)
        refuse_equal_rows(set_up.register, register)
    except CloseError as error:
        yield Check("register", MEND, str(error), "correct the line that it names")
        return
    yield Check("register", OK, f"{plural(len(register.rows), 'row')} in {register.name}")


def _time_zone(set_up: SetUp) -> Iterator[Check]:
    from pytz import all_timezones_set

    zone = set_up.time_zone
    if zone is None:
        yield Check("time zone", OK, "that of the dbt project: UTC, unless it was changed there")
    elif zone in all_timezones_set:
        yield Check("time zone", OK, zone)
    else:
        remedy = "give an IANA name, such as Europe/Berlin"
        yield Check("time zone", MEND, f"unknown time zone {zone!r}", remedy)


def _warehouse(set_up: SetUp) -> Iterator[Check]:
    from pool_recon.warehouse import check_place, is_being_closed

    warehouse = set_up.warehouse
    if is_being_closed(warehouse):
        yield Check("warehouse", MEND, f"a close is working on {warehouse}", "wait until it ends")
        return
    yield from _writable("warehouse", warehouse.parent)
    try:
        check_place(warehouse)
    except CloseError as error:
        yield Check("warehouse", MEND, str(error), "do so, or name another --warehouse")
        return
    if not warehouse.exists():
        yield Check("warehouse", OK, f"{warehouse} is not there yet; the first close makes it")
        return
    try:
        said = _inside(warehouse)
    except CloseError as error:
        remedy = "do so; if a newer release wrote it, install that one"
        yield Check("warehouse", MEND, str(error), remedy)
        return
    tool_version, close_date = said
    if tool_version and _is_newer(tool_version):
        yield Check(
            "warehouse",
            MEND,
            f"{warehouse} was written by pool-recon {tool_version}, and this is {__version__}",
            f"install pool-recon {tool_version} or newer",
        )
        return
    closed = f"last closed for {close_date}" if close_date else "no close in it yet"
    yield Check("warehouse", OK, f"{warehouse}, {_size(warehouse.stat().st_size)}, {closed}")


def _inside(warehouse: Path) -> tuple[str | None, str | None]:
    """The release that loaded last, and the last close date, each None where there is none.

    Raises CloseError where it cannot be opened or is a database of another program.
    """
    import duckdb

    from pool_recon.loader.landing import check_tables
    from pool_recon.warehouse import connect

    found: list[str | None] = []
    with contextlib.closing(connect(warehouse, read_only=True)) as connection:
        for sql in (
            "select arg_max(tool_version, load_id) from raw.loads",
            "select cast(max(close_date) as varchar) from marts.fct_close_trend",
        ):
            try:
                row = connection.execute(sql).fetchone()
            except (duckdb.CatalogException, duckdb.BinderException):
                row = None
            found.append(row[0] if row else None)
        # The tables of a newer release may be others.
        if not (found[0] and _is_newer(found[0])):
            check_tables(connection)
    return found[0], found[1]


def _is_newer(tool_version: str) -> bool:
    from packaging.version import InvalidVersion, Version

    try:
        return Version(tool_version) > Version(__version__)
    except InvalidVersion:
        return False


def _out(set_up: SetUp) -> Iterator[Check]:
    problems = list(_writable("out folder", set_up.out))
    yield from problems
    if not problems:
        made = "" if set_up.out.exists() else ", made by the first close"
        yield Check("out folder", OK, f"{set_up.out}{made}")


def _writable(subject: str, folder: Path) -> Iterator[Check]:
    """A check where files cannot be made in `folder` or, where there is none, above it."""
    existing = _existing(folder)
    try:
        with tempfile.TemporaryFile(dir=existing):
            return
    except OSError as error:
        yield Check(
            subject,
            MEND,
            f"cannot write in {existing}: {error.strerror}",
            "give write access to it, or choose another folder",
        )


def _existing(path: Path) -> Path:
    return next(each for each in (path.absolute(), *path.absolute().parents) if each.exists())


def _disk(set_up: SetUp) -> Iterator[Check]:
    # A close works on a copy of the warehouse, into which the exports land before it is published.
    warehouse = set_up.warehouse.stat().st_size if set_up.warehouse.is_file() else 0
    needed = max(_LEAST_DISK, 2 * warehouse + 4 * _bytes_of(set_up.exports))
    from pool_recon.warehouse import TEMP_DIRECTORY, check_temp_directory

    check_temp_directory()
    temporary = os.environ.get(TEMP_DIRECTORY) or set_up.warehouse.parent
    places = {
        place.stat().st_dev: place
        for place in map(_existing, (set_up.out, Path(temporary), set_up.warehouse.parent))
    }
    for place in places.values():
        free = shutil.disk_usage(place).free
        finding = f"{_size(free)} free in {place}, about {_size(needed)} needed"
        if free < needed:
            yield Check("disk", MEND, finding, "free some, or choose other folders")
        else:
            yield Check("disk", OK, finding)


def _bytes_of(folder: Path | None) -> int:
    from pool_recon.loader import files_of

    if folder is None:
        return 0
    sizes = 0
    for export in reference.exports():
        # What is wrong with a file is said where the exports are looked at.
        with contextlib.suppress(CloseError, OSError):
            sizes += sum(file.path.stat().st_size for file in files_of(folder, export.name))
    return sizes


def _memory(_: SetUp) -> Iterator[Check]:
    import duckdb

    from pool_recon.warehouse import MEMORY_LIMIT

    limit = os.environ.get(MEMORY_LIMIT, "80%")
    try:
        duckdb.connect(config={"memory_limit": limit}).close()
    except duckdb.Error:
        finding = f"{MEMORY_LIMIT} is {limit!r}"
        yield Check("memory", MEND, finding, "write a size such as 4GB, or a share such as 80%")
        return
    total = machine.total_memory()
    finding = f"{_size(total)}, of which DuckDB may use {limit}"
    if total < _LEAST_MEMORY:
        yield Check("memory", MEND, finding, f"give it at least {_size(_LEAST_MEMORY)}")
    else:
        yield Check("memory", OK, finding)


def _notification(_: SetUp) -> Iterator[Check]:
    from pool_recon.notify import hooks

    try:
        found = hooks(())
    except ValueError as error:
        yield Check("notification", MEND, str(error), "correct the variable")
        return
    for hook in found:
        if hook.program and not shutil.which(hook.program):
            yield Check("notification", MEND, f"{hook.name} is not found", "give its full path")
        else:
            yield Check("notification", OK, f"a blocked close is told to {hook.name}")
    if not found:
        yield Check("notification", OK, "none is set up in the environment")


def _size(count: int) -> str:
    """A number of bytes, rounded: for a person to judge by."""
    for unit in ("bytes", "KB", "MB"):
        if count < 1000:
            return f"{count:,} {unit}"
        count //= 1000
    return f"{count:,} GB"
