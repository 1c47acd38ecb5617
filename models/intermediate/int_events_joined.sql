with events as (

    select * from {{ ref('int_events_in_force') }}

),

trades as (

    select * from {{ ref('int_trades_linked') }}

),

quote_trades as (

    select * from {{ ref('int_quote_trades') }}

),

quotes as (

    select * from {{ ref('int_quotes_linked') }}

)

select
    events.event_id,
    coalesce(trades.transact_id, quote_trades.transact_id) as joined_transact_id,
    coalesce(trades.known_quote_id, quoted_trades.known_quote_id, quotes.quote_id) as joined_quote_id,
    coalesce(trades.partner_order_id, quoted_trades.partner_order_id, quotes.partner_order_id) as joined_partner_order_id,
    events.transact_id,
    events.quote_id,
    events.request_id,
    events.environment,
    events.partner_id,
    events.status,
    events.source,
    events.signature_result,
    events.processing_attempts,
    events.payload_ref,
    events.is_trusted,
    events.has_changed,
    events.occurred_at,
    events.received_at,
    events.processed_at,
    events.file_id,
    events.row_order
from events
left join trades on events.transact_id = trades.transact_id
left join quote_trades
    on
        trades.transact_id is null
        and events.quote_id = quote_trades.quote_id
left join trades as quoted_trades on quote_trades.transact_id = quoted_trades.transact_id
left join quotes
    on
        trades.transact_id is null
        and quote_trades.transact_id is null
        and events.quote_id = quotes.quote_id
