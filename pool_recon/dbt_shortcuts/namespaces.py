"""The macros that a model sees, put together faster than dbt does.

dbt makes an object of each of its nine hundred macros twice for every node, and looks each of them
up in five places to list them; that was a tenth of a small build. This takes the place of the one
method that does it, for as long as a build lasts; a test says where another version of dbt comes to
another result.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from itertools import repeat
from types import MethodType
from typing import Any, NamedTuple

from dbt.clients.jinja import MacroGenerator
from dbt.context.macros import MacroNamespace, MacroNamespaceBuilder


class _Place(NamedTuple):
    """Where macros are called from."""

    context: Any
    node: Any
    stack: Any


class _Callable:
    """A macro that is told with each call where it comes from.

    What a model sees are bound methods of these, which cost next to nothing to make: of nine
    hundred macros it calls a few.
    """

    def __init__(self, macro: Any) -> None:
        self.macro = macro

    def __call__(self, place: _Place, /, *arguments: Any, **options: Any) -> Any:
        return MacroGenerator(self.macro, *place)(*arguments, **options)


class _Listed(dict[str, Any]):
    """A namespace of macros that is a dictionary of what its names stand for."""

    def __init__(self, namespace: MacroNamespace) -> None:
        super().__init__()
        self._namespace = namespace
        # What comes first in the order of dbt's search wins.
        for found in reversed(list(namespace._search_order())):
            self.update(found)

    def get_from_package(self, package_name: str | None, name: str) -> Any:
        """The macro of a package, or of any where none is named, as of MacroNamespace."""
        return self._namespace.get_from_package(package_name, name)


def _build(
    builder: MacroNamespaceBuilder,
    callables_by_package: Mapping[str, Mapping[str, _Callable]],
    context: dict[str, Any],
) -> _Listed:
    """What `MacroNamespaceBuilder.build_namespace` returns, as a dictionary."""
    place = _Place(context, builder.node, builder.thread_ctx)
    of_packages: dict[str, dict[str, Any]] = {
        package: dict(zip(macros, map(MethodType, macros.values(), repeat(place)), strict=True))
        for package, macros in callables_by_package.items()
    }
    of_dbt: dict[str, Any] = {}
    for package in reversed(builder.internal_package_names_order):
        of_dbt.update(of_packages.get(package, {}))
    others = {
        package: macros
        for package, macros in of_packages.items()
        if package not in builder.internal_package_names
    }
    is_own = builder.search_package == builder.root_package
    return _Listed(
        MacroNamespace(
            global_namespace={} if is_own else others.get(builder.root_package, {}),
            local_namespace=others.get(builder.search_package, {}),
            global_project_namespace=of_dbt,
            packages=others,
        )
    )


@contextlib.contextmanager
def namespaces_as_dictionaries() -> Iterator[None]:
    """Let dbt find macros by these namespaces."""
    builder: Any = MacroNamespaceBuilder
    before = builder.build_namespace
    # While a project is parsed there are more and more macros, and then the same for every node.
    known: tuple[Any, dict[str, dict[str, _Callable]]] = ({}, {})

    def build(of: Any, macros_by_package: Mapping[str, Any], context: dict[str, Any]) -> _Listed:
        nonlocal known
        macros, callables = known
        if macros != macros_by_package:
            macros = {package: dict(named) for package, named in macros_by_package.items()}
            callables = {
                package: {name: _Callable(macro) for name, macro in named.items()}
                for package, named in macros.items()
            }
            known = macros, callables
        return _build(of, callables, context)

    builder.build_namespace = build
    try:
        yield
    finally:
        builder.build_namespace = before
