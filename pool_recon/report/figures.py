"""What the close report says, read from the published views as the text that they publish.

Counts are whole numbers and sums of amounts are exact; nothing here passes through a float.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pool_recon.blanks import with_single_blanks
from pool_recon.exact import EXACT
from pool_recon.package import (
    VIEW_PREFIX,
    VIEW_SCHEMA,
    Verdict,
    close_parameters,
    view_columns,
)
from pool_recon.restated import RestatedBalance, read_restated_balances
from pool_recon.summary import (
    REVIEW_RULE,
    QuietDate,
    TopException,
    read_quiet_date,
    read_top_exceptions,
)

if TYPE_CHECKING:
    import duckdb

Row = dict[str, Any]

# Where a finding stands. Only the first keeps a close from being signed off.
STANDINGS = ("blocking", "warning", "approved")

# The reconciliation states in the order in which they are drawn; the rest follows by name.
STATES = ("matched", "approved", "open", "lapsed", "exception")

# The ages of findings in days: label, first day, last day.
_AGES: tuple[tuple[str, int, int | None], ...] = (
    ("new today", 0, 0),
    ("1 to 2 days", 1, 2),
    ("3 to 7 days", 3, 7),
    ("8 to 30 days", 8, 30),
    ("31 days and more", 31, None),
)

# The columns of balances.csv that a roll-forward adds up, between opening and closing.
BALANCE_STEPS = ("funding", "debits", "refunds", "returns", "fees", "adjustments")

# When the balance of a row was reported, and whether that was found to be wrong.
_OF_REPORTS = ("_reported_as_of", "_has_balance_mismatch")

SET_ASIDE = ("duplicates", "superseded", "quarantined")

# The figures of the trend, in the order in which they are shown.
TREND_COLUMNS = (
    *("match_rate_percent", "movement_count", "matched_count", "approved_count", "open_count"),
    *("lapsed_count", "exception_count", "blocking_finding_count", "warning_finding_count"),
    *("approved_finding_count", "holding_rule_count"),
)

# A published amount as two whole numbers, which order and add up without rounding. Published
# amounts have 18 decimals at most.
_SIGN = "case when starts_with(amount_at_risk, '-') then -1 else 1 end"
_DECIMALS = "split_part(amount_at_risk, '.', 2)"
_WHOLE = f"{_SIGN} * cast(split_part(ltrim(amount_at_risk, '-'), '.', 1) as hugeint)"
_FRACTION = f"{_SIGN} * cast(rpad({_DECIMALS}, 18, '0') as hugeint)"


@dataclass(frozen=True)
class Limits:
    """How many lines each list of the page has at most; what is cut is said and named."""

    findings: int = 500
    changes: int = 100
    balances: int = 200
    closes: int = 30
    register: int = 100
    violations: int = 5
    assets: int = 50


@dataclass(frozen=True)
class Tally:
    """Findings of one kind: how many by standing, how many overdue, and what is at risk."""

    key: str
    counts: Mapping[str, int]
    overdue: int
    oldest: int
    at_risk: Mapping[str, Mapping[str, str]]

    @property
    def total(self) -> int:
        """All findings of the kind."""
        return sum(self.counts.values())


@dataclass(frozen=True)
class Rule:
    """A rule of the checklist: its published row, what its test said, and why it fails."""

    row: Row
    state: str
    codes: Sequence[tuple[str, int]]
    violations: Sequence[Row]
    violation_count: int


@dataclass(frozen=True)
class Group:
    """The findings of one code that the page lists, and how many there are in all."""

    code: str
    severity: str
    meaning: str
    first_action: str
    rows: Sequence[Row]
    total: int
    standing: int


@dataclass(frozen=True)
class Change:
    """What happened to findings since the close before: the first of them, and how many."""

    kind: str
    rows: Sequence[Row]
    total: int


@dataclass(frozen=True)
class Difference:
    """A figure of the trend at the close before and at this one; None where one has none."""

    column: str
    before: str | None
    now: str | None

    @property
    def change(self) -> str | None:
        """What was added, exactly and with its sign."""
        if self.before is None or self.now is None:
            return None
        change = EXACT.subtract(Decimal(self.now), Decimal(self.before))
        return format(change, "+f") if change else format(abs(change), "f")


@dataclass(frozen=True)
class Figures:
    """Everything that the page says."""

    close: Mapping[str, str]
    verdict: Verdict
    rules: Sequence[Rule]
    states: Sequence[tuple[str, int]]
    match_rate: str | None
    findings: Tally
    blocking: Tally
    codes: Sequence[Tally]
    owners: Sequence[Tally]
    ages: Sequence[Tally]
    assets: Sequence[Tally]
    asset_count: int
    largest: Mapping[str, Row]
    groups: Sequence[Group]
    first: Sequence[TopException]
    quiet_date: QuietDate | None
    balances: Sequence[Row]
    balance_count: int
    mismatches: Collection[int]
    conservation: Sequence[Row]
    trend: Sequence[Row]
    close_count: int
    changes: Sequence[Change]
    register: Sequence[Row]
    register_count: int
    unmatched_count: int
    files: Sequence[Mapping[str, Any]]
    input_count: int
    restated: Sequence[RestatedBalance] = ()
    restated_count: int = 0

    @property
    def movements(self) -> int:
        """All movements."""
        return sum(count for _, count in self.states)

    @property
    def failed_expectations(self) -> list[str]:
        """The expectations that failed, without those of rules that fail anyway."""
        failing = {rule.row["rule"] for rule in self.rules if rule.state != "holds"}
        return [name for name in self.verdict.failed_expectations if name not in failing]

    @property
    def unreviewed(self) -> int:
        """How many findings of any standing break the rule of reviews, 0 where it holds."""
        return sum(
            rule.violation_count
            for rule in self.rules
            if rule.row["rule"] == REVIEW_RULE and rule.state != "holds"
        )

    @property
    def listed(self) -> int:
        """How many findings the page lists."""
        return sum(len(group.rows) for group in self.groups)

    @property
    def unlisted_assets(self) -> int:
        """How many assets with money at risk are not among `assets`."""
        return self.asset_count - len(self.assets)

    @property
    def previous(self) -> Row | None:
        """The close before this one, None where this is the first."""
        return self.trend[-2] if len(self.trend) > 1 else None

    @property
    def differences(self) -> list[Difference]:
        """This close beside the one before it, empty where this is the first."""
        if self.previous is None:
            return []
        before, now = self.previous, self.trend[-1]
        return [
            Difference(
                column, *(None if of[column] is None else str(of[column]) for of in (before, now))
            )
            for column in TREND_COLUMNS
        ]

    def landed(self, column: str) -> int:
        """The sum of a column of conservation.csv over all exports."""
        return sum(int(row[column]) for row in self.conservation)


def read_figures(
    connection: duckdb.DuckDBPyConnection,
    verdict: Verdict,
    outputs: Sequence[Mapping[str, Any]],
    limits: Limits | None = None,
) -> Figures:
    """Read the figures of the close that the warehouse was last built for.

    `outputs` are the manifest entries of the files that the package has so far. Raises CloseError
    where the warehouse does not say what it closes, duckdb.Error where it cannot be read.
    """
    limits = limits or Limits()
    close = close_parameters(connection)
    trend = _rows(
        connection,
        "select * replace (cast(close_date as varchar) as close_date)"
        " from marts.fct_close_trend order by close_date",
    )
    register = _package(connection, "register", more=["_rejected_for"])
    restated = read_restated_balances(connection)
    facts = _finding_facts(connection, close["close_date"])
    of_assets = _tallies(
        [fact for fact in facts if fact["has_amount"]], lambda fact: str(fact["asset"] or "")
    )
    # Where every finding is approved there is nothing left to say of the asset.
    assets = [tally for tally in of_assets if tally.counts["blocking"] + tally.counts["warning"]]
    return Figures(
        close=close,
        verdict=verdict,
        rules=_rules(connection, verdict, facts, limits),
        states=_states(connection),
        match_rate=trend[-1]["match_rate_percent"] if trend else None,
        findings=_tally("all", facts),
        blocking=_tally("blocking", (f for f in facts if f["standing"] == "blocking")),
        codes=_tallies(facts, lambda fact: str(fact["code"])),
        owners=_owners(facts, _known_owners(connection)),
        ages=_ages(facts),
        assets=assets[: limits.assets],
        asset_count=len(assets),
        largest=_largest(connection),
        groups=_groups(connection, limits.findings),
        first=read_top_exceptions(connection),
        quiet_date=read_quiet_date(connection),
        balances=_package(connection, "balances", limits.balances, _OF_REPORTS),
        balance_count=_count(connection, f"select count(*) from {VIEW_SCHEMA}.pkg_balances"),
        mismatches=_mismatches(connection),
        conservation=_package(connection, "conservation"),
        trend=trend[-limits.closes :],
        close_count=len(trend),
        changes=_changes(connection, close["close_date"], limits.changes),
        register=register[: limits.register],
        register_count=len(register),
        unmatched_count=sum(row["matched"] != "true" for row in register),
        files=sorted(outputs, key=lambda output: str(output["file"])),
        input_count=_count(connection, "select count(*) from raw.files"),
        restated=restated[: limits.balances],
        restated_count=len(restated),
    )


def share(count: int, total: int) -> str:
    """`count` of `total` in per cent with two decimals, cut and not rounded as in the trend."""
    if not total:
        return ""
    hundredths = count * 10000 // total
    return f"{hundredths // 100}.{hundredths % 100:02d}"


def _rows(
    connection: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[object] = ()
) -> list[Row]:
    cursor = connection.execute(sql, list(parameters))
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _count(connection: duckdb.DuckDBPyConnection, sql: str) -> int:
    row = connection.execute(sql).fetchone()
    return int(row[0]) if row else 0


def _package(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    limit: int | None = None,
    more: Sequence[str] = (),
) -> list[Row]:
    """The first rows of a published file, or all, in its order and with the number of each.

    `more` are columns of its view that the file does not have.
    """
    view = f"{VIEW_PREFIX}{name}"
    columns, order = view_columns(connection, view)
    cut = "" if limit is None else f" limit {limit}"
    rows = _rows(
        connection,
        f"select {', '.join([*columns, *more])} from {VIEW_SCHEMA}.{view}"
        f" order by {', '.join(order)}{cut}",
    )
    return [{"row_number": number, **row} for number, row in enumerate(rows, start=1)]


def _mismatches(connection: duckdb.DuckDBPyConnection) -> frozenset[int]:
    """The rows of balances.csv, from 1, whose reported balance is not that of the ledger."""
    view = f"{VIEW_PREFIX}balances"
    _, order = view_columns(connection, view)
    rows = connection.execute(
        f"select row_number() over (order by {', '.join(order)}) from {VIEW_SCHEMA}.{view}"
        " qualify _has_balance_mismatch"
    ).fetchall()
    return frozenset(number for (number,) in rows)


def _states(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, int]]:
    counts = {
        str(row["reconciliation_state"]): int(row["movements"])
        for row in _rows(
            connection,
            "select reconciliation_state, count(*) as movements"
            f" from {VIEW_SCHEMA}.pkg_reconciliation group by all",
        )
    }
    known = [(state, counts.pop(state, 0)) for state in STATES]
    return known + sorted(counts.items())


def _finding_facts(connection: duckdb.DuckDBPyConnection, close_date: str) -> list[Row]:
    """Findings that are the same for every summary: how many they are, and what is at risk."""
    return _rows(
        connection,
        f"""
        select
            code,
            owner,
            asset,
            approval,
            case when approval = 'approved' then 'approved' else severity end as standing,
            cast(age_days as bigint) as age,
            next_review_date < ? as is_overdue,
            coalesce(amount_at_risk, '') <> '' as has_amount,
            count(*) as findings,
            sum({_WHOLE}) as whole,
            sum({_FRACTION}) as fraction,
            max(length({_DECIMALS})) as decimals
        from {VIEW_SCHEMA}.pkg_exceptions
        group by all
        order by all
        """,
        [close_date],
    )


def _largest(connection: duckdb.DuckDBPyConnection) -> dict[str, Row]:
    """Of each asset the finding with the most at risk that is not approved, the oldest of them."""
    rows = _rows(
        connection,
        f"""
        select asset, exception_id, amount_at_risk
        from {VIEW_SCHEMA}.pkg_exceptions
        where amount_at_risk <> '' and approval <> 'approved'
        qualify row_number() over (
            partition by asset
            order by
                {_WHOLE} desc, {_FRACTION} desc, cast(age_days as bigint) desc, subject_id,
                exception_id
        ) = 1
        order by asset
        """,
    )
    return {str(row["asset"] or ""): row for row in rows}


def _tally(key: str, facts: Iterable[Row]) -> Tally:
    counts: Counter[str] = Counter()
    sums: dict[str, dict[str, Decimal]] = defaultdict(dict)
    overdue, oldest = 0, 0
    for fact in facts:
        findings, standing = int(fact["findings"]), str(fact["standing"])
        counts[standing] += findings
        overdue += findings if fact["is_overdue"] else 0
        oldest = max(oldest, int(fact["age"]))
        if fact["has_amount"]:
            of_asset = sums[str(fact["asset"] or "")]
            of_asset[standing] = EXACT.add(of_asset.get(standing, Decimal(0)), _at_risk(fact))
    at_risk = {
        asset: {standing: format(amount, "f") for standing, amount in sorted(of_asset.items())}
        for asset, of_asset in sorted(sums.items())
    }
    return Tally(key, {name: counts[name] for name in STANDINGS}, overdue, oldest, at_risk)


def _at_risk(fact: Row) -> Decimal:
    """What is at risk in these findings, with as many decimals as the longest amount has."""
    fraction = Decimal(fact["fraction"]).scaleb(-18, EXACT)
    amount = EXACT.add(Decimal(fact["whole"]), fraction)
    return EXACT.quantize(amount, Decimal(1).scaleb(-int(fact["decimals"])))


def _tallies(facts: Iterable[Row], key: Callable[[Row], str]) -> list[Tally]:
    """One tally for each key; what blocks most comes first."""
    of_key: dict[str, list[Row]] = defaultdict(list)
    for fact in facts:
        of_key[key(fact)].append(fact)
    tallies = [_tally(name, rows) for name, rows in of_key.items()]
    return sorted(tallies, key=lambda t: (*(-t.counts[name] for name in STANDINGS), t.key))


def owner_key(owner: str | None) -> str:
    """What two spellings of one owner have in common: neither case nor blanks tell them apart."""
    return with_single_blanks(owner or "").casefold()


def _known_owners(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """The owners of the reference data."""
    rows = _rows(connection, "select distinct owner from reference.ref_findings")
    return [str(row["owner"]) for row in rows if row["owner"]]


def _owners(facts: Sequence[Row], known: Iterable[str]) -> list[Tally]:
    """One tally for each owner, in the spelling of `known` or else in one of those in use."""
    in_use = (str(fact["owner"] or "") for fact in facts)
    # The last of them stays: the first by name, and before all in use one that is known.
    spellings = [*sorted(in_use, reverse=True), *sorted(known, reverse=True)]
    shown = {owner_key(owner): owner for owner in spellings}
    return _tallies(facts, lambda fact: shown[owner_key(fact["owner"])])


def _ages(facts: Sequence[Row]) -> list[Tally]:
    return [
        _tally(
            label,
            (
                fact
                for fact in facts
                if first <= int(fact["age"]) and (last is None or int(fact["age"]) <= last)
            ),
        )
        for label, first, last in _AGES
    ]


def _rules(
    connection: duckdb.DuckDBPyConnection, verdict: Verdict, facts: Iterable[Row], limits: Limits
) -> list[Rule]:
    rule_of_code = {
        row["code"]: row["rule_name"]
        for row in _rows(connection, "select code, rule_name from reference.ref_findings")
    }
    codes: dict[str, Counter[str]] = defaultdict(Counter)
    for fact in facts:
        rule = rule_of_code.get(fact["code"])
        if rule and fact["approval"] != "approved":
            codes[rule][str(fact["code"])] += int(fact["findings"])
    rules = []
    for row in _package(connection, "checklist"):
        state = verdict.rules.get(row["rule"], "not checked")
        of_rule = codes.get(row["rule"], Counter())
        fails = state != "holds" or row["holds"] != "true"
        # Findings say why by themselves; a rule that fails without any is explained by its rows.
        violations = (
            _violations(connection, row["rule"], limits.violations) if fails and not of_rule else []
        )
        rules.append(
            Rule(
                row=row,
                state=state if row["holds"] == "true" or state != "holds" else "fails",
                codes=sorted(of_rule.items(), key=lambda item: (-item[1], item[0])),
                violations=violations,
                violation_count=int(violations[0]["total"]) if violations else 0,
            )
        )
    return rules


def _violations(connection: duckdb.DuckDBPyConnection, rule: str, limit: int) -> list[Row]:
    return _rows(
        connection,
        "select subject_type, subject_id, violation, count(*) over () as total"
        " from marts.close_violations where rule_name = ? order by all limit ?",
        [rule, limit],
    )


def _groups(connection: duckdb.DuckDBPyConnection, limit: int) -> list[Group]:
    """The findings to list: of every code its oldest and largest first, up to `limit` in all."""
    rows = _rows(
        connection,
        f"""
        with findings as (
            -- narrow: the rows that are listed are looked up when they are known
            select
                exception_id,
                code,
                subject_id,
                case
                    when approval = 'approved' then 2
                    when severity = 'blocking' then 0
                    else 1
                end as rank_of_standing,
                cast(age_days as bigint) as age,
                {_WHOLE} as whole,
                {_FRACTION} as fraction
            from {VIEW_SCHEMA}.pkg_exceptions
        ),
        ranked as (
            select
                *,
                row_number() over (
                    partition by code
                    order by
                        rank_of_standing, age desc, whole desc nulls last,
                        fraction desc nulls last, subject_id, exception_id
                ) as rank_in_code
            from findings
        ),
        codes as (
            select
                code,
                count(*) as total,
                count(*) filter (where rank_of_standing < 2) as standing,
                min(rank_of_standing) as group_rank,
                max(age) as group_age
            from findings
            group by code
        ),
        listed as (
            select
                ranked.exception_id,
                codes.*,
                row_number() over (
                    order by
                        rank_in_code, group_rank, age desc, whole desc nulls last,
                        fraction desc nulls last, ranked.code
                ) as place
            from ranked
            inner join codes on ranked.code = codes.code
            qualify place <= ?
        )
        select
            exceptions.*,
            listed.total,
            listed.standing,
            listed.group_rank,
            listed.group_age,
            known.meaning
        from listed
        inner join {VIEW_SCHEMA}.pkg_exceptions as exceptions
            on listed.exception_id = exceptions.exception_id
        left join reference.ref_findings as known on exceptions.code = known.code
        order by listed.place
        """,
        [limit],
    )
    of_code: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        of_code[str(row["code"])].append(row)
    groups = [
        (
            (
                found[0]["group_rank"],
                found[0]["severity"],
                -found[0]["group_age"],
                -found[0]["standing"],
                code,
            ),
            Group(
                code=code,
                severity=str(found[0]["severity"]),
                meaning=str(found[0]["meaning"] or ""),
                first_action=str(found[0]["first_action"] or ""),
                rows=found,
                total=int(found[0]["total"]),
                standing=int(found[0]["standing"]),
            ),
        )
        for code, found in of_code.items()
    ]
    return [group for _, group in sorted(groups, key=lambda item: item[0])]


def _changes(connection: duckdb.DuckDBPyConnection, close_date: str, limit: int) -> list[Change]:
    changes = []
    for kind, condition in (
        ("opened", "is_open and opened_on = cast(? as date)"),
        ("reopened", "is_open and reopened_on = cast(? as date)"),
        ("resolved", "resolved_on = cast(? as date)"),
        ("approval_ended", "is_open and approval_ended_on = cast(? as date)"),
    ):
        rows = _rows(
            connection,
            "select exception_id, code, severity, subject_type, subject_id, owner, last_approval,"
            " cast(opened_on as varchar) as opened_on,"
            " cast(last_seen_on as varchar) as last_seen_on, count(*) over () as total"
            f" from marts.fct_finding_history where {condition}"
            " order by severity, code, subject_type, subject_id, exception_id limit ?",
            [close_date, limit],
        )
        changes.append(Change(kind, rows, int(rows[0]["total"]) if rows else 0))
    return changes
