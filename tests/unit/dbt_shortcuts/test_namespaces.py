"""The macros that a model sees are those that dbt itself puts together."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from dbt.clients.jinja import MacroStack
from dbt.context.macros import MacroNamespaceBuilder
from dbt.exceptions import PackageNotFoundForMacroError

from pool_recon.dbt_shortcuts.namespaces import namespaces_as_dictionaries

INTERNAL = ["dbt_duckdb", "dbt"]
# Every name is in several packages, so that the order of the search decides.
MACROS = {
    "dbt": ("a", "b", "c", "d", "e"),
    "dbt_duckdb": ("a", "b", "c", "d"),
    "installed": ("a", "b", "c", "installed_only"),
    "root": ("a", "b", "root_only"),
}


def built(search_package: str, node: Any = None) -> tuple[Any, dict[str, Any], MacroStack]:
    macros: Any = {
        package: {
            name: SimpleNamespace(name=name, package_name=package, unique_id=f"{package}.{name}")
            for name in names
        }
        for package, names in MACROS.items()
    }
    context: dict[str, Any] = {}
    stack = MacroStack()
    builder = MacroNamespaceBuilder("root", search_package, stack, INTERNAL, node)
    return builder.build_namespace(macros, context), context, stack


def meaning(found: Any) -> Any:
    if hasattr(found, "macro"):
        assert {*vars(found)} == {"context", "macro", "node", "stack"}
        return found.macro.unique_id
    return {name: meaning(value) for name, value in found.items()}


@pytest.mark.parametrize("search_package", ["root", "installed", "neither"])
def test_a_name_means_what_it_means_to_dbt(search_package: str) -> None:
    theirs, _, _ = built(search_package)
    with namespaces_as_dictionaries():
        ours, _, _ = built(search_package)
    assert type(ours) is not type(theirs)
    assert meaning(ours) == meaning(theirs)
    for package in (None, "dbt", "installed", "root"):
        for name in ("a", "d", "e", "installed_only", "nowhere"):
            found, expected = (each.get_from_package(package, name) for each in (ours, theirs))
            assert (found and meaning(found)) == (expected and meaning(expected))
    with pytest.raises(PackageNotFoundForMacroError):
        ours.get_from_package("unknown", "a")


def test_a_macro_belongs_to_its_context() -> None:
    node = SimpleNamespace()
    with namespaces_as_dictionaries():
        namespace, context, stack = built("root", node)
    for found in (namespace["a"], namespace["dbt"]["e"]):
        assert found.context is context
        assert found.node is node
        assert found.stack is stack


def test_dbt_is_as_it_was_afterwards() -> None:
    before = MacroNamespaceBuilder.build_namespace
    with namespaces_as_dictionaries():
        assert MacroNamespaceBuilder.build_namespace is not before
    assert MacroNamespaceBuilder.build_namespace is before
