"""The marts and the metrics say what the CSV files say, digit for digit."""

from __future__ import annotations

import csv
import json
import shutil
import sys
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from math import ceil
from pathlib import Path
from typing import Any

import pytest
import yaml

from pool_recon.errors import CloseError
from pool_recon.metrics import list_metrics, query
from pool_recon.warehouse import connect
from tests.end_to_end.closing import CLOSE_DATE, PREVIOUS, ROOT, Ran, documented_keys, pool_recon

pytest.importorskip("metricflow", reason="the metrics extra is not installed")

Rows = list[dict[str, str]]

# The mart or view, the file that has the same amounts, and the key of both.
TEXTS = {
    "bi_movements": ("reconciliation", ("movement_id",)),
    "fct_exceptions": ("exceptions", ("exception_id",)),
    "fct_balances": ("balances", ("environment", "partner_id", "asset")),
    "fct_ledger_entries": ("ledger", ("ledger_entry_id",)),
}


def rows_of(package: Path, name: str) -> Rows:
    with (package / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, strict=True))


def close_date_of(package: Path) -> str:
    manifest = json.loads((package / "manifest.json").read_text(encoding="utf-8"))
    return str(manifest["close"]["close_date"])


def warehouse_of(ran: Ran) -> Path:
    return ran.out / "pool_recon.duckdb"


def test_the_texts_of_the_marts_are_those_of_the_files(two_days: Ran) -> None:
    connection = connect(warehouse_of(two_days), read_only=True)
    for mart, (name, key) in TEXTS.items():
        found = connection.execute(f"select * from marts.{mart}")
        columns = [column[0] for column in found.description or []]
        made = {
            tuple(row[part] for part in key): row
            for row in (dict(zip(columns, values, strict=True)) for values in found.fetchall())
        }
        written = {tuple(row[part] for part in key): row for row in two_days.rows(name)}
        assert made.keys() == written.keys(), mart
        texts = [column for column in columns if column.endswith("_text")]
        assert texts, mart
        for at, row in made.items():
            for column in texts:
                text = written[at][column.removesuffix("_text")]
                assert (row[column] or "") == text, (mart, at, column)
    connection.close()


def test_the_balance_after_each_entry_is_text_too(two_days: Ran) -> None:
    connection = connect(warehouse_of(two_days), read_only=True)
    rows = connection.execute(
        "select ledger_entry_id, delta_text, balance_before_text, ledger_balance_text,"
        " stated_balance_text, balance_before, ledger_balance from marts.fct_balance_entries"
    ).fetchall()
    connection.close()
    entries = {row["ledger_entry_id"]: row for row in two_days.rows("ledger")}
    assert rows
    for entry, delta, before, after, stated, before_exact, after_exact in rows:
        assert delta == entries[entry]["delta"]
        assert (stated or "") == entries[entry]["balance_after"]
        assert Decimal(before) == before_exact
        assert Decimal(after) == after_exact == Decimal(before) + Decimal(delta)


def asked(ran: Ran, *metrics: str, by: tuple[str, ...] = ()) -> dict[tuple[Any, ...], Any]:
    """The answers of metrics by group; of one metric the value itself."""
    answer = query(warehouse_of(ran), metrics, by)
    assert list(answer.columns) == [*by, *metrics]
    return {
        tuple(row[: len(by)]): row[-1] if len(metrics) == 1 else tuple(row[len(by) :])
        for row in answer.rows
    }


def percentile(numbers: list[Decimal], share: str) -> Decimal:
    return sorted(numbers)[ceil(Decimal(share) * len(numbers)) - 1]


def match_rates(ran: Ran, package: Path) -> None:
    rows = rows_of(package, "reconciliation")
    by = ("movement__partner_id",)
    found = asked(ran, "movements", "matched_movements", "match_rate", by=by)
    every, matched = Counter[str](), Counter[str]()
    for row in rows:
        every[row["partner_id"]] += 1
        matched[row["partner_id"]] += row["reconciliation_state"] == "matched"
    assert {key[0]: values[:2] for key, values in found.items()} == {
        partner: (count, matched[partner]) for partner, count in every.items()
    }
    assert all(rate == good / count for count, good, rate in found.values())
    assert asked(ran, "match_rate") == {(): matched.total() / every.total()}


def open_exceptions(ran: Ran, package: Path) -> None:
    rows = rows_of(package, "exceptions")
    assert asked(ran, "exceptions") == {(): len(rows)}
    standing = [row for row in rows if row["approval"] != "approved"]
    counts = Counter((row["severity"], row["owner"]) for row in standing)
    by = ("exception__severity", "exception__owner")
    assert asked(ran, "open_exceptions", by=by) == counts


def money_at_risk(ran: Ran, package: Path) -> None:
    sums: dict[tuple[str], Decimal] = {}
    for row in rows_of(package, "exceptions"):
        if row["approval"] != "approved" and row["amount_at_risk"]:
            key = (row["asset"],)
            sums[key] = sums.get(key, Decimal(0)) + Decimal(row["amount_at_risk"])
    found = asked(ran, "money_at_risk", by=("exception__asset",))
    amounts = {key: amount for key, amount in found.items() if amount is not None}
    assert amounts == {key: format(amount, "f") for key, amount in sums.items()}


def ages(ran: Ran, package: Path) -> None:
    rows = rows_of(package, "exceptions")
    days = [Decimal(row["age_days"]) for row in rows if row["approval"] != "approved"]
    assert asked(ran, "oldest_exception_days") == {(): max(days)}
    assert asked(ran, "median_exception_days") == {(): percentile(days, "0.5")}


def settlement_times(ran: Ran, package: Path) -> None:
    rows = rows_of(package, "reconciliation")
    clocks = [
        Decimal(row["settlement_clock_seconds"]) for row in rows if row["settlement_clock_seconds"]
    ]
    for name, share in (("p50", "0.5"), ("p90", "0.9"), ("p99", "0.99")):
        (found,) = asked(ran, f"settlement_seconds_{name}").values()
        assert (None if found is None else Decimal(found)) == (
            percentile(clocks, share) if clocks else None
        )


def balances(ran: Ran, package: Path) -> None:
    by = ("entry__environment", "entry__partner_id", "entry__asset")
    closing = {
        tuple(row[each.split("__")[1]] for each in by): row["closing"]
        for row in rows_of(package, "balances")
    }
    found = asked(ran, "balance", by=by)
    assert found.items() <= closing.items()
    assert all(Decimal(closing[key]) == 0 for key in closing.keys() - found.keys())
    assert asked(ran, "balance_change", by=by) == found


def balances_by_day(ran: Ran, package: Path) -> None:
    by = ("metric_time__day", "entry__environment", "entry__partner_id", "entry__asset")
    found = asked(ran, "balance", by=by)
    date = json.loads((package / "manifest.json").read_text(encoding="utf-8"))["close"][
        "close_date"
    ]
    assert max(day for day, *_ in found) == CLOSE_DATE
    of_date = {key[1:]: amount for key, amount in found.items() if key[0] == date}
    closing = {
        (row["environment"], row["partner_id"], row["asset"]): row["closing"]
        for row in rows_of(package, "balances")
        if Decimal(row["closing"])
    }
    assert closing
    assert closing.items() <= of_date.items()


def trends(ran: Ran, package: Path) -> None:
    states = Counter(row["reconciliation_state"] for row in rows_of(package, "reconciliation"))
    found = asked(
        ran,
        *("movements_at_close", "matched_movements_at_close", "match_rate_at_close"),
        "blocking_findings_at_close",
        by=("metric_time__day",),
    )
    severities = Counter(row["severity"] for row in rows_of(package, "exceptions"))
    assert found[close_date_of(package),] == (
        states.total(),
        states["matched"],
        states["matched"] / states.total(),
        severities["blocking"],
    )


def test_the_figures_at_close_are_those_of_the_last_one(two_days: Ran) -> None:
    names = (
        *("movements_at_close", "matched_movements_at_close", "match_rate_at_close"),
        "blocking_findings_at_close",
    )
    by_day = asked(two_days, *names, by=("metric_time__day",))
    assert by_day.keys() == {(PREVIOUS,), (CLOSE_DATE,)}
    assert by_day[PREVIOUS,] != by_day[CLOSE_DATE,]
    assert asked(two_days, *names) == {(): by_day[CLOSE_DATE,]}
    by_month = asked(two_days, *names, by=("metric_time__month",))
    assert by_month == {("2026-06-01",): by_day[CLOSE_DATE,]}


CHECKS = (match_rates, open_exceptions, money_at_risk, ages, settlement_times, balances)


@pytest.mark.parametrize("check", [*CHECKS, balances_by_day, trends])
def test_metrics_say_what_the_files_say(check: Callable[[Ran, Path], None], two_days: Ran) -> None:
    check(two_days, two_days.package)


def test_settlement_times_of_a_clean_close(clean: Ran) -> None:
    assert any(row["settlement_clock_seconds"] for row in clean.rows("reconciliation"))
    settlement_times(clean, clean.package)


@pytest.mark.parametrize("check", [balances_by_day, trends])
def test_metrics_of_earlier_days_say_what_the_earlier_files_say(
    check: Callable[[Ran, Path], None], two_days: Ran
) -> None:
    check(two_days, two_days.out / PREVIOUS)


@pytest.mark.parametrize("check", [match_rates, open_exceptions, money_at_risk, ages, balances])
def test_the_files_of_another_close_are_told_apart(
    check: Callable[[Ran, Path], None], two_days: Ran
) -> None:
    with pytest.raises(AssertionError):
        check(two_days, two_days.out / PREVIOUS)


def test_every_metric_is_compared_with_the_files(two_days: Ran) -> None:
    text = (ROOT / "models" / "semantics" / "metrics.yml").read_text(encoding="utf-8")
    described = {metric["name"]: metric for metric in yaml.safe_load(text)["metrics"]}
    listed = {metric.name: metric for metric in list_metrics(warehouse_of(two_days))}
    assert listed.keys() == described.keys()
    assert all(metric.dimensions and metric.description for metric in listed.values())
    source = Path(__file__).read_text(encoding="utf-8").replace("settlement_seconds_{name}", " ")
    unasked = {
        name for name in listed if f'"{name}"' not in source and "settlement_seconds" not in name
    }
    assert unasked == set()


def test_the_command_prints_exact_amounts(two_days: Ran, tmp_path: Path) -> None:
    arguments = ("--warehouse", warehouse_of(two_days), "--by", "exception__asset")
    ran = pool_recon("metrics", "money_at_risk", *arguments, out=tmp_path)
    assert ran.exit_code == 0, ran.stderr
    head, *lines = [line.split() for line in ran.stdout.splitlines()]
    assert head == ["exception__asset", "money_at_risk"]
    found = asked(two_days, "money_at_risk", by=("exception__asset",))
    assert [tuple(line) for line in lines if len(line) == 2] == [
        (asset, amount) for (asset,), amount in found.items() if amount is not None
    ]


def test_the_command_as_json(two_days: Ran, tmp_path: Path) -> None:
    arguments = ("--warehouse", warehouse_of(two_days), "--json")
    by = ("--by", "exception__asset")
    ran = pool_recon("metrics", "money_at_risk", *by, *arguments, out=tmp_path)
    assert ran.exit_code == 0, ran.stderr
    said = json.loads(ran.stdout)
    assert list(said) == ["schema_version", "command", "rows"]
    assert (said["schema_version"], said["command"]) == (1, "metrics")
    found = asked(two_days, "money_at_risk", by=("exception__asset",))
    assert {(row["exception__asset"],): row["money_at_risk"] for row in said["rows"]} == found
    ran = pool_recon("metrics", *arguments, out=tmp_path)
    listed = json.loads(ran.stdout)
    assert list(listed) == ["schema_version", "command", "metrics"]
    assert (listed["schema_version"], listed["command"]) == (1, "metrics")
    assert documented_keys("metrics") >= {*said, *listed, *listed["metrics"][0]}


@pytest.mark.parametrize(
    ("metrics", "by", "said"),
    [
        (("profit",), (), "there is no metric profit: choose among balance, "),
        (
            ("money_at_risk",),
            ("movement__pool_id",),
            "the metric money_at_risk cannot be grouped by movement__pool_id: choose among "
            "exception__approval, ",
        ),
    ],
)
def test_what_cannot_be_asked_is_said_in_one_line(
    metrics: tuple[str, ...], by: tuple[str, ...], said: str, two_days: Ran
) -> None:
    with pytest.raises(CloseError) as caught:
        query(warehouse_of(two_days), metrics, by)
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)


BALANCE_GROUPS = ("entry__asset", "entry__environment")


@pytest.mark.parametrize(
    ("metrics", "by", "missing"),
    [
        (("balance",), (), BALANCE_GROUPS),
        (("balance_change",), ("entry__partner_id",), BALANCE_GROUPS),
        (("balance",), ("entry__asset", "metric_time__day"), ("entry__environment",)),
        (("balance", "balance_change"), ("entry__environment",), ("entry__asset",)),
        (("money_at_risk",), ("exception__owner",), ("exception__asset",)),
        (("open_exceptions", "money_at_risk"), ("exception__owner",), ("exception__asset",)),
    ],
)
def test_amounts_that_do_not_add_up_are_not_added(
    metrics: tuple[str, ...], by: tuple[str, ...], missing: tuple[str, ...], two_days: Ran
) -> None:
    with pytest.raises(CloseError) as caught:
        query(warehouse_of(two_days), metrics, by)
    metric = next(name for name in metrics if name not in ("exceptions", "open_exceptions"))
    assert str(caught.value) == (
        f"amounts of {metric} do not add up across {' and '.join(missing)}: "
        f"add {' '.join(f'--by {name}' for name in missing)}"
    )


def test_counts_and_amounts_within_what_they_add_up_in_are_answered(two_days: Ran) -> None:
    assert asked(two_days, "open_exceptions", by=("exception__owner",))
    assert asked(two_days, "money_at_risk", by=("exception__owner", "exception__asset"))
    assert query(warehouse_of(two_days), ["balance"], BALANCE_GROUPS).rows
    by_asset = query(warehouse_of(two_days), ["Money_At_Risk"], ["EXCEPTION__ASSET"])
    assert by_asset == query(warehouse_of(two_days), ["money_at_risk"], ["exception__asset"])


def test_the_command_refuses_what_does_not_add_up(two_days: Ran, tmp_path: Path) -> None:
    arguments = ("--warehouse", warehouse_of(two_days))
    for how in ((), ("--json",), ("--sql",)):
        ran = pool_recon("metrics", "balance", *arguments, *how, out=tmp_path)
        assert (ran.exit_code, ran.stdout, ran.stderr.count("\n")) == (2, "", 1)
        assert ran.stderr.endswith("add --by entry__asset --by entry__environment\n")


def test_the_list_says_what_a_metric_has_to_be_grouped_by(two_days: Ran, tmp_path: Path) -> None:
    listed = {metric.name: metric for metric in list_metrics(warehouse_of(two_days))}
    assert {name: list(each.adds_up_within) for name, each in listed.items()} == {
        name: [] for name in listed
    } | {
        "money_at_risk": ["exception__asset"],
        "balance": list(BALANCE_GROUPS),
        "balance_change": list(BALANCE_GROUPS),
    }
    ran = pool_recon("metrics", "--warehouse", warehouse_of(two_days), out=tmp_path)
    assert ran.stdout.count("  always by entry__asset, entry__environment\n") == 2


def test_every_sum_of_amounts_says_within_what_it_adds_up(two_days: Ran) -> None:
    text = (ROOT / "models" / "semantics" / "semantic_models.yml").read_text(encoding="utf-8")
    connection = connect(warehouse_of(two_days), read_only=True)
    amounts = connection.execute(
        "select table_name, column_name from information_schema.columns"
        " where table_schema = 'marts' and data_type like 'DECIMAL(%,18)'"
    ).fetchall()
    connection.close()
    within = {}
    for model in yaml.safe_load(text)["semantic_models"]:
        table = model["model"].split("'")[1]
        for measure in model["measures"]:
            if (table, measure.get("expr", measure["name"])) in amounts:
                within[measure["name"]] = measure["config"]["meta"]["adds_up_within"]
    assert within == {"amount_at_risk": ["asset"], "balance_delta": ["asset", "environment"]}


@pytest.fixture
def copied(two_days: Ran, tmp_path: Path) -> Path:
    return Path(shutil.copy(warehouse_of(two_days), tmp_path / "pool_recon.duckdb"))


def test_a_sum_that_no_amount_can_hold_is_said_in_one_line(copied: Path) -> None:
    with connect(copied) as connection:
        connection.execute("update marts.fct_exceptions set amount_at_risk = 99999999999999999999")
    with pytest.raises(CloseError) as caught:
        query(copied, ["money_at_risk"], ["exception__asset"])
    assert str(caught.value) == (
        "a sum of money_at_risk by exception__asset has more digits than an amount can have: "
        "ask for finer groups"
    )


def test_no_findings_are_none_and_not_unknown(copied: Path) -> None:
    with connect(copied) as connection:
        connection.execute("delete from marts.fct_exceptions")
        connection.execute("create table no_movements as from marts.bi_movements limit 0")
        connection.execute("create or replace view marts.bi_movements as from no_movements")
    for name in ("exceptions", "open_exceptions", "movements", "matched_movements"):
        assert query(copied, [name]).rows == [[0]], name
    assert query(copied, ["match_rate"]).rows == [[None]]


def test_without_metricflow_one_line_says_what_to_install(
    two_days: Ran, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "metricflow.engine.metricflow_engine", None)
    with pytest.raises(CloseError, match=r"pip install 'pool-recon\[metrics\]'"):
        query(warehouse_of(two_days), ["movements"])
