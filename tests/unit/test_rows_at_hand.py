"""What an incremental build asks of the rows, against what the reference data say of them."""

from __future__ import annotations

import ast
from pathlib import Path

import jinja2

from pool_recon import reference

MACROS = Path(__file__).resolve().parents[2] / "macros"
# The order in which confirmations count; whether one counts at this close says received_at.
NEVER_COMPARED = {("events", "occurred_at")}


def returned(file: str, expression: str) -> object:
    """What an expression of the macros in `file` returns, where it calls no other."""
    source = (MACROS / file).read_text(encoding="utf-8")
    environment = jinja2.Environment(extensions=["jinja2.ext.do"])
    environment.globals["return"] = lambda value: value
    return ast.literal_eval(
        environment.from_string(f"{source}{{{{ {expression} }}}}").render().strip()
    )


def moments() -> dict[str, list[tuple[str, str | None]]]:
    """The moments that a close compares with its cut-off, by export."""
    found = returned("working_set/collect_rows_at_hand.sql", "moments_of_rows()")
    assert isinstance(found, dict)
    return found


def test_every_moment_of_a_record_that_is_closed_incrementally_is_asked_for() -> None:
    required = {export.name for export in reference.exports() if export.is_required}
    stated = {
        (export, column.name)
        for export in required
        for column in reference.export_columns(export)
        if column.value_kind == "timestamp"
    }
    asked = {(export, name) for export, columns in moments().items() for name, _ in columns}
    assert set(moments()) == required
    assert stated - asked == NEVER_COMPARED
    assert asked <= stated


def test_every_limit_moves_a_moment() -> None:
    limits = returned("staging/close_parameters.sql", "limits()")
    assert isinstance(limits, list)
    text = (MACROS / "working_set" / "collect_rows_at_hand.sql").read_text(encoding="utf-8")
    assert [limit for limit in limits if f"'{limit}'" not in text] == []
