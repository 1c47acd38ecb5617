-- Everything that is known about a partner order at the cut-off, on one row.
with close as (

    select * from {{ ref('int_close') }}

),

orders as (

    select * from {{ ref('int_orders_in_force') }}

),

quotes as (

    select * from {{ ref('int_quotes_in_force') }}

),

quotes_linked as (

    select * from {{ ref('int_quotes_linked') }}

),

trades_linked as (

    select * from {{ ref('int_trades_linked') }}

),

trades as (

    select * from {{ ref('int_trades_reconciled') }}

),

stated_trades as (

    select * from {{ ref('int_trades_in_force') }}

),

later_trades as (

    select * from {{ ref('int_trades_later') }}

),

trades_of_orders as (

    select
        partner_order_id,
        count(*) as trade_count,
        max(reserved_at) as last_reserved_at,
        max(case when known_quote_id is null then 1 else 0 end) = 1 as has_trade_without_quote,
        min(case when known_quote_id is null then transact_id end) as first_trade_without_quote,
        max(known_quote_id) as any_quote_id
    from trades
    where partner_order_id is not null
    group by partner_order_id

),

quotes_of_orders as (

    select
        partner_order_id,
        count(*) as quote_count,
        count(accepted_at) as accepted_quote_count,
        -- the accepted quote before the newest, later ones first
        {{ pool_recon.value_at_latest('quote_id', 'accepted_at', 'quote_id', 'accepted_at is not null') }} as accepted_quote_id,
        {{ pool_recon.value_at_latest('quote_id', "coalesce(created_at, cast('0001-01-01 00:00:00' as timestamp))", 'quote_id') }} as newest_quote_id
    from quotes_linked
    where partner_order_id is not null
    group by partner_order_id

),

-- a trade that names this order although its quote belongs to another one
trades_of_other_orders as (

    select distinct stated_trades.partner_order_id
    from stated_trades
    inner join quotes_linked on stated_trades.quote_id = quotes_linked.quote_id
    where stated_trades.partner_order_id <> quotes_linked.partner_order_id

),

later_trades_of_orders as (

    select
        partner_order_id,
        min(transact_id) as later_transact_id
    from later_trades
    where partner_order_id is not null
    group by partner_order_id

),

later_trades_of_quotes as (

    select
        quote_id,
        min(transact_id) as later_transact_id
    from later_trades
    where quote_id is not null
    group by quote_id

),

shown as (

    select
        orders.partner_order_id,
        named_quotes.quote_id as named_quote_id,
        named_quotes.partner_order_id as order_of_named_quote,
        case
            when trades_of_orders.partner_order_id is null
                then coalesce(named_quotes.quote_id, quotes_of_orders.accepted_quote_id, quotes_of_orders.newest_quote_id)
        end as shown_quote_id,
        coalesce(quotes_of_orders.accepted_quote_count, 0) as accepted_quote_count,
        coalesce(trades_of_orders.trade_count, 0) as trade_count,
        coalesce(trades_of_orders.has_trade_without_quote, false) as has_trade_without_quote,
        trades_of_orders.first_trade_without_quote,
        trades_of_orders.last_reserved_at,
        coalesce(named_quotes.quote_id, quotes_of_orders.newest_quote_id, trades_of_orders.any_quote_id) is not null as has_quote
    from orders
    left join quotes as named_quotes on orders.quote_id = named_quotes.quote_id
    left join quotes_of_orders on orders.partner_order_id = quotes_of_orders.partner_order_id
    left join trades_of_orders on orders.partner_order_id = trades_of_orders.partner_order_id

)

select
    orders.partner_order_id,
    coalesce(orders.environment, stated_trades.environment, trade_quotes.environment, shown_quotes.environment, close.default_environment) as environment,
    coalesce(orders.partner_id, stated_trades.partner_id, trade_quotes.partner_id, shown_quotes.partner_id, close.default_partner) as partner_id,
    trades.transact_id as order_transact_id,
    shown.shown_quote_id,
    coalesce(trades.known_quote_id, shown.shown_quote_id) as known_quote_id,
    orders.quote_id,
    orders.transact_id,
    orders.idempotency_key,
    coalesce(trades.request_id, shown_quotes.request_id, orders.request_id) as request_id,
    coalesce(shown_quotes.pool_id, trades.pool_id, orders.pool_id) as pool_id,
    orders.product_state,
    orders.state_class,
    orders.has_regressed,
    trades.effective_status,
    coalesce(trades.side, shown_quotes.side, orders.side, '{{ pool_recon.default_side() }}') as side,
    shown_quotes.source_amount as shown_source_amount,
    shown_quotes.target_amount as shown_target_amount,
    {{ pool_recon.source_asset('shown_quotes.source_asset', 'shown_quotes.pool_id', "coalesce(shown_quotes.side, orders.side, '" ~ pool_recon.default_side() ~ "')") }} as shown_source_asset,
    {{ pool_recon.target_asset('shown_quotes.target_asset', 'shown_quotes.pool_id', "coalesce(shown_quotes.side, orders.side, '" ~ pool_recon.default_side() ~ "')") }} as shown_target_asset,
    trades.source_asset as trade_source_asset,
    trades.source_amount as trade_source_amount,
    shown.has_quote,
    shown.trade_count,
    shown.accepted_quote_count,
    shown.has_trade_without_quote,
    shown.first_trade_without_quote,
    shown.trade_count = 0 as has_no_trade,
    later_trades_of_orders.later_transact_id is not null or later_trades_of_quotes.later_transact_id is not null as has_later_trade,
    shown_quotes.status as shown_quote_status,
    shown_links.first_transact_id is not null as has_shown_quote_trade,
    shown.order_of_named_quote is not null
    and shown.order_of_named_quote <> orders.partner_order_id
    and named_orders.partner_order_id is not null as names_quote_of_other_order,
    coalesce(quotes_of_named_trades.partner_order_id <> orders.partner_order_id, false) as names_trade_of_other_order,
    trades_of_other_orders.partner_order_id is not null as has_trade_of_other_order,
    least(orders.pool_id, shown_quotes.pool_id) as lowest_pool_id,
    greatest(orders.pool_id, shown_quotes.pool_id) as highest_pool_id,
    least(orders.side, shown_quotes.side) as lowest_side,
    greatest(orders.side, shown_quotes.side) as highest_side,
    least(orders.environment, shown_quotes.environment) as lowest_environment,
    greatest(orders.environment, shown_quotes.environment) as highest_environment,
    least(orders.partner_id, shown_quotes.partner_id) as lowest_partner_id,
    greatest(orders.partner_id, shown_quotes.partner_id) as highest_partner_id,
    orders.created_at,
    orders.updated_at,
    orders.last_final_at,
    shown.last_reserved_at,
    shown_quotes.created_at as shown_created_at,
    shown_quotes.accepted_at as shown_accepted_at,
    shown_quotes.expires_at as shown_expires_at,
    shown_quotes.row_order as shown_quote_row_order,
    orders.row_order
from orders
cross join close
inner join shown on orders.partner_order_id = shown.partner_order_id
left join trades
    on
        orders.partner_order_id = trades.partner_order_id
        and trades.is_trade_of_order
left join stated_trades on trades.transact_id = stated_trades.transact_id
left join quotes as trade_quotes on trades.known_quote_id = trade_quotes.quote_id
left join quotes as shown_quotes on shown.shown_quote_id = shown_quotes.quote_id
left join quotes_linked as shown_links on shown.shown_quote_id = shown_links.quote_id
left join orders as named_orders on shown.order_of_named_quote = named_orders.partner_order_id
left join trades_linked as named_trades on orders.transact_id = named_trades.transact_id
left join quotes_linked as quotes_of_named_trades on named_trades.known_quote_id = quotes_of_named_trades.quote_id
left join trades_of_other_orders on orders.partner_order_id = trades_of_other_orders.partner_order_id
left join later_trades_of_orders on orders.partner_order_id = later_trades_of_orders.partner_order_id
left join later_trades_of_quotes on shown.shown_quote_id = later_trades_of_quotes.quote_id
