"""The same exports give the same close in PostgreSQL as in DuckDB, byte for byte."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from pool_recon import close as in_duckdb
from pool_recon import postgres as in_postgres
from pool_recon.close import CloseRequest, CloseResult
from pool_recon.postgres import mirror
from pool_recon.progress import Progress
from tests.end_to_end.test_own_exports import PARTS, SEED_ROWS, text
from tests.engines.comparing import differing_tables, files_of, put_together
from tests.engines.edges import write_edges
from tests.engines.postgres_server import PostgresServer
from tests.fault_matrix import CLOSE_DATE, Scenario, separate_scenarios, write_alone, write_merged
from tests.oracle.collide import collide
from tests.oracle.generate import MESSES, generate, generate_together

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "samples"
PUBLISHED = (
    "reconciliation.csv",
    "exceptions.csv",
    "checklist.csv",
    "balances.csv",
    "conservation.csv",
)

Pair = tuple[CloseResult, CloseResult, Path, Path]


class Closing:
    """Closes the same in both, each in a warehouse of its own."""

    def __init__(
        self, server: PostgresServer, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # Every table is brought back here, to be compared.
        monkeypatch.setattr(mirror, "ON_THE_WAY", frozenset())
        self._folder = folder
        self.database = server.new_database()
        for name, value in server.environment(self.database).items():
            monkeypatch.setenv(name, value)

    def close(self, exports: Path, day: date = CLOSE_DATE, register: Path | None = None) -> Pair:
        made = []
        for name, engine in (("duckdb", in_duckdb), ("postgres", in_postgres)):
            out = self._folder / name
            warehouse = out / "warehouse.duckdb"
            request = CloseRequest(exports, day, out, warehouse, register)
            made.append((engine.close(request, Progress()), warehouse))
        (ours, our_file), (theirs, their_file) = made
        return ours, theirs, our_file, their_file


def differences(pair: Pair) -> list[str]:
    """What is not the same in two closes, in full."""
    ours, theirs, our_file, their_file = pair
    one, other = files_of(ours.package), files_of(theirs.package)
    found = [f"{name} differs" for name in sorted(one | other) if one.get(name) != other.get(name)]
    return found + differing_tables(our_file, their_file)


@pytest.fixture(scope="module")
def mixture(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """All that is at hand, closed as one; the other system is known to the reference data."""
    folder = tmp_path_factory.mktemp("mixture")
    project = folder / "project"
    for part in PARTS:
        shutil.copytree(ROOT / part, project / part)
    for file in ("dbt_project.yml", "profiles.yml"):
        shutil.copy(ROOT / file, project)
    for name, lines in SEED_ROWS.findall(text()):
        with (project / "seeds" / f"{name}.csv").open("a", encoding="utf-8") as seed:
            seed.write(lines)
    sets = folder / "sets"
    exports = put_together(
        folder / "exports",
        {
            "clean": SAMPLES / "clean",
            "bad_day": SAMPLES / "bad_day",
            "other_system": SAMPLES / "other_system",
            "scenarios": write_merged(sets / "scenarios"),
            "generated": generate_together(sets / "generated", range(300, 316)),
            "collided": collide(sets / "collided", range(200)),
            "edges": write_edges(sets / "edges"),
        },
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POOL_RECON_PROJECT_DIR", str(project))
        yield Closing(postgres, folder, patch).close(exports)


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_file_is_the_same(mixture: Pair, name: str) -> None:
    ours, theirs, *_ = mixture
    content = (ours.package / name).read_bytes()
    assert content.count(b"\n") > 8
    assert (theirs.package / name).read_bytes() == content


def test_the_rest_of_the_package_and_every_table_are_the_same(mixture: Pair) -> None:
    assert differences(mixture) == []


def test_a_close_goes_on_with_the_history_and_the_register(
    postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A finding stays open from an earlier date, one is approved, and a date is closed again."""
    closing = Closing(postgres, tmp_path, monkeypatch)
    exports = SAMPLES / "bad_day"
    assert differences(closing.close(exports, date(2026, 6, 29))) == []
    found = (tmp_path / "duckdb" / "2026-06-29" / "exceptions.csv").read_text(encoding="utf-8")
    header, first, *_ = found.splitlines()
    finding = dict(zip(header.split(","), first.split(","), strict=False))
    register = tmp_path / "register.csv"
    register.write_text(
        "code,subject_type,subject_id,environment,owner,next_review_date,approved_by,approved_on,"
        "reason,expires_on\n"
        f"{finding['code']},{finding['subject_type']},{finding['subject_id']},,ÉMILE,,Émile,"
        "2026-06-30,the owner himself,\n"
        f"quarantined_row,export_row,nowhere:1,,,2026-07-09,Ada,2026-06-30,'quoted',\n",
        encoding="utf-8",
    )
    pair = closing.close(exports, date(2026, 6, 30), register)
    assert differences(pair) == []
    rejected = (pair[1].package / "register.csv").read_text(encoding="utf-8")
    assert ",rejected," in rejected
    ages = (pair[1].package / "exceptions.csv").read_text(encoding="utf-8")
    assert ",2026-06-29,1," in ages
    # A reader with settings of its own reads the same.
    opened = "set datestyle = 'German'; select max(opened_on) from package.pkg_exceptions"
    assert postgres.psql(closing.database, "-c", opened) == "2026-06-30"


@pytest.mark.exhaustive
@pytest.mark.parametrize("scenario", separate_scenarios(), ids=lambda each: each.name)
def test_a_separate_scenario_is_the_same(
    scenario: Scenario, postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exports = write_alone(tmp_path / "exports", scenario)
    assert differences(Closing(postgres, tmp_path, monkeypatch).close(exports)) == []


@pytest.mark.exhaustive
@pytest.mark.parametrize("seed", range(500, 510))
def test_a_set_alone_is_the_same(
    seed: int, postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exports = generate(tmp_path / "exports", seed, mess=MESSES[seed % len(MESSES)])
    assert differences(Closing(postgres, tmp_path, monkeypatch).close(exports)) == []


@pytest.mark.exhaustive
@pytest.mark.parametrize("batch", range(6))
def test_sets_together_are_the_same(
    batch: int, postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exports = put_together(
        tmp_path / "exports",
        {
            "generated": generate_together(
                tmp_path / "g", range(9000 + 40 * batch, 9040 + 40 * batch)
            ),
            "collided": collide(tmp_path / "c", range(9000 + 500 * batch, 9500 + 500 * batch)),
        },
    )
    assert differences(Closing(postgres, tmp_path, monkeypatch).close(exports)) == []


@pytest.mark.exhaustive
def test_dbt_by_itself_builds_and_tests_what_was_loaded(
    postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unit tests too; a second build goes on with the history of the first."""
    database = postgres.new_database()
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith(("POOL_RECON", "DBT"))},
        **postgres.environment(database),
        "POOL_RECON_TARGET": "postgres",
        "POOL_RECON_CLOSE_DATE": CLOSE_DATE.isoformat(),
        "PGOPTIONS": "-c DateStyle=German -c TimeZone=Asia/Tokyo",
    }
    for name, value in postgres.environment(database).items():
        monkeypatch.setenv(name, value)
    in_postgres.load(SAMPLES / "clean", Progress())
    folders = ("--project-dir", ROOT, "--profiles-dir", ROOT)
    output = ("--target-path", tmp_path, "--log-path", tmp_path)
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-m", "dbt.cli.main", "--quiet", "build", *folders, *output],
            capture_output=True,
            text=True,
            env=environment,
            check=False,
        )
        assert done.returncode == 0, done.stdout
    holding = "select count(*) from marts.close_checklist where holds"
    assert postgres.psql(database, "-c", holding) == "11"
    runs = "select string_agg(run_number::text, ' ' order by run_number) from history.close_log"
    assert postgres.psql(database, "-c", runs) == "1 2"
