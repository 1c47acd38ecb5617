"""Measure a close against the floor, as ratios within one run.

    python benchmarks/run.py --orders 1000000 --runs 3 --out out/benchmark

Simulates exports, then runs the floor script, the load and the full close in turn and repeatedly,
each as a process of its own. Prints medians in seconds, peak memory in GB and the ratio to the
floor, and stores them as benchmark.json beside the exports.
"""

import argparse
import csv
import json
import os
import shutil
import statistics
import sys
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

START = date(2026, 6, 1)
HERE = Path(__file__).parent


def run_floor(exports: Path, warehouse: Path) -> None:
    """Run the floor script on the CSV files of `exports`, writing its fact into `warehouse`."""
    import duckdb

    columns = {}
    for export in ("orders", "quotes", "trades", "events", "ledger"):
        with next(iter(sorted((exports / export).glob("*.csv")))).open(newline="") as lines:
            header = next(csv.reader(lines))
        columns[export] = "{" + ", ".join(f"'{name}': 'VARCHAR'" for name in header) + "}"
    statement = (HERE / "floor.sql").read_text().format(exports=exports, **columns)
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute(f"set threads = {os.cpu_count()}; set TimeZone = 'UTC'")
        connection.execute(statement)


def measured(action: Callable[[], object]) -> tuple[float, float]:
    """Seconds and peak memory in GB of an action in a process of its own.

    Raises RuntimeError where the process fails; a blocked close is a success here.
    """
    started = time.perf_counter()
    child = os.fork()
    if child == 0:
        try:
            action()
        except BaseException as error:
            print(f"benchmark: {error}", file=sys.stderr)
            os._exit(9)
        os._exit(0)
    _, status, usage = os.wait4(child, 0)
    if os.waitstatus_to_exitcode(status) != 0:
        raise RuntimeError("a measured step failed")
    return time.perf_counter() - started, usage.ru_maxrss / 1e6


def main() -> None:
    """Parse the arguments, measure, print and store."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--orders", type=int, default=1_000_000)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("out/benchmark"))
    options = parser.parse_args()
    exports, scratch = options.out / "exports", options.out / "scratch"
    shutil.rmtree(options.out, ignore_errors=True)
    options.out.mkdir(parents=True)
    close_date = START + timedelta(days=options.days - 1)

    def simulate_step() -> None:
        from pool_recon.simulate import simulate

        simulate(exports, orders=options.orders, days=options.days, seed=1, start=START)

    def floor_step() -> None:
        run_floor(exports, scratch / "floor.duckdb")

    def load_step() -> None:
        from pool_recon.close import load

        load(exports, scratch / "load.duckdb", lambda _: None)

    def close_step() -> None:
        from pool_recon.close import CloseRequest, close

        close(
            CloseRequest(
                exports=exports,
                close_date=close_date,
                out=scratch / "packages",
                warehouse=scratch / "close.duckdb",
            ),
            lambda _: None,
        )

    simulated = measured(simulate_step)
    steps = {"floor": floor_step, "load": load_step, "close": close_step}
    samples: dict[str, list[tuple[float, float]]] = {name: [] for name in steps}
    for _ in range(options.runs):
        for name, step in steps.items():
            shutil.rmtree(scratch, ignore_errors=True)
            scratch.mkdir()
            samples[name].append(measured(step))
    shutil.rmtree(scratch, ignore_errors=True)
    floor = statistics.median(seconds for seconds, _ in samples["floor"])
    result = {
        "orders": options.orders,
        "simulate_seconds": round(simulated[0], 2),
        "steps": {
            name: {
                "seconds": round(statistics.median(seconds for seconds, _ in figures), 2),
                "peak_gb": round(max(memory for _, memory in figures), 2),
                "ratio_to_floor": round(
                    statistics.median(seconds for seconds, _ in figures) / floor, 2
                ),
            }
            for name, figures in samples.items()
        },
    }
    (options.out / "benchmark.json").write_text(json.dumps(result, indent=2) + "\n")
    print(f"{options.orders:,} orders, medians of {options.runs} runs")
    for name, figures in result["steps"].items():  # type: ignore[attr-defined]
        print(
            f"{name:8}{figures['seconds']:10.2f} s{figures['peak_gb']:8.2f} GB"
            f"{figures['ratio_to_floor']:8.2f} x floor"
        )


if __name__ == "__main__":
    main()
