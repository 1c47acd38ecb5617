"""The exception register: the CSV file in which finance keeps owners, review dates and approvals.

It is read and judged as a whole before anything is written; a close replaces what an earlier one
loaded. `approve` writes a row of it from what exceptions.csv shows.
"""

from __future__ import annotations

import csv
import difflib
import hashlib
import io
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pool_recon.blanks import BLANK, with_single_blanks
from pool_recon.errors import CloseError
from pool_recon.loader.columns import fold, wrong_separator
from pool_recon.loader.csv_records import UnclosedQuoteError, read_records
from pool_recon.long_records import allow_long_values
from pool_recon.masking import has_secret, mask
from pool_recon.package_manifest import MANIFEST_FILE, stated_close_date
from pool_recon.reference import project_dir

if TYPE_CHECKING:
    import duckdb

EXCEPTIONS_FILE: Final = "exceptions.csv"

_TABLE: Final = "raw.exception_register"
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DATES: Final = ("next_review_date", "approved_on", "expires_on")
_NEVER_EMPTY: Final = ("code", "subject_type", "subject_id")
# What people call themselves and say: here a no-break space alone is nothing, too.
_WORDS: Final = ("owner", "approved_by", "reason")
# An approval need not be tied to the evidence that it was given for; everything else has a place.
_OPTIONAL_COLUMNS: Final = frozenset({"evidence_hash"})
_BOM: Final = "\ufeff"
_NEAREST: Final = 3


@dataclass(frozen=True)
class RegisterRow:
    """One row of the register, trimmed; what is not stated is empty.

    Code, subject type and environment are in lower case. Dates are YYYY-MM-DD. An empty
    environment means any. `line_number` counts the lines of the file from 1, the header included.
    """

    line_number: int
    code: str
    subject_type: str
    subject_id: str
    environment: str
    owner: str
    next_review_date: str
    approved_by: str
    approved_on: str
    reason: str
    expires_on: str
    evidence_hash: str


COLUMNS: Final = tuple(field.name for field in fields(RegisterRow) if field.name != "line_number")


@dataclass(frozen=True)
class Register:
    """A register that was read and found to be in order; `name` is the file's, secrets masked."""

    name: str
    sha256: str
    size_bytes: int
    rows: tuple[RegisterRow, ...]


@dataclass(frozen=True)
class Approval:
    """What a person decides about a finding.

    None leaves a value as the register has it: the owner (else the code's), the review date.
    Without `expires_on` the approval never expires. `approved_on` is by default the close date of
    the package in which the finding was seen.
    """

    exception_id: str
    approved_by: str
    reason: str
    owner: str | None = None
    expires_on: date | None = None
    next_review_date: date | None = None
    approved_on: date | None = None


@dataclass(frozen=True)
class Approved:
    """The row that `approve` wrote, and whether it took the place of another."""

    row: RegisterRow
    is_replacement: bool
    has_evidence: bool


def read_register(path: Path) -> Register:
    """Read and judge a register.

    Column names match as those of the exports do: without regard to case, blanks, ``-`` and ``_``.
    Unknown columns are not carried on.

    Raises:
        CloseError: the file cannot be read or is malformed; the line names the row and the remedy.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _error(path, f"cannot be read: {error.strerror or error}") from None
    return Register(
        name=mask(path.name),
        sha256=hashlib.sha256(content).hexdigest(),
        size_bytes=len(content),
        rows=tuple(_parse(path, content).rows),
    )


def replace_register(connection: duckdb.DuckDBPyConnection, register: Register | None) -> None:
    """Let the warehouse hold `register` and nothing of an earlier one; None empties it.

    Secrets are masked. Raises duckdb.Error where the warehouse cannot be written.
    """
    columns = ", ".join(f"{column} varchar" for column in COLUMNS)
    connection.execute(f"create or replace table {_TABLE} (line_number integer, {columns})")
    if register is None:
        return
    values = ", ".join("unnest(?::varchar[])" for _ in COLUMNS)
    connection.execute(
        f"insert into {_TABLE} select unnest(?::integer[]), {values}",
        [
            [row.line_number for row in register.rows],
            *([mask(getattr(row, column)) for row in register.rows] for column in COLUMNS),
        ],
    )


def refuse_equal_rows(path: Path, register: Register) -> None:
    """Refuse a register of which two rows name the same code, subject and environment.

    Whatever a close finds, no more than one of them can be needed. Raises CloseError.
    """
    lines: dict[tuple[str, ...], int] = {}
    for row in register.rows:
        finding = (row.code, row.subject_type, row.subject_id)
        line = lines.setdefault((*finding, row.environment), row.line_number)
        if line != row.line_number:
            raise _second_row(path, finding, line, row.line_number)


def refuse_second_rows(connection: duckdb.DuckDBPyConnection, register: Register) -> None:
    """Refuse a register of which two rows are about one finding of this close.

    `connection` is to the built warehouse. Rows that could be about one finding, of which there is
    none, are no more than reported. Raises CloseError, duckdb.Error.
    """
    second = connection.execute(
        "select code, subject_type, subject_id, lines[1], lines[2] from ("
        "select any_value(code) as code, any_value(subject_type) as subject_type,"
        " any_value(subject_id) as subject_id,"
        " list(line_number::integer order by line_number::integer) as lines"
        " from package.pkg_register where exception_id is not null group by exception_id)"
        " where len(lines) > 1 order by lines[2] limit 1"
    ).fetchone()
    if second:
        code, subject_type, subject_id, line, second_line = second
        raise _second_row(Path(register.name), (code, subject_type, subject_id), line, second_line)


def approve(exceptions: Path, register: Path, approval: Approval) -> Approved:
    """Write an approval of a finding of `exceptions`, an exceptions.csv, into `register`.

    The row takes code, subject, environment and evidence from the finding. It replaces a row for
    the same finding; all other rows stay as they are, byte for byte. A register that is not there
    is begun. The file is replaced whole or not at all.

    Raises:
        CloseError: the finding is unknown or cannot be approved so, or a file is not in order.
    """
    finding = _finding(exceptions, approval.exception_id)
    code = _codes().get(finding["code"])
    if code is None:
        raise CloseError(f"{exceptions}: unknown code {finding['code']!r}: close again and retry")
    if code["is_approvable"] != "true":
        raise CloseError(
            f"{finding['code']} can never be approved: {code['first_action'].rstrip('.')}"
        )
    content = _content(register)
    parsed = _parse(register, content)
    of_finding = [row for row in parsed.rows if _is_about(row, finding)]
    if len(of_finding) > 1:
        subject = (finding["code"], finding["subject_type"], finding["subject_id"])
        lines = [row.line_number for row in of_finding]
        raise _second_row(register, subject, lines[0], lines[1])
    old = of_finding[0] if of_finding else None
    owner = _said(approval.owner or (old.owner if old else ""))
    approved_by, reason = _said(approval.approved_by), _said(approval.reason)
    _check_approval(approved_by, reason, owner or code["owner"])
    approved_on = _checked_date(approval, exceptions)
    has_evidence = "evidence_hash" in parsed.header
    row = RegisterRow(
        line_number=old.line_number if old else parsed.next_line,
        code=finding["code"],
        subject_type=finding["subject_type"],
        subject_id=finding["subject_id"],
        environment=finding["environment"],
        owner=owner,
        next_review_date=(
            approval.next_review_date.isoformat()
            if approval.next_review_date
            else (old.next_review_date if old else "")
        ),
        approved_by=approved_by,
        approved_on=approved_on.isoformat(),
        reason=reason,
        expires_on=approval.expires_on.isoformat() if approval.expires_on else "",
        evidence_hash=finding["evidence_hash"] if has_evidence else "",
    )
    changed = parsed.with_row(row)
    # Nothing is put in place that a close would refuse.
    _parse(register, changed)
    _replace_file(register, changed)
    return Approved(row, old is not None, has_evidence)


def _checked_date(approval: Approval, exceptions: Path) -> date:
    """Return the date of an approval, none of whose dates a close would refuse."""
    today = _today()
    if approval.approved_on and approval.approved_on > today:
        raise CloseError(
            f"--approved-on {approval.approved_on} is in the future, for today is {today}: give "
            "the date on which it was approved"
        )
    close_date = stated_close_date(exceptions.parent)
    approved_on = approval.approved_on or close_date
    if approved_on is None:
        raise CloseError(
            f"there is no {MANIFEST_FILE} beside {exceptions} that says of which date it is: "
            "give --approved-on YYYY-MM-DD"
        )
    if approval.expires_on and approval.expires_on < approved_on:
        raise CloseError(
            f"the approval would expire on {approval.expires_on}, before it is given on "
            f"{approved_on}: choose a later --expires"
        )
    closed_on = close_date or approved_on
    if approval.expires_on and approval.expires_on < closed_on:
        raise CloseError(
            f"the approval would have expired on {approval.expires_on}, before the close of "
            f"{closed_on}: choose a later --expires"
        )
    if approval.next_review_date and approval.next_review_date < closed_on:
        raise CloseError(
            f"the review on {approval.next_review_date} would be overdue at once, for the close of "
            f"{closed_on}: choose a later --next-review"
        )
    return approved_on


def newest_package(out: Path) -> Path:
    """Return the package of the latest close date in `out`.

    Raises:
        CloseError: there is none.
    """
    packages = [
        path
        for path in (out.iterdir() if out.is_dir() else ())
        if _DATE.fullmatch(path.name) and (path / EXCEPTIONS_FILE).is_file()
    ]
    if not packages:
        raise CloseError(
            f"there is no close package in {out}: name one with --package, or the file with "
            "--exceptions"
        )
    return max(packages, key=lambda path: path.name)


class _Parsed:
    """A register as text lines, with its header and its rows.

    `header` has for each field of the file the column that it stands for, or None.
    """

    def __init__(self, lines: Sequence[str], header: Sequence[str | None]) -> None:
        self.lines = lines
        self.header = header
        self.rows: list[RegisterRow] = []
        self._fields: dict[int, list[str]] = {}
        self._ends: dict[int, int] = {}

    @property
    def next_line(self) -> int:
        """The number of the line that a new row is written on."""
        return len(self.lines) + 1

    def add(self, row: RegisterRow, record: Sequence[str], end: int) -> None:
        """Take in a row: its fields as written, and the number of its last line."""
        self.rows.append(row)
        self._fields[row.line_number] = list(record)
        self._ends[row.line_number] = end

    def with_row(self, row: RegisterRow) -> bytes:
        """Return the file with `row` in place of the row on its line, else at the end."""
        values = self._fields.get(row.line_number, [""] * len(self.header))
        for place, column in enumerate(self.header):
            if column:
                values[place] = getattr(row, column)
        ending = self.lines[0][len(self.lines[0].rstrip("\r\n")) :] or "\n"
        text = io.StringIO()
        # A value is quoted for the characters of this line end, and each of them alone ends a line.
        csv.writer(text, lineterminator="\r\n").writerow(values)
        written = text.getvalue().removesuffix("\r\n") + ending
        lines = list(self.lines)
        if row.line_number in self._ends:
            lines[row.line_number - 1 : self._ends[row.line_number]] = [written]
        else:
            if not lines[-1].endswith(("\r", "\n")):
                lines[-1] += ending
            lines.append(written)
        return "".join(lines).encode()


def _error(path: Path, problem: str, line: int | None = None) -> CloseError:
    place = f"{path}: line {line}" if line else str(path)
    return CloseError(mask(f"{place} (exception register): {problem}"))


def _second_row(
    path: Path, finding: tuple[str, str, str], line: int, second_line: int
) -> CloseError:
    code, subject_type, subject_id = finding
    return _error(
        path,
        f"a second row for {code} of {subject_type} {subject_id}, which line {line} is about; keep "
        "one of them (an empty environment means any)",
        second_line,
    )


def _parse(path: Path, content: bytes) -> _Parsed:
    lines = _lines(path, content)
    records = _records(path, lines)
    parsed = None
    codes, subject_types = _codes(), _subject_types()
    for line, end, record in records:
        # Excel leaves rows that were emptied.
        if record is not None and not any(value.strip(BLANK) for value in record):
            continue
        if parsed is None:
            parsed = _Parsed(lines, _header(path, line, record))
            continue
        if record is None:
            problem = "text follows a closing quote; write a quote inside a value twice"
            raise _error(path, problem, line)
        if len(record) != len(parsed.header):
            raise _error(
                path,
                f"expected {len(parsed.header)} fields, as the header has, and found "
                f"{len(record)}; quote a value that has a comma",
                line,
            )
        row = _row(line, parsed.header, record)
        _check_row(path, row, codes, subject_types)
        parsed.add(row, record, end)
    if parsed is None:
        raise _error(path, f"is empty; expected a header with {', '.join(COLUMNS)}")
    return parsed


def _lines(path: Path, content: bytes) -> list[str]:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _error(path, "is not UTF-8; save it as CSV in UTF-8", line) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise _error(path, "a NUL byte; save the file as CSV in UTF-8", line)
    return list(io.StringIO(text, newline=""))


def _records(path: Path, lines: Sequence[str]) -> Iterator[tuple[int, int, list[str] | None]]:
    """Yield the first and the last line of each record, and its fields."""
    read = 0

    def counted() -> Iterator[str]:
        nonlocal read
        for read, line in enumerate(lines, start=1):
            yield line.removeprefix(_BOM) if read == 1 else line

    try:
        for record in read_records(counted()):
            length = len(list(io.StringIO(record.text, newline="")))
            yield read - length + 1, read, record.fields
    except UnclosedQuoteError as error:
        problem = "a quote is opened and never closed; close it, or write it twice to mean itself"
        raise _error(path, problem, error.line) from None


def _header(path: Path, line: int, names: list[str] | None) -> list[str | None]:
    if names is None:
        raise _error(path, "text follows a closing quote in the header", line)
    by_fold = {fold(column): column for column in COLUMNS}
    header = [by_fold.get(fold(name)) for name in names]
    known = [column for column in header if column]
    twice = sorted({column for column in known if known.count(column) > 1})
    if twice:
        raise _error(path, f"the column {twice[0]} twice; expected each column once", line)
    missing = [c for c in COLUMNS if c not in known and c not in _OPTIONAL_COLUMNS]
    if missing:
        found = ", ".join(repr(name) for name in names[:40])
        remedy = wrong_separator(names)
        raise _error(
            path,
            f"a column is missing: expected {', '.join(missing)} (values may be empty); "
            f"found {found}{f'; {remedy}' if remedy else ''}",
            line,
        )
    return header


def _row(line: int, header: Sequence[str | None], record: Sequence[str]) -> RegisterRow:
    values = dict.fromkeys(COLUMNS, "")
    for column, value in zip(header, record, strict=True):
        if column:
            values[column] = _said(value) if column in _WORDS else value.strip(BLANK)
    for column in ("code", "subject_type", "environment"):
        values[column] = values[column].lower()
    return RegisterRow(line, **values)


def _said(text: str) -> str:
    """The text without the blanks around it; nothing where it is of white space alone."""
    return text.strip(BLANK) if with_single_blanks(text) else ""


def _check_row(
    path: Path, row: RegisterRow, codes: dict[str, dict[str, str]], subject_types: Sequence[str]
) -> None:
    for column in _NEVER_EMPTY:
        if not getattr(row, column):
            problem = f"{column} is empty; copy it from {EXCEPTIONS_FILE}"
            raise _error(path, problem, row.line_number)
    if row.code not in codes:
        near = difflib.get_close_matches(row.code, codes, n=_NEAREST)
        hint = f"; did you mean {' or '.join(near)}?" if near else "; copy it from exceptions.csv"
        raise _error(path, f"unknown code {row.code!r}{hint}", row.line_number)
    if row.subject_type not in subject_types:
        raise _error(
            path,
            f"unknown subject_type {row.subject_type!r}; expected one of "
            f"{', '.join(subject_types)}",
            row.line_number,
        )
    for column in _DATES:
        value = getattr(row, column)
        if value and not _is_date(value):
            problem = f"{column} is {value!r}; expected a date as YYYY-MM-DD, or nothing"
            raise _error(path, problem, row.line_number)


def _is_date(text: str) -> bool:
    try:
        return bool(_DATE.fullmatch(text)) and bool(date.fromisoformat(text))
    except ValueError:
        return False


def _seed(name: str) -> list[dict[str, str]]:
    seed = project_dir() / "seeds" / f"{name}.csv"
    try:
        with seed.open(encoding="utf-8-sig", newline="") as stream:
            return list(csv.DictReader(stream, strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CloseError(f"seeds/{seed.name}: cannot be read as CSV in UTF-8: {error}") from None


def _codes() -> dict[str, dict[str, str]]:
    return {row["code"]: row for row in _seed("ref_findings")}


def _subject_types() -> list[str]:
    return [row["subject_type"] for row in _seed("ref_subject_types")]


def _finding(exceptions: Path, exception_id: str) -> dict[str, str]:
    needed = ("exception_id", "code", "subject_type", "subject_id", "environment", "evidence_hash")
    try:
        allow_long_values()
        with exceptions.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream, strict=True)
            missing = [column for column in needed if column not in (reader.fieldnames or ())]
            findings = {row["exception_id"]: row for row in reader} if not missing else {}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise CloseError(f"{exceptions}: cannot be read as exceptions.csv: {reason}") from None
    if missing:
        raise CloseError(
            f"{exceptions}: is no exceptions.csv: it has no column {', '.join(missing)}"
        )
    wanted = exception_id.strip(BLANK)
    if wanted in findings:
        return findings[wanted]
    raise CloseError(mask(f"{exceptions}: no finding {wanted!r}; {_nearest(wanted, findings)}"))


def _nearest(wanted: str, findings: dict[str, dict[str, str]]) -> str:
    if not findings:
        return "the close has no findings"
    near = [id_ for id_ in findings if wanted and id_.startswith(wanted)]
    near += [row["exception_id"] for row in findings.values() if row["subject_id"] == wanted]
    near += difflib.get_close_matches(wanted, findings, n=_NEAREST, cutoff=0)
    shown = list(dict.fromkeys(near))[:_NEAREST]
    named = (
        f"{id_} ({findings[id_]['code']} of {findings[id_]['subject_type']} "
        f"{findings[id_]['subject_id']})"
        for id_ in shown
    )
    return f"expected an exception_id, the nearest are {', '.join(named)}"


def _check_approval(approved_by: str, reason: str, owner: str) -> None:
    if not approved_by:
        raise CloseError("--approved-by is empty: name the person who approves")
    if not reason:
        raise CloseError("--reason is empty: an approval counts only with a reason")
    if with_single_blanks(approved_by).casefold() == with_single_blanks(owner).casefold():
        raise CloseError(
            f"{approved_by} owns this finding and cannot approve it: another person has to approve "
            "it"
        )
    if any(has_secret(text) for text in (approved_by, reason, owner)):
        raise CloseError("the approval contains a secret key: take it out; it was not written")


def _today() -> date:
    return datetime.now().astimezone().date()


def _is_about(row: RegisterRow, finding: dict[str, str]) -> bool:
    return (row.code, row.subject_type, row.subject_id) == (
        finding["code"],
        finding["subject_type"],
        finding["subject_id"],
    ) and row.environment in ("", finding["environment"])


def _content(register: Path) -> bytes:
    if not register.exists():
        return f"{','.join(COLUMNS)}\n".encode()
    try:
        return register.read_bytes()
    except OSError as error:
        raise _error(register, f"cannot be read: {error.strerror or error}") from None


def _replace_file(register: Path, content: bytes) -> None:
    target = register.resolve()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f".{target.name}.{os.getpid()}")
        try:
            part.write_bytes(content)
            if target.exists():
                shutil.copymode(target, part)
            part.replace(target)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise _error(register, f"cannot be written: {error.strerror or error}") from None
