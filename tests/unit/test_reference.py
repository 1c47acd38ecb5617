"""The seeds as Python reads them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pool_recon import reference
from pool_recon.errors import CloseError


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    seeds = reference.project_dir() / "seeds"
    shutil.copytree(seeds, tmp_path / "seeds")
    monkeypatch.setenv("POOL_RECON_PROJECT_DIR", str(tmp_path))
    return tmp_path


def change(project: Path, name: str, old: str, new: str) -> None:
    path = project / "seeds" / f"{name}.csv"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_exports_are_in_order() -> None:
    exports = reference.exports()
    assert [export.position for export in exports] == list(range(1, len(exports) + 1))
    assert exports[0].name == "orders"
    assert exports[0].is_required
    assert not exports[-1].is_required


def test_columns_and_aliases_are_in_order() -> None:
    columns = reference.export_columns("ledger")
    assert [column.position for column in columns] == list(range(1, len(columns) + 1))
    assert columns[3].value_kind == "amount"
    assert columns[3].vocabulary is None
    aliases = [a.alias for a in reference.column_aliases("ledger") if a.column_name == "entry_type"]
    assert aliases == ["type", "reason", "ledger_entry_type"]
    assert reference.export_columns("nothing") == ()


def test_a_user_can_add_an_alias(project: Path) -> None:
    path = project / "seeds" / "ref_column_aliases.csv"
    path.write_text(path.read_text() + "pools,pool_id,pool_name,1\n")
    assert [alias.alias for alias in reference.column_aliases("pools")] == ["pool_name"]


@pytest.mark.parametrize(
    ("name", "old", "new", "expected"),
    [
        ("ref_exports", "orders,1,true", "orders,1,yes", "row 1: missing or unknown value 'yes'"),
        ("ref_exports", "orders,1,true", "orders,2,true", "row 2: 2 is given twice"),
        ("ref_exports", "is_required", "needed", "row 1: missing or unknown value 'is_required'"),
        ("ref_export_columns", "orders,created_at,2", "order,created_at,2", "unknown export_name"),
        ("ref_export_columns", "orders,created_at,2", "orders,created_at,two", "row 2: invalid"),
        ("ref_column_aliases", "orders,partner_order_id", "orders,id", "unknown column orders.id"),
        (
            "ref_column_aliases",
            "partner_reference,2",
            "order_id,2",
            "orders, order_id is given",
        ),
        (
            "ref_column_aliases",
            "partner_reference,2",
            "partner_reference,2,x",
            "row 2: expected a value for each of export_name, column_name, alias, alias_rank",
        ),
        ("ref_column_aliases", "partner_reference,2", "x", "row 2: expected a value for each of"),
    ],
)
def test_contradictions_name_the_row(
    project: Path, name: str, old: str, new: str, expected: str
) -> None:
    change(project, name, old, new)
    with pytest.raises(CloseError) as caught:
        reference.column_aliases("orders")
    assert str(caught.value).startswith(f"seeds/{name}.csv: ")
    assert expected in str(caught.value)


def test_a_missing_project_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POOL_RECON_PROJECT_DIR", str(tmp_path))
    with pytest.raises(CloseError, match="dbt project was not found"):
        reference.exports()
