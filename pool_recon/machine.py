"""What this machine has."""

from __future__ import annotations

import os
from pathlib import Path


def total_memory() -> int:
    """The bytes of memory that this process may have a share of."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    # In a container the limit is that of its control group; `max` means none.
    limit = Path("/sys/fs/cgroup/memory.max")
    try:
        text = limit.read_text("ascii").strip()
    except OSError:
        return total
    return min(total, int(text)) if text.isdigit() else total


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
