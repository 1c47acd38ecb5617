"""Makes the sample exports of the repository: ``python -m pool_recon.simulate.samples [DIR]``."""

from __future__ import annotations

import shutil
import sys
from datetime import date
from pathlib import Path

from pool_recon.errors import CloseError
from pool_recon.reference import export_columns, exports, project_dir
from pool_recon.simulate.documents import write_documents
from pool_recon.simulate.run import SimulationSummary, simulate

# Files of the clean sample that are not CSV, so that it shows every kind of file.
_CLEAN_FORMATS = {
    "events/2026-06-27": "jsonl",
    "ledger/2026-06-28": "csv.gz",
    "quotes/2026-06-29": "parquet",
}

# One of each, and more where a code has several causes.
_BAD_DAY_FAULTS = (
    "all:1", "quarantined_row:3", "cutoff_timing_difference:2", "unattributed_funding:2",
    "pool_not_entitled:2", "ledger_mismatch:2", "balance_mismatch:2",
    "documented_column_absent:2",
)  # fmt: skip


def write_samples(out: Path) -> tuple[SimulationSummary, SimulationSummary]:
    """Replace ``out/clean`` and ``out/bad_day``; returns what the simulator wrote of each."""
    for name in ("clean", "bad_day"):
        shutil.rmtree(out / name, ignore_errors=True)
    clean = simulate(
        out / "clean",
        orders=300,
        days=5,
        seed=38,
        start=date(2026, 6, 26),
        file_formats=_CLEAN_FORMATS,
    )
    write_documents(
        out / "clean", {e.name: [c.name for c in export_columns(e.name)] for e in exports()}
    )
    bad_day = simulate(
        out / "bad_day",
        orders=72,
        days=2,
        seed=38,
        start=date(2026, 6, 29),
        faults=_BAD_DAY_FAULTS,
    )
    return clean, bad_day


def main(arguments: list[str]) -> int:
    """Write the samples into the folder given, else into the project's own."""
    try:
        out = Path(arguments[0]) if arguments else project_dir() / "samples"
        for name, summary in zip(("clean", "bad_day"), write_samples(out), strict=True):
            print(f"{out / name}: {len(summary.files)} files, {sum(summary.rows.values())} rows, "
                  f"{len(summary.faults)} faults")  # fmt: skip
    except CloseError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
