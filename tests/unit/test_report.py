"""What the report page makes of its figures: escaped, grouped, cut with a note, the same bytes."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

import pytest

from pool_recon.package import Verdict
from pool_recon.report import charts
from pool_recon.report.figures import (
    BALANCE_STEPS,
    Change,
    Figures,
    Group,
    Rule,
    Tally,
    share,
)
from pool_recon.report.page import render

HOSTILE = "<script>alert(1)</script>\"'&amp;\r\n\u202eok"

NOTHING = Tally("all", {"blocking": 0, "warning": 0, "approved": 0}, 0, 0, {})


class Texts(HTMLParser):
    """The tags of a page and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data


def read(page: str) -> Texts:
    texts = Texts()
    texts.feed(page)
    texts.close()
    return texts


def rule(name: str, state: str = "holds", **more: Any) -> Rule:
    row = {
        "row_number": 1,
        "rule": name,
        "holds": "true" if state == "holds" else "false",
        "findings": "0",
        "approved": "0",
        "description": "Says what holds.",
    }
    values: dict[str, Any] = {"codes": [], "violations": [], "violation_count": 0, **more}
    return Rule(row=row, state=state, **values)


def balance(**amounts: str) -> dict[str, Any]:
    row: dict[str, Any] = {"row_number": 1, "environment": "live", "partner_id": "p", "asset": "X"}
    row |= dict.fromkeys(("opening", *BALANCE_STEPS, "closing"), "0")
    return row | {"reported_balance": None} | amounts


def finding(**values: Any) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(
        (
            *("partner_order_id", "pool_id", "quote_id", "transact_id", "event_id"),
            *("ledger_entry_id", "request_id", "asset", "amount_at_risk", "approved_by"),
        )
    )
    row |= {
        "exception_id": "e1",
        "subject_type": "trade",
        "subject_id": "t1",
        "expected": "1",
        "actual": "2",
        "owner": "finance",
        "opened_on": "2026-06-30",
        "age_days": "0",
        "next_review_date": "2026-07-01",
        "approval": "none",
    }
    return row | values


def group(rows: list[dict[str, Any]], total: int) -> Group:
    return Group("some_code", "blocking", "It is wrong.", "Mend it.", rows, total, total)


@pytest.fixture
def figures() -> Figures:
    """A close in which nothing happened."""
    return Figures(
        close={
            "close_date": "2026-06-30",
            "time_zone": "UTC",
            "cut_off_at": "2026-07-01T00:00:00Z",
        },
        verdict=Verdict({"no_secrets": "holds"}),
        rules=[rule("no_secrets")],
        states=[("matched", 0), ("approved", 0), ("open", 0), ("lapsed", 0), ("exception", 0)],
        match_rate=None,
        findings=NOTHING,
        blocking=NOTHING,
        codes=[],
        owners=[],
        ages=[],
        assets=[],
        groups=[],
        balances=[],
        balance_count=0,
        conservation=[],
        trend=[],
        close_count=0,
        changes=[],
        register=[],
        register_count=0,
        unmatched_count=0,
        files=[],
        input_count=0,
    )


def blocked(figures: Figures, rows: list[dict[str, Any]], total: int) -> Figures:
    tally = Tally("all", {"blocking": total, "warning": 0, "approved": 0}, 0, 0, {})
    return replace(
        figures,
        verdict=Verdict({"no_secrets": "fails"}),
        rules=[rule("no_secrets", "fails", codes=[("some_code", total)])],
        findings=tally,
        blocking=tally,
        groups=[group(rows, total)],
    )


def test_a_close_without_anything_has_a_page(figures: Figures) -> None:
    text = read(render(figures)).text
    assert "Ready to sign off" in text
    assert "There is no earlier close to compare with." in text
    assert "Nothing was found" in text


def test_the_page_needs_nothing_but_itself(figures: Figures) -> None:
    page = render(figures)
    tags = read(page).tags
    assert not {"script", "link", "img", "iframe", "object", "base"} & set(tags)
    assert not re.search(r"https?:|@import|url\(|src=|\son\w+=", page)


HOSTILE_PLACES: list[Callable[[Figures], Figures]] = [
    lambda f: blocked(f, [finding(subject_id=HOSTILE, quote_id=HOSTILE, exception_id=HOSTILE)], 1),
    lambda f: blocked(f, [finding(expected=HOSTILE, actual=HOSTILE, owner=HOSTILE)], 1),
    lambda f: blocked(f, [finding(amount_at_risk=HOSTILE, asset=HOSTILE)], 1),
    lambda f: replace(f, balances=[balance(asset=HOSTILE, partner_id=HOSTILE)]),
    lambda f: replace(f, verdict=Verdict({"no_secrets": "holds"}, failed_checks=(HOSTILE,))),
    lambda f: replace(
        f,
        rules=[
            rule(
                "no_secrets",
                "fails",
                violations=[{"subject_type": "row", "subject_id": HOSTILE, "violation": HOSTILE}],
                violation_count=1,
            )
        ],
    ),
    lambda f: replace(f, files=[{"file": HOSTILE, "rows": 1}]),
]


@pytest.mark.parametrize("place", HOSTILE_PLACES)
def test_whatever_an_id_holds_is_text(
    place: Callable[[Figures], Figures], figures: Figures
) -> None:
    page = render(place(figures))
    texts = read(page)
    assert "script" not in texts.tags
    assert HOSTILE in texts.text
    assert not [name for name in texts.attributes if name.startswith("on")]
    assert "\r" not in page


def test_what_is_not_listed_is_said(figures: Figures) -> None:
    text = read(render(blocked(figures, [finding()], 3))).text
    assert "This page lists 1 of 3 findings" in text
    assert "2 more of this type stand in exceptions.csv." in text
    assert "exceptions.csv" in read(render(blocked(figures, [finding()], 1))).text
    changes = [
        Change(
            "resolved",
            [
                finding(code="some_code", severity="blocking", last_seen_on="2026-06-29"),
            ],
            9,
        )
    ]
    trend = [
        {"close_date": day, "movement_count": 0, "match_rate_percent": None}
        | {f"{state}_count": 0 for state, _ in figures.states}
        | {"blocking_finding_count": 0, "warning_finding_count": 0}
        | {"rule_count": 11, "holding_rule_count": 11}
        for day in ("2026-06-29", "2026-06-30")
    ]
    page = render(replace(figures, changes=changes, trend=trend, close_count=40))
    assert "8 more; the warehouse keeps them all" in read(page).text
    assert "The last 2 of 40 closes" in read(page).text


@pytest.mark.parametrize("outcome", ["failed_checks", "disagreements", "differing_readings"])
def test_a_close_blocked_by_no_rule_says_by_what(outcome: str, figures: Figures) -> None:
    verdict = replace(figures.verdict, **{outcome: ("some_check",)})
    text = read(render(replace(figures, verdict=verdict))).text
    assert "Blocked" in text
    assert "some_check" in text


def test_expectations_of_rules_that_fail_anyway_are_not_said_twice(figures: Figures) -> None:
    verdict = Verdict({"no_secrets": "fails"}, failed_expectations=("no_secrets", "another"))
    told = replace(figures, verdict=verdict, rules=[rule("no_secrets", "fails")])
    assert told.failed_expectations == ["another"]


@pytest.mark.parametrize(
    "amount", ["0", "-1", "12", "1234567.10", "-0.000001", "100.000000000000000000", "9" * 39]
)
def test_a_figure_keeps_every_digit_in_its_order(amount: str, figures: Figures) -> None:
    page = render(replace(figures, balances=[balance(opening=amount, closing=amount)]))
    assert amount in read(page).text


@pytest.mark.parametrize(
    ("count", "total", "expected"),
    [(0, 0, ""), (0, 7, "0.00"), (7, 7, "100.00"), (2, 3, "66.66"), (999_999, 1_000_000, "99.99")],
)
def test_a_share_is_cut_and_not_rounded(count: int, total: int, expected: str) -> None:
    assert share(count, total) == expected


@pytest.mark.parametrize(
    "amounts",
    [
        {},
        {"opening": "5", "closing": "5"},
        {"opening": "-5", "funding": "3", "debits": "-9.5", "closing": "-11.5"},
        {"opening": "1" + "0" * 38, "debits": "-1", "closing": "9" * 38},
    ],
)
def test_a_roll_forward_stays_in_its_drawing(amounts: dict[str, str]) -> None:
    row = balance(**amounts)
    bars = charts.roll_forward(row)
    assert len(bars) == len(BALANCE_STEPS) + 2
    assert all(0 <= bar.y <= 32 and bar.y + bar.height <= 33 for bar in bars)
    assert Decimal(row["closing"]) == Decimal(amounts.get("closing", "0"))


def test_bars_fill_their_line_and_no_more() -> None:
    bars = charts.stack([("a", 1), ("b", 0), ("c", 10**9)], 10**9 + 1)
    assert [bar.kind for bar in bars] == ["a", "c"]
    assert bars[0].width > 0.5
    assert bars[-1].x + bars[-1].width == pytest.approx(100)


@pytest.mark.parametrize("closes", [1, 2, 6, 30])
def test_the_trend_has_a_column_for_each_close(closes: int) -> None:
    rows = [
        {
            "close_date": f"2026-06-{day:02d}",
            "movement_count": 4,
            "matched_count": 3,
            "open_count": 1,
        }
        for day in range(1, closes + 1)
    ]
    chart = charts.trend(rows, ["matched", "open"])
    assert len(chart.columns) == closes
    assert chart.columns[-1].is_labelled
    for column in chart.columns:
        assert sum(bar.height for bar in column.bars) == pytest.approx(150)


def test_the_same_figures_give_the_same_page(figures: Figures) -> None:
    assert render(figures) == render(figures)
