"""Programs of this package that get ready, and work, while something else is done."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping


@contextlib.contextmanager
def started(
    module: str, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Start `python -m module`, which is asked by its stdin and answers by its stdout.

    It finds the packages that are found here, and gets `environment` besides that of this process.
    It is gone when the context is left.
    """
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        # What it has to say is in its answer.
        stderr=subprocess.DEVNULL,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            **(environment or {}),
        },
        # Ctrl-C is for the process that was started by hand; this one hears of it by its pipe.
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()
