"""The entity diagram as SVG, from the columns, keys and references that the project declares.

Columns of the exports are those of seeds/ref_export_columns.csv, columns of the marts those of
their YAML. Keys are the `meta.key` of sources and marts. A column refers to the entity whose key
begins with its name, or to what its `meta.refers_to` says. Only the places of the boxes are chosen
here.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import yaml

# entity -> its column and its row on the sheet
PLACES: Mapping[str, tuple[int, int]] = {
    "orders": (0, 0),
    "quotes": (1, 0),
    "trades": (2, 0),
    "pools": (0, 1),
    "ledger": (1, 1),
    "events": (2, 1),
    "funding": (0, 2),
    "balances": (1, 2),
    "movements": (2, 2),
    "approvals": (0, 3),
    "findings": (1, 3),
}
# entity -> the mart that is one
MARTS: Mapping[str, str] = {
    "movements": "fct_reconciliation",
    "findings": "fct_exceptions",
    "approvals": "fct_register_rows",
}
WIDTH, GAP_X, GAP_Y, MARGIN = 250, 64, 36, 40
HEAD, LINE = 34, 20


@dataclass(frozen=True)
class Column:
    """A column worth showing: part of the key, a reference, or never empty."""

    name: str
    is_key: bool
    refers_to: tuple[str, ...]


@dataclass(frozen=True)
class Entity:
    """An export or a mart; `refers_to` of its columns holds `entity.column`."""

    name: str
    description: str
    columns: tuple[Column, ...]


def entities(project: Path) -> dict[str, Entity]:
    """The entities of a project folder, in the order of PLACES.

    Raises ValueError where the project has an export that has no place, or a reference that leads
    nowhere.
    """
    described = {**exports(project), **marts(project)}
    if described.keys() != PLACES.keys():
        names = sorted(described.keys() ^ PLACES.keys())
        raise ValueError(f"the diagram has no place for, or no description of: {names}")
    key_of = {table["key"][0]: name for name, table in described.items()}
    return {name: entity(name, described[name], key_of) for name in PLACES}


def entity(name: str, table: Mapping[str, Any], key_of: Mapping[str, str]) -> Entity:
    """One entity with its references resolved."""
    columns = []
    for column, facts in table["columns"].items():
        refers_to = tuple(facts["refers_to"])
        if not refers_to and key_of.get(column, name) != name:
            refers_to = (f"{key_of[column]}.{column}",)
        for reference in refers_to:
            if reference.partition(".")[0] not in PLACES:
                raise ValueError(f"{name}.{column} refers to {reference}, which is no entity")
        if column in table["key"] or refers_to or facts["is_required"]:
            columns.append(Column(column, column in table["key"], refers_to))
    columns.sort(key=lambda each: 0 if each.is_key else 1 if each.refers_to else 2)
    return Entity(name, table["description"], tuple(columns))


def exports(project: Path) -> dict[str, dict[str, Any]]:
    """Name -> description, key and columns of every export."""
    (raw,) = yaml.safe_load((project / "models" / "sources.yml").read_text("utf-8"))["sources"]
    tables = {table["name"]: table for table in raw["tables"]}
    found: dict[str, dict[str, Any]] = {}
    with (project / "seeds" / "ref_export_columns.csv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines, strict=True):
            table = tables[row["export_name"]]
            export = found.setdefault(
                table["name"],
                {"key": key(table), "description": table["description"], "columns": {}},
            )
            (column,) = (c for c in table["columns"] if c["name"] == row["column_name"])
            export["columns"][row["column_name"]] = {
                "is_required": row["is_column_required"] == "true",
                "refers_to": meta(column).get("refers_to", []),
            }
    return found


def marts(project: Path) -> dict[str, dict[str, Any]]:
    """Name -> description, key and columns of the marts that stand for an entity."""
    found = {}
    for name, mart in MARTS.items():
        file = project / "models" / "marts" / f"{mart}.yml"
        (model,) = yaml.safe_load(file.read_text("utf-8"))["models"]
        columns = {
            column["name"]: {
                "is_required": False,
                "refers_to": meta(column).get("refers_to", []),
            }
            for column in model["columns"]
        }
        found[name] = {
            "key": key(model),
            "description": model["description"],
            "columns": columns,
        }
    return found


def meta(described: Mapping[str, Any]) -> dict[str, Any]:
    """What a YAML entry says about itself for others than dbt."""
    found: dict[str, Any] = described.get("config", {}).get("meta", {})
    return found


def key(described: Mapping[str, Any]) -> list[str]:
    """The columns of the key of a source or mart, first the one by which others refer to it."""
    names: list[str] = meta(described).get("key", [])
    if not names:
        raise ValueError(f"{described['name']} is an entity and has no meta.key in its YAML")
    return names


def diagram(project: Path) -> str:
    """The SVG element: boxes with their columns and what they refer to.

    A line is drawn where the two boxes are neighbours; farther ones would run through others.
    """
    drawn = entities(project)
    boxes = {name: place(name, drawn) for name in drawn}
    width = max(x for x, _ in boxes.values()) + WIDTH + MARGIN
    height = max(y + box_height(drawn[name]) for name, (_, y) in boxes.items()) + MARGIN
    parts = [
        f'<svg class="entities" viewBox="0 0 {width} {height}" role="img"'
        ' xmlns="http://www.w3.org/2000/svg" aria-label="Entities, their keys and references">',
        *(line for each in drawn.values() for line in lines_of(each, drawn, boxes)),
        *(line for each in drawn.values() for line in box(each, boxes[each.name])),
        "</svg>",
    ]
    return "\n".join(parts)


def box_height(drawn: Entity) -> int:
    """The height of a box, in units of the drawing."""
    return HEAD + LINE * len(drawn.columns) + 8


def place(name: str, drawn: Mapping[str, Entity]) -> tuple[int, int]:
    """The upper left corner of a box, below the tallest box of every row above."""
    column, row = PLACES[name]
    y = MARGIN // 2
    for above in range(row):
        heights = [box_height(drawn[each]) for each, (_, r) in PLACES.items() if r == above]
        y += max(heights) + GAP_Y
    return MARGIN + column * (WIDTH + GAP_X), y


def box(drawn: Entity, corner: tuple[int, int]) -> list[str]:
    """The elements of one entity, its upper left corner given."""
    x, y = corner
    lines = [
        f'<g class="entity"><title>{escape(drawn.description)}</title>',
        f'<rect x="{x}" y="{y}" width="{WIDTH}" height="{box_height(drawn)}" rx="6"/>',
        f'<text class="name" x="{x + 12}" y="{y + 22}">{drawn.name}</text>',
    ]
    for number, column in enumerate(drawn.columns):
        line_y = y + HEAD + LINE * number + 13
        kind = "key" if column.is_key else "reference" if column.refers_to else "plain"
        lines.append(f'<text class="{kind}" x="{x + 12}" y="{line_y}">{column.name}</text>')
        if column.refers_to:
            targets = ", ".join(each.partition(".")[0] for each in column.refers_to)
            lines.append(
                f'<text class="target" x="{x + WIDTH - 12}" y="{line_y}">→ {targets}</text>'
            )
    return [*lines, "</g>"]


def lines_of(
    drawn: Entity, all_drawn: Mapping[str, Entity], boxes: Mapping[str, tuple[int, int]]
) -> list[str]:
    """A curve for each reference, from its line in this box to the key that it refers to."""
    lines = []
    for number, column in enumerate(drawn.columns):
        for reference in column.refers_to:
            target, _, key = reference.partition(".")
            names = [each.name for each in all_drawn[target].columns]
            if key not in names:
                raise ValueError(f"{drawn.name}.{column.name} refers to {reference}: no such key")
            if not neighbours(drawn.name, target):
                continue
            begin = (*boxes[drawn.name], number)
            end = (*boxes[target], names.index(key))
            lines.append(
                f'<path class="to-{target}" d="{curve(begin, end)}">'
                f"<title>{drawn.name}.{column.name} → {reference}</title></path>"
            )
    return lines


def neighbours(one: str, other: str) -> bool:
    """Whether two boxes are at most one column and one row apart, or the same."""
    return all(abs(a - b) <= 1 for a, b in zip(PLACES[one], PLACES[other], strict=True))


def curve(begin: tuple[int, int, int], end: tuple[int, int, int]) -> str:
    """A path between two lines of boxes, each left or right of its box, whichever is nearer."""
    (x1, y1, n1), (x2, y2, n2) = begin, end
    from_y, to_y = (y + HEAD + LINE * n + 9 for y, n in ((y1, n1), (y2, n2)))
    if x1 == x2:
        side = x1 if x1 == MARGIN else x1 + WIDTH
        bend = side - 36 if x1 == MARGIN else side + 36
        return f"M{side} {from_y}C{bend} {from_y} {bend} {to_y} {side} {to_y}"
    from_x, to_x = (x1, x2 + WIDTH) if x1 > x2 else (x1 + WIDTH, x2)
    middle = (from_x + to_x) // 2
    return f"M{from_x} {from_y}C{middle} {from_y} {middle} {to_y} {to_x} {to_y}"
