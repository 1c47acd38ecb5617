"""Connections on which batches land side by side."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from queue import SimpleQueue
from types import TracebackType
from typing import Any, Final, Self

import duckdb

# A bulk reader that has to number its rows works on one thread.
_LANES: Final = 2

Job = Callable[[duckdb.DuckDBPyConnection], Any]


class Lanes:
    """A few connections to the database of another, each in a transaction of its own.

    As a context manager it begins the transactions and, unless `finish` has committed them, rolls
    them back.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._lanes: list[duckdb.DuckDBPyConnection] = []
        self._free: SimpleQueue[duckdb.DuckDBPyConnection] = SimpleQueue()
        self._jobs: list[Future[None]] = []
        self._workers = ThreadPoolExecutor(max_workers=_LANES)

    def __enter__(self) -> Self:
        for _ in range(_LANES):
            lane = self._connection.cursor()
            lane.begin()
            self._lanes.append(lane)
            self._free.put(lane)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._workers.shutdown(cancel_futures=True)
        for lane in self._lanes:
            with suppress(duckdb.Error):
                lane.rollback()
            lane.close()
        self._lanes = []

    def submit(self, job: Job) -> None:
        """Run `job` on the next free connection; an error that a job raised ends the load here."""
        for done in self._jobs:
            if done.done():
                done.result()
        self._jobs.append(self._workers.submit(self._run, job))

    def finish(self) -> None:
        """Wait for every job, and commit what they did; raises the first error of any."""
        for job in self._jobs:
            job.result()
        for lane in self._lanes:
            lane.commit()

    def _run(self, job: Job) -> None:
        lane = self._free.get()
        try:
            job(lane)
        finally:
            self._free.put(lane)
