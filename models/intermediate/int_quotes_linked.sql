-- Every quote with the order and the first trade that it joins to, its side and its assets.
with close as (

    select * from {{ ref('int_close') }}

),

trades as (

    select * from {{ pool_recon.at_hand('int_trades_in_force') }}

),

quote_trades as (

    select * from {{ pool_recon.at_hand('int_quote_trades') }}

),

-- Of several orders that name a quote which names no order itself, the earliest. All staged rows of quotes are asked: one that
-- is not in force only adds an order that nobody takes.
naming_orders as (

    select
        orders.quote_id,
        {{ pool_recon.value_at_earliest('orders.partner_order_id', 'orders.created_at', 'orders.partner_order_id') }} as partner_order_id
    from {{ pool_recon.at_hand('int_orders_in_force') }} as orders
    where
        orders.quote_id is not null
        and orders.quote_id in (
            select unordered_quotes.quote_id
            from {{ pool_recon.at_hand('stg_quotes') }} as unordered_quotes
            left join {{ pool_recon.at_hand('int_orders_in_force') }} as stated_orders on unordered_quotes.partner_order_id = stated_orders.partner_order_id
            where stated_orders.partner_order_id is null
        )
    group by orders.quote_id

),

linked as (

    select
        quotes.*,
        coalesce(stated_orders.partner_order_id, naming_orders.partner_order_id) as joined_partner_order_id,
        quote_trades.transact_id as first_transact_id,
        quote_trades.reserved_at as first_reserved_at
    from {{ pool_recon.at_hand('int_quotes_in_force') }} as quotes
    left join {{ pool_recon.at_hand('int_orders_in_force') }} as stated_orders on quotes.partner_order_id = stated_orders.partner_order_id
    left join naming_orders on quotes.quote_id = naming_orders.quote_id
    left join quote_trades on quotes.quote_id = quote_trades.quote_id

),

sided as (

    select
        linked.quote_id,
        linked.joined_partner_order_id as partner_order_id,
        linked.partner_order_id as stated_partner_order_id,
        linked.first_transact_id,
        linked.pool_id,
        linked.environment as stated_environment,
        linked.partner_id as stated_partner_id,
        linked.side as stated_side,
        coalesce(linked.environment, trades.environment, orders.environment, close.default_environment) as environment,
        coalesce(linked.partner_id, trades.partner_id, orders.partner_id, close.default_partner) as partner_id,
        orders.environment as order_environment,
        orders.partner_id as order_partner_id,
        orders.request_id as order_request_id,
        linked.quote_type,
        coalesce(linked.side, trades.side, orders.side, '{{ pool_recon.default_side() }}') as side,
        linked.source_asset as stated_source_asset,
        linked.target_asset as stated_target_asset,
        linked.crypto_network,
        linked.dest_address,
        linked.dest_network,
        linked.request_id as stated_request_id,
        coalesce(trades.request_id, linked.request_id, orders.request_id) as request_id,
        linked.status,
        linked.source_amount,
        linked.target_amount,
        linked.rate,
        linked.spread_bps,
        linked.fee_bps,
        linked.other_terms,
        linked.created_at,
        linked.accepted_at,
        linked.first_reserved_at,
        linked.expires_at,
        linked.row_order
    from linked
    cross join close
    left join trades on linked.first_transact_id = trades.transact_id
    left join {{ pool_recon.at_hand('int_orders_in_force') }} as orders on linked.joined_partner_order_id = orders.partner_order_id

),

completed as (

    select
        *,
        {{ pool_recon.source_asset('stated_source_asset', 'pool_id', 'side') }} as source_asset,
        {{ pool_recon.target_asset('stated_target_asset', 'pool_id', 'side') }} as target_asset
    from sided

)

select
    completed.*,
    {{ pool_recon.row_checksum(['completed']) }} as row_checksum
from completed
