"""What can be made again at any time, kept for the user from run to run."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path


def read_own(file: Path) -> bytes | None:
    """What is in a file of the cache; None where there is none, or others may have written it.

    To read a manifest, or compiled code, is to run what is in it.
    """
    try:
        with file.open("rb") as stream:
            status = os.fstat(stream.fileno())
            if status.st_uid != os.geteuid() or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
                return None
            return stream.read()
    except OSError:
        return None


def write_own(file: Path, content: bytes) -> None:
    """Put `content` into a file of the cache, whole, for nobody else. Raises OSError."""
    file.parent.mkdir(parents=True, exist_ok=True)
    # Another close may do the same at this moment.
    part = file.with_name(f"{file.name}.{os.getpid()}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
    part.replace(file)


def cache_folder(project_dir: Path, target: str) -> Path:
    """The folder for what can be made again of a project, within the cache of the user."""
    home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    name = hashlib.sha256(f"{project_dir}|{target}".encode()).hexdigest()[:16]
    return Path(home).expanduser() / "pool-recon" / name
