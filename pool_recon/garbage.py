"""How often Python looks for objects that refer to each other and to which nothing else refers."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator

# Rows are in DuckDB, and what a close makes in Python lives until it ends: by the usual threshold
# of 700 the same hundreds of thousands are looked at again and again, a tenth of a small close.
# What is left lying until there are so many takes about 50 MB.
_OBJECTS = 1_000_000

# Python 3.12 begins with some of its own objects frozen; what is beyond them is of somebody else.
_FROZEN_BY_PYTHON = gc.get_freeze_count()


@contextlib.contextmanager
def rarely_collected() -> Iterator[None]:
    """Look for such objects only once in a while; all else is freed at once, as ever."""
    before = gc.get_threshold()
    gc.set_threshold(_OBJECTS, 20, 100)
    try:
        yield
    finally:
        # By the old threshold all of them would be looked at at once: they count as looked at.
        if gc.get_freeze_count() <= _FROZEN_BY_PYTHON:
            gc.freeze()
            gc.unfreeze()
        gc.set_threshold(*before)
