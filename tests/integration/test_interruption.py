"""The program is asked to stop: before the close is published, meanwhile, and afterwards."""

from __future__ import annotations

import errno
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pool_recon import close as close_module
from pool_recon.dbt_runner import BuildSettings, NodeResult
from pool_recon.errors import CloseError
from pool_recon.segments import Segments
from tests.unit.cli_support import FakeBuild, close, content, run, the_line
from tests.unit.cli_support import build as build
from tests.unit.cli_support import exports as exports

REQUESTS = pytest.mark.parametrize("request_", [signal.SIGINT, signal.SIGTERM])


@pytest.fixture(autouse=True)
def nothing_is_ignored() -> Iterator[None]:
    """Whoever runs the tests in the background may have them ignore Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@REQUESTS
def test_before_anything_is_published(
    request_: signal.Signals,
    build: FakeBuild,
    exports: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert close(exports, tmp_path / "o", "--quiet") == 0
    before = content(tmp_path / "o")

    def build_and_test(settings: BuildSettings) -> list[NodeResult]:
        os.kill(os.getpid(), request_)
        raise CloseError("a library made an error of it")

    monkeypatch.setattr(close_module, "build_and_test", build_and_test)
    told = ("--notify", "false", "--notify-on", "always")
    code = 143 if request_ == signal.SIGTERM else 2
    assert close(exports, tmp_path / "o", *told) == code
    assert the_line(capsys) == "pool-recon: interrupted; nothing was changed\n"
    assert content(tmp_path / "o") == before
    assert not list((tmp_path / "o").glob(".*.work"))


@REQUESTS
@pytest.mark.parametrize("moment", ["replace", "remember"])
@pytest.mark.parametrize("is_blocked", [False, True])
def test_while_it_is_published(
    request_: signal.Signals,
    moment: str,
    is_blocked: bool,
    build: FakeBuild,
    exports: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    owner = Path if moment == "replace" else Segments
    real = getattr(owner, moment)

    def stopped(*arguments: Any) -> Any:
        os.kill(os.getpid(), request_)
        return real(*arguments)

    build.failing_rules = {"no_secrets"} if is_blocked else set()
    monkeypatch.setattr(owner, moment, stopped)
    told = tmp_path / "told"
    hook = shlex.join(["touch", str(told)])
    code = close(exports, tmp_path / "o", "--notify", hook, "--notify-on", "always")
    assert code == int(is_blocked)
    captured = capsys.readouterr()
    assert captured.out.startswith("Close of 2026-06-30: ")
    assert "nothing was changed" not in captured.err
    assert captured.err == (
        f"pool-recon: interrupted; the close is published in {tmp_path / 'o' / '2026-06-30'}, "
        "but who is to be notified may not have been\n"
    )
    assert not told.exists()
    assert (tmp_path / "o" / "2026-06-30" / "manifest.json").exists()
    assert (tmp_path / "o" / "pool_recon.duckdb").exists()
    assert not list((tmp_path / "o").glob(".*.work"))


@REQUESTS
def test_while_a_hook_is_told(
    request_: signal.Signals,
    build: FakeBuild,
    exports: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    hook = shlex.join(["sh", "-c", f"kill -{request_.name[3:]} {os.getpid()}; sleep 60"])
    code = close(exports, tmp_path / "o", "-q", "--notify", hook, "--notify-on", "always")
    assert code == 0
    line = the_line(capsys)
    assert "the close is published in" in line
    assert "who is to be notified" in line


def test_a_close_that_cannot_be_published_says_why(
    build: FakeBuild,
    exports: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def full(self: Path, target: Path) -> Path:
        os.kill(os.getpid(), signal.SIGTERM)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    assert close(exports, tmp_path / "o") == 2
    assert "cannot be published: No space left on device" in the_line(capsys)


def test_code_that_is_run_from_a_text_does_not_change_the_exit_code() -> None:
    code = (
        "import os, signal, sys\n"
        "from pool_recon.interruption import listening\n"
        "try:\n"
        "    with listening():\n"
        "        exec('os.kill(os.getpid(), signal.SIGTERM)')\n"
        "except KeyboardInterrupt:\n"
        "    sys.exit(143)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 143


def test_the_handlers_are_put_back(build: FakeBuild, exports: Path, tmp_path: Path) -> None:
    before = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
    assert close(exports, tmp_path / "o", "-q") == 0
    assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)] == before


def test_a_load_that_is_done_is_done(
    exports: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    real = Path.replace

    def stopped(self: Path, target: Path) -> Path:
        os.kill(os.getpid(), signal.SIGINT)
        return real(self, target)

    monkeypatch.setattr(Path, "replace", stopped)
    assert run("load", "--exports", exports, "--warehouse", tmp_path / "w.duckdb") == 0
    assert "Loaded into" in capsys.readouterr().out
