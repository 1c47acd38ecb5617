-- Every event in force with the trade that it joins to, and the environment and partner that follow from that.
with close as (

    select * from {{ ref('int_close') }}

),

events as (

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

),

-- whether the file of the event has the column at all
processing_files as (

    select distinct file_id
    from {{ source('raw', 'file_columns') }}
    where contract_column = 'processed_at'

),

-- Most events name their trade; the quote is only asked where they do not.
by_trade as (

    select
        events.*,
        trades.transact_id as known_transact_id
    from events
    left join trades on events.transact_id = trades.transact_id

),

unjoined as (

    select
        by_trade.event_id,
        quote_trades.transact_id as quoted_transact_id,
        quotes.quote_id as known_quote_id,
        quotes.partner_order_id,
        coalesce(quotes.stated_environment, quotes.order_environment) as stated_environment,
        coalesce(quotes.stated_partner_id, quotes.order_partner_id) as stated_partner_id,
        coalesce(quotes.stated_request_id, quotes.order_request_id) as request_id,
        quotes.pool_id
    from by_trade
    left join quote_trades on by_trade.quote_id = quote_trades.quote_id
    left join quotes on by_trade.quote_id = quotes.quote_id
    where by_trade.known_transact_id is null

),

joined as (

    select
        events.*,
        coalesce(events.known_transact_id, unjoined.quoted_transact_id) as joined_transact_id,
        unjoined.known_quote_id as named_quote_id,
        unjoined.partner_order_id as named_partner_order_id,
        unjoined.stated_environment as named_environment,
        unjoined.stated_partner_id as named_partner_id,
        unjoined.request_id as named_request_id,
        unjoined.pool_id as named_pool_id
    from by_trade as events
    left join unjoined on events.event_id = unjoined.event_id

)

select
    joined.event_id,
    joined.joined_transact_id,
    case when trades.transact_id is null then joined.named_quote_id else trades.known_quote_id end as joined_quote_id,
    case when trades.transact_id is null then joined.named_partner_order_id else trades.partner_order_id end as joined_partner_order_id,
    joined.transact_id,
    joined.quote_id,
    coalesce(joined.request_id, trades.request_id, case when trades.transact_id is null then joined.named_request_id end) as request_id,
    coalesce(trades.pool_id, case when trades.transact_id is null then joined.named_pool_id end) as pool_id,
    coalesce(
        joined.environment, trades.stated_environment,
        case when trades.transact_id is null then joined.named_environment end,
        close.default_environment
    ) as environment,
    coalesce(
        joined.partner_id, trades.stated_partner_id,
        case when trades.transact_id is null then joined.named_partner_id end,
        close.default_partner
    ) as partner_id,
    joined.environment as stated_environment,
    joined.partner_id as stated_partner_id,
    joined.status,
    joined.source,
    joined.signature_result,
    joined.processing_attempts,
    joined.payload_ref,
    trades.source_asset,
    trades.source_amount,
    joined.is_trusted,
    joined.has_changed,
    processing_files.file_id is not null as has_processed_at_column,
    joined.occurred_at,
    joined.received_at,
    joined.processed_at,
    joined.row_order
from joined
cross join close
left join trades on joined.joined_transact_id = trades.transact_id
left join processing_files on joined.file_id = processing_files.file_id
