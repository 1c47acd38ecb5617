"""The help of the command line as a whole: commands by purpose, exit codes, where to go next."""

from __future__ import annotations

import sys
from typing import Any

import click

# The order in which a person meets them. A command that no section names is listed last.
SECTIONS = (
    ("Close a date", ("close", "approve", "load")),
    ("Look into it", ("trace", "explain", "metrics", "dashboard")),
    ("Prove it", ("validate", "verify", "diff")),
    ("Set up", ("doctor", "simulate", "completion")),
)
EXIT_CODES = (
    ("0", "done; of a close: every rule holds"),
    (
        "1",
        "the answer is no: the close is blocked (everything is written), the package is not "
        "proven, two packages differ, an id is unknown, something is to be mended",
    ),
    ("2", "it could not run: one line on stderr says why, and nothing was changed"),
    ("143", "SIGTERM ended it, and nothing was changed"),
)
WHERE_NEXT = (
    ("pool-recon COMMAND --help", "every option of a command, with examples"),
    ("pool-recon doctor", "what is missing or wrong in this set-up, and what to do"),
    ("docs/bring-your-own-exports.md", "what to put into the exports folder"),
    ("docs/scheduled-runs.md", "cron, systemd, GitHub Actions, Airflow, Dagster"),
)


class TeachingGroup(click.Group):
    """A group that lists its commands by purpose and says what to know about all of them."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            # On a terminal click begins a new line after ^C; elsewhere there is nothing to end.
            if sys.stderr.isatty():
                raise
            raise click.Abort() from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands in their sections, then the exit codes and where to go next."""
        listed = [name for _, names in SECTIONS for name in names]
        others = tuple(name for name in self.list_commands(ctx) if name not in listed)
        for title, names in (*SECTIONS, ("Other commands", others)):
            commands = [(name, self.commands[name]) for name in names if name in self.commands]
            if commands:
                with formatter.section(title):
                    formatter.write_dl(
                        [(name, command.get_short_help_str(90)) for name, command in commands]
                    )
        with formatter.section("Exit codes"):
            formatter.write_dl(EXIT_CODES)
        with formatter.section("Where to go next"):
            formatter.write_dl(WHERE_NEXT)
