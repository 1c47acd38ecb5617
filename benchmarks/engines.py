"""Load and close the same exports on every engine that is installed, and measure them.

    python benchmarks/engines.py --orders 100000 --out out/engines

Simulates exports once. Then every engine lands them (`load`) and closes them (`close`), each in a
process of its own, one after the other. Says for each step how long it took by the clock, the CPU
seconds and the peak memory of all its processes (the server of PostgreSQL and the Java of Spark
count), the seconds of each phase, and whether every file of the package is the same as that of the
first engine. Stores all of it as engines.json, with what the event log of Spark says of its work.

PostgreSQL is the database that the environment names (PGHOST), else a server that is started for
the measurement and ends with it; the processes of a server elsewhere are not measured.
"""

import argparse
import contextlib
import hashlib
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
START = date(2026, 6, 1)
ENGINES = ("duckdb", "postgres", "spark")
# What a server of 8 GB would be given; nothing here has to outlive the machine.
SERVER = (
    "shared_buffers=1GB",
    "effective_cache_size=4GB",
    "maintenance_work_mem=256MB",
    "max_wal_size=8GB",
)
# Read by this program, and by nothing else.
EVENTS = """\
spark.eventLog.enabled true
spark.eventLog.compress false
spark.eventLog.rolling.enabled false
spark.eventLog.dir {folder}
"""
_TICK = 0.5
_MEMORY_TICK = 3
_CLOCK = os.sysconf("SC_CLK_TCK")


class Usage:
    """CPU seconds and peak memory of some processes and all that they started."""

    def __init__(self, roots: list[int]) -> None:
        self._roots = roots
        self._before = self._cpu(self._tree())
        self._looked = 0.0
        self.cpu_seconds = 0.0
        self.peak_gb = 0.0

    def look(self) -> None:
        """Take in how it is now."""
        tree = self._tree()
        # What has ended and was not waited for drops out again.
        self.cpu_seconds = max(self.cpu_seconds, self._cpu(tree) - self._before)
        # Memory takes the system a while to add up, and is not gone in a moment.
        if time.monotonic() - self._looked > _MEMORY_TICK:
            self.peak_gb = max(self.peak_gb, sum(_memory(pid) for pid in tree) / 1e6)
            self._looked = time.monotonic()

    def _tree(self) -> list[int]:
        parents = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError):
                    parents[int(entry.name)] = int(_stat(int(entry.name))[1])
        tree = [pid for pid in self._roots if pid in parents]
        for pid in tree:
            tree += [child for child, parent in parents.items() if parent == pid]
        return tree

    @staticmethod
    def _cpu(tree: list[int]) -> float:
        ticks = 0
        for pid in tree:
            with contextlib.suppress(OSError):
                # Its own, and of the children that it has waited for.
                ticks += sum(int(field) for field in _stat(pid)[11:15])
        return ticks / _CLOCK


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the name, which may have blanks in it."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _memory(pid: int) -> int:
    """KB of memory, of which what several processes share is divided among them."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0


def timed(action: Callable[[Any], object]) -> dict[str, float]:
    """Run `action` with a progress that takes the time of each phase; seconds by phase."""
    from pool_recon.progress import Progress

    begun: list[tuple[str, float]] = []

    class Timed(Progress):
        def __call__(self, phase: str) -> None:
            begun.append((phase, time.perf_counter()))

    action(Timed())
    begun.append(("", time.perf_counter()))
    seconds: dict[str, float] = {}
    for (phase, start), (_, end) in pairwise(begun):
        seconds[phase] = seconds.get(phase, 0.0) + end - start
    return seconds


def measured(action: Callable[[Any], object], server: list[int]) -> dict[str, Any]:
    """Run `action` in a process of its own and measure it together with those of `server`.

    Raises RuntimeError where it fails.
    """
    reading, writing = os.pipe()
    started = time.perf_counter()
    child = os.fork()
    if child == 0:
        try:
            os.write(writing, json.dumps(timed(action)).encode())
        except BaseException as error:
            print(f"engines: {type(error).__name__}: {error}", file=sys.stderr)
            os._exit(9)
        os._exit(0)
    os.close(writing)
    usage = Usage([child, *server])
    status = 0
    while True:
        usage.look()
        ended, status, spent = os.wait4(child, os.WNOHANG)
        if ended:
            break
        time.sleep(_TICK)
    seconds = time.perf_counter() - started
    with os.fdopen(reading) as stream:
        phases = stream.read()
    if os.waitstatus_to_exitcode(status) != 0:
        raise RuntimeError("a measured step failed")
    return {
        "seconds": seconds,
        "cpu_seconds": max(usage.cpu_seconds, spent.ru_utime + spent.ru_stime),
        "peak_gb": max(usage.peak_gb, spent.ru_maxrss / 1e6),
        "phases": json.loads(phases),
    }


def load(engine: str, exports: Path, warehouse: Path, progress: Any) -> None:
    """Land the exports where a close on `engine` finds them."""
    if engine == "postgres":
        from pool_recon.postgres import load as into_postgres

        into_postgres(exports, progress)
    elif engine == "spark":
        from pool_recon.spark import load as into_spark

        into_spark(exports, warehouse, progress)
    else:
        from pool_recon.close import load as into_duckdb

        into_duckdb(exports, warehouse, progress)


def close(engine: str, exports: Path, day: date, out: Path, progress: Any) -> None:
    """Close `day` on `engine` into `out`."""
    from importlib import import_module

    from pool_recon.close import CloseRequest

    module = import_module("pool_recon.close" if engine == "duckdb" else f"pool_recon.{engine}")
    module.close(CloseRequest(exports, day, out, out / "close.duckdb"), progress)


@contextlib.contextmanager
def running(engine: str, out: Path) -> Iterator[list[int]]:
    """Start what `engine` needs; the processes that are measured besides ours."""
    if engine == "postgres" and not os.environ.get("PGHOST"):
        sys.path.insert(0, str(ROOT))
        from tests.engines.postgres_server import PostgresServer, binaries

        programs = binaries()
        if programs is None:
            raise RuntimeError("PostgreSQL is not installed (Debian: postgresql)")
        server = PostgresServer(programs, SERVER)
        try:
            os.environ.update(server.environment(server.new_database()))
            yield [server.process]
        finally:
            server.stop()
            for name in server.environment(""):
                del os.environ[name]
    elif engine == "spark":
        events = out / "spark" / "events"
        conf = out / "spark" / "conf"
        for folder in (events, conf):
            folder.mkdir(parents=True)
        own = Path(os.environ.get("SPARK_CONF_DIR", "nowhere"), "spark-defaults.conf")
        kept = own.read_text() if own.is_file() else ""
        (conf / "spark-defaults.conf").write_text(f"{kept}\n{EVENTS.format(folder=events)}")
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
        os.environ["SPARK_CONF_DIR"] = str(conf)
        yield []
    else:
        yield []


def digests(package: Path) -> dict[str, str]:
    """The SHA-256 of every file of a package by its name."""
    return {
        str(file.relative_to(package)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(package.rglob("*"))
        if file.is_file()
    }


def plan(events: Path) -> dict[str, Any]:
    """What the event log of a Spark session says of its work.

    `shuffles` counts the stages that wrote one; the five that moved the most rows come with the
    largest and the median number of rows of the tasks that read it, whose ratio is the skew.
    """
    tasks: dict[int, list[dict[str, Any]]] = {}
    jobs = 0
    with events.open() as lines:
        for line in lines:
            event = json.loads(line)
            if event["Event"] == "SparkListenerJobStart":
                jobs += 1
            elif event["Event"] == "SparkListenerTaskEnd" and event.get("Task Metrics"):
                tasks.setdefault(event["Stage ID"], []).append(event["Task Metrics"])
    figures: dict[str, Any] = {"jobs": jobs, "stages": len(tasks)}
    figures["tasks"] = sum(len(each) for each in tasks.values())

    def summed(*names: str) -> int:
        total = 0
        for metrics in (each for stage in tasks.values() for each in stage):
            value: Any = metrics
            for name in names:
                value = value[name]
            total += value
        return total

    written = ("Shuffle Write Metrics", "Shuffle Bytes Written")
    figures["shuffles"] = sum(
        any(each[written[0]][written[1]] for each in stage) for stage in tasks.values()
    )
    figures["shuffle_mb"] = summed(*written) / 1e6
    figures["shuffle_rows"] = summed("Shuffle Write Metrics", "Shuffle Records Written")
    figures["spilled_mb"] = summed("Disk Bytes Spilled") / 1e6
    figures["read_mb"] = summed("Input Metrics", "Bytes Read") / 1e6
    figures["written_mb"] = summed("Output Metrics", "Bytes Written") / 1e6
    figures["task_seconds"] = summed("Executor Run Time") / 1e3
    figures["task_cpu_seconds"] = summed("Executor CPU Time") / 1e9
    figures["garbage_seconds"] = summed("JVM GC Time") / 1e3
    peaks = (each["Peak Execution Memory"] for stage in tasks.values() for each in stage)
    figures["peak_execution_mb"] = max(peaks, default=0) / 1e6
    read = {
        stage: sorted(each["Shuffle Read Metrics"]["Total Records Read"] for each in of_stage)
        for stage, of_stage in tasks.items()
    }
    largest = sorted(read, key=lambda stage: sum(read[stage]), reverse=True)[:5]
    figures["largest"] = [
        {
            "rows": sum(read[stage]),
            "tasks": len(read[stage]),
            "median_rows": read[stage][len(read[stage]) // 2],
            "most_rows": read[stage][-1],
        }
        for stage in largest
    ]
    return figures


def table(orders: int, lines: list[dict[str, Any]]) -> str:
    """The measurements as a Markdown table."""
    rows = [
        f"{orders:,} orders",
        "",
        "| engine | step | seconds | CPU seconds | peak GB |",
        "|---|---|--:|--:|--:|",
    ]
    for line in lines:
        rows.append(
            f"| {line['engine']} | {line['step']} | {line['seconds']:.0f} "
            f"| {line['cpu_seconds']:.0f} | {line['peak_gb']:.1f} |"
        )
        rows += [
            f"| | {phase} | {seconds:.0f} | | |"
            for phase, seconds in line["phases"].items()
            if line["step"] == "close"
        ]
    return "\n".join(rows)


def store(out: Path, result: dict[str, Any]) -> None:
    """Write what was measured so far into `out`, for programs and for people."""
    (out / "engines.json").write_text(json.dumps(result, indent=2) + "\n")
    (out / "engines.md").write_text(table(result["orders"], result["lines"]) + "\n")


def main() -> None:
    """Parse the arguments, measure, print and store; exit code 1 where packages differ."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--orders", type=int, default=100_000)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=ENGINES)
    parser.add_argument("--out", type=Path, default=Path("out/engines"))
    options = parser.parse_args()
    out: Path = options.out.absolute()
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    exports = out / "exports"
    last_day = START + timedelta(days=options.days - 1)

    def simulate(_: Any) -> None:
        from pool_recon.simulate import simulate

        simulate(exports, orders=options.orders, days=options.days, seed=1, start=START)

    measured(simulate, [])
    result: dict[str, Any] = {"orders": options.orders, "days": options.days, "lines": []}
    packages: dict[str, dict[str, str]] = {}
    for engine in options.engines:
        folder = out / engine
        with running(engine, out) as server:
            steps: dict[str, Callable[[Any], object]] = {
                "load": partial(load, engine, exports, folder / "close.duckdb"),
                "close": partial(close, engine, exports, last_day, folder),
            }
            for step, action in steps.items():
                line = {"engine": engine, "step": step, **measured(action, server)}
                result["lines"].append(line)
                store(out, result)
                print(
                    f"{engine} {step}: {line['seconds']:.0f} s, CPU {line['cpu_seconds']:.0f} s, "
                    f"{line['peak_gb']:.1f} GB",
                    flush=True,
                )
        packages[engine] = digests(folder / last_day.isoformat())
    if "spark" in options.engines:
        logs = sorted((out / "spark" / "events").iterdir(), key=lambda file: file.stat().st_mtime)
        result["spark"] = plan(logs[-1])
    first, *others = packages
    result["differing"] = {
        engine: sorted(
            name
            for name in packages[first] | packages[engine]
            if packages[first].get(name) != packages[engine].get(name)
        )
        for engine in others
    }
    store(out, result)
    print(table(options.orders, result["lines"]))
    for engine, names in result["differing"].items():
        print(f"{engine}: {', '.join(names) or 'every file of the package is the same'}")
    if any(result["differing"].values()):
        sys.exit(1)


if __name__ == "__main__":
    main()
