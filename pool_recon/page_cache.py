"""What the operating system keeps in memory of files that were read."""

from __future__ import annotations

import contextlib
import os
from typing import Final

# How much is read before a part of a file is forgotten. Only whole pieces of memory are given back,
# and the system may have one for each few megabytes.
FORGOTTEN_AT_ONCE: Final = 1 << 24


def forget(descriptor: int, start: int, end: int) -> None:
    """Let the memory that the bytes of a file from `start` to `end` take be used for others.

    A file that is copied once would push out what other programs read often, and memory that was
    just in use is had faster than any else, above all in a virtual machine.
    """
    if hasattr(os, "posix_fadvise"):
        # Some file systems cannot, and nothing depends on it.
        with contextlib.suppress(OSError):
            os.posix_fadvise(descriptor, start, end - start, os.POSIX_FADV_DONTNEED)
