"""Close packages changed by hand, openly or so that their manifests vouch for the change."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pool_recon.package import MANIFEST_DIGEST, file_sha256, manifest_bytes, manifest_digest

Rows = list[dict[str, str]]


def copied(package: Path, target: Path) -> Path:
    """A copy of a package at another place."""
    shutil.copytree(package, target)
    return target


def files(package: Path) -> list[str]:
    """The paths of all files of a package."""
    return sorted(p.relative_to(package).as_posix() for p in package.rglob("*") if p.is_file())


def manifest_of(package: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((package / "manifest.json").read_bytes())
    return content


def sign(package: Path, change: Callable[[dict[str, Any]], Any] = lambda manifest: None) -> Path:
    """Write a manifest that vouches for the files as they are: what a forger would do."""
    manifest = manifest_of(package)
    for output in manifest["outputs"]:
        file = package / output["file"]
        output |= {"sha256": file_sha256(file), "size_bytes": file.stat().st_size}
        if file.suffix == ".csv":
            with file.open(encoding="utf-8", newline="") as stream:
                output["rows"] = sum(1 for _ in csv.reader(stream)) - 1
    change(manifest)
    manifest[MANIFEST_DIGEST] = manifest_digest(manifest)
    (package / "manifest.json").write_bytes(manifest_bytes(manifest))
    return package


def edit(package: Path, name: str, change: Callable[[Rows], Rows | None]) -> None:
    """Rewrite the rows of a CSV file: `change` alters them, or returns others."""
    file = package / f"{name}.csv"
    with file.open(encoding="utf-8", newline="") as stream:
        reader = csv.DictReader(stream)
        columns, rows = list(reader.fieldnames or ()), list(reader)
    rows = change(rows) or rows
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
