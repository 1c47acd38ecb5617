"""The warehouse and the package are replaced whole or not at all, wherever a run is killed."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pool_recon import warehouse as warehouse_files
from pool_recon.errors import CloseError
from pool_recon.warehouse import connect, package_folder, publish, working_copy
from tests.harness.forking import call
from tests.integration.publishing import DATE, KILLED, publish_and_die, publish_state


def published(root: Path) -> tuple[str | None, str | None]:
    """The states that the warehouse and the package say; None for one that is not there."""
    in_warehouse = in_package = None
    if (root / "w.duckdb").exists():
        with contextlib.closing(connect(root / "w.duckdb", read_only=True)) as connection:
            ((in_warehouse,),) = connection.execute("select state from state").fetchall()
    package = root / "out" / DATE
    if package.exists():
        in_package = json.loads((package / "manifest.json").read_text(encoding="utf-8"))
        names = sorted(path.name for path in package.iterdir())
        assert names == sorted(["manifest.json", f"{in_package}.csv"])
    return in_warehouse, in_package


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("first_close", [True, False])
def test_killed_anywhere(first_close: bool, tmp_path: Path) -> None:
    before = (None, None) if first_close else ("old", "old")
    seen = set()
    for step in range(1, 40):
        root = tmp_path / str(step)
        root.mkdir()
        if not first_close:
            publish_state(root, "old")
        exit_code = call(publish_and_die, root, "new", step)
        if exit_code != KILLED:
            assert exit_code == 0
            assert published(root) == ("new", "new")
            break
        # What a reader meets right after the kill is whole, even where it is not there yet.
        assert published(root)[1] in {before[1], "new", None}
        with working_copy(root / "w.duckdb"), package_folder(root / "out", DATE):
            pass
        state = published(root)
        assert state in {before, ("new", "new")}
        seen.add(state)
        if state[0]:
            assert names(root) == ["out", "w.duckdb"]
            assert names(root / "out") == [DATE]
    else:
        pytest.fail("the run never came to its end")
    assert seen == {before, ("new", "new")}


@pytest.mark.parametrize("failing", ["package", "warehouse"])
@pytest.mark.parametrize("first_close", [True, False])
def test_an_error_takes_back_what_was_moved(
    failing: str, first_close: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (None, None) if first_close else ("old", "old")
    if not first_close:
        publish_state(tmp_path, "old")
    method, last = ("rename", DATE) if failing == "package" else ("replace", "w.duckdb")
    real = getattr(Path, method)

    def full(self: Path, target: Path) -> Path:
        if Path(target).name == last and self.name != "old":
            raise OSError(errno.ENOSPC, "No space left on device", str(target))
        return real(self, target)

    monkeypatch.setattr(Path, method, full)
    with pytest.raises(CloseError, match="No space left on device"):
        publish_state(tmp_path, "new")
    assert published(tmp_path) == before
    monkeypatch.undo()
    publish_state(tmp_path, "newer")
    assert published(tmp_path) == ("newer", "newer")
    assert names(tmp_path) == ["out", "w.duckdb"]
    assert names(tmp_path / "out") == [DATE]


def test_an_interruption_takes_back_what_was_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_state(tmp_path, "old")
    real = Path.replace

    def interrupted(self: Path, target: Path) -> Path:
        if Path(target).name == "w.duckdb":
            raise KeyboardInterrupt
        return real(self, target)

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        publish_state(tmp_path, "new")
    assert published(tmp_path) == ("old", "old")
    assert names(tmp_path) == ["out", "w.duckdb"]


def test_a_warehouse_that_changed_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    publish_state(tmp_path, "old")
    with working_copy(tmp_path / "w.duckdb") as copy:
        with contextlib.closing(connect(tmp_path / "w.duckdb")) as other:
            other.execute("update state set state = 'other'")
        with contextlib.closing(connect(copy.file)) as connection:
            connection.execute("update state set state = 'new'")
        with pytest.raises(CloseError, match="changed by another program"):
            publish(copy)
    assert published(tmp_path)[0] == "other"


# Another program that writes to the warehouse, and has come so far when it says so.
WRITER = """
import os, sys, duckdb
connection = duckdb.connect(sys.argv[1])
connection.execute("create table theirs as select 1 as one")
print("written", flush=True)
if sys.argv[2] == "lives":
    sys.stdin.read()
os._exit(9)
"""


@pytest.mark.parametrize(
    ("writer", "told"), [("lives", "in use by another program"), ("died", "changed by another")]
)
def test_what_another_program_wrote_is_not_overwritten(
    writer: str, told: str, tmp_path: Path
) -> None:
    publish_state(tmp_path, "old")
    file = tmp_path / "w.duckdb"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with (
        working_copy(file) as copy,
        package_folder(tmp_path / "out", DATE) as package,
        subprocess.Popen([sys.executable, "-c", WRITER, file, writer], **pipes) as process,
    ):
        assert process.stdout
        assert process.stdout.readline() == b"written\n"
        if writer == "died":
            process.wait()
        with pytest.raises(CloseError, match=told):
            publish(copy, package)
        process.kill()
    # What was in its log alone is there, and the next close goes on from it.
    publish_state(tmp_path, "new")
    with contextlib.closing(connect(file, read_only=True)) as connection:
        assert connection.execute("from theirs").fetchall() == [(1,)]
        assert connection.execute("from state").fetchall() == [("new",)]
    assert names(tmp_path) == ["out", "w.duckdb"]


def test_what_was_not_yet_written_into_the_file_is_copied_too(tmp_path: Path) -> None:
    publish_state(tmp_path, "old")
    code = (
        "import duckdb, os, sys; c = duckdb.connect(sys.argv[1]);"
        "c.execute('pragma disable_checkpoint_on_shutdown');"
        "c.execute(\"update state set state = 'logged'\"); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "w.duckdb")], check=True)
    assert (tmp_path / "w.duckdb.wal").exists()
    with (
        working_copy(tmp_path / "w.duckdb") as copy,
        contextlib.closing(connect(copy.file)) as connection,
    ):
        assert connection.execute("select state from state").fetchall() == [("logged",)]
    assert not (tmp_path / "w.duckdb.wal").exists()


def test_what_a_connection_left_in_the_log_is_published(tmp_path: Path) -> None:
    with working_copy(tmp_path / "w.duckdb") as copy:
        with contextlib.closing(connect(copy.file, leaves_log=True)) as connection:
            connection.execute("create table state as select 'logged' as state")
        assert copy.file.with_name(f"{copy.file.name}.wal").stat().st_size > 0
        publish(copy)
    with contextlib.closing(connect(tmp_path / "w.duckdb", read_only=True)) as connection:
        assert connection.execute("select state from state").fetchall() == [("logged",)]


def test_views_work_in_the_published_file(tmp_path: Path) -> None:
    with working_copy(tmp_path / "w.duckdb") as copy:
        with contextlib.closing(connect(copy.file)) as connection:
            connection.execute("create table t as select 1 as a")
            connection.execute('create view v as select * from "w"."main"."t"')
        publish(copy)
    with contextlib.closing(connect(tmp_path / "w.duckdb", read_only=True)) as connection:
        assert connection.execute("select * from v").fetchall() == [(1,)]


def test_a_linked_warehouse_stays_linked_and_keeps_its_mode(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    publish_state(tmp_path, "old")
    file = (tmp_path / "w.duckdb").rename(tmp_path / "disk" / "w.duckdb")
    file.chmod(0o640)
    (tmp_path / "w.duckdb").symlink_to(file)
    publish_state(tmp_path, "new")
    assert published(tmp_path) == ("new", "new")
    assert (tmp_path / "w.duckdb").readlink() == file
    assert file.stat().st_mode & 0o777 == 0o640


def test_packages_of_other_dates_are_left_alone(tmp_path: Path) -> None:
    publish_state(tmp_path, "old")
    with working_copy(tmp_path / "w.duckdb"), package_folder(tmp_path / "out", "2026-07-01"):
        pass
    assert names(tmp_path / "out") == [DATE]


def test_a_log_without_its_warehouse_is_named_before_any_work(tmp_path: Path) -> None:
    """Taken up by the next warehouse, it would be read into a file that it does not belong to."""
    log = tmp_path / "w.duckdb.wal"
    log.write_bytes(b"changes")
    refused = pytest.raises(
        CloseError, match=r"w\.duckdb\.wal is the log of a warehouse that is not"
    )
    with refused, working_copy(tmp_path / "w.duckdb"):
        pass
    assert names(tmp_path) == ["w.duckdb.wal"]
    log.unlink()
    publish_state(tmp_path, "new")
    assert published(tmp_path) == ("new", "new")


@pytest.mark.parametrize("content", ["", '{"warehouse": '])
def test_a_journal_that_was_torn_is_named(content: str, tmp_path: Path) -> None:
    publish_state(tmp_path, "old")
    work = tmp_path / ".w.duckdb.work"
    work.mkdir()
    (work / "publish.json").write_text(content, encoding="utf-8")
    refused = pytest.raises(
        CloseError, match=r"publish\.json .* then remove .*\.w\.duckdb\.work and"
    )
    with refused, working_copy(tmp_path / "w.duckdb"):
        pass
    assert published(tmp_path) == ("old", "old")
    assert names(work) == ["publish.json"]


@pytest.mark.parametrize("name", ["w'h.duckdb", 'w"h.duckdb', "w\\h.duckdb", "a\\b/w.duckdb"])
def test_a_name_that_duckdb_cannot_be_told_is_refused(name: str, tmp_path: Path) -> None:
    refused = pytest.raises(CloseError, match="and a name without quotes")
    with refused, working_copy(tmp_path / name):
        pass
    assert names(tmp_path) == []
    with working_copy(tmp_path / "it's a folder" / "w.duckdb"):
        pass


def test_a_large_warehouse_is_copied_byte_for_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sendfile = os.sendfile
    monkeypatch.setattr(warehouse_files, "_LARGE", 1)
    # Linux sends no more than two gigabytes at a time.
    monkeypatch.setattr(os, "sendfile", lambda to, of, at, size: sendfile(to, of, at, min(size, 4)))
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(bytes(range(37)))
    source.chmod(0o640)
    warehouse_files._copy_bytes(source, target)
    assert target.read_bytes() == bytes(range(37))
    assert target.stat().st_mode == source.stat().st_mode


def test_a_warehouse_without_room_for_its_copy_is_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_state(tmp_path, "old")

    def no_room(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(warehouse_files, "_LARGE", 1)
    monkeypatch.setattr("os.posix_fallocate", no_room)
    monkeypatch.setattr(warehouse_files, "_clone", lambda *_: False)
    with pytest.raises(CloseError, match=r"cannot copy the warehouse: .*w\.duckdb: No space left"):
        publish_state(tmp_path, "new")
    assert published(tmp_path) == ("old", "old")
    assert names(tmp_path) == ["out", "w.duckdb"]
