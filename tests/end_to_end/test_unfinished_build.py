"""What dbt began to build and did not finish fails the tests of the warehouse until it is built."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.end_to_end.closing import CLOSE_DATE, PREVIOUS, ROOT, pool_recon
from tests.end_to_end.test_own_exports import PARTS
from tests.harness.forking import clean_environment, run

BUILD = ("build", "--exclude-resource-type", "unit_test")
TEST = ("test", "--select", "assert_invariants_hold")


class Project:
    """A copy of the project on a warehouse that was loaded and never built."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        for part in PARTS:
            shutil.copytree(ROOT / part, folder / part)
        for file in ("dbt_project.yml", "profiles.yml"):
            shutil.copy(ROOT / file, folder)
        warehouse = folder / "w.duckdb"
        exports = ("--exports", ROOT / "samples" / "clean")
        loaded = pool_recon("load", *exports, "--warehouse", warehouse, out=folder / "out")
        assert loaded.exit_code == 0, loaded.stderr
        self.environment = clean_environment() | {
            "POOL_RECON_WAREHOUSE": str(warehouse),
            "POOL_RECON_CLOSE_DATE": CLOSE_DATE,
            "DBT_LOG_LEVEL_FILE": "none",
        }

    def dbt(self, *command: str) -> int:
        return run("dbt.cli.main", command, self._folder, self.environment).returncode

    def validated(self) -> int:
        """The exit code of the second reading."""
        return pool_recon(
            *("validate", "--warehouse", self._folder / "w.duckdb"), out=self._folder / "out"
        ).exit_code

    def kill_after(self, told: str, *command: str) -> None:
        """Begin a command of dbt, and end it at once when it has said `told`."""
        words = [sys.executable, "-m", "dbt.cli.main", *command]
        with subprocess.Popen(
            words, cwd=self._folder, env=self.environment, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout
            assert any(told in line for line in process.stdout)
            process.kill()

    def broken(self, model: str) -> Path:
        """The file of a model that fails from now on, which keeps what it was beside it."""
        (file,) = self._folder.joinpath("models").rglob(f"{model}.sql")
        shutil.copy(file, file.with_suffix(".kept"))
        file.write_text("select error('broken') as broken", encoding="utf-8")
        return file


@pytest.mark.slow
def test_what_was_not_built_to_its_end_fails_the_tests(tmp_path: Path) -> None:
    project = Project(tmp_path / "project")
    # A part of the models before there is anything else.
    assert project.dbt(*BUILD, "--select", "+stg_orders") == 0
    broken = project.broken("findings_of_trades")
    assert project.dbt(*BUILD) == 1
    broken.with_suffix(".kept").replace(broken)
    assert project.dbt("run", "--select", "fct_conservation") == 0
    assert project.dbt(*TEST) == 1
    assert project.validated() == 2
    # What failed, and what was skipped for it.
    assert project.dbt("run", "--select", "findings_of_trades+") == 0
    assert project.dbt(*TEST) == 0
    assert project.validated() == 0

    project.kill_after("OK created sql table model staging.stg_orders", *BUILD)
    assert project.dbt(*TEST) == 1
    assert project.dbt(*BUILD) == 0
    assert project.dbt(*TEST) == 0

    # Views that were built of no rows find nothing in any.
    judging = ("close_checklist", "close_invariant_breaches")
    assert project.dbt("run", "--empty", "--select", *judging) == 0
    assert project.dbt(*TEST) == 1
    assert project.dbt("run", "--select", *(f"{model}+" for model in judging)) == 0
    assert project.dbt(*TEST) == 0


@pytest.mark.slow
def test_what_comes_after_a_part_that_was_built_fails_the_tests(tmp_path: Path) -> None:
    project = Project(tmp_path / "project")
    assert project.dbt(*BUILD) == 0
    # Staging sees new rows, reference data changes, and no fact knows of it.
    for part in (("run", "--select", "+fct_conservation"), ("seed", "--select", "ref_assets")):
        assert project.dbt(*part) == 0
        assert project.dbt(*TEST) == 1
        assert project.dbt(*BUILD) == 0
        assert project.dbt(*TEST) == 0


@pytest.mark.slow
def test_a_retry_ends_what_it_goes_on_from(tmp_path: Path) -> None:
    project = Project(tmp_path / "project")
    broken = project.broken("int_trades_in_force")
    assert project.dbt(*BUILD) == 1
    broken.with_suffix(".kept").replace(broken)
    # Not for another date, nor a part of it by hand.
    project.environment["POOL_RECON_CLOSE_DATE"] = PREVIOUS
    assert project.dbt("retry") == 2
    assert project.dbt("run", "--select", "int_trades_in_force+") == 2
    project.environment["POOL_RECON_CLOSE_DATE"] = CLOSE_DATE
    assert project.dbt("retry") == 0
    assert project.dbt(*TEST) == 0

    # What the project no longer has is not waited for.
    added = broken.with_name("int_added.sql")
    added.write_text("select error('broken') as broken", encoding="utf-8")
    assert project.dbt("run", "--select", "int_added") == 1
    assert project.dbt(*TEST) == 1
    added.unlink()
    assert project.dbt(*TEST) == 0
    assert project.dbt("run", "--select", "bi_days") == 0
    assert project.validated() == 0


@pytest.mark.slow
def test_what_was_built_is_tested_without_saying_for_which_date(tmp_path: Path) -> None:
    project = Project(tmp_path / "project")
    stated = project.environment.pop("POOL_RECON_CLOSE_DATE")
    assert project.dbt(*TEST) == 2
    assert project.dbt(*BUILD) == 2
    assert project.dbt(*BUILD, "--vars", f"close_date: {stated}") == 0
    assert project.dbt(*TEST) == 0
    # What builds is told the date each time, or yesterday's would be closed again.
    assert project.dbt(*BUILD) == 2
    assert project.dbt(*TEST, "--vars", "close_date: 2026-06-29") == 2
