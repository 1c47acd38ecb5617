"""Measure a close against the floor, as ratios within one run.

    python benchmarks/run.py --orders 1000000 --runs 3 --out out/benchmark

Simulates exports, then runs the floor in SQL, the floor in Polars, a full close and the close of
the day after in turn and repeatedly, each as a process of its own; after them the close of a sample
against an empty `dbt build`. With --history, the close of the last of so many days is measured
against that of day 31 of the same exports. Prints medians in seconds, peak memory in GB and ratios,
and stores them as benchmark.json, and as the tables of benchmark.md, beside the exports.
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
from typing import Any

START = date(2026, 6, 1)
HERE = Path(__file__).parent
# What a close does in turn, with the functions that do it.
PHASES = {
    "load": ("pool_recon.loader", "load_exports"),
    "build and tests": ("pool_recon.close", "build_and_test"),
    "package": ("pool_recon.close", "write_tables"),
}
# Copies of the same rows, a second reading of them, and a page and a workbook to look at are more
# than the floor has; the second reading goes on while the copies are written.
BEYOND_THE_FLOOR = {
    "Parquet copies": ("pool_recon.close", "write_parquet"),
    "second reading": ("pool_recon.close", "read_again"),
    "page and workbook": ("pool_recon.close", "write_documents"),
}
Seconds = dict[str, float]


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


def run_close(exports: Path, close_date: date, out: Path, *, is_whole: bool = False) -> Seconds:
    """Close `close_date` into the folder `out` and return the seconds of each phase.

    What the floor does not have is left out, unless the close `is_whole`.
    """
    import importlib

    from in_brief import close_in_brief

    from pool_recon.close import CloseRequest, close
    from pool_recon.progress import Progress

    if not is_whole:
        close_in_brief()
    phases = PHASES | (BEYOND_THE_FLOOR if is_whole else {})
    spent: Seconds = dict.fromkeys(phases, 0.0)

    def timed(phase: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any, **options: Any) -> Any:
            started = time.perf_counter()
            try:
                return function(*arguments, **options)
            finally:
                spent[phase] += time.perf_counter() - started

        return run

    for phase, (module_name, function_name) in phases.items():
        module = importlib.import_module(module_name)
        setattr(module, function_name, timed(phase, getattr(module, function_name)))
    request = CloseRequest(
        exports=exports, close_date=close_date, out=out, warehouse=out / "close.duckdb"
    )
    close(request, Progress())
    return spent


def measured(action: Callable[[], Seconds | None]) -> tuple[Seconds, float]:
    """Seconds, in all and by phase, and peak memory in GB of an action in a process of its own.

    What was written before is on the disk by then: a day comes a day after the one before it.
    Raises RuntimeError where the process fails; a blocked close is a success here.
    """
    os.sync()
    reading, writing = os.pipe()
    started = time.perf_counter()
    child = os.fork()
    if child == 0:
        try:
            os.write(writing, json.dumps(action() or {}).encode())
        except BaseException as error:
            print(f"benchmark: {error}", file=sys.stderr)
            os._exit(9)
        os._exit(0)
    os.close(writing)
    _, status, usage = os.wait4(child, 0)
    seconds = {"all": time.perf_counter() - started}
    with os.fdopen(reading) as stream:
        phases = stream.read()
    if os.waitstatus_to_exitcode(status) != 0:
        raise RuntimeError("a measured step failed")
    return seconds | json.loads(phases), usage.ru_maxrss / 1e6


def hold_back(exports: Path, held: Path, first_day: date) -> None:
    """Move the files of `exports` that are of `first_day` or later to `held`.

    The days before it can be closed from the folder that they will be closed from with the others.
    """
    for file in exports.rglob("*.*"):
        if file.is_file() and file.name[: len("2026-01-01")] >= first_day.isoformat():
            place = held / file.relative_to(exports)
            place.parent.mkdir(parents=True, exist_ok=True)
            file.rename(place)


def give_back(exports: Path, held: Path, day: date | None = None) -> None:
    """Move the files of `held`, or those of one day, back to `exports`."""
    for file in held.rglob("*.*"):
        if file.is_file() and (day is None or day.isoformat() in file.name):
            file.rename(exports / file.relative_to(held))


def summary(samples: dict[str, list[tuple[Seconds, float]]]) -> list[dict[str, Any]]:
    """One line per step and phase: median seconds, peak memory, and the ratio to the floor."""

    def median(step: str, phase: str) -> float:
        return statistics.median(seconds[phase] for seconds, _ in samples[step])

    floor = median("floor in SQL", "all")
    lines = []
    for step, figures in samples.items():
        total = median(step, "all")
        peak = max(memory for _, memory in figures)
        lines.append({"step": step, "seconds": total, "ratio": total / floor, "peak_gb": peak})
        lines += [
            {"step": f"{step}: {phase}", "seconds": median(step, phase)}
            for phase in figures[0][0]
            if phase != "all"
        ]
    return lines


def table(orders: int, runs: int, lines: list[dict[str, Any]]) -> str:
    """The lines as a Markdown table."""
    rows = [
        f"{orders:,} orders, medians of {runs} runs; only a whole close has "
        f"{', '.join(BEYOND_THE_FLOOR)}.",
        "",
        "| step | seconds | times the floor | peak GB |",
        "|---|--:|--:|--:|",
    ]
    for line in lines:
        ratio = f"{line['ratio']:.1f}" if "ratio" in line else ""
        peak = f"{line['peak_gb']:.1f}" if "peak_gb" in line else ""
        rows.append(f"| {line['step']} | {line['seconds']:.1f} | {ratio} | {peak} |")
    return "\n".join(rows)


def long_history(folder: Path, orders: int, days: int) -> list[dict[str, Any]]:
    """Measure the close of day 31, and that of the last of `days` days of the same exports.

    Each adds one day to a warehouse that was closed the day before. A line for each: seconds, peak
    memory, and the ratio to day 31.
    """
    exports, held, closed = folder / "exports", folder / "held", folder / "closed"

    def simulate_step() -> None:
        from pool_recon.simulate import simulate

        simulate(exports, orders=orders, days=days, seed=1, start=START)

    measured(simulate_step)
    hold_back(exports, held, START)
    lines = []
    for number in (31, days):
        day = START + timedelta(days=number - 1)
        for earlier in range(number - 1):
            give_back(exports, held, START + timedelta(days=earlier))
        measured(lambda day=day: run_close(exports, day - timedelta(days=1), closed))
        give_back(exports, held, day)
        seconds, peak = measured(lambda day=day: run_close(exports, day, closed))
        lines.append({"step": f"day {number}", "seconds": seconds["all"], "peak_gb": peak})
    shutil.rmtree(folder)
    return [line | {"ratio": line["seconds"] / lines[0]["seconds"]} for line in lines]


def history_table(orders: int, days: int, lines: list[dict[str, Any]]) -> str:
    """The lines of a long history as a Markdown table."""
    rows = [
        f"{orders:,} orders in {days} days; closes counted as above.",
        "",
        "| close of | seconds | times day 31 | peak GB |",
        "|---|--:|--:|--:|",
    ]
    rows += [
        f"| {line['step']} | {line['seconds']:.1f} | {line['ratio']:.1f} | {line['peak_gb']:.1f} |"
        for line in lines
    ]
    return "\n".join(rows)


def small_close(folder: Path, runs: int) -> list[dict[str, Any]]:
    """Measure the close of a sample, warm, against an empty `dbt build` in the same minutes.

    A line for each: median seconds, and the ratio to the empty build. That builds one model of one
    row; Python itself has started in all of them.
    """
    project, out = folder / "empty", folder / "sample"
    (project / "models").mkdir(parents=True)
    (project / "models" / "one.sql").write_text("select 1 as one\n")
    (project / "dbt_project.yml").write_text("{name: empty, version: '1.0', profile: empty}\n")
    target = f"{{type: duckdb, path: '{project / 'empty.duckdb'}'}}"
    (project / "profiles.yml").write_text(f"empty: {{target: d, outputs: {{d: {target}}}}}\n")

    def build() -> None:
        from dbt.cli.main import dbtRunner

        folders = ("--project-dir", str(project), "--profiles-dir", str(project))
        options = ("--quiet", "--no-send-anonymous-usage-stats", "--no-version-check")
        if not dbtRunner().invoke([*options, "build", *folders]).success:
            raise RuntimeError("the empty project cannot be built")

    def close_sample() -> None:
        run_close(HERE.parent / "samples" / "clean", date(2026, 6, 30), out, is_whole=True)

    def close_sample_read_once() -> None:
        import contextlib

        import pool_recon.close

        vars(pool_recon.close).update(
            second_reader=contextlib.nullcontext,
            read_again=lambda _warehouse, _package, verdict, _reader: (verdict, []),
        )
        close_sample()

    steps: dict[str, Callable[[], None]] = {
        "empty dbt build": build,
        "small close without second reading": close_sample_read_once,
        "small close": close_sample,
    }
    samples: dict[str, list[float]] = {name: [] for name in steps}
    for run in range(runs + 1):
        for name, step in steps.items():
            seconds, _ = measured(step)
            # The first of each has everything still to parse and to write.
            if run:
                samples[name].append(seconds["all"])
    shutil.rmtree(folder)
    medians = {name: statistics.median(seconds) for name, seconds in samples.items()}
    empty = medians["empty dbt build"]
    return [{"step": n, "seconds": s, "ratio": s / empty} for n, s in medians.items()]


def small_table(lines: list[dict[str, Any]]) -> str:
    """The lines of a small close as a Markdown table."""
    rows = ["| step | seconds | times the empty build |", "|---|--:|--:|"]
    rows += [f"| {line['step']} | {line['seconds']:.1f} | {line['ratio']:.1f} |" for line in lines]
    return "\n".join(rows)


def main() -> None:
    """Parse the arguments, measure, print and store."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--orders", type=int, default=1_000_000)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--history", type=int, default=0, metavar="DAYS")
    parser.add_argument("--out", type=Path, default=Path("out/benchmark"))
    options = parser.parse_args()
    exports, held = options.out / "exports", options.out / "held"
    scratch, closed = options.out / "scratch", options.out / "closed"
    # A child that ends without clean-up leaves semaphores to the system, which is as it should be.
    os.environ["PYTHONWARNINGS"] = "ignore:resource_tracker:UserWarning"
    shutil.rmtree(options.out, ignore_errors=True)
    options.out.mkdir(parents=True)
    last_day = START + timedelta(days=options.days - 1)

    def simulate_step() -> None:
        from pool_recon.simulate import simulate

        simulate(exports, orders=options.orders, days=options.days, seed=1, start=START)

    def day_before_step() -> None:
        run_close(exports, last_day - timedelta(days=1), closed)

    measured(simulate_step)
    hold_back(exports, held, last_day)
    measured(day_before_step)
    give_back(exports, held)

    def polars_step() -> None:
        # Its threads do not survive a fork, so the parent does not import it.
        from floor_polars import run_floor as run_polars_floor

        run_polars_floor(exports, scratch / "floor.parquet")

    steps: dict[str, Callable[[], Seconds | None]] = {
        "floor in SQL": lambda: run_floor(exports, scratch / "floor.duckdb"),
        "floor in Polars": polars_step,
        "full close": lambda: run_close(exports, last_day, scratch / "new"),
        "close of the day after": lambda: run_close(exports, last_day, scratch / "closed"),
        "whole close of the day after": lambda: run_close(
            exports, last_day, scratch / "closed", is_whole=True
        ),
    }
    samples: dict[str, list[tuple[Seconds, float]]] = {name: [] for name in steps}
    for _ in range(options.runs):
        for name, step in steps.items():
            shutil.rmtree(scratch, ignore_errors=True)
            scratch.mkdir()
            if "day after" in name:
                # A close replaces files and changes none.
                shutil.copytree(closed, scratch / "closed", copy_function=os.link)
            samples[name].append(measured(step))
    for folder in (scratch, closed, held):
        shutil.rmtree(folder, ignore_errors=True)
    lines = summary(samples)
    small = small_close((options.out / "small").absolute(), options.runs)
    history = (
        long_history(options.out / "history", options.orders, options.history)
        if options.history
        else []
    )
    result = {
        "orders": options.orders,
        "days": options.days,
        "runs": options.runs,
        "lines": lines,
        "small_close": small,
        "history": history,
    }
    (options.out / "benchmark.json").write_text(json.dumps(result, indent=2) + "\n")
    text = f"{table(options.orders, options.runs, lines)}\n\n{small_table(small)}"
    if history:
        text += f"\n\n{history_table(options.orders, options.history, history)}"
    (options.out / "benchmark.md").write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
