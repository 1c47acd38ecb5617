"""The exception register, from the CSV file that finance keeps to what the close package says."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import duckdb
import pytest

from pool_recon.commands.shared import WAREHOUSE_NAME
from pool_recon.expectations import validate
from pool_recon.register import COLUMNS
from pool_recon.trace.packet import trace
from pool_recon.trace.reader import Missing
from pool_recon.trace.text import approval_text
from tests.end_to_end.closing import CLOSE_DATE, ROOT, Ran, close, pool_recon
from tests.end_to_end.packages import copied, edit
from tests.fault_matrix.dsl import Scenario, write
from tests.oracle import close as oracle_close
from tests.oracle import compare

# Put together here, so that no scanner takes this file for a leak.
SECRET = "whsec_" + "a1B2c3D4e5"
WRONG = "0" * 32
APPROVER = {"approved_by": "Ada", "reason": "Seen at the network.", "approved_on": CLOSE_DATE}
DEFAULT_OWNER = {"approved_by": " Partner Engineering"}

# movement -> (register row for its missing webhook; None: none), what it gives the finding
ROWS: dict[str, tuple[dict[str, str] | None, str]] = {
    "evidence": (APPROVER | {"environment": "LIVE", "evidence_hash": "its own"}, "approved"),
    "anywhere": (APPROVER | {"expires_on": CLOSE_DATE}, "approved"),
    "expired": (APPROVER | {"expires_on": "2026-06-29", "evidence_hash": WRONG}, "expired"),
    "stale": (APPROVER | {"expires_on": CLOSE_DATE, "evidence_hash": WRONG}, "stale"),
    "self": (APPROVER | {"owner": "Ada L", "approved_by": "ADA l "}, "rejected"),
    "blanks": (APPROVER | {"owner": "Ada\xa0L", "approved_by": "ada \t L"}, "rejected"),
    "nobody": (APPROVER | {"approved_by": " \xa0"}, "none"),
    "default": (APPROVER | DEFAULT_OWNER, "rejected"),
    "reason": (
        APPROVER | {"reason": " ", "expires_on": "2026-06-29", "evidence_hash": WRONG},
        "rejected",
    ),
    # Another owner makes it a matter of two people.
    "owned": (APPROVER | DEFAULT_OWNER | {"owner": "Treasury"}, "approved"),
    "reviewed": ({"owner": "Treasury", "next_review_date": "2026-07-20"}, "none"),
    "overdue": ({"next_review_date": "2026-06-29", "expires_on": "2026-06-01"}, "none"),
    "late": (APPROVER | {"next_review_date": "2026-06-29"}, "approved"),
    "due": (APPROVER | {"next_review_date": CLOSE_DATE}, "approved"),
    "elsewhere": (APPROVER | {"environment": "test"}, "none"),
    "silent": (None, "none"),
}

UNMATCHED = ["reg-elsewhere-t", "gone", "gone", "reg-anywhere-t"]


def reference() -> dict[str, dict[str, str]]:
    with (ROOT / "seeds" / "ref_findings.csv").open(encoding="utf-8", newline="") as stream:
        return {row["code"]: row for row in csv.DictReader(stream)}


def write_register(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS, restval="")
        writer.writeheader()
        writer.writerows(rows)
    return path


def tree(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and ".pool_recon" not in path.relative_to(folder).parts
    }


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    scenario = Scenario("reg")
    for name in ROWS:
        movement = scenario.movement(f"-{name}")
        scenario.drop(movement.event)
    warned = scenario.movement("-warned")
    warned.order["request_id"] = ""
    leaking = scenario.movement("-leaking")
    leaking.order["user_reference"] = SECRET
    return write(tmp_path_factory.mktemp("register") / "exports", [scenario])


@pytest.fixture(scope="module")
def before(exports: Path) -> Ran:
    """The close without a register."""
    return close(exports, exports.parent / "before", in_brief=True)


@pytest.fixture(scope="module")
def register(exports: Path, before: Ran) -> Path:
    evidence = {row["subject_id"]: row["evidence_hash"] for row in before.rows("exceptions")}
    rows = []
    for name, (given, _) in ROWS.items():
        subject = {
            "code": "missing_webhook",
            "subject_type": "trade",
            "subject_id": f"reg-{name}-t",
        }
        if given is not None:
            row = subject | given
            if name == "evidence":
                row["evidence_hash"] = evidence[row["subject_id"]]
            rows.append(row)
    for found in before.rows("exceptions"):
        if found["code"] in {"secret_exposed", "missing_request_id"}:
            copied = {name: found[name] for name in ("code", "subject_type", "subject_id")}
            rows.append(copied | APPROVER)
    # What could be about one finding and matches none is no more than reported.
    rows += 2 * [{"code": "missing_trade", "subject_type": "order", "subject_id": "gone"}]
    anywhere = {"subject_type": "trade", "subject_id": "reg-anywhere-t", "environment": "test"}
    rows.append({"code": "missing_webhook", **anywhere})
    return write_register(exports.parent / "register.csv", rows)


@pytest.fixture(scope="module")
def after(exports: Path, register: Path) -> Ran:
    """The close with the register, in a warehouse of its own."""
    return close(exports, exports.parent / "after", "--register", register, in_brief=True)


def test_without_a_register_nothing_is_approved(before: Ran) -> None:
    assert before.exit_code == 1, before.stderr
    assert {row["approval"] for row in before.rows("exceptions")} == {"none"}
    assert before.rows("register") == []
    assert "  register  " not in before.stdout
    manifest = json.loads((before.package / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["register"] is None


def test_every_row_gives_what_it_may(after: Ran) -> None:
    assert after.exit_code == 1, after.stderr
    found = {
        row["subject_id"]: row
        for row in after.rows("exceptions")
        if row["code"] == "missing_webhook"
    }
    assert {name: found[f"reg-{name}-t"]["approval"] for name in ROWS} == {
        name: approval for name, (_, approval) in ROWS.items()
    }
    default_owner = reference()["missing_webhook"]["owner"]
    owners = {name: found[f"reg-{name}-t"]["owner"] for name in ROWS}
    assert {owners.pop("self"), owners.pop("owned"), owners.pop("reviewed")} == {
        "Ada L",
        "Treasury",
    }
    # It is shown as it is written.
    assert owners.pop("blanks") == "Ada\xa0L"
    assert set(owners.values()) == {default_owner}
    assert found["reg-reviewed-t"]["next_review_date"] == "2026-07-20"
    assert found["reg-evidence-t"]["next_review_date"] == "2026-07-01"
    assert found["reg-stale-t"]["approved_by"] == "Ada"
    assert found["reg-silent-t"]["approved_by"] == found["reg-reviewed-t"]["approved_by"] == ""


def test_a_warning_may_be_approved_and_a_secret_never(after: Ran) -> None:
    approvals = {row["code"]: row["approval"] for row in after.rows("exceptions")}
    assert approvals["missing_request_id"] == "approved"
    assert approvals["secret_exposed"] == "rejected"


def test_an_approval_shows_in_the_state_of_its_movement(after: Ran) -> None:
    states = {
        row["movement_id"]: row["reconciliation_state"] for row in after.rows("reconciliation")
    }
    for name, (_, approval) in ROWS.items():
        expected = "approved" if approval == "approved" else "exception"
        assert states[f"reg-{name}-t"] == expected
    assert states["reg-warned-t"] == "matched"


def test_an_overdue_review_fails_its_rule(before: Ran, after: Ran) -> None:
    for ran, *said in ((before, "true", "0", "0"), (after, "false", "2", "1")):
        rules = {row["rule"]: row for row in ran.rows("checklist")}
        rule = rules["exceptions_owned_and_reviewed"]
        assert [rule["holds"], rule["findings"], rule["approved"]] == said
    assert re.search(r"\n  exceptions_owned_and_reviewed +2  approved ones too\n", after.stdout)
    rules = {row["rule"]: row for row in after.rows("checklist")}
    assert (
        rules["webhook_gaps_confirmed"]["findings"],
        rules["webhook_gaps_confirmed"]["approved"],
    ) == (
        str(len(ROWS)),
        str(sum(approval == "approved" for _, approval in ROWS.values())),
    )


def test_every_row_is_reported(after: Ran, register: Path) -> None:
    with register.open(encoding="utf-8-sig", newline="") as stream:
        lines = dict(enumerate(csv.DictReader(stream), start=2))
    reported = {int(row["line_number"]): row for row in after.rows("register")}
    assert set(reported) == set(lines)
    unmatched = [number for number, row in reported.items() if row["matched"] == "false"]
    assert [lines[number]["subject_id"] for number in unmatched] == UNMATCHED
    ids = {row["exception_id"]: row["approval"] for row in after.rows("exceptions")}
    for number, row in reported.items():
        if number in unmatched:
            assert row["approval"] == row["exception_id"] == ""
        else:
            assert row["approval"] == ids[row["exception_id"]]
    assert (
        f"{len(lines)} rows; 4 of them match no finding (lines {unmatched[0]}, {unmatched[1]},"
        in (after.stdout)
    )
    manifest = json.loads((after.package / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["register"]["rows"] == len(lines)
    assert manifest["register"]["sha256"] == hashlib.sha256(register.read_bytes()).hexdigest()


def test_a_second_reading_agrees(exports: Path, before: Ran, after: Ran, register: Path) -> None:
    owners = {code: row["owner"] for code, row in reference().items()}
    evidence = {
        (row["code"], row["subject_type"], row["subject_id"]): row["evidence_hash"]
        for row in before.rows("exceptions")
    }
    day = date.fromisoformat(CLOSE_DATE)
    assert compare(before.package, oracle_close(exports, day)) == []
    # The reading does not fold case in the environment of a register row.
    folded = exports.parent / "folded.csv"
    folded.write_text(register.read_text(encoding="utf-8").replace("LIVE", "live"), "utf-8")
    told = oracle_close(exports, day, register=folded, owners=owners, evidence=evidence)
    assert compare(after.package, told) == []
    assert [row["subject_id"] for row in told.unmatched_register_rows] == UNMATCHED


def test_the_files_are_held_against_what_the_checklist_counts_of_reviews(
    after: Ran, tmp_path: Path
) -> None:
    package = copied(after.package, tmp_path / "package")
    warehouse = after.out / "pool_recon.duckdb"

    def told() -> str:
        (counts,) = (
            result
            for result in validate(warehouse, package).results
            if result.expectation.name == "checklist_counts"
        )
        return "; ".join(str(example["problem"]) for example in counts.examples)

    def say(**values: str) -> Callable[[list[dict[str, str]]], None]:
        return lambda rows: next(
            row for row in rows if row["rule"] == "exceptions_owned_and_reviewed"
        ).update(values)

    assert told() == ""
    edit(package, "checklist", say(approved="0"))
    assert "says 2 findings, 0 approved, holds false; exceptions.csv lists 2, 1" in told()
    edit(package, "checklist", say(approved="1", holds="true"))
    assert "says 2 findings, 1 approved, holds true; exceptions.csv lists 2, 1" in told()


@pytest.mark.slow
def test_the_same_register_gives_the_same_package_and_proves_it(
    exports: Path, register: Path, tmp_path: Path
) -> None:
    first = close(exports, tmp_path / "whole", "--register", register)
    content = tree(first.package)
    again = close(exports, first.out, "--register", register, is_fresh=True)
    assert again.exit_code == 1
    assert tree(again.package) == content
    # The rows of the register are in the package; the file is held against the one of the close.
    arguments = ("verify", again.package, "--exports", exports)
    ran = pool_recon(*arguments, "--register", register, out=tmp_path)
    assert ran.exit_code == 0, ran.stdout + ran.stderr
    assert "ok    register" in ran.stdout
    other = tmp_path / "other.csv"
    other.write_bytes(register.read_bytes() + b"\n")
    ran = pool_recon(*arguments, "--register", other, out=tmp_path)
    assert ran.exit_code == 1
    assert "register other.csv: is not the one that the close was given" in ran.stdout


@pytest.mark.parametrize(
    ("name", "told"),
    [
        (
            "anywhere",
            "approved by Ada on 2026-06-30, until 2026-06-30 (line 3 of the register): Seen at the "
            "network.",
        ),
        (
            "expired",
            "expired, given by Ada on 2026-06-30, until 2026-06-29 (line 4 of the register): Seen "
            "at the network.",
        ),
        (
            "self",
            "rejected (the owner cannot approve), given by ADA l on 2026-06-30 (line 6 of the "
            "register): Seen at the network.",
        ),
        (
            "reason",
            "rejected (the row gives no reason), given by Ada on 2026-06-30, until 2026-06-29 "
            "(line 10 of the register)",
        ),
        ("reviewed", "none"),
        ("silent", "none"),
    ],
)
def test_who_approved_and_why_is_told_of_each_finding(after: Ran, name: str, told: str) -> None:
    found = trace(after.out / WAREHOUSE_NAME, f"reg-{name}-t")
    assert not isinstance(found, Missing)
    (finding,) = found["movements"][0]["findings"]
    assert approval_text(finding) == told
    assert (finding["register_row"] is None) == (name == "silent")


def test_what_nobody_can_approve_says_so(after: Ran) -> None:
    rejected = "select subject_id, rejected_for from marts.fct_register_rows where "
    with duckdb.connect(str(after.out / WAREHOUSE_NAME), read_only=True) as connection:
        (found,) = connection.execute(f"{rejected} code = 'secret_exposed'").fetchall()
        assert found[1] == "nobody can approve this finding"
        others = connection.execute(f"{rejected} approval <> 'rejected'").fetchall()
        assert {reason for _, reason in others} == {None}


def test_an_approval_that_ended_is_told_until_the_finding_is_approved_again(
    exports: Path, register: Path, tmp_path: Path
) -> None:
    ended = (
        "select subject_id, last_approval, cast(approval_ended_on as varchar)"
        " from marts.fct_finding_history where approval_ended_on is not null order by all"
    )

    def closed(day: str, given: Path) -> list[tuple[str, str, str]]:
        ran = pool_recon(
            *("close", "--exports", exports, "--close-date", day, "--out", tmp_path / "days"),
            *("--register", given),
            out=tmp_path,
            in_brief=True,
        )
        assert ran.exit_code == 1, ran.stderr
        warehouse = tmp_path / "days" / WAREHOUSE_NAME
        with duckdb.connect(str(warehouse), read_only=True) as connection:
            return connection.execute(ended).fetchall()

    assert closed("2026-06-30", register) == []
    expired = [("reg-anywhere-t", "expired", "2026-07-01")]
    assert closed("2026-07-01", register) == expired
    assert closed("2026-07-02", register) == expired
    longer = register.read_text(encoding="utf-8-sig").replace(f",{CLOSE_DATE},\n", ",,\n")
    renewed = tmp_path / "renewed.csv"
    renewed.write_text(longer.replace("\r", ""), encoding="utf-8")
    assert closed("2026-07-03", renewed) == []


def test_a_malformed_register_changes_nothing(exports: Path, before: Ran, tmp_path: Path) -> None:
    state = tree(before.out)
    row = {"code": "missing_webhook", "subject_type": "trade", "subject_id": "reg-silent-t"}
    for rows, expected in (
        ([row, row | {"environment": "live"}], "line 3 "),
        ([row | {"code": SECRET}], "unknown code 'whsec_***'"),
        ([row | {"expires_on": "1 July"}], "line 2 "),
    ):
        register = write_register(tmp_path / "malformed.csv", rows)
        ran = close(exports, before.out, "--register", register)
        assert ran.exit_code == 2
        assert ran.stdout == ""
        assert ran.stderr.count("\n") == 1
        assert expected in ran.stderr
        assert SECRET not in ran.stderr
    assert close(exports, before.out, "--register", tmp_path / "none.csv").exit_code == 2
    assert tree(before.out) == state


def test_a_version_that_changes_no_figure_leaves_the_evidence_as_it_is(tmp_path: Path) -> None:
    scenario = Scenario("again")
    for suffix in ("-not-counted", "-counted"):
        movement = scenario.movement(suffix)
        movement.event["status"] = "failed"
    exports = write(tmp_path / "exports", [scenario])
    before = close(exports, tmp_path / "out", in_brief=True).rows("exceptions")
    conflicts = [row for row in before if row["code"] == "terminal_state_conflict"]
    assert {row["actual"] for row in conflicts} == {"own settled, failed seen"}

    with (exports / "trades.csv").open(encoding="utf-8", newline="") as stream:
        trades = list(csv.DictReader(stream))
    moments = (f"{CLOSE_DATE}T20:00:00Z", "2026-07-01T09:00:00Z")
    (exports / "trades").mkdir()
    with (exports / "trades" / "again.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, trades[0])
        writer.writeheader()
        for trade in trades:
            moment = moments["-not-counted" in trade["transact_id"]]
            writer.writerow({**trade, "updated_at": moment})
    assert close(exports, tmp_path / "out", in_brief=True).rows("exceptions") == before


@pytest.mark.slow
def test_a_newcomer_approves_from_what_the_package_shows(tmp_path: Path) -> None:
    scenario = Scenario("new")
    for suffix in ("-a", "-b"):
        movement = scenario.movement(suffix)
        scenario.drop(movement.event)
    exports = write(tmp_path / "exports", [scenario])
    out = tmp_path / "out"
    blocked = close(exports, out, in_brief=True)
    assert blocked.exit_code == 1, blocked.stderr

    register = tmp_path / "kept" / "register.csv"
    blocking = [row for row in blocked.rows("exceptions") if row["severity"] == "blocking"]
    assert len(blocking) == 2
    for row in blocking:
        approved = pool_recon(
            *("approve", row["exception_id"], "--owner", "Ops", "--approved-by", "Ada"),
            *("--reason", f"{SECRET[:6]} is no secret, this is", "--expires", "2026-07-31"),
            *("--register", register, "--package", blocked.package),
            out=out,
        )
        assert approved.exit_code == 0, approved.stderr
        assert approved.stderr == ""
    closed = close(exports, out, "--register", register, in_brief=True)
    assert closed.exit_code == 0, closed.stdout
    assert {row["approval"] for row in closed.rows("exceptions")} == {"approved"}
    assert {row["approved_on"] for row in closed.rows("register")} == {CLOSE_DATE}
    assert {row["owner"] for row in closed.rows("exceptions")} == {"Ops"}

    # A close without a register knows nothing of the one before.
    again = close(exports, out, in_brief=True)
    assert again.exit_code == 1
    assert again.rows("exceptions") == blocked.rows("exceptions")
    with duckdb.connect(str(out / "pool_recon.duckdb"), read_only=True) as connection:
        query = "select count(*) from raw.exception_register"
        assert connection.execute(query).fetchall() == [(0,)]
