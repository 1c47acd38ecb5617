"""`pool-recon doctor`, where it asks dbt: the whole command, and what others have made."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from pool_recon import doctor, reference
from pool_recon.doctor import SetUp
from tests.unit.cli_support import run
from tests.unit.test_doctor import _plain_environment as _plain_environment
from tests.unit.test_doctor import set_up as set_up
from tests.unit.test_doctor import the_check


def test_a_set_up_that_is_well(
    set_up: SetUp, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The whole command, dbt included, which changes nothing."""
    arguments = ("--exports", set_up.exports, "--out", set_up.out)
    assert run("doctor", *arguments, "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["is_well"] is True
    assert said["to_mend"] == 0
    assert {"schema_version", "command", "version", "checks"} < set(said)
    subjects = {check["subject"]: check for check in said["checks"]}
    assert subjects["dbt project"]["finding"].split()[1] == "models"
    assert subjects["export orders"]["finding"].startswith("2 rows of 1 file")
    assert {check["state"] for check in said["checks"]} == {"ok", "note"}
    assert [path.name for path in tmp_path.iterdir()] == ["exports"]


def test_a_dbt_project_that_cannot_be_parsed(
    set_up: SetUp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "project"
    (project / "seeds").mkdir(parents=True)
    shutil.copy(reference.project_dir() / "seeds" / "ref_exports.csv", project / "seeds")
    shutil.copy(reference.project_dir() / "profiles.yml", project)
    (project / "dbt_project.yml").write_text("name: pool_recon\nprofile: pool_recon\n")
    (project / "models").mkdir()
    (project / "models" / "bad.sql").write_text("select {{ nonsense")
    monkeypatch.setenv("POOL_RECON_PROJECT_DIR", str(project))
    check = the_check(doctor._dbt_project, set_up)
    assert check.state == "mend"
    assert str(project) in check.remedy
    check = the_check(doctor._statistics, set_up)
    assert check.state == "mend"
    assert "send_anonymous_usage_stats: false" in check.remedy


@pytest.mark.parametrize(("folder", "state"), [("here", "ok"), ("nowhere", "mend")])
def test_another_target(
    folder: str, state: str, set_up: SetUp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "project"
    (project / "seeds").mkdir(parents=True)
    (tmp_path / "here").mkdir()
    for name in ("seeds/ref_exports.csv", "dbt_project.yml"):
        shutil.copy(reference.project_dir() / name, project / name)
    (project / "profiles.yml").write_text(
        "pool_recon:\n  target: elsewhere\n  outputs:\n    elsewhere:\n      type: duckdb\n"
        f"      path: {tmp_path / folder / 'x.duckdb'}\n"
    )
    monkeypatch.setenv("POOL_RECON_PROJECT_DIR", str(project))
    monkeypatch.setenv("POOL_RECON_TARGET", "elsewhere")
    check = the_check(doctor._target, set_up)
    assert (check.state, "elsewhere" in check.finding) == (state, True)
