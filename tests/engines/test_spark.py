"""The same exports give the same close in Spark as in DuckDB, byte for byte."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from pool_recon import close as in_duckdb
from pool_recon import spark as in_spark
from pool_recon.close import CloseRequest
from pool_recon.errors import CloseError
from pool_recon.progress import Progress
from pool_recon.spark import tables
from tests.engines.comparing import (
    PUBLISHED,
    Pair,
    close_in_both,
    differences,
    files_of,
    put_together,
)
from tests.engines.edges import entry, write_edges
from tests.engines.everything import SAMPLES, write_everything
from tests.engines.spark_cluster import SparkCluster, small_session
from tests.fault_matrix import CLOSE_DATE
from tests.harness.aliases import aliased
from tests.harness.splitting import SplitExports
from tests.oracle.collide import collide

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.usefixtures("spark")


@pytest.fixture(scope="module", autouse=True)
def small_runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        small_session(patch, tmp_path_factory.mktemp("spark_conf"), "local[2]")
        # Every table is brought back here, to be compared.
        patch.setattr(tables, "ON_THE_WAY", frozenset())
        yield


def small_set(folder: Path) -> Path:
    """A day of every kind of finding that blocks, and what engines see differently."""
    sets = {"bad_day": SAMPLES / "bad_day", "edges": write_edges(folder / "edges")}
    return put_together(folder / "exports", sets)


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    folder = tmp_path_factory.mktemp("spark")
    return close_in_both(folder, in_spark.close, small_set(folder))


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_file_is_the_same(closed: Pair, name: str) -> None:
    ours, theirs, *_ = closed
    content = (ours.package / name).read_bytes()
    assert content.count(b"\n") > 8
    assert (theirs.package / name).read_bytes() == content


def test_the_rest_of_the_package_and_every_table_are_the_same(closed: Pair) -> None:
    assert differences(closed) == []


def test_nothing_of_spark_is_left_behind(closed: Pair) -> None:
    *_, their_file = closed
    assert sorted(file.name for file in their_file.parent.iterdir()) == [
        ".pool_recon",
        "2026-06-30",
        their_file.name,
    ]
    assert not {"metastore_db", "derby.log", "spark-warehouse"} & {p.name for p in Path().iterdir()}


@pytest.mark.exhaustive
def test_all_that_is_at_hand_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project, exports = write_everything(tmp_path)
    monkeypatch.setenv("POOL_RECON_PROJECT_DIR", str(project))
    assert differences(close_in_both(tmp_path, in_spark.close, exports)) == []


@pytest.mark.exhaustive
def test_a_close_goes_on_with_the_history_and_the_register(tmp_path: Path) -> None:
    """A finding stays open from an earlier date, one is approved, and DuckDB goes on with it.

    An entry comes late, so that a balance is no longer what was published.
    """
    exports = shutil.copytree(SAMPLES / "bad_day", tmp_path / "exports")
    assert differences(close_in_both(tmp_path, in_spark.close, exports, date(2026, 6, 29))) == []
    found = (tmp_path / "duckdb" / "2026-06-29" / "exceptions.csv").read_text(encoding="utf-8")
    header, first, *_ = found.splitlines()
    finding = dict(zip(header.split(","), first.split(","), strict=False))
    register = tmp_path / "register.csv"
    register.write_text(
        "code,subject_type,subject_id,environment,owner,next_review_date,approved_by,approved_on,"
        "reason,expires_on\n"
        f"{finding['code']},{finding['subject_type']},{finding['subject_id']},,ÉMILE ZOLA,,"
        "Émile\u3000 \xa0Zola,2026-06-30,the owner himself,\n"
        f"quarantined_row,export_row,nowhere:1,,,2026-07-09,Ada,2026-06-30,'quoted',\n",
        encoding="utf-8",
    )
    (exports / "ledger" / "late.csv").write_text(
        "ledger_entry_id,entry_type,asset,amount,effective_at,environment,partner_id\n"
        "ple_late,adjustment,XAU,-500.00,2026-06-29T11:00:00Z,live,late\n",
        encoding="utf-8",
    )
    pair = close_in_both(tmp_path, in_spark.close, exports, CLOSE_DATE, register)
    assert differences(pair) == []
    for result in pair[:2]:
        of_late = (row for row in result.restated_balances if row.partner_id == "late")
        assert [row.difference for row in of_late] == ["-500"]
    ages = (pair[1].package / "exceptions.csv").read_text(encoding="utf-8")
    assert ",2026-06-29,1," in ages
    ours, theirs, our_file, their_file = pair
    goes_on = date(2026, 7, 1)
    for out, file in ((ours.package.parent, our_file), (theirs.package.parent, their_file)):
        in_duckdb.close(CloseRequest(exports, goes_on, out, file, register), Progress())
    one, other = (files_of(result.package.parent / "2026-07-01") for result in (ours, theirs))
    assert [name for name in sorted(one | other) if one.get(name) != other.get(name)] == []


def built_by_keeping(warehouse: Path) -> bool:
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        found = connection.execute(
            "select bool_and(is_incremental) from intermediate.int_rows_at_hand"
        ).fetchone()
    assert found
    return bool(found[0])


def differing_closes(folder: Path, day: date, is_full_refresh: bool = False) -> list[str]:
    """What is not the same in a close of both engines, each of which goes on with its warehouse."""
    results = []
    for name, close in (("duckdb", in_duckdb.close), ("spark", in_spark.close)):
        out, warehouse = folder / name, folder / name / "warehouse.duckdb"
        request = CloseRequest(
            folder / "exports", day, out, warehouse, is_full_refresh=is_full_refresh
        )
        results.append((close(request, Progress()), warehouse))
    (ours, our_file), (theirs, their_file) = results
    return differences((ours, theirs, our_file, their_file))


@pytest.mark.exhaustive
def test_rows_are_kept_from_close_to_close(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three loads, of which the later ones look at a part, and then all of it in full."""
    monkeypatch.setenv("POOL_RECON_SPARK_KEEP_FROM", "0")
    split = SplitExports(collide(tmp_path / "whole", range(60)), tmp_path, loads=3, seed=1)
    warehouse = tmp_path / "spark" / "warehouse.duckdb"
    landed = tmp_path / "spark" / ".pool_recon" / "warehouse.duckdb.spark" / "kept" / "raw"
    for load, days in enumerate((0, 5, 5)):
        split.write(tmp_path / "exports", load)
        day = CLOSE_DATE + timedelta(days=days)
        if load == 2:
            request = CloseRequest(tmp_path / "exports", day, warehouse.parent, warehouse)
            with monkeypatch.context() as patch:
                patch.setattr(in_spark.run, "bring_back", stopping)
                with pytest.raises(CloseError, match="the disk is full"):
                    in_spark.close(request, Progress())
        assert differing_closes(tmp_path, day) == []
        # a close that stopped left what the next one goes on from
        assert built_by_keeping(warehouse) is (load > 0)
        # and what had landed before was not written again
        assert len(list((landed / "orders").iterdir())) == load + 1
    assert differing_closes(tmp_path, day, is_full_refresh=True) == []
    assert not built_by_keeping(warehouse)


def stopping(*_: object) -> None:
    raise CloseError("the disk is full")


@pytest.mark.exhaustive
def test_a_sum_that_overflows_stops_the_close(tmp_path: Path) -> None:
    exports = put_together(tmp_path / "exports", {"clean": SAMPLES / "clean"})
    lines = [
        str(entry(f"huge-{n}", amount="9" * 20, partner_id="huge")).replace("'", '"')
        for n in range(2)
    ]
    (exports / "ledger" / "huge.jsonl").write_text("\n".join(lines), encoding="utf-8")
    request = CloseRequest(exports, CLOSE_DATE, tmp_path / "out", tmp_path / "w.duckdb")
    with pytest.raises(CloseError, match="amounts add up to more than 20 integer digits in the"):
        in_spark.close(request, Progress())
    assert not request.out.exists()
    assert not request.warehouse.exists()


@pytest.mark.exhaustive
def test_dbt_by_itself_builds_and_tests_what_was_loaded(tmp_path: Path) -> None:
    """Unit tests too; a second build goes on with the history of the first."""
    warehouse = tmp_path / "warehouse.duckdb"
    loaded = subprocess.run(
        [
            *(sys.executable, "-m", "pool_recon", "load", "--target", "spark"),
            *("--exports", SAMPLES / "clean", "--warehouse", warehouse),
        ],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert (loaded.returncode, loaded.stderr) == (0, ""), loaded.stdout
    assert loaded.stdout.startswith(f"Loaded into schema raw of Spark in {warehouse}.spark: ")
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith("DBT")},
        "POOL_RECON_TARGET": "spark",
        "POOL_RECON_WAREHOUSE": str(warehouse),
        "POOL_RECON_CLOSE_DATE": CLOSE_DATE.isoformat(),
        "TZ": "Asia/Tokyo",
    }
    folders = ("--project-dir", ROOT, "--profiles-dir", ROOT)
    output = ("--target-path", tmp_path / "target", "--log-path", tmp_path)

    def dbt(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "dbt.cli.main", *arguments, *folders, *output],
            capture_output=True,
            text=True,
            env=environment,
            cwd=tmp_path,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    dbt("--quiet", "build")
    dbt("--quiet", "build", "--exclude-resource-type", "unit_test", "test")
    shown = "select run_number from {{ ref('close_log') }} where finding_count = 0"
    assert "| 2 |" in dbt("show", "--inline", shown).replace("          ", " ")
    assert {p.name for p in tmp_path.iterdir()} <= {
        *(".pool_recon", "warehouse.duckdb", "warehouse.duckdb.spark", "target", "dbt.log", "logs")
    }


@pytest.mark.exhaustive
def test_a_load_brings_what_was_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    warehouse = tmp_path / "warehouse.duckdb"

    def understood() -> tuple[int, int, int]:
        _, loaded = in_spark.load(SAMPLES / "bad_day", warehouse, Progress())
        (folder,) = Path(f"{warehouse}.spark").rglob("trades")
        desks = f"from '{folder}/*.parquet'"
        ((now, of_all),) = (
            duckdb.connect()
            .sql(f"select count(*) filter (terminal_at = 'desk-1'), count(*) {desks}")
            .fetchall()
        )
        return len(loaded.read_again), now, of_all

    again, before, trades = understood()
    assert (again, before) == (0, 0)
    with monkeypatch.context() as patch:
        aliased(patch, "trades", "terminal_at", "settlement_venue")
        again, now, of_all = understood()
    assert (again, of_all) == (1, trades)
    assert now > 0
    assert understood() == (1, 0, trades)


@pytest.mark.exhaustive
def test_a_worker_that_is_killed_in_mid_run_changes_no_byte(tmp_path: Path) -> None:
    exports = small_set(tmp_path)
    ours = in_duckdb.close(
        CloseRequest(exports, CLOSE_DATE, tmp_path / "duckdb", tmp_path / "ours.duckdb"), Progress()
    )
    workers = tmp_path / "workers"
    workers.mkdir()
    cluster = SparkCluster(workers, 2)
    running = None
    try:
        running = subprocess.Popen(
            [
                *(sys.executable, "-m", "pool_recon", "close", "--target", "spark"),
                *("--exports", exports, "--close-date", CLOSE_DATE.isoformat()),
                *("--out", tmp_path / "spark", "--warehouse", tmp_path / "theirs.duckdb"),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={
                **os.environ,
                "POOL_RECON_SPARK_MASTER": cluster.master,
                "POOL_RECON_SPARK_PARTITIONS": "4",
                "POOL_RECON_SPARK_MEMORY": "700m",
            },
        )
        # Some of what there is to build has been built, by both.
        built = ".theirs.duckdb.work/*/spark/tables/intermediate.db/*"
        while running.poll() is None and len(list(tmp_path.glob(built))) < 10:
            time.sleep(0.2)
        assert running.poll() is None, running.stderr.read() if running.stderr else ""
        assert min(cluster.ran_tasks(0), cluster.ran_tasks(1)) > 0
        cluster.kill_worker(0)
        stdout, stderr = running.communicate()
        assert (running.returncode, stderr) == (1, ""), stdout
        assert "BLOCKED" in stdout
        assert cluster.ran_tasks(1) > cluster.ran_tasks(0)
    finally:
        if running:
            running.kill()
        cluster.stop()
    one, other = files_of(ours.package), files_of(tmp_path / "spark" / "2026-06-30")
    assert [name for name in sorted(one | other) if one.get(name) != other.get(name)] == []


@pytest.mark.exhaustive
def test_java_that_is_killed_ends_the_close_with_a_line(tmp_path: Path) -> None:
    """As the system does where memory runs out: the cause is told, and not what broke with it."""
    with subprocess.Popen(
        [
            *(sys.executable, "-m", "pool_recon", "close", "--target", "spark"),
            *("--exports", SAMPLES / "clean", "--close-date", CLOSE_DATE.isoformat()),
            *("--out", tmp_path / "out", "--warehouse", tmp_path / "w.duckdb"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as running:
        built = ".w.duckdb.work/*/spark/tables/staging.db/*"
        while running.poll() is None and not list(tmp_path.glob(built)):
            time.sleep(0.2)
        children = Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text().split()
        (java,) = [
            int(child) for child in children if Path(f"/proc/{child}/exe").resolve().name == "java"
        ]
        os.kill(java, signal.SIGKILL)
        stdout, stderr = running.communicate()
    assert (running.returncode, stdout) == (2, "")
    assert stderr.startswith("pool-recon: Java ended while Spark was at work: it was killed, ")
    assert stderr.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir() if path.name != ".pool_recon"] in ([], ["out"])


def test_spark_without_java_is_told_so(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pool_recon", "close", "--target", "spark"),
            *("--exports", SAMPLES / "clean", "--close-date", "2026-06-30", "--out", tmp_path),
        ],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "JAVA_HOME": str(tmp_path / "nowhere")},
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("pool-recon: Spark does not start: ")
    assert "it needs Java 17 or newer (JAVA_HOME)" in done.stderr
    assert done.stderr.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] in ([], [".pool_recon"])


def test_a_master_that_is_not_there_is_named(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pool_recon", "load", "--target", "spark"),
            *("--exports", SAMPLES / "clean", "--warehouse", tmp_path / "w.duckdb"),
        ],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "POOL_RECON_SPARK_MASTER": "nowhere"},
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "Master must either be yarn or start with" in done.stderr
    assert "(POOL_RECON_SPARK_MASTER)" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "w.duckdb").exists()
