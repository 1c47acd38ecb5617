"""A thread keeps its connection to PostgreSQL, with nothing left open in it, and not for ever."""

from __future__ import annotations

import multiprocessing
from types import SimpleNamespace
from typing import Any

import pytest
from dbt.adapters.base.connections import BaseConnectionManager

from pool_recon.dbt_shortcuts import connections
from pool_recon.dbt_shortcuts.connections import connected_once_a_thread


class Handle:
    """A connection of the driver; one that is lost cannot roll back."""

    def __init__(self) -> None:
        self.closed = self.is_lost = False
        self.rolled_back = 0

    def rollback(self) -> None:
        if self.is_lost:
            self.closed = True
            raise ConnectionError("the server closed the connection unexpectedly")
        self.rolled_back += 1

    def close(self) -> None:
        self.closed = True


class Thread:
    """What dbt does in a thread: it asks for a connection for a node, and releases it."""

    def __init__(self, kind: str = "postgres") -> None:
        self._manager: Any = type("Manager", (BaseConnectionManager,), {"TYPE": kind})
        self._manager.__abstractmethods__ = frozenset()
        profile = SimpleNamespace(credentials=None)
        self._manager = self._manager(profile, multiprocessing.get_context())

    def builds(self, node: str, *, loses: bool = False) -> Handle:
        """The connection that a node was built in, after that."""
        connection = self._manager.set_connection_name(node)
        assert not connection.transaction_open
        if connection.state != "open":
            connection.handle, connection.state = Handle(), "open"
        connection.transaction_open = True
        handle: Handle = connection.handle
        handle.is_lost = loses
        self._manager.release()
        return handle


def test_nodes_of_a_thread_have_one_connection_in_which_nothing_is_open() -> None:
    thread = Thread()
    with connected_once_a_thread():
        first = thread.builds("one")
        assert (first.closed, first.rolled_back) == (False, 1)
        assert thread.builds("two") is first
        assert first.rolled_back == 2
    # By itself dbt connects for each node.
    assert thread.builds("three") is first
    assert first.closed
    assert thread.builds("four") is not first


def test_a_connection_that_is_lost_is_replaced() -> None:
    thread = Thread()
    with connected_once_a_thread():
        lost = thread.builds("one", loses=True)
        assert thread.builds("two") is not lost


def test_a_connection_that_was_idle_for_long_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    thread = Thread()
    monkeypatch.setattr(connections, "_PATIENCE", -1.0)
    with connected_once_a_thread():
        first = thread.builds("one")
        assert thread.builds("two") is not first
        assert first.closed


def test_other_databases_are_left_alone() -> None:
    thread = Thread("duckdb")
    with connected_once_a_thread():
        assert thread.builds("one").closed
