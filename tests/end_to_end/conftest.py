"""The sample closes, each run once for all the tests that look at it."""

from __future__ import annotations

import pytest

from tests.end_to_end.closing import ROOT, Ran, close


@pytest.fixture(scope="session")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """The close of samples/clean."""
    return close(ROOT / "samples" / "clean", tmp_path_factory.mktemp("clean"))


@pytest.fixture(scope="session")
def bad_day(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """The close of samples/bad_day."""
    return close(ROOT / "samples" / "bad_day", tmp_path_factory.mktemp("bad_day"))
