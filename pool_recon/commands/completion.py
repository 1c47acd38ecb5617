"""`pool-recon completion`: what a shell needs to complete commands, options and files."""

from __future__ import annotations

import click

from pool_recon.console import say

SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> int:
    """Print what makes a shell complete commands, options and files.

    \b
    Examples:
      eval "$(pool-recon completion bash)"       in ~/.bashrc (bash 4.4 or newer)
      eval "$(pool-recon completion zsh)"        in ~/.zshrc, after compinit
      pool-recon completion fish > ~/.config/fish/completions/pool-recon.fish
    """
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"There is no completion for {shell}.")
    root = ctx.find_root()
    program = root.info_name or "pool-recon"
    variable = f"_{program}_COMPLETE".replace("-", "_").upper()
    say([kind(root.command, {}, program, variable).source()])
    return 0
