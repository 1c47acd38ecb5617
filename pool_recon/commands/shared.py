"""Option types, options and the one line of an error, which several commands share."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import click

from pool_recon.console import say
from pool_recon.errors import CloseError

DEFAULT_OUT = Path("out")
WAREHOUSE_NAME = "pool_recon.duckdb"

FOLDER = click.Path(exists=True, file_okay=False, readable=True, path_type=Path)
NEW_FOLDER = click.Path(file_okay=False, path_type=Path)
FILE = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)
NEW_FILE = click.Path(dir_okay=False, path_type=Path)
DATE = "YYYY-MM-DD"


TARGETS = ("duckdb", "postgres", "spark")
TARGET = click.option(
    "--target",
    type=click.Choice(TARGETS),
    envvar="POOL_RECON_TARGET",
    default="duckdb",
    show_default=True,
    help="Where it runs: in the DuckDB file, in the database that psql finds (PGHOST, ...), or in "
    "Spark (POOL_RECON_SPARK_MASTER, ...).",
)


def calendar_date(text: str) -> date:
    """The date that `text` states as YYYY-MM-DD; no other notation counts."""
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise click.BadParameter(f"{text!r} is not a date written as YYYY-MM-DD.")
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is not in the calendar.") from None


def _not_both(ctx: click.Context, parameter: click.Parameter, value: bool) -> bool:
    given = ctx.meta.setdefault("pool_recon.output", set())
    if value:
        given.add(parameter.name)
    if len(given) > 1:
        raise click.UsageError("Give --quiet or --json, not both.")
    return value


# Read before the other options, so that what is wrong with those is answered in the same way.
QUIET = click.option(
    "-q",
    "--quiet",
    "is_quiet",
    is_flag=True,
    is_eager=True,
    callback=_not_both,
    help="Print only errors; the exit code tells the rest.",
)
SUMMARY_AS_JSON = click.option(
    "--json",
    "is_json",
    is_flag=True,
    is_eager=True,
    callback=_not_both,
    help="Print one JSON object instead of the text.",
)


def say_json(content: Mapping[str, Any]) -> None:
    """Print one JSON object."""
    text = json.dumps(content, ensure_ascii=False, indent=2)
    # The name of a file need not be text, and what is printed is.
    say([text.encode("utf-8", "replace").decode("utf-8")])


def _blame_the_variable(error: click.UsageError) -> None:
    """Let an error name the variable of the environment where the value came from one."""
    if not isinstance(error, click.BadParameter) or not error.ctx or not error.param:
        return
    source = error.ctx.get_parameter_source(error.param.name or "")
    variable = error.param.envvar
    if source is click.core.ParameterSource.ENVIRONMENT and isinstance(variable, str):
        error.param_hint = f"'{variable}'"


def told(error: Exception) -> str:
    """The one line that is printed about an error that ends a command."""
    if isinstance(error, click.UsageError):
        _blame_the_variable(error)
        command = error.ctx.command_path if error.ctx else "pool-recon"
        line = f"{error.format_message()} See '{command} --help'."
    elif isinstance(error, click.ClickException):
        line = error.format_message()
    elif isinstance(error, CloseError):
        line = str(error)
    else:
        from pool_recon.masking import mask

        reason = mask(f"{type(error).__name__}: {error}")
        line = f"internal error: {reason}; 'pool-recon --debug ...' shows where"
    return " ".join(line.split())
