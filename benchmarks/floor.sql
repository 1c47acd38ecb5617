-- The floor: what one hand-written statement needs to cast, deduplicate and join the five exports, type the six core
-- exceptions and write the fact. It checks nothing else and lands nothing; the product is measured against it.
create or replace table fact as
with orders as (
    select
        partner_order_id, product_state, quote_id, transact_id,
        try_cast(created_at as timestamptz) as created_at
    from read_csv('{exports}/orders/*.csv', header = true, auto_detect = false, delim = ',', quote = '"', escape = '"', columns = {orders})
    qualify row_number() over (partition by partner_order_id order by updated_at desc) = 1
),

quotes as (
    select
        quote_id, partner_order_id,
        try_cast(source_amount as decimal(38, 18)) as source_amount,
        try_cast(target_amount as decimal(38, 18)) as target_amount,
        try_cast(expires_at as timestamptz) as expires_at,
        try_cast(accepted_at as timestamptz) as accepted_at
    from read_csv('{exports}/quotes/*.csv', header = true, auto_detect = false, delim = ',', quote = '"', escape = '"', columns = {quotes})
    where regexp_full_match(source_amount, '[+-]?[0-9]{{1,20}}(\.[0-9]{{1,18}})?')
    qualify row_number() over (partition by quote_id order by accepted_at desc nulls last) = 1
),

trades as (
    select
        transact_id, quote_id, idempotency_key, status,
        try_cast(reserved_at as timestamptz) as reserved_at,
        try_cast(terminal_at as timestamptz) as terminal_at,
        row_number() over (partition by idempotency_key order by reserved_at, transact_id) as rank_of_key
    from (
        select *
        from read_csv('{exports}/trades/*.csv', header = true, auto_detect = false, delim = ',', quote = '"', escape = '"', columns = {trades})
        qualify row_number() over (partition by transact_id order by updated_at desc) = 1
    ) as last_versions
),

events as (
    select
        transact_id,
        count(distinct event_id) as event_count,
        bool_or(status = 'settled') as is_settled,
        bool_or(status = 'failed') as is_failed,
        bool_or(status = 'released') as is_released,
        bool_or(status = 'returned') as is_returned
    from read_csv('{exports}/events/*.csv', header = true, auto_detect = false, delim = ',', quote = '"', escape = '"', columns = {events})
    where source = 'status_read' or signature_result = 'valid'
    group by transact_id
),

entries as (
    select
        transact_id,
        count(*) as entry_count,
        sum(case
            when entry_type in ('buy_debit', 'sell_debit', 'trade_debit', 'trade_reserve') then -abs(try_cast(amount as decimal(38, 18)))
            when entry_type not in ('trade_settle', 'fee_debit', 'payin_credit', 'funding_credit') then try_cast(amount as decimal(38, 18))
        end) as source_net
    from read_csv('{exports}/ledger/*.csv', header = true, auto_detect = false, delim = ',', quote = '"', escape = '"', columns = {ledger})
    where regexp_full_match(amount, '[+-]?[0-9]{{1,20}}(\.[0-9]{{1,18}})?')
    group by transact_id
)

select
    orders.partner_order_id, orders.product_state, quotes.quote_id, trades.transact_id, trades.status,
    quotes.source_amount, quotes.target_amount, entries.source_net, entries.entry_count, events.event_count,
    quotes.quote_id is null as missing_quote,
    trades.transact_id is null and quotes.accepted_at is not null as missing_trade,
    trades.rank_of_key > 1 as duplicate_trade_attempt,
    trades.status <> 'reserved' and coalesce(not case trades.status when 'settled' then events.is_settled when 'failed' then events.is_failed when 'released' then events.is_released else events.is_returned end, true) as missing_webhook,
    entries.source_net is distinct from case trades.status when 'settled' then -quotes.source_amount else 0 end as ledger_mismatch,
    coalesce(events.is_settled, false)::integer + coalesce(events.is_failed, false)::integer + coalesce(events.is_released, false)::integer > 1 as terminal_state_conflict
from orders
left join quotes on orders.partner_order_id = quotes.partner_order_id
left join trades on quotes.quote_id = trades.quote_id
left join events on trades.transact_id = events.transact_id
left join entries on trades.transact_id = entries.transact_id;
