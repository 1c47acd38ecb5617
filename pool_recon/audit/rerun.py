"""The close run again from its exports, in a warehouse of its own: the same bytes, or why not.

A package depends on the landed files and their order, the register, the settings, what earlier
closes found, and the project and program that made it. The manifest and the files of the package
carry or name all of it, so that neither the warehouse nor earlier exports are needed.
"""

from __future__ import annotations

import contextlib
import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pool_recon.audit.evidence import (
    Manifest,
    Problem,
    csv_source,
    first_difference,
    header_of,
    name_of,
    read_package,
)
from pool_recon.console import plural
from pool_recon.errors import CloseError
from pool_recon.long_records import allow_long_values
from pool_recon.package import (
    HISTORY_BALANCES,
    HISTORY_CLOSES,
    HISTORY_FINDINGS,
    HISTORY_FOLDER,
    MANIFEST_DIGEST,
    file_sha256,
    manifest_bytes,
    project_digests,
    versions,
)
from pool_recon.package_manifest import MANIFEST_FILE
from pool_recon.progress import Progress
from pool_recon.warehouse import connect, os_reason

if TYPE_CHECKING:
    import duckdb

    from pool_recon.loader import ExportFile
    from pool_recon.register import Register

# What the manifest says of how it was made, and not of what: it may differ where all else is equal.
_MADE_WITH: Final = ("versions", "project")
_OF_ITSELF: Final = (*_MADE_WITH, MANIFEST_DIGEST)
_TEXTS: Final = frozenset({".csv", ".json", ".html"})
_BINARY: Final = {".parquet": "a Parquet file", ".xlsx": "a workbook"}


@dataclass(frozen=True)
class Inputs:
    """The input files of a close, found in folders of exports, in the order of landing."""

    files: tuple[ExportFile, ...]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...] = ()


@dataclass
class Rerun:
    """What came of running a close again: what differs, and how it was made otherwise."""

    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    files: int = 0


def find_inputs(manifest: Manifest, folders: Sequence[Path]) -> Inputs:
    """Find each input file of the manifest by its path and content, else by its content alone.

    Raises CloseError where a folder cannot be read.
    """
    from pool_recon import reference
    from pool_recon.loader.discovery import ExportFile, files_of, format_of
    from pool_recon.masking import MASK

    # A folder that keeps files of earlier days need not have every export.
    there = [
        file
        for folder in folders
        for export in reference.exports()
        for file in files_of(folder, export.name)
    ]
    digests: dict[Path, str] = {}

    def is_it(file: ExportFile, stated: Mapping[str, Any]) -> bool:
        try:
            if file.path.stat().st_size != stated["size_bytes"]:
                return False
            if file.path not in digests:
                digests[file.path] = file_sha256(file.path)
        except OSError as error:
            raise CloseError(f"an export cannot be read: {os_reason(error)}") from error
        return bool(digests[file.path] == stated["sha256"])

    found, problems, moved = [], [], 0
    for stated in manifest.content["inputs"]:
        path, export = stated["path"], stated["export"]
        of_export = [file for file in there if file.export_name == export]
        at_path = [file for file in of_export if file.masked_path == path]
        if match := next((file for file in at_path if is_it(file, stated)), None):
            found.append(match)
            continue
        elsewhere = next((file for file in of_export if is_it(file, stated)), None)
        file_format = format_of(path)
        # A masked path does not tell what the file was called, and its name counts.
        if elsewhere and file_format and MASK not in path:
            found.append(ExportFile(export, elsewhere.path, path, file_format))
            moved += 1
            continue
        if at_path:
            digest = digests.get(at_path[0].path) or file_sha256(at_path[0].path)
            problem = f"has another content than was closed: its SHA-256 is {digest}"
        else:
            problem = "is not in the exports"
        problems.append(
            Problem(
                f"input {stated['row_name']}",
                f"{problem}; expected {stated['size_bytes']:,} bytes with the SHA-256 "
                f"{stated['sha256']}",
            )
        )
    notes = []
    if moved:
        was, names = ("was", "another name") if moved == 1 else ("were", "other names")
        notes.append(f"{plural(moved, 'input file')} {was} found under {names}")
    used = {file.path for file in found}
    if extra := sum(file.path not in used for file in there):
        verb = "is" if extra == 1 else "are"
        notes.append(f"{plural(extra, 'file')} of the exports {verb} no part of this close")
    return Inputs(tuple(found), tuple(problems), tuple(notes))


def check_register(manifest: Manifest, given: Path | None) -> tuple[list[Problem], list[str]]:
    """Hold a register file against the one that the close was given.

    Raises CloseError where it cannot be read.
    """
    stated = manifest.content.get("register")
    if given is None:
        if stated is None:
            return [], []
        return [], [
            f"the register {stated['file']} was not given: its rows are taken from register.csv"
        ]
    if stated is None:
        return [Problem(f"register {given.name}", "was given, and the close had no register")], []
    try:
        digest = file_sha256(given)
    except OSError as error:
        raise CloseError(f"{given} cannot be read: {error.strerror or error}") from None
    if digest == stated["sha256"]:
        return [], []
    return [
        Problem(
            f"register {given.name}",
            f"is not the one that the close was given: its SHA-256 is {digest}, not "
            f"{stated['sha256']}",
        )
    ], []


def made_otherwise(manifest: Manifest) -> list[str]:
    """In what this program and its project differ from those that made the package."""
    now: dict[str, Mapping[str, str]] = {"versions": versions(), "project": project_digests()}
    differences = []
    for part in _MADE_WITH:
        stated, present = manifest.content[part], now[part]
        for name in sorted({*stated, *present}):
            if stated.get(name) == present.get(name):
                continue
            if part == "versions":
                was, is_now = stated.get(name, "none"), present.get(name, "none")
                differences.append(f"{name} {was} made the package, and this is {is_now}")
            else:
                what = "the code of pool_recon" if name == "pool_recon" else name
                differences.append(f"{what} has changed since")
    return differences


def run_again(
    package: Path,
    manifest: Manifest,
    files: Sequence[ExportFile],
    work: Path,
    progress: Progress,
) -> Rerun:
    """Close again in `work`, an empty folder, and compare every file byte for byte.

    Raises CloseError where the close cannot be run, OSError and duckdb.Error.
    """
    from pool_recon.close import write_close
    from pool_recon.dbt_runner import BuildSettings, build_and_test
    from pool_recon.expectations.ahead import second_reader
    from pool_recon.loader import load_files
    from pool_recon.reference import project_dir
    from pool_recon.register import replace_register

    warehouse, again = work / "pool_recon.duckdb", work / "package"
    again.mkdir()
    register = _register(package, manifest)
    with contextlib.closing(connect(warehouse)) as connection:
        load_files(connection, list(files), progress=progress)
        if problems := _landed_otherwise(connection, manifest):
            return Rerun(problems)
        replace_register(connection, register)
        restore_history(connection, package)
    settings = dict(manifest.content["settings"])
    workbook_rows = settings.pop("workbook_rows", None)
    progress("reading the dbt project")
    with second_reader() as reader:
        nodes = build_and_test(
            BuildSettings(
                project_dir=project_dir(),
                warehouse=warehouse,
                state_dir=work / "dbt",
                close_date=_close_date(manifest),
                time_zone=manifest.close["time_zone"],
                variables=settings,
                progress=progress,
            )
        )
        write_close(warehouse, again, nodes, register, workbook_rows, progress, reader)
    return _compared(package, again, manifest)


def restore_history(connection: duckdb.DuckDBPyConnection, package: Path) -> None:
    """Give a new warehouse what the package carries of earlier closes.

    Raises CloseError where the files are not there, duckdb.Error where they say something else.
    Balances may not be there: a package had none of them once.
    """
    folder = package / HISTORY_FOLDER
    closes, findings = folder / HISTORY_CLOSES, folder / HISTORY_FINDINGS
    columns, shown = header_of(closes), header_of(findings)
    figures = [column for column in columns if column != "close_date"]
    values = [column for column in shown if not column.endswith("_close_date")]
    listed, typed = (
        ", ".join(map(name_of, figures)),
        ", ".join(f"cast({name_of(column)} as bigint) as {name_of(column)}" for column in figures),
    )
    connection.execute(
        f"""
        create schema history;
        create temp table closes as select * from {csv_source(closes, columns)};
        create temp table shown as select * from {csv_source(findings, shown)};
        """
    )
    count = connection.execute("select count(*) from closes").fetchone()
    if not count or not count[0]:
        return
    # How often a date was closed, and what an earlier run of it found, is not published.
    connection.execute(
        f"""
        create table history.close_results as
        select cast(close_date as date) as close_date, cast(1 as integer) as run_number, {typed}
        from closes
        where ({listed}) is distinct from ({", ".join("null" for _ in figures)});
        create table history.close_verdicts as
        select
            cast(closes.close_date as date) as close_date,
            cast(1 as integer) as run_number,
            {", ".join(f"shown.{name_of(column)}" for column in values)}
        from closes
        inner join shown
            on closes.close_date between shown.first_close_date and shown.last_close_date;
        create table history.close_log as
        select
            cast(closes.close_date as date) as close_date,
            cast(1 as integer) as run_number,
            cast(1 as integer) as verdict_run_number,
            count(verdicts.exception_id) as finding_count,
            cast(null as varchar) as findings_hash
        from closes
        left join history.close_verdicts as verdicts
            on cast(closes.close_date as date) = verdicts.close_date
        group by closes.close_date;
        """
    )
    balances = folder / HISTORY_BALANCES
    if balances.is_file():
        connection.execute(
            f"""
            create table history.close_balances as
            select
                cast(close_date as date) as close_date,
                cast(1 as integer) as run_number,
                strptime(cut_off_at, '%Y-%m-%dT%H:%M:%SZ') as cut_off_at,
                environment,
                partner_id,
                asset,
                cast(closing as decimal(38, 18)) as closing
            from {csv_source(balances, header_of(balances))}
            """
        )


def _register(package: Path, manifest: Manifest) -> Register | None:
    """The register that the close was given, its rows as the package publishes them."""
    from pool_recon.register import COLUMNS, Register, RegisterRow

    stated = manifest.content.get("register")
    if stated is None:
        return None
    allow_long_values()
    with (package / "register.csv").open(encoding="utf-8", newline="") as stream:
        rows = [
            RegisterRow(int(row["line_number"]), **{column: row[column] for column in COLUMNS})
            for row in csv.DictReader(stream, strict=True)
        ]
    return Register(stated["file"], stated["sha256"], stated["size_bytes"], tuple(rows))


def _landed_otherwise(connection: duckdb.DuckDBPyConnection, manifest: Manifest) -> list[Problem]:
    """The input files that landed under another name, or with another number of rows."""
    landed = connection.execute(
        "select row_name, row_count from raw.files order by file_id"
    ).fetchall()
    stated = [(entry["row_name"], entry["rows"]) for entry in manifest.content["inputs"]]
    return [
        Problem(f"input {row_name}", f"lands as {found[0]} with {found[1]:,} rows, not {rows:,}")
        for (row_name, rows), found in zip(stated, landed, strict=True)
        if found != (row_name, rows)
    ]


def _close_date(manifest: Manifest) -> date:
    try:
        return date.fromisoformat(manifest.close["close_date"])
    except ValueError:
        raise CloseError(
            f"{MANIFEST_FILE} states the close date {manifest.close['close_date']!r}, which is "
            "none: the close cannot be run again"
        ) from None


def _compared(package: Path, again: Path, manifest: Manifest) -> Rerun:
    made = read_package(again)
    assert made.manifest is not None
    written, found = manifest.outputs, made.manifest.outputs
    rerun = Rerun(files=len(found) + 1)
    for name in sorted({*written, *found}):
        if name not in found:
            rerun.problems.append(Problem(name, "the re-run does not write this file"))
        elif name not in written:
            rerun.problems.append(Problem(name, "the re-run writes this file too"))
        elif written[name]["sha256"] != found[name]["sha256"]:
            rerun.problems.append(Problem(name, _how(package / name, again / name)))
    ours, theirs = (
        manifest_bytes({k: v for k, v in content.items() if k not in _OF_ITSELF})
        for content in (manifest.content, made.manifest.content)
    )
    # Where a file differs the manifest does so of necessity; it is named where nothing else is.
    if ours != theirs and not rerun.problems:
        difference = first_difference(
            io.BytesIO(ours), io.BytesIO(theirs), "written", "in the re-run"
        )
        rerun.problems.append(Problem(MANIFEST_FILE, f"differs in the re-run: {difference}"))
    return rerun


def _how(written: Path, again: Path) -> str:
    if written.suffix in _TEXTS:
        with written.open("rb") as one, again.open("rb") as other:
            difference = first_difference(one, other, "written", "in the re-run")
        return f"differs in the re-run: {difference}"
    kind = _BINARY.get(written.suffix, "a file")
    return (
        f"differs in the re-run: {kind} of {written.stat().st_size:,} bytes, "
        f"{again.stat().st_size:,} in the re-run"
    )
