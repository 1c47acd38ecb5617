"""The shortcuts are taken with the versions that they were tried with, and with no other."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import pytest
from dbt.adapters.base.connections import BaseConnectionManager
from dbt.compilation import Linker
from dbt.context.macros import MacroNamespaceBuilder
from dbt_common.clients.jinja import MacroFuzzEnvironment
from dbt_common.events.event_manager_client import get_event_manager

from pool_recon import dbt_shortcuts
from pool_recon.dbt_shortcuts import TRIED_WITH, shortcuts


def replaced() -> tuple[object, ...]:
    return (
        MacroNamespaceBuilder.build_namespace,
        MacroFuzzEnvironment.compile,
        Linker.get_graph_summary,
        get_event_manager(),
        BaseConnectionManager.release,
        BaseConnectionManager.set_connection_name,
    )


def test_these_versions_are_tried() -> None:
    """Where the lock file has others: see that the tests beside this one hold, and name them."""
    assert {program: version(program) for program in TRIED_WITH} == TRIED_WITH


def test_another_version_builds_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = replaced()
    with shortcuts(tmp_path, keeps_files=False):
        assert all(now is not then for now, then in zip(replaced(), before, strict=True))
    monkeypatch.setitem(dbt_shortcuts.TRIED_WITH, "dbt-core", "1.11.999")
    with shortcuts(tmp_path, keeps_files=False):
        assert replaced() == before
