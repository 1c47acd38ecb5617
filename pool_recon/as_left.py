"""Whether a warehouse still is the file that a close left: nobody wrote to it since.

It is told by what the file system says of it, and by the headers of the file, of which DuckDB
writes one anew whenever anything in it changes. What is noted is a cache: without it, a close reads
all that has landed to know that it is what it was.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

_FILE: Final = "as_left.json"
_VERSION: Final = 1
# Where a file of DuckDB has its headers: what it is, and twice where the rest of it is.
_HEADERS: Final = 3 * 4096

# Device, inode, size, time of modification in nanoseconds, SHA-256 of the headers.
Signature = list[int | str]


def note_as_left(signature: Signature, folder: Path) -> None:
    """Keep in `folder` what a close has published: its `signature` from before it could be found.

    That it cannot be kept costs nothing but the time of the next close.
    """
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        noted = {"version": _VERSION, "warehouse": signature}
        part = folder / f"{_FILE}.{os.getpid()}"
        part.write_text(json.dumps(noted), encoding="utf-8")
        part.replace(folder / _FILE)


def is_as_left(warehouse: Path, folder: Path) -> bool:
    """Whether `warehouse` is what was noted last in `folder`."""
    try:
        noted = json.loads((folder / _FILE).read_text(encoding="utf-8"))
        expected = {"version": _VERSION, "warehouse": signature_of(warehouse)}
    except (OSError, ValueError):
        return False
    return bool(noted == expected)


def signature_of(warehouse: Path) -> Signature:
    """What tells a file from others and from itself before a change; to rename it is none.

    Raises OSError.
    """
    with warehouse.open("rb") as stream:
        headers = hashlib.sha256(stream.read(_HEADERS)).hexdigest()
    status = warehouse.stat()
    return [status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, headers]
