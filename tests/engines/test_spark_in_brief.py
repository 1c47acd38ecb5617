"""One close in Spark, made as cheap as a session can be: `make test-spark`.

`make test-engines` has the rest: more rows, workers, a history, dbt by itself.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from pool_recon import close as in_duckdb
from pool_recon import spark as in_spark
from pool_recon.close import CloseRequest
from pool_recon.commands.shared import WAREHOUSE_NAME
from pool_recon.progress import Progress
from tests.engines.comparing import files_of
from tests.engines.spark_cluster import small_session
from tests.fault_matrix import CLOSE_DATE

BAD_DAY = Path(__file__).resolve().parents[2] / "samples" / "bad_day"


@pytest.mark.usefixtures("spark_in_brief")
def test_the_package_of_a_bad_day_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Models and tests are built in Spark; what is published is that of DuckDB, byte for byte."""
    settings = tmp_path / "settings"
    settings.mkdir()
    small_session(monkeypatch, settings, "local[1]")
    packages = []
    for name, engine in (("duckdb", in_duckdb), ("spark", in_spark)):
        out = tmp_path / name
        result = engine.close(
            CloseRequest(BAD_DAY, CLOSE_DATE, out, out / WAREHOUSE_NAME), Progress()
        )
        packages.append(files_of(result.package))
    ours, theirs = packages
    assert theirs.keys() == ours.keys()
    assert [name for name in ours if ours[name] != theirs[name]] == []
