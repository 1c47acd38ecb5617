"""Builds the documentation site into a folder that opens from the disk, without a network.

    python -m docsite.build --out site [--without-dbt]

The README is its start page; the guides and the pages of findings are those of docs/. The entity
diagram is made from the reference data and the YAML of the project. The docs of dbt need a built
warehouse, for which a sample is loaded and built in a folder that is thrown away; `--without-dbt`
leaves them out.
"""

from __future__ import annotations

import argparse
import csv
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterable
from pathlib import Path

from docsite.entities import diagram

ROOT = Path(__file__).resolve().parents[1]
STATIC = Path(__file__).with_name("static")
# what comes first of docs/ in the list of guides, and what is no guide
FIRST_GUIDES = ("bring-your-own-exports", "blocked-close")
REFERENCE = ("decisions", "fault-matrix")
DBT_PAGE = Path("dbt", "index.html")
SAMPLE, CLOSE_DATE = Path("samples", "bad_day"), "2026-06-30"

_MARKER = re.compile(r"^<!-- (?:facts|trips|nearly|end)\b.*-->\n", re.MULTILINE)
_FETCHED = re.compile(r"<(?:script|link|img|iframe)\b[^>]*(?:src|href)=[\"']?(?:https?:)?//[^>]*>")
_START = """
```{toctree}
:hidden:
:caption: Guides

Start <self>
%s
```

```{toctree}
:hidden:
:caption: Reference

entities
findings/index
%s
contributing
changelog
```
"""
_ENTITIES = """\
# Entities and models

What a close reads and what it makes, with the columns that identify a record (bold), those that
refer to another one, and those that are never empty. The arrow names the entity that is referred
to; a line is drawn where it stands next to it. Records join by ids, never by amount, and a
reference may lead nowhere: that is a finding, not an error.

```{raw} html
%s
```

orders, quotes, trades, events, ledger, funding, balances and pools are the exports. A movement is a
row of `reconciliation.csv` (`fct_reconciliation` in the warehouse), a finding one of
`exceptions.csv` (`fct_exceptions`), and an approval a line of the exception register
(`register.csv`, `fct_register_rows`). %s
"""
_FINDINGS = """\
# Findings

Every code that a close can raise. `exceptions.csv` has a row for each; blocking ones stop the close
until they are gone or approved.
"""


def build(out: Path, has_dbt: bool = True) -> None:
    """Build the site into `out`, in place of what was there.

    Raises SystemExit with one line where a page does not build: a link that leads nowhere, a page
    that is in no list.
    """
    with tempfile.TemporaryDirectory(prefix="pool_recon_site_") as folder:
        pages, extra = Path(folder, "pages"), Path(folder, "extra")
        extra.mkdir()
        if has_dbt:
            dbt_docs(extra / DBT_PAGE, Path(folder, "dbt"))
        write_pages(pages, has_dbt)
        made = Path(folder, "site")
        render(pages, made)
        shutil.copytree(extra, made, dirs_exist_ok=True)
        for made_for_a_server in (".buildinfo", "objects.inv"):
            (made / made_for_a_server).unlink(missing_ok=True)
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(made, out)


def write_pages(pages: Path, has_dbt: bool) -> None:
    """Write the sources of the site: Markdown, with links between the pages as they will be."""
    (pages / "findings").mkdir(parents=True)
    others = {path.stem for path in (ROOT / "docs").glob("*.md")} - {*FIRST_GUIDES, *REFERENCE}
    guides = [*FIRST_GUIDES, *sorted(others)]
    start = top_page(ROOT / "README.md")
    lists = _START % ("\n".join(guides), "\n".join(REFERENCE))
    (pages / "index.md").write_text(start + lists, encoding="utf-8")
    (pages / "contributing.md").write_text(top_page(ROOT / "CONTRIBUTING.md"), encoding="utf-8")
    shutil.copy(ROOT / "CHANGELOG.md", pages / "changelog.md")
    for page in (*guides, *REFERENCE):
        shutil.copy(ROOT / "docs" / f"{page}.md", pages)
    codes = registry()
    for row in codes:
        text = (ROOT / "docs" / "findings" / f"{row['code']}.md").read_text(encoding="utf-8")
        (pages / "findings" / f"{row['code']}.md").write_text(
            _MARKER.sub("", text), encoding="utf-8"
        )
    names = "\n".join(row["code"] for row in codes)
    index = (ROOT / "docs" / "findings" / "index.md").read_text(encoding="utf-8")
    (pages / "findings" / "index.md").write_text(
        f"{index}\n```{{toctree}}\n:hidden:\n\n{names}\n```\n", encoding="utf-8"
    )
    models = (
        "Every model and column is described in the "
        f'<a href="{DBT_PAGE.as_posix()}">docs of dbt</a>.'
        if has_dbt
        else ""
    )
    (pages / "entities.md").write_text(_ENTITIES % (diagram(ROOT), models), encoding="utf-8")


def top_page(path: Path) -> str:
    """A page beside docs/ as one of the site: what it links to in docs/ lies beside it here."""
    text = path.read_text(encoding="utf-8").replace("](docs/", "](")
    for name in ("CHANGELOG.md", "CONTRIBUTING.md"):
        text = text.replace(f"]({name}", f"]({name.lower()}")
    return text


def registry() -> list[dict[str, str]]:
    """The rows of seeds/ref_findings.csv, in its order."""
    with (ROOT / "seeds" / "ref_findings.csv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, strict=True))


def finding_list(codes: Iterable[dict[str, str]]) -> str:
    """The page docs/findings/index.md: the codes, in a table for each category."""
    by_category: dict[str, list[dict[str, str]]] = {}
    for row in codes:
        by_category.setdefault(row["category"], []).append(row)
    lines = [_FINDINGS]
    for category, rows in by_category.items():
        lines += [f"## {category.capitalize()}", "", "| code | severity | meaning | owner |"]
        lines += ["|---|---|---|---|"]
        lines += [
            f"| [`{row['code']}`]({row['code']}.md) | {row['severity']} | {row['meaning']} "
            f"| {row['owner']} |"
            for row in rows
        ]
        lines += [""]
    return "\n".join(lines)


def render(pages: Path, out: Path) -> None:
    """Let Sphinx make the pages; a warning of it ends the build."""
    from sphinx.application import Sphinx

    said = io.StringIO()
    settings = {
        "project": "pool-recon",
        "extensions": ["myst_parser"],
        "myst_heading_anchors": 4,
        "html_theme": "furo",
        "html_title": "pool-recon",
        "html_theme_options": {"top_of_page_buttons": []},
        "html_css_files": ["site.css"],
        "html_static_path": [str(STATIC)],
        "html_copy_source": False,
        "html_show_sourcelink": False,
        "html_show_sphinx": False,
        "html_show_copyright": False,
        "html_use_index": False,
        "html_domain_indices": False,
        "highlight_language": "text",
        "suppress_warnings": ["toc.duplicate_entry"],
    }
    out.mkdir(parents=True)
    with warnings.catch_warnings():
        # of extensions, about versions of Sphinx to come
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        application = Sphinx(
            srcdir=pages,
            confdir=None,
            outdir=out,
            doctreedir=pages.parent / "doctrees",
            buildername="html",
            confoverrides=settings,
            status=None,
            warning=said,
        )
        application.build()
    complaints = [line for line in said.getvalue().splitlines() if line.strip()]
    if complaints or application.statuscode:
        raise SystemExit("\n".join(["the site does not build:", *complaints]))


def dbt_docs(page: Path, folder: Path) -> None:
    """Write the docs of dbt over a warehouse that is built for them, as one file.

    Raises SystemExit with what dbt said where it does not get so far.
    """
    folder.mkdir()
    warehouse = folder / "sample.duckdb"
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("POOL_RECON", "DBT"))}
    environment |= {
        "POOL_RECON_WAREHOUSE": str(warehouse),
        "POOL_RECON_CLOSE_DATE": CLOSE_DATE,
        "DO_NOT_TRACK": "1",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "PYTHONPATH": str(ROOT),
    }
    cli = "from pool_recon.cli import main; main()"
    load = ("-c", cli, "load", "--exports", str(ROOT / SAMPLE), "--warehouse", str(warehouse))
    places = (
        *("--project-dir", str(ROOT), "--profiles-dir", str(ROOT)),
        *("--target-path", str(folder / "target"), "--log-path", str(folder)),
    )
    dbt = ("-m", "dbt.cli.main", "--quiet", "--no-version-check")
    tests = ("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")
    for arguments in (
        load,
        (*dbt, "build", *places, *tests),
        (*dbt, "docs", "generate", "--static", *places),
    ):
        done = subprocess.run(
            [sys.executable, *arguments],
            capture_output=True,
            text=True,
            env=environment,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"the docs of dbt do not build:\n{done.stdout}{done.stderr}")
    page.parent.mkdir(parents=True)
    text = (folder / "target" / "static_index.html").read_text(encoding="utf-8")
    if fetched := _FETCHED.findall(text):
        raise SystemExit(f"the docs of dbt would load from a network: {fetched}")
    page.write_text(without_places(text, folder), encoding="utf-8")


def without_places(text: str, folder: Path) -> str:
    """The page without the folders of the machine that it was made on."""
    return text.replace(str(folder), "").replace(str(ROOT), "")


def main() -> None:
    """Build the site as the arguments of the command line say."""
    parser = argparse.ArgumentParser(description="Build the documentation site.")
    parser.add_argument("--out", type=Path, default=ROOT / "site", help="folder to build into")
    parser.add_argument("--without-dbt", action="store_true", help="leave out the docs of dbt")
    arguments = parser.parse_args()
    build(arguments.out, not arguments.without_dbt)
    print(f"documentation: open {arguments.out / 'index.html'}")


if __name__ == "__main__":
    main()
