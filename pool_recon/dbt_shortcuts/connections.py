"""One connection to PostgreSQL for all that a thread builds, and not one for each node.

dbt connects anew for every node. The server starts a process for each of these connections, which
has nothing of the catalog in memory yet: half of what a small build costs a server. This takes the
place of two methods of dbt, for as long as a build lasts.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any, Final

from dbt.adapters.base.connections import BaseConnectionManager

# What was idle for longer, in seconds, may have been cut off by the server or on the way to it.
_PATIENCE: Final = 5.0
_RELEASED: Final = "released_at"


@contextlib.contextmanager
def connected_once_a_thread() -> Iterator[None]:
    """Let a thread go on with its connection to PostgreSQL, in which nothing is left open."""
    manager: Any = BaseConnectionManager
    closed, named = manager.release, manager.set_connection_name

    def release(self: Any) -> None:
        connection = self.get_if_exists()
        if self.TYPE != "postgres" or connection is None or connection.state != "open":
            closed(self)
            return
        # A query outside of a transaction of dbt has begun one of the driver.
        self._rollback_handle(connection)
        connection.transaction_open = False
        if connection.handle.closed:
            closed(self)
        else:
            vars(connection)[_RELEASED] = time.monotonic()

    def set_connection_name(self: Any, name: str | None = None) -> Any:
        connection = self.get_if_exists()
        released_at = vars(connection).pop(_RELEASED, None) if connection else None
        if released_at is not None and time.monotonic() - released_at > _PATIENCE:
            closed(self)
        return named(self, name)

    manager.release, manager.set_connection_name = release, set_connection_name
    try:
        yield
    finally:
        manager.release, manager.set_connection_name = closed, named
