"""A PostgreSQL server of the tests' own: started in a folder, gone with it."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

SUPERUSER = "postgres"
PORT = "5432"
DEBIAN = Path("/usr/lib/postgresql")
# Nothing here outlives the tests, so nothing has to reach a disk.
SETTINGS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "listen_addresses=")


def binaries() -> Path | None:
    """The folder with initdb: the newest that Debian installed, else where the shell finds it."""
    versions = sorted(DEBIAN.glob("*/bin/initdb"), key=lambda file: int(file.parts[-3]))
    if versions:
        return versions[-1].parent
    found = shutil.which("initdb")
    return Path(found).resolve().parent if found else None


class PostgresServer:
    """A running server with a superuser that needs no password, reached by a socket in `folder`.

    Its language is English, whose order of letters is not that of bytes. `settings` are further
    lines of postgresql.conf; `process` is the number of the process that started all others.
    """

    def __init__(self, programs: Path, settings: Sequence[str] = ()) -> None:
        self._programs = programs
        self._user = _user()
        self.folder = Path(tempfile.mkdtemp(prefix="pool_recon_pg_"))
        if self._user:
            shutil.chown(self.folder, self._user)
        self._data = self.folder / "data"
        language: tuple[str, ...] = ("--locale-provider=icu", "--icu-locale=en-US")
        if self._version() < 15:
            language = ()
        self._run(
            *("initdb", "--pgdata", self._data, "--username", SUPERUSER, "--auth", "trust"),
            *("--encoding", "UTF8", "--locale", "C", *language, "--no-sync"),
        )
        options = " ".join(f"-c {setting}" for setting in (*SETTINGS, *settings))
        options += f" -c unix_socket_directories={self.folder} -c port={PORT}"
        log = self.folder / "server.log"
        self._run("pg_ctl", "-D", self._data, "-l", log, "-o", options, "-w", "start")
        self.process = int((self._data / "postmaster.pid").read_text().split()[0])

    def environment(self, database: str, user: str = SUPERUSER) -> dict[str, str]:
        """The variables by which psql and pool-recon find a database."""
        return {
            "PGHOST": str(self.folder),
            "PGPORT": PORT,
            "PGDATABASE": database,
            "PGUSER": user,
        }

    def new_database(self, name: str = "close") -> str:
        """Create an empty database, in the place of one of this name, and return its name.

        What dbt understood of a project holds for databases of one name, and is kept for one.
        """
        self.psql("postgres", "-c", f"drop database if exists {name} with (force)")
        self.psql("postgres", "-c", f"create database {name}")
        return name

    def psql(self, database: str, *arguments: str, user: str = SUPERUSER) -> str:
        """What psql prints: values alone, separated by `|`."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
        done = subprocess.run(
            [self._programs / "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", *arguments],
            capture_output=True,
            text=True,
            env={**environment, **self.environment(database, user)},
            check=False,
        )
        if done.returncode:
            raise PsqlError(done.stderr.strip())
        return done.stdout.strip()

    def stop(self) -> None:
        self._run("pg_ctl", "-D", self._data, "-m", "immediate", "stop")
        shutil.rmtree(self.folder, ignore_errors=True)

    def _version(self) -> int:
        said = subprocess.check_output([self._programs / "postgres", "--version"], text=True)
        return int(said.split()[2].split(".")[0])

    def _run(self, program: str, *arguments: object) -> None:
        command: Sequence[object] = (self._programs / program, *arguments)
        # pg_ctl leaves the server with its output, for which a pipe would wait for ever.
        with tempfile.TemporaryFile("w+") as said:
            done = subprocess.run(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                user=self._user,
                cwd="/",
                env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"},
                check=False,
            )
            said.seek(0)
            assert done.returncode == 0, said.read()


class PsqlError(Exception):
    """psql ended with an error; the text says which."""


def _user() -> str | None:
    """Whom the server runs as: it refuses to be root."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"
