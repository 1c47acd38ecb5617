"""What a Spark session is given by the machine and by the data, and what is said where it ends."""

from __future__ import annotations

import io
import subprocess
from types import SimpleNamespace

import pytest

from pool_recon import machine
from pool_recon.errors import CloseError
from pool_recon.spark import session
from pool_recon.spark.readiness import defaults, partitions

GB = 1 << 30


@pytest.mark.parametrize(
    ("total", "environment", "expected"),
    [
        (16 * GB, {}, {"POOL_RECON_SPARK_MEMORY": "4096m"}),
        (2 * GB, {"POOL_RECON_SPARK_MASTER": "local[2]"}, {"POOL_RECON_SPARK_MEMORY": "1024m"}),
        (16 * GB, {"POOL_RECON_SPARK_MASTER": "spark://host:7077"}, {}),
    ],
)
def test_memory_by_the_machine(
    total: int,
    environment: dict[str, str],
    expected: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(machine, "total_memory", lambda: total)
    assert defaults(environment) == expected
    assert session._settings({"POOL_RECON_SPARK_MEMORY": "3g", **environment})[
        "spark.driver.memory"
    ] == ("3g")


@pytest.mark.parametrize(
    ("rows", "master", "expected"),
    [
        (0, "local", 2),
        (0, "local[3]", 6),
        (0, "local[3, 4]", 6),
        (0, "local[*]", 10),
        (0, "yarn", 8),
        (2_000_000, "local[*]", 10),
        (2_000_001, "local[*]", 11),
        (20_000_000, "spark://host:7077", 100),
    ],
)
def test_partitions_by_the_rows_and_the_cores(
    rows: int, master: str, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "cores", lambda: 5)
    assert partitions(rows, {"POOL_RECON_SPARK_MASTER": master}) == expected


def java(exit_code: int, said: str = "") -> str:
    """What is said of a Java that ended."""
    return session._why(exit_code, io.BytesIO(said.encode()))


def test_java_that_was_killed_is_said_to_lack_memory() -> None:
    assert java(-9) == java(137)
    assert "it was killed, as the system does where its memory runs out" in java(-9)


def test_java_whose_heap_is_full_is_said_to_lack_memory() -> None:
    said = "Terminating due to java.lang.OutOfMemoryError: Java heap space\n"
    assert java(3, said) == f"{said.strip()}; give Spark more memory (POOL_RECON_SPARK_MEMORY)"


def test_java_that_said_nothing_is_known_by_its_exit_code() -> None:
    assert java(143) == "exit code 143"


def test_of_options_that_java_does_not_know_the_reason_is_given() -> None:
    said = "Unrecognized VM option 'No'\nError: Could not create the Java Virtual Machine.\n"
    assert java(1, said) == "Unrecognized VM option 'No'"


def test_java_is_waited_for_that_is_about_to_end() -> None:
    """Its line comes before that of the connection that broke."""
    with subprocess.Popen(["sh", "-c", "sleep 0.2; exit 4"]) as process:
        assert session._ended(SimpleNamespace(proc=process)) == 4


def test_java_that_answers_goes_on() -> None:
    answering = SimpleNamespace(System=SimpleNamespace(nanoTime=lambda: 1))
    gateway = SimpleNamespace(jvm=answering, proc=SimpleNamespace(poll=lambda: None))
    assert session._ended(gateway) is None


@pytest.mark.parametrize(
    "reason",
    [
        "the model a cannot be built: java.lang.OutOfMemoryError: Java heap space",
        "the model a cannot be built: [UNABLE_TO_ACQUIRE_MEMORY] Unable to acquire 65536 bytes",
    ],
)
def test_what_dbt_says_of_memory_comes_with_what_to_do(reason: str) -> None:
    with pytest.raises(CloseError) as raised, session.explained("close"):
        raise CloseError(reason)
    assert str(raised.value) == f"{reason}; give Spark more memory (POOL_RECON_SPARK_MEMORY)"


def test_what_has_nothing_to_do_with_memory_stays_as_it_is() -> None:
    error = CloseError("the model a cannot be built: no")
    with pytest.raises(CloseError) as raised, session.explained("close"):
        raise error
    assert raised.value is error
