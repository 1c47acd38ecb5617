"""Runs the command as a user does, and reads what it wrote."""

from __future__ import annotations

import csv
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.harness import forking
from tests.harness.once import once

ROOT = Path(__file__).resolve().parents[2]
CLOSE_DATE = "2026-06-30"
PREVIOUS = "2026-06-29"


@dataclass(frozen=True)
class Ran:
    """A command that ran: its exit code and what it wrote where."""

    exit_code: int
    stdout: str
    stderr: str
    out: Path

    @property
    def package(self) -> Path:
        return self.out / CLOSE_DATE

    def rows(self, name: str) -> list[dict[str, str]]:
        with (self.package / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
            return list(csv.DictReader(stream, strict=True))

    def header(self, name: str) -> list[str]:
        with (self.package / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
            return next(csv.reader(stream))


def pool_recon(
    *arguments: object, out: Path, is_fresh: bool = False, in_brief: bool = False
) -> Ran:
    """Run the command in a process of its own, from a folder of its own.

    It is forked off one that has the imports behind it; with `is_fresh` it starts as for a user.
    A close `in_brief` ends with the CSV files of its package.
    """
    out.mkdir(parents=True, exist_ok=True)
    words = [str(argument) for argument in arguments]
    environment = forking.clean_environment()
    if is_fresh:
        done = subprocess.run(
            [sys.executable, "-m", "pool_recon", *words],
            capture_output=True,
            text=True,
            cwd=out,
            env=environment,
            check=False,
        )
    else:
        module = "pool_recon in brief" if in_brief else "pool_recon"
        done = forking.run(module, words, out, environment)
    return Ran(done.returncode, done.stdout, done.stderr, out)


def documented_keys(command: str) -> set[str]:
    """What docs/terminal.md says of the JSON object of a command, in code."""
    guide = (ROOT / "docs" / "terminal.md").read_text(encoding="utf-8")
    (row,) = re.findall(rf"^\| `{command}` \| (.*) \|$", guide, re.MULTILINE)
    return {"schema_version", "command", *re.findall(r"`(\w+)`", row)}


def close(exports: Path, out: Path, *more: object, **how: bool) -> Ran:
    arguments = ("--exports", exports, "--close-date", CLOSE_DATE, "--out", out)
    return pool_recon("close", *arguments, *more, out=out, **how)


def close_once(name: str, texts: Mapping[str, str], *, in_brief: bool = False) -> Ran:
    """The close of exports that are one file each, by their texts, for all who name the same."""

    def close_texts(out: Path) -> Ran:
        exports = out / "exports"
        exports.mkdir(parents=True)
        for export, text in texts.items():
            (exports / f"{export}.csv").write_text(text, encoding="utf-8")
        return close(exports, out, in_brief=in_brief)

    return once(name, close_texts)
