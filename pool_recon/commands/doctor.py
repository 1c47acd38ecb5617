import click


@click.command()
def doctor() -> int:
    """Say x."""
    return 0
