"""What the dashboard reads. Amounts are the published texts; sums of them are exact."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pool_recon.exact import EXACT
from pool_recon.package import Verdict, close_parameters
from pool_recon.report import Figures, Limits, read_figures
from pool_recon.report.figures import owner_key
from pool_recon.trace import Missing, Packet, trace
from pool_recon.trace.reader import Reader, one_of, reading

if TYPE_CHECKING:
    import duckdb

Row = dict[str, Any]

PAGE_ROWS = 50
ENTRY_ROWS = 200
_LIMITS = Limits(findings=200, balances=1000, closes=60)

# A close that runs beside the dashboard keeps most of the machine.
_MODEST = "set threads = 1; set memory_limit = '25%'"

_STANDING = """
    case when approval = 'approved' then 'approved' when is_blocking then 'blocking'
    else 'warning' end
"""
_ORDERS = {
    "first": "standing_rank, age_days desc, amount_at_risk desc nulls last, code, subject_id",
    "oldest": "age_days desc, standing_rank, amount_at_risk desc nulls last, code, subject_id",
    "largest": "asset, amount_at_risk desc nulls last, standing_rank, code, subject_id",
    "review": "next_review_date, standing_rank, amount_at_risk desc nulls last, code, subject_id",
}
# What a filter compares: a column of the facts, or the standing that is derived from them. That
# of owners stands by itself.
_FILTERS = {
    "standing": f"({_STANDING})",
    "code": "code",
    "asset": "coalesce(asset, '')",
    "partner": "partner_id",
}
_SEARCHED = (
    *("subject_id", "partner_order_id", "quote_id", "transact_id", "event_id"),
    *("ledger_entry_id", "request_id", "exception_id"),
)


@dataclass(frozen=True)
class Choice:
    """What the person asked for on the page of exceptions; empty means any."""

    values: Mapping[str, str] = field(default_factory=dict)
    least_days: int = 0
    wanted: str = ""
    order: str = "first"
    page: int = 1


@dataclass(frozen=True)
class Found:
    """The exceptions of a choice: one page of them, how many there are, and what is at risk."""

    rows: Sequence[Row]
    total: int
    at_risk: Sequence[tuple[str, str, str]]
    page: int
    pages: int


@dataclass(frozen=True)
class Snapshot:
    """A close as the dashboard shows it; `package` is the folder whose verdict it is, if any."""

    figures: Figures
    package: Path | None
    partners: Sequence[str]
    by_pool: Sequence[Row]
    by_partner: Sequence[Row]


class Source:
    """A warehouse file, opened for as long as a page takes and closed again.

    So a close can put a new file in its place at any time, and the next page is of that one.
    """

    def __init__(self, warehouse: Path, package: Path | None = None) -> None:
        self.warehouse = warehouse
        self._package = package
        self._lock = threading.Lock()
        self._snapshot: Snapshot | None = None
        self._taken_of: object = None

    @contextlib.contextmanager
    def opened(self) -> Iterator[tuple[Reader, Snapshot]]:
        """The warehouse to be read, and its summary, which is made once for each close.

        Raises:
            CloseError: the file is gone or in use, or no close has built it.
        """
        with self._lock:
            signature = _signature(self.warehouse)
            with reading(self.warehouse) as reader:
                reader.connection.execute(_MODEST)
                if self._snapshot is None or signature != self._taken_of:
                    self._snapshot = _take(reader.connection, self.warehouse, self._package)
                    self._taken_of = signature
                yield reader, self._snapshot

    def trace(self, wanted: str) -> Packet | Missing:
        """The support packet of an id; raises CloseError as `opened` does."""
        with self._lock:
            return trace(self.warehouse, wanted)


def exceptions(reader: Reader, choice: Choice) -> Found:
    """The exceptions of this close that `choice` selects."""
    of_owner, parameters = _of_owner(reader, choice.values.get("owner"))
    conditions = [of_owner]
    for name, value in choice.values.items():
        if name not in _FILTERS:
            continue
        conditions.append(f"{_FILTERS[name]} = ${name}")
        parameters[name] = "" if value == "-" else value
    if choice.least_days:
        conditions.append("age_days >= $least_days")
        parameters["least_days"] = str(choice.least_days)
    if choice.wanted:
        named = " or ".join(f"contains(lower({column}), $searched)" for column in _SEARCHED)
        conditions.append(f"({named})")
        parameters["searched"] = choice.wanted.lower()
    where = " and ".join(conditions).replace("$least_days", "cast($least_days as bigint)")
    sums = reader.rows(
        f"select coalesce(asset, '') as asset, {_STANDING} as standing,"
        " amount_at_risk_text as amount, count(*) as findings"
        f" from marts.fct_exceptions where {where} group by all",
        **parameters,
    )
    total = sum(row["findings"] for row in sums)
    pages = max(1, -(-total // PAGE_ROWS))
    page = min(max(1, choice.page), pages)
    rows = reader.rows(
        f"""
        select
            *,
            {_STANDING} as standing,
            case {_STANDING} when 'blocking' then 0 when 'warning' then 1 else 2 end
                as standing_rank
        from marts.fct_exceptions
        where {where}
        order by {_ORDERS[choice.order]}, exception_id
        limit {PAGE_ROWS} offset {PAGE_ROWS * (page - 1)}
        """,
        **parameters,
    )
    return Found(rows, total, _added(sums), page, pages)


def _of_owner(reader: Reader, owner: str | None) -> tuple[str, dict[str, object]]:
    """The condition of the exceptions of an owner, however it is spelled, and its parameters."""
    if owner is None:
        return "true", {}
    in_use = reader.rows("select distinct owner from marts.fct_exceptions where owner is not null")
    spellings = [row["owner"] for row in in_use if owner_key(row["owner"]) == owner_key(owner)]
    return one_of("owner", spellings) if spellings else ("false", {})


def balance_entries(reader: Reader, environment: str, partner: str, asset: str) -> list[Row]:
    """The newest entries of a balance, newest first, with the balance after each."""
    return reader.rows(
        "select * from marts.fct_balance_entries where environment = $environment"
        " and partner_id = $partner and asset = $asset"
        f" order by entry_position desc limit {ENTRY_ROWS}",
        environment=environment,
        partner=partner,
        asset=asset,
    )


def _added(sums: Sequence[Row]) -> list[tuple[str, str, str]]:
    """Asset, standing and the exact sum of what is at risk."""
    added: dict[tuple[str, str], Decimal] = {}
    for row in sums:
        if row["amount"] is not None:
            key = (row["asset"], row["standing"])
            amount = EXACT.multiply(Decimal(row["amount"]), Decimal(row["findings"]))
            added[key] = EXACT.add(added.get(key, Decimal(0)), amount)
    return [(*key, format(amount, "f")) for key, amount in sorted(added.items())]


def _signature(file: Path) -> object:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


def _take(connection: duckdb.DuckDBPyConnection, warehouse: Path, package: Path | None) -> Snapshot:
    close = close_parameters(connection)
    folder = package or warehouse.parent / close["close_date"]
    manifest = _manifest(folder, close, connection)
    outputs = manifest["outputs"] if manifest else []
    verdict = _published(manifest) if manifest else _computed(connection)
    return Snapshot(
        figures=read_figures(connection, verdict, outputs, _LIMITS),
        package=folder if manifest else None,
        partners=[
            row[0]
            for row in connection.execute(
                "select distinct partner_id from marts.fct_exceptions"
                " where partner_id is not null order by 1"
            ).fetchall()
        ],
        by_pool=_movements_by(connection, "pool_id"),
        by_partner=_movements_by(connection, "partner_id"),
    )


def _manifest(
    folder: Path, close: Mapping[str, str], connection: duckdb.DuckDBPyConnection
) -> Row | None:
    """The manifest of a package, where it is one of what the warehouse holds now."""
    try:
        manifest: Row = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        landed = connection.execute("select sha256 from raw.files order by file_id").fetchall()
        checklist = connection.execute(
            "select rule_name, holds from marts.close_checklist"
        ).fetchall()
        rules = manifest["verdict"]["rules"]
        is_of_this = (
            manifest["close"] == dict(close)
            and [file["sha256"] for file in manifest["inputs"]] == [sha for (sha,) in landed]
            and all((rules.get(rule) == "holds") == holds for rule, holds in checklist)
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return manifest if is_of_this else None


def _published(manifest: Row) -> Verdict:
    said = manifest["verdict"]
    return Verdict(
        said["rules"],
        *(
            tuple(said[name])
            for name in (
                *("failed_checks", "disagreements", "failed_expectations"),
                *("unchecked_expectations", "differing_readings"),
            )
        ),
    )


def _computed(connection: duckdb.DuckDBPyConnection) -> Verdict:
    """The verdict of the checklist alone, where there is no package to ask."""
    rows = connection.execute(
        "select rule_name, case when not is_judged then 'not checked' when holds then 'holds'"
        " else 'fails' end from marts.close_checklist order by rule_position"
    ).fetchall()
    return Verdict(dict(rows))


def _movements_by(connection: duckdb.DuckDBPyConnection, column: str) -> list[Row]:
    """Movements by state for each value of a column, most movements first."""
    cursor = connection.execute(
        f"select {column} as name, reconciliation_state as state, count(*) as movements"
        " from marts.fct_reconciliation group by all"
    )
    groups: dict[str | None, dict[str, int]] = {}
    for name, state, movements in cursor.fetchall():
        groups.setdefault(name, {})[state] = movements
    rows = [
        {"name": name, "states": states, "total": sum(states.values())}
        for name, states in groups.items()
    ]
    return sorted(rows, key=lambda row: (-row["total"], row["name"] or ""))
