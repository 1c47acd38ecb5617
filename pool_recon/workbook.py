"""The workbook: the files of the package as sheets of one Excel file, for people who live in one.

An amount keeps its exact text, and beside it stands a column `<column>_number` for sums: a number
of Excel has 15 digits. Text is written as text and formatted as text, so that no value can become a
formula, not even when its cell is edited. The same package gives the same bytes.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pool_recon.long_records import allow_long_values
from pool_recon.report.figures import STANDINGS, Figures
from pool_recon.restated import headline, why

if TYPE_CHECKING:
    import duckdb
    from xlsxwriter.format import Format
    from xlsxwriter.workbook import Workbook
    from xlsxwriter.worksheet import Worksheet

WORKBOOK_NAME = "close.xlsx"

# How many rows of a file a sheet takes unless told otherwise; of exceptions.csv, from which people
# work, more. The files are always whole.
DEFAULT_ROWS = 20_000
DEFAULT_EXCEPTIONS = 100_000
# What Excel can hold: rows of a sheet, of which two may be a note and the header; text of a cell.
MAX_ROWS = 1_048_576 - 2
_MAX_TEXT = 32_767

# The sheets in the order of their use; other files of the package follow by name.
_FIRST_SHEETS = (
    "checklist",
    "exceptions",
    "reconciliation",
    "balances",
    "conservation",
    "orders",
    "quotes",
    "trades",
    "events",
    "ledger",
)

# Where a file is cut, the rows that come first: file, column, value.
_FIRST_ROWS = {"reconciliation": ("reconciliation_state", "exception")}

# Words that colour their cells: column, word, colour.
_COLOURS = (
    ("holds", "true", "good"),
    ("holds", "false", "bad"),
    ("severity", "blocking", "bad"),
    ("severity", "warning", "warn"),
    ("approval", "approved", "info"),
    ("approval", "rejected", "warn"),
    ("approval", "expired", "warn"),
    ("approval", "stale", "warn"),
    ("reconciliation_state", "matched", "good"),
    ("reconciliation_state", "approved", "info"),
    ("reconciliation_state", "open", "warn"),
    ("reconciliation_state", "lapsed", "idle"),
    ("reconciliation_state", "exception", "bad"),
)
_FILLS = {
    "good": ("#E6F3EB", "#1F7A4D"),
    "bad": ("#FBEAE8", "#B3261E"),
    "warn": ("#FBF1DD", "#8A5A00"),
    "info": ("#E7EEF8", "#2B5FA8"),
    "idle": ("#EFEEEA", "#5D5F69"),
}

# A text in XML, blanks and all.
_TEXT = ' t="inlineStr"><is><t xml:space="preserve">'
_END_OF_TEXT = "</t></is></c>"
_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,15}")
_WIDTH_ROWS = 200
# How Excel calls this size of paper.
_A4 = 9
# What a text cannot hold as it is: marks of XML, control characters, and what stands for them.
_SPECIAL = re.compile("[<>&\\x00-\\x08\\x0b-\\x1f\\ufffe\\uffff]|_x[0-9a-fA-F]{4}_")


@dataclass(frozen=True)
class Sheet:
    """A file of the package on its sheet: how many rows it has, and how many the sheet shows."""

    name: str
    rows: int
    shown: int
    cut_texts: int

    @property
    def note(self) -> str:
        """What the sheet does not show, empty where it shows everything."""
        parts = []
        if self.shown < self.rows:
            first = ", those with exceptions first" if self.name in _FIRST_ROWS else ""
            parts.append(
                f"{self.shown} of {self.rows} rows{first}; all of them are in {self.name}.csv"
            )
        if self.cut_texts:
            parts.append(
                f"{self.cut_texts} texts longer than a cell can hold are cut; they are whole in "
                f"{self.name}.csv"
            )
        return "; ".join(parts)


def write_workbook(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    figures: Figures,
    rows: int | None = None,
) -> tuple[Path, int]:
    """Write close.xlsx into `folder`, a package whose CSV files are written.

    `rows` is the most that a sheet takes of a file, None the defaults; what it leaves out is said
    on the sheet and in the summary. Returns the path and the number of rows on all sheets of files.
    Raises OSError, and duckdb.Error where the warehouse cannot be read.
    """
    import xlsxwriter
    from xlsxwriter.exceptions import FileCreateError

    path = folder / WORKBOOK_NAME
    kinds = _kinds(connection)
    options = {"constant_memory": True, "tmpdir": str(folder)}
    workbook = xlsxwriter.Workbook(str(path), options)
    # Nothing else in the file tells when it was made.
    close_date = datetime.fromisoformat(figures.close["close_date"])
    workbook.set_properties({"title": f"Close of {close_date:%Y-%m-%d}", "created": close_date})
    styles = _Styles(workbook)
    summary = workbook.add_worksheet("summary", worksheet_class=_worksheet_class())
    files = {Path(str(output["file"])).stem: output for output in _csv_files(figures.files)}
    names = [name for name in _FIRST_SHEETS if name in files]
    names += sorted(set(files) - set(names))
    sheets = []
    for name in names:
        worksheet = workbook.add_worksheet(name, worksheet_class=_worksheet_class())
        count = int(files[name]["rows"])
        marked = {"reported_balance": figures.mismatches} if name == "balances" else {}
        writer = _SheetWriter(worksheet, styles, name, kinds, close_date, marked)
        exceptions = dict(figures.states).get("exception", 0)
        sheets.append(writer.write(folder / f"{name}.csv", count, _limit(name, rows), exceptions))
        worksheet.set_tab_color(_tab_colour(name, figures))
    summary.set_tab_color(_FILLS["good" if figures.verdict.holds else "bad"][1])
    _write_summary(summary, styles, figures, sheets)
    # The archive keeps the permissions of its parts, and these are temporary files: of their owner
    # alone, whatever the umask, so the bytes are the same for everyone.
    try:
        workbook.close()
    except FileCreateError as error:
        raise error.args[0] from None
    return path, sum(sheet.shown for sheet in sheets)


def _limit(name: str, rows: int | None) -> int:
    """How many rows the sheet of a file takes at most."""
    if rows is None:
        rows = DEFAULT_EXCEPTIONS if name == "exceptions" else DEFAULT_ROWS
    return max(1, min(rows, MAX_ROWS))


def _tab_colour(name: str, figures: Figures) -> str:
    """The colour of a sheet among the others: the sheets of the verdict tell what they hold."""
    if name == "checklist":
        holds = all(rule.state == "holds" for rule in figures.rules)
        return _FILLS["good" if holds else "bad"][1]
    if name == "exceptions":
        counts = figures.findings.counts
        colour = "bad" if counts["blocking"] else "warn" if counts["warning"] else "good"
        return _FILLS[colour][1]
    return _FILLS["idle"][1]


def _csv_files(outputs: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """The files that get a sheet: those in a folder of their own are for programs."""
    return (output for output in outputs if re.fullmatch(r"[^/]+\.csv", str(output["file"])))


def _kinds(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """What each published column holds, by the type that the warehouse keeps it in."""
    rows = connection.execute(
        "select column_name, string_agg(distinct case"
        " when data_type like 'DECIMAL%,0)' then 'whole'"
        " when data_type like 'DECIMAL%' then 'amount'"
        " when data_type in ('INTEGER', 'BIGINT', 'HUGEINT') then 'whole'"
        " when data_type = 'DATE' then 'date' else 'text' end, ' ') as kinds"
        " from information_schema.columns where table_schema in ('marts', 'intermediate')"
        " group by column_name"
    ).fetchall()
    return dict(rows)


def _worksheet_class() -> type[Worksheet]:
    from xlsxwriter.worksheet import Worksheet

    class PlainWorksheet(Worksheet):
        """Takes rows whose cells are written already, which is three times as fast.

        The worksheet that it extends takes a text that looks like marked-up text for XML of its
        own, which a value of an export must never become.
        """

        def append_rows(self, first: int, rows: Iterable[str]) -> None:
            """Write the cells of each of `rows`, from the row `first` on, below all others."""
            self._write_single_row(first)
            last = first - 1
            for last, cells in enumerate(rows, start=first):
                self.fh.write(f'<row r="{last + 1}">{cells}</row>')
            self._check_dimensions(last, 0)

        def number_of_day(self, day: date) -> str:
            """A day as a number of the calendar of Excel."""
            return f"{self._convert_date_time(day):.16G}"

        def escaped(self, text: str) -> str:
            """A text as it stands in XML."""
            if _SPECIAL.search(text):
                return str(self._escape_data(self._escape_control_characters(text)))
            return text

        def styled(self, column: int, style: Format | None = None) -> tuple[str, str]:
            """A cell up to the number of its row, and from there to the end of its style."""
            known = self.col_info.get(column)
            style = style or (known.column_format if known else None)
            end = "" if style is None else f' s="{style._get_xf_index()}"'
            return f'<c r="{_column_name(column)}', f'"{end}'

        def _write_cell(self, row: int, column: int, cell: Any) -> None:
            kind = type(cell).__name__
            if kind not in {"String", "Number"}:
                super()._write_cell(row, column, cell)
                return
            start, end = self.styled(column, cell.format)
            if kind == "Number":
                self.fh.write(f"{start}{row + 1}{end}><v>{cell.number!r}</v></c>")
            else:
                text = self.escaped(cell.string)
                self.fh.write(f"{start}{row + 1}{end}{_TEXT}{text}{_END_OF_TEXT}")

    return PlainWorksheet


@cache
def _column_name(column: int) -> str:
    from xlsxwriter.utility import xl_col_to_name

    return str(xl_col_to_name(column))


class _Styles:
    """The formats of the workbook."""

    def __init__(self, workbook: Workbook) -> None:
        base = {"font_name": "Calibri", "font_size": 10, "valign": "vcenter"}

        def made(**properties: object) -> Format:
            return workbook.add_format({**base, **properties})

        # As many decimals as an amount can have: none that is not zero is shown as zero.
        number = f"#,##0.00{'#' * 16}"
        number += f";[Red]-{number}"
        self.text = made(num_format="@")
        self.amount = made(num_format="@", align="right", indent=1)
        fill, ink = _FILLS["warn"]
        self.marked = made(num_format="@", align="right", indent=1, bg_color=fill, font_color=ink)
        self.number = made(num_format=number, font_color="#5D5F69", align="right", indent=1)
        self.whole = made(num_format="0", align="right", indent=1)
        self.count = made(num_format="0", align="left")
        self.date = made(num_format="yyyy-mm-dd", align="left")
        self.header = made(
            bold=True, font_color="#FFFFFF", bg_color="#30333D", valign="vcenter", num_format="@"
        )
        self.note = made(bold=True, num_format="@", bg_color="#FBF1DD", font_color="#8A5A00")
        self.title = made(bold=True, num_format="@", font_size=18)
        self.section = made(bold=True, num_format="@", font_size=12, bottom=2)
        self.wrapped = made(num_format="@", text_wrap=True)
        self.fills = {
            name: workbook.add_format({"bg_color": fill, "font_color": ink})
            for name, (fill, ink) in _FILLS.items()
        }
        self.verdicts = {
            name: made(bold=True, num_format="@", font_size=18, bg_color=fill, font_color=ink)
            for name, (fill, ink) in _FILLS.items()
        }


class _SheetWriter:
    """Writes one file of the package onto a sheet, row after row."""

    def __init__(
        self,
        worksheet: Worksheet,
        styles: _Styles,
        name: str,
        kinds: Mapping[str, str],
        close_date: datetime,
        marked: Mapping[str, Collection[int]],
    ) -> None:
        self._worksheet = worksheet
        self._styles = styles
        self._name = name
        self._kinds = kinds
        self._close_date = close_date
        self._marked = marked
        self._cut_texts = 0

    def write(self, file: Path, count: int, limit: int, exceptions: int) -> Sheet:
        """Write up to `limit` of the `count` rows of `file`; `exceptions` of the movements are."""
        shown = min(count, limit)
        is_cut = shown < count
        columns, rows = _read(file)
        if is_cut and self._name in _FIRST_ROWS:
            rows = _first(file, columns, *_FIRST_ROWS[self._name], exceptions)
        sample = list(islice(rows, min(_WIDTH_ROWS, shown)))
        header_row = 1 if is_cut else 0
        positions = self._head(columns, sample, header_row)
        if is_cut:
            note = Sheet(self._name, count, shown, 0).note
            self._worksheet.write_string(0, 0, f"Cut: {note}", self._styles.note)
        self._write_header(positions, header_row)
        first = header_row + 1
        cells = [self._cells(column, at, header_row + 1) for column, at in positions]
        taken = islice(chain(sample, rows), shown)
        self._worksheet.append_rows(
            first,
            (
                "".join(
                    [cell(row, value) for cell, value in zip(cells, values, strict=True) if value]
                )
                for row, values in enumerate(taken, start=first + 1)
            ),
        )
        self._finish(positions, header_row, header_row + shown)
        return Sheet(self._name, count, shown, self._cut_texts)

    def _head(
        self, columns: Sequence[str], sample: Sequence[Sequence[str]], header_row: int
    ) -> list[tuple[str, int]]:
        """Where each column stands, with its width; an amount takes two."""
        positions, at = [], 0
        for index, column in enumerate(columns):
            kind = self._kinds.get(column, "text")
            longest = max((len(row[index]) for row in sample), default=0)
            # room for the arrow of the filter
            width = min(max(longest + 2, len(column) + 4, 8), 60)
            formats = {
                "amount": self._styles.amount,
                "whole": self._styles.whole,
                "date": self._styles.date,
            }
            # right-hand figures stand off the text that follows them
            width += kind in ("amount", "whole")
            self._worksheet.set_column(at, at, width, formats.get(kind, self._styles.text))
            positions.append((column, at))
            at += 1
            if kind == "amount":
                # room for the marks of thousands and for two decimals
                width = max(len(column) + 11, min(longest + longest // 3 + 5, 60))
                self._worksheet.set_column(at, at, width, self._styles.number)
                at += 1
        self._worksheet.freeze_panes(header_row + 1, 1)
        return positions

    def _write_header(self, positions: Sequence[tuple[str, int]], row: int) -> None:
        self._worksheet.set_row(row, 20)
        for column, at in positions:
            self._worksheet.write_string(row, at, column, self._styles.header)
            if self._kinds.get(column) == "amount":
                name = f"{column}_number"
                self._worksheet.write_string(row, at + 1, name, self._styles.header)

    def _cells(self, column: str, at: int, above: int) -> Callable[[int, str], str]:
        """What makes a cell, or two, of the number of a row, from 1, and a value.

        The rows of the file stand below the first `above` of the sheet.
        """
        kind = self._kinds.get(column, "text")
        marked = self._marked.get(column, ())
        start, end = self._worksheet.styled(at)
        _, marked_end = self._worksheet.styled(at, self._styles.marked)
        next_start, next_end = self._worksheet.styled(at + 1)
        escaped = self._worksheet.escaped

        def text(row: int, value: str) -> str:
            if len(value) > _MAX_TEXT // 2 and _length(value) > _MAX_TEXT:
                value = self._cut(value)
            return f"{start}{row}{end}{_TEXT}{escaped(value)}{_END_OF_TEXT}"

        def amount(row: int, value: str) -> str:
            number = f"{next_start}{row}{next_end}><v>{float(value)!r}</v></c>"
            style = marked_end if row - above in marked else end
            return f"{start}{row}{style}{_TEXT}{value}{_END_OF_TEXT}{number}"

        def whole(row: int, value: str) -> str:
            if _WHOLE_NUMBER.fullmatch(value):
                return f"{start}{row}{end}><v>{int(value)}</v></c>"
            return text(row, value)

        def day(row: int, value: str) -> str:
            # The calendar of Excel begins in 1900, with a leap day that never was.
            if value >= "1900-03-01":
                number = self._worksheet.number_of_day(date.fromisoformat(value))
                return f"{start}{row}{end}><v>{number}</v></c>"
            return text(row, value)

        return {"amount": amount, "whole": whole, "date": day}.get(kind, text)

    def _cut(self, value: str) -> str:
        """A text that is longer than a cell can hold, with a note instead of its end."""
        self._cut_texts += 1
        note = f" [cut: {len(value)} characters in {self._name}.csv]"
        kept = value.encode("utf-16-le")[: 2 * (_MAX_TEXT - len(note))]
        return kept.decode("utf-16-le", errors="ignore") + note

    def _finish(self, positions: Sequence[tuple[str, int]], header_row: int, last: int) -> None:
        worksheet, first = self._worksheet, header_row + 1
        width = max((at for _, at in positions), default=0)
        if positions and self._kinds.get(positions[-1][0]) == "amount":
            width += 1
        worksheet.autofilter(header_row, 0, max(last, header_row), width)
        _set_page(worksheet)
        worksheet.repeat_rows(header_row)
        if last < first:
            return
        for column, at in positions:
            for coloured, word, colour in _COLOURS:
                if coloured == column:
                    worksheet.conditional_format(
                        *(first, at, last, at),
                        {
                            "type": "cell",
                            "criteria": "==",
                            "value": f'"{word}"',
                            "format": self._styles.fills[colour],
                        },
                    )
            if column == "quarantined":
                worksheet.conditional_format(
                    *(first, at, last, at),
                    {
                        "type": "cell",
                        "criteria": ">",
                        "value": 0,
                        "format": self._styles.fills["warn"],
                    },
                )
            if column == "next_review_date":
                worksheet.conditional_format(
                    *(first, at, last, at),
                    {
                        "type": "date",
                        "criteria": "less than",
                        "value": self._close_date,
                        "format": self._styles.fills["bad"],
                    },
                )


def _set_page(worksheet: Worksheet) -> None:
    """Print a sheet on A4, landscape, on the width of one page."""
    worksheet.set_paper(_A4)
    worksheet.set_landscape()
    worksheet.fit_to_pages(1, 0)


def _read(file: Path) -> tuple[list[str], Iterator[list[str]]]:
    rows = _rows(file)
    return next(rows), rows


def _rows(file: Path) -> Iterator[list[str]]:
    # A list of ids may be longer than the reader takes by default.
    allow_long_values()
    with file.open(encoding="utf-8", newline="") as stream:
        yield from csv.reader(stream, strict=True)


def _first(
    file: Path, columns: Sequence[str], column: str, value: str, count: int
) -> Iterator[list[str]]:
    """The rows of a file with those first that have `value` in `column`, of which `count` are."""
    at = columns.index(column)
    yield from islice((row for row in _read(file)[1] if row[at] == value), count)
    yield from (row for row in _read(file)[1] if row[at] != value)


def _length(value: str) -> int:
    """The length of a text as Excel counts it."""
    return len(value.encode("utf-16-le")) // 2


# The width of the column of the summary that holds sentences.
_WRAPPED = 90


def _write_summary(
    worksheet: Worksheet, styles: _Styles, figures: Figures, sheets: Sequence[Sheet]
) -> None:
    """Write the first sheet: verdict, figures, and what each sheet holds."""
    for column, width in enumerate((40, 16, 26, 24, _WRAPPED)):
        worksheet.set_column(column, column, width, styles.text)
    worksheet.hide_gridlines(2)
    _set_page(worksheet)
    holds = figures.verdict.holds
    close = figures.close
    row = _Rows(worksheet, styles)
    row.line(f"Close of {close['close_date']}", style=styles.title, height=28)
    row.line(
        "Ready to sign off" if holds else "Blocked",
        style=styles.verdicts["good" if holds else "bad"],
        height=28,
    )
    row.line("Cut-off", close["cut_off_at"])
    row.line("Business time zone", close["time_zone"])

    row.section("Checklist", "Verdict", "Findings", "Approved", "Rule")
    for rule in figures.rules:
        row.line(
            rule.row["rule"],
            rule.state,
            int(rule.row["findings"]),
            int(rule.row["approved"]),
            rule.row["description"],
            wraps=True,
        )
        row.colour(1, "good" if rule.state == "holds" else "bad")
    for title, names in (
        ("Failed checks", figures.verdict.failed_checks),
        ("Test and checklist disagree", figures.verdict.disagreements),
        ("Failed expectations", figures.failed_expectations),
        ("Unchecked expectations", figures.verdict.unchecked_expectations),
        ("Second reading differs", figures.verdict.differing_readings),
    ):
        if names:
            row.line(title, ", ".join(names))

    row.section("Movements", "Count")
    row.line("all", figures.movements)
    for state, count in figures.states:
        row.line(state, count)
    row.line("match rate, per cent", figures.match_rate or "")

    row.section("Findings", "Count")
    for standing in STANDINGS:
        row.line(standing, figures.findings.counts[standing])
    row.line("review overdue", figures.findings.overdue)

    row.section("Money at risk", "Standing", "Amount", "Amount as a number")
    for tally in figures.assets:
        for asset, sums in tally.at_risk.items():
            for standing, amount in sums.items():
                row.line(asset or "no asset stated", standing, amount)
                row.number(3, amount)
    if figures.unlisted_assets:
        row.line(
            f"Assets not listed here, in exceptions.csv: {figures.unlisted_assets}",
            style=styles.note,
        )

    _write_restated(row, styles, figures)

    row.section("Sheets", "Rows of the file", "Rows on the sheet", "", "What is left out")
    for sheet in sheets:
        row.line(sheet.name, sheet.rows, sheet.shown, "", sheet.note, wraps=True)
        row.link(sheet.name)
        if sheet.note:
            row.colour(4, "warn")

    row.section("How to read this workbook")
    for text in (
        "Amounts are exact as text. A column that ends in _number repeats its amount for sums and "
        "charts, rounded to the 15 digits that Excel has.",
        "Times are UTC. Every cell of text is text: what looks like a formula is none.",
        "The CSV files beside this workbook are the record; manifest.json has their hashes.",
    ):
        row.line(text)
    if any(sheet.note for sheet in sheets):
        row.line(
            "Some sheets do not show every row of their file: see What is left out, above.",
            style=styles.note,
        )


def _write_restated(row: _Rows, styles: _Styles, figures: Figures) -> None:
    """Write which balances the earlier close published otherwise, where there are any."""
    if not figures.restated:
        return
    first = figures.restated[0]
    row.section("Restated balances", "Published", "Now", "Difference", "Why")
    row.line(headline(figures.restated_count, first.close_date), "", "", "", why(first), wraps=True)
    row.colour(0, "warn")
    for balance in figures.restated:
        row.line(
            f"{balance.asset} of {balance.partner_id} ({balance.environment})",
            *(balance.published, balance.restated, balance.signed),
        )
    if figures.restated_count > len(figures.restated):
        row.line(
            "Balances not listed here, in marts.fct_restated_balances of the warehouse: "
            f"{figures.restated_count - len(figures.restated)}",
            style=styles.note,
        )


class _Rows:
    """Writes the summary from top to bottom."""

    def __init__(self, worksheet: Worksheet, styles: _Styles) -> None:
        self._worksheet = worksheet
        self._styles = styles
        self._row = -1

    def line(
        self,
        *values: str | int | None,
        style: Format | None = None,
        height: float | None = None,
        wraps: bool = False,
    ) -> None:
        """Write a line: whole numbers as numbers, everything else as text.

        The last text of a line that `wraps` takes as many lines of its cell as it needs.
        """
        self._row += 1
        if wraps and len(last := str(values[-1])) > _WRAPPED:
            height = 14.0 * -(-len(last) // _WRAPPED)
        if height:
            self._worksheet.set_row(self._row, height)
        for column, value in enumerate(values):
            if isinstance(value, int):
                self._worksheet.write_number(self._row, column, value, style or self._styles.count)
            elif value:
                is_last = wraps and column == len(values) - 1
                own = self._styles.wrapped if is_last else self._styles.text
                self._worksheet.write_string(self._row, column, value, style or own)

    def section(self, *titles: str) -> None:
        """Leave a line empty and write the heads of a table."""
        self._row += 1
        self.line(*(title or " " for title in titles), style=self._styles.section, height=20)

    def number(self, column: int, amount: str) -> None:
        """Write an amount of the line as a number."""
        self._worksheet.write_number(self._row, column, float(amount), self._styles.number)

    def link(self, sheet: str) -> None:
        """Make the first cell of the line lead to a sheet."""
        self._worksheet.write_url(self._row, 0, f"internal:'{sheet}'!A1", string=sheet)

    def colour(self, column: int, name: str) -> None:
        """Colour a cell of the line."""
        self._worksheet.conditional_format(
            *(self._row, column, self._row, column),
            {"type": "no_blanks", "format": self._styles.fills[name]},
        )
