"""Great Expectations itself: imported late, because that takes seconds, and kept quiet.

It works on a connection of ours, so that one open file, one time zone and one set of limits serve
the suite, and nothing of it stays open afterwards.
"""

from __future__ import annotations

import contextlib
import enum
import importlib
import io
import logging
import os
import re
import warnings
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from pool_recon.expectations.results import Expectation
from pool_recon.expectations.spared import spared

if TYPE_CHECKING:
    import duckdb

_NAME = "close"
_MODULES = (
    "great_expectations.data_context.types.base",
    "great_expectations.execution_engine.sqlalchemy_execution_engine",
    "great_expectations.expectations.core.unexpected_rows_expectation",
    "pool_recon.expectations.borrowed",
)
_BATCH = "select * from intermediate.int_close"


def evaluate(
    connection: duckdb.DuckDBPyConnection, suite: Sequence[Expectation]
) -> dict[str, str | None]:
    """Run the suite on `connection`, which stays open.

    Returns, by name of each statement that does not hold, None where rows contradict it, else why
    it could not be checked. Raises whatever stops Great Expectations as a whole.
    """
    with _quietly(), spared():
        results = _run(connection, suite)
    problems: dict[str, str | None] = {}
    checked = set()
    for result in results:
        name = result.expectation_config.meta["name"]
        checked.add(name)
        reason = _why_not_checked(result)
        if reason is not None or not result.success:
            problems[name] = reason
    for expectation in suite:
        if expectation.name not in checked:
            problems[expectation.name] = "Great Expectations reports no result for it"
    return problems


def get_ready() -> None:
    """Import what `evaluate` needs, so that it need not wait for that later."""
    with _quietly(), spared():
        for module in _MODULES:
            importlib.import_module(module)


def _run(connection: duckdb.DuckDBPyConnection, suite: Sequence[Expectation]) -> list[Any]:
    import great_expectations as gx
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
    )
    from great_expectations.expectations.core.unexpected_rows_expectation import (
        UnexpectedRowsExpectation,
    )

    from pool_recon.expectations.borrowed import URL, lending

    _keep_connection_for_duckdb()

    class NoUnexpectedRows(UnexpectedRowsExpectation):
        """Holds where its query gives no row; fetches them once instead of counting again."""

        metric_dependencies = ("unexpected_rows_query.table",)

        def _validate(
            self,
            metrics: dict[str, Any],
            runtime_configuration: dict[str, Any] | None = None,
            execution_engine: object = None,
        ) -> dict[str, Any]:
            rows = metrics["unexpected_rows_query.table"]
            return {"success": not rows, "result": {"observed_value": len(rows)}}

    # Left to itself the context makes a folder for its data docs and leaves it behind.
    stores = InMemoryStoreBackendDefaults(init_temp_docs_sites=False)
    config = DataContextConfig(store_backend_defaults=stores)
    context: Any = gx.get_context(mode="ephemeral", project_config=config)
    context.variables.progress_bars = {"globally": False, "metric_calculations": False}
    source = context.data_sources.add_sql(
        _NAME,
        connection_string=URL,
        kwargs={"creator": lending(connection)},
    )
    try:
        batch = source.add_query_asset(_NAME, query=_BATCH).add_batch_definition_whole_table(_NAME)
        stated = gx.ExpectationSuite(
            name=_NAME,
            expectations=[
                NoUnexpectedRows(
                    unexpected_rows_query=_escaped(expectation.query),
                    meta={"name": expectation.name},
                )
                for expectation in suite
            ],
        )
        definition = gx.ValidationDefinition(
            name=_NAME, data=batch, suite=context.suites.add(stated)
        )
        validation = context.validation_definitions.add(definition)
        return list(validation.run(result_format="BASIC").results)
    finally:
        source.get_execution_engine().close()
        source.get_engine().dispose()
        context.data_sources.delete(_NAME)


def _keep_connection_for_duckdb() -> None:
    # Else the connection is closed before the rows are fetched, and every statement raises.
    from great_expectations.execution_engine import sqlalchemy_execution_engine as engines

    class Dialect(enum.StrEnum):
        DUCKDB = "duckdb"

    known: Any = engines._PERSISTED_CONNECTION_DIALECTS
    if Dialect.DUCKDB not in known:
        vars(engines)["_PERSISTED_CONNECTION_DIALECTS"] = (*known, Dialect.DUCKDB)


def _escaped(query: str) -> str:
    """A query that neither Great Expectations (braces) nor SQLAlchemy (:name) reads on its own."""
    doubled = query.replace("{", "{{").replace("}", "}}")
    return re.sub(r":(?=\w)", r"\\:", doubled)


def _why_not_checked(result: Any) -> str | None:
    info = result.exception_info or {}
    # One exception, or one for each metric that the expectation needs.
    for entry in [info, *(value for value in info.values() if isinstance(value, dict))]:
        if entry.get("raised_exception"):
            lines = str(entry.get("exception_message") or "").splitlines()
            first = next((line.strip() for line in lines if line.strip()), "no message")
            return re.sub(r"^\(\S+\)\s*", "", first)
    return None


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Keep Great Expectations from calling home, from printing and from logging."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    # Its loggers have levels of their own, so that only this silences them all.
    disabled = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(disabled)
