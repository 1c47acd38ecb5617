"""A command that tells a hook how it ended, also where it could not even read its options."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pool_recon.commands.shared import WAREHOUSE_NAME, say_json, told
from pool_recon.console import NotPrintedError, complain
from pool_recon.interruption import heard

if TYPE_CHECKING:
    from pool_recon.notify import Hook

_Function = TypeVar("_Function", bound=Callable[..., Any])


class NotifyingCommand(click.Command):
    """A close: where it could not run, that is notified, and with --json also printed."""

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **settings: Any,
    ) -> click.Context:
        """Read the options."""
        given = list(args)
        try:
            return super().make_context(info_name, args, parent, **settings)
        except click.UsageError as error:
            # Reading has stopped at the first option that is wrong; the others count too.
            readable = {"resilient_parsing": True, "ignore_unknown_options": True}
            _could_not_run(super().make_context(info_name, given, None, **readable), error)
            raise

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except (click.Abort, click.exceptions.Exit):
            raise
        except Exception as error:
            if heard() is None:
                _could_not_run(ctx, error)
            raise


def notification_options(function: _Function) -> _Function:
    """Add the options of the notification; `notify_after` fires what they ask for."""
    # Read before the other options, because what is wrong with those is to be notified.
    for option in (
        click.option(
            "--notify-timeout",
            type=click.FloatRange(min=0, min_open=True, max=600),
            default=10.0,
            show_default=True,
            is_eager=True,
            envvar="POOL_RECON_NOTIFY_TIMEOUT",
            metavar="SECONDS",
            help="How long a hook may take.",
        ),
        click.option(
            "--notify-on",
            type=click.Choice(("blocked", "failure", "always")),
            default="blocked",
            show_default=True,
            is_eager=True,
            envvar="POOL_RECON_NOTIFY_ON",
            help="failure: also where it could not run.",
        ),
        click.option(
            "--notify",
            "hooks",
            multiple=True,
            is_eager=True,
            callback=_hooks,
            metavar="TARGET",
            help="A URL that gets the JSON summary POSTed, or a command that gets it on stdin. May "
            "be repeated.  [default: POOL_RECON_NOTIFY_URL, POOL_RECON_NOTIFY_COMMAND]",
        ),
    ):
        function = option(function)
    return function


def notify_after(parameters: Mapping[str, Any], summary: Mapping[str, Any]) -> None:
    """Tell the hooks among `parameters` of an outcome; a hook that fails gets a line on stderr."""
    if not parameters.get("hooks"):
        return
    from pool_recon.notify import OCCASIONS, Notifier

    # Options that are wrong themselves are at their defaults.
    occasions = OCCASIONS[parameters["notify_on"] or "blocked"]
    notifier = Notifier(parameters["hooks"], occasions, parameters["notify_timeout"] or 10.0)
    for failure in notifier.notify(summary):
        complain(f"pool-recon: {failure}")


def _hooks(ctx: click.Context, parameter: click.Parameter, targets: Sequence[str]) -> list[Hook]:
    from pool_recon.notify import hooks

    try:
        return hooks(targets)
    except ValueError as error:
        raise click.BadParameter(f"{error}.") from None


def _could_not_run(ctx: click.Context, error: Exception) -> None:
    from pool_recon.summary import failure_summary

    parameters = ctx.params
    summary = failure_summary(
        told(error),
        close_date=parameters["close_date"],
        exports=parameters["exports"],
        warehouse=_warehouse(ctx),
    )
    if parameters["is_json"]:
        # Why it could not run is on stderr too.
        with suppress(NotPrintedError):
            say_json(summary)
    notify_after(parameters, summary)


def _warehouse(ctx: click.Context) -> Path | None:
    """The warehouse that is asked for; None where the option that names it could not be read."""
    is_named = ctx.get_parameter_source("warehouse") is not click.core.ParameterSource.DEFAULT
    named: Path | None = ctx.params["warehouse"]
    out: Path | None = ctx.params["out"]
    return named if is_named or out is None else out / WAREHOUSE_NAME
