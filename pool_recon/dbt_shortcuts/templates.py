"""The templates of dbt's models and macros, compiled once for all closes of a project.

dbt compiles the text of every model and macro to Python anew in every process, a tenth of a small
build, and knows no setting to keep what came of it. This takes the place of one method of Jinja,
for as long as a build lasts; a test says where another version of dbt no longer comes by here.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import marshal
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from types import CodeType
from typing import Any

from dbt_common.clients.jinja import MacroFuzzEnvironment

from pool_recon.cache import read_own, write_own


@contextlib.contextmanager
def compiled_before(file: Path) -> Iterator[None]:
    """Take compiled templates from `file`, and keep there those that were used.

    A file that cannot be read or written only costs the time of compiling.
    """
    kept = _read(file)
    used: dict[str, CodeType] = {}
    compiled: Callable[..., Any] = MacroFuzzEnvironment.compile
    made_by = _made_by()

    def compile_once(self: Any, source: Any, *arguments: Any, **options: Any) -> Any:
        if arguments or options or not isinstance(source, str):
            return compiled(self, source, *arguments, **options)
        # The same text gives other code where values stay values instead of becoming text.
        digest = hashlib.sha256(f"{made_by}|{type(self).__name__}|{source}".encode()).hexdigest()
        if digest not in used:
            used[digest] = kept[digest] if digest in kept else compiled(self, source)
        return used[digest]

    vars_of_class: Any = MacroFuzzEnvironment
    vars_of_class.compile = compile_once
    try:
        yield
    finally:
        del vars_of_class.compile
        if used.keys() - kept.keys():
            with contextlib.suppress(OSError):
                write_own(file, marshal.dumps(used))


def _made_by() -> str:
    programs = (f"{name} {version(name)}" for name in ("jinja2", "markupsafe", "dbt-common"))
    return f"{importlib.util.MAGIC_NUMBER.hex()} {' '.join(programs)}"


def _read(file: Path) -> dict[str, CodeType]:
    content = read_own(file)
    try:
        kept = marshal.loads(content) if content else {}
    except (EOFError, ValueError, TypeError):
        return {}
    return kept if isinstance(kept, dict) else {}
