"""What one worker of a test run has made is there for the others."""

from __future__ import annotations

import fcntl
import pickle
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

Made = TypeVar("Made")

# The folder of all workers, while tests run.
_shared: list[Path] = []


def share(folder: Path) -> None:
    """Let `once` keep in `folder` what it makes, for all who name the same."""
    _shared[:] = [folder]


def once(name: str, make: Callable[[Path], Made]) -> Made:
    """What `make` gives for an empty folder, called by the first of all workers that asks for it.

    The others wait for it. The folder stays as long as the tests run; where none do, it is gone
    at once.
    """
    if not _shared:
        with tempfile.TemporaryDirectory(prefix="pool_recon_") as folder:
            return make(Path(folder))
    made = _shared[0] / f"{name}.pickle"
    with made.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            folder = _shared[0] / name
            # Somebody may have failed in it.
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            made.write_bytes(pickle.dumps(make(folder)))
        result: Made = pickle.loads(made.read_bytes())
        return result
