"""Names of columns that are understood for the time of a test."""

import pytest

from pool_recon import reference


def aliased(patch: pytest.MonkeyPatch, export: str, column: str, alias: str) -> None:
    """Let one alias be added to those that there are."""
    aliases = reference.column_aliases
    added = reference.ColumnAlias(export, column, alias, 1)
    patch.setattr(
        reference,
        "column_aliases",
        lambda name: (*aliases(name), *([added] if name == export else [])),
    )
