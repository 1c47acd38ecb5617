"""The pages of the dashboard. Each is made on the server and needs no script."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import duckdb
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from pool_recon.blanks import BLANK
from pool_recon.dashboard.data import (
    ENTRY_ROWS,
    PAGE_ROWS,
    Choice,
    Snapshot,
    Source,
    balance_entries,
    exceptions,
)
from pool_recon.errors import CloseError
from pool_recon.masking import mask
from pool_recon.report import page as report
from pool_recon.report.figures import BALANCE_STEPS, STANDINGS, share
from pool_recon.report.wording import agreement, is_zero, long_date, number, sentence, words
from pool_recon.restated import headline, why
from pool_recon.summary import REVIEW_RULE
from pool_recon.trace import Missing
from pool_recon.trace.reader import moment_text
from pool_recon.trace.streams import STREAMS
from pool_recon.trace.text import approval_text

if TYPE_CHECKING:
    from jinja2 import Environment

_FOLDER = Path(__file__).parent
_HEADERS = {
    # Nothing from elsewhere, nothing that runs, and nothing kept.
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none';"
        " frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_TABS = (
    ("/", "Verdict"),
    ("/exceptions", "Exceptions"),
    ("/movements", "Match rate"),
    ("/balances", "Balances"),
    ("/search", "Search"),
)
_AGES = ((0, "any age"), (1, "1 day or more"), (3, "3 days or more"), (8, "8 days or more"))
_SORTS = (
    ("first", "what blocks first"),
    ("oldest", "oldest first"),
    ("largest", "largest by asset"),
    ("review", "next review first"),
)
# The ids of an exception, in the order in which they are shown: column and label.
_IDS = (
    ("partner_order_id", "order"),
    ("quote_id", "quote"),
    ("transact_id", "trade"),
    ("event_id", "event"),
    ("ledger_entry_id", "entry"),
    ("request_id", "request"),
)

# The subjects of exceptions whose ids the search knows.
_SEARCHED = tuple(stream.record_type for stream in STREAMS.values())

Answer = Callable[[Request], str]


def application(source: Source) -> Starlette:
    """The dashboard of a warehouse as an ASGI application that answers to this machine's names."""
    pages = _Pages(source)
    return Starlette(
        routes=[
            Route("/", pages.answer(pages.verdict)),
            Route("/exceptions", pages.answer(pages.exceptions)),
            Route("/movements", pages.answer(pages.movements)),
            Route("/balances", pages.answer(pages.balances)),
            Route("/search", pages.answer(pages.search)),
            Route("/style.css", pages.style),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])],
    )


class _Pages:
    def __init__(self, source: Source) -> None:
        self.source = source
        self.templates = _templates()
        self.sheet = "".join(
            file.read_text(encoding="utf-8")
            for file in (Path(report.__file__).parent / "report.css", _FOLDER / "dashboard.css")
        )

    def answer(self, page: Answer) -> Callable[[Request], Any]:
        """A page as a handler; what keeps it from being read becomes a page that says so."""

        async def respond(request: Request) -> Response:
            try:
                html = await run_in_threadpool(page, request)
            except (CloseError, duckdb.Error) as error:
                html = self.templates.get_template("error.html.j2").render(
                    message=mask(str(error).splitlines()[0])
                )
                # The file is written in moments; the page asks again by itself.
                return HTMLResponse(html, 503, {**_HEADERS, "Refresh": "5"})
            return HTMLResponse(html, headers=_HEADERS)

        return respond

    async def style(self, _request: Request) -> Response:
        return Response(self.sheet, media_type="text/css", headers=_HEADERS)

    def verdict(self, request: Request) -> str:
        with self.source.opened() as (_, snapshot):
            return self._render("verdict.html.j2", request, snapshot)

    def movements(self, request: Request) -> str:
        with self.source.opened() as (_, snapshot):
            return self._render("movements.html.j2", request, snapshot)

    def balances(self, request: Request) -> str:
        query = request.query_params
        with self.source.opened() as (reader, snapshot):
            chosen = next(
                (
                    row
                    for row in snapshot.figures.balances
                    if all(row[name] == query.get(name) for name in ("partner_id", "asset"))
                    and row["environment"] == query.get("environment")
                ),
                None,
            )
            entries = (
                balance_entries(
                    reader, chosen["environment"], chosen["partner_id"], chosen["asset"]
                )
                if chosen
                else []
            )
            return self._render(
                "balances.html.j2",
                request,
                snapshot,
                chosen=chosen,
                entries=entries,
                entry_rows=ENTRY_ROWS,
                steps=BALANCE_STEPS,
            )

    def exceptions(self, request: Request) -> str:
        choice = _choice(request.query_params)
        with self.source.opened() as (reader, snapshot):
            return self._render(
                "exceptions.html.j2",
                request,
                snapshot,
                choice=choice,
                found=exceptions(reader, choice),
                ages=_AGES,
                sorts=_SORTS,
                ids=_IDS,
                searched=_SEARCHED,
                page_rows=PAGE_ROWS,
                link=lambda **changes: _link(choice, changes),
            )

    def search(self, request: Request) -> str:
        wanted = mask(request.query_params.get("id", "").strip(BLANK))
        found = self.source.trace(wanted) if wanted else None
        with self.source.opened() as (_, snapshot):
            return self._render(
                "search.html.j2",
                request,
                snapshot,
                found=None if isinstance(found, Missing) else found,
                missing=found if isinstance(found, Missing) else None,
                wanted=wanted,
            )

    def _render(self, name: str, request: Request, snapshot: Snapshot, **more: Any) -> str:
        values = {
            "f": snapshot.figures,
            "s": snapshot,
            "tabs": _TABS,
            "here": request.url.path,
            "standings": STANDINGS,
            "review_rule": REVIEW_RULE,
            "wanted": "",
        }
        return self.templates.get_template(name).render(values | more)


def _templates() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_FOLDER / "pages"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters.update(
        number=number,
        words=words,
        sentence=sentence,
        approval=approval_text,
        long_date=long_date,
        share=share,
        moment=moment_text,
        query=lambda values: urlencode({name: value or "" for name, value in values.items()}),
    )
    environment.globals.update(
        agreement=agreement, headline=headline, is_zero=is_zero, percent=_percent, why=why
    )
    return environment


def _percent(count: int, total: int) -> str:
    """The length of a bar: at least one that can be seen, for a count above zero."""
    return f"{max(0.6, 100 * count / total) if count and total else 0:.2f}"


def _choice(query: Mapping[str, str]) -> Choice:
    """What a query string asks for; what it cannot mean counts as not asked."""
    values = {
        name: query[name]
        for name in ("standing", "code", "owner", "asset", "partner")
        if query.get(name)
    }
    order = query.get("sort", "")
    return Choice(
        values=values,
        least_days=_whole(query.get("age", ""), 0),
        wanted=mask(query.get("q", "").strip(BLANK)),
        order=order if order in dict(_SORTS) else _SORTS[0][0],
        page=_whole(query.get("page", ""), 1),
    )


def _whole(text: str, otherwise: int) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 7 else otherwise


def _link(choice: Choice, changes: Mapping[str, object]) -> str:
    """The address of the page of exceptions with another choice; an empty value drops one."""
    asked: dict[str, object] = {
        **choice.values,
        "age": choice.least_days or "",
        "q": choice.wanted,
        "sort": "" if choice.order == _SORTS[0][0] else choice.order,
        **changes,
    }
    kept = {name: value for name, value in asked.items() if value not in ("", None)}
    return "/exceptions" + (f"?{urlencode(kept)}" if kept else "")
