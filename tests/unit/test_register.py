"""The exception register: what is read, what is refused, and how a row is written into it."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import date
from pathlib import Path

import duckdb
import pytest

from pool_recon.cli import main
from pool_recon.errors import CloseError
from pool_recon.reference import project_dir
from pool_recon.register import (
    COLUMNS,
    Approval,
    Register,
    approve,
    newest_package,
    read_register,
    refuse_equal_rows,
    refuse_second_rows,
    replace_register,
)

HEADER = ",".join(COLUMNS)
# Put together here, so that no scanner takes this file for a leak.
SECRET = "sk_" + "live_" + "a1B2c3D4e5"
FINDINGS = [
    # id, code, subject type, subject id, environment, evidence
    ("aaa111", "missing_webhook", "trade", "t-1", "live", "e1"),
    ("aaa222", "ledger_mismatch", "trade", "t,2", "test", "e2"),
    ("bbb333", "secret_exposed", "export_row", "orders.csv:3", "live", "e3"),
    ("bbb444", "missing_request_id", "trade", "t-1", "live", "e4"),
]
APPROVAL = Approval("aaa111", approved_by="Ada", reason="Seen at the bank.")


@pytest.fixture(autouse=True)
def _today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pool_recon.register._today", lambda: date(2026, 7, 3))


@pytest.fixture
def register(tmp_path: Path) -> Path:
    return tmp_path / "register.csv"


@pytest.fixture
def exceptions(tmp_path: Path) -> Path:
    """The exceptions.csv of a package of 30 June 2026."""
    package = tmp_path / "out" / "2026-06-30"
    package.mkdir(parents=True)
    (package / "manifest.json").write_text(json.dumps({"close": {"close_date": "2026-06-30"}}))
    text = io.StringIO()
    writer = csv.writer(text)
    columns = ("exception_id", "code", "subject_type", "subject_id", "environment")
    writer.writerow([*columns, "evidence_hash"])
    writer.writerows(FINDINGS)
    (package / "exceptions.csv").write_text(text.getvalue(), encoding="utf-8")
    return package / "exceptions.csv"


def line(**values: str) -> str:
    """A row for a finding of trade t-1, with changes."""
    row = {"code": "missing_webhook", "subject_type": "trade", "subject_id": "t-1"} | values
    return ",".join(row.get(column, "") for column in COLUMNS)


def refusal(register: Path, content: str | bytes) -> str:
    register.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(CloseError) as refused:
        read_register(register)
    message = str(refused.value)
    assert "\n" not in message
    assert str(register) in message
    return message


@pytest.mark.parametrize("bom", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_names_fold_and_values_are_trimmed(register: Path, bom: str, end: str) -> None:
    lines = [
        "Code,subjectType,SUBJECT-ID,note,Environment,owner,nextReviewDate,approved by,approved_on"
        ",reason,expires_on,EvidenceHash",
        "",
        ' Missing_Webhook ,Trade,"t-1",x, LIVE ,Ops ,2026-07-01, Ada,,"two',
        'lines, ""quoted""",2026-07-31,e1',
        "missing_trade,order,o-1,,,,,,,,,",
    ]
    register.write_bytes((bom + end.join(lines) + end).encode())
    first, second = read_register(register).rows
    assert (first.line_number, second.line_number) == (3, 5)
    assert (first.code, first.subject_type, first.subject_id) == ("missing_webhook", "trade", "t-1")
    assert (first.environment, first.owner, first.approved_by) == ("live", "Ops", "Ada")
    assert first.reason == f'two{end}lines, "quoted"'
    assert (first.expires_on, first.evidence_hash) == ("2026-07-31", "e1")
    assert second.environment == second.approved_by == second.expires_on == ""


def test_a_no_break_space_alone_names_nobody(register: Path) -> None:
    blank = " \xa0"
    nobody = line(subject_id="\xa0", owner=blank, approved_by=blank, reason=blank)
    said = line(owner=" \xa0Ops ", approved_by="Ada\xa0L", reason="\u2003x")
    register.write_text(f"{HEADER}\n{nobody}\n{said}\n", encoding="utf-8")
    first, second = read_register(register).rows
    assert (first.subject_id, first.owner, first.approved_by, first.reason) == ("\xa0", "", "", "")
    assert (second.owner, second.approved_by) == ("\xa0Ops", "Ada\xa0L")
    assert second.reason == "\u2003x"


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([line(), line(reason="again")], "line 4 .* missing_webhook of trade t-1, which line 2 "),
        ([line(environment="LIVE"), line(environment=" live ")], "line 4 .*which line 2 is about"),
        # Only a close tells whether there is a finding that both are about.
        ([line(), line(environment="live")], None),
        ([line(environment="test"), line(environment="live")], None),
        ([line(), line(code="ledger_mismatch")], None),
        ([line(), line(subject_type="order")], None),
        ([line(), line(subject_id="T-1")], None),
    ],
)
def test_rows_of_which_no_close_can_need_both(
    register: Path, rows: list[str], expected: str | None
) -> None:
    register.write_text(f"{HEADER}\n{rows[0]}\n\n{rows[1]}\n", encoding="utf-8")
    read = read_register(register)
    if expected is None:
        refuse_equal_rows(register, read)
        return
    with pytest.raises(CloseError, match=expected):
        refuse_equal_rows(register, read)


def test_a_header_alone_is_an_empty_register(register: Path) -> None:
    register.write_text(HEADER, encoding="utf-8")
    assert read_register(register).rows == ()


def test_evidence_is_the_only_column_that_may_be_absent(register: Path) -> None:
    for column in COLUMNS:
        kept = [name for name in COLUMNS if name != column]
        content = ",".join(kept) + "\n"
        if column == "evidence_hash":
            register.write_text(content, encoding="utf-8")
            assert read_register(register).rows == ()
        else:
            assert f"line 1 (exception register): a column is missing: expected {column} " in (
                refusal(register, content)
            )


@pytest.mark.parametrize(
    ("header", "remedy"),
    [
        (HEADER.replace(",", ";"), "; write the file with commas, not with ';'"),
        (HEADER.replace(",", "\t"), "; write the file with commas, not with '\\t'"),
        ("sep=;", "; write the file with commas, not with ';', and without the line sep="),
        ("sep=,", "; take out the line sep=, which only Excel understands"),
        # It is read with commas, and lacks columns.
        ("code;,subject_type", "found 'code;', 'subject_type'"),
    ],
)
def test_a_register_that_is_not_written_with_commas(
    register: Path, header: str, remedy: str
) -> None:
    row = line().replace(",", header[4] if header.startswith("sep=") else ";")
    message = refusal(register, f"\ufeff{header}\r\n{row}\r\n")
    assert "line 1 (exception register): a column is missing: expected code" in message
    assert message.endswith(remedy)


@pytest.mark.parametrize("empty", ["," * 10, " ,\t" + "," * 9, ",,", '"",' + '" ",' * 9, "," * 20])
def test_a_row_of_blanks_is_none(register: Path, exceptions: Path, empty: str) -> None:
    lines = [empty, HEADER, empty, line(subject_id="t-0"), empty, line(subject_id="t-9"), empty]
    before = "\r\n".join([*lines, empty])
    register.write_bytes(before.encode())
    rows = read_register(register).rows
    assert [(row.line_number, row.subject_id) for row in rows] == [(4, "t-0"), (6, "t-9")]

    approved = approve(exceptions, register, APPROVAL)
    assert approved.row.line_number == 9
    assert register.read_bytes().decode().startswith(f"{before}\r\nmissing_webhook,trade,t-1,")
    assert read_register(register).rows == (*rows, approved.row)
    assert approve(exceptions, register, APPROVAL).is_replacement
    assert read_register(register).rows == (*rows, approved.row)


def test_a_register_of_empty_rows_is_empty(register: Path) -> None:
    assert "is empty; expected a header with code" in refusal(register, ",,\n" + "," * 10 + "\n")


def test_a_row_that_says_anything_has_to_name_a_code(register: Path) -> None:
    for said in ({"reason": "x"}, {"environment": "live"}, {"evidence_hash": "\xa0"}):
        empty = {"code": "", "subject_type": "", "subject_id": ""}
        message = refusal(register, f"{HEADER}\n{',' * 10}\n{line(**empty | said)}\n")
        assert "line 3 (exception register): code is empty" in message
    unknown = f"{HEADER},note\n{',' * 11}\n{',' * 11}mine\n"
    assert "line 3 (exception register): code is empty" in refusal(register, unknown)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (
            line(code="missing_webhok"),
            "unknown code 'missing_webhok'; did you mean missing_webhook",
        ),
        (line(code="zzzz"), "unknown code 'zzzz'; copy it from exceptions.csv"),
        (line(code=SECRET), "unknown code 'sk_live_***'"),
        (line(code=""), "code is empty"),
        (line(subject_type=""), "subject_type is empty"),
        (line(subject_id="  "), "subject_id is empty"),
        (
            line(subject_type="trades"),
            "unknown subject_type 'trades'; expected one of trade, order",
        ),
        (
            line(expires_on="31.07.2026"),
            "expires_on is '31.07.2026'; expected a date as YYYY-MM-DD",
        ),
        (line(expires_on="2026-02-30"), "expires_on is '2026-02-30'"),
        (line(expires_on="20260731"), "expires_on is '20260731'"),
        (line(approved_on="2026-7-1"), "approved_on is '2026-7-1'"),
        (line(next_review_date="soon"), "next_review_date is 'soon'"),
        (line() + ",more", "expected 11 fields, as the header has, and found 12"),
        ("missing_webhook,trade,t-1", "found 3"),
        ('missing_webhook,trade,"t-1"x' + "," * 8, "text follows a closing quote"),
        ('missing_webhook,trade,"t-1' + "," * 8, "a quote is opened and never closed"),
    ],
)
def test_a_malformed_row_is_named_by_its_line(register: Path, row: str, expected: str) -> None:
    good = line(subject_id="t-0", reason='"a,\nb"')
    message = refusal(register, f"{HEADER}\n{good}\n\n{row}\n")
    assert "line 5 " in message
    assert expected in message
    assert SECRET not in message


@pytest.mark.parametrize(
    ("matched", "expected"),
    [
        ("(2, 't-1', 'x1'), (3, 't-2', 'x2'), (4, 't-1', null), (5, 't-3', null)", None),
        # One row that names no environment may be about a finding in each.
        ("(2, 't-1', 'x1'), (2, 't-1', 'x2')", None),
        (
            "(11, 't-1', 'x1'), (3, 't-2', 'x2'), (9, 't-1', 'x1')",
            "r.csv: line 11 (exception register): a second row for missing_webhook of trade t-1, "
            "which line 9 is about; keep one of them",
        ),
    ],
)
def test_two_rows_for_one_finding(matched: str, expected: str | None) -> None:
    with duckdb.connect() as connection:
        connection.execute("create schema package")
        connection.execute(
            "create view package.pkg_register as select number::varchar as line_number,"
            " 'missing_webhook' as code, 'trade' as subject_type, subject_id, exception_id"
            f" from (values {matched}) as rows(number, subject_id, exception_id)"
        )
        register = Register("r.csv", "", 0, ())
        if expected is None:
            refuse_second_rows(connection, register)
            return
        with pytest.raises(CloseError) as refused:
            refuse_second_rows(connection, register)
        assert expected in str(refused.value)


def test_no_approval_is_written_where_two_rows_are_there(register: Path, exceptions: Path) -> None:
    rows = [line(), line(environment="live"), line(environment="test")]
    register.write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    assert len(read_register(register).rows) == 3
    with pytest.raises(CloseError, match=r"line 3 .*which line 2 is about"):
        approve(exceptions, register, APPROVAL)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "is empty; expected a header with code, subject_type"),
        (b"\xef\xbb\xbf\n\n", "is empty"),
        (HEADER.encode() + b"\n\xff", "line 2 (exception register): is not UTF-8"),
        (HEADER.encode("utf-16"), "line 1 (exception register): is not UTF-8"),
        (HEADER.encode() + b"\n\0", "line 2 (exception register): a NUL byte"),
        (f"{HEADER},Code\n".encode(), "the column code twice"),
        (f"{HEADER},subject id\n".encode(), "the column subject_id twice"),
        (f"{SECRET}\n".encode(), "found 'sk_live_***'"),
        (f'"{HEADER}\n'.encode(), "line 1 (exception register): a quote is opened"),
    ],
)
def test_a_malformed_file(register: Path, content: bytes, expected: str) -> None:
    message = refusal(register, content)
    assert expected in message
    assert SECRET not in message


def test_a_register_that_is_not_there(register: Path) -> None:
    with pytest.raises(CloseError, match="cannot be read: No such file"):
        read_register(register)


def test_the_warehouse_holds_the_last_register_and_no_secret(register: Path) -> None:
    with duckdb.connect() as connection:
        connection.execute("create schema raw")
        register.write_text(f"{HEADER}\n\n{line(reason=SECRET)}\n", encoding="utf-8")
        replace_register(connection, read_register(register))
        query = "select line_number, code, environment, reason from raw.exception_register"
        assert connection.execute(query).fetchall() == [
            (3, "missing_webhook", "", "sk_live_***"),
        ]
        replace_register(connection, None)
        assert connection.execute(query).fetchall() == []


def test_the_columns_are_those_that_the_dbt_project_expects() -> None:
    macro = project_dir() / "macros" / "staging" / "register_columns.sql"
    stated = re.search(r"return\(\[(.*?)\]\)", macro.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert stated is not None
    assert tuple(re.findall(r"'(\w+)'", stated.group(1))) == COLUMNS


def test_an_approval_begins_a_register(register: Path, exceptions: Path) -> None:
    approved = approve(exceptions, register, APPROVAL)
    assert not approved.is_replacement
    assert register.read_text(encoding="utf-8") == (
        f"{HEADER}\nmissing_webhook,trade,t-1,live,,,Ada,2026-06-30,Seen at the bank.,,e1\n"
    )
    assert read_register(register).rows == (approved.row,)
    assert [path.name for path in register.parent.iterdir() if path.is_file()] == ["register.csv"]


def test_other_rows_stay_byte_for_byte(register: Path, exceptions: Path) -> None:
    before = (
        "\ufeffreason,code,note,subject_type,subject_id,environment,owner,next_review_date,"
        "approved_by,approved_on,expires_on,evidence_hash\r\n"
        '"kept, \r\nas it is",missing_trade,,order, o-1 ,,,,,,,\r\n'
        "\r\n"
        'old,LEDGER_MISMATCH,my note,trade,"t,2",,Treasury,2026-07-05,Bob,,,old\r\n'
        "x,missing_trade,,order,o-2,test,,,,,,"
    )
    register.write_text(before, encoding="utf-8", newline="")
    register.chmod(0o640)
    decision = Approval(
        "aaa222", approved_by=" Ada ", reason=' "so" be it ', expires_on=date(2026, 7, 31)
    )
    approved = approve(exceptions, register, decision)
    assert approved.is_replacement
    assert approved.row.line_number == 5
    new_row = (
        '"""so"" be it",ledger_mismatch,my note,trade,"t,2",test,Treasury,2026-07-05,'
        "Ada,2026-06-30,2026-07-31,e2\r\n"
    )
    lines = before.split("\r\n")
    lines[4] = new_row.removesuffix("\r\n")
    assert register.read_bytes().decode() == "\r\n".join(lines)
    assert register.stat().st_mode & 0o777 == 0o640

    # A row at the end closes the last line first.
    approve(exceptions, register, APPROVAL)
    tail = "Seen at the bank.,missing_webhook,,trade,t-1,live,,,Ada,2026-06-30,,e1\r\n"
    assert register.read_bytes().decode() == "\r\n".join([*lines, tail])


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("inside", ["\n", "\r\n", "\r"])
def test_a_value_can_have_any_line_end(
    register: Path, exceptions: Path, end: str, inside: str
) -> None:
    with exceptions.open("a", encoding="utf-8", newline="") as stream:
        finding = ("ccc555", "missing_webhook", "trade", f"t{inside}5", "live", "e5")
        csv.writer(stream, quoting=csv.QUOTE_ALL).writerow(finding)
    register.write_bytes((HEADER + end).encode())
    decision = Approval("ccc555", approved_by="Ada", reason=f"one{inside}two")
    row = approve(exceptions, register, decision).row
    assert (row.subject_id, row.reason) == (f"t{inside}5", f"one{inside}two")
    assert read_register(register).rows == (row,)
    assert register.read_bytes().endswith(f",e5{end}".encode())
    assert approve(exceptions, register, decision).is_replacement
    assert read_register(register).rows == (row,)


def test_a_register_without_evidence_is_told(register: Path, exceptions: Path) -> None:
    register.write_text(HEADER.removesuffix(",evidence_hash") + "\n", encoding="utf-8")
    assert not approve(exceptions, register, APPROVAL).has_evidence


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"exception_id": "aaa"}, "the nearest are aaa111 (missing_webhook of trade t-1), aaa222"),
        ({"exception_id": "t-1"}, "aaa111 (missing_webhook of trade t-1), bbb444"),
        ({"exception_id": ""}, "expected an exception_id"),
        ({"exception_id": "bbb333"}, "secret_exposed can never be approved"),
        ({"approved_by": " "}, "--approved-by is empty"),
        ({"reason": ""}, "--reason is empty"),
        ({"approved_by": "Partner ENGINEERING"}, "owns this finding and cannot approve it"),
        ({"owner": "ada"}, "owns this finding and cannot approve it"),
        ({"approved_by": "partner  engineering"}, "owns this finding and cannot approve it"),
        ({"approved_by": "\u2003Partner\t\xa0engineering "}, "another person has to approve it"),
        ({"owner": "ada l", "approved_by": "ADA\u3000L"}, "owns this finding and cannot"),
        (
            {"owner": "\xa0", "approved_by": "partner engineering"},
            "owns this finding and cannot approve it",
        ),
        ({"approved_by": "\xa0"}, "--approved-by is empty"),
        ({"reason": " \u2003"}, "--reason is empty"),
        (
            {"approved_on": date(2026, 7, 4)},
            "--approved-on 2026-07-04 is in the future, for today is 2026-07-03: give the date on "
            "which it was approved",
        ),
        ({"expires_on": date(2026, 6, 29)}, "before it is given on 2026-06-30"),
        (
            {"expires_on": date(2026, 6, 15), "approved_on": date(2026, 6, 1)},
            "would have expired on 2026-06-15, before the close of 2026-06-30: choose a later",
        ),
        (
            {"next_review_date": date(2026, 6, 29)},
            "2026-06-29 would be overdue at once, for the close of 2026-06-30: choose a later",
        ),
        # What counts is the close, whenever it is approved.
        (
            {"next_review_date": date(2026, 6, 29), "approved_on": date(2026, 6, 1)},
            "overdue at once, for the close of 2026-06-30",
        ),
        ({"reason": SECRET}, "contains a secret key"),
    ],
)
def test_what_cannot_be_approved(
    register: Path, exceptions: Path, changes: dict[str, object], expected: str
) -> None:
    with pytest.raises(CloseError) as refused:
        approve(exceptions, register, Approval(**(APPROVAL.__dict__ | changes)))
    assert expected in str(refused.value)
    assert SECRET not in str(refused.value)
    assert not register.exists()


def test_an_approval_of_today_is_not_in_the_future(register: Path, exceptions: Path) -> None:
    today = Approval(**(APPROVAL.__dict__ | {"approved_on": date(2026, 7, 3)}))
    assert approve(exceptions, register, today).row.approved_on == "2026-07-03"


def test_the_owner_is_not_told_to_name_another(register: Path, exceptions: Path) -> None:
    with pytest.raises(CloseError) as refused:
        approve(exceptions, register, Approval(**(APPROVAL.__dict__ | {"owner": "Ada"})))
    assert "--owner" not in str(refused.value)


def test_who_has_a_blank_within_a_word_is_another(register: Path, exceptions: Path) -> None:
    other = {"approved_by": "Part ner engineering"}
    row = approve(exceptions, register, Approval(**(APPROVAL.__dict__ | other))).row
    assert row.approved_by == "Part ner engineering"


def test_a_review_on_the_close_date_is_not_overdue(register: Path, exceptions: Path) -> None:
    due = {"next_review_date": date(2026, 6, 30), "approved_on": date(2026, 7, 2)}
    row = approve(exceptions, register, Approval(**(APPROVAL.__dict__ | due))).row
    assert row.next_review_date == "2026-06-30"


def test_an_approval_may_expire_on_the_close_date(register: Path, exceptions: Path) -> None:
    last = {"expires_on": date(2026, 6, 30), "approved_on": date(2026, 6, 1)}
    row = approve(exceptions, register, Approval(**(APPROVAL.__dict__ | last))).row
    assert row.expires_on == "2026-06-30"


def test_the_owner_of_the_row_cannot_approve_either(register: Path, exceptions: Path) -> None:
    register.write_text(f"{HEADER}\n{line(owner='Ada')}\n", encoding="utf-8")
    before = register.read_bytes()
    with pytest.raises(CloseError, match="cannot approve it"):
        approve(exceptions, register, APPROVAL)
    assert register.read_bytes() == before


def test_a_malformed_register_is_not_written_to(register: Path, exceptions: Path) -> None:
    register.write_text(f"{HEADER}\n{line(code='nope')}\n", encoding="utf-8")
    before = register.read_bytes()
    with pytest.raises(CloseError, match="line 2"):
        approve(exceptions, register, APPROVAL)
    assert register.read_bytes() == before


def test_the_date_of_an_approval_never_comes_from_the_clock(
    register: Path, exceptions: Path
) -> None:
    (exceptions.parent / "manifest.json").unlink()
    with pytest.raises(CloseError, match="--approved-on"):
        approve(exceptions, register, APPROVAL)
    given = Approval(**(APPROVAL.__dict__ | {"approved_on": date(2026, 7, 2)}))
    assert approve(exceptions, register, given).row.approved_on == "2026-07-02"
    early = Approval(**(given.__dict__ | {"next_review_date": date(2026, 7, 1)}))
    with pytest.raises(CloseError, match="overdue at once, for the close of 2026-07-02"):
        approve(exceptions, register, early)


def test_the_command_prints_nothing_that_a_terminal_acts_on(
    exceptions: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = exceptions.read_text(encoding="utf-8")
    exceptions.write_text(text.replace("t-1", "t\x1b[2J\u202e1\x9b"), encoding="utf-8")
    register = tmp_path / "its re\x1b[31mgister.csv"
    arguments = ["approve", "aaa111", "--approved-by", "Ada", "--reason", "fine"]
    files = ["--exceptions", str(exceptions), "--register", str(register)]
    with pytest.raises(SystemExit) as left:
        main([*arguments, *files])
    assert left.value.code == 0
    out = capsys.readouterr().out
    assert "of trade t?[2J?1?\n" in out
    assert all(line.isprintable() for line in out.splitlines())
    assert len(out.splitlines()) == 3
    assert out.endswith(f"--register '{tmp_path}/its re?[31mgister.csv'\n")


def test_the_command_finds_the_newest_package(
    exceptions: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out" / "2026-07-01").mkdir()
    assert newest_package(Path("out")) == Path("out/2026-06-30")
    arguments = ["approve", "aaa111", "--approved-by", "Ada", "--reason", "fine"]
    for message in ("line 2\n", "in place of the row that was there"):
        with pytest.raises(SystemExit) as left:
            main([*arguments, "--expires", "2026-07-31", "--next-review", "2026-07-15"])
        assert left.value.code == 0
        assert message in capsys.readouterr().out
    (row,) = read_register(Path("exception_register.csv")).rows
    assert (row.expires_on, row.next_review_date) == ("2026-07-31", "2026-07-15")

    (tmp_path / "out").rename(tmp_path / "elsewhere")
    for more, expected in (
        ([], "no close package in out"),
        (["--package", "elsewhere/2026-07-01"], "cannot be read as exceptions.csv"),
        (["--exceptions", "exception_register.csv"], "is no exceptions.csv"),
        (["--package", ".", "--exceptions", "exception_register.csv"], "not both"),
        (["--expires", "31.07.2026"], "--expires"),
    ):
        with pytest.raises(SystemExit) as left:
            main([*arguments, *more])
        assert left.value.code == 2
        error = capsys.readouterr().err
        assert expected in error
        assert error.count("\n") == 1
