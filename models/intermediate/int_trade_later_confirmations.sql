-- Trusted confirmations that were received at or after the cut-off, by the trade that they confirm. Content that its event
-- does not have will never confirm anything.
with trades as (

    select * from {{ pool_recon.at_hand('int_trades_linked') }}

),

quote_trades as (

    select * from {{ pool_recon.at_hand('int_quote_trades') }}

),

-- An event that came more than once is what its first row says, whenever that was received.
repeated_rows as (

    select row_order from {{ pool_recon.at_hand('int_rows_repeated') }}
    where export_name = 'events'

),

repeated_deliveries as (

    select
        deliveries.*,
        min(deliveries.row_order) over (partition by deliveries.event_id) as first_row_order
    from {{ pool_recon.at_hand('stg_events') }} as deliveries
    inner join repeated_rows on deliveries.row_order = repeated_rows.row_order

),

deliveries_in_force as (

    select
        repeated_deliveries.row_order,
        max(
            case when {{ pool_recon.is_trusted('first_deliveries.source', 'repeated_deliveries.signature_result') }} then 1 else 0 end
        ) over (partition by repeated_deliveries.event_id) = 1 as is_trusted
    from repeated_deliveries
    inner join repeated_deliveries as first_deliveries
        on repeated_deliveries.first_row_order = first_deliveries.row_order
    where not {{ pool_recon.differs('repeated_deliveries', 'first_deliveries', pool_recon.content_of('events')) }}

),

-- What names one of these is of it, and of no other trade of its quote.
trades_to_come as (

    select * from {{ pool_recon.at_hand('int_trades_later') }}

),

deliveries as (

    select
        deliveries.transact_id,
        deliveries.quote_id,
        deliveries.status
    from {{ pool_recon.at_hand('stg_events') }} as deliveries
    left join repeated_rows on deliveries.row_order = repeated_rows.row_order
    left join deliveries_in_force on deliveries.row_order = deliveries_in_force.row_order
    where
        deliveries.quarantine_reasons is null
        and deliveries.received_at >= {{ pool_recon.cut_off_at() }}
        and case
            when repeated_rows.row_order is null then {{ pool_recon.is_trusted('deliveries.source', 'deliveries.signature_result') }}
            else coalesce(deliveries_in_force.is_trusted, false)
        end

)

select distinct
    coalesce(trades.transact_id, quote_trades.transact_id) as transact_id,
    deliveries.status
from deliveries
left join trades on deliveries.transact_id = trades.transact_id
left join trades_to_come on deliveries.transact_id = trades_to_come.transact_id
left join quote_trades
    on
        trades.transact_id is null
        and trades_to_come.transact_id is null
        and deliveries.quote_id = quote_trades.quote_id
where coalesce(trades.transact_id, quote_trades.transact_id) is not null
