"""What a person sees on a terminal, what a log is spared, and what a machine reads."""

from __future__ import annotations

import contextlib
import io
import json
import os
import pty
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest

from pool_recon import cli
from pool_recon.commands.groups import EXIT_CODES, SECTIONS
from pool_recon.console import ProgressLine, colours, plural
from pool_recon.dbt_runner import _Steps
from pool_recon.progress import Progress
from pool_recon.summary import OverdueReview, TopException
from tests.unit.cli_support import FakeBuild, run, write_exports
from tests.unit.cli_support import build as build
from tests.unit.cli_support import exports as exports

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("dbt", "great_expectations", "pandas", "xlsxwriter", "jinja2", "altair", "sqlalchemy")

# What is said of the first load of these exports.
LANDED = {
    "rows": 2,
    "new_files": 5,
    "known_files": 0,
    "read_again": 0,
    "outdated": 0,
    "passed_over": 0,
}


def commands(group: click.Group, path: str = "") -> dict[str, click.Command]:
    found: dict[str, click.Command] = {}
    for name, command in group.commands.items():
        found[f"{path}{name}"] = command
        if isinstance(command, click.Group):
            found |= commands(command, f"{path}{name} ")
    return found


class TestHelp:
    def test_every_command_has_an_example_that_the_command_line_understands(self) -> None:
        for name, command in commands(cli.cli).items():
            text = command.help or ""
            assert re.search(r"^ *Examples?:$", text, re.MULTILINE), name
            assert f"pool-recon {name}" in text, name

    def test_every_command_has_a_place(self) -> None:
        placed = {name for _, names in SECTIONS for name in names}
        assert set(cli.cli.commands) <= placed

    def test_a_group_without_a_command_says_which_there_are(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run("explain") == 2
        told = capsys.readouterr().err.splitlines()
        assert told[0] == "Usage: pool-recon explain [OPTIONS] COMMAND [ARGS]..."
        assert any(line.startswith("  balance ") for line in told)

    def test_it_says_what_to_do_first_the_exit_codes_and_where_to_go_next(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run("--help") == 0
        text = capsys.readouterr().out
        for title, names in SECTIONS:
            assert f"\n{title}:\n" in text
            assert any(f"\n  {name} " in text for name in names)
        for code, _ in EXIT_CODES:
            assert f"\n  {code}  " in text
        assert "Try it" in text
        assert "Where to go next:" in text
        for path in re.findall(r"docs/\S+\.md", text):
            assert (ROOT / path).is_file(), path

    @pytest.mark.parametrize(
        "arguments",
        [["--help"], ["close", "--help"], ["completion", "bash"], ["trace", "x", "--warehouse"]],
    )
    def test_nothing_heavy_is_imported(self, arguments: list[str], tmp_path: Path) -> None:
        if arguments[0] == "trace":
            arguments = [*arguments, str(tmp_path / "none.duckdb")]
        code = (
            "import sys; from pool_recon.cli import _run; _run(sys.argv[1:]);"
            f"print(sorted(set({HEAVY!r}) & set(sys.modules)), file=sys.stderr)"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False
        )
        assert done.stderr.splitlines()[-1] == "[]"


class TestColours:
    @pytest.mark.parametrize(
        ("variables", "wanted"),
        [
            ({}, None),
            ({"NO_COLOR": "1"}, False),
            ({"NO_COLOR": ""}, None),
            ({"FORCE_COLOR": "1"}, True),
            ({"FORCE_COLOR": ""}, None),
            ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
            ({"TERM": "dumb"}, False),
            ({"TERM": "dumb", "FORCE_COLOR": "1"}, True),
        ],
    )
    def test_the_environment_decides(
        self, variables: dict[str, str], wanted: bool | None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
            monkeypatch.delenv(name, raising=False)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        assert colours() is wanted

    @pytest.mark.parametrize(("variable", "coloured"), [("FORCE_COLOR", True), ("NO_COLOR", False)])
    def test_a_close_obeys(
        self,
        variable: str,
        coloured: bool,
        build: FakeBuild,
        exports: Path,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.delenv("NO_COLOR", raising=False)
        monkeypatch.setenv(variable, "1")
        run("close", "--exports", exports, "--close-date", "2026-06-30", "--out", tmp_path / "o")
        assert ("\x1b[" in capsys.readouterr().out) is coloured

    def test_a_log_has_none(
        self,
        build: FakeBuild,
        exports: Path,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        for name in ("NO_COLOR", "FORCE_COLOR"):
            monkeypatch.delenv(name, raising=False)
        run("close", "--exports", exports, "--close-date", "2026-06-30", "--out", tmp_path / "o")
        captured = capsys.readouterr()
        assert captured.err == ""
        assert "\x1b" not in captured.out
        assert "\r" not in captured.out


class TestProgress:
    def test_the_line(self, capsys: pytest.CaptureFixture[str]) -> None:
        line = ProgressLine()
        now = line._began
        line("landing the exports")
        assert line.text(now + 3) == "    3 s  landing the exports"
        line.step("12 rows landed, now a\x1b[31m.csv", 30, 120)
        assert line.text(now + 1).endswith("exports, 25 %, 12 rows landed, now a?[31m.csv")
        line("building")
        line.step("fct", 1, 120, "models")
        assert line.text(now + 60) == "   60 s  building, 1 of 120 models, fct"
        line.step("fct", 60, 120, "models")
        assert "60 of 120 models, about 60 s left, fct" in line.text(line._steps_began + 60)
        assert "about 3 min left" in line.text(line._steps_began + 200)
        assert "left" not in line.text(line._steps_began + 1)
        written = capsys.readouterr().err
        assert written.startswith("\r")
        assert "\n" not in written

    def test_no_step_takes_a_file_that_is_empty_for_a_share(self) -> None:
        line = ProgressLine()
        line.step("now empty.csv", 0, 0)
        assert line.text(line._began + 9).endswith(", now empty.csv")

    def test_a_line_is_no_wider_than_the_terminal(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("COLUMNS", "30")
        line = ProgressLine()
        line("landing the exports " * 9)
        shown = capsys.readouterr().err.removeprefix("\r")
        assert len(shown) == 29

    def test_models_done_and_running_are_told_from_the_events_of_dbt(self) -> None:
        told: list[Any] = []

        class Told(Progress):
            def __call__(self, phase: str) -> None:
                told.append(phase)

            def step(self, doing: str, done: int, total: int, counted: str = "") -> None:
                told.append((doing, done, total, counted))

        class Named:
            def __init__(self, **values: Any) -> None:
                vars(self).update(values)

        def event(name: str, node: str = "", count: int = 0) -> Named:
            data = Named(node_count=count, node_info=Named(node_name=node))
            return Named(info=Named(name=name), data=data)

        steps = _Steps(Told())
        steps.begin("building", "models")
        for heard in (
            event("ConcurrencyLine", count=2),
            event("NodeStart", "a"),
            event("NodeStart", "b"),
            event("SQLQuery"),
            event("NodeFinished", "a"),
            event("NodeFinished", "never started"),
        ):
            steps.hear(heard)
        assert told == [
            "building",
            ("", 0, 2, "models"),
            ("a", 0, 2, "models"),
            ("a and b", 0, 2, "models"),
            ("b", 1, 2, "models"),
            ("b", 2, 2, "models"),
        ]

    @pytest.mark.parametrize(("more", "shown"), [((), True), (("--quiet",), False)])
    def test_on_a_terminal_and_not_where_quiet(
        self, more: tuple[str, ...], shown: bool, exports: Path, tmp_path: Path
    ) -> None:
        arguments = ("load", "--exports", exports, "--warehouse", tmp_path / "w.duckdb", *more)
        written = on_a_terminal(*map(str, arguments))
        assert ("landing the exports" in written) is shown
        assert ("\r\x1b[K" in written) is shown

    def test_not_on_a_terminal_that_cannot(self, exports: Path, tmp_path: Path) -> None:
        arguments = ("load", "--exports", exports, "--warehouse", tmp_path / "w.duckdb")
        written = on_a_terminal(*map(str, arguments), TERM="dumb")
        assert "\x1b" not in written
        assert "landing" not in written
        assert "Loaded into" in written


def on_a_terminal(*arguments: str, **environment: str) -> str:
    """All that the command writes where stdout and stderr are a terminal."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "pool_recon", *arguments],
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm", "PYTHONPATH": str(ROOT), **environment},
    )
    os.close(theirs)
    written = b""
    try:
        while chunk := os.read(ours, 1 << 16):
            written += chunk
    except OSError:
        pass  # Linux says so where the other end is closed.
    os.close(ours)
    assert process.wait() == 0
    return written.decode()


KEYS = {
    *("schema_version", "command", "outcome", "exit_code", "message", "close_date", "exports"),
    *("warehouse", "landed", "quiet_date", "movements", "findings", "rules", "defects"),
    *("top_exceptions", "restated_balances"),
    *("overdue_reviews", "register", "package", "files", "next"),
}


def test_every_key_of_the_summary_is_described() -> None:
    guide = (ROOT / "docs" / "terminal.md").read_text(encoding="utf-8")
    section = guide[guide.index("## The summary of a close") : guide.index("## The other objects")]
    assert set(re.findall(r"`(\w+)`", section)) >= KEYS | {
        *TopException.__annotations__,
        *OverdueReview.__annotations__,
    }


@pytest.mark.parametrize("option", ["--quiet", "--json"])
def test_the_guide_lists_every_command_with_the_option(option: str) -> None:
    guide = (ROOT / "docs" / "terminal.md").read_text(encoding="utf-8")
    (listed,) = re.findall(rf"^- `{option}` \((.*?)\)", guide, re.MULTILINE)
    having = {
        name
        for name, command in commands(cli.cli).items()
        if any(option in parameter.opts for parameter in command.params)
    }
    assert set(re.findall(r"`(\w+)`", listed)) == {name.split()[0] for name in having}
    if option == "--json":
        described = set(re.findall(r"^\| `([a-z ]+)` \|", guide, re.MULTILINE))
        assert having - {"close"} <= described


class TestOfAClose:
    def close(self, exports: Path, out: Path, *more: object) -> int:
        return run("close", "--exports", exports, "--close-date", "2026-06-30", "--out", out, *more)

    def test_quiet_says_nothing(
        self, build: FakeBuild, exports: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert self.close(exports, tmp_path / "o", "--quiet") == 0
        build.failing_rules = {"no_secrets"}
        assert self.close(exports, tmp_path / "o", "-q") == 1
        captured = capsys.readouterr()
        assert (captured.out, captured.err) == ("", "")
        assert self.close(tmp_path / "none", tmp_path / "o", "-q") == 2
        assert capsys.readouterr().err.count("\n") == 1

    @pytest.mark.parametrize("blocked", [False, True])
    def test_json(
        self,
        blocked: bool,
        build: FakeBuild,
        exports: Path,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        build.failing_rules = {"no_secrets"} if blocked else set()
        out = tmp_path / "o"
        assert self.close(exports, out, "--json") == int(blocked)
        said = json.loads(capsys.readouterr().out)
        assert set(said) == KEYS
        assert said["outcome"] == ("blocked" if blocked else "closed")
        assert said["exit_code"] == int(blocked)
        assert said["landed"] == LANDED
        assert said["movements"] == {
            "total": 2,
            "by_state": {"matched": 2},
            "match_rate_percent": "100.00",
        }
        states = {rule["rule"]: rule["state"] for rule in said["rules"]}
        assert len(states) == 11
        assert states["no_secrets"] == ("fails" if blocked else "holds")
        assert said["findings"]["blocking"] == int(blocked)
        assert Path(said["package"]) == out / "2026-06-30"
        assert all(Path(file).is_file() for file in said["files"].values())
        if blocked:
            (exception,) = said["top_exceptions"]
            assert exception["amount_at_risk"] == "10.00"
            assert exception["owner"] == "finance"
            assert [line.split()[1] for line in said["next"]] == ["trace", "explain", "approve"]
        else:
            assert said["top_exceptions"] == said["next"] == []

    def test_json_where_it_could_not_run(
        self, build: FakeBuild, exports: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (exports / "trades.csv").unlink()
        assert self.close(exports, tmp_path / "o", "--json") == 2
        captured = capsys.readouterr()
        said = json.loads(captured.out)
        assert set(said) == KEYS
        assert (said["outcome"], said["exit_code"]) == ("could_not_run", 2)
        assert said["message"] in captured.err
        assert captured.err.count("\n") == 1
        assert self.close(tmp_path / "none", tmp_path / "o", "--json") == 2
        assert "none" in json.loads(capsys.readouterr().out)["message"]

    def test_json_of_a_folder_whose_name_is_no_text(
        self, build: FakeBuild, tmp_path: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        exports = write_exports(Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff")))
        (exports / "trades.csv").unlink()
        assert self.close(exports, tmp_path / "o", "--json") == 2
        assert json.loads(capfd.readouterr().out)["exports"].endswith("/?")

    def test_not_both(
        self, build: FakeBuild, exports: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert self.close(exports, tmp_path / "o", "--json", "--quiet") == 2
        assert "not both" in capsys.readouterr().err
        assert not (tmp_path / "o").exists()

    def test_a_success_is_short(
        self, build: FakeBuild, exports: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert self.close(exports, tmp_path / "o") == 0
        text = capsys.readouterr().out
        assert len(text.splitlines()) <= 8
        assert "2 matched (100.00 %)" in text

    def test_load_as_json(
        self, exports: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        arguments = ("load", "--exports", exports, "--warehouse", tmp_path / "w.duckdb")
        assert run(*arguments, "--json") == 0
        said = json.loads(capsys.readouterr().out)
        assert said["landed"] == LANDED
        assert said["by_export"][0] == {
            "export": "orders",
            "rows": 2,
            "new_files": 1,
            "known_files": 0,
        }
        assert run(*arguments, "--quiet") == 0
        assert capsys.readouterr().out == ""


def run_to_a_full_disk(*arguments: object) -> int:
    with (
        Path("/dev/full").open("w", encoding="utf-8") as full,
        contextlib.redirect_stdout(full),
    ):
        return run(*arguments)


class TestWhereStdoutCannotBeWritten:
    """What was done is done, and a close that is published counts as one."""

    FULL = "cannot be written: No space left on device"

    @pytest.mark.parametrize("how", [(), ("--json",)])
    @pytest.mark.parametrize("is_blocked", [False, True])
    def test_a_close_is_published_and_notified(
        self,
        how: tuple[str, ...],
        is_blocked: bool,
        build: FakeBuild,
        exports: Path,
        tmp_path: Path,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        build.failing_rules = {"no_secrets"} if is_blocked else set()
        told, out = tmp_path / "told.json", tmp_path / "o"
        hook = shlex.join(["sh", "-c", f"cat > {told}"])
        arguments = ("close", "--exports", exports, "--close-date", "2026-06-30", "--out", out)
        code = run_to_a_full_disk(*arguments, *how, "--notify", hook, "--notify-on", "always")
        assert code == int(is_blocked)
        assert capfd.readouterr().err == (
            f"pool-recon: the close is published in {out / '2026-06-30'}, but the summary is not "
            f"printed: stdout {self.FULL}\n"
        )
        outcome = json.loads(told.read_text(encoding="utf-8"))["outcome"]
        assert outcome == ("blocked" if is_blocked else "closed")
        assert (out / "2026-06-30" / "manifest.json").is_file()

    def test_a_close_that_could_not_run_is_notified(
        self,
        build: FakeBuild,
        exports: Path,
        tmp_path: Path,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        (exports / "trades.csv").unlink()
        told = tmp_path / "told.json"
        arguments = ("close", "--exports", exports, "--close-date", "2026-06-30", "--json")
        hook = shlex.join(["sh", "-c", f"cat > {told}"])
        notify = ("--notify", hook, "--notify-on", "failure", "--out", tmp_path / "o")
        assert run_to_a_full_disk(*arguments, *notify) == 2
        (line,) = capfd.readouterr().err.splitlines()
        assert "trades" in line
        assert json.loads(told.read_text(encoding="utf-8"))["message"] in line

    def test_what_has_landed_is_told(
        self, exports: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        warehouse = tmp_path / "w.duckdb"
        assert run_to_a_full_disk("load", "--exports", exports, "--warehouse", warehouse) == 0
        assert capfd.readouterr().err == (
            f"pool-recon: the exports are loaded into {warehouse}, but the summary is not "
            f"printed: stdout {self.FULL}\n"
        )

    def test_what_was_simulated_is_told(
        self, tmp_path: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        assert run_to_a_full_disk("simulate", "--orders", 1, "--out", tmp_path / "e") == 0
        (line,) = capfd.readouterr().err.splitlines()
        assert f"the exports are written in {tmp_path / 'e'}, but" in line
        assert self.FULL in line

    @pytest.mark.parametrize("how", [(), ("--json",)])
    @pytest.mark.parametrize("command", ["verify", "diff"])
    def test_what_only_reads_cannot_run(
        self,
        command: str,
        how: tuple[str, ...],
        build: FakeBuild,
        exports: Path,
        tmp_path: Path,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        arguments = ("close", "--exports", exports, "--close-date", "2026-06-30", "--quiet")
        assert run(*arguments, "--out", tmp_path / "o") == 0
        package = tmp_path / "o" / "2026-06-30"
        packages = [package] * (2 if command == "diff" else 1)
        assert run_to_a_full_disk(command, *packages, *how) == 2
        assert capfd.readouterr().err == f"pool-recon: stdout {self.FULL}\n"

    @pytest.mark.parametrize("more", [(), ("--json",), ("--quiet",)])
    def test_closed_is_quiet(
        self,
        more: tuple[str, ...],
        build: FakeBuild,
        exports: Path,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        for name in ("stdout", "stderr") if more else ("stdout",):
            monkeypatch.setattr(sys, name, None)
        arguments = ("close", "--exports", exports, "--close-date", "2026-06-30")
        assert run(*arguments, "--out", tmp_path / "o", *more) == 0
        package = tmp_path / "o" / "2026-06-30"
        assert run("diff", package, package, "--json") == 0
        assert capfd.readouterr() == ("", "")
        for name in ("stdout", "stderr") if more else ("stdout",):
            getattr(sys, name).close()

    def test_no_file_takes_the_place_of_what_is_closed(self, tmp_path: Path) -> None:
        code = (
            "import os, sys; from pool_recon import cli;"
            "cli.say_json = lambda _: os.write(1, b'x'); cli.main(sys.argv[1:])"
        )
        exports = write_exports(tmp_path / "exports")
        arguments = ("load", "--exports", exports, "--warehouse", tmp_path / "w.duckdb", "--json")
        line = shlex.join([sys.executable, "-c", code, *map(str, arguments)])
        for closed in (">&-", ">&- 2>&-", "<&- >&- 2>&-"):
            done = subprocess.run(
                ["sh", "-c", f"{line} {closed}"], capture_output=True, text=True, check=False
            )
            assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

    @pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-8"])
    @pytest.mark.parametrize("how", [(), ("--json",)])
    def test_what_it_cannot_show_is_escaped(
        self,
        how: tuple[str, ...],
        encoding: str,
        build: FakeBuild,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        written = io.BytesIO()
        out = tmp_path / "日本 \N{FACE WITH TEARS OF JOY}"
        exports = write_exports(tmp_path / "exports")
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding=encoding))
        arguments = ("close", "--exports", exports, "--close-date", "2026-06-30", "--out", out)
        assert run(*arguments, *how) == 0
        text = written.getvalue().decode(encoding)
        assert capfd.readouterr().err == ""
        if how:
            assert Path(json.loads(text)["package"]) == out / "2026-06-30"
        else:
            shown = "日本 " if encoding == "utf-8" else "\\u65e5\\u672c \\ud83d\\ude02"
            assert shown in text

    @pytest.mark.parametrize("arguments", [("nonsense",), ("verify", "no/such/package")])
    def test_a_line_that_stderr_does_not_take_changes_no_exit_code(
        self, arguments: tuple[str, ...]
    ) -> None:
        words = [sys.executable, "-m", "pool_recon", *arguments]
        line = f"{shlex.join(words)} 2> /dev/full"
        assert subprocess.run(["sh", "-c", line], check=False).returncode == 2


class TestCompletion:
    def complete(self, shell: str, line: str) -> str:
        """What the completion protocol answers for the last word of `line`."""
        words = line.split(" ")
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "_POOL_RECON_COMPLETE": f"{shell}_complete",
            "COMP_WORDS": line,
            "COMP_CWORD": words[-1] if shell == "fish" else str(len(words) - 1),
        }
        done = subprocess.run(
            [sys.executable, "-m", "pool_recon"],
            capture_output=True,
            text=True,
            env=environment,
            check=True,
        )
        assert done.stderr == ""
        return done.stdout

    @pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
    def test_a_command_and_an_option(self, shell: str) -> None:
        commands = self.complete(shell, "pool-recon clo")
        assert "close" in commands
        assert "trace" not in commands
        assert "--close-date" in self.complete(shell, "pool-recon close --close-")
        assert "movement" in self.complete(shell, "pool-recon explain mo")
        assert "failure" in self.complete(shell, "pool-recon close --notify-on f")

    @pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
    def test_the_script_names_the_program(
        self, shell: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run("completion", shell) == 0
        script = capsys.readouterr().out
        assert f"_POOL_RECON_COMPLETE={shell}_complete" in script
        assert "pool-recon" in script

    def test_bash_takes_the_script_and_completes_with_it(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        program = tmp_path / "pool-recon"
        program.write_text(
            f"#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -c "
            "'from pool_recon.cli import main; main()' \"$@\"\n"
        )
        program.chmod(0o755)
        assert run("completion", "bash") == 0
        script = tmp_path / "completion.bash"
        script.write_text(capsys.readouterr().out)
        asked = (
            f"source {script}; COMP_WORDS=(pool-recon do); COMP_CWORD=1;"
            " _pool_recon_completion pool-recon; echo ${COMPREPLY[@]}"
        )
        done = subprocess.run(
            ["bash", "-c", asked],
            capture_output=True,
            text=True,
            env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
            check=True,
        )
        assert done.stdout.split() == ["doctor"]

    def test_another_shell(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert run("completion", "tcsh") == 2
        assert "tcsh" in capsys.readouterr().err


def test_counts_read_well() -> None:
    assert plural(1, "row") == "1 row"
    assert plural(1234, "row") == "1,234 rows"
