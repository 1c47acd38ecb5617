"""Which files of a folder are exports, in the order in which they are loaded."""

import os
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pool_recon import reference
from pool_recon.errors import CloseError
from pool_recon.masking import mask

# Longest first: "csv.gz" must not be taken for an unknown "gz".
FORMATS: Final = ("csv.gz", "jsonl.gz", "csv", "jsonl", "ndjson", "json", "parquet")


@dataclass(frozen=True)
class ExportFile:
    """One file of an export.

    `relative_path` is POSIX style, relative to the exports folder, as on disk (not masked);
    `format` is one of FORMATS.
    """

    export_name: str
    path: Path
    relative_path: str
    format: str

    @property
    def masked_path(self) -> str:
        """The relative path as it may be stored and shown."""
        return mask(self.relative_path)

    def error(self, problem: str) -> CloseError:
        """Return an error that names this file and its export; secrets are masked."""
        return CloseError(mask(f"{self.relative_path} (export {self.export_name}): {problem}"))


def discover(exports_dir: Path) -> list[ExportFile]:
    """Return the export files under `exports_dir`: by export, then by relative path as bytes.

    Taken are ``<export>.<format>`` and everything of a known format at any depth in the folder
    ``<export>``. Export names are matched exactly, formats without regard to case. Names that
    begin with ``.`` or ``_`` are ignored, and so are files of other formats. Links are followed,
    except a link to a folder that contains it.

    Raises:
        CloseError: the folder does not exist or cannot be read, or a required export has no file.
    """
    if not exports_dir.is_dir():
        problem = "is not a folder" if exports_dir.exists() else "does not exist"
        raise CloseError(mask(f"{exports_dir}: the exports folder {problem}"))
    found: list[ExportFile] = []
    for export in reference.exports():
        files = files_of(exports_dir, export.name)
        if export.is_required and not files:
            raise CloseError(
                mask(
                    f"{exports_dir}: the required export {export.name} has no file; expected "
                    f"{export.name}.csv or files in a folder {export.name} "
                    f"({', '.join(sorted(FORMATS))})"
                )
            )
        found.extend(files)
    return found


def files_of(exports_dir: Path, export_name: str) -> list[ExportFile]:
    """Return the files of one export in the order in which they are loaded.

    Raises:
        CloseError: the folder cannot be read, or what is named like a file of it is none.
    """
    return sorted(_files_of(exports_dir, export_name), key=_as_bytes)


def unread(exports_dir: Path) -> list[str]:
    """Return the paths, masked, of what lies under `exports_dir` and is no file of an export.

    Names that begin with ``.`` or ``_`` are left out, and so is what `discover` refuses.

    Raises:
        CloseError: a folder cannot be read.
    """
    names = [export.name for export in reference.exports()]
    found: list[str] = []
    for entry in _entries(exports_dir):
        if entry.name in names and entry.is_dir():
            found.extend(
                path.relative_to(exports_dir).as_posix()
                for path in _walk(exports_dir, entry)
                if not format_of(path.name)
            )
        elif not entry.name.startswith((".", "_")) and not _format_of_export(entry, names):
            found.append(entry.name)
    return sorted(map(mask, found))


def passed_over(exports_dir: Path) -> list[str]:
    """Return of what is `unread` that which somebody may take for a file of an export.

    These are files of other formats in the folder of an export, and what is named almost like one:
    in capitals, in the singular, with a date or a word behind it, with another ending.

    Raises:
        CloseError: a folder cannot be read.
    """
    names = [export.name for export in reference.exports()]
    almost = re.compile("|".join(rf"{name}(?![a-z])|{name.rstrip('s')}[-_ \d]*$" for name in names))
    return [
        path
        for path in unread(exports_dir)
        if "/" in path or almost.match(path.partition(".")[0].lower())
    ]


def format_of(name: str) -> str | None:
    """Return the format that a file name stands for, or None."""
    lower = name.lower()
    return next((f for f in FORMATS if lower.endswith(f".{f}") and len(name) > len(f) + 1), None)


def _as_bytes(file: ExportFile) -> bytes:
    try:
        return file.relative_path.encode("utf-8")
    except UnicodeEncodeError:
        raise file.error("the file name is not UTF-8; rename the file") from None


def _files_of(exports_dir: Path, export_name: str) -> Iterator[ExportFile]:
    for entry in _entries(exports_dir):
        if entry.name == export_name and entry.is_dir():
            for path in _walk(exports_dir, entry):
                if file_format := format_of(path.name):
                    yield _export_file(exports_dir, export_name, path, file_format)
        elif file_format := _format_of_export(entry, (export_name,)):
            yield _export_file(exports_dir, export_name, Path(entry.path), file_format)


def _format_of_export(entry: os.DirEntry[str], export_names: Collection[str]) -> str | None:
    """The format of an entry that is named as a file of one of these exports, or None."""
    file_format = format_of(entry.name)
    if file_format and entry.name[: -len(file_format) - 1] in export_names:
        return file_format
    return None


def _walk(exports_dir: Path, export_folder: os.DirEntry[str]) -> Iterator[Path]:
    """What is no folder in the folder of an export, at any depth."""

    def files(folder: str, above: frozenset[str]) -> Iterator[Path]:
        real = os.path.realpath(folder)
        if real in above:
            return
        for entry in _entries(Path(folder)):
            if entry.name.startswith((".", "_")):
                continue
            if entry.is_dir():
                yield from files(entry.path, above | {real})
            else:
                yield Path(entry.path)

    yield from files(export_folder.path, frozenset({os.path.realpath(exports_dir)}))


def _export_file(exports_dir: Path, export_name: str, path: Path, file_format: str) -> ExportFile:
    relative = path.relative_to(exports_dir).as_posix()
    file = ExportFile(export_name, path, relative, file_format)
    if path.is_dir():
        raise file.error(f"is a folder; expected a file, or a folder with the name {export_name}")
    if not path.is_file():
        raise file.error("is no readable file (a broken link or a device?); mend or remove it")
    return file


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError as error:
        raise CloseError(mask(f"{folder}: the folder cannot be read: {error.strerror}")) from None
