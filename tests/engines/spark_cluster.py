"""What Spark needs here, and a cluster of separate processes on loopback."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

# Nothing that is compiled with care pays off with so few rows.
SMALL = """\
spark.sql.codegen.wholeStage false
spark.sql.codegen.factoryMode NO_CODEGEN
spark.driver.defaultJavaOptions \
-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=240m -XX:+UseSerialGC
"""
_PATIENCE = 60


def small_session(patch: pytest.MonkeyPatch, folder: Path, master: str) -> None:
    """Let sessions be as small as their rows are few; `folder` is for their settings."""
    (folder / "spark-defaults.conf").write_text(SMALL, encoding="utf-8")
    patch.setenv("SPARK_CONF_DIR", str(folder))
    patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
    patch.setenv("POOL_RECON_SPARK_MASTER", master)
    patch.setenv("POOL_RECON_SPARK_PARTITIONS", "1")
    patch.setenv("POOL_RECON_SPARK_MEMORY", "1g")


def what_is_missing() -> str:
    """What Spark lacks to run here; empty where it can."""
    missing = [
        f"the package {package}"
        for package, module in (("pyspark", "pyspark"), ("dbt-spark", "dbt.adapters.spark"))
        if importlib.util.find_spec(module) is None
    ]
    if not java():
        missing.append("Java (Debian: openjdk-17-jre-headless)")
    return " and ".join(missing)


def java() -> str | None:
    home = os.environ.get("JAVA_HOME")
    return shutil.which("java", path=f"{home}/bin" if home else None)


class SparkCluster:
    """A master and workers, each a process group of its own with the executors that it starts."""

    def __init__(self, folder: Path, workers: int) -> None:
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.master = f"spark://127.0.0.1:{port}"
        self._started: list[subprocess.Popen[bytes]] = []
        try:
            self._start("Master", "--port", str(port))
            self.workers = [
                self._start(
                    "Worker", *("-c", "1", "-m", "1g", "-d", str(folder / str(n))), self.master
                )
                for n in range(workers)
            ]
            self._wait_for(folder / "Master-0.log", "Registering worker", workers)
        except BaseException:
            self.stop()
            raise

    def _start(self, role: str, *options: str) -> subprocess.Popen[bytes]:
        import pyspark

        log = self.folder / f"{role}-{sum(role in str(p.args) for p in self._started)}.log"
        with log.open("wb") as said:
            process = subprocess.Popen(
                [
                    str(Path(pyspark.__file__).parent / "bin" / "spark-class"),
                    f"org.apache.spark.deploy.{role.lower()}.{role}",
                    *("--host", "127.0.0.1", "--webui-port", "0"),
                    *options,
                ],
                stdout=said,
                stderr=said,
                env={**os.environ, "SPARK_LOCAL_IP": "127.0.0.1"},
                start_new_session=True,
            )
        self._started.append(process)
        return process

    def _wait_for(self, log: Path, line: str, times: int) -> None:
        for _ in range(_PATIENCE * 10):
            if log.exists() and log.read_text(encoding="utf-8").count(line) >= times:
                return
            time.sleep(0.1)
        raise AssertionError(f"{line!r} did not come {times} times: {log.read_text()[-2000:]}")

    def ran_tasks(self, number: int) -> int:
        """How many tasks the executors of a worker have finished."""
        logs = self.folder.joinpath(str(number)).glob("app-*/*/stderr")
        return sum(log.read_text(encoding="utf-8").count("Finished task") for log in logs)

    def kill_worker(self, number: int) -> None:
        """Kill a worker with its executors, as a machine does that stops."""
        os.killpg(self.workers[number].pid, signal.SIGKILL)
        self.workers[number].wait()

    def stop(self) -> None:
        """Stop what is still there."""
        for process in self._started:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
