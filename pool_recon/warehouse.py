"""The warehouse file: opened, copied, and published together with a package, whole or not at all.

Work is done on a copy that lies in a folder of its own beside the file it will replace. That
folder is the lock as well, and it is gone when nobody works. Publishing writes down first what is
to be moved where, so that a run that was killed half-way is finished by the next one.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pool_recon.as_left import Signature, signature_of
from pool_recon.errors import CloseError, NotReadyError, Obstacle
from pool_recon.interruption import held
from pool_recon.page_cache import FORGOTTEN_AT_ONCE, forget
from pool_recon.reference import built_schemas

if TYPE_CHECKING:
    import duckdb

# How much is in the log beside a working copy before it is folded in: every time it is, what was
# written since last time is written again.
LOG_OF_COPY = "1GB"
# The view of a warehouse that is a copy of a database, and says of which.
COPIED_FROM = "main.copied_from"
MEMORY_LIMIT = "POOL_RECON_MEMORY_LIMIT"
TEMP_DIRECTORY = "POOL_RECON_TEMP_DIRECTORY"

# What DuckDB says of an amount of memory that it cannot read.
_NO_AMOUNT = re.compile(r"(Parser|Invalid Input) Error: .*(memory|percentage)", re.IGNORECASE)
_OUT_OF_MEMORY = re.compile("Out of Memory Error|could not allocate block|failed to pin block")
_FULL = re.compile("No space left on device|Disk quota exceeded")
# A path in one of the folders that work is done in, and the folder beside which these lie.
_OF_A_RUN = re.compile(r"""["'](?:(?P<folder>[^"'\n]*)/)?\.[^"'/\n]+\.work/""")
# Where a database file says what it is.
_MARK = slice(8, 12)
_JOURNAL = "publish.json"
# The request by which Linux clones a file on XFS, Btrfs and other file systems that can.
_FICLONE = 0x40049409
# Files from this many bytes on are copied while other work is done.
_LARGE = 1 << 26
# How many models a message names.
_NAMED = 3
_RESERVED_CATALOGS = {"main", "system", "temp", "information_schema", "pg_catalog"}


@dataclass(frozen=True)
class WorkingCopy:
    """A copy of the warehouse to work on: `file` is the copy, `warehouse` what it will replace.

    The copy has the same file name, because DuckDB derives from it the catalog name that views
    are written with.
    """

    warehouse: Path
    file: Path
    copied_from: tuple[int, int, int] | None = None


@dataclass(frozen=True)
class LockedWarehouse:
    """A warehouse that no other close works on, and the folder to work on its successor in."""

    file: Path
    folder: Path

    def copied(self) -> WorkingCopy:
        """Copy it, log and all; of one that is not there yet nothing is copied.

        Raises CloseError where another process is writing to it, or it cannot be copied.
        """
        return _copy(self.file, self.folder)

    def anew(self) -> WorkingCopy:
        """The place for one that is made from nothing.

        Raises CloseError where what is there is more than such a run has left.
        """
        return _nothing_of(self.file, self.folder)


@dataclass(frozen=True)
class PackageFolder:
    """A close package in the making: `new` is filled, and then takes the place of `published`.

    What is copied `ahead` of what is known to go into it waits in a folder of its own.
    """

    published: Path
    new: Path
    old: Path
    ahead: Path


def connect(
    file: Path, *, read_only: bool = False, leaves_log: bool = False
) -> duckdb.DuckDBPyConnection:
    """Open a DuckDB file in UTC, with the limits of the environment and no extension downloads.

    POOL_RECON_MEMORY_LIMIT and POOL_RECON_TEMP_DIRECTORY mean the same as in profiles.yml. A
    connection that `leaves_log` does not fold in what it wrote: the next one will.
    Raises CloseError where the file is in use by another process or is no warehouse, or where it
    cannot spill to what the environment names.
    """
    import duckdb

    check_temp_directory()
    settings: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": memory_limit(),
        "temp_directory": os.environ.get(TEMP_DIRECTORY, f"{file}.tmp"),
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
    }
    if leaves_log:
        settings["checkpoint_threshold"] = LOG_OF_COPY
    try:
        connection = duckdb.connect(str(file), read_only=read_only, config=settings)
    except duckdb.Error as error:
        raise CloseError(_why_not_open(file, str(error))) from error
    connection.execute("set TimeZone = 'UTC'")
    if leaves_log:
        connection.execute("pragma disable_checkpoint_on_shutdown")
    return connection


def refuse_half_built(connection: duckdb.DuckDBPyConnection, warehouse: Path) -> None:
    """Raise CloseError where dbt by itself has built a part, and has still to build the rest.

    What stands there is of two builds, or of no rows. A close publishes whole ones only.
    """
    import duckdb

    try:
        noted = connection.execute("select unique_ids from intermediate.unfinished_models")
    except duckdb.CatalogException:
        return
    ((unique_ids,),) = noted.fetchall()
    names = [unique_id.rpartition(".")[2] for unique_id in unique_ids.split()]
    listed = ", ".join(names[:_NAMED]) + (", ..." if len(names) > _NAMED else "")
    raise CloseError(
        f"the warehouse {warehouse} is half built: dbt has still to build {listed}; run 'dbt "
        "build' or 'pool-recon close' with it again"
    )


def files_landed_since(connection: duckdb.DuckDBPyConnection) -> str | None:
    """How many files have landed since the warehouse was built, in words; None for none."""
    ((files,),) = connection.execute(
        "select count(*) from raw.files"
        " inner join intermediate.int_close as close on files.file_id > close.last_file_id"
    ).fetchall()
    return f"{files:,} file{'s have' if files > 1 else ' has'} landed since" if files else None


def memory_limit(processes: int = 1) -> str:
    """How much memory DuckDB may use in each of so many processes, in the words of its setting."""
    limit = os.environ.get(MEMORY_LIMIT, "80%")
    parts = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(\S+)\s*", limit)
    return f"{float(parts[1]) / processes:f}{parts[2]}" if parts else limit


def check_temp_directory() -> None:
    """Raise NotReadyError where the environment names no folder to spill to.

    DuckDB itself only notices when it spills, which may be late in a close.
    """
    named = os.environ.get(TEMP_DIRECTORY)
    if not named:
        return
    # It is made where it is not there, and so are those that it is in.
    existing = next(
        (path for path in (Path(named), *Path(named).parents) if os.path.lexists(path)), Path()
    )
    if not existing.is_dir():
        raise NotReadyError(
            Obstacle(
                f"{TEMP_DIRECTORY} is {named!r}, and {existing} is no folder",
                "name a folder that DuckDB can spill to, or unset the variable",
            )
        )


@contextlib.contextmanager
def locked_warehouse(warehouse: Path) -> Iterator[LockedWarehouse]:
    """Lock `warehouse` and finish what a killed run left; what is made to work on goes in the end.

    Raises CloseError where another close has the lock, or there is no write access. The warehouse
    itself is only changed by `publish`.
    """
    if warehouse.is_symlink():
        warehouse = warehouse.resolve()
    check_place(warehouse)
    with _locked_folder(_work_folder(warehouse), f"the warehouse {warehouse}") as folder:
        _finish_publishing(folder)
        _clear(folder)
        try:
            yield LockedWarehouse(warehouse, folder)
        finally:
            # What is still to be finished is told by the journal; all else is rubbish.
            if not (folder / _JOURNAL).exists():
                _clear(folder)


@contextlib.contextmanager
def working_copy(warehouse: Path, *, is_anew: bool = False) -> Iterator[WorkingCopy]:
    """Lock `warehouse` and yield a copy to work on, or with `is_anew` the place for one.

    Raises CloseError as `locked_warehouse` and the two ways to come by a copy do.
    """
    with locked_warehouse(warehouse) as locked:
        yield locked.anew() if is_anew else locked.copied()


@contextlib.contextmanager
def package_folder(out: Path, name: str) -> Iterator[PackageFolder]:
    """Lock the package `out`/`name` and yield an empty folder to write its successor into.

    Raises CloseError where there is no write access, or where what stands there is no package.
    """
    published = out / name
    with _locked_folder(out / f".{name}.work", f"the package {published}") as folder:
        package = _package_in(folder, published)
        if package.old.exists() and not published.exists():
            package.old.rename(published)
        _clear(folder)
        _check_replaceable(published)
        package.new.mkdir()
        try:
            yield package
        finally:
            if published.exists() or not package.old.exists():
                _clear(folder)


def _package_in(folder: Path, published: Path) -> PackageFolder:
    return PackageFolder(published, folder / "new", folder / "old", folder / "ahead")


def publish(copy: WorkingCopy, package: PackageFolder | None = None) -> Signature:
    """Put the working copy in place of the warehouse, and the new package in place of the old.

    Both or neither: an error takes back what was moved, and a run that is killed in between is
    finished by the next one. A request to stop waits meanwhile. Returns the signature of the new
    warehouse as it was when nobody else could write to it. Raises CloseError with neither changed.
    """
    if _has_log(copy.file):
        _fold_in_write_ahead_log(copy.file)
    write_to_disk(copy.file)
    signature = signature_of(copy.file)
    journal = copy.file.parent / _JOURNAL
    plan = {
        "warehouse": str(copy.warehouse.absolute()),
        "package": str(package.published.absolute()) if package else None,
        "package_work": str(package.new.parent.absolute()) if package else None,
    }
    with held(), _as_copied(copy):
        try:
            part = journal.with_suffix(".part")
            with naming(part):
                part.write_text(json.dumps(plan), encoding="utf-8")
            # What stands in it has to be there as soon as its name is, also where the power goes.
            write_to_disk(part)
            part.replace(journal)
            _move_into_place(copy, package)
        except BaseException as error:
            if copy.file.exists() and package:
                _move_back(package)
            journal.unlink(missing_ok=True)
            if isinstance(error, OSError):
                raise CloseError(f"the close cannot be published: {os_reason(error)}") from error
            raise
        journal.unlink()
    return signature


@contextlib.contextmanager
def _as_copied(copy: WorkingCopy) -> Iterator[None]:
    """Keep others from writing to the warehouse, which nobody has changed since it was copied.

    Raises CloseError where somebody did or has it open to do so: what they wrote may be in the log
    beside the file alone, and would be lost with it, or belong to no file from then on.
    """
    with contextlib.ExitStack() as opened:
        if copy.warehouse.exists():
            opened.enter_context(contextlib.closing(connect(copy.warehouse, read_only=True)))
        if _signature(copy.warehouse) != copy.copied_from or _has_log(copy.warehouse):
            raise CloseError(
                f"{copy.warehouse} was changed by another program while this ran: run it again"
            )
        yield


def write_to_disk(file: Path) -> None:
    """Have what was written to a file on the disk, for good. Raises OSError.

    While a working copy is built, that is left to the operating system.
    """
    descriptor = os.open(file, os.O_RDONLY)
    try:
        with naming(file):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def is_being_closed(warehouse: Path) -> bool:
    """Whether a close is working on `warehouse` now; nothing is locked or made by asking."""
    try:
        descriptor = os.open(_work_folder(warehouse), os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def os_reason(error: OSError) -> str:
    """What the operating system said, and about which file."""
    reason = error.strerror or str(error)
    return f"{error.filename}: {reason}" if error.filename else reason


def is_of_a_full_disk(message: str) -> bool:
    """Whether an error says that there was no room, on whichever disk."""
    return bool(_FULL.search(message))


@contextlib.contextmanager
def naming(path: Path) -> Iterator[None]:
    """Let an error say where there was no room: of a file that is open, none does."""
    try:
        yield
    except OSError as error:
        if error.filename is None and is_of_a_full_disk(str(error)):
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise


def no_room(error: BaseException | None) -> str | None:
    """What to say where a file that a run makes could not grow; None where that is not why.

    DuckDB tells it in the first error and, of a file that it can no longer use, in what follows.
    """
    while error is not None:
        place = _OF_A_RUN.search(str(error)) if is_of_a_full_disk(str(error)) else None
        if place:
            folder = place["folder"] or "."
            return (
                f"no space is left in {folder}: a close needs room for a second copy of the "
                "warehouse, for what does not fit into memory, and for the package; make room "
                "there, or choose another place with --warehouse, --out or "
                "POOL_RECON_TEMP_DIRECTORY"
            )
        error = error.__cause__ or error.__context__
    return None


def no_memory(error: BaseException) -> str | None:
    """What to say where DuckDB has no more memory because the environment limits it; else None."""
    limit = os.environ.get(MEMORY_LIMIT)
    if not limit or not _OUT_OF_MEMORY.search(str(error)):
        return None
    return (
        f"DuckDB has too little memory, for {MEMORY_LIMIT} is {limit!r}: give it more, such as "
        "4GB, or leave the variable out"
    )


def _move_into_place(copy: WorkingCopy, package: PackageFolder | None) -> None:
    # Every step looks at what is there, so that the whole can be run again after any of them.
    if package and package.new.exists():
        if package.published.exists() and not package.old.exists():
            package.published.rename(package.old)
        package.new.rename(package.published)
    if copy.file.exists():
        copy.file.replace(copy.warehouse)


def _move_back(package: PackageFolder) -> None:
    if not package.new.exists() and package.published.exists():
        package.published.rename(package.new)
    if package.old.exists():
        package.old.rename(package.published)


def _finish_publishing(folder: Path) -> None:
    journal = folder / _JOURNAL
    plan = _read_journal(journal)
    if plan is None:
        return
    warehouse = Path(plan["warehouse"])
    copy = WorkingCopy(warehouse, folder / warehouse.name)
    if plan["package"] is None:
        _move_into_place(copy, None)
    else:
        published, work = Path(plan["package"]), Path(plan["package_work"])
        with _locked_folder(work, f"the package {published}"):
            _move_into_place(copy, _package_in(work, published))
            _clear(work)
    journal.unlink()


def _read_journal(journal: Path) -> Any:
    """What is still to be published, None for nothing; raises CloseError where it is illegible."""
    try:
        return json.loads(journal.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError):
        raise CloseError(
            f"{journal} says what a close was publishing when this machine stopped, and cannot be "
            f"read: look at the warehouse and the package, then remove {journal.parent} and run "
            "this again"
        ) from None


@contextlib.contextmanager
def _locked_folder(folder: Path, what: str) -> Iterator[Path]:
    """Create and lock a folder; remove it, and the parents made for it, where they are empty."""
    made = [parent for parent in (folder, *folder.parents) if not parent.exists()]
    try:
        descriptor = _lock(folder)
    except BlockingIOError:
        raise CloseError(
            f"another close is working on {what}: wait until it has ended, then run this again"
        ) from None
    except OSError as error:
        raise CloseError(f"cannot write beside {what}: {os_reason(error)}") from error
    try:
        yield folder
    finally:
        for path in made or [folder]:
            with contextlib.suppress(OSError):
                path.rmdir()
        os.close(descriptor)


def _lock(folder: Path) -> int:
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Who had the lock before may have removed the folder between our two calls.
            if folder.exists() and os.path.samestat(os.fstat(descriptor), folder.stat()):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _clear(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def check_place(warehouse: Path) -> None:
    """Raise CloseError where `warehouse` cannot be called so, or what lies beside it is in the way.

    Nothing is opened, locked or changed.
    """
    catalog = warehouse.name.lstrip(".").split(".")[0]
    try:
        path = str(warehouse.absolute())
    except FileNotFoundError:
        raise CloseError(
            "the working directory is no longer there: change to another one"
        ) from None
    # The first are for DuckDB and the profile, and by its name the views of a warehouse find it.
    if re.search(r"[#?;\\]", path) or re.search("['\"]", warehouse.name) or not catalog:
        raise CloseError(
            f"the warehouse {warehouse} needs a path without '#', '?', ';' and '\\', and a name "
            "without quotes"
        )
    if catalog.lower() in {*_RESERVED_CATALOGS, "raw", *built_schemas()}:
        raise CloseError(
            f"the warehouse cannot be named {warehouse.name}: {catalog} is the name of a schema in "
            "it; choose another file name, such as pool_recon.duckdb"
        )
    if warehouse.is_dir():
        raise CloseError(f"the warehouse {warehouse} is a folder: name a file")
    if _has_log(warehouse) and not warehouse.exists():
        raise CloseError(
            f"{warehouse}.wal is the log of a warehouse that is not there: bring {warehouse.name} "
            "back, or move the log away as well"
        )
    _read_journal(_work_folder(warehouse) / _JOURNAL)


def _check_replaceable(published: Path) -> None:
    if published.is_dir() and not published.is_symlink():
        if not any(published.iterdir()) or (published / "manifest.json").is_file():
            return
    elif not published.exists() and not published.is_symlink():
        return
    raise CloseError(
        f"{published} is there already and is no close package (it has no manifest.json): "
        "move it away or choose another --out"
    )


def _work_folder(warehouse: Path) -> Path:
    return warehouse.parent / f".{warehouse.name}.work"


def _copy(warehouse: Path, folder: Path) -> WorkingCopy:
    file = folder / warehouse.name
    if not warehouse.exists():
        return WorkingCopy(warehouse, file)
    _fold_in_write_ahead_log(warehouse)
    signature = _signature(warehouse)
    try:
        with naming(file):
            if not _clone(warehouse, file):
                _copy_bytes(warehouse, file)
    except OSError as error:
        raise CloseError(f"cannot copy the warehouse: {os_reason(error)}") from error
    return WorkingCopy(warehouse, file, signature)


def _nothing_of(warehouse: Path, folder: Path) -> WorkingCopy:
    if warehouse.exists():
        _fold_in_write_ahead_log(warehouse)
        with contextlib.closing(connect(warehouse, read_only=True)) as connection:
            kept = "select count(*) from duckdb_tables()"
            mark = "select count(*) from duckdb_views() where schema_name || '.' || view_name = ?"
            ((tables,),) = connection.execute(kept).fetchall()
            ((marks,),) = connection.execute(mark, [COPIED_FROM]).fetchall()
        if tables and not marks:
            raise CloseError(
                f"{warehouse} is no copy of a database: it was closed or loaded by itself, and its "
                "rows and history would be lost; name another --warehouse, or move it away"
            )
    return WorkingCopy(warehouse, folder / warehouse.name, _signature(warehouse))


def _clone(source: Path, target: Path) -> bool:
    """Let `target` share the blocks of `source` until they change, where the file system can."""
    with source.open("rb") as reading, target.open("wb") as writing:
        try:
            fcntl.ioctl(writing.fileno(), _FICLONE, reading.fileno())
        except OSError:
            return False
    shutil.copymode(source, target)
    return True


def _copy_bytes(source: Path, target: Path) -> None:
    """Copy a file into space that is asked for first: to find room page by page takes long.

    Raises OSError, also where there is no room.
    """
    size = source.stat().st_size
    if size < _LARGE or not hasattr(os, "posix_fallocate") or not hasattr(os, "sendfile"):
        shutil.copy(source, target)
        return
    with source.open("rb") as reading, target.open("wb") as writing:
        os.posix_fallocate(writing.fileno(), 0, size)
        copied = 0
        while copied < size:
            sent = os.sendfile(writing.fileno(), reading.fileno(), copied, FORGOTTEN_AT_ONCE)
            if not sent:
                raise OSError(errno.EIO, "became shorter while it was read", str(source))
            forget(reading.fileno(), copied, copied + sent)
            copied += sent
    shutil.copymode(source, target)


def _fold_in_write_ahead_log(file: Path) -> None:
    # Opening is also what tells whether another program is writing to the file.
    has_log = _has_log(file)
    with contextlib.closing(connect(file, read_only=not has_log)) as connection:
        if has_log:
            connection.execute("checkpoint")


def _has_log(file: Path) -> bool:
    return file.with_name(f"{file.name}.wal").exists()


def _signature(file: Path) -> tuple[int, int, int] | None:
    if not file.exists():
        return None
    status = file.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns


def _is_of_another_kind(file: Path) -> bool:
    """Whether there is a file without the mark of a database, such as a CSV file.

    Of what it can read as a table DuckDB would make a database in memory.
    """
    try:
        with file.open("rb") as stream:
            return stream.read(_MARK.stop)[_MARK] != b"DUCK"
    except OSError:
        return False


def _why_not_open(file: Path, message: str) -> str:
    if "not a valid DuckDB" in message or _is_of_another_kind(file):
        return f"{file} is no DuckDB file: name another --warehouse, or move it away"
    if "lock" in message.lower():
        return (
            f"the warehouse {file} is in use by another program: close it there, then run this "
            "again"
        )
    if _NO_AMOUNT.match(message):
        return (
            f"{MEMORY_LIMIT} is {os.environ.get(MEMORY_LIMIT)!r}: expected an amount, such as "
            "4GB, or a share of the memory of the machine, such as 80%"
        )
    return f"the warehouse {file} cannot be opened: {message.splitlines()[0]}"
