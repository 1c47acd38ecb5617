"""The PostgreSQL target, as far as that needs no server."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from pool_recon import postgres
from pool_recon.errors import CloseError
from pool_recon.postgres.mirror import READ_LATER
from pool_recon.progress import Progress
from pool_recon.trace.streams import STREAMS

PACKAGE = Path(__file__).resolve().parents[2] / "pool_recon"
ON_THE_WAY = re.compile(r"\b(?:intermediate|findings)\.((?:int|findings)_[a-z_]+)")


def test_what_is_read_of_a_warehouse_is_in_its_copy() -> None:
    sources = [file for suffix in ("py", "sql", "j2") for file in PACKAGE.rglob(f"*.{suffix}")]
    read = {name for file in sources for name in ON_THE_WAY.findall(file.read_text("utf-8"))}
    read |= {stream.in_force for stream in STREAMS.values()}
    assert len(read) > 10
    assert read == READ_LATER


def test_without_its_driver_the_target_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg2", None)
    with pytest.raises(CloseError, match=r"pip install 'pool-recon\[postgres\]'"):
        postgres.load(tmp_path, Progress())
