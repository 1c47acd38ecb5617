"""The runbook of docs/blocked-close.md: what it tells people to type does what it says."""

from __future__ import annotations

import csv
import shlex
import shutil
from pathlib import Path

import pytest

from pool_recon import cli
from tests.end_to_end.closing import ROOT, Ran
from tests.unit.test_documented_commands import commands

RUNBOOK = ROOT / "docs" / "blocked-close.md"
# these build a warehouse or judge one, which other tests of this folder do at length
LONG = ("close", "diff", "validate", "verify")
FINISHED = 0


@pytest.fixture
def morning(bad_day: Ran, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of somebody who has closed a copy of the bad day, with the defaults."""
    shutil.copytree(bad_day.package, tmp_path / "out" / bad_day.package.name)
    shutil.copy(bad_day.out / "pool_recon.duckdb", tmp_path / "out")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_short_command_of_the_runbook_succeeds(
    morning: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ran = []
    for command in commands(RUNBOOK):
        if command.startswith(LONG):
            continue
        with pytest.raises(SystemExit) as left:
            cli.main(shlex.split(command))
        said = capsys.readouterr()
        assert left.value.code == FINISHED, (command, said.err)
        assert said.out.strip(), command
        ran.append(command.split()[0])
    assert set(ran) == {"trace", "explain", "approve"}
    with (morning / "exception_register.csv").open(encoding="utf-8", newline="") as stream:
        (row,) = csv.DictReader(stream)
    assert (row["code"], row["expires_on"]) == ("ledger_mismatch", "2026-07-31")


def test_the_long_commands_are_the_ones_that_other_tests_run() -> None:
    assert {each.split()[0] for each in commands(RUNBOOK)} >= set(LONG)
    closes = [each for each in commands(RUNBOOK) if each.startswith("close")]
    assert all("--exports exports" in each for each in closes)
    assert any("--register exception_register.csv" in each for each in closes)


def test_every_rule_has_its_place_in_the_runbook() -> None:
    with (ROOT / "seeds" / "ref_checklist_rules.csv").open(encoding="utf-8", newline="") as stream:
        rules = [row["rule_name"] for row in csv.DictReader(stream)]
    text = RUNBOOK.read_text(encoding="utf-8")
    assert [rule for rule in rules if text.count(f"| `{rule}` |") != 1] == []
