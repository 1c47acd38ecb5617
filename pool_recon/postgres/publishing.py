"""The schemas that dbt builds: built beside those that readers see, and put in their place."""

from __future__ import annotations

import contextlib
from typing import Final

from pool_recon.postgres.server import Server, quoted
from pool_recon.reference import built_schemas

NEXT: Final = "next_"
_OLD: Final = "old_"
_HISTORY: Final = "history"
# What dbt notes about the rows that it keeps, for its next build in this database.
NOTES: Final = frozenset({"build_state"})
# How long old schemas are waited for that a reader still has open; the next run clears them too.
_PATIENCE: Final = "5s"


def clear(server: Server) -> None:
    """Drop what a run that did not end has left; the caller commits."""
    there = server.schemas()
    for schema in built_schemas():
        for prefix in (NEXT, _OLD):
            if prefix + schema in there:
                server.execute(f"drop schema {quoted(prefix + schema)} cascade")


def prepare(server: Server) -> None:
    """Make a copy of the history for the next close to go on with; the caller commits."""
    if _HISTORY not in server.schemas():
        return
    following = quoted(NEXT + _HISTORY)
    server.execute(f"create schema {following}")
    for table in sorted(server.tables(_HISTORY)):
        name, old = f"{following}.{quoted(table)}", f"{quoted(_HISTORY)}.{quoted(table)}"
        server.execute(f"create table {name} (like {old} including all)")
        server.execute(f"insert into {name} select * from {old}")


def swap(server: Server) -> None:
    """Put what was built in place of what readers see; the caller commits.

    Only names change, so that nobody waits for a reader and no reader for this.
    """
    there = server.schemas()
    for schema in built_schemas():
        if NEXT + schema not in there:
            continue
        if schema in there:
            server.execute(f"alter schema {quoted(schema)} rename to {quoted(_OLD + schema)}")
        server.execute(f"alter schema {quoted(NEXT + schema)} rename to {quoted(schema)}")


def drop_replaced(server: Server) -> None:
    """Drop what was replaced, and leave what a reader still has open to the next run."""
    import psycopg2

    with contextlib.suppress(psycopg2.Error):
        server.execute(f"set local lock_timeout = '{_PATIENCE}'")
        clear(server)
        server.commit()
    server.rollback()
