"""Renders the close report: one HTML file that needs no network, no script and no clock."""

from __future__ import annotations

import contextlib
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from pool_recon import __version__
from pool_recon.cache import cache_folder, read_own, write_own
from pool_recon.drawing import Draw, draw
from pool_recon.report import charts
from pool_recon.report.figures import (
    BALANCE_STEPS,
    STANDINGS,
    TREND_COLUMNS,
    Figures,
    share,
)
from pool_recon.report.wording import agreement, is_zero, long_date, number, words
from pool_recon.restated import headline, why
from pool_recon.summary import REVIEW_RULE
from pool_recon.trace.reader import moment_text

if TYPE_CHECKING:
    from jinja2 import Environment
    from jinja2.bccache import Bucket
    from markupsafe import Markup

PAGE_NAME = "report.html"

_TEMPLATE = "report.html.j2"
_FOLDER = Path(__file__).parent
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


def write_report(figures: Figures, folder: Path, draw: Draw = draw) -> Path:
    """Write report.html into `folder` and return its path; `draw` draws its charts.

    The same figures give the same bytes. Raises OSError.
    """
    page = folder / PAGE_NAME
    page.write_text(render(figures, draw), encoding="utf-8", newline="\n")
    return page


def render(figures: Figures, draw: Draw = draw) -> str:
    """The page as text. Every value is escaped; a carriage return keeps its own form."""
    template = _environment().get_template(_TEMPLATE)
    text = template.render(
        f=figures,
        version=__version__,
        ids=_IDS,
        standings=STANDINGS,
        trend_columns=TREND_COLUMNS,
        review_rule=REVIEW_RULE,
        waterfalls=charts.waterfalls(figures, draw),
        trends=charts.trends(figures.trend, draw) if figures.previous else [],
        bars=_bars(figures, draw),
        roll_forwards=charts.roll_forwards(figures.balances, draw),
        balance_steps=BALANCE_STEPS,
        listed={row["exception_id"] for group in figures.groups for row in group.rows},
    )
    return text.replace("\r", "&#13;")


def _environment() -> Environment:
    from jinja2 import BytecodeCache, Environment, FileSystemLoader, StrictUndefined

    class Compiled(BytecodeCache):
        """The templates as Jinja compiled them before, in the cache of the user."""

        folder = cache_folder(_FOLDER, f"jinja2 {version('jinja2')}")

        def load_bytecode(self, bucket: Bucket) -> None:
            content = read_own(self.folder / bucket.key)
            if content:
                with contextlib.suppress(Exception):
                    bucket.bytecode_from_string(content)

        def dump_bytecode(self, bucket: Bucket) -> None:
            with contextlib.suppress(OSError):
                write_own(self.folder / bucket.key, bucket.bytecode_to_string())

    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        bytecode_cache=Compiled(),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    environment.filters.update(
        number=number, words=words, long_date=long_date, moment=moment_text, share=share
    )
    environment.globals.update(agreement=agreement, headline=headline, is_zero=is_zero, why=why)
    return environment


def _bars(figures: Figures, draw: Draw) -> dict[tuple[str, str], Markup]:
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
    return dict(zip(stacks, charts.bars(list(stacks.values()), draw), strict=True))
