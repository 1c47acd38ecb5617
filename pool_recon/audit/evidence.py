"""A close package as evidence: its manifest, its files, and its CSV files as text in an engine."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import re
import stat
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Any, Final

from pool_recon.errors import CloseError
from pool_recon.long_records import options_for_records
from pool_recon.package import (
    MANIFEST_DIGEST,
    MANIFEST_VERSION,
    file_sha256,
    manifest_bytes,
    manifest_digest,
)
from pool_recon.package_manifest import MANIFEST_FILE
from pool_recon.warehouse import connect, os_reason

if TYPE_CHECKING:
    import duckdb

_SHOWN: Final = 120
_HEX: Final = re.compile(r"[0-9a-f]{64}")
# A setting is written into statements when the close is run again.
_PLAIN: Final = re.compile(r"[^'\"{}\\\x00-\x1f]+")
_ENTRY: Final[dict[str, Any]] = {"sha256": str, "size_bytes": int, "rows": int}
# What a manifest has at least: name and type, or the names and types within.
_SHAPE: Final[dict[str, Any]] = {
    "close": {"close_date": str, "time_zone": str, "cut_off_at": str},
    "settings": {},
    "verdict": {"holds": bool, "rules": {}},
    "versions": {},
    "project": {},
    "inputs": [{"export": str, "path": str, "row_name": str, **_ENTRY}],
    "outputs": [{"file": str, **_ENTRY}],
    "control_totals": {},
}


@dataclass(frozen=True)
class Problem:
    """What is not as it should be: `subject` is the file or the total, `message` says what is."""

    subject: str
    message: str


@dataclass(frozen=True)
class Manifest:
    """A manifest that vouches for itself. `sha256` is the digest that it states of itself."""

    content: Mapping[str, Any]
    sha256: str

    @property
    def close(self) -> Mapping[str, str]:
        """Close date, time zone and cut-off."""
        close: Mapping[str, str] = self.content["close"]
        return close

    @property
    def outputs(self) -> dict[str, Mapping[str, Any]]:
        """What it says of each file of the package, by path in it."""
        return {output["file"]: output for output in self.content["outputs"]}


@dataclass(frozen=True)
class Package:
    """A close package on disk. `manifest` is None where manifest.json is not what was written."""

    folder: Path
    manifest: Manifest | None
    problems: tuple[Problem, ...]

    def names(self) -> set[str]:
        """The paths of all that lies in the folder, but for the folders of files.

        Raises CloseError where the folder cannot be read.
        """
        found: set[str] = set()
        parents: set[str] = set()
        try:
            for path in self.folder.rglob("*"):
                name = path.relative_to(self.folder).as_posix()
                if path.is_file() or path.is_symlink() or not path.is_dir():
                    found.add(name)
                    parents.update(str(parent) for parent in PurePosixPath(name).parents)
                else:
                    found.add(f"{name}/")
        except OSError as error:
            raise CloseError(f"the package cannot be read: {os_reason(error)}") from error
        return {name for name in found if name.rstrip("/") == name or name[:-1] not in parents}


def read_package(folder: Path) -> Package:
    """Read a package and judge its manifest.

    Raises CloseError where that is no package, or one of another version of the manifest.
    """
    if not folder.is_dir():
        what = "is a file, not the folder of a package" if folder.exists() else "is not there"
        raise CloseError(f"{folder} {what}: name a folder such as out/2026-06-30")
    file = folder / MANIFEST_FILE
    try:
        if no_file := _no_file(file):
            return Package(folder, None, (Problem(MANIFEST_FILE, no_file),))
        raw = file.read_bytes()
    except FileNotFoundError:
        raise CloseError(
            f"{folder} is no close package: it has no {MANIFEST_FILE}, without which nothing in it "
            "can be proven"
        ) from None
    except OSError as error:
        raise CloseError(f"{file} cannot be read: {error.strerror or error}") from None
    problem, content = _judged(raw)
    if problem:
        return Package(folder, None, (Problem(MANIFEST_FILE, problem),))
    assert content is not None
    return Package(folder, Manifest(content, content[MANIFEST_DIGEST]), ())


def _judged(raw: bytes) -> tuple[str, dict[str, Any] | None]:
    """What is wrong with the bytes of a manifest, empty where nothing is; and the manifest."""
    try:
        content = json.loads(raw)
    except (ValueError, RecursionError) as error:
        return f"was changed: it is no JSON any more ({error})", None
    if not isinstance(content, dict):
        return "was changed: it is no JSON object", None
    version, stated = content.get("manifest_version"), content.get(MANIFEST_DIGEST)
    if stated is None and version == 1:
        raise CloseError(
            f"the package was made by an older version: its {MANIFEST_FILE} does not vouch for "
            "itself, so that nothing can be proven; close the date again"
        )
    try:
        canonical, digest = manifest_bytes(content), manifest_digest(content)
    except (UnicodeEncodeError, RecursionError, TypeError):
        return "was changed: it holds what no manifest can hold", None
    if stated != digest:
        return (
            f"was changed: its content has the SHA-256 {digest}, and it states "
            f"{_shown(stated)} in {MANIFEST_DIGEST}"
        ), None
    if canonical != raw:
        texts = io.BytesIO(canonical), io.BytesIO(raw)
        return f"was changed: {first_difference(*texts, 'written', 'found')}", None
    if version != MANIFEST_VERSION:
        raise CloseError(
            f"the package has a {MANIFEST_FILE} of version {_shown(version)}, and this program "
            f"knows version {MANIFEST_VERSION}: use the version of pool-recon that is stated in it"
        )
    misshapen = _misshapen(content, _SHAPE, "") or _unsafe(content)
    if misshapen:
        return f"is not one that a close writes: {misshapen}", None
    return "", content


def _misshapen(value: Any, shape: Any, place: str) -> str:
    """The first place where `value` is not of the shape; empty where it is."""
    kind: type = shape if isinstance(shape, type) else type(shape)
    # A flag is a whole number to Python.
    if not issubclass(type(value), kind) or (kind is int and type(value) is bool):
        return f"{place.lstrip('.') or 'it'} is {_shown(value)}"
    if isinstance(shape, dict):
        for name, inner in shape.items():
            if name not in value:
                return f"{place}.{name}".lstrip(".") + " is missing"
            if found := _misshapen(value[name], inner, f"{place}.{name}"):
                return found
    elif isinstance(shape, list):
        for number, entry in enumerate(value):
            if found := _misshapen(entry, shape[0], f"{place}[{number}]"):
                return found
    return ""


def _unsafe(content: Mapping[str, Any]) -> str:
    """A path that leads out of the package or is named twice, or a setting that is none."""
    for name, value in content["settings"].items():
        is_count = type(value) is int and value >= 0
        if not is_count and not (isinstance(value, str) and _PLAIN.fullmatch(value)):
            return f"settings.{_shown(name)} is {_shown(value)}"
    seen = {MANIFEST_FILE}
    for output in content["outputs"]:
        path = PurePosixPath(output["file"])
        if path.is_absolute() or ".." in path.parts or path.as_posix() != output["file"]:
            return f"{_shown(output['file'])} is no path within the package"
        if output["file"] in seen:
            return f"{_shown(output['file'])} is named twice"
        seen.add(output["file"])
        if not _HEX.fullmatch(output["sha256"]):
            return f"the SHA-256 of {output['file']} is {_shown(output['sha256'])}"
    register = content.get("register")
    if register is None:
        return ""
    return _misshapen(register, {"file": str, **_ENTRY}, "register")


def check_files(package: Package, manifest: Manifest) -> list[Problem]:
    """What is missing, what is there too many, and which files have other bytes than were written.

    Raises CloseError where the folder cannot be read.
    """
    names, outputs = package.names(), manifest.outputs
    problems = [Problem(name, "is missing") for name in outputs if name not in names]
    problems += [
        Problem(name, f"does not belong to the package: {MANIFEST_FILE} does not name it")
        for name in sorted(names - set(outputs) - {MANIFEST_FILE})
    ]
    for name, stated in outputs.items():
        if name in names and (changed := _changed(package.folder / name, stated)):
            problems.append(Problem(name, changed))
    return problems


def _no_file(path: Path) -> str:
    """What stands where a file of a package should; empty where that is a file. Raises OSError.

    To open anything else may wait for ever, or lead out of the package.
    """
    mode = path.lstat().st_mode
    if stat.S_ISREG(mode):
        return ""
    if stat.S_ISLNK(mode):
        return "is a link, which leads to no part of the package: put the file itself in its place"
    return "is no regular file: put the file that was written in its place"


def _changed(file: Path, stated: Mapping[str, Any]) -> str:
    try:
        if no_file := _no_file(file):
            return no_file
        size, digest = file.stat().st_size, file_sha256(file)
    except OSError as error:
        return f"cannot be read: {error.strerror or error}"
    if size == stated["size_bytes"] and digest == stated["sha256"]:
        return ""
    was = ""
    if size != stated["size_bytes"]:
        was = f"it has {size:,} bytes where {stated['size_bytes']:,} were written, and "
    return f"was changed: {was}its SHA-256 is {digest}, not {stated['sha256']}"


def first_difference(one: IO[bytes], other: IO[bytes], one_name: str, other_name: str) -> str:
    """Where two texts differ first: the number of the line, and the line in each of them.

    Reads a line of each at a time. Raises OSError.
    """
    for number, (line, found) in enumerate(zip_longest(one, other, fillvalue=b""), start=1):
        if line != found:
            both = min(len(line), len(found))
            at = next((place for place in range(both) if line[place] != found[place]), both)
            return (
                f"line {number:,} differs: {one_name} {_part(line, at)}, "
                f"{other_name} {_part(found, at)}"
            )
    return "no line differs"


def _part(line: bytes, at: int) -> str:
    """A line, or of a long one what is around the byte `at`."""
    if not line:
        return "has ended"
    begin = max(0, at - _SHOWN // 2)
    end = begin + _SHOWN
    part = line[begin:end].decode("utf-8", "replace")
    return repr(f"{'...' if begin else ''}{part}{'...' if end < len(line) else ''}")


def _shown(value: object) -> str:
    text = "none" if value is None else repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


@contextlib.contextmanager
def workspace() -> Iterator[tuple[duckdb.DuckDBPyConnection, Path]]:
    """Yield an engine of its own and a folder for its files; both are gone afterwards.

    It spills to disk beyond the memory limit of the environment. Raises CloseError where the
    folder cannot be made.
    """
    try:
        folder = tempfile.TemporaryDirectory(prefix="pool_recon_audit_")
    except OSError as error:
        raise CloseError(f"no folder for temporary files: {os_reason(error)}") from error
    with folder as name:
        path = Path(name)
        with contextlib.closing(connect(path / "audit.duckdb")) as connection:
            yield connection, path


def csv_source(file: Path, header: list[str]) -> str:
    """What reads a CSV file of a package in a from clause: every value as its text, empty as null.

    It fails where a record has not as many fields as `header`. Raises CloseError where the file
    cannot be read.
    """
    columns = ", ".join(f"{quoted(name)}: 'VARCHAR'" for name in header)
    try:
        options = options_for_records(file)
    except OSError as error:
        raise CloseError(f"{file} cannot be read: {error.strerror or error}") from None
    return (
        f"read_csv({quoted(str(file))}, columns = {{{columns}}}, auto_detect = false,"
        " header = true, delim = ',', quote = '\"', escape = '\"', nullstr = '',"
        f" null_padding = false, ignore_errors = false{options})"
    )


def header_of(file: Path) -> list[str]:
    """The column names of a CSV file.

    Raises CloseError where they cannot be read or repeat.
    """
    try:
        with file.open(encoding="utf-8", newline="") as stream:
            header = next(csv.reader(stream, strict=True), [])
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CloseError(f"{file} cannot be read as CSV in UTF-8: {error}") from None
    if not header or len(set(header)) < len(header):
        raise CloseError(f"{file} has no header, or one that names a column twice")
    return header


def quoted(text: str) -> str:
    """`text` as a literal of SQL."""
    return "'" + text.replace("'", "''") + "'"


def name_of(column: str) -> str:
    """`column` as an identifier of SQL."""
    return '"' + column.replace('"', '""') + '"'
