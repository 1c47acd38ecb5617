"""SQL that makes the simulated exports, in DuckDB.

The chain of relations: ``plan`` (what faults want of which order) -> ``o`` (one row per order)
-> ``q`` (one row per quote, narrow: numbers and short codes) -> ``ledger_all`` (every ledger
entry as whole minor units) -> ``ledger_chain`` (with sequence number and running balance) ->
``<export>_rows`` (every row of every export as text, with ``_at`` the moment, in milliseconds
since 1970, at which the row appears, and ``_i, _k, _n`` to order rows of one moment).

Amounts are 128-bit whole numbers throughout: there is no fraction that could be rounded.
Random numbers are slices of MD5 digests of seed and order number, so that they depend on neither
the engine's version nor its threads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import duckdb

from pool_recon.simulate.lanes import DEFAULT_TOP_UP_UNITS, LANES, TOP_UP_UNITS

DAY_MS = 86_400_000

# Exports whose rows come from ``q``, with ``_from`` the day of the order; the last row of a
# movement, of a return or a late delivery, appears at most this many days after that.
MOVEMENT_EXPORTS = ("orders", "quotes", "trades", "events")
LAST_ROW_AFTER_DAYS = 5

# Slices of a random number, and the text forms of amounts and moments.
MACROS = (
    "create macro draw(h, shift, n) as ((((h >> shift) & 1048575) % n)::bigint)",
    "create macro money(m, scale, one) as (case when m < 0 then '-' else '' end"
    " || (abs(m) // one)::varchar"
    " || case when scale = 0 then '' else '.' || lpad((abs(m) % one)::varchar, scale, '0') end)",
    "create macro moment(ms) as (strftime(make_timestamp_ms(ms), '%Y-%m-%dT%H:%M:%S.%gZ'))",
    "create macro moment_s(ms) as (strftime(make_timestamp_ms(ms), '%Y-%m-%dT%H:%M:%SZ'))",
    "create macro hex16(h) as (lpad(lower(hex(h)), 16, '0'))",
    # a leading 1 keeps the ids of one length and in order, cheaper than padding
    "create macro number(i) as (1000000000 + i)",
    "create macro quote_no(env, i, k) as (concat('pq_', env, '_', number(i), '_', k))",
    "create macro trade_no(env, i, k) as (concat('pt_', env, '_', number(i), '_', k))",
    "create macro order_no(i) as (concat('ord_', number(i)))",
    "create macro event_no(i, k, n) as (concat('evt_', number(i), '_', k, n))",
    "create macro entry_no(i, k, kind) as (concat('ple_', number(i), '_', k, kind))",
)

# Kinds of ledger_all: 1 debit or reserve, 2 refund or release, 3 delivery, 4 fee, 5 return,
# 6 funding, 7 adjustment; kinds above are added by faults.


def create_reference(connection: duckdb.DuckDBPyConnection, scales: Mapping[str, int]) -> None:
    """Create the macros, ``assets`` and ``lanes``; ``scales`` gives the minor unit per asset."""
    for macro in MACROS:
        connection.execute(macro)
    connection.execute(
        "create table assets (asset varchar, scale integer, one hugeint, top_up hugeint)"
    )
    for asset, scale in scales.items():
        top_up = TOP_UP_UNITS.get(asset, DEFAULT_TOP_UP_UNITS) * 10**scale
        connection.execute("insert into assets values (?, ?, ?, ?)",
                           [asset, scale, 10**scale, top_up])  # fmt: skip
    connection.execute(
        "create table lanes (lane integer, partner varchar, pool varchar, side varchar,"
        " source varchar, target varchar, network varchar, low hugeint, steps bigint,"
        " step hugeint, rate_digits integer, rate_one hugeint, rate_low hugeint,"
        " rate_span bigint, up hugeint, down hugeint, source_scale integer, source_one hugeint,"
        " target_scale integer, target_one hugeint, is_debit boolean)"
    )
    for number, lane in enumerate(LANES):
        source_scale, target_scale = scales[lane.source_asset], scales[lane.target_asset]
        shift = target_scale - source_scale - lane.rate_digits
        connection.execute(
            f"insert into lanes values ({', '.join('?' * 21)})",
            [number, lane.partner_id, lane.pool_id, lane.side, lane.source_asset,
             lane.target_asset, lane.crypto_network, lane.source_low, lane.source_steps,
             lane.source_step, lane.rate_digits, 10**lane.rate_digits, lane.rate_low,
             lane.rate_span, 10 ** max(shift, 0), 10 ** max(-shift, 0), source_scale,
             10**source_scale, target_scale, 10**target_scale, lane.is_debit_model],
        )  # fmt: skip


def create_movements(
    connection: duckdb.DuckDBPyConnection, orders: int, days: int, seed: int, start_ms: int
) -> None:
    """Create ``o`` and ``q``. ``plan(i, outcome, lane)`` must exist."""
    lane_of_hundred = [n for n, lane in enumerate(LANES) for _ in range(lane.weight)]
    digests = ", ".join(
        f"md5_number_lower('{seed}:{name}:' || i) as h{2 * n + 1},"
        f" md5_number_upper('{seed}:{name}:' || i) as h{2 * n + 2}"
        for n, name in enumerate("abc")
    )
    # from a table, because the engine shares out tables among threads, and ranges not
    connection.execute(f"create table numbers as select i from range({orders}) as numbers(i)")
    connection.execute(f"""
        create table o as
        with numbered as (
            select i, (i * {days}) // {orders} as day, (i * {days}) % {orders} as rest, {digests}
            from numbers
        ),
        drawn as (
            select
                n.i, n.day, n.rest, h1, h2, h3, h4, h5, h6,
                p.i is not null as is_planned,
                coalesce(p.lane, ({lane_of_hundred})[draw(h1, 20, 100) + 1]) as lane,
                draw(h1, 0, 10000) as fate,
                case when p.i is null and draw(h2, 0, 100) < 8 then 'test' else 'live' end as env,
                p.outcome as planned_outcome
            from numbered as n left join plan as p on p.i = n.i
        ),
        decided as (
            select
                *,
                coalesce(planned_outcome, case
                    when fate < 8780 then 'settled' when fate < 8860 then 'returned'
                    when fate < 9110 then 'failed' when fate < 9380 then 'released'
                    when fate < 9480 then 'retried' when fate < 9505 then 'unquoted'
                    when fate < 9530 then 'late' else 'lapsed' end) as outcome,
                {start_ms} + day * {DAY_MS} as day_ms
            from drawn
        )
        select
            i, day_ms, lane, env, is_planned, outcome, h3, h4, h5, h6,
            -- flags: 10 bits of a draw each
            (is_planned or outcome in ('late', 'unquoted') or draw(h1, 40, 1000) < 250) as has_v1,
            (is_planned or draw(h2, 20, 1000) < 120) as has_v2,
            (not is_planned and outcome in ('settled', 'returned', 'failed', 'released')
                and draw(h2, 40, 1000) < 15) as is_overnight,
            case
                when outcome = 'unquoted' then 0
                when outcome = 'retried' then 2
                when not is_planned and outcome in ('settled', 'failed', 'released')
                    and draw(h3, 40, 1000) < 42 then 2
                else 1
            end as quote_count,
            case
                when outcome = 'unquoted' then day_ms + 83400000 + draw(h2, 0, 2400000)
                when outcome = 'late' then day_ms + 85200000 + draw(h2, 0, 600000)
                else day_ms + 900000 + (rest * 81000000) // {orders} + draw(h2, 0, 997)
            end as created
        from decided
    """)
    connection.execute("""
        create table q as
        with numbered as (
            select o.*, 0 as k from o where quote_count = 0
            union all
            select o.*, 1 as k from o where quote_count > 0
            union all
            select o.*, 2 as k from o where quote_count = 2
        ),
        opened as (
            select
                *, k = quote_count as is_last,
                case
                    when k = quote_count then if(outcome = 'retried', 'settled', outcome)
                    when outcome = 'retried' then 'released' else 'lapsed'
                end as fate,
                created + 2000 + draw(h4, 40, 38000) + case
                    when k < 2 then 0 when outcome = 'retried' then 1500000 else 200000
                end as quoted
            from numbered
        ),
        accepted as (
            select
                *,
                fate in ('settled', 'returned', 'failed', 'released', 'open') as has_trade,
                if(fate = 'late', day_ms + 86460000 + draw(h5, 0, 240000),
                    quoted + ([15000, 30000, 60000])[draw(h5, 0, 3) + 1]) as expires,
                if(has_trade, quoted + 2000 + draw(h5, 20, 10000), null) as accepted,
                accepted + 300 + draw(h5, 40, 1500) as reserved
            from opened
        ),
        ended as (
            select
                *,
                case
                    when fate = 'open' or not has_trade then null
                    when is_overnight and is_last then day_ms + 87300000 + draw(h6, 0, 28800000)
                    when not is_last then reserved + 15000 + draw(h6, 0, 600000)
                    else reserved + 15000 + draw(h6, 0, 1000000)
                end as ended,
                case
                    when fate <> 'returned' then null
                    when is_planned then ended + 600000
                    else ended - ended % 86400000 + 86400000 * (1 + draw(h6, 20, 3)) + 900000
                        + draw(h6, 40, 80) * 1000000 + draw(h5, 0, 1000000)
                end as returned,
                case
                    when not is_last then null
                    when has_trade then ended + 1500
                    when fate in ('unquoted', 'late') then day_ms + 87600000 + draw(h6, 0, 600000)
                    else expires + 60000 + draw(h6, 0, 600000)
                end as closed
            from accepted
        ),
        priced as (
            select
                e.*, l.rate_low + draw(h5, 10, l.rate_span) + k as rate,
                l.low + ((h3 % (l.steps * case when e.h4 % 20 < 14 then 1
                    when e.h4 % 20 < 19 then 8 else 40 end)::ubigint)::hugeint * l.step)
                    + ((h4 >> 2)::hugeint * (h3 >> 2)) % l.step as full_amount,
                l.up, l.down, l.step
            from ended as e join lanes as l using (lane)
        ),
        sourced as (
            select
                *,
                if(step = 1 and h5 % 5 = 0, full_amount - full_amount % 1000, full_amount)
                    as source
            from priced
        )
        select
            i, k::tinyint as k, is_last, is_planned, lane::tinyint as lane, env, fate, has_trade,
            has_v1, has_v2, is_overnight, outcome = 'retried' as is_retried, day_ms, created,
            quoted, expires, accepted, reserved, ended, returned, closed, source, rate,
            (source * rate * up + down // 2) // down as target, h3, h5, h6,
            ([10, 15, 30, 50])[draw(h6, 0, 4) + 1] as fee_bps,
            fate = 'failed' and not is_planned and draw(h3, 0, 10) < 3 as is_undebited,
            if(is_planned, 999, draw(h6, 40, 1000)) as variant
        from sourced
        order by i, k
    """)
    connection.execute("drop table o")
    connection.execute("drop table numbers")


def create_ledger(connection: duckdb.DuckDBPyConnection, end_ms: int) -> None:
    """Create ``ledger_all`` and ``funding_rows``: debits first, then funding that covers them."""
    connection.execute(f"""
        create table ledger_all as
        with entries as (
            select
                i, k, 1::tinyint as kind, env, l.partner, l.source as asset, -q.source as delta,
                reserved + 200 as at_ms,
                if(is_debit, if(l.side = 'on_ramp', 'buy_debit', 'sell_debit'), 'trade_reserve')
                    as entry_type,
                variant
            from q join lanes as l using (lane) where has_trade and not is_undebited
            union all
            select
                i, k, 2, env, l.partner, l.source, q.source, ended + 300,
                if(is_debit, if(l.side = 'on_ramp', 'buy_refund', 'sell_refund'),
                    'trade_release'),
                variant
            from q join lanes as l using (lane)
            where fate in ('failed', 'released') and not is_undebited
            union all
            select
                i, k, 3, env, l.partner, l.target, q.target, ended + 300, 'trade_settle', variant
            from q join lanes as l using (lane)
            where fate in ('settled', 'returned') and not is_debit
            union all
            select
                i, k, 4, env, l.partner, l.source, -(q.source * fee_bps // 10000), ended + 400,
                'fee_debit', variant
            from q join lanes as l using (lane)
            where fate in ('settled', 'returned') and is_debit and not is_planned
                and q.source * fee_bps >= 10000
            union all
            select
                i, k, 5, env, l.partner, l.source, q.source, returned + 300,
                if(variant % 2 = 0 and is_debit, 'return_credit', 'trade_return'), variant
            from q join lanes as l using (lane) where fate = 'returned'
        )
        select
            *,
            0::hugeint as balance_shift,
            null::varchar as own_id, null::varchar as own_amount, null::varchar as own_transact,
            null::varchar as own_quote, null::varchar as own_ref, null::varchar as own_related,
            null::varchar as funding_reference
        from entries where at_ms < {end_ms}
    """)
    # Per balance and day one top-up that covers the day's debits with room to spare, credited
    # before the first order of the day; every third day a small correction.
    connection.execute(f"""
        create table top_ups as
        with debits as (
            select
                env, partner, asset, at_ms - at_ms % {DAY_MS} as day_ms,
                sum(-delta)::hugeint as needed
            from ledger_all where kind in (1, 4) group by all
        ),
        numbered as (
            select
                env, partner, asset, d.day_ms, (d.needed // a.top_up + 2) * a.top_up as amount,
                row_number() over (order by d.day_ms, env, partner, asset) as i,
                dense_rank() over (order by d.day_ms) as day_number,
                l.is_debit, a.scale, a.one
            from debits as d
            join assets as a using (asset)
            join (select distinct partner, is_debit from lanes) as l using (partner)
        )
        select
            *,
            if(is_debit, printf('TOPUP-%s-%s-%06d', upper(env), asset, i),
                printf('REF-%s-%s-%s', partner, env, asset)) as reference,
            -- in two credits every other day
            if(day_number % 2 = 0, amount // 2, 0) as first_part
        from numbered
    """)
    connection.execute("""
        insert into ledger_all
        select
            i, 0, 6, env, partner, asset, if(part = 1, first_part, amount - first_part),
            day_ms + 300000 + part * 60000,
            if(is_debit, 'payin_credit', 'funding_credit'), 999, 0,
            printf('ple_f%08d_%d', i, part), null, null, null, null, null, reference
        from top_ups, (values (1), (2)) as parts(part)
        where part = 2 or first_part > 0
        union all
        select
            i, 0, 7, env, partner, asset, if(i % 2 = 0, 1, -1) * (100 + i % 37),
            day_ms + 43200000 + i, 'adjustment', 999, 0,
            printf('ple_a%08d', i), null, null, null, null, null, null
        from top_ups where day_number % 3 = 1
    """)
    connection.execute("""
        create view funding_rows_clean as
        select
            reference as funding_reference, asset, money(amount, scale, one) as amount,
            stage.status, if(stage.status = 'confirmed', moment(day_ms + 240000), null)
                as confirmed_at,
            env as environment, partner as partner_id, day_ms + stage.after_ms as _at,
            i as _i, 0 as _k, stage.after_ms as _n
        from top_ups, (values ('pending', 120000), ('confirmed', 240000)) as stage(status, after_ms)
        where stage.status = 'confirmed' or i % 4 = 0
        union all
        select
            'REJECTED-' || reference, asset, money(amount, scale, one), 'rejected', null, env,
            partner, day_ms + 150000, i, 0, 9
        from top_ups where i % 11 = 5
    """)


def create_chain(connection: duckdb.DuckDBPyConnection) -> None:
    """Create ``ledger_chain``: sequence number and running balance of every entry."""
    connection.execute("""
        create table ledger_chain as
        select
            *,
            row_number() over chain as entry_seq,
            sum(if(kind in (3, 99), 0, delta) + balance_shift) over chain as balance,
            sum(if(kind in (3, 99), 0, delta)) over chain as true_balance
        from ledger_all
        window chain as (
            partition by env, partner, asset order by at_ms, kind, i, k
            rows between unbounded preceding and current row
        )
    """)
    connection.execute("drop table ledger_all")


# The rows of a movement, of which those of the exports are made.
_MOVEMENT = """
    select
        q.*, l.*, l.source as source_asset, l.target as target_asset,
        q.source as source_amount, q.target as target_amount,
        order_no(i) as order_id, quote_no(env, i, k) as quote_id,
        trade_no(env, i, k) as transact_id,
        order_no(i) || ':accept:v' || if(is_retried, k, 1) as idempotency_key
    from q join lanes as l using (lane)
"""


def _orders() -> str:
    """Return the query of every version of the orders."""

    def order_version(number: int, state: str, at: str, has_ids: str, where: str) -> str:
        return f"""
            select
                order_id as partner_order_id, moment_s(created) as created_at,
                {state} as product_state,
                'user_' || (h3 % 50021)::varchar as user_reference,
                if(variant % 10 = 3, 'mobile_checkout_' || i, null) as client_reference,
                env as environment, partner as partner_id, pool as pool_id,
                if(side = 'on_ramp' and variant % 20 = 7, null, side) as side,
                if({has_ids} and k > 0, quote_id, null) as quote_id,
                if({has_ids} and has_trade, transact_id, null) as transact_id,
                if({has_ids} and has_trade, idempotency_key, null) as idempotency_key,
                'req_o' || lower(hex(h5)) as request_id, moment_s({at}) as updated_at,
                ({at})::bigint as _at, day_ms as _from, i as _i, k::integer as _k, {number} as _n
            from movement where is_last and {where}
        """

    final_state = """case fate
        when 'settled' then 'completed' when 'returned' then 'completed'
        when 'failed' then 'failed' when 'released' then 'cancelled'
        when 'late' then 'expired'
        else (['abandoned', 'expired', 'cancelled'])[variant % 3 + 1] end"""
    return f"""
        with movement as ({_MOVEMENT})
        {order_version(1, "'created'", "created", "false", "has_v1")}
        union all
        {order_version(2, "'processing'", "reserved + 500", "true",
                       "has_trade and (has_v2 or is_overnight or fate = 'open')")}
        union all
        {order_version(3, final_state, "closed", "true", "closed is not null")}
        union all
        {order_version(4, "'refunded'", "returned + 1500", "true", "returned is not null")}
    """  # fmt: skip


def _quotes() -> str:
    """Return the query of every version of the quotes."""

    def quote_version(number: int, status: str, at: str, is_accepted: str, where: str) -> str:
        return f"""
            select
                quote_id, pool as pool_id,
                money(source_amount, source_scale, source_one) as source_amount,
                money(target_amount, target_scale, target_one) as target_amount,
                moment(expires) as expires_at, order_id as partner_order_id,
                env as environment, partner as partner_id,
                if(not has_trade and fate = 'lapsed' and variant % 5 = 2, 'indicative', 'firm')
                    as quote_type,
                side,
                if(variant % 33 = 4, null, source_asset) as source_asset,
                if(variant % 33 = 4, null, target_asset) as target_asset,
                money(rate, rate_digits, rate_one) as rate, '25' as spread_bps,
                fee_bps::varchar as fee_bps, network as crypto_network,
                if(side = 'on_ramp', if(network = 'bitcoin', 'bc1q', '0x') || hex16(h5)
                    || hex16(h6) || right(hex16(h3), 8), null) as dest_address,
                if(side = 'on_ramp', network, null) as dest_network,
                moment(quoted) as created_at, if({is_accepted}, moment(accepted), null)
                    as accepted_at,
                {status} as status, concat('req_q', lower(hex(h6)), k) as request_id,
                ({at})::bigint as _at, day_ms as _from, i as _i, k::integer as _k, {number} as _n
            from movement where k > 0 and {where}
        """

    return f"""
        with movement as ({_MOVEMENT})
        {quote_version(1, "'active'", "quoted", "false",
                       "(fate = 'late' or variant % 12 = 5 or variant = 999)")}
        union all
        {quote_version(2, "'consumed'", "accepted", "true", "has_trade")}
        union all
        {quote_version(2, "if(variant % 9 = 1, 'rejected', 'expired')", "expires + 1000", "false",
                       "not has_trade and fate <> 'late'")}
    """  # fmt: skip


def _trades() -> str:
    """Return the query of every version of the trades."""

    def trade_version(number: int, status: str, at: str, ended: str, where: str) -> str:
        return f"""
            select
                transact_id, quote_id, idempotency_key, {status} as status,
                moment(reserved) as reserved_at, {ended} as terminal_at,
                if(variant % 40 = 9, null, if(side = 'on_ramp',
                    money(source_amount, source_scale, source_one),
                    money(target_amount, target_scale, target_one))) as fiat_amount,
                if(variant % 40 = 9, null, if(side = 'on_ramp',
                    money(target_amount, target_scale, target_one),
                    money(source_amount, source_scale, source_one))) as crypto_amount,
                pool as pool_id, if(variant % 25 = 8, null, side) as side,
                if(variant % 50 = 11, null, env) as environment,
                if(variant % 50 = 11, null, partner) as partner_id,
                if(variant % 10 = 6, null, order_id) as partner_order_id,
                network as crypto_network, concat('req_t', lower(hex(h6)), k) as request_id,
                moment({at}) as updated_at,
                ({at})::bigint as _at, day_ms as _from, i as _i, k::integer as _k, {number} as _n
            from movement where has_trade and {where}
        """

    is_shown = "(has_v1 or is_overnight or fate = 'open')"
    return f"""
        with movement as ({_MOVEMENT})
        {trade_version(1, "'reserved'", "reserved", "null", is_shown)}
        union all
        {trade_version(2, "if(fate = 'returned', 'settled', fate)", "ended + 500",
                       "moment(ended)", "ended is not null")}
        union all
        {trade_version(3, "'returned'", "returned + 500", "moment(returned)",
                       "returned is not null")}
    """  # fmt: skip


def _events() -> str:
    """Return the query of every delivery of an event."""

    def event_row(
        number: int, status: str, at: str, received: str, where: str, read: str = "false"
    ) -> str:
        event = "4" if number == 2 else str(number)
        processed = f"{received} + 150 + draw(h5, 20, 900)" if number != 4 else "null"
        return f"""
            select
                event_no(i, k, {2 if number == 4 else number}) as event_id,
                transact_id, {status} as status, moment({received}) as received_at,
                if(variant % 7 = 2, null, quote_id) as quote_id, moment({at}) as occurred_at,
                moment({processed}) as processed_at,
                if({read}, 'status_read', 'webhook') as source,
                if({read}, null, 'valid') as signature_result,
                if({number} = 4, '0', '1') as processing_attempts,
                concat('payloads/', number(i), '-', k, '-', {number}, '.json') as payload_ref,
                concat('req_e{event}', lower(hex(h6)), k) as request_id,
                if(variant % 20 = 13, null, env) as environment,
                if(variant % 20 = 13, null, partner) as partner_id,
                ({received})::bigint as _at, day_ms as _from, i as _i, k::integer as _k,
                {number} as _n
            from movement where has_trade and {where}
        """

    settled_status = "if(fate = 'returned', 'settled', fate)"
    is_read = "variant % 50 = 17"
    received = f"ended + if({is_read}, 240000 + draw(h5, 0, 600000), 400 + draw(h5, 0, 2500))"
    redelivered = "ended + 700000 + if(variant % 2 = 0, 0, 72000000)"
    return f"""
        with movement as ({_MOVEMENT})
        {event_row(1, "'reserved'", "reserved", "reserved + 350 + draw(h5, 10, 2500)", "true")}
        union all
        {event_row(2, settled_status, "ended", received, "ended is not null", is_read)}
        union all
        {event_row(3, "'returned'", "returned", "returned + 400 + draw(h5, 10, 2500)",
                   "returned is not null")}
        union all
        {event_row(4, settled_status, "ended", redelivered,
                   f"ended is not null and variant % 40 in (3, 10) and not ({is_read})")}
    """  # fmt: skip


# Most entries name trade and quote; some only one of them, or only by their ledger_ref.
_LEDGER = """
    with described as (
        select
            c.*, a.scale, a.one,
            kind in (6, 7) or kind >= 50 as is_free,
            if(variant % 25 = 1, 'quote', if(variant % 25 = 2, 'ref_trade',
                if(variant % 25 = 3, 'ref_quote', 'both'))) as link
        from ledger_chain as c join assets as a using (asset)
    )
    select
        coalesce(own_id, entry_no(i, k, kind)) as ledger_entry_id, entry_type, asset,
        coalesce(own_amount, money(
            if(kind in (1, 4) and variant % 15 = 3, -delta, delta), scale, one)) as amount,
        moment(at_ms) as effective_at,
        nullif(coalesce(own_transact, if(is_free or link <> 'both', null,
            trade_no(env, i, k))), '') as transact_id,
        nullif(coalesce(own_quote, if(is_free or link in ('ref_trade', 'ref_quote'), null,
            quote_no(env, i, k))), '') as quote_id,
        nullif(coalesce(own_ref, if(is_free, null, if(link in ('ref_quote', 'both'),
            quote_no(env, i, k), trade_no(env, i, k)))), '') as ledger_ref,
        case
            when kind = 3 then if(variant % 2 = 0, 'settled', null)
            when kind = 99 then null
            else money(balance, scale, one)
        end as balance_after,
        entry_seq::varchar as entry_seq,
        coalesce(own_related, if(kind in (2, 5), entry_no(i, k, 1), null))
            as related_entry_id,
        nullif(funding_reference, '') as funding_reference,
        if(variant % 50 = 21, null, env) as environment,
        if(variant % 50 = 21, null, partner) as partner_id,
        if(variant % 3 = 0, null, concat('req_l', number(i), '_', k, kind)) as request_id,
        at_ms as _at, i as _i, k::integer as _k, kind::integer as _n,
        env as _env, partner as _partner, entry_seq as _seq
    from described
"""


def _balances(days: int, start_ms: int) -> str:
    """Return the query of the balances reported at the end of each day."""
    return f"""
        with ends as (
            select {start_ms} + {DAY_MS} * (day + 1) as as_of from range({days}) as d(day)
        ),
        last_of_day as (
            select
                env, partner, asset, at_ms - at_ms % {DAY_MS} + {DAY_MS} as day_end,
                arg_max(true_balance, entry_seq) as balance
            from ledger_chain
            group by all
        ),
        accounts as (
            select env, partner, asset, min(day_end) as first_end
            from last_of_day
            -- a balance is reported where something touches it
            where (env, partner, asset) in
                (select (env, partner, asset) from ledger_chain where kind not in (3, 99))
            group by all
        )
        select
            asset, money(balance, scale, one) as balance, moment_s(as_of) as as_of,
            env as environment, partner as partner_id, as_of - 1 as _at, 0 as _i, 0 as _k,
            row_number() over (order by as_of, env, partner, asset) as _n
        from (
            select
                e.as_of, a.env, a.partner, a.asset, s.scale, s.one,
                (select l.balance from last_of_day as l
                    where l.env = a.env and l.partner = a.partner and l.asset = a.asset
                        and l.day_end <= e.as_of
                    order by l.day_end desc limit 1) as balance
            from ends as e
            join accounts as a on a.first_end <= e.as_of
            join assets as s using (asset)
        )
    """


def _pools(days: int, start_ms: int) -> str:
    """Return the query of the snapshots of the pools, one a day."""
    return f"""
        select
            pool as pool_id, moment_s({start_ms} + {DAY_MS} * day + 30000) as seen_at,
            'true' as entitled, if((day + row_id) % 17 = 3, 'false', 'true') as available,
            '0.01' as min_source_amount, '50000' as max_source_amount,
            env as environment, partner as partner_id,
            {start_ms} + {DAY_MS} * day + 30000 as _at, day as _i, 0 as _k, row_id as _n
        from range({days}) as d(day), (
            select pool, partner, env, row_number() over (order by partner, pool, env) as row_id
            from (select distinct pool, partner from lanes),
                (values ('live'), ('test')) as environments(env)
        )
    """


def export_views(days: int, start_ms: int) -> Mapping[str, str]:
    """Return the query of every export's rows, by export."""
    return {
        "orders": _orders(),
        "quotes": _quotes(),
        "trades": _trades(),
        "events": _events(),
        "ledger": _LEDGER,
        "funding": "select * from funding_rows_clean",
        "balances": _balances(days, start_ms),
        "pools": _pools(days, start_ms),
    }


def create_rows(
    connection: duckdb.DuckDBPyConnection, views: Mapping[str, str], names: Sequence[str], kind: str
) -> None:
    """Create ``<export>_rows`` as views, or as tables where faults will change rows."""
    for name in names:
        connection.execute(f"create {kind} {name}_rows as {views[name]}")
