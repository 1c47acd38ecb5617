"""What changed between two close packages, and why: two closes, or two runs of one.

The files are compared as text, row by row by their keys, in an engine that spills to disk; rows
are handed on one by one, so that a package may be larger than the memory.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pool_recon.audit.evidence import (
    Manifest,
    Package,
    check_files,
    csv_source,
    header_of,
    name_of,
    quoted,
    read_package,
    workspace,
)
from pool_recon.console import plural
from pool_recon.dbt_runner import one_line
from pool_recon.errors import CloseError
from pool_recon.exact import EXACT
from pool_recon.midnights import midnight
from pool_recon.package import HISTORY_FOLDER, PARQUET_FOLDER
from pool_recon.progress import Progress
from pool_recon.warehouse import os_reason

if TYPE_CHECKING:
    import duckdb

Row = dict[str, Any]

SUMMARY_VERSION: Final = 1
_FETCHED: Final = 1000
_NONE: Final = "none"
# What a movement is a movement of: two of them can share an id.
_MOVEMENT_TYPE: Final = (
    "case when trade_status is not null then 'trade'"
    " when partner_order_id = movement_id then 'order' else 'quote' end"
)
# Amounts of different assets cannot be compared: the largest of every asset comes first, then the
# second of every asset, as at the end of a close.
_SIZE: Final = "try_cast(amount_at_risk as decimal(38, 18))"
_RANK_IN_ASSET: Final = (
    f"row_number() over (partition by severity, change, {_SIZE} is null, asset"
    f" order by {_SIZE} desc nulls last, opened_on, code, exception_id)"
)
# The register may have equal rows where no finding is theirs.
_OCCURRENCE: Final = (
    "row_number() over (partition by code, subject_type, subject_id, environment"
    " order by try_cast(line_number as bigint))"
)
# What a digest of the manifest stands for, by the first part of its name.
_PROJECT_KINDS: Final = {"models": "rules", "seeds": "reference data", "pool_recon": "program"}
# An age goes with the date of the close and is no change of the finding; a line number goes with
# the lines above it.
_NO_CHANGE: Final = {
    "exceptions": frozenset({"age_days"}),
    "register": frozenset({"line_number"}),
}


@dataclass(frozen=True)
class Section:
    """A file whose rows are compared: its keys, and what is told of a row beside its changes.

    The keys tell every row of the file apart. `made_keys` are those of them that are no columns of
    it, with their SQL.
    `told` are columns of which both values are told, `shown` those of which the newer is. `order`
    puts the rows that matter most first.
    """

    name: str
    file: str
    keys: tuple[str, ...]
    made_keys: Mapping[str, str] = field(default_factory=dict)
    told: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    order: str = ""


_SECTIONS: Final = (
    Section(
        "movements",
        "reconciliation",
        ("movement_type", "movement_id"),
        made_keys={"movement_type": _MOVEMENT_TYPE},
        told=("reconciliation_state",),
        shown=("environment", "partner_id", "partner_order_id", "quote_id"),
        order=(
            "case"
            " when change = 'changed' and reconciliation_state_a <> reconciliation_state_b"
            " then case reconciliation_state_b when 'exception' then 0 else 1 end"
            " when change = 'gone' then 2"
            " when change = 'new' and reconciliation_state_b = 'exception' then 3"
            " when change = 'changed' then 4 else 5 end"
        ),
    ),
    Section(
        "findings",
        "exceptions",
        ("exception_id",),
        told=("approval",),
        shown=(
            *("code", "severity", "environment", "subject_type", "subject_id", "asset"),
            *("amount_at_risk", "owner", "opened_on", "expected", "actual", "first_action"),
        ),
        order=(
            "severity, case when approval_a = 'approved' and approval_b <> 'approved' then 0"
            " when change = 'new' then 1 when change = 'reopened' then 2"
            " when change = 'changed' then 3 else 4 end,"
            f" {_RANK_IN_ASSET}, {_SIZE} is null, opened_on, asset, code, subject_id"
        ),
    ),
    Section("rules", "checklist", ("rule",), told=("holds",)),
    Section(
        "balances",
        "balances",
        ("environment", "partner_id", "asset"),
        told=("closing",),
        order=(
            "case when change <> 'changed' then 1 when closing_a is distinct from closing_b then 0"
            " else 2 end"
        ),
    ),
    Section("conservation", "conservation", ("export",)),
    Section(
        "register",
        "register",
        ("code", "subject_type", "subject_id", "environment", "occurrence"),
        made_keys={"occurrence": _OCCURRENCE},
    ),
    Section("orders", "orders", ("partner_order_id",)),
    Section("quotes", "quotes", ("quote_id",)),
    Section("trades", "trades", ("transact_id",)),
    Section("events", "events", ("event_id",)),
    Section("ledger", "ledger", ("ledger_entry_id",)),
)
# The finance artifacts: what changed in them is why movements did.
RECORDS: Final = ("orders", "quotes", "trades", "events", "ledger")


@dataclass(frozen=True)
class Cause:
    """Why two packages differ: what kind of cause, in words, and the single things behind it."""

    kind: str
    message: str
    items: tuple[Mapping[str, Any], ...] = ()


@dataclass
class Difference:
    """What is different between package A and package B.

    `counts` has for each section how many rows are new, gone, changed and as before, and what else
    is counted of it. `rows` yields the rows of a section, those that matter most first.
    """

    a: Package
    b: Package
    causes: list[Cause] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    states: list[Row] = field(default_factory=list)
    at_risk: list[Row] = field(default_factory=list)
    totals: list[Row] = field(default_factory=list)
    restated: list[Row] = field(default_factory=list)
    rows: Callable[..., Iterator[Row]] = lambda _name, _limit=None: iter(())

    @property
    def is_empty(self) -> bool:
        """True where every file of both is the same, byte for byte."""
        return not self.files

    def side(self, package: Package) -> Row:
        """What is said of one of the two packages as a whole."""
        manifest = _manifest_of(package)
        return {
            "package": str(package.folder),
            **manifest.close,
            "holds": manifest.content["verdict"]["holds"],
            "manifest_sha256": manifest.sha256,
        }

    def summary(self) -> Row:
        """All but the rows, as what JSON can hold."""
        return {
            "schema_version": SUMMARY_VERSION,
            "command": "diff",
            "different": not self.is_empty,
            "a": self.side(self.a),
            "b": self.side(self.b),
            "why": [
                {"cause": cause.kind, "message": cause.message, "items": list(cause.items)}
                for cause in self.causes
            ],
            "notes": self.notes,
            "files": self.files,
            "counts": self.counts,
            "states": self.states,
            "money_at_risk": self.at_risk,
            "control_totals": self.totals,
            "restated_balances": self.restated,
        }


@contextlib.contextmanager
def compare(a: Path, b: Path, progress: Progress | None = None) -> Iterator[Difference]:
    """Compare two packages; the difference can be read within the context.

    Raises CloseError where one of them is no package, has a manifest that was changed, or cannot
    be read.
    """
    import duckdb

    progress = progress or Progress()
    try:
        difference = Difference(read_package(a), read_package(b))
        progress("reading every file")
        _compare_files(difference)
        difference.causes = _causes(difference)
        with workspace() as (connection, _):
            if not difference.is_empty:
                _compare_rows(connection, difference, progress)
            yield difference
    except duckdb.Error as error:
        raise CloseError(f"DuckDB stopped the comparison: {one_line(error)}") from error
    except OSError as error:
        raise CloseError(f"the comparison stopped: {os_reason(error)}") from error


def section_names() -> tuple[str, ...]:
    """The sections whose rows are compared, in order."""
    return tuple(section.name for section in _SECTIONS)


def _manifest_of(package: Package) -> Manifest:
    if package.manifest is None:
        (problem,) = package.problems
        raise CloseError(
            f"{package.folder / problem.subject} {problem.message}: without it the packages cannot "
            "be compared"
        )
    return package.manifest


def _compare_files(difference: Difference) -> None:
    """Which files differ. A file that is not as it was written is compared as it is, and named."""
    digests = []
    for package in (difference.a, difference.b):
        manifest = _manifest_of(package)
        stated = {name: output["sha256"] for name, output in manifest.outputs.items()}
        for problem in check_files(package, manifest):
            # Not the digest of any file, so that it differs from its counterpart.
            stated[problem.subject] = f"{package.folder}: {problem.message}"
            difference.notes.append(
                f"{package.folder / problem.subject} {problem.message}; 'pool-recon verify' says "
                "more"
            )
        digests.append(stated | {"manifest.json": manifest.sha256})
    one, other = digests
    difference.files = sorted(name for name in {*one, *other} if one.get(name) != other.get(name))


def _causes(difference: Difference) -> list[Cause]:
    one, other = (_manifest_of(package) for package in (difference.a, difference.b))
    a, b = one.content, other.content
    causes = []
    for name, kind in (("close_date", "date"), ("time_zone", "time zone")):
        if one.close[name] != other.close[name]:
            causes.append(Cause(kind, f"{one.close[name]} -> {other.close[name]}"))
    causes += _inputs(a["inputs"], b["inputs"])
    registers = [content.get("register") for content in (a, b)]
    if registers[0] != registers[1]:
        named = [
            f"{register['file']} (rows: {register['rows']}, SHA-256 {register['sha256'][:8]})"
            if register
            else _NONE
            for register in registers
        ]
        causes.append(Cause("register", " -> ".join(named)))
    for kind, items in (
        ("settings", _items(a["settings"], b["settings"])),
        *_of_project(_items(a["project"], b["project"])),
        ("versions", _items(a["versions"], b["versions"])),
    ):
        if items:
            has_digests = kind in _PROJECT_KINDS.values()
            words = (
                str(item["name"]) if has_digests else f"{item['name']} {_step(item)}"
                for item in items
            )
            causes.append(Cause(kind, ", ".join(words), tuple(items)))
    has_moved = one.close["close_date"] != other.close["close_date"]
    history = [
        {name: o["sha256"] for name, o in m.outputs.items() if name.startswith(HISTORY_FOLDER)}
        for m in (one, other)
    ]
    if not has_moved and history[0] != history[1]:
        causes.append(Cause("history", "earlier dates were closed or closed again in between"))
    if has_moved and len(causes) == 1:
        causes.append(
            Cause("nothing else", "exports, register, settings, rules and versions are the same")
        )
    if not causes and not difference.is_empty:
        causes.append(
            Cause(
                "unknown",
                "nothing that the manifests name is different: 'pool-recon verify' tells whether "
                "one of the packages was changed",
            )
        )
    return causes


def _step(item: Row) -> str:
    before, after = (_NONE if item[side] is None else item[side] for side in ("a", "b"))
    return f"{before} -> {after}"


def _of_project(items: Sequence[Row]) -> Iterator[tuple[str, list[Row]]]:
    """What changed of project and program, by what that means to a reader."""
    for kind in dict.fromkeys(_PROJECT_KINDS.values()):
        yield (
            kind,
            [
                item
                for item in items
                if _PROJECT_KINDS.get(str(item["name"]).partition("/")[0], "rules") == kind
            ],
        )


def _items(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[Row]:
    return [
        {"name": name, "a": a.get(name), "b": b.get(name)}
        for name in sorted({*a, *b})
        if a.get(name) != b.get(name)
    ]


def _inputs(a: Sequence[Mapping[str, Any]], b: Sequence[Mapping[str, Any]]) -> list[Cause]:
    """Input files by what became of them: new content of a known path is another thing."""
    known = [
        {(file["export"], file["path"], file["sha256"]): file for file in side} for side in (a, b)
    ]
    paths = [{key[:2] for key in side} for side in known]
    causes = []
    for kind, message, files in (
        (
            "new files",
            "landed in B and not in A",
            [f for key, f in known[1].items() if key not in known[0] and key[:2] not in paths[0]],
        ),
        (
            "newer versions of files",
            "landed in B with another content than in A",
            [f for key, f in known[1].items() if key not in known[0] and key[:2] in paths[0]],
        ),
        (
            "files not there",
            "landed in A and not in B",
            [f for key, f in known[0].items() if key not in known[1]],
        ),
    ):
        if not files:
            continue
        count, rows = Counter[str](), Counter[str]()
        for file in files:
            count[file["export"]] += 1
            rows[file["export"]] += file["rows"]
        listed = ", ".join(
            f"{export} {count[export]} ({plural(rows[export], 'row')})" for export in count
        )
        causes.append(Cause(kind, f"{len(files):,} {message}: {listed}", tuple(files)))
    if not causes and [*known[0]] != [*known[1]]:
        causes.append(Cause("order of files", "the same files landed in another order"))
    return causes


def _compare_rows(
    connection: duckdb.DuckDBPyConnection, difference: Difference, progress: Progress
) -> None:
    kinds = _kinds()
    compared: dict[str, Section] = {}
    for section in _SECTIONS:
        progress(f"comparing {section.file}.csv")
        counts = _compare_section(connection, difference, section, kinds)
        if counts is not None:
            difference.counts[section.name] = counts
            compared[section.name] = section
    if "movements" in compared:
        _follow_movements(connection)
        difference.states = _states(connection)
        counts = difference.counts["movements"]
        counts["live on"] = _number(
            connection, "select count(*) from changes_movements where lives_on_as is not null"
        )
        counts["state changed"] = _number(
            connection,
            "select count(*) from changes_movements where change = 'changed'"
            " and reconciliation_state_a is distinct from reconciliation_state_b",
        )
    if "findings" in compared:
        _reopen_findings(connection, difference)
    difference.at_risk = _at_risk(connection, difference)
    difference.totals = _totals(difference)
    if "balances" in compared:
        difference.restated = _restated(connection, difference)

    def rows(name: str, limit: int | None = None) -> Iterator[Row]:
        if name not in compared:
            return
        section = compared[name]
        order = ", ".join(part for part in (section.order, *section.keys) if part)
        query = f"select * from changes_{name} order by {order}"
        if limit is not None:
            query += f" limit {limit}"
        cursor = connection.execute(query)
        names = [column[0] for column in cursor.description or ()]
        while fetched := cursor.fetchmany(_FETCHED):
            for row in fetched:
                yield _told(dict(zip(names, row, strict=True)))

    difference.rows = rows


def _told(row: Row) -> Row:
    row["differences"] = [_change(change) for change in row.pop("differences") or ()]
    return row


def _change(change: Row) -> Row:
    """A changed value; the difference of two amounts has as many decimals as they have."""
    a, b = change.pop("numbers")
    if a is None or b is None:
        return change
    decimals = max(len(change[side].partition(".")[2]) for side in ("a", "b"))
    difference = EXACT.subtract(Decimal(b), Decimal(a))
    scaled = EXACT.quantize(difference, Decimal(1).scaleb(-decimals))
    return {**change, "difference": format(scaled, "f")}


def _kinds() -> dict[tuple[str, str], str]:
    """How the values of each published column are written, by file and column."""
    from pool_recon.expectations.suite import published_files

    return {
        (file.name, column.name): column.kind
        for file in published_files()
        for column in file.columns
    }


def _compare_section(
    connection: duckdb.DuckDBPyConnection,
    difference: Difference,
    section: Section,
    kinds: Mapping[tuple[str, str], str],
) -> dict[str, int] | None:
    """Make the table of the changed rows of a file and count them; None where it cannot be."""
    name = f"{section.file}.csv"
    headers = []
    for side, package in (("a", difference.a), ("b", difference.b)):
        file = package.folder / name
        if not file.is_file():
            difference.notes.append(f"{file} is no file, so that its rows are not compared")
            return None
        header = header_of(file)
        more = "".join(f", {sql} as {key}" for key, sql in section.made_keys.items())
        connection.execute(
            f"create view {side}_{section.file} as select *{more} from {csv_source(file, header)}"
        )
        headers.append(header)
    common = [column for column in headers[0] if column in headers[1]]
    if only := sorted({*headers[0]} ^ {*headers[1]}):
        difference.notes.append(f"{name} has other columns in A than in B: {', '.join(only)}")
    stated = [key for key in section.keys if key not in section.made_keys]
    needed = (*stated, *section.told, *section.shown)
    if lacking := [column for column in needed if column not in common]:
        difference.notes.append(f"{name} lacks {', '.join(lacking)}: its rows are not compared")
        return None
    _make_changes(connection, difference, section, common, kinds)
    counts = dict(
        connection.execute(
            f"select change, count(*) from changes_{section.name} group by all"
        ).fetchall()
    )
    in_b = _number(connection, f"select count(*) from b_{section.file}")
    new, changed = counts.get("new", 0), counts.get("changed", 0)
    return {
        "new": new,
        "gone": counts.get("gone", 0),
        "changed": changed,
        "as before": in_b - new - changed,
    }


def _make_changes(
    connection: duckdb.DuckDBPyConnection,
    difference: Difference,
    section: Section,
    columns: Sequence[str],
    kinds: Mapping[tuple[str, str], str],
) -> None:
    ignored = _NO_CHANGE.get(section.file, frozenset())
    compared = [c for c in columns if c not in section.keys and c not in ignored]
    both = " and ".join(f"a.{k} is not distinct from b.{k}" for k in map(name_of, section.keys))
    differs = (
        " or ".join(f"a.{c} is distinct from b.{c}" for c in map(name_of, compared)) or "false"
    )
    entries = ", ".join(_entry(column, kinds.get((section.file, column))) for column in compared)
    selected = [f"coalesce(b.{c}, a.{c}) as {c}" for c in map(name_of, section.keys)]
    selected += [
        f"{side}.{name_of(c)} as {name_of(f'{c}_{side}')}"
        for c in section.told
        for side in ("a", "b")
    ]
    selected += [
        f"case when b._here then b.{c} else a.{c} end as {c}" for c in map(name_of, section.shown)
    ]
    # Equal files have no rows to look at.
    is_equal = f"{section.file}.csv" not in difference.files
    connection.execute(
        f"""
        create table changes_{section.name} as
        select
            case when a._here is null then 'new' when b._here is null then 'gone' else 'changed'
            end as change,
            {", ".join(selected)},
            case when a._here and b._here then list_filter(
                [{entries}], lambda entry: entry.a is distinct from entry.b
            ) end as differences
        from (select *, true as _here from a_{section.file} where {not is_equal}) as a
        full outer join (select *, true as _here from b_{section.file} where {not is_equal}) as b
            on {both}
        where a._here is null or b._here is null or {differs}
        """
    )


def _entry(column: str, kind: str | None) -> str:
    """A column with both its values, and for an amount or a count both as numbers."""
    name = name_of(column)
    # Their difference can outgrow the type.
    numbers = (
        f"cast(try_cast({side}.{name} as decimal(38, 18)) as varchar)"
        if kind in {"amount", "count"}
        else "cast(null as varchar)"
        for side in ("a", "b")
    )
    return (
        f"{{'column': {quoted(column)}, 'a': a.{name}, 'b': b.{name},"
        f" 'numbers': [{', '.join(numbers)}]}}"
    )


def _follow_movements(connection: duckdb.DuckDBPyConnection) -> None:
    """Find what a movement lives on as, and in which state.

    An order or quote that got its trade has another id.
    """
    connection.execute(
        """
        alter table changes_movements add column lives_on_as varchar;
        alter table changes_movements add column lives_on_state varchar;
        update changes_movements set lives_on_as = heirs.heir, lives_on_state = heirs.state
        from (
            select
                gone.movement_id,
                gone.movement_type,
                min(heir.movement_id) as heir,
                arg_min(heir.reconciliation_state_b, heir.movement_id) as state
            from changes_movements as gone
            inner join changes_movements as heir
                on heir.change = 'new'
                and (
                    (gone.movement_type = 'order' and heir.partner_order_id = gone.movement_id)
                    or (gone.movement_type = 'quote' and heir.quote_id = gone.movement_id)
                )
            where gone.change = 'gone' and gone.movement_type <> 'trade'
            group by all
        ) as heirs
        where changes_movements.change = 'gone'
            and changes_movements.movement_id = heirs.movement_id
            and changes_movements.movement_type = heirs.movement_type
        """
    )


def _states(connection: duckdb.DuckDBPyConnection) -> list[Row]:
    """How many movements went from which state to which; none stands for not being there."""
    rows = connection.execute(
        "select reconciliation_state_a, reconciliation_state_b, count(*) from changes_movements"
        " where reconciliation_state_a is distinct from reconciliation_state_b"
        " group by all order by count(*) desc, 1, 2"
    ).fetchall()
    return [{"a": a, "b": b, "movements": count} for a, b, count in rows]


def _reopen_findings(connection: duckdb.DuckDBPyConnection, difference: Difference) -> None:
    """Tell new findings from those that an earlier close than A has shown before."""
    date = _manifest_of(difference.a).close["close_date"]
    connection.execute(
        "update changes_findings set change = 'reopened' where change = 'new' and opened_on < ?",
        [date],
    )
    connection.execute("update changes_findings set change = 'resolved' where change = 'gone'")
    counts = difference.counts["findings"]
    reopened = _number(
        connection, "select count(*) from changes_findings where change = 'reopened'"
    )
    difference.counts["findings"] = {
        "new": counts["new"] - reopened,
        "reopened": reopened,
        "resolved": counts["gone"],
        "changed": counts["changed"],
        "as before": counts["as before"],
    }


def _at_risk(connection: duckdb.DuckDBPyConnection, difference: Difference) -> list[Row]:
    """Amounts at risk over findings, by standing and asset, where they differ; exact."""
    if "findings" not in difference.counts:
        return []
    sums: list[dict[tuple[str, str], Decimal]] = []
    for side in ("a", "b"):
        amount = "cast(amount_at_risk as decimal(38, 18))"
        rows = connection.execute(
            "select case when approval = 'approved' then 'approved' else severity end, asset,"
            f" sum(cast(trunc({amount}) as decimal(38, 0)))::varchar,"
            f" sum({amount} - trunc({amount}))::varchar,"
            " max(length(split_part(amount_at_risk, '.', 2)))"
            f" from {side}_exceptions where amount_at_risk is not null group by all"
        ).fetchall()
        sums.append(
            {
                (standing, asset or ""): EXACT.quantize(
                    EXACT.add(Decimal(whole), Decimal(rest)), Decimal(1).scaleb(-decimals)
                )
                for standing, asset, whole, rest, decimals in rows
            }
        )
    return [
        {
            "standing": standing,
            "asset": asset,
            **_exact(*(side.get((standing, asset)) for side in sums)),
        }
        for standing, asset in sorted({*sums[0], *sums[1]})
        if sums[0].get((standing, asset)) != sums[1].get((standing, asset))
    ]


def _exact(a: Decimal | None, b: Decimal | None) -> Row:
    difference = EXACT.subtract(b or Decimal(0), a or Decimal(0))
    return {
        name: None if amount is None else format(amount, "f")
        for name, amount in (("a", a), ("b", b), ("difference", difference))
    }


def _totals(difference: Difference) -> list[Row]:
    a, b = (
        _manifest_of(package).content["control_totals"] for package in (difference.a, difference.b)
    )
    return [
        {"name": item["name"], **_exact(*(_stated(item[side]) for side in ("a", "b")))}
        for item in _items(a, b)
    ]


def _restated(connection: duckdb.DuckDBPyConnection, difference: Difference) -> list[Row]:
    """The balances that A, of an earlier date, published otherwise than the entries of B give them.

    At the moment that `fct_restated_balances` takes: where B is of the next date, that with which
    it opens; else the cut-off of A.
    """
    a, b = (_manifest_of(package).close for package in (difference.a, difference.b))
    if a["close_date"] >= b["close_date"]:
        return []
    import duckdb

    entries = difference.b.folder / PARQUET_FOLDER / "fct_balance_entries.parquet"
    try:
        rows = _sums_beside(connection, entries, _moment_of(a, b))
    except duckdb.Error as error:
        difference.notes.append(
            f"{entries} cannot be read, so that the closing balances of A are not held against "
            f"the entries of B: {one_line(error)}"
        )
        return []
    return [
        {
            "environment": environment,
            "partner_id": partner,
            "asset": asset,
            **_scaled(*(Decimal(amount) for amount in amounts)),
        }
        for environment, partner, asset, *amounts in rows
    ]


def _sums_beside(
    connection: duckdb.DuckDBPyConnection, entries: Path, moment: datetime
) -> list[tuple[str, ...]]:
    """The closing balances of A that are not the sums of `entries` before a moment, and these."""
    return connection.execute(
        f"""
        with sums as (
            select environment, partner_id, asset, sum(delta) as restated
            from read_parquet({quoted(str(entries))})
            where effective_at < cast(? as timestamptz)
            group by all
        ),
        published as (
            select environment, partner_id, asset, cast(closing as decimal(38, 18)) as published
            from a_balances
        )
        select
            environment, partner_id, asset,
            cast(coalesce(published, 0) as varchar), cast(coalesce(restated, 0) as varchar)
        from published
        full outer join sums using (environment, partner_id, asset)
        where coalesce(published, 0) <> coalesce(restated, 0)
        order by environment, partner_id, asset
        """,
        [f"{moment.isoformat()}Z"],
    ).fetchall()


def _moment_of(a: Mapping[str, str], b: Mapping[str, str]) -> datetime:
    """The moment, in UTC, at which the balances of two closes are compared."""
    cut_off = datetime.fromisoformat(a["cut_off_at"]).replace(tzinfo=None)
    before, date_of_b = (date.fromisoformat(close["close_date"]) for close in (a, b))
    opening = midnight(date_of_b, b["time_zone"])
    is_next = date_of_b - before == timedelta(days=1)
    return opening if is_next else min(cut_off, opening)


def _scaled(a: Decimal, b: Decimal) -> Row:
    """Two amounts and their difference, with as many decimals as they need and two at least."""
    decimals = max(2, *(-int(amount.normalize(EXACT).as_tuple().exponent) for amount in (a, b)))
    scale = Decimal(1).scaleb(-decimals)
    return _exact(*(EXACT.quantize(amount, scale) for amount in (a, b)))


def _stated(text: Any) -> Decimal | None:
    return None if text is None else Decimal(str(text))


def _number(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0
