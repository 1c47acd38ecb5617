"""What a close in PostgreSQL leaves alone: the server, its readers, and all where it fails."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import psycopg2
import pytest

from pool_recon import doctor
from pool_recon import postgres as in_postgres
from pool_recon.close import CloseRequest, load
from pool_recon.commands.shared import WAREHOUSE_NAME
from pool_recon.errors import CloseError
from pool_recon.postgres import landing
from pool_recon.postgres import run as closing
from pool_recon.postgres.readiness import server
from pool_recon.progress import Progress
from tests.end_to_end.closing import pool_recon
from tests.engines.comparing import close_in_brief
from tests.engines.postgres_server import PostgresServer, PsqlError
from tests.harness.aliases import aliased

ROOT = Path(__file__).resolve().parents[2]
CLEAN = ROOT / "samples" / "clean"
ROLES = ROOT / "docs" / "postgres-roles.sql"
OWNER, READER = "pool_recon", "pool_recon_reader"
DAY = date(2026, 6, 29)


class Database:
    """A database with the two roles, as docs/postgres-roles.sql makes them."""

    def __init__(self, postgres: PostgresServer) -> None:
        self.server = postgres
        self.name = postgres.new_database()
        postgres.psql(self.name, "-f", str(ROLES))
        postgres.psql(self.name, "-c", "create role analyst login in role pool_recon_reader")

    def says(self, query: str, user: str = "analyst") -> str:
        return self.server.psql(self.name, "-c", query, user=user)

    def content(self) -> str:
        """Every schema, and what the tables in them hold."""
        counts = self.says(
            "select format('%I.%I', schemaname, tablename) as name, query_to_xml("
            "format('select count(*) from %I.%I', schemaname, tablename), false, true, '')"
            " from pg_tables where schemaname not in ('pg_catalog', 'information_schema')"
            " order by 1",
            OWNER,
        )
        return counts + self.says(r"\dn", OWNER)


@pytest.fixture(scope="module")
def database(postgres: PostgresServer) -> Database:
    return Database(postgres)


@pytest.fixture(scope="module", autouse=True)
def environment(database: Database) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in database.server.environment(database.name, OWNER).items():
            patch.setenv(name, value)
        patch.setenv("POOL_RECON_READER_ROLE", READER)
        close_in_brief(patch)
        yield


@pytest.fixture(scope="module")
def request_of(tmp_path_factory: pytest.TempPathFactory) -> CloseRequest:
    out = tmp_path_factory.mktemp("closes")
    return CloseRequest(CLEAN, DAY, out, out / WAREHOUSE_NAME)


@pytest.fixture(scope="module")
def closed(environment: None, request_of: CloseRequest) -> CloseRequest:
    """The clean sample, closed by the role that owns nothing but what it makes."""
    assert in_postgres.close(request_of, Progress()).verdict.holds
    return request_of


def test_the_owner_owns_its_schemas_and_nothing_else(
    closed: CloseRequest, database: Database
) -> None:
    owned = database.says(
        "select string_agg(nspname, ' ' order by nspname) from pg_namespace"
        " where pg_get_userbyid(nspowner) = 'pool_recon'"
    )
    built = "findings history intermediate marts package raw reference staging"
    assert owned == built
    with pytest.raises(PsqlError, match="permission denied for schema public"):
        database.says("create table public.mine (id integer)", OWNER)


def test_a_reader_reads_what_is_published_and_writes_nothing(
    closed: CloseRequest, database: Database
) -> None:
    assert int(database.says("select count(*) from marts.fct_reconciliation")) > 0
    assert int(database.says("select count(*) from package.pkg_reconciliation")) > 0
    for relation in ("raw.orders", "staging.stg_orders", "intermediate.int_close"):
        with pytest.raises(PsqlError, match="permission denied for schema"):
            database.says(f"select * from {relation}")
    for statement in (
        "delete from marts.fct_exceptions",
        "drop view package.pkg_orders",
        "create table marts.mine (id integer)",
        "create schema mine",
    ):
        with pytest.raises(PsqlError, match=r"permission denied|must be owner"):
            database.says(statement)


def test_the_copy_says_what_it_has_not(closed: CloseRequest) -> None:
    with duckdb.connect(str(closed.warehouse), read_only=True) as connection:
        (movements,) = connection.sql("select count(*) from marts.fct_reconciliation").fetchall()
        assert movements[0] > 0
        with pytest.raises(
            duckdb.Error, match=r"findings_raised. is only in the database close on"
        ):
            connection.sql("select count(*) from findings.findings_raised").fetchall()


def test_a_reader_sees_the_last_close_whole_until_the_next_is_whole(
    closed: CloseRequest, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    dates = (
        "select (select close_date from history.close_log order by close_date desc limit 1),"
        " (select max(close_date) from marts.fct_close_trend),"
        " (select count(*) from package.pkg_checklist where holds = 'true')"
    )
    write = closing.write_close

    def look(*arguments: Any) -> Any:
        # Everything of the next close is built at this point, and nothing of it is to be seen.
        seen.append(database.says(dates, OWNER))
        return write(*arguments)

    monkeypatch.setattr(closing, "write_close", look)
    after = replace(closed, close_date=date(2026, 6, 30))
    connected = "select sessions from pg_stat_database where datname = current_database()"
    before = int(database.says(connected))
    in_postgres.close(after, Progress())
    # dbt has a hundred nodes, and a connection for each of them by itself.
    assert int(database.says(connected)) - before < 20
    seen.append(database.says(dates, OWNER))
    assert seen == ["2026-06-29|2026-06-29|11", "2026-06-30|2026-06-30|11"]
    # Rights are part of what is published.
    assert int(database.says("select count(*) from marts.fct_reconciliation")) > 0


def test_a_second_close_is_refused_while_one_runs(closed: CloseRequest, database: Database) -> None:
    before = database.content()
    with server(), pytest.raises(CloseError, match="another close is working on the database"):
        in_postgres.close(closed, Progress())
    with server(), pytest.raises(CloseError, match="wait until it has ended"):
        in_postgres.load(CLEAN, Progress())
    assert database.content() == before


@pytest.mark.parametrize("step", ["mirror", "write_close", "publish"])
def test_a_close_that_fails_changes_nothing(
    step: str,
    closed: CloseRequest,
    database: Database,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neither the database nor the package, although new rows had landed and were built."""
    before = database.content()
    exports = ROOT / "samples" / "bad_day"
    # What was built before the failure is of no matter here, and takes the most time.
    monkeypatch.setattr(closing, "build_and_test", lambda _: [])
    monkeypatch.setattr(closing, "close_result", lambda *_: None)
    monkeypatch.setattr(closing, "write_close", lambda *_: None)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device", "somewhere")

    monkeypatch.setattr(closing, step, fail)
    files = sorted(closed.out.rglob("*"))
    with pytest.raises(CloseError, match="No space left on device"):
        in_postgres.close(replace(closed, exports=exports), Progress())
    assert database.content() == before
    assert sorted(closed.out.rglob("*")) == files


def test_amounts_that_add_up_to_too_much_stop_the_close(
    closed: CloseRequest, database: Database, tmp_path: Path
) -> None:
    """PostgreSQL could go on with sums of any size, and the answer would not be that of DuckDB."""
    before = database.content()
    exports = tmp_path / "exports"
    shutil.copytree(CLEAN, exports)
    lines = [f"big-{n},payin_credit,EUR,{'9' * 20},2026-06-29T10:00:00Z" for n in range(2)]
    header = "ledger_entry_id,entry_type,asset,amount,effective_at"
    (exports / "ledger" / "big.csv").write_text("\n".join([header, *lines, ""]), encoding="utf-8")
    with pytest.raises(CloseError, match="amounts add up to more than 20 integer digits in the"):
        in_postgres.close(replace(closed, exports=exports), Progress())
    assert database.content() == before


def test_what_a_killed_close_left_is_taken_away_by_the_next_run(
    closed: CloseRequest, database: Database, tmp_path: Path
) -> None:
    rows = "select line_number, code from raw.exception_register"
    database.says("insert into raw.exception_register (line_number, code) values (2, 'x')", OWNER)
    before = database.content()
    with server() as connection:
        loaded = landing.land(connection, ROOT / "samples" / "bad_day", tmp_path, Progress())
        landing.mark_unfinished(connection, loaded)
        landing.load_register(connection, None, tmp_path)
        closing.publishing.prepare(connection)
        connection.commit()
    assert database.content() != before
    assert database.says(rows, OWNER) == ""
    _, again = in_postgres.load(CLEAN, Progress())
    assert again.files_loaded == 0
    assert database.content() == before
    assert database.says(rows, OWNER) == "2|x"


def test_a_register_that_dbt_made_takes_the_collation_of_this_version(
    closed: CloseRequest, database: Database, tmp_path: Path
) -> None:
    table = "raw.exception_register"
    collations = (
        "select string_agg(distinct attcollation::regcollation::text, ' ') from pg_attribute"
        f" where attrelid = '{table}'::regclass and attcollation <> 0"
    )
    database.says(f'alter table {table} alter column code type text collate "default"', OWNER)
    database.says(f"insert into {table} (line_number, code) values (3, 'y')", OWNER)
    with server() as connection:
        landing.load_register(connection, None, tmp_path)
        landing.discard_unfinished(connection)
        connection.commit()
    assert database.says(collations, OWNER) == '"C"'
    assert database.says(f"select code from {table} where line_number = 3", OWNER) == "y"


def test_a_load_says_what_it_skips_and_lands_what_is_new(
    closed: CloseRequest, database: Database, tmp_path: Path
) -> None:
    name, loaded = in_postgres.load(CLEAN, Progress())
    assert name.startswith(f"the database {database.name} on ")
    assert (loaded.load_id, loaded.rows_landed) == (None, 0)
    landed = "select count(*), max(file_id), count(distinct load_id) from raw.files"
    before = database.says(landed, OWNER).split("|")
    _, loaded = in_postgres.load(ROOT / "samples" / "bad_day", Progress())
    after = database.says(landed, OWNER).split("|")
    assert loaded.load_id == int(before[2]) + 1
    assert int(after[0]) - int(before[0]) == loaded.files_loaded > 0
    assert after[0] == after[1]
    assert int(after[2]) == loaded.load_id


def test_files_are_read_again_where_a_column_is_understood_later(
    closed: CloseRequest, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad_day = ROOT / "samples" / "bad_day"
    in_postgres.load(bad_day, Progress())
    before = database.content()
    read_now = (
        "select count(distinct _file_id), count(*) from raw.trades where terminal_at = 'desk-1'"
    )
    with monkeypatch.context() as patch:
        aliased(patch, "trades", "terminal_at", "settlement_venue")
        _, loaded = in_postgres.load(bad_day, Progress())
        assert (loaded.load_id, len(loaded.read_again), loaded.outdated) == (None, 1, ())
        assert database.says(read_now, OWNER).startswith("1|")
        assert not database.says(read_now, OWNER).endswith("|0")
        assert database.content() == before
    _, loaded = in_postgres.load(bad_day, Progress())
    assert len(loaded.read_again) == 1
    assert database.says(read_now, OWNER) == "0|0"
    assert database.content() == before


def test_the_command_takes_the_target_as_an_option(
    closed: CloseRequest, database: Database, tmp_path: Path
) -> None:
    loaded = pool_recon("load", "--exports", CLEAN, "--target", "postgres", out=tmp_path)
    assert (loaded.exit_code, loaded.stderr) == (0, "")
    assert loaded.stdout.startswith(f"Loaded into the database {database.name} on ")
    assert list(tmp_path.iterdir()) == []
    refused = pool_recon("load", "--exports", CLEAN, "--target", "oracle", out=tmp_path)
    assert refused.exit_code == 2
    assert "'oracle' is not one of" in refused.stderr


def test_a_database_in_another_encoding_is_refused(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    postgres.psql(
        "postgres",
        "-c",
        "create database latin template template0 encoding 'LATIN1' locale_provider libc"
        " lc_collate 'C' lc_ctype 'C'",
    )
    for name, value in postgres.environment("latin").items():
        monkeypatch.setenv(name, value)
    with pytest.raises(CloseError, match="is in LATIN1: create one with encoding 'UTF8'"):
        in_postgres.load(CLEAN, Progress())


def looked_over() -> dict[str, list[doctor.Check]]:
    found: dict[str, list[doctor.Check]] = {}
    for check in doctor._postgres():
        assert bool(check.remedy) == (check.state == doctor.MEND)
        found.setdefault(check.state, []).append(check)
    return found


class TestDoctor:
    @pytest.fixture(autouse=True)
    def _as_owner(self, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, value in database.server.environment(database.name, OWNER).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("POOL_RECON_READER_ROLE", READER)

    def test_all_is_well(self, database: Database) -> None:
        found = looked_over()
        assert list(found) == [doctor.OK]
        assert f"{database.name} on " in found[doctor.OK][0].finding
        assert found[doctor.OK][0].finding.endswith(f", reached as {OWNER}")

    def test_a_close_that_is_working(self) -> None:
        with server():
            (check,) = looked_over()[doctor.MEND]
        assert "a load or a close is working on" in check.finding
        assert doctor.MEND not in looked_over()

    def test_a_reader_that_is_not_there(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("POOL_RECON_READER_ROLE", "nobody_at_all")
        (check,) = looked_over()[doctor.MEND]
        assert check.finding.startswith("the server has no role nobody_at_all")

    def test_a_database_for_reading_only(self, database: Database) -> None:
        setting = f"alter database {database.name} set default_transaction_read_only"
        database.server.psql(database.name, "-c", f"{setting} = on")
        try:
            (check,) = looked_over()[doctor.MEND]
        finally:
            database.server.psql("postgres", "-c", f"{setting} = off")
        assert check.finding.endswith(f"is for reading only, to {OWNER}")
        assert doctor.MEND not in looked_over()

    def test_a_role_that_may_make_no_schema(
        self, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        name = database.server.new_database("of_another")
        database.server.psql(name, "-c", "create schema marts")
        for variable, value in database.server.environment(name, "analyst").items():
            monkeypatch.setenv(variable, value)
        may_not, of_another = looked_over()[doctor.MEND]
        assert may_not.finding.startswith("the role analyst may create no schema in")
        assert may_not.remedy == "grant create on database to it"
        assert "belongs to postgres, and analyst has to own it" in of_another.finding
        assert of_another.remedy.startswith('alter schema "marts" owner to "analyst"')


def test_a_role_that_may_make_no_schema_is_told_so(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in postgres.environment(postgres.new_database("bare"), "analyst").items():
        monkeypatch.setenv(name, value)
    with pytest.raises(CloseError, match="the role analyst may create no schema in"):
        in_postgres.load(CLEAN, Progress())


class TestWhatOthersMade:
    @pytest.fixture(autouse=True)
    def _of_a_team(self, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> None:
        self.server, self.name = postgres, postgres.new_database("of_a_team")
        self.says("grant create on database of_a_team to pool_recon", None)
        for variable, value in postgres.environment(self.name, OWNER).items():
            monkeypatch.setenv(variable, value)

    def says(self, statement: str, user: str | None = OWNER) -> str:
        as_user = {"user": user} if user else {}
        return self.server.psql(self.name, "-c", statement, **as_user)

    @pytest.mark.parametrize("schema", ["marts", "old_staging", "next_package"])
    @pytest.mark.parametrize(
        "made",
        [
            "table {}.customers (id integer)",
            "view {}.customers as select 1 as id",
            "function {}.customers() returns integer language sql as 'select 1'",
            "type {}.customers as enum ('old', 'new')",
        ],
    )
    def test_no_close_drops(self, schema: str, made: str) -> None:
        self.says(f"create schema {schema}")
        # As in a database of an earlier version, or after dbt by itself.
        self.says(f"create table {schema}.fct_reconciliation (id integer primary key)")
        self.says(f"create {made.format(schema)}")
        stated = f"schema {schema} of the database of_a_team on .* has customers in it"
        with pytest.raises(CloseError, match=stated):
            in_postgres.load(CLEAN, Progress())
        (check,) = looked_over()[doctor.MEND]
        assert self.says(r"\dn").count(schema) == 1
        assert "raw" not in self.says(r"\dn")
        self.says(check.remedy[check.remedy.index("comment on schema") :])
        assert doctor.MEND not in looked_over()

    def test_what_dbt_made_by_itself_is_known(self) -> None:
        self.says("create schema intermediate")
        for name in ("int_close", "build_state", "unfinished_models"):
            self.says(f"create table intermediate.{name} (id integer primary key)")
        assert doctor.MEND not in looked_over()


@pytest.mark.parametrize("was_a_copy", [False, True])
def test_no_warehouse_of_duckdb_is_replaced_by_a_copy(
    was_a_copy: bool, closed: CloseRequest, database: Database, tmp_path: Path
) -> None:
    """It holds rows and a history that no database has."""
    request = replace(closed, out=tmp_path, warehouse=tmp_path / WAREHOUSE_NAME)
    if was_a_copy:
        shutil.copy(closed.warehouse, request.warehouse)
    load(CLEAN, request.warehouse, Progress())
    content, before = request.warehouse.read_bytes(), database.content()
    with pytest.raises(CloseError, match=r"is no copy of a database: .* name another --warehouse"):
        in_postgres.close(request, Progress())
    assert request.warehouse.read_bytes() == content
    assert database.content() == before


def test_a_reader_that_stays_is_waited_for_by_nobody(
    closed: CloseRequest, database: Database
) -> None:
    left = (
        "select string_agg(nspname, ' ' order by nspname) from pg_namespace"
        " where nspname ~ '(^|_)old_'"
    )
    found = database.server.environment(database.name, "analyst")
    dsn = {"host": found["PGHOST"], "port": found["PGPORT"], "dbname": database.name}
    tables = database.says(
        "select string_agg('raw.' || tablename, ', ') from pg_tables where schemaname = 'raw'"
    )
    with (
        contextlib.closing(psycopg2.connect(**dsn, user="analyst")) as reader,
        contextlib.closing(psycopg2.connect(**dsn, user=OWNER)) as held,
    ):
        cursor = reader.cursor()
        cursor.execute("select count(*) from marts.fct_exceptions")
        # As a backup does.
        held.cursor().execute(f"lock table {tables} in access share mode")
        for _ in range(2):
            in_postgres.close(closed, Progress())
        assert database.says(left) == "pool_recon_old_1_marts"
        # It goes on reading the tables that it has open.
        cursor.execute("select count(*) from pool_recon_old_1_marts.fct_exceptions")
    in_postgres.load(CLEAN, Progress())
    assert database.says(left) == ""


@pytest.mark.slow
def test_a_service_leads_the_close_and_dbt_to_one_database(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    name = postgres.new_database("served")
    # A server of a bank: sessions that do nothing are ended, and texts are read as they once were.
    for setting in ("idle_session_timeout = '2s'", "standard_conforming_strings = off"):
        postgres.psql("postgres", "-c", f"alter database {name} set {setting}")
    found = postgres.environment(name)
    lines = [f"{key.removeprefix('PG').lower()}={value}" for key, value in found.items()]
    file = tmp_path / "services.conf"
    text = "\n".join(["[bank]", *lines, ""]).replace("database=", "dbname=")
    file.write_text(text, encoding="utf-8")
    for variable in found:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("PGSERVICEFILE", str(file))
    monkeypatch.setenv("PGSERVICE", "bank")
    ran = pool_recon(
        *("close", "--target", "postgres", "--exports", CLEAN, "--close-date", "2026-06-30"),
        out=tmp_path / "out",
    )
    assert ran.exit_code == 0, ran.stderr
    assert postgres.psql(name, "-c", "select count(*) > 0 from marts.fct_reconciliation") == "t"
    monkeypatch.setenv("PGSERVICE", "unknown")
    with pytest.raises(CloseError, match="PostgreSQL cannot be reached by the service unknown: "):
        in_postgres.load(CLEAN, Progress())


def test_a_server_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", "/nowhere")
    with pytest.raises(
        CloseError, match=r"PostgreSQL cannot be reached as .* on /nowhere: .*PGHOST"
    ):
        in_postgres.load(CLEAN, Progress())
