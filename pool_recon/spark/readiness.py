"""What Spark needs on this machine, looked at before it is started."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import urlsplit

from pool_recon import machine
from pool_recon.errors import Obstacle

OLDEST_JAVA: Final = 17
_EXTRA: Final = "pip install 'pool-recon[spark]'"
_INSTALL_JAVA: Final = (
    f"install Java {OLDEST_JAVA} or newer (Debian: openjdk-17-jre-headless), or set JAVA_HOME"
)
_MASTER: Final = "POOL_RECON_SPARK_MASTER"
_MEMORY: Final = "POOL_RECON_SPARK_MEMORY"
_PACKAGES: Final = ("pyspark", "dbt-spark")
# Of a cluster, whose cores are not known here.
_LEAST_PARTITIONS: Final = 8
# So that what a task sorts stays well below 100 MB.
_ROWS_OF_A_PARTITION: Final = 200_000
_UNITS: Final = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
# Of the first word to a master, in seconds.
_PATIENCE: Final = 5


def defaults(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables of profiles.yml that this machine answers where `environment` does not.

    A session on this machine is given a quarter of its memory, at least 1 GB.
    """
    if not environment.get(_MASTER, "local").startswith("local"):
        return {}
    return {_MEMORY: f"{max(machine.total_memory() // 4, 1 << 30) >> 20}m"}


def partitions(rows: int, environment: Mapping[str, str] = os.environ) -> int:
    """Into how many parts a shuffle is to divide `rows`, those of the largest export.

    At least two for each core of a session on this machine; Spark puts together what is small.
    """
    local = re.fullmatch(r"local(?:\[(\d+|\*)[^]]*\])?", environment.get(_MASTER, "local[*]"))
    named = local[1] if local else None
    cores = machine.cores() if named == "*" else int(named or 1)
    least = 2 * cores if local else _LEAST_PARTITIONS
    return max(least, -(-rows // _ROWS_OF_A_PARTITION))


def obstacles(environment: Mapping[str, str] = os.environ) -> Iterator[Obstacle]:
    """Everything for which Spark would not start here, as far as that shows without starting it."""
    for package in _PACKAGES:
        try:
            importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            yield Obstacle(f"{package} is not installed", _EXTRA)
    yield from _java(environment)
    yield from _memory(environment)
    yield from _master(environment)


def in_words(environment: Mapping[str, str] = os.environ) -> str:
    """Where Spark would run, by its settings."""
    master = environment.get(_MASTER, "local[*]")
    memory = {**defaults(environment), **environment}.get(_MEMORY, "2g")
    version = importlib.metadata.version("pyspark")
    return f"Spark {version} on {master}, {memory} of memory for each of its processes"


def _java(environment: Mapping[str, str]) -> Iterator[Obstacle]:
    home = environment.get("JAVA_HOME")
    program = shutil.which("java", path=f"{home}/bin" if home else environment.get("PATH"))
    if program is None:
        where = f"in JAVA_HOME, {home}" if home else "on the PATH"
        yield Obstacle(f"Java is not found {where}", _INSTALL_JAVA)
        return
    done = subprocess.run([program, "-version"], capture_output=True, text=True, check=False)
    found = re.search(r'version "(?:1\.)?(\d+)', done.stderr)
    if done.returncode or found is None:
        yield Obstacle(f"{program} -version ends with exit code {done.returncode}", _INSTALL_JAVA)
    elif int(found.group(1)) < OLDEST_JAVA:
        yield Obstacle(f"{program} is Java {found.group(1)}", _INSTALL_JAVA)


def _memory(environment: Mapping[str, str]) -> Iterator[Obstacle]:
    stated = environment.get(_MEMORY)
    if not stated:
        return
    size = re.fullmatch(r"(\d+)([kmgt]?)b?", stated.strip().lower())
    if size is None:
        yield Obstacle(f"{_MEMORY} is {stated!r}", "write a size such as 4g or 900m")
    elif int(size[1]) * _UNITS[size[2]] > machine.total_memory():
        total = f"{machine.total_memory() / (1 << 30):.1f} GB"
        yield Obstacle(f"{_MEMORY} is {stated}, and this machine has {total}", "ask for less")


def _master(environment: Mapping[str, str]) -> Iterator[Obstacle]:
    master = environment.get(_MASTER, "local[*]")
    if not master.startswith("spark://"):
        return
    reasons = []
    for address in master.removeprefix("spark://").split(","):
        try:
            found = urlsplit(f"//{address}")
            socket.create_connection((found.hostname, found.port or 7077), _PATIENCE).close()
        except (OSError, ValueError) as error:
            reasons.append(f"{address}: {getattr(error, 'strerror', None) or error}")
        else:
            return
    finding = f"no master answers at {master} ({'; '.join(reasons)})"
    yield Obstacle(finding, f"start it, or correct {_MASTER}")
