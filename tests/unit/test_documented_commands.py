"""Every command that the documentation shows is one that the command line knows."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from pool_recon import __version__
from pool_recon.cli import cli

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^ *```\w*\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
# what of a line the shell takes for itself
SHELL = re.compile(r" (?:\d?>|\||&&|;|#)")
SPAN = re.compile(r"(?<!`)`(pool-recon [^`]+)`(?!`)")
CONTINUED = re.compile(r" *\\\n *")
PROGRAM = re.compile(r"^(?:\.venv/bin/)?pool-recon(?= |$)")


def commands(page: Path) -> Iterator[str]:
    """The commands in the blocks of a page, without the name of the program."""
    text = CONTINUED.sub(" ", page.read_text(encoding="utf-8"))
    lines = [line.strip() for block in FENCE.findall(text) for line in block.splitlines()]
    return (arguments(line) for line in lines if PROGRAM.match(line))


def mentions(page: Path) -> Iterator[str]:
    """Likewise those within a line of text; they need not be whole."""
    return map(arguments, SPAN.findall(FENCE.sub("", page.read_text(encoding="utf-8"))))


def arguments(line: str) -> str:
    command = SHELL.split(PROGRAM.sub("", line), maxsplit=1)[0]
    return command.replace("[", "").replace("]", "").strip()


def fault(command: str, is_whole: bool = True) -> str:
    """What the command line would say against the words of a command; empty where nothing."""
    words = shlex.split(command)
    group: click.Command = cli
    while isinstance(group, click.Group):
        while words and words[0].startswith("-"):
            if words.pop(0) not in {name for each in group.params for name in each.opts}:
                return "an unknown option of the program"
        if not words or words[0] in {"...", "…"}:
            return ""
        if words[0] not in group.commands:
            return f"no command {words[0]!r}"
        group = group.commands[words.pop(0)]
    given: list[str] = []
    options = {name: each for each in group.params for name in (*each.opts, *each.secondary_opts)}
    free = 0
    while words:
        word, _, _ = (name := words.pop(0)).partition("=")
        if name in {"...", "…"}:
            return ""
        if not word.startswith("-"):
            free += 1
        elif word == "--help":
            return ""
        elif word not in options:
            return f"no option {word}"
        else:
            given.append(word)
            option = options[word]
            if isinstance(option, click.Option) and not option.is_flag and "=" not in name:
                if not words or words[0].startswith("--"):
                    return f"{word} without a value"
                words.pop(0)
    arguments = [each for each in group.params if isinstance(each, click.Argument)]
    if free > len(arguments) and not any(each.nargs == -1 for each in arguments):
        return f"{free} words where {len(arguments)} are taken"
    if is_whole and (given or free):
        missing = [
            each.name
            for each in group.params
            if each.required and isinstance(each, click.Option) and not set(each.opts) & set(given)
        ]
        if missing or free < sum(each.required for each in arguments):
            return f"lacks {missing or [each.name for each in arguments]}"
    return ""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_is_known(page: Path) -> None:
    wrong = [(each, fault(each)) for each in commands(page)]
    wrong += [(each, fault(each, is_whole=False)) for each in mentions(page)]
    assert [(command, why) for command, why in wrong if why] == []


def test_commands_are_found_and_wrong_ones_are_seen() -> None:
    assert sum(len(list(commands(page))) for page in PAGES) > 15
    assert sum(len(list(mentions(page))) for page in PAGES) > 15
    assert fault("close --exports DIR --close-date YYYY-MM-DD") == ""
    assert fault("trace ID --partner P") == ""
    assert fault("explain balance --partner P --asset A --from T --to T") == ""
    assert fault("clsoe --exports DIR") != ""
    assert fault("trace ID --parnter P") != ""
    assert fault("trace") == ""
    assert fault("trace ID OTHER") != ""
    assert fault("close --exports DIR") != ""
    assert fault("close --exports DIR", is_whole=False) == ""
    assert fault("close --export DIR", is_whole=False) != ""
    assert fault("close --exports --close-date YYYY-MM-DD") != ""
    assert fault("explain balances --partner P") != ""


def test_the_release_is_the_same_everywhere() -> None:
    project = (ROOT / "dbt_project.yml").read_text(encoding="utf-8")
    guide = (ROOT / "docs" / "installed-package.md").read_text(encoding="utf-8")
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f'\nversion: "{__version__}"\n' in project
    assert f"revision: v{__version__}\n" in guide
    released = re.findall(r"^## \[(\d.*?)\]", changes, re.MULTILINE)
    assert released[0] == __version__
