"""What the server of `forking` imports before it forks: all of a close, and nothing is done."""

from __future__ import annotations

import gc
import importlib

from pool_recon import other_process
from pool_recon.expectations.runner import get_ready
from tests.harness.forking import POPEN

MODULES = (
    *("dbt.cli.main", "dbt.adapters.duckdb", "duckdb"),
    *("pool_recon.cli", "pool_recon.close", "pool_recon.loader", "pool_recon.workbook"),
)

for module in MODULES:
    importlib.import_module(module)
get_ready()
vars(other_process)["subprocess"] = POPEN
# What was imported is there for good; no process need look through it for garbage.
gc.freeze()
