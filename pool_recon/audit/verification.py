"""Proves a close package a year later: its bytes, its totals, its agreement, and a full re-run."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pool_recon.audit.consistency import (
    compare_totals,
    control_totals,
    disagreements,
    open_files,
)
from pool_recon.audit.evidence import (
    Manifest,
    Package,
    Problem,
    check_files,
    read_package,
    workspace,
)
from pool_recon.audit.rerun import check_register, find_inputs, made_otherwise, run_again
from pool_recon.dbt_runner import one_line
from pool_recon.errors import CloseError
from pool_recon.progress import Progress
from pool_recon.warehouse import os_reason

if TYPE_CHECKING:
    from pool_recon.loader import ExportFile

SUMMARY_VERSION: Final = 1


class Outcome(enum.StrEnum):
    """What became of a check."""

    PROVEN = "proven"
    NOT_PROVEN = "not proven"
    NOT_CHECKED = "not checked"


@dataclass(frozen=True)
class Check:
    """One check of a package: what it is about, what became of it, and what contradicts."""

    name: str
    outcome: Outcome
    detail: str
    problems: tuple[Problem, ...] = ()


@dataclass
class Verification:
    """What can be said of a package. `manifest_sha256` is None where the manifest was changed."""

    package: Path
    close_date: str | None = None
    manifest_sha256: str | None = None
    checks: list[Check] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def is_proven(self) -> bool:
        """True where nothing that was checked contradicts, and the package itself was checked."""
        return bool(self.checks) and all(c.outcome is not Outcome.NOT_PROVEN for c in self.checks)

    @property
    def problems(self) -> list[Problem]:
        """Everything that contradicts."""
        return [problem for check in self.checks for problem in check.problems]

    def as_json(self) -> dict[str, Any]:
        """The verification as what JSON can hold."""
        return {
            "schema_version": SUMMARY_VERSION,
            "command": "verify",
            "package": str(self.package),
            "close_date": self.close_date,
            "manifest_sha256": self.manifest_sha256,
            "proven": self.is_proven,
            "checks": [
                {
                    "check": check.name,
                    "outcome": check.outcome.value,
                    "detail": check.detail,
                    "problems": [
                        {"subject": problem.subject, "problem": problem.message}
                        for problem in check.problems
                    ],
                }
                for check in self.checks
            ],
            "notes": self.notes,
        }


def verify(
    folder: Path,
    exports: Sequence[Path] = (),
    register: Path | None = None,
    expected_sha256: str | None = None,
    progress: Progress | None = None,
) -> Verification:
    """Prove the package in `folder`, as far as what is at hand allows. It is not changed.

    With `exports`, folders of exports, the close is run again; `register` is the register file
    that it was given; `expected_sha256` is what the manifest stated of itself when it was signed
    off. Raises CloseError where there is no package or the checks cannot be run.
    """
    import duckdb

    try:
        return _verified(folder, exports, register, expected_sha256, progress or Progress())
    except duckdb.Error as error:
        raise CloseError(f"DuckDB stopped the verification: {one_line(error)}") from error
    except OSError as error:
        raise CloseError(f"the verification stopped: {os_reason(error)}") from error


def _verified(
    folder: Path,
    exports: Sequence[Path],
    register: Path | None,
    expected_sha256: str | None,
    progress: Progress,
) -> Verification:
    package = read_package(folder)
    result = Verification(folder)
    manifest = package.manifest
    if manifest is None:
        result.checks.append(_check("manifest", "", package.problems))
        for name in ("files", "rows", "totals", "agreement", "inputs", "re-run"):
            detail = "without its manifest nothing can be said of the package"
            result.checks.append(Check(name, Outcome.NOT_CHECKED, detail))
        return result
    result.close_date = manifest.close["close_date"]
    result.manifest_sha256 = manifest.sha256
    result.checks.append(_manifest(manifest, expected_sha256))
    progress("reading every file")
    changed = check_files(package, manifest)
    size = sum(output["size_bytes"] for output in manifest.content["outputs"])
    detail = f"{len(manifest.outputs)} files, {_size(size)}, byte for byte as they were written"
    result.checks.append(_check("files", detail, changed))
    if changed:
        reason = "not before every file is as it was written"
        for name in ("rows", "totals", "agreement"):
            result.checks.append(Check(name, Outcome.NOT_CHECKED, reason))
    else:
        progress("adding everything up again")
        result.checks += _content(package, manifest)
    if not exports:
        result.checks += [
            Check(name, Outcome.NOT_CHECKED, "give the exports with --exports")
            for name in ("inputs", "re-run")
        ]
        if register:
            problems, _ = check_register(manifest, register)
            result.checks.append(_check("register", "the one that the close was given", problems))
        return result
    _from_exports(result, package, manifest, exports, register, bool(changed), progress)
    return result


def _manifest(manifest: Manifest, expected: str | None) -> Check:
    problems = []
    if expected is not None and expected.lower() != manifest.sha256:
        problems.append(
            Problem(
                "manifest.json",
                f"is whole, and is another than the one expected: it states {manifest.sha256} of "
                f"itself, not {expected.lower()}",
            )
        )
    detail = "vouches for itself" + (", and is the one expected" if expected else "")
    return _check("manifest", f"{detail}, SHA-256 {manifest.sha256}", problems)


def _content(package: Package, manifest: Manifest) -> list[Check]:
    import duckdb

    with workspace() as (connection, _):
        unread = open_files(connection, package, manifest)
        rows = _check("rows", "counted again in every CSV, Parquet and JSON file", unread)
        if unread:
            reason = "not before every file can be read"
            return [rows, *(Check(n, Outcome.NOT_CHECKED, reason) for n in ("totals", "agreement"))]
        try:
            totals = compare_totals(manifest.content["control_totals"], control_totals(connection))
        except duckdb.Error as error:
            totals = [Problem("control totals", f"cannot be added up: {one_line(error)}")]
        try:
            contradictions = disagreements(connection, manifest)
        except duckdb.Error as error:
            contradictions = [Problem("the files", f"cannot be compared: {one_line(error)}")]
    count = len(manifest.content["control_totals"])
    return [
        rows,
        _check("totals", f"{count} control totals, added up again from the CSV files", totals),
        _check(
            "agreement",
            "checklist, findings, movements, balances, conservation and Parquet files agree",
            contradictions,
        ),
    ]


def _from_exports(
    result: Verification,
    package: Package,
    manifest: Manifest,
    exports: Sequence[Path],
    register: Path | None,
    is_changed: bool,
    progress: Progress,
) -> None:
    progress("reading the exports")
    inputs = find_inputs(manifest, exports)
    result.notes += inputs.notes
    count = len(manifest.content["inputs"])
    detail = f"{count} input files, as they were closed"
    result.checks.append(_check("inputs", detail, inputs.problems))
    problems, notes = check_register(manifest, register)
    result.notes += notes
    if register:
        result.checks.append(_check("register", "the one that the close was given", problems))
    reasons = []
    if inputs.problems:
        missing = len(inputs.problems)
        reasons.append(f"{missing} of {count} input files are not at hand as they were closed")
    if problems:
        reasons.append("the register is another")
    if is_changed:
        reasons.append("files of the package, which may carry its history, were changed")
    if reasons:
        because = f"impossible: {', and '.join(reasons)}"
        result.checks.append(
            Check("re-run", Outcome.NOT_PROVEN, because, (Problem("re-run", because),))
        )
        return
    result.checks.append(_rerun(result, package, manifest, inputs.files, progress))


def _rerun(
    result: Verification,
    package: Package,
    manifest: Manifest,
    files: Sequence[ExportFile],
    progress: Progress,
) -> Check:
    otherwise = made_otherwise(manifest)
    with workspace() as (_, work):
        rerun = run_again(package.folder, manifest, files, work, progress)
    if not otherwise:
        detail = f"{rerun.files} files, byte for byte the same"
        return _check("re-run", detail, rerun.problems)
    made = "; ".join(otherwise)
    if rerun.problems:
        reason = Problem("re-run", f"was not made as the package was, which may be why: {made}")
        return _check("re-run", "", [*rerun.problems, reason])
    result.notes.append(
        f"the re-run was not made as the package was ({made}), and came to the same bytes: of "
        "manifest.json all but what it says of that"
    )
    return _check("re-run", f"{rerun.files} files, byte for byte the same", [])


def _check(name: str, detail: str, problems: Sequence[Problem]) -> Check:
    outcome = Outcome.NOT_PROVEN if problems else Outcome.PROVEN
    return Check(name, outcome, "" if problems else detail, tuple(problems))


def _size(size: int) -> str:
    return f"{size / 1e6:,.1f} MB" if size >= 100_000 else f"{size:,} bytes"
