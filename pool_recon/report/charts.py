"""The geometry of the charts: where each bar lies. A float is a length, never a figure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from pool_recon.report.figures import BALANCE_STEPS, SET_ASIDE, Figures, Row, Tally

# The least width at which a bar that stands for something can be seen, in per cent.
_VISIBLE = 0.6


@dataclass(frozen=True)
class Bar:
    """A rectangle; `kind` chooses its colour, lengths are in units of the drawing."""

    kind: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Step:
    """A line of the waterfall: a count, where its bar begins and ends, and which total it is of."""

    figure: str
    label: str
    count: int
    total: int
    bar: Bar
    is_total: bool


@dataclass(frozen=True)
class Column:
    """A close in the trend: its row, its bars, and whether there is room for its labels."""

    row: Row
    centre: float
    bars: Sequence[Bar]
    is_labelled: bool


@dataclass(frozen=True)
class TrendChart:
    """The trend over the closes, newest to the right."""

    width: float
    height: float
    base: float
    columns: Sequence[Column]


def stack(parts: Sequence[tuple[str, int]], whole: int, height: float = 10) -> list[Bar]:
    """Bars side by side, of which `whole` would be 100 wide; none for a count of zero."""
    bars: list[Bar] = []
    x = 0.0
    for kind, count in parts:
        if count:
            width = max(_VISIBLE, 100 * count / whole)
            bars.append(Bar(kind, x, 0, width, height))
            x += width
    if x > 100:
        bars = [Bar(b.kind, b.x * 100 / x, b.y, b.width * 100 / x, b.height) for b in bars]
    return bars


def tally_bars(tally: Tally, tallies: Sequence[Tally]) -> list[Bar]:
    """The findings of one tally by standing, drawn to the scale of the largest."""
    return stack(list(tally.counts.items()), max(other.total for other in tallies))


def waterfall(figures: Figures) -> list[Step]:
    """From landed rows to staged ones, and from the movements in them to the matched ones."""
    landed = figures.landed("landed")
    steps = [_step("landed", "Rows landed", landed, 0, landed, "total", is_total=True)]
    end = landed
    for column in SET_ASIDE:
        count = figures.landed(column)
        end -= count
        kind = "bad" if column == "quarantined" else "aside"
        steps.append(_step(column, column.capitalize(), count, end, landed, kind))
    staged = figures.landed("staged")
    steps.append(_step("staged", "Rows staged", staged, 0, landed, "total", is_total=True))
    movements = figures.movements
    steps.append(
        _step("movements", "Movements in them", movements, 0, movements, "total", is_total=True)
    )
    end = movements
    for state, count in reversed(figures.states):
        if state != "matched":
            end -= count
            steps.append(
                _step(f"state.{state}", state.capitalize(), count, end, movements, f"state-{state}")
            )
    matched = dict(figures.states)["matched"]
    last = _step("matched", "Matched", matched, 0, movements, "state-matched", is_total=True)
    return [*steps, last]


def _step(
    figure: str, label: str, count: int, begin: int, total: int, kind: str, is_total: bool = False
) -> Step:
    x, width = (100 * begin / total, 100 * count / total) if total else (0.0, 0.0)
    if count:
        width = max(width, _VISIBLE)
        x = min(max(x, 0), 100 - width)
    return Step(figure, label, count, total, Bar(kind, x, 0, width, 10), is_total)


def trend(rows: Sequence[Row], states: Sequence[str]) -> TrendChart:
    """A stacked column for each close: the share of its movements in each state."""
    pitch = min(96.0, max(36.0, 1120.0 / max(1, len(rows))))
    top, tall, wide = 26.0, 150.0, pitch * 0.62
    every = 1 if pitch >= 48 else 2
    columns = []
    for number, row in enumerate(rows):
        centre = pitch * (number + 0.5)
        total = int(row["movement_count"])
        bars, base = [], top + tall
        for state in states:
            count = int(row.get(f"{state}_count") or 0)
            if count and total:
                height = tall * count / total
                base -= height
                bars.append(Bar(f"state-{state}", centre - wide / 2, base, wide, height))
        is_labelled = (len(rows) - 1 - number) % every == 0
        columns.append(Column(row, centre, bars, is_labelled))
    return TrendChart(pitch * len(rows), top + tall + 24, top + tall, columns)


def roll_forward(row: Row) -> list[Bar]:
    """A small waterfall of a balance: opening, what moved it, closing."""
    opening, closing = Decimal(row["opening"]), Decimal(row["closing"])
    steps: list[tuple[str, Decimal, Decimal]] = [("total", Decimal(0), opening)]
    carried = opening
    for name in BALANCE_STEPS:
        change = Decimal(row[name])
        kind = "rise" if change >= 0 else "fall"
        steps.append((kind, carried, carried + change))
        carried += change
    steps.append(("total", Decimal(0), closing))
    edges = [edge for _, begin, end in steps for edge in (begin, end)]
    low, high = min(edges), max(edges)
    if high == low:
        high += 1
    span = float(high - low)
    bars = []
    for number, (kind, begin, end) in enumerate(steps):
        top, bottom = max(begin, end), min(begin, end)
        height = 30 * float(top - bottom) / span
        y = 1 + 30 * float(high - top) / span
        if kind == "total" or begin != end:
            bars.append(Bar(kind, number * 12.0, y, 10, max(height, 1.2)))
        else:
            bars.append(Bar("none", number * 12.0, y, 10, 0.6))
    return bars
