"""Great Expectations imported without what it imports for expectations that are not used here.

Charts and statistical distributions take a third of the time and of the memory of its import. They
are read when something asks for them, which the suite of this project does not.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import LazyLoader
from types import ModuleType
from typing import Any

_SPARK = ("pyspark", "pyspark.sql.connect")
# What the expectation of Kullback-Leibler divergence draws and reckons with.
_WHEN_ASKED_FOR = frozenset({"altair", "scipy.stats"})


@contextlib.contextmanager
def spared() -> Iterator[None]:
    """Let nothing import Spark, and read charts and distributions only when they are asked for.

    Great Expectations imports Spark where it is there, and needs none here. It takes a second, and
    ends the process with code 0 where that was started with `python -c`.
    """
    hidden = [name for name in _SPARK if name not in sys.modules]
    modules: dict[str, Any] = sys.modules
    modules.update(dict.fromkeys(hidden))
    finder = _WhenAskedFor()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in hidden:
            del sys.modules[name]


class _WhenAskedFor(MetaPathFinder):
    """Finds the modules that are read when they are asked for."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name not in _WHEN_ASKED_FOR:
            return None
        found = PathFinder.find_spec(name, path, target)
        if found is not None and isinstance(found.loader, Loader):
            found.loader = LazyLoader(found.loader)
        return found
