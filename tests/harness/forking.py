"""Commands in processes that have imported what a close needs before they begin.

A close of a test has few rows, and most of its time would go into importing dbt and Great
Expectations. Here a server has imported both, and forks off a process for each command, with an
environment, a folder and a memory of its own. What these processes have in common is what the
libraries are before they have done anything, and the order of sets. Where that is to differ, or
the start itself is what is tested, a command is started as a user does.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

from pool_recon.expectations import ahead

ROOT = Path(__file__).resolve().parents[2]
# How a process that a user starts would start others.
_STARTS = multiprocessing.get_start_method()
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.harness.imported"])


def clean_environment() -> dict[str, str]:
    """That of this process without settings of pool-recon and dbt, to find the project in."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("POOL_RECON", "DBT"))}
    return {**kept, "PYTHONPATH": str(ROOT)}


def run(
    module: str, arguments: Sequence[str], folder: Path, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """What `python -m module arguments` does in `folder`; `module` is one of COMMANDS.

    "pool_recon in brief" closes as far as the CSV files, where a test looks at nothing else.
    """
    with tempfile.TemporaryDirectory(prefix="pool_recon_said_") as said:
        process = _started(_command, module, list(arguments), folder, dict(environment), Path(said))
        process.join()
        out, err = (Path(said, name).read_text(encoding="utf-8") for name in ("out", "err"))
    return subprocess.CompletedProcess([module, *arguments], process.exitcode or 0, out, err)


def call(work: Callable[..., object], *arguments: object) -> int:
    """The exit code of a process that does `work`, which no file of tests should hold: it would
    import pytest first.
    """
    process = _started(work, *arguments)
    process.join()
    return process.exitcode or 0


def _pool_recon(arguments: list[str]) -> None:
    from pool_recon.cli import main

    main(arguments)


def _pool_recon_in_brief(arguments: list[str]) -> None:
    from benchmarks.in_brief import close_in_brief

    close_in_brief()
    _pool_recon(arguments)


def _dbt(arguments: list[str]) -> None:
    from dbt.cli.main import cli

    cli(arguments)


def _compiled_for(arguments: list[str]) -> None:
    from tests.harness.compiled_for import compile_for

    folder, project, compiled, *adapters = arguments
    compile_for(Path(folder), adapters, Path(project), Path(compiled))


COMMANDS = {
    "pool_recon": _pool_recon,
    "pool_recon in brief": _pool_recon_in_brief,
    "dbt.cli.main": _dbt,
    "tests.harness.compiled_for": _compiled_for,
}


class Reader:
    """Takes the place of `subprocess.Popen`, as far as the second reading makes use of it."""

    def __init__(self, command: Sequence[str], *, env: Mapping[str, str], **_: object) -> None:
        requests, asking = _FORKS.Pipe(duplex=False)
        answers, answering = _FORKS.Pipe(duplex=False)
        self._process = _started(_reader, requests, answering, Path.cwd(), dict(env))
        self.stdin = os.fdopen(os.dup(asking.fileno()), "wb")
        self.stdout = os.fdopen(os.dup(answers.fileno()), "rb")
        for end in (requests, asking, answers, answering):
            end.close()

    def wait(self) -> int | None:
        self._process.join()
        return self._process.exitcode

    def kill(self) -> None:
        self._process.kill()

    def communicate(self) -> None:
        for end in (self.stdin, self.stdout):
            with contextlib.suppress(BrokenPipeError):
                end.close()
        self.wait()


def _popen(command: Sequence[str], **options: Any) -> Any:
    of = Reader if command[-1] == ahead.__name__ else subprocess.Popen
    return of(command, **options)


# Where this is the `subprocess` of `pool_recon.other_process`, the second reading is forked.
POPEN = SimpleNamespace(Popen=_popen, PIPE=subprocess.PIPE, DEVNULL=subprocess.DEVNULL)


def _started(work: Any, *arguments: object) -> Any:
    with mock.patch.dict(os.environ, clean_environment(), clear=True):
        forkserver.ensure_running()
    process = _FORKS.Process(target=work, args=arguments)
    process.start()
    return process


def _go_to(folder: Path, environment: Mapping[str, str]) -> None:
    multiprocessing.set_start_method(_STARTS, force=True)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)


def _command(
    module: str, arguments: list[str], folder: Path, environment: dict[str, str], said: Path
) -> None:
    for descriptor, name in ((1, "out"), (2, "err")):
        file = os.open(said / name, os.O_WRONLY | os.O_CREAT)
        os.dup2(file, descriptor)
        os.close(file)
    _go_to(folder, environment)
    sys.argv = [module, *arguments]
    COMMANDS[module](arguments)


def _reader(
    requests: Connection, answers: Connection, folder: Path, environment: dict[str, str]
) -> None:
    os.setsid()
    os.dup2(requests.fileno(), 0)
    os.dup2(answers.fileno(), 1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    requests.close()
    answers.close()
    sys.stdin = os.fdopen(0, encoding="utf-8")
    _go_to(folder, environment)
    ahead.main()
