"""Small changes to a condition in SQL, one at a time, on the tree that DuckDB parses it to."""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import duckdb

# longer ones are exact arithmetic written out, which has tests of its own
LONGEST_CASE = 1000
LONGEST_DESCRIPTION = 100

Node = dict[str, Any]
Path = tuple[str | int, ...]

FLIPPED_COMPARISONS = {
    "COMPARE_LESSTHAN": ("COMPARE_LESSTHANOREQUALTO", "COMPARE_GREATERTHAN"),
    "COMPARE_LESSTHANOREQUALTO": ("COMPARE_LESSTHAN", "COMPARE_GREATERTHAN"),
    "COMPARE_GREATERTHAN": ("COMPARE_GREATERTHANOREQUALTO", "COMPARE_LESSTHAN"),
    "COMPARE_GREATERTHANOREQUALTO": ("COMPARE_GREATERTHAN", "COMPARE_LESSTHAN"),
    "COMPARE_EQUAL": ("COMPARE_NOTEQUAL",),
    "COMPARE_NOTEQUAL": ("COMPARE_EQUAL",),
}
FLIPPED_OPERATORS = {
    "OPERATOR_IS_NULL": "OPERATOR_IS_NOT_NULL",
    "OPERATOR_IS_NOT_NULL": "OPERATOR_IS_NULL",
    "COMPARE_IN": "COMPARE_NOT_IN",
    "COMPARE_NOT_IN": "COMPARE_IN",
}
FLIPPED_CONJUNCTIONS = {"CONJUNCTION_AND": "CONJUNCTION_OR", "CONJUNCTION_OR": "CONJUNCTION_AND"}


@dataclass(frozen=True)
class Mutation:
    """What was changed, in words that no other mutation of the condition has, and what it makes."""

    description: str
    condition: str


@cache
def _connection() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


def parse(condition: str) -> Node:
    row = _connection().execute("select json_serialize_sql(?)", [f"select {condition}"]).fetchone()
    assert row is not None
    statement: Node = json.loads(row[0])
    assert not statement["error"], statement
    return statement


def to_sql(statement: Node) -> str:
    text = json.dumps(statement)
    row = _connection().execute("select json_deserialize_sql(cast(? as json))", [text]).fetchone()
    assert row is not None
    return str(row[0]).removeprefix("SELECT ")


ROOT: Path = ("statements", 0, "node", "select_list", 0)


def mutations(condition: str) -> list[Mutation]:
    """Every mutation of a condition that reads differently from it."""
    statement = parse(condition)
    original = to_sql(statement)
    made: dict[str, Mutation] = {}
    counts: Counter[str] = Counter()
    for path, node in _nodes(statement, ROOT):
        for what, new in _changes(node, is_condition=path == ROOT):
            if _is_only_null_for_false(statement, path, node, new):
                continue
            mutated = to_sql(_replaced(statement, path, new))
            if mutated != original and mutated not in made:
                description = f"{_short(what)} in {_short(_text(node))}"
                counts[description] += 1
                if counts[description] > 1:
                    description += f" ({counts[description]})"
                made[mutated] = Mutation(description, mutated)
    return list(made.values())


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_DESCRIPTION else text[:LONGEST_DESCRIPTION] + "..."


def _text(node: Node) -> str:
    statement = parse("1")
    return to_sql(_replaced(statement, ROOT, {**node, "alias": ""}))


def _at(tree: Any, path: Path) -> Any:
    for step in path:
        tree = tree[step]
    return tree


def _replaced(statement: Node, path: Path, new: Node) -> Node:
    copied = copy.deepcopy(statement)
    _at(copied, path[:-1])[path[-1]] = copy.deepcopy(new)
    return copied


def _nodes(statement: Node, path: Path) -> Iterator[tuple[Path, Node]]:
    """The expression at a path and every expression within it."""
    node = _at(statement, path)
    if isinstance(node, dict):
        if "class" in node:
            if node["class"] == "CASE" and len(_text(node)) > LONGEST_CASE:
                return
            yield path, node
        for key, value in node.items():
            if isinstance(value, dict | list):
                yield from _nodes(statement, (*path, key))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            if isinstance(value, dict | list):
                yield from _nodes(statement, (*path, index))


def _changes(node: Node, *, is_condition: bool) -> Iterator[tuple[str, Node]]:
    kind = node["type"]
    if is_condition:
        yield "negated", _negated(node)
    if node["class"] == "CONJUNCTION":
        yield (
            "and for or" if kind == "CONJUNCTION_OR" else "or for and",
            {
                **node,
                "type": FLIPPED_CONJUNCTIONS[kind],
            },
        )
        for index, child in enumerate(node["children"]):
            yield f"dropped {_text(child)}", _without_child(node, index)
            yield f"negated {_text(child)}", _with_child(node, index, _negated(child))
    for flipped in FLIPPED_COMPARISONS.get(kind, ()):
        yield flipped.removeprefix("COMPARE_").lower(), {**node, "type": flipped}
    if kind in FLIPPED_OPERATORS:
        yield FLIPPED_OPERATORS[kind].lower(), {**node, "type": FLIPPED_OPERATORS[kind]}
    if kind in ("COMPARE_IN", "COMPARE_NOT_IN") and len(node["children"]) > 2:
        for index, child in enumerate(node["children"][1:], start=1):
            yield f"dropped {_text(child)}", _without_child(node, index)
    if kind == "OPERATOR_NOT":
        yield "dropped not", node["children"][0]
    if kind == "OPERATOR_COALESCE":
        for index, child in enumerate(node["children"]):
            yield f"dropped {_text(child)}", _without_child(node, index)
        default = node["children"][-1]
        if _text(default) in ("true", "false"):
            yield "other default", _with_child(node, -1, _negated(default))
    if kind == "CASE_EXPR":
        for index, check in enumerate(node["case_checks"]):
            kept = [each for each in node["case_checks"] if each is not check]
            if kept:
                yield f"dropped case {_text(check['when_expr'])}", {**node, "case_checks": kept}
            swapped = {**check, "then_expr": node["else_expr"]}
            others = list(node["case_checks"])
            others[index] = swapped
            yield f"else for case {_text(check['when_expr'])}", {**node, "case_checks": others}
    if node["class"] == "CONSTANT" and node.get("literal", {}).get("kind") == "INTEGER":
        literal = {**node["literal"], "text": str(int(node["literal"]["text"]) + 1)}
        yield "plus one", {**node, "literal": literal}


def _is_only_null_for_false(statement: Node, path: Path, node: Node, new: Node) -> bool:
    """Within nothing but and and or, null says what false says: the subject has no finding."""
    is_default_dropped = (
        node["type"] == "OPERATOR_COALESCE"
        and _text(node["children"][-1]) == "false"
        and new == node["children"][0]
    )
    above = [_at(statement, path[:end]) for end in range(len(ROOT), len(path))]
    kinds = {each.get("class") for each in above if isinstance(each, dict)}
    return is_default_dropped and kinds <= {"CONJUNCTION"}


def _negated(node: Node) -> Node:
    template = parse("not (x)")
    negation: Node = _at(template, ROOT)
    return {**negation, "children": [{**node, "alias": ""}]}


def _without_child(node: Node, index: int) -> Node:
    kept = [child for place, child in enumerate(node["children"]) if place != index]
    return (
        kept[0] if len(kept) == 1 and node["type"] != "COMPARE_IN" else {**node, "children": kept}
    )


def _with_child(node: Node, index: int, child: Node) -> Node:
    children = list(node["children"])
    children[index] = child
    return {**node, "children": children}
