"""The schemas that dbt builds: built beside those that readers see, and put in their place."""

from __future__ import annotations

import contextlib
from itertools import count
from typing import Final

from pool_recon.postgres.server import Server, quoted
from pool_recon.reference import built_schemas

NEXT: Final = "next_"
OLD: Final = "old_"
# What a reader still has open when the next run wants the name.
_LEFT: Final = "pool_recon_old_"
_HISTORY: Final = "history"
# What dbt notes about the rows that it keeps, for its next build in this database.
NOTES: Final = frozenset({"build_state"})
# The comment on a schema that is replaced with all that is in it.
MARK: Final = "pool-recon replaces this schema, with all that is in it"
# What dbt makes that is no model.
OF_DBT: Final = NOTES | {"unfinished_models"}
# How long an old schema is waited for that a reader still has open; the next run clears it too.
_PATIENCE: Final = "2s"


def clear(server: Server) -> None:
    """Drop what a run that did not end has left, and what was replaced; the caller commits.

    What a reader still has open makes room for the next, and is left to a later run: a reader may
    stay for hours, as a backup does.
    """
    there = server.schemas()
    left = sorted(name for name in there if name.startswith(_LEFT))
    for name in left:
        _drop_unless_read(server, name)
    for schema in built_schemas():
        following, old = NEXT + schema, OLD + schema
        if following in there:
            server.execute(f"drop schema {quoted(following)} cascade")
        if old in there and not _drop_unless_read(server, old):
            number = next(n for n in count(1) if f"{_LEFT}{n}_{schema}" not in left)
            other = f"{_LEFT}{number}_{schema}"
            server.execute(f"alter schema {quoted(old)} rename to {quoted(other)}")


def _drop_unless_read(server: Server, schema: str) -> bool:
    """Drop a schema, if nobody has a table of it open for long."""
    import psycopg2.errors

    server.execute("savepoint as_it_was")
    try:
        server.execute(f"set local lock_timeout = '{_PATIENCE}'")
        server.execute(f"drop schema {quoted(schema)} cascade")
        server.execute("set local lock_timeout = default")
    except psycopg2.errors.LockNotAvailable:
        server.execute("rollback to savepoint as_it_was")
        return False
    return True


def prepare(server: Server) -> None:
    """Make room for the next close, and a copy of the history to go on with; the caller commits."""
    there = server.schemas()
    for schema in built_schemas():
        server.execute(f"create schema {quoted(NEXT + schema)}")
        server.execute(f"comment on schema {quoted(NEXT + schema)} is '{MARK}'")
    if _HISTORY not in there:
        return
    following = quoted(NEXT + _HISTORY)
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
        if schema in there:
            server.execute(f"alter schema {quoted(schema)} rename to {quoted(OLD + schema)}")
        server.execute(f"alter schema {quoted(NEXT + schema)} rename to {quoted(schema)}")


def drop_replaced(server: Server) -> None:
    """Drop what was replaced; where that fails, the next run does it."""
    import psycopg2

    with contextlib.suppress(psycopg2.Error):
        clear(server)
        server.commit()
    server.rollback()
