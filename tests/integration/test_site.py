"""The documentation site opens from the disk: no link leads nowhere, nothing comes by network."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from docsite import build as site_build
from docsite.entities import PLACES, diagram, entities
from tests.fault_matrix.finding_pages import INDEX, pages, registry

ROOT = Path(__file__).resolve().parents[2]
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
# what fetches while a page is read, in contrast to a link that somebody follows
FETCHING = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src"}
STYLE_URL = re.compile(r"url\(\s*['\"]?([^'\")]+)|@import\s+['\"]([^'\"]+)")
HAND_WRITTEN = ("## Why it matters", "## How to mend it")
GENERATED = re.compile(r"<!-- (?:facts|trips|nearly).*?<!-- end -->", re.DOTALL)


class Page(HTMLParser):
    """The links, the resources and the anchors of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.anchors: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.anchors |= {values[name] for name in ("id", "name") if name in values}
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        if FETCHING.get(tag, "") in values:
            self.fetched.append(values[FETCHING[tag]])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("documentation") / "site"
    site_build.build(out, has_dbt=False)
    return out


@pytest.fixture(scope="module")
def read(site: Path) -> dict[Path, Page]:
    return {path: Page(path) for path in sorted(site.rglob("*.html"))}


@pytest.mark.slow
def test_no_link_leads_nowhere(site: Path, read: dict[Path, Page]) -> None:
    dead = []
    for path, page in read.items():
        for link in [*page.links, *page.fetched]:
            parts = urlsplit(link)
            if parts.scheme:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            anchor = unquote(parts.fragment)
            if not target.is_file() or (anchor and anchor not in read[target].anchors):
                dead.append(f"{path.relative_to(site)}: {link}")
    assert dead == []


@pytest.mark.slow
def test_nothing_comes_by_network(site: Path, read: dict[Path, Page]) -> None:
    fetched = [each for page in read.values() for each in page.fetched]
    for path in site.rglob("*.css"):
        for found in STYLE_URL.findall(path.read_text(encoding="utf-8")):
            fetched.append(found[0] or found[1])
    assert fetched
    assert [each for each in fetched if urlsplit(each).scheme not in {"", "data"}] == []
    assert [each for each in fetched if each.startswith("//")] == []


@pytest.mark.slow
def test_the_site_has_every_page(site: Path) -> None:
    made = {str(path.relative_to(site)) for path in site.rglob("*.html")}
    wanted = {"index.html", "entities.html", "changelog.html", "search.html"}
    wanted |= {"contributing.html"}
    wanted |= {f"{path.stem}.html" for path in (ROOT / "docs").glob("*.md")}
    wanted |= {f"findings/{code}.html" for code in registry()} | {"findings/index.html"}
    assert made == wanted
    assert "missing_webhook" in (site / "searchindex.js").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_search_works_from_the_disk(site: Path, tmp_path: Path) -> None:
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip("there is no Chromium here")
    done = subprocess.run(
        [
            *(browser, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"),
            *("--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={tmp_path}"),
            *("--virtual-time-budget=20000", f"{(site / 'search.html').as_uri()}?q=webhook"),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "HOME": str(tmp_path)},
        check=False,
    )
    if done.returncode:
        pytest.skip(f"Chromium does not start here: {done.stderr[-200:]}")
    assert re.search(r'<a href="findings/missing_webhook\.html[^>]*data-score', done.stdout)


def test_the_list_of_findings_is_that_of_the_reference_data() -> None:
    assert INDEX.read_text(encoding="utf-8") == site_build.finding_list(registry().values())


def test_a_link_that_leads_nowhere_stops_the_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "index.md").write_text("# Start\n\n[there](nowhere.md)\n")
    with pytest.raises(SystemExit, match=r"nowhere\.md"):
        site_build.render(tmp_path / "pages", tmp_path / "out")


def test_no_two_pages_share_a_hand_written_paragraph() -> None:
    paragraphs: Counter[str] = Counter()
    for code, page in pages().items():
        text = page.read_text(encoding="utf-8")
        assert all(text.count(f"\n{title}\n") == 1 for title in HAND_WRITTEN), code
        own = [part.strip() for part in GENERATED.sub("", text).split("\n\n")]
        assert sum(len(part) for part in own) > 700, f"{code} says too little"
        paragraphs.update(part for part in own if part and not part.startswith("#"))
    assert [text for text, count in paragraphs.items() if count > 1] == []


def test_approvals_are_spoken_of_where_they_are_possible() -> None:
    for code, row in registry().items():
        text = pages()[code].read_text(encoding="utf-8")
        can = row["severity"] == "blocking" and row["is_approvable"] == "true"
        assert ("\n### When to approve instead\n" in text) == can, code


def test_entities_and_references_are_those_of_the_project() -> None:
    drawn = entities(ROOT)
    references = {
        f"{name}.{column.name}": column.refers_to
        for name, entity in drawn.items()
        for column in entity.columns
        if column.refers_to
    }
    assert references["trades.quote_id"] == ("quotes.quote_id",)
    assert references["ledger.ledger_ref"] == ("trades.transact_id", "quotes.quote_id")
    assert references["approvals.exception_id"] == ("findings.exception_id",)
    assert references["findings.ledger_entry_id"] == ("ledger.ledger_entry_id",)
    svg = diagram(ROOT)
    assert all('class="name"' in svg and f">{name}</text>" in svg for name in PLACES)


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        ("models/sources.yml", "[trades.transact_id, quotes.quote_id]", "[deals.id]", "deals.id"),
        ("models/sources.yml", "[ledger.ledger_entry_id]", "[ledger.id]", "no such key"),
        ("seeds/ref_export_columns.csv", "\npools,pool_id", "\nloads,load_id", "no meta.key"),
    ],
)
def test_a_reference_that_leads_nowhere_is_seen(
    tmp_path: Path, file: str, old: str, new: str, expected: str
) -> None:
    for folder in ("models", "seeds"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    text = (tmp_path / file).read_text(encoding="utf-8")
    assert old in text
    (tmp_path / file).write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(ValueError, match=expected):
        diagram(tmp_path)
