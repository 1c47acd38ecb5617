"""What the CSV files of a package say of one another."""

from __future__ import annotations

from pathlib import Path

import duckdb

from pool_recon.audit.consistency import repetitions
from pool_recon.audit.evidence import csv_source, header_of


def contradictions(package: Path) -> list[str]:
    """Where the files of a package (OUT/YYYY-MM-DD) say different things of one record."""
    with duckdb.connect() as connection:
        for name in ("reconciliation", "orders", "quotes", "trades", "events", "ledger"):
            file = package / f"{name}.csv"
            source = csv_source(file, header_of(file))
            connection.execute(f"create view {name} as select * from {source}")
        return [f"{problem.subject}: {problem.message}" for problem in repetitions(connection)]
