"""The dashboard in a browser says what the CSV files say, and leaves the warehouse alone."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import duckdb
import pytest

from pool_recon.commands.shared import WAREHOUSE_NAME
from pool_recon.dashboard import dashboard
from pool_recon.errors import CloseError
from pool_recon.package import Verdict
from pool_recon.summary import REVIEW_RULE, read_top_exceptions
from pool_recon.warehouse import connect
from tests.end_to_end.closing import PREVIOUS, ROOT, Ran
from tests.end_to_end.test_report import added, cut_share, expected_figures, standing, trend_of

pytest.importorskip("starlette", reason="the dashboard extra is not installed")
pytest.importorskip("uvicorn", reason="the dashboard extra is not installed")

from starlette.requests import Request

from pool_recon.dashboard.app import _choice, _Pages
from pool_recon.dashboard.data import Choice, Source, exceptions

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
KINDS = ("data-cell", "data-figure", "data-trend", "data-day")
VOID = {"meta", "link", "input", "br", "img"}
KEYS = {
    "exceptions": "exception_id",
    "checklist": "rule",
    "ledger": "ledger_entry_id",
    "reconciliation": "movement_id",
}

Rows = list[dict[str, str]]


class Shown(HTMLParser):
    """A page: its figures by name, the digits without one, its links and the fields of forms."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.figures: dict[str, dict[str, set[str]]] = {kind: defaultdict(set) for kind in KINDS}
        self.unnamed: list[str] = []
        self.links: list[str] = []
        self.sources: list[str] = []
        self.fields: dict[str, list[str]] = defaultdict(list)
        self.text = ""
        self._open: list[tuple[str, tuple[str, str] | None]] = []
        self._select = ""
        self._heard: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.sources += [values[name] for name in ("src", "action") if name in values]
        if tag in {"a", "link"} and "href" in values:
            (self.links if tag == "a" else self.sources).append(values["href"])
        if tag == "select":
            self._select = values["name"]
        if tag == "option":
            self.fields[self._select].append(values.get("value", "the text"))
        if tag in VOID:
            return
        named = next(((kind, values[kind]) for kind in KINDS if kind in values), None)
        if named is None and ("data-name" in values or tag == "time"):
            named = ("name", "")
        self._open.append((tag, named))
        self._heard.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        opened, named = self._open.pop()
        heard = self._heard.pop()
        assert opened == tag, f"<{opened}> is closed by </{tag}>"
        if named and named[0] in self.figures:
            self.figures[named[0]][named[1]].add(heard.strip())

    def handle_data(self, data: str) -> None:
        if any(tag in {"style", "title"} for tag, _ in self._open):
            return
        self.text += data
        self._heard = [heard + data for heard in self._heard]
        if re.search(r"[0-9]", data) and not any(named for _, named in self._open):
            self.unnamed.append(data)

    def of(self, kind: str) -> dict[str, str]:
        found = self.figures[kind]
        assert all(len(texts) == 1 for texts in found.values()), found
        return {name: next(iter(texts)) for name, texts in found.items()}


Browse = Callable[[str], Shown]


def start(warehouse: Path, *more: str) -> tuple[subprocess.Popen[str], str]:
    """The command in a process of its own, and the address that it says."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("POOL_RECON")}
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "pool_recon", "dashboard"),
            *("--warehouse", str(warehouse), "--port", "0", *more),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment | {"PYTHONPATH": str(ROOT)},
    )
    assert process.stdout
    line = process.stdout.readline()
    found = re.search(r"http://127\.0\.0\.1:[0-9]+", line)
    assert found, line + (process.stderr.read() if process.stderr else "")
    return process, found[0]


def stop(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=30)
    assert (process.returncode, stderr) == (0, "")


@pytest.fixture(scope="module")
def address(two_days: Ran) -> Iterator[str]:
    process, at = start(two_days.out / "pool_recon.duckdb")
    yield at
    stop(process)


def fetch(address: str, path: str, **headers: str) -> tuple[int, dict[str, str], str]:
    request = urllib.request.Request(address + path, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.status, dict(response.headers), response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers), error.read().decode()


@pytest.fixture(scope="module")
def browse(address: str, tmp_path_factory: pytest.TempPathFactory) -> Browse:
    """Opens a page in Chromium and reads what it shows."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip("there is no Chromium here")
    profile = tmp_path_factory.mktemp("chromium")

    def opened(path: str) -> Shown:
        done = subprocess.run(
            [
                *(browser, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"),
                *("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",),
                *(f"--user-data-dir={profile}", address + path),
            ],
            capture_output=True,
            text=True,
            timeout=120,
            env={**os.environ, "HOME": str(profile)},
            check=False,
        )
        if done.returncode:
            pytest.skip(f"Chromium does not start here: {done.stderr[-200:]}")
        return Shown(done.stdout)

    return opened


def compare(page: Shown, ran: Ran, more: dict[str, object] | None = None) -> None:
    """Every figure of a page is that of the files, and every digit belongs to one."""
    assert page.unnamed == []
    package, previous = ran.package, ran.out / PREVIOUS
    expected = expected_figures(package, previous)
    expected |= {name: str(value) for name, value in (more or {}).items()}
    figures = page.of("data-figure")
    assert figures == {name: expected.get(name, "no such figure") for name in figures}
    for name, text in page.of("data-cell").items():
        file, rest = name.split("|", 1)
        key, column = rest.rsplit("|", 1)
        rows = ran.rows(file)
        if file in KEYS:
            (row,) = (row for row in rows if row[KEYS[file]] == key)
        else:
            row = rows[int(key) - 1]
        assert text == row[column], name
    trends = {folder.name: trend_of(folder) for folder in (package, previous)}
    for name, text in page.of("data-trend").items():
        date, column = name.split("|")
        assert text == trends[date][column], name
    for day, text in page.of("data-day").items():
        assert text == day[5:]
    for source in page.sources:
        assert source.startswith(("/", "data:,")), source
        assert not source.startswith("//"), source


def test_the_verdict_in_a_browser(two_days: Ran, browse: Browse) -> None:
    page = browse("/")
    compare(page, two_days)
    assert {"match_rate", "findings|all|blocking", "rules.holding", "overdue|all"} <= set(
        page.figures["data-figure"]
    )
    assert "Blocked" in page.text
    cells = [name.split("|") for name in page.figures["data-cell"]]
    shown = {key for file, key, _ in cells if file == "checklist"}
    assert shown == {row["rule"] for row in two_days.rows("checklist")}
    with duckdb.connect(str(two_days.out / WAREHOUSE_NAME), read_only=True) as connection:
        first = [exception.exception_id for exception in read_top_exceptions(connection)]
    assert list(dict.fromkeys(key for file, key, _ in cells if file == "exceptions")) == first


def chosen(ran: Ran, keep: Callable[[dict[str, str]], bool]) -> tuple[Rows, dict[str, object]]:
    """The exceptions of a choice and the figures that a page of them shows."""
    rows = [row for row in ran.rows("exceptions") if keep(row)]
    figures: dict[str, object] = {"chosen": len(rows)}
    figures |= {f"chosen|{asset}|{each}": sum_ for (asset, each), sum_ in added(rows).items()}
    pages = -(-len(rows) // 50)
    return rows, figures | {"pages": pages, "page": 1}


def ids_on(page: Shown) -> set[str]:
    return {
        name.split("|")[1] for name in page.figures["data-cell"] if name.startswith("exceptions|")
    }


def test_a_person_follows_an_owner_and_filters(two_days: Ran, browse: Browse) -> None:
    link = next(link for link in browse("/").links if link.startswith("/exceptions?owner="))
    (owner,) = parse_qs(urlsplit(link).query)["owner"]
    page = browse(link)
    rows, figures = chosen(two_days, lambda row: row["owner"] == owner)
    compare(page, two_days, figures)
    assert ids_on(page) == {row["exception_id"] for row in rows}
    # What the form on that page would send for a code of a blocking finding, open for a day.
    code = next(row["code"] for row in rows if standing(row) == "blocking" and row["asset"])
    asset = next(row["asset"] for row in rows if row["code"] == code)
    asked = {"standing": "blocking", "code": code, "owner": owner, "age": "1", "asset": asset}
    assert all(value in page.fields[name] for name, value in asked.items())
    found = browse(f"/exceptions?{urlencode(asked)}")
    rows, figures = chosen(
        two_days,
        lambda row: (
            (standing(row), row["code"], row["owner"]) == ("blocking", code, owner)
            and int(row["age_days"]) >= 1
            and row["asset"] == asset
        ),
    )
    assert rows
    compare(found, two_days, figures)
    assert ids_on(found) == {row["exception_id"] for row in rows}


def test_an_owner_is_found_however_it_is_spelled(two_days: Ran, tmp_path: Path) -> None:
    copied = Path(shutil.copy(two_days.out / "pool_recon.duckdb", tmp_path))
    owners = Counter(row["owner"] for row in two_days.rows("exceptions"))
    owner, count = owners.most_common(1)[0]
    with connect(copied) as connection:
        connection.execute(
            "update marts.fct_exceptions set owner = ? where exception_id ="
            " (select min(exception_id) from marts.fct_exceptions where owner = ?)",
            [owner.upper().replace(" ", "  "), owner],
        )
    with Source(copied).opened() as (reader, snapshot):
        assert {tally.key: tally.total for tally in snapshot.figures.owners} == owners
        for asked in (owner, owner.upper()):
            assert exceptions(reader, Choice({"owner": asked})).total == count
        assert exceptions(reader, Choice({"owner": f"{owner} x"})).total == 0
        last = {row["owner"]: row["exception_id"] for row in two_days.rows("exceptions")}
        for of, wanted in last.items():
            found = exceptions(reader, Choice({"owner": of}, wanted=wanted)).rows
            assert [row["exception_id"] for row in found] == [wanted]


def test_every_exception_is_on_one_page_in_every_order(two_days: Ran, address: str) -> None:
    rows, figures = chosen(two_days, lambda row: True)
    assert len(rows) > 50, "the second page is not seen"
    for order in ("first", "oldest", "largest", "review"):
        first = Shown(fetch(address, f"/exceptions?sort={order}")[2])
        compare(first, two_days, figures)
        (link,) = (link for link in first.links if "page=2" in link)
        second = Shown(fetch(address, link)[2])
        compare(second, two_days, figures | {"page": 2})
        assert len(ids_on(first)) == 50
        assert not ids_on(first) & ids_on(second)
        assert ids_on(first) | ids_on(second) == {row["exception_id"] for row in rows}


def test_approved_and_searched_exceptions(two_days: Ran, address: str) -> None:
    for query, keep in (
        ("standing=approved", lambda row: standing(row) == "approved"),
        ("asset=-", lambda row: row["asset"] == ""),
        ("q=1000000032", lambda row: any("1000000032" in row[column] for column in row)),
        ("q=no+such+id", lambda row: False),
        ("age=1e9&page=x&sort=x", lambda row: True),
    ):
        page = Shown(fetch(address, f"/exceptions?{query}")[2])
        rows, figures = chosen(two_days, keep)
        compare(page, two_days, figures)
        assert len(ids_on(page)) == min(50, len(rows)), query


def test_match_rate_and_trend_in_a_browser(two_days: Ran, browse: Browse) -> None:
    rows = two_days.rows("reconciliation")
    figures: dict[str, object] = {}
    for kind, column in (("Pool", "pool_id"), ("Partner", "partner_id")):
        for name in {row[column] for row in rows}:
            states = Counter(row["reconciliation_state"] for row in rows if row[column] == name)
            figures[f"total|{kind}|{name}"] = states.total()
            figures[f"rate|{kind}|{name}"] = cut_share(states["matched"], states.total())
            for state in ("matched", "approved", "open", "lapsed", "exception"):
                figures[f"state|{kind}|{name}|{state}"] = states[state]
    page = browse("/movements")
    compare(page, two_days, figures)
    assert figures.keys() <= page.figures["data-figure"].keys()
    told = page.of("data-trend")
    assert {name.split("|")[0] for name in told} == {PREVIOUS, two_days.package.name}
    for day in (PREVIOUS, two_days.package.name):
        of_states = [
            int(told[f"{day}|{state}_count"])
            for state in ("matched", "approved", "open", "lapsed", "exception")
        ]
        assert sum(of_states) == int(told[f"{day}|movement_count"])


def test_balances_and_their_entries_in_a_browser(two_days: Ran, browse: Browse) -> None:
    balances = two_days.rows("balances")
    page = browse("/balances")
    compare(page, two_days)
    cells = page.of("data-cell")
    for number, row in enumerate(balances, start=1):
        assert cells[f"balances|{number}|closing"] == row["closing"]
    link = next(link for link in page.links if "asset=EUR" in link)
    query = {name: values[0] for name, values in parse_qs(urlsplit(link).query).items()}
    page = browse(link)
    compare(page, two_days)
    entries = {
        row["ledger_entry_id"]: row
        for row in two_days.rows("ledger")
        if all(row[name] == value for name, value in query.items())
    }
    deltas = {
        name.split("|")[1]: Decimal(text)
        for name, text in page.of("data-cell").items()
        if name.endswith("|delta")
    }
    assert deltas.keys() <= entries.keys()
    (closing,) = (row["closing"] for row in balances if all(row[k] == v for k, v in query.items()))
    assert sum(deltas.values()) == Decimal(closing)


def test_a_reported_balance_is_judged_at_its_own_moment(reported: Ran) -> None:
    process, at = start(reported.out / "pool_recon.duckdb")
    try:
        html = fetch(at, "/balances")[2]
    finally:
        stop(process)
    assert Shown(html).unnamed == []
    said = {
        re.findall(r'\|asset">(\w+)<', row)[0]: (
            *re.findall(r'<span class="badge \w+">(\w+)</span>', row),
            *re.findall(r'<time[^>]*datetime="([^"]+)"', row),
        )
        for row in re.findall(r"<tr.*?</tr>", html, re.DOTALL)[1:]
    }
    at_noon = "2026-06-30T12:00:00Z"
    assert said == {
        "CHF": (),
        **dict.fromkeys(("EUR", "GBP"), ("agrees", at_noon)),
        **dict.fromkeys(("JPY", "USD", "USDC"), ("differs", at_noon)),
    }


def test_search_in_a_browser(two_days: Ran, browse: Browse) -> None:
    row = next(
        row
        for row in two_days.rows("reconciliation")
        if row["finding_codes"] and row["ledger_target_net"]
    )
    for column in ("transact_id", "partner_order_id", "request_id"):
        page = browse(f"/search?{urlencode({'id': row[column]})}")
        compare(page, two_days)
        cells = page.of("data-cell")
        for amount in ("source_amount", "target_amount", "ledger_source_net", "ledger_target_net"):
            assert cells[f"reconciliation|{row['movement_id']}|{amount}"] == row[amount]
        assert ids_on(page)
        assert all(entry in page.text for entry in row["ledger_entry_ids"].split(";"))
    page = browse(f"/search?{urlencode({'id': row['transact_id'] + '0'})}")
    assert "Nothing has this id" in page.text
    assert any(row["transact_id"] in link for link in page.links)


def test_the_search_shows_what_a_reference_does_not_count(funded: Ran) -> None:
    process, at = start(funded.out / "pool_recon.duckdb")
    try:
        shown = [Shown(fetch(at, f"/search?id={wanted}")[2]) for wanted in ("pay", "t1")]
    finally:
        stop(process)
    assert [page.unnamed for page in shown] == [[], []]
    of_reference, of_movement = (" ".join(page.text.split()) for page in shown)
    for said in ("payin_credit Superseded", "60.00", "payin_credit After cut off", "70.00"):
        assert said in of_reference
    assert "Secret exposed" in of_reference
    assert "Found of its rows that do not count Quarantined row" in of_movement
    assert "None" not in of_reference + of_movement


def test_the_search_says_whose_a_record_on_no_movement_is(two_days: Ran, address: str) -> None:
    for code in ("orphan_event", "orphan_ledger_entry"):
        row = next(row for row in two_days.rows("exceptions") if row["code"] == code)
        status, _, html = fetch(address, f"/search?{urlencode({'id': row['subject_id']})}")
        assert status == 200
        assert re.search(r"partner_\w+, (live|test)", html)


def test_a_changed_digit_is_caught(two_days: Ran, address: str) -> None:
    html = fetch(address, "/")[2]
    for sort in ("data-figure", "data-cell"):
        match = next(re.finditer(rf'{sort}="[^"]+">([0-9])', html))
        changed = html[: match.start(1)] + str((int(match[1]) + 1) % 10) + html[match.end(1) :]
        with pytest.raises(AssertionError):
            compare(Shown(changed), two_days)


def test_nothing_that_is_asked_comes_back_as_markup_or_secret(address: str) -> None:
    hostile = "<script>alert(1)</script>\"'&"
    secret = "sk_live_" + "a1B2c3D4e5F6"
    for path in ("/search?id=", "/exceptions?q=", "/exceptions?owner=", "/balances?asset="):
        for text in (hostile, secret):
            status, _, html = fetch(address, path + urllib.request.quote(text))
            assert status == 200
            assert "<script" not in html
            assert secret not in html


def test_secrets_and_private_fields_are_on_no_page(two_days: Ran, address: str) -> None:
    secrets = re.compile(r"(sk_live_|sk_test_|whsec_)[A-Za-z0-9_]{8,}")
    ids = [row["subject_id"] for row in two_days.rows("exceptions") if row["code"] != "no"]
    for path in ("/", "/exceptions", "/exceptions?page=2", *(f"/search?id={i}" for i in ids[:10])):
        assert not secrets.search(fetch(address, path)[2])


def test_the_server_answers_to_this_machine_alone(address: str) -> None:
    status, headers, html = fetch(address, "/")
    assert status == 200
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert headers["cache-control"] == "no-store"
    assert not re.search(r"(src|href|action)=\"?(https?:)?//", html)
    assert fetch(address, "/", Host="evil.example")[0] == 400
    assert fetch(address, "/nothing")[0] == 404


@pytest.fixture
def copied(two_days: Ran, tmp_path: Path) -> Path:
    return Path(shutil.copy(two_days.out / "pool_recon.duckdb", tmp_path / "pool_recon.duckdb"))


def test_the_file_is_free_between_pages_and_shows_what_takes_its_place(copied: Path) -> None:
    before = copied.stat()
    process, at = start(copied)
    try:
        assert "without the second reading" in fetch(at, "/")[2]
        assert (copied.stat().st_size, copied.stat().st_mtime_ns) == (
            before.st_size,
            before.st_mtime_ns,
        )
        other = Path(shutil.copy(copied, copied.with_name("other.duckdb")))
        # Another process writes: the page says so, and works again afterwards.
        writer = connect(copied)
        status, headers, html = fetch(at, "/")
        assert (status, headers["refresh"]) == (503, "5")
        assert "in use by another program" in html
        writer.close()
        assert fetch(at, "/")[0] == 200
        changed = connect(other)
        changed.execute("delete from marts.fct_exceptions")
        changed.close()
        other.replace(copied)
        assert Shown(fetch(at, "/")[2]).of("data-figure")["findings|all|blocking"] == "0"
    finally:
        stop(process)


def test_a_verdict_counts_only_with_the_warehouse_that_it_is_of(
    two_days: Ran, copied: Path
) -> None:
    published = two_days.package
    for package, expected in ((published, published), (two_days.out / PREVIOUS, None)):
        with Source(copied, package).opened() as (reader, snapshot):
            assert snapshot.package == expected
            assert not snapshot.figures.verdict.holds
            assert exceptions(reader, Choice()).total == len(two_days.rows("exceptions"))
    manifest = copied.parent / published.name / "manifest.json"
    manifest.parent.mkdir()
    manifest.write_text("{}", encoding="utf-8")
    with Source(copied).opened() as (_, snapshot):
        assert snapshot.package is None


@pytest.mark.parametrize("blocks", [REVIEW_RULE, "no_secrets", None])
def test_the_first_page_says_what_blocks(blocks: str | None, two_days: Ran) -> None:
    source = Source(two_days.out / "pool_recon.duckdb")
    with source.opened() as (_, snapshot):
        figures = snapshot.figures
    rules = [
        replace(rule, state="fails", violation_count=3)
        if rule.row["rule"] == blocks
        else replace(rule, state="holds", violation_count=0)
        for rule in figures.rules
    ]
    counts = {"blocking": 0, "warning": 3, "approved": 1}
    figures = replace(
        figures,
        verdict=Verdict({rule.row["rule"]: rule.state for rule in rules}),
        rules=rules,
        findings=replace(figures.findings, counts=counts),
        groups=[group for group in figures.groups if group.severity == "warning"],
    )
    asked = Request({"type": "http", "path": "/", "headers": [], "query_string": b""})
    pages = _Pages(source)
    html = pages._render("verdict.html.j2", asked, replace(snapshot, figures=figures))
    page = Shown(html)
    assert page.of("data-figure").get(f"violations|{REVIEW_RULE}") == (
        "3" if blocks == REVIEW_RULE else None
    )
    for words, expected in (
        ("decide, or set a new date with a reason in the register", blocks == REVIEW_RULE),
        ("block while a review is overdue", blocks == REVIEW_RULE),
        ("listed, they do not block", blocks != REVIEW_RULE),
        ("No finding blocks; see the checklist.", blocks == "no_secrets"),
        ("Nothing blocks.", blocks is None),
    ):
        assert (words in page.text) == expected, words
    assert ("/exceptions?sort=review" in re.findall(r'<li><a href="([^"]+)"', html)) == (
        blocks == REVIEW_RULE
    )


def test_an_id_keeps_its_letters_and_a_figure_says_what_is_in_it(address: str) -> None:
    html = fetch(address, "/search?id=No-Such-ID")[2]
    assert html.count("No-Such-ID") > 1
    assert "no-such-id" not in html
    html = fetch(address, "/movements")[2]
    for severity in ("Blocking", "Warnings"):
        assert f">{severity}, approved ones too<" in html


def test_what_is_looked_for_is_trimmed_as_ids_are() -> None:
    assert _choice({"q": " \t\u00a0q1\u3000\n"}).wanted == "\u00a0q1\u3000"


def no_address(_: str) -> None:
    raise AssertionError("nothing should be served")


def test_what_keeps_it_from_starting_is_said_in_one_line(
    two_days: Ran, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse = two_days.out / "pool_recon.duckdb"
    with pytest.raises(CloseError, match="there is no warehouse"):
        dashboard(tmp_path / "none.duckdb", None, 0, no_address)
    with pytest.raises(CloseError, match=r"cannot listen on port [0-9]+ .*--port"):
        dashboard(warehouse, None, int(address.rpartition(":")[2]), no_address)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(CloseError, match=r"run pip install 'pool-recon\[dashboard\]'"):
        dashboard(warehouse, None, 0, no_address)
