"""A command that tells a hook how it ended, also where it could not even read its options."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pool_recon.commands.shared import DEFAULT_OUT, WAREHOUSE_NAME, say_json, told
from pool_recon.console import NotPrintedError, complain
from pool_recon.interruption import heard

if TYPE_CHECKING:
    from pool_recon.notify import Hook

_Function = TypeVar("_Function", bound=Callable[..., Any])


class NotifyingCommand(click.Command):
    """A close: where it could not run, that is notified, and with --json also printed."""

    def make_context(self, *arguments: Any, **settings: Any) -> click.Context:
        """Read the options."""
        try:
            return super().make_context(*arguments, **settings)
        except click.UsageError as error:
            if error.ctx is not None:
                _could_not_run(error.ctx.params, error)
            raise

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except (click.Abort, click.exceptions.Exit):
            raise
        except Exception as error:
            if heard() is None:
                _could_not_run(ctx.params, error)
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

    # Options that were not reached, because another one was wrong, are at their defaults.
    occasions = OCCASIONS[parameters.get("notify_on", "blocked")]
    notifier = Notifier(parameters["hooks"], occasions, parameters.get("notify_timeout", 10.0))
    for failure in notifier.notify(summary):
        complain(f"pool-recon: {failure}")


def _hooks(ctx: click.Context, parameter: click.Parameter, targets: Sequence[str]) -> list[Hook]:
    from pool_recon.notify import hooks

    try:
        return hooks(targets)
    except ValueError as error:
        raise click.BadParameter(f"{error}.") from None


def _could_not_run(parameters: Mapping[str, Any], error: Exception) -> None:
    from pool_recon.summary import failure_summary

    out = parameters.get("out") or DEFAULT_OUT
    summary = failure_summary(
        told(error),
        close_date=parameters.get("close_date"),
        exports=parameters.get("exports"),
        warehouse=parameters.get("warehouse") or out / WAREHOUSE_NAME,
    )
    if parameters.get("is_json"):
        # Why it could not run is on stderr too.
        with suppress(NotPrintedError):
            say_json(summary)
    notify_after(parameters, summary)
