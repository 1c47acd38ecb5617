"""A warehouse and a package that are published, if the process lives that long."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pool_recon.warehouse import connect, package_folder, publish, working_copy

DATE = "2026-06-30"
KILLED = 9
CHANGES = ("rename", "replace", "unlink", "rmdir", "write_text", "mkdir")


def publish_state(root: Path, state: str) -> None:
    """Publish a warehouse and a package that both say `state`."""
    with working_copy(root / "w.duckdb") as copy, package_folder(root / "out", DATE) as package:
        with contextlib.closing(connect(copy.file)) as connection:
            connection.execute("create or replace table state as select ? as state", [state])
        for name in ("manifest.json", f"{state}.csv"):
            (package.new / name).write_text(json.dumps(state), encoding="utf-8")
        publish(copy, package)


def publish_and_die(root: Path, state: str, step: int) -> None:
    """Publish `state`, and end with the exit code KILLED at change `step` to the file system."""
    left = step

    def dying(change: Callable[..., Any]) -> Callable[..., Any]:
        def changed(*arguments: object, **options: object) -> object:
            nonlocal left
            left -= 1
            if left == 0:
                os._exit(KILLED)
            return change(*arguments, **options)

        return changed

    for name in CHANGES:
        setattr(Path, name, dying(getattr(Path, name)))
    publish_state(root, state)
