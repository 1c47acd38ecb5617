"""The wheel: installed where nobody may write, run by somebody else from a folder of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.end_to_end.closing import CLOSE_DATE, ROOT

NOBODY = 65534


@dataclass(frozen=True)
class Installed:
    """An installed wheel: the folder that it is in, a folder to work in, and who does."""

    site: Path
    work: Path
    home: Path
    user: int | None

    @property
    def project(self) -> Path:
        return self.site / "pool_recon" / "dbt_project"

    def run(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        """Run a Python of that user with the installed package and without the checkout."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("POOL_RECON", "DBT"))}
        kept.pop("XDG_CACHE_HOME", None)
        return subprocess.run(
            [sys.executable, *map(str, arguments)],
            capture_output=True,
            text=True,
            cwd=self.work,
            env={**kept, "PYTHONPATH": str(self.site), "HOME": str(self.home)},
            user=self.user,
            check=False,
        )

    def pool_recon(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        return self.run(self.site / "bin" / "pool-recon", *arguments)


def contents(folder: Path) -> dict[Path, tuple[int, int]]:
    """Every file and folder with its size and time of change."""
    found = {path: path.stat() for path in [folder, *folder.rglob("*")]}
    return {path: (stat.st_size, stat.st_mtime_ns) for path, stat in found.items()}


@pytest.fixture(scope="module")
def installed() -> Iterator[Installed]:
    # the folders of pytest may be entered by their owner only
    base = Path(tempfile.mkdtemp(prefix="pool_recon_wheel_"))
    base.chmod(0o755)
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(base / "wheel")]
    done = subprocess.run(build, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    (wheel,) = (base / "wheel").glob("*.whl")
    site, work, home = base / "site", base / "work", base / "home"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"),
            *("--disable-pip-version-check", "--target", str(site), str(wheel)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    work.mkdir()
    home.mkdir()
    shutil.copytree(ROOT / "samples" / "clean", work / "exports")
    # Root may write everywhere; where its interpreter can be run by somebody else, they do.
    is_root = os.geteuid() == 0
    if is_root:
        for path in [home, work, *work.rglob("*")]:
            os.chown(path, NOBODY, NOBODY)
    for path in [site, *site.rglob("*")]:
        path.chmod(path.stat().st_mode & ~0o222)
    made = Installed(site, work, home, NOBODY if is_root else None)
    try:
        is_runnable = made.run("-c", "import dbt.cli, duckdb").returncode == 0
    except OSError:
        is_runnable = False
    yield made if is_runnable else Installed(site, work, home, None)
    for path in [site, *site.rglob("*")]:
        path.chmod(path.stat().st_mode | 0o200)
    shutil.rmtree(base)


def test_the_wheel_carries_the_dbt_project(installed: Installed) -> None:
    for folder in ("models", "macros", "seeds", "tests/rules", "tests/invariants", "analyses"):
        project = installed.project
        in_wheel = {path.relative_to(project) for path in (project / folder).rglob("*.*")}
        in_checkout = {path.relative_to(ROOT) for path in (ROOT / folder).rglob("*.*")}
        assert in_wheel == in_checkout
    assert (installed.project / "dbt_project.yml").is_file()
    assert (installed.project / "profiles.yml").is_file()
    code = "from pool_recon.reference import project_dir; print(project_dir())"
    found = installed.run("-c", code)
    assert Path(found.stdout.strip()).resolve() == installed.project.resolve()


def test_the_wheel_has_nothing_to_fetch(installed: Installed) -> None:
    names = {path.name for path in installed.site.rglob("*")}
    assert not names & {"packages.yml", "dependencies.yml", "dbt_packages", "samples"}


@pytest.mark.slow
def test_the_installed_command_works_where_only_the_work_folder_may_be_written(
    installed: Installed,
) -> None:
    before = contents(installed.site)
    helped = installed.pool_recon("--help")
    assert helped.returncode == 0, helped.stderr
    assert "close" in helped.stdout
    closed = installed.pool_recon(
        *("close", "--exports", "exports", "--close-date", CLOSE_DATE, "--out", "closes")
    )
    assert closed.returncode == 0, closed.stderr
    traced = installed.pool_recon(
        *("trace", "ord_1000000000", "--warehouse", "closes/pool_recon.duckdb")
    )
    assert traced.returncode == 0, traced.stderr
    assert "pt_live_1000000000_1" in traced.stdout
    verified = installed.pool_recon("verify", f"closes/{CLOSE_DATE}")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert contents(installed.site) == before
    assert {path.name for path in installed.work.iterdir()} == {"exports", "closes"}
    # what may be thrown away: the parsed dbt project
    assert {path.name for path in installed.home.rglob("*") if path.is_dir()} <= {
        *(".cache", "pool-recon"),
        *(path.name for path in (installed.home / ".cache" / "pool-recon").iterdir()),
    }
