"""Renders the close report: one HTML file that needs no network, no script and no clock."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from pool_recon import __version__
from pool_recon.report import charts
from pool_recon.report.figures import (
    BALANCE_STEPS,
    STANDINGS,
    TREND_COLUMNS,
    Figures,
    Row,
    share,
)

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

PAGE_NAME = "report.html"

_TEMPLATE = "report.html.j2"
_FOLDER = Path(__file__).parent
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_NUMBER = re.compile(r"([+-]?)([0-9]+)(?:\.([0-9]+))?")

# The ids that a finding may name, in the order in which they are shown: column and label.
_IDS = (
    ("partner_order_id", "order"),
    ("quote_id", "quote"),
    ("transact_id", "trade"),
    ("event_id", "event"),
    ("ledger_entry_id", "entry"),
    ("request_id", "request"),
    ("pool_id", "pool"),
)


def write_report(figures: Figures, folder: Path) -> Path:
    """Write report.html into `folder` and return its path.

    The same figures give the same bytes. Raises OSError.
    """
    page = folder / PAGE_NAME
    page.write_text(render(figures), encoding="utf-8", newline="\n")
    return page


def render(figures: Figures) -> str:
    """The page as text. Every value is escaped; a carriage return keeps its own form."""
    template = _environment().get_template(_TEMPLATE)
    text = template.render(
        f=figures,
        version=__version__,
        ids=_IDS,
        standings=STANDINGS,
        trend_columns=TREND_COLUMNS,
        waterfalls=charts.waterfalls(figures),
        trends=charts.trends(figures.trend) if figures.previous else [],
        bars=_bars(figures),
        roll_forwards=charts.roll_forwards(figures.balances),
        balance_steps=BALANCE_STEPS,
        listed={row["exception_id"] for group in figures.groups for row in group.rows},
    )
    return text.replace("\r", "&#13;")


def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    environment.filters.update(number=_number, words=_words, long_date=_long_date, share=share)
    environment.globals.update(agreement=_agreement, is_zero=_is_zero)
    return environment


def _bars(figures: Figures) -> dict[tuple[str, str], Markup]:
    """The bars that stand in tables: of movements by state, and of findings by their standing."""
    stacks: dict[tuple[str, str], tuple[charts.Stack, int]] = {
        ("movements", "state"): (figures.states, max(figures.movements, 1))
    }
    for name, tallies in (
        ("age", figures.ages),
        ("owner", figures.owners),
        ("code", figures.codes),
    ):
        longest = max((tally.total for tally in tallies), default=1) or 1
        for tally in tallies:
            stacks[name, tally.key] = (list(tally.counts.items()), longest)
    return dict(zip(stacks, charts.bars(list(stacks.values())), strict=True))


def _number(value: object) -> object:
    """A number as it is written, with its thousands set apart by space that is no character."""
    from markupsafe import Markup

    text = "" if value is None else str(value)
    match = _NUMBER.fullmatch(text)
    if match is None:
        return text
    sign, whole, decimals = match.groups()
    head = len(whole) % 3 or 3
    groups = [whole[:head], *(whole[at : at + 3] for at in range(head, len(whole), 3))]
    marked = groups[0] + "".join(f"<i>{group}</i>" for group in groups[1:])
    if decimals is not None:
        kept = decimals.rstrip("0")
        kept = decimals[: max(len(kept), min(2, len(decimals)))]
        rest = decimals[len(kept) :]
        marked += f".{kept}" + (f"<small>{rest}</small>" if rest else "")
    # Only digits, a sign and a point have passed the pattern.
    return Markup(sign + marked)


def _words(name: str) -> str:
    """A name of the warehouse as words."""
    return name.replace("_", " ").capitalize()


def _long_date(text: str) -> str:
    day = date.fromisoformat(text)
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def _agreement(row: Row) -> str:
    """Whether the balance that was reported is the closing one, as numbers."""
    reported = row["reported_balance"]
    if reported is None or reported == "":
        return "none"
    return "agrees" if Decimal(reported) == Decimal(row["closing"]) else "differs"


def _is_zero(amount: str) -> bool:
    return Decimal(amount) == 0
