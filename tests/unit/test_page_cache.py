"""What was read once makes room in memory, and nothing else changes."""

from __future__ import annotations

import os
from pathlib import Path

from pool_recon.page_cache import forget


def test_what_is_forgotten_is_still_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "file"
    content = os.urandom(1 << 20)
    file.write_bytes(content)
    with file.open("rb", buffering=0) as stream:
        half = stream.read(1 << 19)
        forget(stream.fileno(), 0, 1 << 19)
        assert half + stream.read() == content
    assert file.read_bytes() == content


def test_what_cannot_be_forgotten_stops_nothing() -> None:
    reading, writing = os.pipe()
    forget(reading, 0, 1)
    os.close(reading)
    os.close(writing)
    forget(reading, 0, 1)
