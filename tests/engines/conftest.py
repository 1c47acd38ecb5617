from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from pool_recon import other_process
from tests.engines.postgres_server import PostgresServer, binaries
from tests.engines.spark_cluster import what_is_missing
from tests.harness.forking import POPEN

# Set where the tests of an engine are to fail, not to be skipped, without it.
REQUIRED = "POOL_RECON_ENGINES_REQUIRED"
SPARK_REQUIRED = "POOL_RECON_SPARK_REQUIRED"
SPARK_IN_BRIEF = "POOL_RECON_SPARK_IN_BRIEF"


@pytest.fixture(scope="module", autouse=True)
def _forked_second_reading() -> Iterator[None]:
    """Great Expectations is imported once for all closes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(other_process, "subprocess", POPEN)
        yield


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    programs = binaries()
    if programs is None:
        reason = "PostgreSQL is not installed: make test-engines installs it (Debian: postgresql)"
        assert not os.environ.get(REQUIRED), reason
        pytest.skip(reason)
    server = PostgresServer(programs)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def spark_in_brief() -> None:
    """Spark for one close, where only that is asked for or all of them are."""
    if not os.environ.get(SPARK_REQUIRED) and not os.environ.get(SPARK_IN_BRIEF):
        pytest.skip("Spark is tried in brief by make test-spark, at length by make test-engines")
    missing = what_is_missing()
    assert not missing, f"Spark lacks {missing}: make test-spark installs it"


@pytest.fixture(scope="session")
def spark() -> None:
    if not os.environ.get(SPARK_REQUIRED):
        # A session takes longer than all closes of DuckDB together.
        pytest.skip("Spark is tried by make test-engines")
    missing = what_is_missing()
    assert not missing, f"Spark lacks {missing}: make test-engines installs it"
