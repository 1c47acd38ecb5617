"""docs/bring-your-own-exports.md, followed to the letter on exports of other systems."""

from __future__ import annotations

import csv
import re
import shlex
import shutil
import subprocess
from datetime import date
from pathlib import Path

import duckdb
import pytest

from pool_recon.loader import load_exports
from tests.end_to_end.closing import ROOT
from tests.harness import forking
from tests.oracle import close as oracle_close

GUIDE = ROOT / "docs" / "bring-your-own-exports.md"
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
SAMPLE_FILE = re.compile(r"^`(\w+\.csv)`\n```\n(.*?)^```$", re.DOTALL | re.MULTILINE)
SEED_ROWS = re.compile(
    r"`seeds/(ref_\w+)\.csv`[^`]*?(?:`[^`]*`[^`]*?)*?```text\n(.*?)```", re.DOTALL
)
PARTS = ("analyses", "macros", "models", "seeds", "tests/invariants", "tests/rules")


def text() -> str:
    return GUIDE.read_text(encoding="utf-8")


def steps() -> list[tuple[str, str]]:
    """The commands of the section of the other system, each with what it is said to print."""
    section = text().partition("## Exports of another system")[2].partition("\n## ")[0]
    blocks = [block for language, block in FENCE.findall(section) if not language]
    return [
        (command.replace("\\\n", " ").strip(), said.strip())
        for command, said in zip(blocks, [*blocks[1:], ""], strict=True)
        if command.startswith("pool-recon ")
    ]


def run(
    command: str, folder: Path, project: Path, *, in_brief: bool = False
) -> subprocess.CompletedProcess[str]:
    environment = forking.clean_environment() | {"POOL_RECON_PROJECT_DIR": str(project)}
    module = "pool_recon in brief" if in_brief else "pool_recon"
    return forking.run(module, shlex.split(command)[1:], folder, environment)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project, as the guide says to keep one."""
    copy = tmp_path / "project"
    for part in PARTS:
        shutil.copytree(ROOT / part, copy / part)
    for file in ("dbt_project.yml", "profiles.yml"):
        shutil.copy(ROOT / file, copy)
    return copy


@pytest.mark.slow
def test_the_other_system_closes_by_the_steps_of_the_guide(tmp_path: Path, project: Path) -> None:
    (tmp_path / "samples").symlink_to(ROOT / "samples")
    (load, refusal), (close, summary) = steps()
    tried = run(load, tmp_path, project)
    assert (tried.returncode, tried.stderr.strip()) == (2, refusal)
    rows = SEED_ROWS.findall(text())
    assert [name for name, _ in rows] == [
        "ref_column_aliases",
        "ref_product_states",
        "ref_entry_types",
        "ref_assets",
    ]
    for name, lines in rows:
        with (project / "seeds" / f"{name}.csv").open("a", encoding="utf-8") as seed:
            seed.write(lines)
    done = run(close, tmp_path, project)
    assert done.returncode == 0, done.stderr
    printed = {line.strip() for line in done.stdout.splitlines()}
    assert {line.strip() for line in summary.splitlines()} <= printed, done.stdout
    package = tmp_path / "out" / "other" / "2026-06-30"
    with (package / "balances.csv").open(encoding="utf-8", newline="") as stream:
        (balance,) = csv.DictReader(stream)
    assert (balance["closing"], balance["reported_balance"]) == ("3748.25", "3748.25")


@pytest.mark.slow
def test_a_review_that_is_due_is_a_matter_for_its_owner(tmp_path: Path) -> None:
    (tmp_path / "exports").mkdir()
    for name, content in SAMPLE_FILE.findall(text()):
        (tmp_path / "exports" / name).write_text(content, encoding="utf-8")
    command = "pool-recon close --exports exports --close-date"
    assert run(f"{command} 2026-06-30", tmp_path, ROOT, in_brief=True).returncode == 0
    done = run(f"{command} 2026-07-08", tmp_path, ROOT, in_brief=True)
    assert done.returncode == 1, done.stderr
    assert "missing_request_id of trade t1; partner engineering" in done.stdout
    assert "no matter for finance" not in done.stdout
    (approve,) = (line.strip() for line in done.stdout.splitlines() if " approve " in line)
    assert approve.endswith(" --next-review DATE")
    with (tmp_path / "out" / "2026-07-08" / "exceptions.csv").open(encoding="utf-8") as stream:
        for finding in csv.DictReader(stream):
            words = approve.replace("DATE", "2026-07-15").split()
            words[words.index("approve") + 1] = finding["exception_id"]
            assert run(" ".join(words), tmp_path, ROOT).returncode == 0
    register = "--register exception_register.csv"
    done = run(f"{command} 2026-07-08 {register}", tmp_path, ROOT, in_brief=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.slow
def test_a_column_that_is_understood_later_counts_for_files_that_have_landed(
    tmp_path: Path, project: Path
) -> None:
    exports = tmp_path / "exports"
    shutil.copytree(ROOT / "samples" / "clean", exports)
    renamed = 0
    for file in (exports / "orders").rglob("*.csv"):
        content = file.read_text(encoding="utf-8")
        file.write_text(content.replace("client_reference", "Customer Ref", 1), encoding="utf-8")
        renamed += "client_reference" in content
    assert renamed > 1

    def closed(warehouse: str) -> tuple[str, dict[str, bytes]]:
        command = "pool-recon close --close-date 2026-06-30 --exports exports"
        places = f"--warehouse {warehouse} --out {warehouse}.out"
        done = run(f"{command} {places}", tmp_path, project, in_brief=True)
        assert done.returncode == 0, done.stderr
        package = tmp_path / f"{warehouse}.out" / "2026-06-30"
        files = {
            path.relative_to(package).as_posix(): path.read_bytes()
            for path in package.rglob("*")
            if path.is_file()
        }
        return done.stdout, files

    said, before = closed("old.duckdb")
    assert "read again" not in said
    with (project / "seeds" / "ref_column_aliases.csv").open("a", encoding="utf-8") as seed:
        seed.write("orders,client_reference,customer_ref,1\n")
    said, after = closed("old.duckdb")
    assert f"({renamed} read again" in said
    _, anew = closed("new.duckdb")
    assert after == anew
    assert after["orders.csv"] != before["orders.csv"]


def test_the_smallest_close_finds_what_the_guide_says(tmp_path: Path) -> None:
    files = dict(SAMPLE_FILE.findall(text()))
    assert sorted(files) == ["events.csv", "ledger.csv", "orders.csv", "quotes.csv", "trades.csv"]
    for name, content in files.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    closed = oracle_close(tmp_path, date(2026, 6, 30))
    codes = sorted(code for code, _, _ in closed.keys)
    assert codes == ["documented_column_absent"] * 3 + ["missing_request_id"]


def test_columns_that_are_not_carried_on_are_listed() -> None:
    """The analysis that the guide ends with, on a sample that has one such column."""
    sql = (ROOT / "analyses" / "columns_not_carried_on.sql").read_text(encoding="utf-8")
    sql = re.sub(r"\{\{ pool_recon\.landed\('(\w+)'\) \}\}", r"raw.\1", sql)
    with duckdb.connect() as connection:
        connection.execute("create schema raw")
        load_exports(connection, ROOT / "samples" / "bad_day")
        found = connection.execute(sql).fetchall()
    assert found == [("trades", "settlement_venue", 1)]
