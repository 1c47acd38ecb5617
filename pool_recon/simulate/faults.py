"""Faults: changes to simulated exports, each of which raises one finding code and nothing else.

A fault first claims orders of its own (its victims) and says how they are to end, so that no
two faults meet in one movement; then it changes the ledger before running balances are drawn
from it, or the finished rows. Which orders are claimed depends on the seed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb

from pool_recon.errors import CloseError
from pool_recon.simulate.exports import DAY_MS
from pool_recon.simulate.lanes import DEBIT_PARTNER, RESERVE_PARTNER, lane_number

DEFAULT_COUNT = 3
MINIMUM_DAYS = 2

DEBIT_LANE = lane_number("EUR-USDT", "on_ramp", DEBIT_PARTNER)
RESERVE_LANE = lane_number("EUR-USDT", "on_ramp", RESERVE_PARTNER)

# Subject type and id by kind of subject, over the victims of a fault (n: 0, 1, ...; i: order).
SUBJECTS: Mapping[str, tuple[str, str]] = {
    "order": ("order", "order_no(i)"),
    "quote": ("quote", "quote_no('live', i, 1)"),
    "trade": ("trade", "trade_no('live', i, 1)"),
    "reserved event": ("event", "event_no(i, 1, 1)"),
    "debit entry": ("ledger_entry", "entry_no(i, 1, 1)"),
    "refund entry": ("ledger_entry", "entry_no(i, 1, 2)"),
}


@dataclass(frozen=True)
class Fault:
    """How to raise one finding code.

    ``outcome`` is how the claimed orders end (None: the fault needs no order); ``per`` orders
    are claimed for each finding, on ``any`` day, the ``last`` one or one ``before`` that.
    ``ledger`` and ``rows`` are SQL, in which ``{v}`` stands for the victims (n, i, day_ms),
    ``{i}`` for their order numbers, and ``{start}`` and ``{end}`` for the period in
    milliseconds. ``subject`` is a key of ``SUBJECTS`` or (type, SQL over v).
    """

    subject: str | tuple[str, str]
    outcome: str | None = None
    lanes: tuple[int, ...] = (DEBIT_LANE,)
    day: str = "any"
    per: int = 1
    default_count: int = DEFAULT_COUNT
    maximum: int | None = None
    ledger: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()


def _entry(
    kind: int, code: str, entry_type: str, delta: str, reference: str = "null",
    name: str = "", asset: str = "EUR", after_ms: int = 50_000_000, transact: str = "null",
) -> str:  # fmt: skip
    """SQL that adds a ledger entry per victim, of no order, to the debit partner's balance."""
    return f"""
        insert into ledger_all by name
        select
            n as i, 0 as k, {kind} as kind, 'live' as env, '{DEBIT_PARTNER}' as partner,
            '{asset}' as asset, {delta} as delta, day_ms + {after_ms} + n * 10 as at_ms,
            '{entry_type}' as entry_type, 999 as variant, 0 as balance_shift,
            'ple_{code}_' || n || '{name}' as own_id, {transact} as own_transact,
            {reference} as funding_reference
        from {{v}}
    """


def _funding(reference: str, amount: str, confirmed_after_ms: int) -> str:
    """SQL that adds a confirmed payment per victim to the funding export."""
    at = f"day_ms + {confirmed_after_ms} + n * 10"
    return f"""
        insert into funding_rows by name
        select
            {reference} as funding_reference, 'EUR' as asset, '{amount}' as amount,
            'confirmed' as status, moment({at}) as confirmed_at, 'live' as environment,
            '{DEBIT_PARTNER}' as partner_id, {at} as _at, -1 as _i, 0 as _k, n as _n
        from {{v}}
    """


def _set(export: str, assignment: str, where: str = "true") -> str:
    return f"update {export}_rows set {assignment} where _i in {{i}} and ({where})"


def _again(export: str, changes: str, number: int, where: str) -> str:
    """SQL that repeats rows of the victims with ``changes``, as row number ``number`` of them."""
    return f"""
        insert into {export}_rows by name
        select * replace ({changes}, {number} as _n, _at + 1000 as _at)
        from {export}_rows where _i in {{i}} and ({where})
    """


def _bump(column: str) -> str:
    """SQL: the same amount with another last digit."""
    return f"left({column}, -1) || ((right({column}, 1)::integer + 1) % 10) as {column}"


_ADDED = {code: f"'ple_{code}_' || n" for code in (
    "orphan_ledger_entry", "unattributed_funding", "funding_before_confirmation",
    "funding_exceeds_confirmed", "unknown_entry_type", "ledger_sign_conflict",
    "negative_balance",
)}  # fmt: skip

FAULTS: Mapping[str, Fault] = {
    # movements
    "missing_quote": Fault("order", "lapsed", rows=(
        "delete from quotes_rows where _i in {i}",
        _set("orders", "quote_id = null, product_state = 'processing'"),
    )),
    "missing_trade": Fault("order", "lapsed", rows=(
        _set("quotes", "accepted_at = created_at, status = 'consumed'", "_n = 2"),
        _set("orders", "product_state = 'processing'"),
    )),
    # a failed trade that was never debited: its entries would be orphans as well
    "missing_order": Fault("trade", "failed", ledger=(
        "delete from ledger_all where kind < 6 and i in {i}",
    ), rows=("delete from orders_rows where _i in {i}",)),
    "duplicate_trade_attempt": Fault(
        ("trade", "trade_no('live', i, 1) || '_again'"), "failed", rows=(
            """insert into trades_rows by name
            select t.* replace (
                t.transact_id || '_again' as transact_id,
                replace(t.idempotency_key, ':v1', ':v2') as idempotency_key,
                moment(q.reserved + 2000) as reserved_at, t._at + 1000 as _at, 9 as _n)
            from trades_rows as t join q on q.i = t._i
            where t._i in {i} and t._n = 2""",
            _again("events", "event_id || '_again' as event_id,"
                   " transact_id || '_again' as transact_id", 9, "_n = 2"),
        ),
    ),
    "missing_webhook": Fault("trade", "settled", rows=(
        "delete from events_rows where _i in {i} and _n = 2",
    )),
    "missing_ledger_entry": Fault("trade", "settled", (DEBIT_LANE, RESERVE_LANE), ledger=(
        "delete from ledger_all where kind < 6 and i in {i}",
    )),
    "ledger_mismatch": Fault("trade", "settled", (DEBIT_LANE, RESERVE_LANE), ledger=(
        "update ledger_all set delta = delta + 1"
        " where i in {i} and (entry_type = 'buy_debit' or kind = 3)",
    )),
    "returned_not_adjusted": Fault("trade", "returned", (DEBIT_LANE, RESERVE_LANE), ledger=(
        "delete from ledger_all where kind = 5 and i in {i}",
    )),
    "ledger_without_terminal_trade": Fault(
        "trade", "open", (RESERVE_LANE,), day="last", ledger=(
            """insert into ledger_all by name
            select
                q.i, q.k, 3 as kind, q.env, l.partner, l.target as asset, q.target as delta,
                q.reserved + 5000 as at_ms, 'trade_settle' as entry_type, 999 as variant,
                0 as balance_shift
            from q join lanes as l using (lane) where q.i in {i}""",
        ),
    ),
    "terminal_state_conflict": Fault("trade", "settled", rows=(
        _again("events", "event_id || '_again' as event_id, 'failed' as status", 9, "_n = 2"),
    )),
    "status_lag": Fault("trade", "settled", rows=(
        "delete from trades_rows where _i in {i} and _n = 2",
    )),
    "stuck_reserved": Fault("trade", "open", day="before"),
    "accepted_after_expiry": Fault("quote", "settled", rows=(
        "update quotes_rows set expires_at = moment(q.accepted - 1000) from q"
        " where q.i = quotes_rows._i and q.i in {i}",
    )),
    "indicative_quote_executed": Fault("trade", "settled", rows=(
        _set("quotes", "quote_type = 'indicative'"),
    )),
    # without a delivery entry, which would have to agree with the wrong amount
    "amount_mismatch": Fault("trade", "settled", rows=(
        "update trades_rows set crypto_amount = left(crypto_amount, -1)"
        " || ((right(crypto_amount, 1)::integer + 1) % 10) where _i in {i}",
    )),
    "network_mismatch": Fault("trade", "settled", rows=(
        _set("trades", "crypto_network = 'polygon'"),
    )),
    "delivery_not_locked": Fault("quote", "settled", rows=(
        _set("quotes", "dest_address = null"),
    )),
    "pool_mismatch": Fault("trade", "settled", rows=(
        _set("trades", "pool_id = 'GBP-USDC'"),
    )),
    "pool_not_entitled": Fault("quote", "settled", (DEBIT_LANE, RESERVE_LANE), rows=(
        _set("orders", "pool_id = 'EUR-USDT-PLUS'"),
        _set("quotes", "pool_id = 'EUR-USDT-PLUS'"),
        _set("trades", "pool_id = 'EUR-USDT-PLUS'"),
        # one partner was refused the pool, the other was never shown it
        f"""insert into pools_rows by name
        select
            'EUR-USDT-PLUS' as pool_id, moment_s({{start}} + 30000) as seen_at,
            'false' as entitled, 'true' as available, 'live' as environment,
            '{DEBIT_PARTNER}' as partner_id, {{start}} + 30000 as _at, -1 as _i, 0 as _k, 1 as _n
        """,
    )),
    "outside_pool_limits": Fault("quote", "settled", rows=(
        _set("orders", "pool_id = 'EUR-USDT-MICRO'"),
        _set("quotes", "pool_id = 'EUR-USDT-MICRO'"),
        _set("trades", "pool_id = 'EUR-USDT-MICRO'"),
        f"""insert into pools_rows by name
        select
            'EUR-USDT-MICRO' as pool_id, moment_s({{start}} + 30000) as seen_at,
            'true' as entitled, 'true' as available, '0.01' as min_source_amount,
            '5.00' as max_source_amount, 'live' as environment,
            '{DEBIT_PARTNER}' as partner_id, {{start}} + 30000 as _at, -1 as _i, 0 as _k, 2 as _n
        """,
    )),
    "environment_mismatch": Fault("trade", "settled", rows=(
        _set("events", "environment = 'test'", "_n = 1"),
    )),
    "partner_mismatch": Fault("trade", "settled", rows=(
        _set("orders", f"partner_id = '{RESERVE_PARTNER}'"),
    )),
    # the trade of every second victim names the order of the one before it
    "conflicting_link": Fault("order", "settled", per=2, rows=(
        """update trades_rows set partner_order_id = order_no(a.i)
        from {v} as a join {v} as b on b.n = a.n + 1
        where a.n % 2 = 0 and trades_rows._i = b.i""",
    )),
    "premature_success": Fault("order", "open", day="last", rows=(
        _set("orders", "product_state = 'completed'", "_n = 2"),
    )),
    "product_state_conflict": Fault("order", "settled", rows=(
        _set("orders", "product_state = 'failed'", "_n = 3"),
    )),
    "order_state_regression": Fault("order", "settled", rows=(
        """insert into orders_rows by name
        select o.* replace (
            'processing' as product_state, moment_s(q.closed + 600000) as updated_at,
            q.closed + 600000 as _at, 9 as _n)
        from orders_rows as o join q on q.i = o._i where o._i in {i} and o._n = 3""",
    )),
    "missing_idempotency_key": Fault("trade", "settled", rows=(
        _set("trades", "idempotency_key = null"),
    )),
    "missing_request_id": Fault("trade", "settled", rows=(
        _set("orders", "request_id = null"),
        _set("quotes", "request_id = null"),
        _set("trades", "request_id = null"),
    )),
    "unknown_product_state": Fault("order", "settled", rows=(
        _set("orders", "product_state = 'under_review'", "_n = 3"),
    )),
    "quote_terms_inconsistent": Fault("quote", "settled", rows=(
        _set("quotes", "rate = '1.25'"),
    )),
    # in turn a debit and a webhook that fall just behind the end of the period
    "cutoff_timing_difference": Fault(
        "trade", "settled", day="last", ledger=(
            "update ledger_all set at_ms = {end} + 5000"
            " where kind = 1 and i in (select i from {v} where n % 2 = 0)",
        ), rows=(
            "update ledger_rows set _at = {end} - 1"
            " where _n = 1 and _i in (select i from {v} where n % 2 = 0)",
            """update events_rows set
                received_at = moment({end} + 5000), processed_at = moment({end} + 5200),
                _at = {end} - 1
            where _n = 2 and _i in (select i from {v} where n % 2 = 1)""",
        ),
    ),
    # events
    "orphan_event": Fault(("event", "'evt_orphan_' || n"), rows=(
        f"""insert into events_rows by name
        select
            'evt_orphan_' || n as event_id, 'pt_live_unknown_' || n as transact_id,
            'settled' as status, moment(day_ms + 50000000) as received_at,
            moment(day_ms + 49999000) as occurred_at, moment(day_ms + 50000500) as processed_at,
            'webhook' as source, 'valid' as signature_result, '1' as processing_attempts,
            'live' as environment, '{DEBIT_PARTNER}' as partner_id,
            day_ms + 50000000 as _at, -1 as _i, 0 as _k, n as _n
        from {{v}}""",
    )),
    "unverified_event": Fault("reserved event", "settled", rows=(
        _set("events", "signature_result = if(_i % 2 = 0, 'invalid', 'missing')", "_n = 1"),
    )),
    "event_conflict": Fault("reserved event", "settled", rows=(
        """insert into events_rows by name
        select e.* replace (
            moment(q.reserved + 1500) as occurred_at, moment(e._at + 4000) as received_at,
            moment(e._at + 4500) as processed_at, e._at + 4000 as _at, 9 as _n)
        from events_rows as e join q on q.i = e._i where e._i in {i} and e._n = 1""",
    )),
    "unprocessed_event": Fault("reserved event", "settled", rows=(
        _set("events", "processed_at = null, processing_attempts = '0'", "_n = 1"),
    )),
    # ledger, funding and balances
    "orphan_ledger_entry": Fault(("ledger_entry", _ADDED["orphan_ledger_entry"]), ledger=(
        _entry(50, "orphan_ledger_entry", "buy_debit", "-100",
               transact="'pt_live_unknown_' || n"),
    )),
    "unlinked_refund": Fault("refund entry", "released", (DEBIT_LANE, RESERVE_LANE), ledger=(
        "update ledger_all set own_related = 'ple_unknown_' || i where kind = 2 and i in {i}",
    )),
    "unattributed_funding": Fault(("ledger_entry", _ADDED["unattributed_funding"]), ledger=(
        _entry(51, "unattributed_funding", "payin_credit", "2500",
               "if(n % 2 = 0, null, 'REF-UNKNOWN-' || n)"),
    )),
    "funding_before_confirmation": Fault(
        ("ledger_entry", _ADDED["funding_before_confirmation"]),
        ledger=(_entry(52, "funding_before_confirmation", "payin_credit", "7500",
                       "'EARLY-' || n"),),
        rows=(_funding("'EARLY-' || n", "75.00", 50_000_005),),
    ),
    "funding_exceeds_confirmed": Fault(
        ("ledger_entry", _ADDED["funding_exceeds_confirmed"]),
        ledger=(_entry(53, "funding_exceeds_confirmed", "payin_credit", "8001",
                       "'SHORT-' || n"),),
        rows=(_funding("'SHORT-' || n", "80.00", 49_000_000),),
    ),
    "funding_not_credited": Fault(("funding", "'UNCREDITED-' || n"), rows=(
        _funding("'UNCREDITED-' || n", "60.00", 48_000_000),
    )),
    "ledger_entry_changed": Fault("debit entry", "settled", rows=(
        _again("ledger", _bump("amount"), 101, "_n = 1"),
    )),
    "quote_terms_changed": Fault("quote", "settled", rows=(
        _again("quotes", _bump("target_amount"), 9, "_n = 2"),
    )),
    "unknown_entry_type": Fault(("ledger_entry", _ADDED["unknown_entry_type"]), ledger=(
        _entry(99, "unknown_entry_type", "goodwill_credit", "500"),
    )),
    # a second credit makes up for the first, so that the reference is credited in full
    "ledger_sign_conflict": Fault(
        ("ledger_entry", _ADDED["ledger_sign_conflict"]),
        ledger=(
            _entry(54, "ledger_sign_conflict", "payin_credit", "-500", "'SIGN-' || n"),
            _entry(55, "ledger_sign_conflict", "payin_credit", "2500", "'SIGN-' || n",
                   name="_made_good", after_ms=50_000_005),
        ),
        rows=(_funding("'SIGN-' || n", "20.00", 47_000_000),),
    ),
    # of a quote that nobody accepted; a tenth of a minor unit leaves its terms consistent
    "excess_precision": Fault("quote", "lapsed", rows=(
        _set("quotes", "target_amount = target_amount || '1'"),
    )),
    # every later stated balance is off by as much, so that the chain breaks once
    "balance_chain_break": Fault("debit entry", "settled", ledger=(
        "update ledger_all set balance_shift = 1 where kind = 1 and i in {i}",
    )),
    "negative_balance": Fault(("ledger_entry", _ADDED["negative_balance"]), ledger=(
        _entry(56, "negative_balance", "adjustment", "-500", asset="CHF"),
        _entry(57, "negative_balance", "adjustment", "500", name="_made_good", asset="CHF",
               after_ms=50_000_005),
    )),
    "balance_mismatch": Fault(
        ("balance", "b.environment || ':' || b.partner_id || ':' || b.asset || ':' || b.as_of"
                    " from wrong_balances as b"),
        maximum=4,
        rows=(
            f"""create table wrong_balances as
            select v.n, b.environment, b.partner_id, b.asset, b.as_of
            from {{v}} as v join (
                select *, row_number() over (order by _at, asset desc) - 1 as n
                from balances_rows
                where environment = 'live' and partner_id = '{DEBIT_PARTNER}' and asset <> 'CHF'
            ) as b using (n)""",
            # in turn another balance came later, and the only one is wrong
            """insert into balances_rows by name
            select b.* replace ('1' || b.balance as balance, 1000000 + b._n as _n)
            from balances_rows as b join wrong_balances as w
                using (environment, partner_id, asset, as_of)
            where w.n % 2 = 1""",
            """update balances_rows set balance = '1' || balances_rows.balance
            from wrong_balances as w
            where w.n % 2 = 0 and w.environment = balances_rows.environment
                and w.partner_id = balances_rows.partner_id and w.asset = balances_rows.asset
                and w.as_of = balances_rows.as_of""",
        ),
    ),
    # intake; the subjects are files and rows, found when these are written
    "quarantined_row": Fault(("export_row", ""), rows=(
        f"""insert into ledger_rows by name
        select
            'ple_unreadable_' || n as ledger_entry_id, 'adjustment' as entry_type,
            'EUR' as asset, '1,000.00' as amount, moment(day_ms + 50000000) as effective_at,
            'live' as environment, '{DEBIT_PARTNER}' as partner_id,
            day_ms + 50000000 as _at, -2 as _i, 0 as _k, n as _n
        from {{v}} where n % 3 = 0""",
        f"""insert into events_rows by name
        select
            'evt_unreadable_' || n as event_id, 'pt_live_unknown' as transact_id,
            'settled' as status, '2026-02-30T10:00:00Z' as received_at,
            'live' as environment, '{DEBIT_PARTNER}' as partner_id,
            day_ms + 50000000 as _at, -2 as _i, 0 as _k, n as _n
        from {{v}} where n % 3 = 1""",
        f"""insert into trades_rows by name
        select
            'pt_unreadable_' || n as transact_id, 'pq_live_unknown' as quote_id,
            'unreadable:' || n as idempotency_key, 'done' as status,
            'live' as environment, '{DEBIT_PARTNER}' as partner_id,
            day_ms + 50000000 as _at, -2 as _i, 0 as _k, n as _n
        from {{v}} where n % 3 = 2""",
    )),
    "secret_exposed": Fault(("export_row", ""), "settled", rows=(
        _set("events", "payload_ref = concat('payloads/?key=sk', '_test_', 'SIMULATED', _i)",
             "_n = 1"),
    )),
    "private_field_exposed": Fault(("export_row", "")),
    "documented_column_absent": Fault(("export", ""), default_count=1, maximum=2),
}  # fmt: skip

# Columns that go missing, in turn.
_ABSENT = ("orders.user_reference", "trades.terminal_at")

# Exports that get a private column in turn, a day each.
_PRIVATE_EXPORTS = ("trades", "events", "quotes")
_PRIVATE_COLUMN = "settlement_venue"

# Where the rows of faults whose subject is a row stand: (export, condition).
_ROW_SUBJECTS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "quarantined_row": (("ledger", "_i = -2"), ("events", "_i = -2"), ("trades", "_i = -2")),
    "secret_exposed": (
        ("events", "_n = 1 and _i in (select i from victims where code = 'secret_exposed')"),
    ),
}


def fault_codes() -> tuple[str, ...]:
    """Return the finding codes that can be injected, in the order of the rules."""
    return tuple(FAULTS)


@dataclass(frozen=True, order=True)
class ExpectedFinding:
    """A finding that a close of the last day is to raise."""

    code: str
    subject_type: str
    subject_id: str


@dataclass(frozen=True)
class FaultPlan:
    """Which faults to inject, how often, and into which orders.

    ``steps`` is (code, findings); ``victims`` is (code, n, order number or None, day).
    """

    steps: tuple[tuple[str, int], ...] = ()
    victims: tuple[tuple[str, int, int | None, int], ...] = ()

    @classmethod
    def of(cls, faults: Sequence[str], *, orders: int, days: int, seed: int) -> FaultPlan:
        """Read fault arguments (``code``, ``code:count``, ``all``, commas allowed).

        Raises:
            CloseError: an unknown code, a bad or too large count, or a period or a number of
                orders too small for them.
        """
        steps = _read(faults)
        if not steps:
            return cls()
        if days < MINIMUM_DAYS:
            raise CloseError(f"simulate: faults need --days {MINIMUM_DAYS} or more, got {days}")
        most = days * len(_PRIVATE_EXPORTS)
        if dict(steps).get("private_field_exposed", 0) > most:
            raise CloseError(
                f"simulate: private_field_exposed can be injected {most} times into {days} days,"
                " a file each"
            )
        first_of_last_day = -(-orders * (days - 1) // days)
        taken: set[int] = set()
        victims: list[tuple[str, int, int | None, int]] = []
        for code, count in steps:
            fault = FAULTS[code]
            for n in range(count * fault.per):
                number = _number(seed, code, n)
                if fault.outcome is None:
                    victims.append((code, n, None, number % (days - 1)))
                    continue
                low = first_of_last_day if fault.day == "last" else 0
                high = first_of_last_day if fault.day == "before" else orders
                i = _free(low, high, number, taken)
                if i is None:
                    raise CloseError(
                        f"simulate: {orders} orders are too few for these faults,"
                        " ask for more --orders or fewer --faults"
                    )
                taken.add(i)
                victims.append((code, n, i, i * days // orders))
        return cls(tuple(steps), tuple(victims))

    def create_table(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Create ``plan(i, outcome, lane)``: how the claimed orders are to end."""
        connection.execute("create table plan (i bigint, outcome varchar, lane integer)")
        rows = [
            (i, FAULTS[code].outcome, FAULTS[code].lanes[n % len(FAULTS[code].lanes)])
            for code, n, i, _ in self.victims
            if i is not None
        ]
        if rows:
            connection.executemany("insert into plan values (?, ?, ?)", rows)

    def change_ledger(
        self, connection: duckdb.DuckDBPyConnection, start_ms: int, end_ms: int
    ) -> None:
        """Apply the faults to ``ledger_all``, before balances are drawn from it."""
        if not self.steps:
            return
        connection.execute(
            "create table victims (code varchar, n integer, i bigint, day_ms bigint)"
        )
        connection.executemany(
            "insert into victims values (?, ?, ?, ?)",
            [(code, n, i, start_ms + day * DAY_MS) for code, n, i, day in self.victims],
        )
        # Faults add debits of no order: an opening correction keeps their balance above zero.
        connection.execute(f"""
            insert into ledger_all by name
            select
                0 as i, 0 as k, 58 as kind, 'live' as env, '{DEBIT_PARTNER}' as partner,
                'EUR' as asset, 100000 as delta, {start_ms} + 120000 as at_ms,
                'adjustment' as entry_type, 999 as variant, 0 as balance_shift,
                'ple_opening' as own_id
        """)
        for code, _ in self.steps:
            _execute(connection, code, FAULTS[code].ledger, start_ms, end_ms)

    def change_rows(
        self, connection: duckdb.DuckDBPyConnection, start_ms: int, end_ms: int
    ) -> None:
        """Apply the faults to the finished rows."""
        for code, _ in self.steps:
            _execute(connection, code, FAULTS[code].rows, start_ms, end_ms)

    def private_files(self, days: int) -> list[tuple[str, int]]:
        """Return the files, as (export, day), that get a private column."""
        count = dict(self.steps).get("private_field_exposed", 0)
        return [(export, day) for day in range(days) for export in _PRIVATE_EXPORTS][:count]

    def file_columns(self, export: str, names: Sequence[str], day: int, days: int) -> list[str]:
        """Return the columns, as SQL, of one file."""
        absent = {
            name.split(".")[1]
            for n, name in enumerate(_ABSENT)
            if name.startswith(f"{export}.")
            and n < dict(self.steps).get("documented_column_absent", 0)
        }
        selected = [name for name in names if name not in absent]
        if (export, day) in self.private_files(days):
            selected.append(f"'desk-' || _k as {_PRIVATE_COLUMN}")
        return selected

    def expected(
        self,
        connection: duckdb.DuckDBPyConnection,
        start_ms: int,
        paths: Mapping[tuple[str, int], str],
        days: int,
    ) -> list[ExpectedFinding]:
        """Return what a close of the last day is to find; ``paths``: the file by export and day."""
        found: list[ExpectedFinding] = []
        for code, count in self.steps:
            fault = FAULTS[code]
            if code == "private_field_exposed":
                ids = [f"{paths[place]}:{_PRIVATE_COLUMN}" for place in self.private_files(days)]
                found += [ExpectedFinding(code, "export_row", i) for i in ids]
                continue
            if code == "documented_column_absent":
                found += [ExpectedFinding(code, "export", name) for name in _ABSENT[:count]]
                continue
            if code in _ROW_SUBJECTS:
                for export, condition in _ROW_SUBJECTS[code]:
                    for day, row in connection.execute(f"""
                        select day, number from (
                            select
                                *, (_at - {start_ms}) // {DAY_MS} as day,
                                row_number() over (
                                    partition by (_at - {start_ms}) // {DAY_MS}
                                    order by _at, _i, _k, _n) as number
                            from {export}_rows
                        ) where {condition}
                    """).fetchall():
                        name = f"{paths[export, day]}:{row}"
                        found.append(ExpectedFinding(code, "export_row", name))
                continue
            subject_type, expression = (
                SUBJECTS[fault.subject] if isinstance(fault.subject, str) else fault.subject
            )
            if " from " not in expression:
                expression += f" from {_victims(code)} as v where n % {fault.per} = 0"
            found += [
                ExpectedFinding(code, subject_type, subject_id)
                for (subject_id,) in connection.execute(f"select {expression}").fetchall()
            ]
        return sorted(found)


def _victims(code: str) -> str:
    return f"(select n, i, day_ms from victims where code = '{code}')"


def _execute(
    connection: duckdb.DuckDBPyConnection,
    code: str,
    statements: Sequence[str],
    start_ms: int,
    end_ms: int,
) -> None:
    for statement in statements:
        connection.execute(
            statement.format(
                v=_victims(code),
                i=f"(select i from victims where code = '{code}')",
                start=start_ms,
                end=end_ms,
            )
        )


def _read(faults: Sequence[str]) -> list[tuple[str, int]]:
    wanted: dict[str, int] = {}
    for word in (part.strip() for argument in faults for part in argument.split(",")):
        if not word:
            continue
        code, colon, count_text = word.partition(":")
        codes = fault_codes() if code == "all" else (code,)
        if code not in (*FAULTS, "all"):
            raise CloseError(
                f"simulate: unknown fault {code!r}, expected all or codes of: "
                + ", ".join(fault_codes())
            )
        if colon and not (count_text.isascii() and count_text.isdigit() and int(count_text)):
            raise CloseError(
                f"simulate: fault {word!r}: expected code:count with a count of 1 or more"
            )
        for name in codes:
            fault = FAULTS[name]
            count = int(count_text) if count_text else fault.default_count
            if fault.maximum is not None and count > fault.maximum:
                if code != "all":
                    raise CloseError(
                        f"simulate: {name} can be injected {fault.maximum} times at most,"
                        f" got {count}"
                    )
                count = fault.maximum
            wanted[name] = count
    return [(code, wanted[code]) for code in FAULTS if code in wanted]


def _number(seed: int, code: str, n: int) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed}:{code}:{n}".encode()).digest()[:8], "big")


def _free(low: int, high: int, number: int, taken: set[int]) -> int | None:
    """Return the first order of low..high-1, from a pseudo-random one on, that no fault has."""
    size = high - low
    for step in range(size):
        candidate = low + (number + step) % size
        if candidate not in taken:
            return candidate
    return None
