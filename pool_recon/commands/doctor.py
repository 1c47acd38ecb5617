"""`pool-recon doctor`: what is missing or wrong in a set-up, and what to do about it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pool_recon.commands.shared import (
    DEFAULT_OUT,
    FILE,
    FOLDER,
    NEW_FILE,
    NEW_FOLDER,
    QUIET,
    SUMMARY_AS_JSON,
    TARGETS,
    WAREHOUSE_NAME,
    say_json,
)
from pool_recon.console import plural, printable, progress, say

if TYPE_CHECKING:
    from pool_recon.doctor import Check

# The options that a close has too, by the name of the parameter.
_OF_THE_CLOSE = {
    "exports": "--exports",
    "out": "--out",
    "warehouse": "--warehouse",
    "register": "--register",
    "time_zone": "--time-zone",
    "target": "--target",
}
_COLOURS = {"ok": "green", "note": "yellow", "mend": "red"}


@click.command()
@click.option("--exports", type=FOLDER, help="Folder with the raw exports; every file is read.")
@click.option(
    "--out", type=NEW_FOLDER, default=DEFAULT_OUT, show_default=True, help="Folder for packages."
)
@click.option(
    "--warehouse",
    type=NEW_FILE,
    envvar="POOL_RECON_WAREHOUSE",
    help=f"DuckDB file of the closes.  [default: OUT/{WAREHOUSE_NAME}]",
)
@click.option("--register", type=FILE, help="Exception register.")
@click.option(
    "--time-zone", envvar="POOL_RECON_TIME_ZONE", metavar="NAME", help="Business time zone."
)
@click.option(
    "--target",
    type=click.Choice(TARGETS),
    help="Where the close runs.  [default: POOL_RECON_TARGET, else duckdb]",
)
@QUIET
@SUMMARY_AS_JSON
def doctor(
    exports: Path | None,
    out: Path,
    warehouse: Path | None,
    register: Path | None,
    time_zone: str | None,
    target: str | None,
    is_quiet: bool,
    is_json: bool,
) -> int:
    """Say what is missing or wrong in a set-up, and what to do.

    Give it the options of the close. Looks at Python and the dependencies, the dbt project, the
    exports, the register, the warehouse, the database of another target, folders, disk and memory,
    and changes nothing. Exit code 1: something is to be mended.

    \b
    Examples:
      pool-recon doctor
      pool-recon doctor --exports exports --register exception_register.csv --out closes
    """
    from pool_recon.doctor import SetUp, doctor_summary, examine

    with progress(is_quiet=is_quiet) as shown:
        checks = examine(
            SetUp(exports, out, warehouse or out / WAREHOUSE_NAME, register, time_zone, target),
            shown,
        )
    summary = doctor_summary(checks)
    to_mend = [check for check in checks if check.state == "mend"]
    if is_json:
        say_json(summary)
    elif not is_quiet:
        say([*_lines(checks), "", _verdict(len(to_mend), click.get_current_context())])
    elif to_mend:
        say(_lines(to_mend))
    return 0 if summary["is_well"] else 1


def _lines(checks: Sequence[Check]) -> list[str]:
    lines = []
    width = max(len(check.subject) for check in checks)
    for check in checks:
        state = click.style(f"{check.state:<4}", fg=_COLOURS[check.state])
        lines.append(f"  {state}  {check.subject:<{width}}  {printable(check.finding)}")
        if check.remedy:
            lines.append(f"  {'':<4}  {'':<{width}}  -> {printable(check.remedy)}")
    return lines


def _verdict(to_mend: int, context: click.Context) -> str:
    if to_mend:
        return f"{plural(to_mend, 'thing')} to mend; the lines with -> say how."
    return f"All is well. Next: {printable(_close(context))}"


def _close(context: click.Context) -> str:
    """The close of what was examined; what came from the environment it finds there too."""
    given = [
        f"{option} {shlex.quote(str(context.params[name]))}"
        for name, option in _OF_THE_CLOSE.items()
        if context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
    ]
    exports = [] if context.params["exports"] else ["--exports DIR"]
    return " ".join(["pool-recon close", *exports, *given, "--close-date YYYY-MM-DD"])
