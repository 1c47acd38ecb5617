-- Every event in force with the trade that it joins to, and the environment and partner that follow from that.
with close as (

    select * from {{ ref('int_close') }}

),

-- Most events name their trade; the few others were joined by their quote.
by_trade as (

    select
        events.*,
        trades.known_quote_id as joined_quote_id,
        trades.partner_order_id as joined_partner_order_id,
        trades.stated_environment as joined_environment,
        trades.stated_partner_id as joined_partner_id,
        trades.request_id as joined_request_id,
        trades.pool_id,
        trades.source_asset,
        trades.source_amount
    from {{ pool_recon.at_hand('int_events_in_force') }} as events
    inner join {{ pool_recon.at_hand('int_trades_linked') }} as trades on events.transact_id = trades.transact_id

),

by_quote as (

    select * from {{ pool_recon.at_hand('int_events_joined_by_quote') }}

),

joined as (

    select
        by_trade.event_id,
        by_trade.transact_id as joined_transact_id,
        by_trade.joined_quote_id,
        by_trade.joined_partner_order_id,
        by_trade.transact_id,
        by_trade.quote_id,
        coalesce(by_trade.request_id, by_trade.joined_request_id) as request_id,
        by_trade.pool_id,
        coalesce(by_trade.environment, by_trade.joined_environment, close.default_environment) as environment,
        coalesce(by_trade.partner_id, by_trade.joined_partner_id, close.default_partner) as partner_id,
        by_trade.environment as stated_environment,
        by_trade.partner_id as stated_partner_id,
        by_trade.status,
        by_trade.source,
        by_trade.signature_result,
        by_trade.processing_attempts,
        by_trade.payload_ref,
        by_trade.source_asset,
        by_trade.source_amount,
        by_trade.is_trusted,
        by_trade.other_contents,
        by_trade.has_processed_at_column,
        by_trade.occurred_at,
        by_trade.received_at,
        by_trade.processed_at,
        by_trade.row_order
    from by_trade
    cross join close
    union all
    select
        by_quote.event_id,
        by_quote.joined_transact_id,
        by_quote.joined_quote_id,
        by_quote.joined_partner_order_id,
        by_quote.transact_id,
        by_quote.quote_id,
        by_quote.request_id,
        by_quote.pool_id,
        by_quote.environment,
        by_quote.partner_id,
        by_quote.stated_environment,
        by_quote.stated_partner_id,
        by_quote.status,
        by_quote.source,
        by_quote.signature_result,
        by_quote.processing_attempts,
        by_quote.payload_ref,
        by_quote.source_asset,
        by_quote.source_amount,
        by_quote.is_trusted,
        by_quote.other_contents,
        by_quote.has_processed_at_column,
        by_quote.occurred_at,
        by_quote.received_at,
        by_quote.processed_at,
        by_quote.row_order
    from by_quote

)

select
    joined.*,
    {{ pool_recon.row_checksum(['joined']) }} as row_checksum
from joined
