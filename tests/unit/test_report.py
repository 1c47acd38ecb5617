"""What the report page makes of its figures: escaped, grouped, cut with a note, the same bytes."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal, localcontext
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import duckdb
import jinja2
import pytest
import vl_convert

from pool_recon.package import Verdict
from pool_recon.report import charts
from pool_recon.report import figures as figures_module
from pool_recon.report.figures import (
    BALANCE_STEPS,
    TREND_COLUMNS,
    Change,
    Figures,
    Group,
    Rule,
    Tally,
    share,
)
from pool_recon.report.page import render
from pool_recon.report.wording import sentence
from pool_recon.summary import REVIEW_RULE

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
    reported = ("reported_balance", "_reported_as_of", "_has_balance_mismatch")
    return row | dict.fromkeys(reported) | amounts


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
        asset_count=0,
        largest={},
        groups=[],
        first=[],
        quiet_date=None,
        balances=[],
        balance_count=0,
        mismatches=frozenset(),
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
        | {"approved_finding_count": 0, "rule_count": 11, "holding_rule_count": 11}
        for day in ("2026-06-29", "2026-06-30")
    ]
    page = render(replace(figures, changes=changes, trend=trend, close_count=40))
    assert "8 more; the warehouse keeps them all" in read(page).text
    assert "The last 2 of 40 closes" in read(page).text


def test_a_close_that_overdue_reviews_block_says_what_to_do(figures: Figures) -> None:
    def told(name: str, state: str, count: int) -> str:
        failing = replace(
            figures,
            verdict=Verdict({name: state}),
            rules=[rule(name, state, violation_count=count)],
        )
        return " ".join(read(render(failing)).text.split())

    text = told(REVIEW_RULE, "fails", 2)
    assert (
        "Exceptions owned and reviewed 2 findings: decide, or set a new date with a reason in the "
        "register." in text
    )
    assert "block while a review is overdue" in text
    assert "1 finding: decide" in told(REVIEW_RULE, "fails", 1)
    assert "No finding blocks" not in text
    for name, state in ((REVIEW_RULE, "holds"), ("no_secrets", "fails")):
        text = told(name, state, 0)
        assert "decide, or set" not in text
        assert "listed, they do not block" in text
        assert ("No finding blocks; see the checklist." in text) == (state == "fails")


def test_figures_with_approved_findings_in_them_say_so(figures: Figures) -> None:
    page = render(replace(figures, trend=closes_of(1, 2), close_count=2))
    for severity in ("Blocking", "Warnings"):
        # in the trend and beside the last close
        assert page.count(f">{severity}, approved ones too<") == 2


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


def test_only_the_first_letter_of_a_message_changes() -> None:
    assert sentence("no order has the id O-Ab") == "No order has the id O-Ab"
    assert sentence("") == ""


@pytest.mark.parametrize(
    ("count", "total", "expected"),
    [(0, 0, ""), (0, 7, "0.00"), (7, 7, "100.00"), (2, 3, "66.66"), (999_999, 1_000_000, "99.99")],
)
def test_a_share_is_cut_and_not_rounded(count: int, total: int, expected: str) -> None:
    assert share(count, total) == expected


class Drawn(HTMLParser):
    """The marks of a drawing: classes with the numbers of their paths, and the texts."""

    def __init__(self, svg: str) -> None:
        super().__init__()
        self.boxes: list[tuple[str, list[float]]] = []
        self.texts: list[tuple[str, str]] = []
        self.view: list[float] = []
        self._is_text = False
        self.feed(svg)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "svg":
            self.view = [float(number) for number in values["viewbox"].split()]
        if tag == "path":
            box = re.fullmatch(r"M([-0-9.,]+)h([-0-9.]+)v([-0-9.]+)h[-0-9.]+Z", values["d"])
            if box:
                x, y = box[1].split(",")
                self.boxes.append((values["class"], [float(n) for n in (x, y, box[2], box[3])]))
        if tag == "text":
            self.texts.append((values["class"], ""))
            self._is_text = True

    def handle_endtag(self, tag: str) -> None:
        self._is_text = self._is_text and tag != "text"

    def handle_data(self, data: str) -> None:
        if self._is_text:
            self.texts[-1] = (self.texts[-1][0], self.texts[-1][1] + data)


def closes_of(*matched: int) -> list[dict[str, Any]]:
    """A line of the trend for each number of matched movements, of eight."""
    counts = dict.fromkeys(TREND_COLUMNS, 0)
    return [
        counts
        | {
            "close_date": f"2026-{5 + day // 30:02d}-{1 + day % 30:02d}",
            "movement_count": 8,
            "matched_count": count,
            "exception_count": 8 - count,
            "blocking_finding_count": 8 - count,
            "match_rate_percent": share(count, 8),
            "rule_count": 11,
        }
        for day, count in enumerate(matched)
    ]


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
    rows = [balance(opening="1", closing="1"), balance(**amounts)]
    first, drawn = (Drawn(svg) for svg in charts.roll_forwards(rows))
    assert len(first.boxes) == len(drawn.boxes) == len(BALANCE_STEPS) + 2
    x, y, width, height = drawn.view
    for _, (left, top, wide, high) in drawn.boxes:
        assert x <= left <= left + wide <= x + width
        assert y <= top <= top + high <= y + height


def test_a_roll_forward_is_drawn_to_scale() -> None:
    row = balance(opening="10", funding="30", debits="-20", closing="20")
    (drawn,) = (Drawn(svg) for svg in charts.roll_forwards([row]))
    kinds = [kind for kind, _ in drawn.boxes]
    assert kinds == ["f-total", "f-rise", "f-fall", *["f-flat"] * 4, "f-total"]
    heights = [box[3] for kind, box in drawn.boxes if kind != "f-flat"]
    assert [height / heights[0] for height in heights] == pytest.approx([1, 3, 2, 2], abs=0.01)


def test_bars_fill_their_line_and_no_more() -> None:
    full, half, none = (
        Drawn(svg)
        for svg in charts.bars(
            [
                ([("a", 1), ("b", 0), ("c", 10**9)], 10**9 + 1),
                ([("a", 3), ("b", 1)], 8),
                ([("a", 0)], 1),
            ]
        )
    )
    (kind, (_, _, sliver, _)), (last, (x, _, width, _)) = full.boxes
    assert (kind, last) == ("f-a", "f-c")
    assert sliver > 0.5
    assert x + width == pytest.approx(100, abs=0.02)
    assert [box[2] for _, box in half.boxes] == pytest.approx([37.5, 12.5], abs=0.02)
    assert half.view == [0, 10, 100, 10]
    assert {box[1] for _, box in half.boxes} == {10}
    assert none.boxes == []


def test_a_waterfall_leads_from_the_first_bar_to_the_last(figures: Figures) -> None:
    export = {"landed": "40", "staged": "10", "duplicates": "10", "superseded": "20"}
    told = replace(
        figures,
        conservation=[export | {"quarantined": "0", "export": "orders", "row_number": 1}],
        states=[("matched", 1), ("approved", 0), ("open", 0), ("lapsed", 0), ("exception", 1)],
    )
    rows, movements = charts.waterfalls(told)
    drawn = Drawn(rows.svg.replace("\u2212", "-"))
    assert [text for _, text in drawn.texts[:5]] == [
        *("Rows landed", "Duplicates", "Superseded", "Quarantined", "Rows staged")
    ]
    assert [text for _, text in drawn.texts[5:]] == ["40", "-10", "-20", "0", "10"]
    assert "<desc>Rows landed 40; Duplicates \u221210; " in rows.svg
    assert "<title>Movements" in movements.svg
    assert movements.svg.count('class="f-matched"') == 1


def test_a_waterfall_of_nothing_has_no_bars(figures: Figures) -> None:
    for chart in charts.waterfalls(figures):
        assert "<path" not in chart.svg
        assert "NaN" not in chart.svg


@pytest.mark.parametrize("closes", [2, 9, 10, 30])
def test_the_trend_has_a_column_for_each_close(closes: int) -> None:
    rows = closes_of(*(number % 9 for number in range(closes)))
    rate, unmatched, found = (Drawn(chart.svg) for chart in charts.trends(rows))
    labels = [text for kind, text in rate.texts if kind == "f-ink"]
    assert labels == [row["match_rate_percent"] for row in rows]
    for drawn in (unmatched, found):
        days = [text for kind, text in drawn.texts if kind == "f-soft"]
        assert days == [row["close_date"][5:] for row in rows]
        sums = [int(text) for kind, text in drawn.texts if kind == "f-ink"]
        assert sums == [row["exception_count"] for row in rows]
        heights = [box[3] for _, box in drawn.boxes]
        unit = max(heights) / max(sums)
        assert heights == pytest.approx([unit * count for count in sums if count], abs=0.02)


def test_a_close_without_movements_has_no_rate_in_the_trend() -> None:
    rows = closes_of(4, 8)
    rows[0] |= {"match_rate_percent": None, "movement_count": 0, "exception_count": 0}
    rate = Drawn(charts.trends(rows)[0].svg)
    assert [text for kind, text in rate.texts if kind == "f-ink"] == ["100.00"]


def test_a_chart_does_not_depend_on_the_fonts_of_the_machine(
    figures: Figures, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = replace(figures, trend=closes_of(1, 2, 8), balances=[balance(opening="1")])
    page = render(told)

    def other_font(spec: dict[str, Any], **options: Any) -> str:
        spec["config"]["font"] = "monospace"
        return str(vegalite_to_svg(spec, **options))

    vegalite_to_svg = vl_convert.vegalite_to_svg
    monkeypatch.setattr(vl_convert, "vegalite_to_svg", other_font)
    assert render(told) == page


def test_every_colour_of_a_chart_is_one_of_the_page(figures: Figures) -> None:
    tally = Tally("all", dict.fromkeys(("blocking", "warning", "approved"), 1), 0, 0, {})
    told = replace(
        figures,
        trend=[row | {"open_count": 1, "lapsed_count": 1} for row in closes_of(1, 2, 8)],
        states=[(state, 2) for state, _ in figures.states],
        balances=[balance(opening="1", funding="2", debits="-1", closing="2")],
        conservation=[
            {"row_number": 1, "export": "orders", "landed": "4", "staged": "1"}
            | dict.fromkeys(("duplicates", "superseded", "quarantined"), "1")
        ],
        findings=tally,
        ages=[replace(tally, key="new today")],
    )
    page = render(told)
    style, _, body = page.partition("</style>")
    used = set(re.findall(r'class="([fsb]-[a-z]+)"', body))
    assert {"f-total", "f-rise", "f-fall", "f-warning", "s-matched", "b-open"} <= used
    assert {name for name in used if not re.search(rf"\.{name}\b", style)} == set()
    # Every variable has a value in light and another, or the same on purpose, in dark.
    light, dark = (
        set(re.findall(r"(--[a-z-]+):", block))
        for block in re.findall(r":root \{(.*?)\}", style, re.S)[:2]
    )
    assert set(re.findall(r"var\((--[a-z-]+)\)", style)) <= light
    assert light == dark


def test_two_closes_are_compared_exactly(figures: Figures) -> None:
    told = replace(figures, trend=closes_of(3, 7), close_count=2)
    changes = {row.column: row.change for row in told.differences}
    assert changes["match_rate_percent"] == "+50.00"
    assert changes["exception_count"] == "-4"
    assert changes["movement_count"] == "0"
    told.trend[0]["match_rate_percent"] = None
    assert told.differences[0].change is None
    assert replace(figures, trend=closes_of(3)).differences == []


def test_a_page_with_too_many_assets_names_the_rest(figures: Figures) -> None:
    sums = {f"A{number:02d}": {"blocking": "1"} for number in range(11)}
    tally = Tally("finance", {"blocking": 11, "warning": 0, "approved": 0}, 0, 0, sums)
    told = replace(blocked(figures, [finding()], 11), owners=[tally], asset_count=60)
    text = read(render(told)).text
    assert "3 more assets, in exceptions.csv" in text
    assert "Assets not listed here, in exceptions.csv: 60" in text


def test_the_money_at_risk_says_which_findings_it_counts(figures: Figures) -> None:
    tally = Tally("EUR", {"blocking": 3, "warning": 0, "approved": 0}, 0, 0, {"EUR": {}})
    html = render(replace(blocked(figures, [finding()], 1), assets=[tally]))
    assert "risk|asset|EUR|findings" in html
    assert html.count("Findings with an amount") == 2
    assert 'data-label="Findings"' not in html


def test_the_dashboard_names_the_rest_of_too_many_assets(figures: Figures) -> None:
    pytest.importorskip("starlette", reason="the dashboard extra is not installed")
    from pool_recon.dashboard.app import _templates
    from pool_recon.dashboard.data import Snapshot

    tally = Tally("EUR", {"blocking": 1, "warning": 0, "approved": 0}, 0, 0, {"EUR": {}})
    for count, is_cut in ((1, False), (60, True)):
        told = replace(blocked(figures, [finding()], 1), assets=[tally], asset_count=count)
        page = _templates().get_template("verdict.html.j2")
        html = page.render(
            f=told, s=Snapshot(told, None, [], [], []), tabs=[], here="/", standings=[], wanted=""
        )
        assert ("Assets not listed here, among the exceptions: 59" in read(html).text) == is_cut


AMOUNTS = [
    ["1.10", "2.20", "-0.300"],
    ["99999999999999999999.999999999999999999"] * 7,
    ["0.000000000000000001", "-0.000000000000000002", "5"],
    ["-1.5", "-0.5"],
    ["0", "0.00"],
]


@pytest.mark.parametrize("amounts", AMOUNTS)
def test_what_is_at_risk_adds_up_to_the_last_digit(amounts: list[str]) -> None:
    with duckdb.connect() as connection:
        connection.execute(
            "create schema package; create table package.pkg_exceptions(exception_id varchar,"
            " subject_id varchar, code varchar, owner varchar, asset varchar, severity varchar,"
            " approval varchar, age_days varchar, next_review_date varchar, amount_at_risk varchar)"
        )
        for number, amount in enumerate([*amounts, None]):
            connection.execute(
                "insert into package.pkg_exceptions values"
                " (?, ?, 'c', 'o', 'X', 'blocking', 'none', '1', '2026-07-01', ?)",
                [str(number), str(number), amount],
            )
        facts = figures_module._finding_facts(connection, "2026-06-30")
        largest = figures_module._largest(connection)
    assert [fact["findings"] for fact in facts] in ([1, len(amounts)], [len(amounts), 1])
    tally = figures_module._tally("all", facts)
    with localcontext(prec=60):
        exact = sum((Decimal(amount) for amount in amounts), Decimal(0))
    assert tally.total == len(amounts) + 1
    assert tally.at_risk == {"X": {"blocking": format(exact, "f")}}
    assert Decimal(largest["X"]["amount_at_risk"]) == max(map(Decimal, amounts))


def test_one_owner_is_told_once_however_it_is_spelled() -> None:
    spelled = [
        *("finance operations", "Finance  Operations", "FINANCE OPERATIONS"),
        *("Ada L", "ada\u00a0l", "ada", None),
    ]
    facts = [
        {"owner": owner, "standing": "blocking", "findings": number, "age": number}
        | {"is_overdue": True, "has_amount": False}
        for number, owner in enumerate(spelled, start=1)
    ]
    tallies = figures_module._owners(facts, ["Finance Operations", "security"])
    assert {tally.key: (tally.total, tally.overdue, tally.oldest) for tally in tallies} == {
        "Finance Operations": (6, 6, 3),
        "Ada L": (9, 9, 5),
        "ada": (6, 6, 6),
        "": (7, 7, 7),
    }
    # Where the reference data has none of them, it is the same one in any order.
    assert [tally.key for tally in figures_module._owners(facts[::-1], [])] == [
        *("Ada L", "", "FINANCE OPERATIONS", "ada")
    ]


def test_the_same_figures_give_the_same_page(
    figures: Figures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled: list[str] = []
    generate = jinja2.Environment._generate

    def noted(self: Any, *arguments: Any, **options: Any) -> str:
        compiled.append("once more")
        return generate(self, *arguments, **options)

    monkeypatch.setattr(jinja2.Environment, "_generate", noted)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert render(figures) == render(figures)
    kept = [file for file in tmp_path.rglob("*") if file.is_file()]
    # the page, and its style
    assert len(compiled) == len(kept) == 2
    for content in (b"", b"broken", kept[0].read_bytes()[:100]):
        kept[0].write_bytes(content)
        assert render(figures) == render(figures)
    assert len(compiled) == 5
    # To read it is to run it.
    kept[0].chmod(0o666)
    assert render(figures)
    assert len(compiled) == 6
    monkeypatch.setenv("XDG_CACHE_HOME", os.devnull)
    assert render(figures)
