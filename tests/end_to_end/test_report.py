"""The report page and the workbook of real closes say what the CSV files say, digit for digit."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
from collections import Counter, defaultdict
from collections.abc import Iterable
from decimal import Decimal
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.utils.escape import unescape

from pool_recon.report import Limits, read_figures, write_report
from pool_recon.warehouse import connect
from pool_recon.workbook import write_workbook
from tests.end_to_end.closing import CLOSE_DATE, PREVIOUS, ROOT, Ran, close
from tests.harness.libreoffice import read_by_libreoffice

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
# Tags without a content of their own, however they are closed.
VOID = {"meta", "br", "path", "circle", "line", "link", "img"}
SHEETS = (
    *("checklist", "exceptions", "reconciliation", "balances", "conservation"),
    *("orders", "quotes", "trades", "events", "ledger"),
)
AGES = {
    "new today": (0, 0),
    "1 to 2 days": (1, 2),
    "3 to 7 days": (3, 7),
    "8 to 30 days": (8, 30),
    "31 days and more": (31, 10**9),
}
STANDINGS = ("blocking", "warning", "approved")

Rows = list[dict[str, str]]


class Page(HTMLParser):
    """The figures of a page by the name that it gives them, and the digits that have no name."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.figures: dict[tuple[str, str], set[str]] = defaultdict(set)
        self.unnamed: list[str] = []
        self.ids: set[str] = set()
        self.links: set[str] = set()
        self._open: list[tuple[str, tuple[str, str] | None]] = []
        self._texts: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in VOID:
            return
        values = dict(attrs)
        self.ids.add(values.get("id") or "")
        self.links.add(values.get("href") or "")
        named = None
        for kind in ("data-cell", "data-figure", "data-trend", "data-change", "data-day"):
            if values.get(kind) is not None:
                named = (kind, str(values[kind]))
        if tag == "desc":
            named = ("desc", "")
        if tag == "time":
            named = ("time", str(values["datetime"]))
        if "data-name" in values and named is None:
            named = ("name", "")
        self._open.append((tag, named))
        self._texts.append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in VOID

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        opened, named = self._open.pop()
        text = self._texts.pop()
        assert opened == tag, f"<{opened}> is closed by </{tag}>"
        if named:
            self.figures[named].add(text)
        elif self._texts:
            self._texts[-1] += text

    def handle_data(self, data: str) -> None:
        if not self._open or self._open[-1][0] in {"style", "title"}:
            return
        for at in range(len(self._texts)):
            if self._open[at][1]:
                self._texts[at] += data
                return
        if re.search(r"[0-9]", data):
            self.unnamed.append(data)

    def of(self, kind: str) -> dict[str, str]:
        """The figures of a kind; one name has one value wherever it stands."""
        found = {name: texts for (of, name), texts in self.figures.items() if of == kind}
        assert all(len(texts) == 1 for texts in found.values()), found
        return {name: next(iter(texts)) for name, texts in found.items()}


@cache
def csv_rows(package: Path, name: str) -> Rows:
    with (package / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, strict=True))


def standing(row: dict[str, str]) -> str:
    return "approved" if row["approval"] == "approved" else row["severity"]


def added(rows: Iterable[dict[str, str]]) -> dict[tuple[str, str], str]:
    """What is at risk by asset and standing, added up exactly."""
    sums: dict[tuple[str, str], Decimal] = {}
    for row in rows:
        if row["amount_at_risk"]:
            key = (row["asset"], standing(row))
            sums[key] = sums.get(key, Decimal(0)) + Decimal(row["amount_at_risk"])
    return {key: format(value, "f") for key, value in sums.items()}


def of_assets(rows: Rows) -> Rows:
    """The findings of assets of which not every finding with an amount is approved."""
    open_ = {row["asset"] for row in rows if row["amount_at_risk"] and standing(row) != "approved"}
    return [row for row in rows if row["asset"] in open_]


def cut_share(count: int, total: int) -> str:
    return str((Decimal(100 * count) / total).quantize(Decimal("0.01"), "ROUND_DOWN"))


@cache
def expected_figures(package: Path, previous: Path | None) -> dict[str, str]:
    """Every figure that a page may show, from the files alone."""
    manifest = json.loads((package / "manifest.json").read_text(encoding="utf-8"))
    findings, rules = csv_rows(package, "exceptions"), csv_rows(package, "checklist")
    movements, conservation = csv_rows(package, "reconciliation"), csv_rows(package, "conservation")
    holding = sum(row["holds"] == "true" for row in rules)
    date = manifest["close"]["close_date"]
    states = Counter(row["reconciliation_state"] for row in movements)
    states.update(dict.fromkeys(("matched", "approved", "open", "lapsed", "exception"), 0))
    said: dict[str, Any] = {
        "inputs": len(manifest["inputs"]),
        "rules": len(rules),
        "rules.holding": holding,
        "rules.failing": len(rules) - holding,
        "findings": len(findings),
        "movements": len(movements),
        "waterfall|movements": len(movements),
        "waterfall|matched": states["matched"],
        "balances": len(csv_rows(package, "balances")),
        "register": len(csv_rows(package, "register")),
        "register.unmatched": sum(
            row["matched"] != "true" for row in csv_rows(package, "register")
        ),
    }
    if movements:
        said["match_rate"] = cut_share(states["matched"], len(movements))
    for state, count in states.items():
        said |= {f"movements|{state}": count, f"waterfall|state.{state}": count}
        if movements:
            said[f"share|{state}"] = cut_share(count, len(movements))
    for column in ("landed", "staged", "duplicates", "superseded", "quarantined"):
        total = sum(int(row[column]) for row in conservation)
        said |= {f"conservation|{column}": total, f"waterfall|{column}": total}
    said |= {f"unaccounted|{row['export']}": 0 for row in conservation}
    said["unaccounted|all"] = 0
    said |= {f"file|{output['file']}": output["rows"] for output in manifest["outputs"]}

    subsets = {"all": {"all": findings}, "age": {}, "owner": {}, "code": {}}
    for label, (first, last) in AGES.items():
        subsets["age"][label] = [r for r in findings if first <= int(r["age_days"]) <= last]
    for by in ("owner", "code"):
        for key in {row[by] for row in findings}:
            subsets[by][key] = [row for row in findings if row[by] == key]
    for by, keyed in subsets.items():
        for key, rows in keyed.items():
            name = "findings|all" if by == "all" else f"{by}|{key}"
            counts = Counter(standing(row) for row in rows)
            said |= {f"{name}|{each}": counts[each] for each in STANDINGS}
            overdue = sum(row["next_review_date"] < date for row in rows)
            said["overdue|all" if by == "all" else f"overdue|{by}|{key}"] = overdue
            if rows:
                said[f"oldest|{by}|{key}"] = max(int(row["age_days"]) for row in rows)
            for (asset, each), amount in added(rows).items():
                said[f"risk|{by}|{key}|{each}|{asset}"] = amount
    for (asset, each), amount in added(of_assets(findings)).items():
        said[f"risk|asset|{asset}|{each}"] = amount
        said[f"risk|asset|{asset}|findings"] = sum(
            row["asset"] == asset and row["amount_at_risk"] != "" and standing(row) != "approved"
            for row in findings
        )
    for asset in {row["asset"] for row in findings}:
        risks = [
            row["amount_at_risk"]
            for row in findings
            if row["asset"] == asset and row["amount_at_risk"] and standing(row) != "approved"
        ]
        if risks:
            said[f"largest|{asset}"] = max(risks, key=Decimal)
    said["oldest|blocking"] = max(
        (int(row["age_days"]) for row in findings if standing(row) == "blocking"), default=0
    )
    with (ROOT / "seeds" / "ref_findings.csv").open(encoding="utf-8", newline="") as stream:
        rule_of = {row["code"]: row["rule_name"] for row in csv.DictReader(stream)}
    for code, total in Counter(row["code"] for row in findings).items():
        waiting = sum(row["code"] == code and standing(row) != "approved" for row in findings)
        said |= {f"total|{code}": total, f"rule|{rule_of[code]}|{code}": waiting}
    said |= {f"violations|{row['rule']}": row["findings"] for row in rules}
    if previous:
        before = {row["exception_id"] for row in csv_rows(previous, "exceptions")}
        now = {row["exception_id"] for row in findings}
        said |= {
            "changes|opened": len(now - before),
            "changes|resolved": len(before - now),
            "changes|reopened": 0,
            "changes|approval_ended": 0,
        }
        now_and_before = trend_of(package), trend_of(previous)
        for column in set(now_and_before[0]) - {"rule_count", "unmatched", "found"}:
            change = Decimal(now_and_before[0][column]) - Decimal(now_and_before[1][column])
            said[f"change|{column}"] = f"{change:+f}" if change else format(abs(change), "f")
    return {name: str(value) for name, value in said.items()}


def check_page(page: Page, package: Path, previous: Path | None = None) -> None:
    assert page.unnamed == [], "digits on the page that no test compares"
    expected = expected_figures(package, previous)
    figures = page.of("data-figure")
    assert figures == {name: expected.get(name, "no such figure") for name in figures}
    assert {"match_rate", "movements", "findings|all|blocking", "rules.holding"} <= set(figures)
    files = {name: csv_rows(package, name) for name in ("exceptions", "checklist", "register")}
    keys = {"exceptions": "exception_id", "checklist": "rule"}
    for name, text in page.of("data-cell").items():
        file, key, column = name.split("|", 1)[0], *name.split("|", 1)[1].rsplit("|", 1)
        rows = files.setdefault(file, csv_rows(package, file))
        if file in keys:
            (row,) = (row for row in rows if row[keys[file]] == key)
        else:
            row = rows[int(key) - 1]
        assert text == row[column], name
    for (kind, date), texts in page.figures.items():
        if kind == "data-day":
            assert texts == {date[5:]}
    closes = {folder.name: trend_of(folder) for folder in (package, previous) if folder}
    for name, text in page.of("data-trend").items():
        date, column = name.split("|")
        assert text == closes[date][column], name
    # What a chart tells to those who do not see it: names and figures in the order of the drawing.
    steps = (
        (("Rows landed", "", "landed"), ("Duplicates", "\u2212", "duplicates")),
        (("Superseded", "\u2212", "superseded"), ("Quarantined", "\u2212", "quarantined")),
        (("Rows staged", "", "staged"),),
    )
    moves = [
        (state.capitalize(), "\u2212", f"state.{state}")
        for state in ("exception", "lapsed", "open", "approved")
    ]
    told = {
        "; ".join(
            f"{label} {sign if expected[f'waterfall|{name}'] != '0' else ''}"
            f"{expected[f'waterfall|{name}']}"
            for label, sign, name in chart
        )
        for chart in (
            [step for pair in steps for step in pair],
            [("Movements", "", "movements"), *moves, ("Matched", "", "matched")],
        )
    }
    assert page.figures[("desc", "")] == told
    for link in page.links - {""}:
        target = link.removeprefix("#")
        assert target in page.ids if link.startswith("#") else (package / link).exists(), link


@cache
def trend_of(package: Path) -> dict[str, str]:
    """A line of the trend from the files of its close."""
    movements = Counter(row["reconciliation_state"] for row in csv_rows(package, "reconciliation"))
    findings = csv_rows(package, "exceptions")
    rules = csv_rows(package, "checklist")
    total = sum(movements.values())
    return {
        "match_rate_percent": cut_share(movements["matched"], total),
        "movement_count": str(total),
        **{
            f"{state}_count": str(movements[state])
            for state in ("matched", "approved", "open", "lapsed", "exception")
        },
        "blocking_finding_count": str(sum(row["severity"] == "blocking" for row in findings)),
        "warning_finding_count": str(sum(row["severity"] == "warning" for row in findings)),
        "approved_finding_count": str(sum(row["approval"] == "approved" for row in findings)),
        "unmatched": str(total - movements["matched"]),
        "found": str(len(findings)),
        "rule_count": str(len(rules)),
        "holding_rule_count": str(sum(row["holds"] == "true" for row in rules)),
    }


def check_workbook(package: Path) -> None:
    book = openpyxl.load_workbook(package / "close.xlsx")
    assert book.sheetnames[0] == "summary"
    assert tuple(book.sheetnames[1 : len(SHEETS) + 1]) == SHEETS
    check_summary(list(book["summary"].iter_rows(values_only=True)), package)
    for name in book.sheetnames[1:]:
        head, *found = book[name].iter_rows(values_only=True)
        rows = csv_rows(package, name)
        assert len(found) == len(rows), name
        for row, cells in zip(rows, found, strict=True):
            values = dict(zip(head, cells, strict=True))
            for column, text in row.items():
                value = values.pop(column)
                if value is None:
                    assert text == "", (name, column)
                elif isinstance(value, str):
                    assert unescape(value) == text, (name, column)
                elif isinstance(value, int):
                    assert str(value) == text, (name, column)
                else:
                    assert value.date().isoformat() == text, (name, column)
                if f"{column}_number" in values:
                    number = values.pop(f"{column}_number")
                    assert (None if text == "" else float(text)) == number
            assert values == {}, name
        assert book[name].auto_filter.ref
        assert book[name].freeze_panes == "B2"


def check_summary(rows: list[tuple[Any, ...]], package: Path) -> None:
    """The first sheet says what the files say, section by section."""
    told = expected_figures(package, None)
    sections: dict[str, list[tuple[Any, ...]]] = {}
    section: list[tuple[Any, ...]] | None = None
    for row in rows:
        if row[0] is None:
            section = None
        elif row[0] in {"Checklist", "Movements", "Findings", "Money at risk", "Sheets"}:
            section = sections.setdefault(row[0], [])
        elif section is not None:
            section.append(row)
    found = [tuple(str(cell) for cell in row[:5]) for row in sections["Checklist"]]
    verdicts = {"true": "holds", "false": "fails"}
    assert found == [
        (row["rule"], verdicts[row["holds"]], row["findings"], row["approved"], row["description"])
        for row in csv_rows(package, "checklist")
    ]
    movements = {row[0]: str(row[1]) for row in sections["Movements"]}
    assert movements.pop("match rate, per cent") == told["match_rate"]
    assert movements.pop("all") == told["movements"]
    assert movements == {state: told[f"movements|{state}"] for state in movements}
    findings = {row[0]: str(row[1]) for row in sections["Findings"]}
    assert findings.pop("review overdue") == told["overdue|all"]
    assert findings == {each: told[f"findings|all|{each}"] for each in STANDINGS}
    risks = {(row[0], row[1]): row[2] for row in sections["Money at risk"]}
    assert risks == added(of_assets(csv_rows(package, "exceptions")))
    assert all(row[3] == float(row[2]) for row in sections["Money at risk"])
    for name, count, shown, *_ in sections["Sheets"]:
        assert count == shown == len(csv_rows(package, name)), name


@pytest.mark.parametrize("sample", ["clean", "bad_day"])
def test_the_page_says_what_the_files_say(sample: str, request: pytest.FixtureRequest) -> None:
    ran: Ran = request.getfixturevalue(sample)
    html = (ran.package / "report.html").read_text(encoding="utf-8")
    page = Page(html)
    check_page(page, ran.package)
    verdict = "Ready to sign off" if sample == "clean" else "Blocked"
    assert f"<strong>{verdict}</strong>" in html
    listed = {name.split("|")[1] for name in page.of("data-cell") if name.startswith("exceptions|")}
    assert listed == {row["exception_id"] for row in ran.rows("exceptions")}
    for row in ran.rows("balances"):
        for column in ("opening", "closing", "reported_balance"):
            assert row[column] in page.of("data-cell").values()


# What the page says of each balance that was reported, and when it was.
SAID_OF_REPORTED = {
    "CHF": ("Reported", None),
    "EUR": ("Reported, agrees", "2026-06-30T12:00:00Z"),
    "GBP": ("Reported, agrees", "2026-06-30T12:00:00Z"),
    "USD": ("Reported, differs", "2026-06-30T12:00:00Z"),
    "USDC": ("Reported, differs", "2026-06-30T12:00:00Z"),
    "JPY": ("Reported, differs", "2026-06-30T12:00:00Z"),
}


def test_a_reported_balance_is_judged_at_its_own_moment(reported: Ran) -> None:
    html = (reported.package / "report.html").read_text(encoding="utf-8")
    assert Page(html).unnamed == []
    section = html[
        html.index('<section id="balances">') : html.index('<section id="conservation">')
    ]
    said = {}
    for balance in section.split('<div class="balance">')[1:]:
        (asset,) = re.findall(r'\|asset">(\w+)<', balance)
        (word,) = re.findall(r"<dt>(Reported[^<]*)<", balance)
        said[asset] = (word, *(re.findall(r'<time[^>]*datetime="([^"]+)"', balance) or [None]))
    assert said == SAID_OF_REPORTED


def test_the_sheet_marks_the_balances_that_the_close_finds_wrong(reported: Ran) -> None:
    sheet = openpyxl.load_workbook(reported.package / "close.xlsx")["balances"]
    head, *rows = sheet.iter_rows()
    place = {cell.value: at for at, cell in enumerate(head)}
    marked = {
        row[place["asset"]].value: row[place["reported_balance"]].fill.fgColor.rgb != "00000000"
        for row in rows
    }
    assert marked == {
        asset: word == "Reported, differs" for asset, (word, _) in SAID_OF_REPORTED.items()
    }
    assert not sheet.conditional_formatting


@pytest.mark.parametrize("sample", ["reported", "bad_day"])
def test_what_is_said_of_a_reported_balance_is_what_was_found(
    sample: str, request: pytest.FixtureRequest
) -> None:
    ran: Ran = request.getfixturevalue(sample)
    found = {r["subject_id"] for r in ran.rows("exceptions") if r["code"] == "balance_mismatch"}
    with connect(ran.out / "pool_recon.duckdb", read_only=True) as warehouse:
        balances = warehouse.execute(
            # Of a moment without parts of a second.
            "select concat_ws(':', environment, partner_id, asset,"
            " strftime(reported_as_of, '%Y-%m-%dT%H:%M:%SZ')), has_balance_mismatch"
            " from marts.fct_balances where reported_as_of is not null"
        ).fetchall()
    assert {name for name, is_wrong in balances if is_wrong} == found & {
        name for name, _ in balances
    }
    assert {is_wrong for _, is_wrong in balances} == (
        {True, False} if sample == "reported" else {False}
    )


def test_the_page_shows_what_changed_and_the_trend(two_days: Ran) -> None:
    page = Page((two_days.package / "report.html").read_text(encoding="utf-8"))
    previous = two_days.out / PREVIOUS
    check_page(page, two_days.package, previous)
    figures = page.of("data-figure")
    assert int(figures["changes|opened"]) > 0
    assert (figures["findings|all|approved"], figures["register.unmatched"]) == ("1", "1")
    before = {row["exception_id"]: row for row in csv_rows(previous, "exceptions")}
    now = {row["exception_id"]: row for row in two_days.rows("exceptions")}
    changed = {**before, **now}
    for exception_id, text in page.of("data-change").items():
        assert text == changed[exception_id]["subject_id"]
        assert (exception_id in before) != (exception_id in now)
    trend = page.of("data-trend")
    for package in (previous, two_days.package):
        for column, value in trend_of(package).items():
            assert trend[f"{package.name}|{column}"] == value, (package.name, column)
    assert "Seen <b>by phone" not in (two_days.package / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("sample", ["clean", "bad_day", "two_days"])
def test_the_workbook_holds_what_the_files_hold(
    sample: str, request: pytest.FixtureRequest
) -> None:
    ran: Ran = request.getfixturevalue(sample)
    check_workbook(ran.package)


@pytest.mark.parametrize("sample", ["bad_day", "two_days"])
def test_libreoffice_reads_what_the_files_hold(
    sample: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    ran: Ran = request.getfixturevalue(sample)
    sheets = read_by_libreoffice(ran.package / "close.xlsx", tmp_path)
    assert {"summary", *SHEETS, "register"} == set(sheets)
    assert sheets["summary"][0][0] == f"Close of {CLOSE_DATE}"
    for name in set(sheets) - {"summary"}:
        head, *rows = sheets[name]
        expected = csv_rows(ran.package, name)
        assert len(rows) == len(expected), name
        for cells, row in zip(rows, expected, strict=True):
            values = dict(zip(head, cells, strict=True))
            assert {column: values[column] for column in row} == row, name
            for column in values.keys() - row.keys():
                exact = row[column.removesuffix("_number")]
                shown = values[column].replace(",", "")
                places = len(shown.partition(".")[2])
                # as many places as the cell shows: what it holds is compared with openpyxl
                assert shown == (f"{float(exact):.{places}f}" if exact else ""), (name, column)


@pytest.mark.slow
def test_both_are_the_same_bytes_when_made_again(bad_day: Ran, tmp_path: Path) -> None:
    manifest = json.loads((bad_day.package / "manifest.json").read_text(encoding="utf-8"))
    listed = {output["file"]: output["rows"] for output in manifest["outputs"]}
    assert listed["report.html"] == len(bad_day.rows("exceptions"))
    assert listed["close.xlsx"] == sum(len(bad_day.rows(name)) for name in (*SHEETS, "register"))
    again = close(ROOT / "samples" / "bad_day", tmp_path)
    for name in ("report.html", "close.xlsx"):
        assert (again.package / name).read_bytes() == (bad_day.package / name).read_bytes(), name
        assert str(tmp_path) not in (again.package / name).read_bytes().decode("latin-1")


def test_reviews_and_approvals_in_another_warehouse(bad_day: Ran, tmp_path: Path) -> None:
    from pool_recon.package import Verdict

    shutil.copy(bad_day.out / "pool_recon.duckdb", tmp_path / "changed.duckdb")
    rule = "exceptions_owned_and_reviewed"
    with connect(tmp_path / "changed.duckdb") as warehouse:
        view = "package.pkg_exceptions"
        (asset,) = warehouse.execute(
            f"select min(asset) from {view} where amount_at_risk <> ''"
        ).fetchone() or ("",)
        warehouse.execute(f"create temp table changed as from {view}")
        warehouse.execute(f"drop view {view}; create table {view} as from changed")
        warehouse.execute(f"update {view} set approval = 'approved' where asset = ?", [asset])
        # Nothing that blocks is left but the reviews of three warnings.
        warehouse.execute(f"update {view} set severity = 'warning' where severity = 'blocking'")
        warehouse.execute(
            "create temp table violations as select * replace (? as rule_name)"
            " from marts.close_violations limit 3",
            [rule],
        )
        warehouse.execute(
            "drop view if exists marts.close_violations;"
            " create table marts.close_violations as from violations"
        )
        figures = read_figures(warehouse, Verdict({rule: "fails"}), [])
    assert asset not in {tally.key for tally in figures.assets}
    assert figures.asset_count == len(figures.assets) > 0
    assert figures.unreviewed == 3
    told = Page(write_report(figures, tmp_path).read_text(encoding="utf-8")).of("data-figure")
    assert told[f"violations|{rule}"] == "3"
    assert not [name for name in told if name.startswith(f"risk|asset|{asset}|")]


def test_a_page_that_cannot_list_all_says_so(bad_day: Ran, tmp_path: Path) -> None:
    from pool_recon.package import Verdict

    rules = {row["rule"]: "fails" for row in bad_day.rows("checklist") if row["holds"] == "false"}
    warehouse = connect(bad_day.out / "pool_recon.duckdb", read_only=True)
    with warehouse:
        figures = read_figures(warehouse, Verdict(rules), [], Limits(findings=60, balances=1))
        page = Page(write_report(figures, tmp_path).read_text(encoding="utf-8"))
    findings = bad_day.rows("exceptions")
    told = page.of("data-figure")
    assert (told["listed"], told["findings"]) == ("60", str(len(findings)))
    assert told["balances.listed"] == "1"
    # Every type is there with at least its oldest finding.
    assert {f"total|{row['code']}" for row in findings} <= set(told)
    for name, count in told.items():
        if name.startswith("unlisted|"):
            code = name.removeprefix("unlisted|")
            assert int(count) + int(told[f"listed|{code}"]) == int(told[f"total|{code}"])


@pytest.mark.slow
def test_a_hundred_thousand_findings_have_a_page_of_sane_size(bad_day: Ran, tmp_path: Path) -> None:
    from pool_recon.package import Verdict

    wanted = 100_000
    times = wanted // len(bad_day.rows("exceptions")) + 1
    changed = {
        "exception_id": "md5(exception_id || n)",
        "subject_id": "subject_id || '_' || n",
        "age_days": "cast(n % 40 as varchar)",
        "amount_at_risk": "case when amount_at_risk <> '' then printf('%d.%018d', n, n) end",
    }
    shutil.copy(bad_day.out / "pool_recon.duckdb", tmp_path / "large.duckdb")
    with connect(tmp_path / "large.duckdb") as warehouse:
        view = "package.pkg_exceptions"
        columns = [row[0] for row in warehouse.execute(f"describe {view}").fetchall()]
        values = ", ".join(f'{changed.get(name, name)} as "{name}"' for name in columns)
        warehouse.execute(
            f"create temp table large as select {values} from {view}, range({times}) as t(n)"
            f" order by n limit {wanted}"
        )
        warehouse.execute(f"drop view {view}; create table {view} as from large")
        figures = read_figures(warehouse, Verdict({"no_secrets": "fails"}), [])
        amounts = warehouse.execute(
            f"select asset, severity, amount_at_risk from {view} where amount_at_risk <> ''"
        ).fetchall()
    path = write_report(figures, tmp_path)
    assert path.stat().st_size < 2_000_000
    html = path.read_text(encoding="utf-8")
    told = Page(html).of("data-figure")
    assert (told["listed"], told["findings"]) == (str(Limits().findings), str(wanted))
    assert "All of them stand in <b>exceptions.csv</b>" in html
    assert sum(int(told[f"age|{label}|blocking"]) for label in AGES) == int(
        told["findings|all|blocking"]
    )
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for asset, severity, amount in amounts:
        sums[f"risk|asset|{asset}|{severity}"] += Decimal(amount)
        sums[f"largest|{asset}"] = max(sums[f"largest|{asset}"], Decimal(amount))
    assert sums == {name: Decimal(told[name]) for name in sums}
    for width in (500, 1000, 1280):
        assert too_wide(path, width, tmp_path) <= 0, width


def test_a_smaller_workbook_says_what_it_leaves_out(two_days: Ran) -> None:
    package = two_days.out / PREVIOUS
    movements = csv_rows(package, "reconciliation")
    book = openpyxl.load_workbook(package / "close.xlsx")
    sheet = book["reconciliation"]
    assert sheet["A1"].value.startswith(f"Cut: 5 of {len(movements)} rows")
    head, *found = sheet.iter_rows(min_row=2, values_only=True)
    states = [dict(zip(head, row, strict=True))["reconciliation_state"] for row in found]
    exceptions = sum(row["reconciliation_state"] == "exception" for row in movements)
    assert states[: min(5, exceptions)] == ["exception"] * min(5, exceptions)
    assert len(states) == 5


def in_browser(profile: Path, *arguments: object) -> str:
    """Run Chromium without a screen or a network; returns what it writes."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip("there is no Chromium here")
    done = subprocess.run(
        [
            *(browser, "--headless", "--no-sandbox", "--disable-gpu"),
            *("--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={profile}"),
            *(str(argument) for argument in arguments),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "HOME": str(profile)},
        check=False,
    )
    if done.returncode:
        pytest.skip(f"Chromium does not start here: {done.stderr[-200:]}")
    return done.stdout


def test_another_digit_on_the_page_is_caught(two_days: Ran) -> None:
    package, previous = two_days.package, two_days.out / PREVIOUS
    html = (package / "report.html").read_text(encoding="utf-8")
    # One of each sort of figure: what the name says before the first bar, and its column.
    samples: dict[tuple[str, ...], re.Match[str]] = {}
    for match in re.finditer(r'data-(figure|cell|trend|day)="([^"]+)">[^0-9]{0,3}([0-9])', html):
        parts = match[2].split("|")
        sort = parts[-1] if match[1] in {"cell", "trend"} else parts[0]
        samples.setdefault((match[1], sort), match)
    samples["desc", ""] = next(re.finditer(r"(<desc>)(Rows landed )([0-9])", html))
    assert len(samples) > 50
    assert {("figure", "waterfall"), ("figure", "largest"), ("trend", "found")} <= set(samples)
    for match in samples.values():
        changed = html[: match.start(3)] + str((int(match[3]) + 1) % 10) + html[match.end(3) :]
        with pytest.raises(AssertionError):
            check_page(Page(changed), package, previous)


def test_a_browser_shows_the_same_figures(two_days: Ran, tmp_path: Path) -> None:
    page = two_days.package / "report.html"
    shown = Page(in_browser(tmp_path, "--dump-dom", page.as_uri()))
    check_page(shown, two_days.package, two_days.out / PREVIOUS)
    assert shown.figures == Page(page.read_text(encoding="utf-8")).figures


def too_wide(page: Path, width: int, folder: Path) -> int:
    """By how many pixels a page is wider than a window of this width; negative where it is not."""
    measured = folder / f"measured_{width}.html"
    script = "document.body.dataset.over = document.documentElement.scrollWidth - innerWidth"
    html = page.read_text(encoding="utf-8")
    measured.write_text(f"{html}<script>{script}</script>", encoding="utf-8")
    size = f"--window-size={width},900"
    shown = in_browser(folder, size, "--hide-scrollbars", "--dump-dom", measured.as_uri())
    over = re.search(r'<body data-over="(-?[0-9]+)">', shown)
    assert over is not None
    return int(over[1])


@pytest.mark.parametrize("width", [500, 1000, 1280])
def test_the_page_is_never_wider_than_the_window(width: int, two_days: Ran, tmp_path: Path) -> None:
    assert too_wide(two_days.package / "report.html", width, tmp_path) <= 0


def test_the_printed_page_has_every_finding(two_days: Ran, tmp_path: Path) -> None:
    pdf = tmp_path / "report.pdf"
    in_browser(tmp_path, f"--print-to-pdf={pdf}", (two_days.package / "report.html").as_uri())
    if shutil.which("pdftotext") is None:
        pytest.skip("there is no pdftotext here")
    printed = subprocess.run(["pdftotext", pdf, "-"], capture_output=True, text=True, check=True)
    # Lines break where the paper ends, and thousands stand apart.
    text = re.sub(r"\s", "", printed.stdout)
    for row in two_days.rows("exceptions"):
        # a text of several lines is torn apart by the columns beside it
        for column in ("exception_id", "amount_at_risk"):
            assert row[column] in text, (column, row[column])
    for row in two_days.rows("balances"):
        assert row["closing"] in text


def test_the_workbook_needs_no_warehouse_of_its_own(bad_day: Ran, tmp_path: Path) -> None:
    # What it shows is what the files hold, not what the warehouse would say by now.
    from pool_recon.package import Verdict

    folder = tmp_path / "package"
    folder.mkdir()
    shutil.copy(bad_day.package / "orders.csv", folder)
    text = (folder / "orders.csv").read_text(encoding="utf-8")
    (folder / "orders.csv").write_text(text.replace("completed", "=completed"), encoding="utf-8")
    outputs = [{"file": "orders.csv", "rows": len(csv_rows(folder, "orders"))}]
    with connect(bad_day.out / "pool_recon.duckdb", read_only=True) as warehouse:
        figures = read_figures(warehouse, Verdict({}), outputs)
        path, _ = write_workbook(warehouse, folder, figures)
    values = [cell.value for row in openpyxl.load_workbook(path)["orders"] for cell in row]
    assert "=completed" in values


def test_the_close_date_is_on_both(clean: Ran) -> None:
    html = (clean.package / "report.html").read_text(encoding="utf-8")
    assert f'<time datetime="{CLOSE_DATE}">30 June 2026</time>' in html
    book = openpyxl.load_workbook(clean.package / "close.xlsx")
    assert book["summary"]["A1"].value == f"Close of {CLOSE_DATE}"
    assert book.properties.created.isoformat() == f"{CLOSE_DATE}T00:00:00"
