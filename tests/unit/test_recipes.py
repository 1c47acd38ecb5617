"""The recipes of scheduled runs fit the command line; `make test-recipes` runs them for real."""

from __future__ import annotations

import ast
import configparser
import os
import re
import shlex
import subprocess
from pathlib import Path

import click
import pytest
import yaml

from pool_recon.cli import cli

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
GUIDE = ROOT / "docs" / "scheduled-runs.md"
PYTHON_RECIPES = sorted(EXAMPLES.rglob("*.py"))
WORKFLOW = EXAMPLES / "github-actions" / "close.yml"
VARIABLE = re.compile(r"POOL_RECON_[A-Z_]+")
# Those that close.sh and its kin read themselves; all others are the command line's.
OF_THE_RECIPES = {"POOL_RECON_EXPORTS", "POOL_RECON_OUT", "POOL_RECON_REGISTER"}


def shell_commands(text: str) -> list[list[str]]:
    """The words of every `pool-recon` command of a shell script, a pipe left off."""
    joined = text.replace("\\\n", " ")
    lines = re.findall(r"^\s*(?:exec )?(pool-recon .+)$", joined, re.MULTILINE)
    return [shlex.split(line.partition(" | ")[0])[1:] for line in lines]


def python_commands(text: str) -> list[list[str]]:
    """The words of every list that begins with `pool-recon`; what is computed stands as X."""
    return [
        [word.value if isinstance(word, ast.Constant) else "X" for word in node.elts][1:]
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.List)
        and node.elts
        and isinstance(node.elts[0], ast.Constant)
        and node.elts[0].value == "pool-recon"
    ]


def runs(workflow: str) -> list[str]:
    jobs = yaml.safe_load(workflow)["jobs"]
    return [step["run"] for job in jobs.values() for step in job["steps"] if "run" in step]


def fences(text: str) -> str:
    return "\n".join(re.findall(r"^```\w*\n(.*?)^```", text, re.DOTALL | re.MULTILINE))


def commands() -> dict[str, list[list[str]]]:
    found = {
        "cron": shell_commands((EXAMPLES / "cron" / "close.sh").read_text("utf-8")),
        "github-actions": shell_commands("\n".join(runs(WORKFLOW.read_text("utf-8")))),
        "guide": shell_commands(fences(GUIDE.read_text("utf-8"))),
    }
    for path in PYTHON_RECIPES:
        found[path.parent.name] = python_commands(path.read_text("utf-8"))
    return found


def understand(words: list[str]) -> None:
    """Raise what click says of options that a command does not have, lacks or cannot take."""
    command: click.Command = cli
    while isinstance(command, click.Group):
        name, *words = words
        command = command.commands[name]
    ctx = click.Context(command)
    values, rest, _ = command.make_parser(ctx).parse_args(list(words))
    assert not [word for word in rest if word.startswith("-")]
    for parameter in command.params:
        assert parameter.name
        if parameter.required:
            assert values.get(parameter.name) is not None, parameter.name
        value = values.get(parameter.name)
        if isinstance(parameter.type, click.Choice) and value is not None:
            parameter.type_cast_value(ctx, value)


def test_every_recipe_has_its_command() -> None:
    assert {"cron", "github-actions", "airflow", "dagster"} <= set(commands())
    for recipe, found in commands().items():
        assert ["close"] in [words[:1] for words in found], recipe


@pytest.mark.parametrize("recipe", sorted(commands()))
def test_the_command_line_understands_it(recipe: str) -> None:
    for words in commands()[recipe]:
        understand(words)


@pytest.mark.parametrize(
    "words",
    [
        ["close", "--export", "x", "--close-date", "y"],
        ["close", "--exports", "x"],
        ["close", "--exports", "x", "--close-date", "y", "--notify-on", "never"],
        ["close", "--exports", "x", "--close-date"],
        ["shut"],
    ],
)
def test_a_command_that_has_changed_is_seen(words: list[str]) -> None:
    with pytest.raises((click.UsageError, AssertionError, KeyError)):
        understand(words)


def test_every_variable_is_one_that_is_read() -> None:
    read = set(OF_THE_RECIPES)
    for path in (ROOT / "pool_recon").rglob("*.py"):
        read |= set(VARIABLE.findall(path.read_text("utf-8")))
    for path in (*EXAMPLES.rglob("*.*"), EXAMPLES / "cron" / "crontab", GUIDE):
        assert set(VARIABLE.findall(path.read_text("utf-8"))) <= read, path


@pytest.mark.parametrize("path", PYTHON_RECIPES, ids=lambda path: path.parent.name)
def test_python_compiles(path: Path) -> None:
    compile(path.read_text("utf-8"), str(path), "exec")


def test_shell_is_well_formed(tmp_path: Path) -> None:
    script = EXAMPLES / "cron" / "close.sh"
    assert os.access(script, os.X_OK)
    for text in (script.read_text("utf-8"), *runs(WORKFLOW.read_text("utf-8"))):
        done = subprocess.run(
            ["bash", "-n"], input=text, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")


def test_the_script_closes_the_day_before_in_the_business_time_zone(tmp_path: Path) -> None:
    program = tmp_path / "pool-recon"
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    clock = tmp_path / "date"
    clock.write_text('#!/bin/sh\necho "$TZ $*" >> "$ASKED"; echo 2026-10-24\n', encoding="utf-8")
    clock.chmod(0o755)
    environment = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "ASKED": str(tmp_path / "asked"),
        "POOL_RECON_EXPORTS": "my exports",
        "POOL_RECON_OUT": "out",
        "POOL_RECON_TIME_ZONE": "Europe/Berlin",
    }

    def words(*arguments: str, **more: str) -> list[str]:
        done = subprocess.run(
            [EXAMPLES / "cron" / "close.sh", *arguments],
            capture_output=True,
            text=True,
            env=environment | more,
            check=True,
        )
        return done.stdout.splitlines()

    said = words()
    assert said[said.index("--close-date") + 1] == "2026-10-24"
    assert said[said.index("--exports") + 1] == "my exports"
    assert "--register" not in said
    assert (tmp_path / "asked").read_text("utf-8") == "Europe/Berlin -d yesterday 12:00 +%F\n"
    said = words("2026-06-30", POOL_RECON_REGISTER="my register.csv")
    assert said[said.index("--close-date") + 1] == "2026-06-30"
    assert said[said.index("--register") + 1] == "my register.csv"


def test_the_workflow_says_what_it_may_do() -> None:
    workflow = yaml.safe_load(WORKFLOW.read_text("utf-8"))
    # YAML reads the key `on` as true.
    triggers = workflow[True]
    assert triggers["schedule"][0]["cron"]
    assert workflow["permissions"] == {"contents": "read"}
    assert workflow["concurrency"]["cancel-in-progress"] is False
    for step in workflow["jobs"]["close"]["steps"]:
        assert ("run" in step) != ("uses" in step)
    # A piped command hides the exit code of the close from a shell without pipefail.
    (close,) = (s for s in workflow["jobs"]["close"]["steps"] if s.get("name") == "Close")
    assert close["shell"] == "bash"


def test_the_workflow_keeps_the_warehouse_of_a_blocked_close() -> None:
    steps = yaml.safe_load(WORKFLOW.read_text("utf-8"))["jobs"]["close"]["steps"]
    used = [step.get("uses", "").partition("@")[0] for step in steps]
    # It saves only where the job succeeded, and a blocked close fails it.
    assert "actions/cache" not in used
    fetching, keeping = used.index("actions/cache/restore"), used.index("actions/cache/save")
    (closing,) = (place for place, step in enumerate(steps) if step.get("name") == "Close")
    assert fetching < closing < keeping
    fetch, keep = steps[fetching], steps[keeping]
    assert keep["if"] == "${{ !cancelled() && steps.close.outcome != 'skipped' }}"
    assert steps[closing]["id"] == "close"
    assert keep["with"]["path"] == fetch["with"]["path"]
    assert keep["with"]["key"] == f"${{{{ steps.{fetch['id']}.outputs.cache-primary-key }}}}"
    # A run that is tried again has the id of the first try, and no cache is written twice.
    assert "github.run_attempt" in fetch["with"]["key"]
    assert fetch["with"]["key"].startswith(fetch["with"]["restore-keys"])


def test_systemd_tries_again_only_what_could_not_run() -> None:
    units = {}
    for path in (EXAMPLES / "systemd").iterdir():
        parser = configparser.ConfigParser(interpolation=None, strict=False)
        parser.optionxform = str  # type: ignore[assignment,method-assign]
        parser.read_string(path.read_text("utf-8"))
        units[path.suffix] = parser
    service, timer = units[".service"]["Service"], units[".timer"]["Timer"]
    assert service["Restart"] == "on-failure"
    assert service["RestartPreventExitStatus"] == "1"
    assert service["ExecStart"].endswith("/examples/cron/close.sh")
    assert timer["OnCalendar"] == "*-*-* 00:30:00 Europe/Berlin"


def test_the_guide_names_every_recipe() -> None:
    guide = GUIDE.read_text("utf-8")
    for folder in EXAMPLES.iterdir():
        assert f"examples/{folder.name}" in guide


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"POOL_RECON_EXPORTS": ""}, "POOL_RECON_EXPORTS is not set"),
        ({"POOL_RECON_OUT": ""}, "POOL_RECON_OUT is not set"),
        ({"PATH": "/usr/bin:/bin"}, "pool-recon was not found"),
        ({"BROKEN": "date"}, "date cannot tell yesterday"),
        ({}, None),
    ],
)
def test_a_script_that_cannot_begin_is_no_blocked_close(
    changes: dict[str, str], said: str | None, tmp_path: Path
) -> None:
    names = ["pool-recon", *filter(None, [changes.get("BROKEN")])]
    for name in names:
        command = tmp_path / name
        command.write_text(f"#!/bin/sh\nexit {0 if name == 'pool-recon' else 1}\n", "utf-8")
        command.chmod(0o755)
    settings = {"POOL_RECON_EXPORTS": "exports", "POOL_RECON_OUT": "out"}
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", **settings, **changes}
    done = subprocess.run(
        ["bash", str(EXAMPLES / "cron" / "close.sh")],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, said is None) in {(2, False), (0, True)}
    assert (said or "") in done.stderr
