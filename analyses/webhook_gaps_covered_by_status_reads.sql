-- Question: for which trades did no verified webhook arrive, so that a status read had to confirm the outcome?
-- How to read it: one row per terminal trade without a valid webhook of its status but with a status read of it. The close
-- holds with these; many of them at one partner or on one day mean that deliveries or signatures are broken there.
-- unverified_webhook_count above 0 points at the signing secret, 0 at the endpoint. Trades without any trusted
-- confirmation are not here but among the findings (missing_webhook).
with trades as (

    select * from {{ ref('fct_reconciliation') }}
    where
        movement_type = 'trade'
        and trade_status in (select states.status from {{ ref('ref_trade_states') }} as states where states.is_terminal)

),

events as (

    select * from {{ ref('fct_events') }}

),

confirmed as (

    select
        trades.transact_id,
        sum(case when events.source = 'webhook' and events.is_trusted then 1 else 0 end) as verified_webhook_count,
        sum(case when events.source = 'webhook' and not events.is_trusted then 1 else 0 end) as unverified_webhook_count,
        sum(case when events.source = 'status_read' then 1 else 0 end) as status_read_count,
        min(case when events.source = 'status_read' then events.received_at end) as first_read_at
    from trades
    inner join events
        on
            trades.transact_id = events.joined_transact_id
            and trades.trade_status = events.status
    group by trades.transact_id

)

select
    trades.environment,
    trades.partner_id,
    trades.transact_id,
    trades.partner_order_id,
    trades.pool_id,
    trades.trade_status,
    confirmed.status_read_count,
    confirmed.unverified_webhook_count,
    trades.terminal_at,
    confirmed.first_read_at
from trades
inner join confirmed on trades.transact_id = confirmed.transact_id
where
    confirmed.verified_webhook_count = 0
    and confirmed.status_read_count > 0
order by trades.environment, trades.partner_id, confirmed.first_read_at, trades.transact_id
