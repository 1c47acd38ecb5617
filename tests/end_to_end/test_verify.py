"""`pool-recon verify`: nothing that was changed in a package passes, and nothing else is named."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pool_recon.audit import Verification, verify
from pool_recon.audit.evidence import Problem, read_package
from pool_recon.audit.rerun import Rerun, find_inputs
from pool_recon.errors import CloseError
from tests.end_to_end.closing import ROOT, Ran, documented_keys, pool_recon
from tests.end_to_end.packages import Rows, copied, edit, files, manifest_of, sign

BAD_DAY = ROOT / "samples" / "bad_day"


def subjects(result: Verification) -> set[str]:
    return {problem.subject for problem in result.problems}


def outcomes(result: Verification) -> dict[str, str]:
    return {check.name: check.outcome.value for check in result.checks}


@pytest.fixture
def package(bad_day: Ran, tmp_path: Path) -> Path:
    """A copy of the package of the bad day, to be changed."""
    return copied(bad_day.package, tmp_path / "package")


def test_an_untouched_package_is_proven_wherever_it_lies(bad_day: Ran, tmp_path: Path) -> None:
    for folder in (bad_day.package, copied(bad_day.package, tmp_path / "it's, elsewhere")):
        result = verify(folder)
        assert result.problems == []
        assert result.is_proven
        assert outcomes(result) == {
            "manifest": "proven",
            "files": "proven",
            "rows": "proven",
            "totals": "proven",
            "agreement": "proven",
            "inputs": "not checked",
            "re-run": "not checked",
        }


def flipped(content: bytes, at: int, bit: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 1 << bit]) + content[at + 1 :]


def test_the_first_and_the_last_byte_of_every_file(package: Path) -> None:
    for name in files(package):
        file = package / name
        content = file.read_bytes()
        for changed in (flipped(content, 0, 0), flipped(content, len(content) - 1, 5), b""):
            file.write_bytes(changed)
            assert subjects(verify(package)) == {name}
        file.write_bytes(content)
    assert verify(package).is_proven


def test_bytes_all_over_the_manifest(package: Path) -> None:
    file = package / "manifest.json"
    content = file.read_bytes()
    for at in range(0, len(content), 13):
        file.write_bytes(flipped(content, at, at % 8))
        assert subjects(verify(package)) == {"manifest.json"}, at


@pytest.fixture(scope="module")
def playground(bad_day: Ran) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield copied(bad_day.package, Path(folder) / "package")


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_change_of_any_byte_is_caught_and_named(playground: Path, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(files(playground)), label="file")
    content = (playground / name).read_bytes()
    at = data.draw(st.integers(0, len(content) - 1), label="at")
    kind = data.draw(st.sampled_from(["flip", "insert", "remove", "cut", "swap"]), label="kind")
    match kind:
        case "flip":
            changed = flipped(content, at, data.draw(st.integers(0, 7), label="bit"))
        case "insert":
            # White space is what a reader of JSON or CSV would overlook.
            extra = data.draw(st.sampled_from([b" ", b"\n", b"\r", b"0", b"\xef\xbb\xbf"]))
            changed = content[:at] + extra + content[at:]
        case "remove":
            changed = content[:at] + content[at + 1 :]
        case "cut":
            changed = content[:at]
        case _:
            changed = content[:at] + content[at:][::-1]
    if changed == content:
        return
    try:
        (playground / name).write_bytes(changed)
        result = verify(playground)
        assert not result.is_proven
        assert subjects(result) == {name}
    finally:
        (playground / name).write_bytes(content)


def test_files_that_are_missing_or_too_many(package: Path) -> None:
    for name in files(package):
        if name == "manifest.json":
            continue
        (package / name).rename(package / "away")
        assert subjects(verify(package)) == {name, "away"}
        (package / "away").rename(package / name)
    for name in (".hidden", "parquet/more.parquet", "history/link", "notes/a.txt"):
        (package / name).parent.mkdir(exist_ok=True)
        if name.endswith("link"):
            (package / name).symlink_to(package / "orders.csv")
        else:
            (package / name).write_text("x", encoding="utf-8")
        assert subjects(verify(package)) == {name}
        (package / name).unlink()
    assert subjects(verify(package)) == {"notes/"}
    (package / "notes").rmdir()
    assert verify(package).is_proven


def test_a_link_is_no_part_of_the_package_even_to_the_same_bytes(
    bad_day: Ran, package: Path
) -> None:
    for name in ("orders.csv", "report.html", "parquet/fct_exceptions.parquet", "manifest.json"):
        (package / name).rename(package.parent / "kept")
        for target in (bad_day.package / name, package.parent / "nowhere"):
            (package / name).symlink_to(target)
            result = verify(package)
            assert not result.is_proven
            [problem] = result.problems
            assert problem.subject == name
            assert problem.message.startswith("is a link")
            (package / name).unlink()
        (package.parent / "kept").rename(package / name)
    shutil.rmtree(package / "history")
    (package / "history").symlink_to(bad_day.package / "history")
    assert "history" in subjects(verify(package))
    assert verify(copied(bad_day.package, package.parent / "other")).is_proven
    (package.parent / "latest").symlink_to(package.parent / "other")
    assert verify(package.parent / "latest").is_proven


def test_what_would_be_waited_for_is_no_file(package: Path) -> None:
    for name in ("orders.csv", "manifest.json"):
        (package / name).rename(package.parent / "kept")
        os.mkfifo(package / name)
        [problem] = verify(package).problems
        assert problem.subject == name
        assert problem.message.startswith("is no regular file")
        (package / name).unlink()
        (package.parent / "kept").rename(package / name)


def amount(rows: Rows, column: str, value: str) -> None:
    next(row for row in rows if row[column])[column] = value


# What a forger changes, who writes the manifest anew: and what then does not add up.
FORGERIES: dict[str, tuple[str, Callable[[Rows], Any], str]] = {
    "an amount": (
        "reconciliation",
        lambda rows: amount(rows, "source_amount", "1.00"),
        "control total source_amount",
    ),
    "a state": (
        "reconciliation",
        lambda rows: amount(rows, "reconciliation_state", "matched2"),
        "control total movements.matched2",
    ),
    "a movement": ("reconciliation", lambda rows: rows[1:], "control total movements"),
    "a finding": (
        "exceptions",
        lambda rows: [row for row in rows if row["code"] != "missing_webhook"],
        "checklist.csv",
    ),
    "an approval": (
        "exceptions",
        lambda rows: amount(rows, "approval", "approved"),
        "checklist.csv",
    ),
    "a rule": ("checklist", lambda rows: rows[0].update(holds="true"), "checklist.csv"),
    "an entry": ("ledger", lambda rows: amount(rows, "delta", "0.01"), "balances.csv"),
    "a balance": ("balances", lambda rows: amount(rows, "closing", "0.01"), "balances.csv"),
    "a landed row": (
        "conservation",
        lambda rows: rows[0].update(landed="1", staged="1", duplicates="0", superseded="0"),
        "conservation.csv",
    ),
    "an amount of a trade": (
        "trades",
        lambda rows: amount(rows, "fiat_amount", "1.00"),
        "trades.csv",
    ),
    "a side of a quote": ("quotes", lambda rows: amount(rows, "side", "off_ramp"), "quotes.csv"),
    "a state of an order": (
        "orders",
        lambda rows: amount(rows, "product_state", "paid"),
        "orders.csv",
    ),
    "an event": ("events", lambda rows: amount(rows, "transact_id", "t_other"), "events.csv"),
    "a trade of an entry": (
        "ledger",
        lambda rows: amount(rows, "transact_id", "t_other"),
        "ledger.csv",
    ),
    "a trade": ("trades", lambda rows: rows[1:], "reconciliation.csv"),
    "an id": (
        "reconciliation",
        lambda rows: amount(rows, "request_id", "req_other"),
        "parquet/fct_reconciliation.parquet",
    ),
    "a time": (
        "reconciliation",
        lambda rows: amount(rows, "created_at", "2026-06-01T00:00:00Z"),
        "parquet/fct_reconciliation.parquet",
    ),
    "a date": (
        "exceptions",
        lambda rows: amount(rows, "next_review_date", "2026-12-31"),
        "parquet/fct_exceptions.parquet",
    ),
    "no amount": (
        "reconciliation",
        lambda rows: amount(rows, "source_amount", "much"),
        "control totals",
    ),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_file_contradicts_the_others(forgery: str, package: Path) -> None:
    name, change, subject = FORGERIES[forgery]
    edit(package, name, change)
    result = verify(sign(package))
    assert outcomes(result)["files"] == "proven"
    assert not result.is_proven
    assert any(named.startswith(subject) for named in subjects(result)), result.problems


def test_a_forged_manifest_contradicts_the_files(package: Path) -> None:
    whole = (package / "manifest.json").read_bytes()

    def forged(change: Callable[[dict[str, Any]], Any]) -> set[str]:
        (package / "manifest.json").write_bytes(whole)
        return subjects(verify(sign(package, change)))

    assert forged(lambda m: m) == set()
    assert forged(lambda m: m["control_totals"].update(movements="1")) == {
        "control total movements"
    }
    assert forged(lambda m: m["control_totals"].pop("movements")) == {"control total movements"}
    assert forged(lambda m: m["control_totals"].update(extra="1")) == {"control total extra"}
    assert forged(lambda m: m["verdict"].update(holds=True)) == {"manifest.json"}
    assert forged(lambda m: m["verdict"]["rules"].update(no_secrets="holds")) == {"checklist.csv"}
    assert forged(lambda m: m["inputs"][0].update(rows=1)) == {"conservation.csv"}
    assert forged(
        lambda m: m.update(register={"file": "r", "rows": 2, "sha256": "0", "size_bytes": 1})
    ) == {"register.csv"}
    rows = forged(lambda m: [o.update(rows=o["rows"] + 1) for o in m["outputs"]])
    assert rows >= {
        name for name in files(package) if name.endswith((".csv", ".parquet", ".json"))
    } - {"manifest.json"}
    # Neither a path that leads out of the package nor a statement gets anywhere.
    for change in (
        lambda m: m["outputs"][0].update(file="../orders.csv"),
        lambda m: m["settings"].update(default_partner="'; drop table raw.files; --"),
        lambda m: m.pop("inputs"),
        lambda m: m["outputs"][0].update(rows="1"),
    ):
        assert forged(change) == {"manifest.json"}


def test_who_knows_the_digest_knows_a_forged_manifest(package: Path) -> None:
    known = manifest_of(package)["manifest_sha256"]
    assert verify(package, expected_sha256=known.upper()).is_proven
    sign(package, lambda manifest: manifest["versions"].update(python="2.7"))
    assert verify(package).is_proven
    assert subjects(verify(package, expected_sha256=known)) == {"manifest.json"}


def test_what_is_no_package_cannot_be_verified(bad_day: Ran, package: Path, tmp_path: Path) -> None:
    for folder, said in (
        (tmp_path / "nowhere", "is not there"),
        (package / "orders.csv", "is a file"),
        (package / "parquet", "has no manifest.json"),
    ):
        with pytest.raises(CloseError, match=said):
            verify(folder)
    sign(package, lambda manifest: manifest.update(manifest_version=3))
    with pytest.raises(CloseError, match="knows version 2"):
        verify(package)
    (package / "manifest.json").write_text("{}", encoding="utf-8")
    (problem,) = verify(package).problems
    assert problem.message.endswith(", and it states none in manifest_sha256")
    (package / "manifest.json").write_text('{"manifest_version": 1}', encoding="utf-8")
    with pytest.raises(CloseError, match="older version"):
        verify(package)
    (package / "manifest.json").unlink()
    ran = pool_recon("verify", package, out=tmp_path)
    assert (ran.exit_code, ran.stdout) == (2, "")
    assert "manifest.json" in ran.stderr


def test_inputs_that_are_not_as_they_were_closed(bad_day: Ran, tmp_path: Path) -> None:
    exports = tmp_path / "exports"
    shutil.copytree(BAD_DAY, exports)
    stated = manifest_of(bad_day.package)["inputs"]
    changed, missing = (exports / stated[number]["path"] for number in (0, 1))
    changed.write_bytes(changed.read_bytes() + b"\n")
    missing.unlink()
    register = tmp_path / "register.csv"
    register.write_text("code\n", encoding="utf-8")
    result = verify(bad_day.package, [exports], register)
    assert subjects(result) == {
        f"input {stated[0]['row_name']}",
        f"input {stated[1]['row_name']}",
        "register register.csv",
        "re-run",
    }
    assert outcomes(result)["agreement"] == "proven"
    (rerun,) = (check for check in result.checks if check.name == "re-run")
    assert "impossible: 2 of 16 input files" in rerun.detail
    assert "the register is another" in rerun.detail


def test_a_re_run_gives_the_same_bytes_and_finds_what_agrees_with_itself(
    bad_day: Ran, package: Path, tmp_path: Path
) -> None:
    # Every file of the package but one comes out as it is; this one is forged consistently.
    edit(package, "orders", lambda rows: rows[0].update(user_reference="somebody else"))
    sign(package)
    assert verify(package).is_proven
    exports, archive = tmp_path / "exports", tmp_path / "archive"
    shutil.copytree(BAD_DAY, exports)
    # A file of a later day came, and one was moved to where older files are kept.
    shutil.copy(exports / "orders" / "2026-06-29.csv", exports / "orders" / "2026-07-01.csv")
    with (exports / "orders" / "2026-07-01.csv").open("a", encoding="utf-8") as stream:
        stream.write("\n")
    (archive / "ledger").mkdir(parents=True)
    moved = next((exports / "ledger").iterdir())
    moved.rename(archive / "ledger" / f"old {moved.name}")
    ran = pool_recon(
        *("verify", package, "--exports", exports, "--exports", archive, "--json"), out=tmp_path
    )
    assert ran.exit_code == 1, ran.stderr
    told = json.loads(ran.stdout)
    assert list(told) == [
        *("schema_version", "command", "package", "close_date", "manifest_sha256", "proven"),
        *("checks", "notes"),
    ]
    assert (told["schema_version"], told["command"]) == (1, "verify")
    assert documented_keys("verify") >= {*told, *told["checks"][0]}
    (problem,) = (problem for check in told["checks"] for problem in check["problems"])
    assert problem["subject"] == "orders.csv"
    assert "line 2 differs" in problem["problem"]
    assert "somebody else" in problem["problem"]
    assert {check["check"]: check["outcome"] for check in told["checks"]} == {
        "manifest": "proven",
        "files": "proven",
        "rows": "proven",
        "totals": "proven",
        "agreement": "proven",
        "inputs": "proven",
        "re-run": "not proven",
    }
    assert told["notes"] == [
        "1 input file was found under another name",
        "1 file of the exports is no part of this close",
    ]


def test_the_words_for_a_person(bad_day: Ran, package: Path, tmp_path: Path) -> None:
    ran = pool_recon("verify", bad_day.package, out=tmp_path)
    assert ran.exit_code == 0
    assert ran.stdout.startswith(f"Package of 2026-06-30 in {bad_day.package}: proven\n")
    assert manifest_of(bad_day.package)["manifest_sha256"] in ran.stdout
    (package / "orders.csv").write_bytes(b"x")
    ran = pool_recon("verify", package, out=tmp_path)
    assert ran.exit_code == 1
    assert "NOT PROVEN" in ran.stdout
    assert "\n  orders.csv: was changed: it has 1 bytes where " in ran.stdout


def test_a_re_run_by_another_program(
    bad_day: Ran, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def change(manifest: dict[str, Any]) -> None:
        manifest["versions"]["duckdb"] = "1.0"
        manifest["project"]["seeds/ref_findings.csv"] = "0" * 64

    found: list[Problem] = []
    monkeypatch.setattr(
        "pool_recon.audit.verification.run_again", lambda *_arguments: Rerun(list(found), files=26)
    )
    assert verify(bad_day.package, [BAD_DAY]).notes == []
    sign(package, change)
    # The same bytes are a proof whoever made them, and it is said who did.
    result = verify(package, [BAD_DAY])
    assert result.is_proven
    (note,) = result.notes
    assert "duckdb 1.0 made the package, and this is " in note
    assert "seeds/ref_findings.csv has changed since" in note
    # Other bytes are none, and the likely cause is named with them.
    found.append(Problem("orders.csv", "differs in the re-run"))
    result = verify(package, [BAD_DAY])
    assert not result.is_proven
    assert subjects(result) == {"orders.csv", "re-run"}
    assert "which may be why: duckdb 1.0" in result.problems[-1].message
    found.clear()
    monkeypatch.setattr("pool_recon.audit.verification.made_otherwise", lambda _manifest: [])
    assert verify(package, [BAD_DAY]).notes == []


def test_a_masked_name_is_only_found_where_it_is(bad_day: Ran, package: Path) -> None:
    def change(manifest: dict[str, Any]) -> None:
        for entry in manifest["inputs"][:2]:
            entry["path"] = entry["path"].replace("2026", "renamed")
        manifest["inputs"][0]["path"] = "orders/whsec_***.csv"

    manifest = read_package(sign(package, change)).manifest
    assert manifest
    inputs = find_inputs(manifest, [BAD_DAY])
    # By its content alone a file is taken for another; where the name counts it is not.
    assert [problem.message.split(";")[0] for problem in inputs.problems] == [
        "is not in the exports"
    ]
    assert inputs.files[0].relative_path == manifest.content["inputs"][1]["path"]
    assert inputs.files[0].path.name == Path(manifest.content["inputs"][1]["row_name"]).name
