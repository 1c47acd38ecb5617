"""The files that dbt writes while it builds, where nobody reads them.

It sums up the graph, and puts the SQL of every model and test into two files each, which on a disk
that others write to is as much work as to make the SQL. This takes the place of the two methods
that do so, for as long as a build lasts; a test says where another version of dbt writes otherwise.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from dbt.compilation import Linker
from dbt.contracts.graph.nodes import ParsedNode


@contextlib.contextmanager
def no_files_of_nodes() -> Iterator[None]:
    """Let dbt write no SQL of a node, and nothing into its summary of the graph."""
    linker: Any = Linker
    node: Any = ParsedNode
    before = linker.get_graph_summary, node.write_node
    linker.get_graph_summary = lambda *_: {}
    node.write_node = lambda *_: None
    try:
        yield
    finally:
        linker.get_graph_summary, node.write_node = before
