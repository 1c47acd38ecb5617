"""What a build does without, or does once, where dbt itself does it anew for every node.

Each module takes the place of a few methods of dbt for as long as a build lasts, and comes to the
same. That holds for the versions that they were tried with; any other dbt builds as it is, slower.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Final

# Those whose methods are replaced.
TRIED_WITH: Final = {
    "dbt-core": "1.11.16",
    "dbt-common": "1.39.0",
    "dbt-adapters": "1.24.5",
    "jinja2": "3.1.6",
}


@contextlib.contextmanager
def shortcuts(cache: Path, *, keeps_files: bool) -> Iterator[None]:
    """Let dbt take every shortcut, if it is one that they were tried with.

    `cache` is a folder for what is worked out once. With `keeps_files` dbt writes the SQL of every
    node, as it does by itself.
    """
    with contextlib.ExitStack() as taken:
        if all(version(program) == tried for program, tried in TRIED_WITH.items()):
            from pool_recon.dbt_shortcuts.connections import connected_once_a_thread
            from pool_recon.dbt_shortcuts.constants import worked_out_before
            from pool_recon.dbt_shortcuts.events import only_what_is_heard
            from pool_recon.dbt_shortcuts.files import no_files_of_nodes
            from pool_recon.dbt_shortcuts.namespaces import namespaces_as_dictionaries
            from pool_recon.dbt_shortcuts.templates import compiled_before

            taken.enter_context(only_what_is_heard())
            taken.enter_context(namespaces_as_dictionaries())
            taken.enter_context(compiled_before(cache / "templates.marshal"))
            taken.enter_context(worked_out_before(cache / "schemas.json"))
            taken.enter_context(connected_once_a_thread())
            if not keeps_files:
                taken.enter_context(no_files_of_nodes())
        yield
