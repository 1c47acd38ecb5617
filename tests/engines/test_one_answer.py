"""The same exports give the same close in PostgreSQL as in DuckDB, byte for byte."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from pool_recon import postgres as in_postgres
from pool_recon.close import CloseRequest, CloseResult
from pool_recon.postgres import mirror
from pool_recon.progress import Progress
from tests.engines.comparing import (
    PUBLISHED,
    Pair,
    close_in_both,
    close_in_brief,
    differences,
    files_of,
    put_together,
)
from tests.engines.everything import SAMPLES, let_parsed_like_ours, write_everything
from tests.engines.postgres_server import PostgresServer
from tests.fault_matrix import CLOSE_DATE, Scenario, separate_scenarios, write_alone
from tests.harness.splitting import SplitExports
from tests.oracle.collide import collide
from tests.oracle.generate import MESSES, generate, generate_together

ROOT = Path(__file__).resolve().parents[2]


class Closing:
    """Closes the same in both, each in a warehouse of its own."""

    def __init__(
        self, server: PostgresServer, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # Every table is brought back here, to be compared.
        monkeypatch.setattr(mirror, "ON_THE_WAY", frozenset())
        self._folder = folder
        self.database = server.new_database()
        self._environment = server.environment(self.database)

    def close(
        self,
        exports: Path,
        day: date = CLOSE_DATE,
        register: Path | None = None,
        *,
        is_anew: bool = False,
    ) -> Pair:
        return close_in_both(
            self._folder, self.close_in_postgres, exports, day, register, is_anew=is_anew
        )

    def close_in_postgres(self, request: CloseRequest, progress: Progress) -> CloseResult:
        # Only here: with another environment DuckDB would have the project parsed anew.
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self._environment.items():
                patch.setenv(name, value)
            return in_postgres.close(request, progress)


@pytest.mark.slow
def test_a_close_goes_on_with_rows_history_and_register(
    postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A finding stays open from an earlier date, one is approved, and rows are kept or replaced.

    What was built of what is new and what is linked to it is what DuckDB makes of all rows. Page,
    workbook and Parquet copies are those of the tables, and compared where all is at hand.
    """
    close_in_brief(monkeypatch)
    closing = Closing(postgres, tmp_path, monkeypatch)
    # late enough for time to change nothing about most rows
    first_day, next_day = date(2026, 7, 5), date(2026, 7, 6)
    generated = generate_together(tmp_path / "generated", range(24, 30))
    split = SplitExports(generated, tmp_path, loads=2, seed=2)
    exports = tmp_path / "exports"
    split.write(exports, 0)
    assert differences(closing.close(exports, first_day)) == []
    split.write(exports, 1)
    # an old snapshot decides for all quotes after it
    for file in (exports / "pools").glob("*.1.csv"):
        file.unlink()
    found = (tmp_path / "duckdb" / "2026-07-05" / "exceptions.csv").read_text(encoding="utf-8")
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
    pair = closing.close(exports, next_day, register, is_anew=True)
    assert differences(pair) == []
    # entries of the second load are of days that were closed by then
    ours, theirs = (result.restated_balances for result in pair[:2])
    assert list(ours) == list(theirs) != []
    looked_at = (
        "select bool_and(is_incremental), sum(rows_at_hand) < 0.75 * sum(readable_rows)"
        " from intermediate.int_rows_at_hand where export_name <> 'funding'"
    )
    assert postgres.psql(closing.database, "-c", looked_at) == "t|t"
    rejected = (pair[1].package / "register.csv").read_text(encoding="utf-8")
    assert ",rejected," in rejected
    ages = (pair[1].package / "exceptions.csv").read_text(encoding="utf-8")
    assert ",2026-07-05,1," in ages
    # A reader with settings of its own reads the same.
    opened = "set datestyle = 'German'; select max(opened_on) from package.pkg_exceptions"
    assert postgres.psql(closing.database, "-c", opened) == "2026-07-06"


@pytest.fixture(scope="module")
def mixture(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """All that is at hand, closed as one; the other system is known to the reference data."""
    folder = tmp_path_factory.mktemp("mixture")
    project, exports = write_everything(folder, range(300, 306), range(60))
    let_parsed_like_ours(project, ("duckdb", "postgres"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POOL_RECON_PROJECT_DIR", str(project))
        yield Closing(postgres, folder, patch).close(exports)


@pytest.mark.slow
@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_file_is_the_same(mixture: Pair, name: str) -> None:
    ours, theirs, *_ = mixture
    content = (ours.package / name).read_bytes()
    assert content.count(b"\n") > 8
    assert (theirs.package / name).read_bytes() == content


@pytest.mark.slow
def test_the_rest_of_the_package_and_every_table_are_the_same(mixture: Pair) -> None:
    assert differences(mixture) == []


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
@pytest.mark.parametrize("seed", range(6))
def test_what_lands_bit_by_bit_is_the_same(
    seed: int, postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sets = {
        "generated": generate_together(tmp_path / "g", range(16 * seed, 16 * seed + 16)),
        "collided": collide(tmp_path / "c", range(200 * seed, 200 * seed + 200)),
    }
    days = [date(2026, 6, 30), date(2026, 7, 2), date(2026, 7, 2), date(2026, 7, 6)]
    exports = put_together(tmp_path / "sets", sets)
    split = SplitExports(exports, tmp_path, loads=len(days), seed=seed)
    closing = Closing(postgres, tmp_path, monkeypatch)
    for load, day in enumerate(days):
        split.write(tmp_path / "exports", load)
        assert differences(closing.close(tmp_path / "exports", day)) == []
    kept = "select bool_and(is_incremental) from intermediate.int_rows_at_hand"
    assert postgres.psql(closing.database, "-c", kept) == "t"
    pair = closing.close(tmp_path / "exports", days[-1])
    request = CloseRequest(
        tmp_path / "exports",
        *(days[-1], tmp_path / "anew", tmp_path / "anew.duckdb"),
        is_full_refresh=True,
    )
    anew = closing.close_in_postgres(request, Progress())
    assert postgres.psql(closing.database, "-c", kept) == "f"
    assert files_of(anew.package) == files_of(pair[1].package)


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
