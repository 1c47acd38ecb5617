"""Answers questions in the words of the semantic layer: metrics, grouped by dimensions.

MetricFlow turns the question into SQL; the SQL runs here, because MetricFlow's own command turns
decimals into floating point and asks the network for a newer version of itself.
"""

from __future__ import annotations

import re
import tempfile
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pool_recon.dbt_runner import BuildSettings, parsed_project
from pool_recon.errors import CloseError
from pool_recon.reference import project_dir
from pool_recon.trace import printable
from pool_recon.trace.reader import Reader, moment_text, reading

if TYPE_CHECKING:
    from dbt_semantic_interfaces.protocols.semantic_manifest import SemanticManifest
    from metricflow.engine.metricflow_engine import MetricFlowEngine

Value = str | int | float | bool | None

SUMMARY_VERSION = 1

# What tells the scale of the amounts in a row.
_ASSET = "asset"
# Where a measure of the semantic models names the dimensions across which it does not add up.
_WITHIN = "adds_up_within"
_NUMBER = re.compile(r"-?[0-9]+([.][0-9]+)?")


@dataclass(frozen=True)
class Metric:
    """A metric that can be asked for, what it can be grouped by, and what it has to be."""

    name: str
    label: str
    description: str
    dimensions: Sequence[str]
    adds_up_within: Sequence[str]


@dataclass(frozen=True)
class Answer:
    """Rows of an answer, amounts and dates as exact text; `sql` is what was run."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Value]]
    sql: str

    def as_json(self) -> dict[str, Any]:
        """The answer as one JSON object."""
        rows = [dict(zip(self.columns, row, strict=True)) for row in self.rows]
        return {"schema_version": SUMMARY_VERSION, "command": "metrics", "rows": rows}


def list_metrics(warehouse: Path) -> list[Metric]:
    """Every metric of the semantic layer, by name.

    Raises:
        CloseError: MetricFlow is not installed, or no close has built the warehouse.
    """
    with _engine(warehouse) as (engine, manifest, _):
        return _known(engine, manifest)


def query(warehouse: Path, metrics: Sequence[str], group_by: Sequence[str] = ()) -> Answer:
    """What the close says of `metrics`, one row per group, groups in order.

    A group is named as MetricFlow does: `exception__asset`, `metric_time__day`.

    Raises:
        CloseError: there is no such metric or group, amounts would be added up that do not add up,
            a sum is too large, MetricFlow is not installed, or no close has built the warehouse.
    """
    import duckdb

    # MetricFlow does not tell them apart by case, and names its columns in small letters.
    metrics, group_by = ([name.lower() for name in names] for names in (metrics, group_by))
    with _engine(warehouse) as (engine, manifest, reader):
        from metricflow.engine.metricflow_engine import MetricFlowQueryRequest

        request = MetricFlowQueryRequest.create(
            metric_names=list(metrics),
            group_by_names=list(group_by) or None,
            order_by_names=list(group_by) or None,
        )
        try:
            sql = engine.explain(request).sql_statement.sql
        except Exception as error:
            _check(_known(engine, manifest), metrics, group_by)
            reason = next(iter(str(error).splitlines()), type(error).__name__)
            raise CloseError(f"the semantic layer cannot answer this: {reason}") from error
        _check_sums(_sums(manifest), metrics, group_by)
        try:
            rows = reader.rows(sql)
        except duckdb.OutOfRangeException as error:
            named = ", ".join(metrics) + (f" by {', '.join(group_by)}" if group_by else "")
            raise CloseError(
                f"a sum of {named} has more digits than an amount can have: ask for finer groups"
            ) from error
        groups = [name for name in rows[0] if name not in metrics] if rows else list(group_by)
        columns = [*groups, *metrics]
        return Answer(columns, [_printed(reader, row, columns) for row in rows], sql)


def metrics_json(known: Sequence[Metric]) -> dict[str, Any]:
    """The metrics as one JSON object."""
    metrics = [asdict(metric) for metric in known]
    return {"schema_version": SUMMARY_VERSION, "command": "metrics", "metrics": metrics}


def metrics_text(known: Sequence[Metric]) -> list[str]:
    """The lines that list metrics."""
    lines: list[str] = []
    for metric in known:
        lines += [click.style(metric.name, bold=True)]
        for text, indent in (
            (metric.description, "  "),
            (f"by {', '.join(metric.dimensions)}", "     "),
        ):
            lines += textwrap.wrap(text, 96, initial_indent="  ", subsequent_indent=indent)
        if metric.adds_up_within:
            lines.append(f"  always by {', '.join(metric.adds_up_within)}")
        lines.append("")
    return lines[:-1]


def answer_text(answer: Answer) -> list[str]:
    """The lines of an answer, in columns with numbers to the right."""
    rows = [answer.columns, *answer.rows]
    texts = [["" if value is None else printable(value) for value in row] for row in rows]
    columns = list(zip(*texts, strict=True))
    widths = [max(map(len, column)) for column in columns]
    is_number = [all(_NUMBER.fullmatch(text) for text in column[1:] if text) for column in columns]
    return [
        "  ".join(
            text.rjust(width) if right else text.ljust(width)
            for text, width, right in zip(row, widths, is_number, strict=True)
        ).rstrip()
        for row in texts
    ]


def _known(engine: MetricFlowEngine, manifest: SemanticManifest) -> list[Metric]:
    within = _sums(manifest)
    metrics = (
        Metric(
            metric.name,
            metric.label or metric.name,
            " ".join((metric.description or "").split()),
            sorted({each.dunder_name for each in metric.dimensions}),
            within[metric.name],
        )
        for metric in engine.list_metrics()
    )
    return sorted(metrics, key=lambda metric: metric.name)


def _sums(manifest: SemanticManifest) -> dict[str, list[str]]:
    """Of each metric the groups within which alone it adds up, as its measures say."""
    of_measure = {}
    for model in manifest.semantic_models:
        own = (each.name for each in model.entities if each.type.value == "primary")
        entity = model.primary_entity or next(own)
        for measure in model.measures:
            names = measure.config.meta.get(_WITHIN, ()) if measure.config else ()
            of_measure[measure.name] = [f"{entity}__{name}" for name in names]
    return {
        metric.name: sorted(
            {group for each in metric.input_measures for group in of_measure[each.name]}
        )
        for metric in manifest.metrics
    }


def _printed(reader: Reader, row: dict[str, Any], columns: Sequence[str]) -> list[Value]:
    asset = next((value for name, value in row.items() if name.split("__")[-1] == _ASSET), None)
    return [_value(reader, row[name], asset) for name in columns]


def _value(reader: Reader, value: object, asset: str | None) -> Value:
    if isinstance(value, Decimal):
        # A count that was added up has no decimals in its type, an amount always has.
        return int(value) if value.as_tuple().exponent == 0 else reader.amount(value, asset)
    if isinstance(value, datetime):
        is_day = value.time() == datetime.min.time()
        return value.date().isoformat() if is_day else moment_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return str(value)


def _check(known: Sequence[Metric], metrics: Sequence[str], group_by: Sequence[str]) -> None:
    """Raise CloseError for the first metric that is not there or cannot be grouped like that."""
    of_name = {metric.name: metric for metric in known}
    for name in metrics:
        if name not in of_name:
            raise CloseError(f"there is no metric {name}: choose among {', '.join(of_name)}")
        for group in group_by:
            if group not in of_name[name].dimensions:
                raise CloseError(
                    f"the metric {name} cannot be grouped by {group}: choose among "
                    f"{', '.join(of_name[name].dimensions)}"
                )


def _check_sums(
    within: Mapping[str, Sequence[str]], metrics: Sequence[str], group_by: Sequence[str]
) -> None:
    """Raise CloseError for the first metric whose amounts would be added up and do not add up."""
    for name in metrics:
        missing = [group for group in within[name] if group not in group_by]
        if missing:
            raise CloseError(
                f"amounts of {name} do not add up across {' and '.join(missing)}: add "
                f"{' '.join(f'--by {each}' for each in missing)}"
            )


@contextmanager
def _engine(warehouse: Path) -> Iterator[tuple[MetricFlowEngine, SemanticManifest, Reader]]:
    try:
        from metricflow.engine.metricflow_engine import MetricFlowEngine
        from metricflow.sql.render.duckdb_renderer import DuckDbSqlPlanRenderer
        from metricflow_semantics.model.dbt_manifest_parser import (
            parse_manifest_from_dbt_generated_manifest,
        )
        from metricflow_semantics.model.semantic_manifest_lookup import SemanticManifestLookup
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("metricflow"):
            raise
        raise CloseError(
            "metrics need metricflow, which is not installed: run pip install 'pool-recon[metrics]'"
        ) from error
    with reading(warehouse) as reader:
        described = _described(
            project_dir(), warehouse.absolute(), reader.close_date, reader.business_time_zone
        )
        manifest = parse_manifest_from_dbt_generated_manifest(described)
        dialect: Any = _Dialect(DuckDbSqlPlanRenderer())
        yield MetricFlowEngine(SemanticManifestLookup(manifest), dialect), manifest, reader


@cache
def _described(project: Path, warehouse: Path, close_date: date, time_zone: str) -> str:
    """The semantic layer of the dbt project as JSON; parsed once, for it takes seconds."""
    from dbt.contracts.graph.semantic_manifest import SemanticManifest

    with tempfile.TemporaryDirectory(prefix="pool_recon_") as folder:
        state = Path(folder)
        manifest = parsed_project(BuildSettings(project, warehouse, state, close_date, time_zone))
        file = state / "semantic_manifest.json"
        SemanticManifest(manifest).write_json_to_file(str(file))
        return file.read_text(encoding="utf-8")


class _Dialect:
    """What MetricFlow asks of a SQL client in order to write SQL, and nothing that runs it."""

    def __init__(self, renderer: Any) -> None:
        from metricflow.protocols.sql_client import SqlEngine

        self.sql_engine_type = SqlEngine.DUCKDB
        self.sql_plan_renderer = renderer
