from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.engines.postgres_server import PostgresServer, binaries

# Set where the tests of an engine are to fail, not to be skipped, without it.
REQUIRED = "POOL_RECON_ENGINES_REQUIRED"


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
