"""The CSV files of a package and its manifest, from the views of a warehouse and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import duckdb

from pool_recon.package import Verdict, project_digests, write_manifest, write_tables


def write_package(
    connection: duckdb.DuckDBPyConnection, folder: Path, views: Iterable[str], verdict: Verdict
) -> dict[str, Any]:
    """Write a CSV file for each of `views` into `folder`, an empty one; returns the manifest."""
    project = project_digests()
    outputs = write_tables(connection, folder, views, project)
    return write_manifest(connection, folder, outputs, verdict, project, None)
