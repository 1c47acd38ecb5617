-- Trusted confirmations that were received at or after the cut-off, by the trade that they confirm.
with trades as (

    select * from {{ pool_recon.at_hand('int_trades_linked') }}

),

quote_trades as (

    select * from {{ pool_recon.at_hand('int_quote_trades') }}

),

deliveries as (

    select
        transact_id,
        quote_id,
        status
    from {{ pool_recon.at_hand('stg_events') }}
    where
        quarantine_reasons is null
        and received_at >= {{ pool_recon.cut_off_at() }}
        and (source = 'status_read' or signature_result = 'valid')

)

select distinct
    coalesce(trades.transact_id, quote_trades.transact_id) as transact_id,
    deliveries.status
from deliveries
left join trades on deliveries.transact_id = trades.transact_id
left join quote_trades
    on
        trades.transact_id is null
        and deliveries.quote_id = quote_trades.quote_id
where coalesce(trades.transact_id, quote_trades.transact_id) is not null
