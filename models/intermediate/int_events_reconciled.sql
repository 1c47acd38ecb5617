-- Every event with the environment, partner and movement that it belongs to.
with close as (

    select * from {{ ref('int_close') }}

),

events as (

    select * from {{ ref('int_events_joined') }}

),

trades as (

    select * from {{ ref('int_trades_reconciled') }}

),

stated_trades as (

    select * from {{ ref('int_trades_in_force') }}

),

quotes as (

    select * from {{ ref('int_quotes_in_force') }}

),

orders as (

    select * from {{ ref('int_orders_in_force') }}

),

-- whether the file of the event has the column at all
processing_files as (

    select distinct file_id
    from {{ source('raw', 'file_columns') }}
    where contract_column = 'processed_at'

)

select
    events.event_id,
    events.joined_transact_id,
    events.joined_quote_id,
    events.joined_partner_order_id,
    events.transact_id,
    events.quote_id,
    coalesce(events.request_id, trades.request_id, quotes.request_id, orders.request_id) as request_id,
    coalesce(trades.pool_id, quotes.pool_id, orders.pool_id) as pool_id,
    coalesce(events.environment, stated_trades.environment, quotes.environment, orders.environment, close.default_environment) as environment,
    coalesce(events.partner_id, stated_trades.partner_id, quotes.partner_id, orders.partner_id, close.default_partner) as partner_id,
    events.status,
    events.source,
    events.signature_result,
    events.processing_attempts,
    events.payload_ref,
    trades.source_asset,
    trades.source_amount,
    events.is_trusted,
    events.has_changed,
    processing_files.file_id is not null as has_processed_at_column,
    events.occurred_at,
    events.received_at,
    events.processed_at,
    events.row_order
from events
cross join close
left join trades on events.joined_transact_id = trades.transact_id
left join stated_trades on events.joined_transact_id = stated_trades.transact_id
left join quotes on events.joined_quote_id = quotes.quote_id
left join orders on events.joined_partner_order_id = orders.partner_order_id
left join processing_files on events.file_id = processing_files.file_id
