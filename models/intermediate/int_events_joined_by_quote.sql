-- The events in force that name no trade in force, with the trade of their quote, if any.
with close as (

    select * from {{ ref('int_close') }}

),

trades as (

    select * from {{ pool_recon.at_hand('int_trades_linked') }}

),

quote_trades as (

    select * from {{ pool_recon.at_hand('int_quote_trades') }}

),

quotes as (

    select * from {{ pool_recon.at_hand('int_quotes_linked') }}

),

events as (

    select in_force.*
    from {{ pool_recon.at_hand('int_events_in_force') }} as in_force
    left join {{ pool_recon.at_hand('int_trades_linked') }} as named_trades on in_force.transact_id = named_trades.transact_id
    where named_trades.transact_id is null

),

joined as (

    select
        events.*,
        trades.transact_id as joined_transact_id,
        case when trades.transact_id is null then quotes.quote_id else trades.known_quote_id end as joined_quote_id,
        case when trades.transact_id is null then quotes.partner_order_id else trades.partner_order_id end as joined_partner_order_id,
        case when trades.transact_id is null then coalesce(quotes.stated_environment, quotes.order_environment) else trades.stated_environment end as joined_environment,
        case when trades.transact_id is null then coalesce(quotes.stated_partner_id, quotes.order_partner_id) else trades.stated_partner_id end as joined_partner_id,
        case when trades.transact_id is null then coalesce(quotes.stated_request_id, quotes.order_request_id) else trades.request_id end as joined_request_id,
        case when trades.transact_id is null then quotes.pool_id else trades.pool_id end as pool_id,
        trades.source_asset,
        trades.source_amount
    from events
    left join quote_trades on events.quote_id = quote_trades.quote_id
    left join trades on quote_trades.transact_id = trades.transact_id
    left join quotes on events.quote_id = quotes.quote_id

)

select
    joined.event_id,
    joined.joined_transact_id,
    joined.joined_quote_id,
    joined.joined_partner_order_id,
    joined.transact_id,
    joined.quote_id,
    coalesce(joined.request_id, joined.joined_request_id) as request_id,
    joined.pool_id,
    coalesce(joined.environment, joined.joined_environment, close.default_environment) as environment,
    coalesce(joined.partner_id, joined.joined_partner_id, close.default_partner) as partner_id,
    joined.environment as stated_environment,
    joined.partner_id as stated_partner_id,
    joined.status,
    joined.source,
    joined.signature_result,
    joined.processing_attempts,
    joined.payload_ref,
    joined.source_asset,
    joined.source_amount,
    joined.is_trusted,
    joined.other_contents,
    joined.has_processed_at_column,
    joined.occurred_at,
    joined.received_at,
    joined.processed_at,
    joined.row_order
from joined
cross join close
