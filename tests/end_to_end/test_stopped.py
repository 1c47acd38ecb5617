"""A close that is asked to stop, as schedulers and people do: what is said, and what is left."""

from __future__ import annotations

import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.end_to_end.closing import CLOSE_DATE, ROOT
from tests.harness.forking import clean_environment

SAMPLE = ROOT / "samples" / "clean"


def started(out: Path, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "pool_recon", "close", "--exports", str(SAMPLE)]
    return subprocess.Popen(
        [*command, "--close-date", CLOSE_DATE, "--out", str(out), *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=clean_environment(),
        # Whoever runs the tests in the background has Ctrl-C ignored, and programs inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


@pytest.mark.parametrize(
    "made",
    [
        pytest.param(".pool_recon.duckdb.work", marks=pytest.mark.slow),
        f".{CLOSE_DATE}.work/new/*.csv",
    ],
)
def test_a_terminated_close_tidies_up_and_says_so(made: str, tmp_path: Path) -> None:
    out = tmp_path / "o"
    process = started(out)
    # It has its lock, and then the first file of the package.
    while not list(out.glob(made)):
        assert process.poll() is None
        time.sleep(0.05)
    process.terminate()
    said, errors = process.communicate(timeout=60)
    assert (process.returncode, said) == (128 + signal.SIGTERM, "")
    assert errors == "pool-recon: interrupted; nothing was changed\n"
    assert not list(out.glob(".*.work"))
    assert not (out / CLOSE_DATE).exists()
    assert not (out / "pool_recon.duckdb").exists()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["INT", "TERM"])
def test_a_close_that_is_published_keeps_its_exit_code(name: str, tmp_path: Path) -> None:
    # A hook is a session of its own, and its parent is the close.
    hook = shlex.join(["sh", "-c", f"kill -{name} $PPID; sleep 60"])
    process = started(tmp_path, "--notify", hook, "--notify-on", "always")
    said, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert "every rule holds" in said
    package = tmp_path / CLOSE_DATE
    assert errors == (
        f"pool-recon: interrupted; the close is published in {package}, but who is to be notified "
        "may not have been\n"
    )
    assert (package / "manifest.json").exists()
    assert not list(tmp_path.glob(".*.work"))
