"""What has to be true of a database before anything is done in it, and its lock."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Final

from pool_recon.errors import CloseError, NotReadyError, Obstacle
from pool_recon.postgres.publishing import MARK, NEXT, OF_DBT, OLD
from pool_recon.postgres.server import RAW, Server, connected, quoted
from pool_recon.reference import built_relations, built_schemas

OLDEST: Final = 14
# The variable that names a role that may read the marts.
READER_ROLE: Final = "POOL_RECON_READER_ROLE"
# Locks are named by numbers, in each database by itself: this one spells "pool_rec".
_LOCK: Final = int.from_bytes(b"pool_rec")


@contextlib.contextmanager
def server() -> Iterator[Server]:
    """Connect, and lock the database against every other load and close.

    Raises CloseError where there is no such database, where it cannot serve as a warehouse, and
    where another load or close has the lock.
    """
    with connected() as found:
        for obstacle in obstacles(found):
            raise NotReadyError(obstacle)
        if not found.rows("select pg_try_advisory_lock(%s)", [_LOCK])[0][0]:
            raise CloseError(
                f"another close is working on {found.name}: wait until it has ended, then run "
                "this again"
            )
        found.commit()
        yield found


def is_in_use(found: Server) -> bool:
    """Whether a load or a close is working on the database."""
    locks = (
        "select 1 from pg_locks where locktype = 'advisory' and granted and objsubid = 1 "
        "and database = (select oid from pg_database where datname = current_database()) "
        "and (classid::bigint << 32) + objid::bigint = %s"
    )
    return bool(found.rows(locks, [_LOCK]))


def obstacles(found: Server) -> Iterator[Obstacle]:
    """Everything for which a close in this database would fail, as far as that shows ahead."""
    if found.version < OLDEST * 10000:
        yield Obstacle(
            f"{found.name} is PostgreSQL {found.version // 10000}", f"expected {OLDEST} or newer"
        )
    encoding = found.rows("show server_encoding")[0][0]
    if encoding != "UTF8":
        yield Obstacle(f"{found.name} is in {encoding}", "create one with encoding 'UTF8'")
    if not found.rows("select 1 from pg_collation where collname = 'und-x-icu'"):
        yield Obstacle(f"{found.name} knows no ICU collations", "use a server built with ICU")
    role, is_reader = found.rows("select current_user, pg_is_in_recovery()")[0]
    if is_reader:
        yield Obstacle(f"{found.name} only repeats another one", "name the one that is written to")
    elif found.rows("show transaction_read_only")[0][0] == "on":
        yield Obstacle(
            f"{found.name} is for reading only, to {role}",
            "set default_transaction_read_only to off, or name the one that is written to",
        )
    may_create = "select has_database_privilege(current_database(), 'CREATE')"
    if not found.rows(may_create)[0][0]:
        yield Obstacle(
            f"the role {role} may create no schema in {found.name}",
            "grant create on database to it",
        )
    owners = (
        "select nspname, pg_get_userbyid(nspowner) from pg_namespace where nspname = any(%s) "
        "and not pg_has_role(nspowner, 'USAGE') order by nspname"
    )
    for schema, owner in found.rows(owners, [[RAW, *_replaced()]]):
        yield Obstacle(
            f"schema {schema} of {found.name} belongs to {owner}, and {role} has to own it",
            f"alter schema {quoted(schema)} owner to {quoted(role)}, with the tables in it, or use "
            "another database",
        )
    yield from _of_others(found)
    reader = os.environ.get(READER_ROLE)
    if reader and not found.rows("select 1 from pg_roles where rolname = %s", [reader]):
        yield Obstacle(
            f"the server has no role {reader}, which {READER_ROLE} names",
            "create it, as docs/postgres-roles.sql does, or unset the variable",
        )


def _of_others(found: Server) -> Iterator[Obstacle]:
    """What a close would drop although no close has made it."""
    # Indexes and types of rows come and go with their tables.
    there = found.rows(
        "select nspname, min(name) from pg_namespace inner join ("
        "select relnamespace as schema, relname as name from pg_class "
        "where relkind not in ('i', 'I', 't', 'S') "
        "union all select pronamespace, proname from pg_proc "
        "union all select typnamespace, typname from pg_type where typtype in ('e', 'd', 'r')"
        ") as made on made.schema = pg_namespace.oid "
        "where nspname = any(%s) and name <> all(%s) "
        "and obj_description(pg_namespace.oid, 'pg_namespace') is distinct from %s "
        "group by nspname order by nspname",
        [_replaced(), sorted(built_relations() | OF_DBT), MARK],
    )
    for schema, name in there:
        yield Obstacle(
            f"schema {schema} of {found.name} has {name} in it, which no close has made, and is "
            "replaced by every close",
            f"move that out of it, or use another database; where it may go: comment on schema "
            f"{quoted(schema)} is '{MARK}'",
        )


def _replaced() -> list[str]:
    return [before + schema for schema in built_schemas() for before in ("", NEXT, OLD)]
