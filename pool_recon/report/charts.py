"""The charts of the report, drawn by Vega-Lite as SVG that lives in the page.

Colours are the classes of the page's style sheet, so that a chart follows light, dark and paper.
Every text is placed by its anchor and no size depends on a font, so that the drawing is the same
on every machine. A float is a length here, never a figure: figures are the texts of the package.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree

from markupsafe import Markup, escape

from pool_recon.drawing import Draw, Spec, draw
from pool_recon.report.figures import BALANCE_STEPS, SET_ASIDE, STATES, Figures, Row

# The least part of its chart that a bar for something has, so that it can be seen.
_VISIBLE = 0.006

_ROW = 26.0
_BAR_ROW = 10.0
_MINI_WIDTH, _MINI_ROW = 94.0, 34.0
_PANEL_WIDTH, _PANEL_HEIGHT = 352.0, 124.0

_SVG = "{http://www.w3.org/2000/svg}"
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:e-?[0-9]+)?")
_FIGURE = re.compile(r"(?P<before>[^0-9]*)(?P<figure>[0-9]+(?:\.[0-9]+)?)(?P<after>[^0-9]*)")

Stack = Sequence[tuple[str, int]]


@dataclass(frozen=True)
class Chart:
    """A drawing for the page, what it is of, and the kinds that its colours tell apart."""

    title: str
    svg: Markup
    kinds: Sequence[str] = ()


def bars(stacks: Sequence[tuple[Stack, int]], draw: Draw = draw) -> list[Markup]:
    """A bar for each stack of kinds and counts, of which its whole would be the full width."""
    data = []
    for row, (stack, whole) in enumerate(stacks):
        counts = [(kind, max(count / whole, _VISIBLE)) for kind, count in stack if count]
        # Parts that were widened to be seen take their width from all of them.
        total = max(1.0, sum(part for _, part in counts))
        end = 0.0
        for kind, part in counts:
            begin, end = end, end + part / total
            data.append({"row": row, "kind": kind, "x": begin, "x2": end, "y": row, "y2": row + 1})
    more = 'preserveAspectRatio="none"'
    return _windows(draw, data, len(stacks), 100.0, _BAR_ROW, "bar", more)


def roll_forwards(balances: Sequence[Row], draw: Draw = draw) -> list[Markup]:
    """A small waterfall of each balance: opening, what moved it, closing; each to its own scale."""
    data = []
    for row, balance in enumerate(balances):
        steps = list(_balance_steps(balance))
        edges = [edge for _, begin, end in steps for edge in (begin, end)]
        low, high = min(edges), max(edges)
        span = (high - low) or Decimal(1)
        for number, (kind, begin, end) in enumerate(steps):
            top, bottom = (
                float((high - edge) / span) for edge in (max(begin, end), min(begin, end))
            )
            thick = 0.04 if kind != "flat" else 0.02
            y = row + 0.03 + 0.9 * min(top, 1 - thick)
            data.append(
                {
                    "row": row,
                    "kind": kind,
                    "x": number / len(steps),
                    "x2": (number + 0.84) / len(steps),
                    "y": y,
                    "y2": y + 0.9 * max(bottom - top, thick),
                }
            )
    return _windows(draw, data, len(balances), _MINI_WIDTH, _MINI_ROW, "mini")


def waterfalls(figures: Figures, draw: Draw = draw) -> list[Chart]:
    """From landed rows to staged ones, and from the movements in them to the matched ones."""
    landed = figures.landed("landed")
    rows = [("landed", "Rows landed", landed, "total")]
    for column in SET_ASIDE:
        kind = "exception" if column == "quarantined" else "aside"
        rows.append((column, column.capitalize(), -figures.landed(column), kind))
    rows.append(("staged", "Rows staged", figures.landed("staged"), "total"))
    movements = [("movements", "Movements", figures.movements, "total")]
    for state, count in reversed(figures.states):
        if state != "matched":
            movements.append((f"state.{state}", state.capitalize(), -count, state))
    movements.append(("matched", "Matched", dict(figures.states)["matched"], "matched"))
    return [
        _waterfall(draw, "Rows, from landed to staged", rows),
        _waterfall(draw, "Movements, from all of them to the matched", movements),
    ]


def trends(closes: Sequence[Row], draw: Draw = draw) -> list[Chart]:
    """Match rate, movements that are not matched, and findings, from close to close."""
    states = [state for state in STATES if state != "matched"]
    unmatched = [[(state, int(close[f"{state}_count"])) for state in states] for close in closes]
    findings = [
        [(kind, int(close[f"{kind}_finding_count"])) for kind in ("warning", "blocking")]
        for close in closes
    ]
    return [
        _rate_trend(draw, closes),
        _column_trend(draw, "Movements that are not matched", "unmatched", closes, unmatched),
        _column_trend(draw, "Findings, approved ones too", "found", closes, findings),
    ]


def _balance_steps(balance: Row) -> Iterable[tuple[str, Decimal, Decimal]]:
    opening, closing = Decimal(balance["opening"]), Decimal(balance["closing"])
    yield "total", Decimal(0), opening
    carried = opening
    for name in BALANCE_STEPS:
        change = Decimal(balance[name])
        kind = "rise" if change > 0 else "fall" if change < 0 else "flat"
        yield kind, carried, carried + change
        carried += change
    yield "total", Decimal(0), closing


def _waterfall(draw: Draw, title: str, steps: Sequence[tuple[str, str, int, str]]) -> Chart:
    """Horizontal: a name, a bar from where the count before it ended, and the count."""
    whole = max(steps[0][2], 1)
    data, edge = [], 0.0
    for row, (figure, label, count, kind) in enumerate(steps):
        is_total = row in (0, len(steps) - 1)
        size = abs(count) / whole
        width = max(size, _VISIBLE) if count else 0.0
        begin = 0.0 if is_total else min(edge - size, 1 - width)
        edge = size if is_total else edge - size
        data.append(
            {
                "label": label,
                "value": f"\u2212{-count}" if count < 0 else str(count),
                "figure": f"waterfall|{figure}",
                "kind": kind,
                "ink": "ink" if is_total else "soft",
                "x": begin,
                "x2": begin + width,
                "y": row + 0.2,
                "y2": row + 0.8,
                "middle": row + 0.5,
                "edge": edge,
                # where there is no bar, the line that joins its neighbours goes through
                "joint": row + (0.8 if count else 0.2),
                "next": row + 1.2,
            }
        )
    x, y = _axis(1, 92, 310), _axis(len(data), 0, _ROW * len(data))
    middle = {**y, "field": "middle"}
    ink = {"field": "ink", "type": "nominal", "scale": None}
    layers: list[Spec] = [
        {
            "transform": [{"filter": "datum.x2 > datum.x"}],
            "mark": {"type": "bar", "cornerRadius": 1.5},
            "encoding": {
                "x": {**x, "field": "x"},
                "x2": {"field": "x2"},
                "y": {**y, "field": "y"},
                "y2": {"field": "y2"},
                "color": {"field": "kind", "type": "nominal", "scale": None},
            },
        },
        {
            "transform": [{"filter": f"datum.next < {len(data)}"}],
            "mark": {"type": "rule", "color": "joint", "strokeWidth": 1},
            "encoding": {
                "x": {**x, "field": "edge"},
                "y": {**y, "field": "joint"},
                "y2": {"field": "next"},
            },
        },
        {
            "mark": {"type": "text", "align": "left", "fontSize": 11.5},
            "encoding": {"x": {"value": 0}, "y": middle, "text": {"field": "label"}, "color": ink},
        },
        {
            "mark": {"type": "text", "align": "right", "fontSize": 11.5},
            "encoding": {
                "x": {"value": 386},
                "y": middle,
                "text": {"field": "value"},
                "color": ink,
                "description": {"field": "figure"},
            },
        },
    ]
    told = "; ".join(f"{row['label']} {row['value']}" for row in data)
    return Chart(title, _drawing(draw, title, told, 386, _ROW * len(data), data, layers))


def _rate_trend(draw: Draw, closes: Sequence[Row]) -> Chart:
    """A line between the lowest and the highest rate, each point with its rate."""
    # A close without movements has no rate.
    rated = [
        (number, close, Decimal(close["match_rate_percent"]))
        for number, close in enumerate(closes)
        if close["match_rate_percent"]
    ]
    rates = [rate for _, _, rate in rated]
    low, high = min(rates, default=Decimal(0)), max(rates, default=Decimal(0))
    span = (high - low) or Decimal(1)
    data = [
        {
            "label": close["match_rate_percent"],
            "figure": f"trend|{close['close_date']}|match_rate_percent",
            "x": number + 0.5,
            "y": 0.5 if high == low else 0.2 + 0.8 * float((rate - low) / span),
            # clear of the line that comes down to it
            "dy": -10 if rate >= before else 14,
        }
        for (number, close, rate), before in zip(rated, [low, *rates], strict=False)
    ]
    x, y, width = _trend_axes(len(closes))
    place = {"x": {**x, "field": "x"}, "y": {**y, "field": "y"}}
    layers: list[Spec] = [
        {
            "mark": {"type": "line", "color": "matched", "strokeWidth": 2},
            "encoding": place,
        },
        {
            "mark": {"type": "point", "filled": True, "size": 30, "color": "matched", "opacity": 1},
            "encoding": place,
        },
        _trend_label(place, {"expr": "datum.dy"}),
        *_trend_frame(x, closes),
    ]
    title = "Match rate, per cent"
    return Chart(title, _drawing(draw, title, "", width, _PANEL_HEIGHT, data, layers))


def _column_trend(
    draw: Draw, title: str, figure: str, closes: Sequence[Row], stacks: Sequence[Stack]
) -> Chart:
    """A column for each close, made of its counts by kind, with their sum above."""
    highest = max(1, *(sum(count for _, count in stack) for stack in stacks))
    data: list[dict[str, Any]] = []
    for number, (close, stack) in enumerate(zip(closes, stacks, strict=True)):
        end = 0.0
        for kind, count in stack:
            if count:
                begin, end = end, end + max(count / highest, _VISIBLE)
                data.append({"x": number + 0.2, "x2": number + 0.8, "kind": kind})
                data[-1] |= {"y": begin, "y2": end}
        data.append(
            {
                "label": str(sum(count for _, count in stack)),
                "figure": f"trend|{close['close_date']}|{figure}",
                "x": number + 0.5,
                "y": end,
            }
        )
    x, y, width = _trend_axes(len(closes))
    place = {"x": {**x, "field": "x"}, "y": {**y, "field": "y"}}
    layers: list[Spec] = [
        {
            "transform": [{"filter": "isValid(datum.kind)"}],
            "mark": {"type": "bar"},
            "encoding": {
                **place,
                "x2": {"field": "x2"},
                "y2": {"field": "y2"},
                "color": {"field": "kind", "type": "nominal", "scale": None},
            },
        },
        _trend_label(place, -8),
        *_trend_frame(x, closes),
    ]
    kinds = [kind for kind, _ in reversed(stacks[0])]
    return Chart(title, _drawing(draw, title, "", width, _PANEL_HEIGHT, data, layers), kinds)


def _trend_axes(closes: int) -> tuple[Spec, Spec, float]:
    """Both axes and the width: as wide as a panel, and wider where the closes would not fit."""
    pitch = min(118.0, max(37.0, _PANEL_WIDTH / closes))
    width = pitch * closes
    return _axis(closes, 0, width), _axis(1, _PANEL_HEIGHT - 20, 18), width


def _trend_label(place: Spec, dy: Spec | int) -> Spec:
    return {
        "transform": [{"filter": "isValid(datum.label)"}],
        "mark": {"type": "text", "dy": dy, "fontSize": 10.5, "fontWeight": 600, "color": "ink"},
        "encoding": {**place, "text": {"field": "label"}, "description": {"field": "figure"}},
    }


def _trend_frame(x: Spec, closes: Sequence[Row]) -> list[Spec]:
    """The ground line, and below it the day of each close."""
    days = [
        {"x": number + 0.5, "day": close["close_date"][5:], "name": f"day|{close['close_date']}"}
        for number, close in enumerate(closes)
    ]
    ground = {"value": _PANEL_HEIGHT - 20}
    return [
        {
            "data": {"values": [{"x": 0, "x2": len(closes)}]},
            "mark": {"type": "rule", "color": "joint", "strokeWidth": 1},
            "encoding": {"x": {**x, "field": "x"}, "x2": {"field": "x2"}, "y": ground},
        },
        {
            "data": {"values": days},
            "mark": {"type": "text", "dy": 12, "fontSize": 10.5, "color": "soft"},
            "encoding": {
                "x": {**x, "field": "x"},
                "y": ground,
                "text": {"field": "day"},
                "description": {"field": "name"},
            },
        },
    ]


def _windows(
    draw: Draw,
    data: Sequence[Row],
    rows: int,
    width: float,
    height: float,
    name: str,
    more: str = "",
) -> list[Markup]:
    """Draw one chart of bars and cut it into its rows, each a drawing of its own."""
    if not rows:
        return []
    x, y = _axis(1, 0, width), _axis(rows, 0, height * rows)
    layer = {
        "mark": {"type": "bar"},
        "encoding": {
            "x": {**x, "field": "x"},
            "x2": {"field": "x2"},
            "y": {**y, "field": "y"},
            "y2": {"field": "y2"},
            "color": {"field": "kind", "type": "nominal", "scale": None},
        },
    }
    of_row: list[list[Markup]] = [[] for _ in range(rows)]
    if data:
        marks = _marks(draw(_spec(width, height * rows, data, [layer])))
        for datum, mark in zip(data, marks, strict=True):
            of_row[datum["row"]].append(mark)
    attributes = Markup(f" {more}" if more else "")
    return [
        Markup('<svg class="{}" viewBox="0 {} {} {}"{} aria-hidden="true">{}</svg>').format(
            name, *map(_short, (row * height, width, height)), attributes, Markup("").join(marks)
        )
        for row, marks in enumerate(of_row)
    ]


def _axis(whole: float, begin: float, end: float) -> Spec:
    """An axis that is not drawn: from 0 to `whole`, which lie at `begin` and `end`."""
    scale = {"domain": [0, whole], "range": [begin, end], "nice": False}
    return {"type": "quantitative", "axis": None, "scale": scale}


def _drawing(
    draw: Draw,
    title: str,
    told: str,
    width: float,
    height: float,
    data: Sequence[Row],
    layers: Sequence[Spec],
) -> Markup:
    marks = Markup("").join(_marks(draw(_spec(width, height, data, layers))))
    size = Markup('width="{0}" height="{1}" viewBox="0 0 {0} {1}"').format(
        _short(width), _short(height)
    )
    described = Markup("<desc>{}</desc>").format(told) if told else ""
    return Markup('<svg class="drawing" {} role="img"><title>{}</title>{}{}</svg>').format(
        size, title, described, marks
    )


def _spec(width: float, height: float, data: Sequence[Row], layers: Sequence[Spec]) -> Spec:
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "width": width,
        "height": height,
        "padding": 0,
        "autosize": {"type": "none"},
        "background": None,
        "data": {"values": list(data)},
        "layer": list(layers),
        "config": {"view": {"stroke": None}},
    }


def _marks(svg: str) -> list[Markup]:
    """The marks of a drawing, one by one in their order, without what the page does not need."""
    root = ElementTree.fromstring(svg)
    groups = (g for g in root.iter(f"{_SVG}g") if "role-mark" in g.get("class", "").split())
    return [_mark(element) for group in groups for element in group]


def _mark(element: ElementTree.Element) -> Markup:
    tag = element.tag.removeprefix(_SVG)
    fill, stroke = element.get("fill", "none"), element.get("stroke", "none")
    kind = f"f-{fill}" if fill != "none" else f"s-{stroke}"
    kept = {"class": kind}
    for name in ("d", "transform", "x2", "y2"):
        value = element.get(name)
        if value not in (None, "0", "translate(0,0)"):
            kept[name] = _NUMBER.sub(lambda match: _short(float(match[0])), str(value))
    for name in ("text-anchor", "font-size", "font-weight"):
        if element.get(name):
            kept[name] = str(element.get(name)).removesuffix("px")
    attributes = Markup("").join(Markup(' {}="{}"').format(*item) for item in kept.items())
    content = _text(element) if tag == "text" else Markup("")
    return Markup("<{0}{1}>{2}</{0}>").format(Markup(tag), attributes, content)


def _text(element: ElementTree.Element) -> Markup:
    """A text with its figure named, and the thousands of it set apart by space."""
    text, name = element.text or "", element.get("aria-label")
    match = _FIGURE.fullmatch(text)
    if name is None or (match is None and not name.startswith("day|")):
        return escape(text)
    kind, _, key = name.partition("|")
    if kind == "day" or match is None:
        return Markup('<tspan data-day="{}">{}</tspan>').format(key, text)
    whole, point, rest = match["figure"].partition(".")
    head = len(whole) % 3 or 3
    groups = [whole[at : at + 3] for at in range(head, len(whole), 3)]
    spaced = Markup("").join(
        [escape(whole[:head]), *(Markup('<tspan dx="2">{}</tspan>').format(g) for g in groups)]
    )
    named = ("data-trend", key) if kind == "trend" else ("data-figure", name)
    return Markup('{}<tspan {}="{}">{}{}</tspan>{}').format(
        match["before"], Markup(named[0]), named[1], spaced, point + rest, match["after"]
    )


def _short(length: float) -> str:
    """A length with two decimals at most."""
    # Adding zero takes the sign of a zero away.
    return f"{round(length, 2) + 0.0:.2f}".rstrip("0").rstrip(".")
