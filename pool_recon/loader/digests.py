"""Digests of files that were read before, so that a file that did not change is not read again.

A file is taken for unchanged as git does it: by its path and by what the file system says of it,
the time of its last change (ctime) included, which no program can set. What was changed shortly
before it was read may be changed once more without another time: of such a file nothing is kept,
and it is read again by the next load. The digests are a cache: without them, a load only takes
longer.
"""

import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from pool_recon.loader.discovery import ExportFile

_FILE: Final = "digests.json"
_VERSION: Final = 1
# More than the granularity of the times of any file system in use, FAT's two seconds included.
_SETTLED_AFTER_NS: Final = 3_000_000_000

# Size, times of modification and of change, inode and device.
Signature = tuple[int, int, int, int, int]


class Digests:
    """The SHA-256 of files by their signatures, kept in `folder`; without one nothing is kept."""

    def __init__(self, folder: Path | None = None) -> None:
        self._file = folder / _FILE if folder else None
        self._known = _read(self._file) if self._file else {}
        self._seen: dict[str, list[object]] = {}

    def known(self, file: ExportFile) -> tuple[str, int] | None:
        """The SHA-256 and the size of a file that did not change since it was read, else None."""
        found = signature(file)
        entry = self._known.get(_key(file)) if found else None
        if not found or not entry or entry[:-1] != list(found):
            return None
        self._seen[_key(file)] = entry
        return str(entry[-1]), found[0]

    def note(self, file: ExportFile, before: Signature | None, read_at: int, sha256: str) -> None:
        """Take down the digest of a file that was read.

        `before` is its signature before it was read, which began at `read_at`, in nanoseconds.
        """
        if before and before == signature(file) and before[2] + _SETTLED_AFTER_NS < read_at:
            self._seen[_key(file)] = [*before, sha256]

    def save(self) -> None:
        """Keep what is known of the files that were seen, and of no others.

        That it cannot be kept costs nothing but the time of the next load.
        """
        if self._file is None or self._seen == self._known:
            return
        part = self._file.with_suffix(f".{os.getpid()}")
        with suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            part.write_text(json.dumps({"version": _VERSION, "files": self._seen}))
            part.replace(self._file)


def signature(file: ExportFile) -> Signature | None:
    """What the file system says of a file; None where it says nothing."""
    try:
        status = file.path.stat()
    except OSError:
        return None
    return (
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
        status.st_ino,
        status.st_dev,
    )


def _key(file: ExportFile) -> str:
    # A path may hold what must not be stored.
    return hashlib.sha256(os.fsencode(file.path.absolute())).hexdigest()


def _read(file: Path) -> dict[str, list[object]]:
    try:
        kept = json.loads(file.read_text())
        if kept["version"] == _VERSION:
            return dict(kept["files"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return {}
