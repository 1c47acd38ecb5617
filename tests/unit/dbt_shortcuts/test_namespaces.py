"""The macros that a model sees are those that dbt itself puts together."""

from __future__ import annotations

import contextlib
from types import SimpleNamespace
from typing import Any

import pytest
from dbt.clients.jinja import MacroGenerator, MacroStack
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


def macro(package: str, name: str) -> Any:
    return SimpleNamespace(name=name, package_name=package, unique_id=f"{package}.{name}")


def macros_by_package() -> dict[str, dict[str, Any]]:
    return {package: {n: macro(package, n) for n in names} for package, names in MACROS.items()}


def built(
    search_package: str,
    macros: Any = None,
    context: dict[str, Any] | None = None,
    node: Any = None,
    stack: MacroStack | None = None,
) -> Any:
    builder = MacroNamespaceBuilder("root", search_package, stack or MacroStack(), INTERNAL, node)
    return builder.build_namespace(macros or macros_by_package(), context or {})


def meaning(found: Any) -> Any:
    if callable(found):
        return found.macro.unique_id
    return {name: meaning(value) for name, value in found.items()}


@pytest.mark.parametrize("search_package", ["root", "installed", "neither"])
def test_a_name_means_what_it_means_to_dbt(search_package: str) -> None:
    theirs = built(search_package)
    with namespaces_as_dictionaries():
        ours = built(search_package)
    assert type(ours) is not type(theirs)
    assert meaning(ours) == meaning(theirs)
    for package in (None, "dbt", "installed", "root"):
        for name in ("a", "d", "e", "installed_only", "nowhere"):
            found, expected = (each.get_from_package(package, name) for each in (ours, theirs))
            assert (found and meaning(found)) == (expected and meaning(expected))
    with pytest.raises(PackageNotFoundForMacroError):
        ours.get_from_package("unknown", "a")


@pytest.mark.parametrize("is_shortened", [False, True])
def test_a_macro_is_called_from_its_context(
    is_shortened: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    depended_on: list[str] = []
    node = SimpleNamespace(depends_on=SimpleNamespace(add_macro=depended_on.append))
    contexts: list[dict[str, Any]] = [{"of": "one"}, {"of": "another"}]
    stacks = [MacroStack(), MacroStack()]
    calls: list[Any] = []

    def call(generator: Any, *arguments: Any, **options: Any) -> str:
        unique_id = generator.macro.unique_id
        depths = [stack.depth for stack in stacks]
        calls.append((unique_id, generator.context["of"], depths, arguments, options))
        return "said"

    monkeypatch.setattr(MacroGenerator, "call_macro", call)
    macros = macros_by_package()
    with namespaces_as_dictionaries() if is_shortened else contextlib.nullcontext():
        one, another = (
            built("root", macros, context, node, stack)
            for context, stack in zip(contexts, stacks, strict=True)
        )
    assert one["a"](1, place=2) == "said"
    assert another["dbt"]["e"]() == "said"
    assert another.get_from_package(None, "d")() == "said"
    assert calls == [
        ("root.a", "one", [1, 0], (1,), {"place": 2}),
        ("dbt.e", "another", [0, 1], (), {}),
        ("dbt_duckdb.d", "another", [0, 1], (), {}),
    ]
    assert depended_on == ["root.a", "dbt.e", "dbt_duckdb.d"]
    assert [stack.depth for stack in stacks] == [0, 0]


def test_a_macro_that_is_read_later_is_found() -> None:
    macros = macros_by_package()
    with namespaces_as_dictionaries():
        first = built("root", macros)
        macros["root"] |= {"later": macro("root", "later"), "a": macro("root", "another_a")}
        macros["new"] = {"a": macro("new", "a")}
        second = built("root", macros)
    assert "later" not in first
    assert meaning(first["a"]) == "root.a"
    assert meaning(second["later"]) == "root.later"
    assert meaning(second["a"]) == "root.another_a"
    assert meaning(second["new"]["a"]) == "new.a"


def test_dbt_is_as_it_was_afterwards() -> None:
    before = MacroNamespaceBuilder.build_namespace
    with namespaces_as_dictionaries():
        assert MacroNamespaceBuilder.build_namespace is not before
    assert MacroNamespaceBuilder.build_namespace is before
