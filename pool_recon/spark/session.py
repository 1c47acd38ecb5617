"""The Spark session that dbt builds in, with the settings that profiles.yml gives it."""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import re
import signal
import subprocess
import tempfile
import threading
import warnings
from collections.abc import Iterator, Mapping
from functools import cache
from typing import IO, TYPE_CHECKING, Any, Final

from pool_recon.errors import CloseError
from pool_recon.reference import project_dir
from pool_recon.spark.readiness import defaults

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

TARGET: Final = "spark"
_LOGGERS: Final = ("SQLQueryContextLogger", "py4j")
# What Java, Spark and its memory manager say where there is too little of it.
_NO_MEMORY: Final = re.compile("OutOfMemoryError|UNABLE_TO_ACQUIRE_MEMORY|GC overhead limit")
# What Java ends with, whatever the reason, which it gives before.
_NO_REASON: Final = ("Error: Could not create the Java", "Error: A fatal exception has occurred")
_REMEDY: Final = "give Spark more memory (POOL_RECON_SPARK_MEMORY)"
# How long Java is waited for that does not answer any more, in seconds.
_PATIENCE: Final = 10


@contextlib.contextmanager
def session(environment: Mapping[str, str]) -> Iterator[SparkSession]:
    """Start Spark with the settings of profiles.yml, rendered with `environment` over that of ours.

    dbt finds the session in this process and builds in it. Raises CloseError where pyspark or Java
    is missing, or where the master cannot be reached.
    """
    try:
        from pyspark import SparkConf, SparkContext
        from pyspark.sql import SparkSession
    except ImportError:
        raise CloseError(
            "the target spark needs pyspark: pip install 'pool-recon[spark]'"
        ) from None
    for name in _LOGGERS:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    conf = SparkConf(loadDefaults=False)
    for name, value in _settings(environment).items():
        conf.set(name, value)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gateway, said = _java(conf)
        try:
            SparkContext(conf=conf, gateway=gateway)
        except Exception as error:
            reason = _last_line(said) or first_line(error)
            raise CloseError(_does_not_start(reason)) from error
        spark = SparkSession.builder.getOrCreate()
        try:
            yield spark
        finally:
            with contextlib.suppress(Exception):
                spark.stop()
            ended = _ended(gateway)
            if ended is not None:
                raise CloseError(f"Java ended while Spark was at work: {_why(ended, said)}")


@contextlib.contextmanager
def explained(action: str) -> Iterator[None]:
    """Turn what Spark refuses into one line."""
    try:
        from py4j.protocol import Py4JError
        from pyspark.errors import PySparkException
    except ImportError:
        yield
        return
    try:
        yield
    except (PySparkException, Py4JError) as error:
        reason = with_remedy(first_line(error), str(error))
        raise CloseError(f"Spark stopped the {action}: {reason}") from error
    except CloseError as error:
        message = str(error)
        if with_remedy(message) == message:
            raise
        # Of what dbt says only the first line is left, so that the reason has to be in it.
        raise CloseError(with_remedy(message)) from error


def with_remedy(reason: str, *details: str) -> str:
    """What Spark said, and what to do where it said that memory ran out."""
    if _REMEDY not in reason and any(_NO_MEMORY.search(text) for text in (reason, *details)):
        return f"{reason}; {_REMEDY}"
    return reason


def first_line(error: object) -> str:
    """The first line of what Spark said."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), "no message")


def _settings(environment: Mapping[str, str]) -> dict[str, str]:
    import yaml
    from jinja2 import Environment

    text = (project_dir() / "profiles.yml").read_text(encoding="utf-8")
    stated = yaml.safe_load(text)["pool_recon"]["outputs"][TARGET]["server_side_parameters"]
    variables = {**os.environ, **environment}
    variables = {**defaults(variables), **variables}
    jinja = Environment(autoescape=False)
    jinja.globals["env_var"] = variables.get
    return {name: jinja.from_string(str(value)).render() for name, value in stated.items()}


@cache
def _java(conf: Any) -> tuple[Any, IO[bytes]]:
    """The one Java process of this process, and the file that has what it said."""
    from pyspark.errors import PySparkRuntimeError
    from pyspark.java_gateway import launch_gateway

    said = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as Java is
    launch: Any = launch_gateway
    try:
        gateway = launch(conf, {"stdout": said, "stderr": said})
    except PySparkRuntimeError as error:
        raise CloseError(_does_not_start(_last_line(said) or first_line(error))) from error
    atexit.register(_end, gateway)
    return gateway, said


def _end(gateway: Any) -> None:
    """Let no thread of py4j outlive the program, which other libraries would complain about."""
    from py4j.clientserver import FinalizerWorker

    with contextlib.suppress(Exception):
        gateway.shutdown()
    for thread in threading.enumerate():
        if isinstance(thread, FinalizerWorker):
            thread.join(timeout=2)


def _ended(gateway: Any) -> int | None:
    """The exit code of Java, None where it goes on."""
    try:
        gateway.jvm.System.nanoTime()
    except Exception:
        with contextlib.suppress(subprocess.TimeoutExpired):
            gateway.proc.wait(_PATIENCE)
    code: int | None = gateway.proc.poll()
    return code


def _why(exit_code: int, said: IO[bytes]) -> str:
    """Why Java ended, in words."""
    if exit_code in (-signal.SIGKILL, 128 + signal.SIGKILL):
        return (
            "it was killed, as the system does where its memory runs out; give Spark less of it "
            "(POOL_RECON_SPARK_MEMORY), or the machine more"
        )
    return with_remedy(_last_line(said) or f"exit code {exit_code}")


def _does_not_start(reason: str) -> str:
    return (
        f"Spark does not start: {reason}; it needs Java 17 or newer (JAVA_HOME), and a master such "
        "as local[*] or spark://host:7077 (POOL_RECON_SPARK_MASTER)"
    )


def _last_line(said: IO[bytes]) -> str:
    """The last line that says why: of Java itself, or of an exception without its trace."""
    said.seek(0)
    lines = [line.strip() for line in said.read().decode(errors="replace").splitlines()]
    reasons = [line for line in lines if line and not line.startswith(("at ", *_NO_REASON))]
    of_java = [line for line in reasons if "Exception" in line or "java" in line.lower()]
    return (of_java or reasons or [""])[-1]
