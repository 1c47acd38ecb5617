-- Every trade with the quote and the order that it joins to, and what it exchanges: its side, assets and amounts.
with trades as (

    select * from {{ pool_recon.at_hand('int_trades_in_force') }}

),

quotes as (

    select * from {{ pool_recon.at_hand('int_quotes_linked') }}

),

by_quote as (

    select
        trades.*,
        quotes.quote_id as known_quote_id,
        quotes.partner_order_id as quote_order_id,
        quotes.stated_partner_order_id as quote_stated_order_id,
        quotes.stated_environment as quote_environment,
        quotes.stated_partner_id as quote_partner_id,
        quotes.pool_id as quote_pool_id,
        quotes.stated_side as quote_side,
        quotes.stated_request_id as quote_request_id,
        quotes.quote_type,
        quotes.crypto_network as quote_crypto_network,
        quotes.status as quote_status,
        quotes.stated_source_asset,
        quotes.stated_target_asset,
        quotes.source_amount as quote_source_amount,
        quotes.target_amount as quote_target_amount,
        quotes.created_at as quote_created_at,
        quotes.accepted_at,
        quotes.first_reserved_at as quote_first_reserved_at,
        quotes.expires_at
    from trades
    left join quotes on trades.quote_id = quotes.quote_id

),

-- The order that names the trade, and of several the earliest, is asked for only where nothing else gives one.
naming_orders as (

    select
        orders.transact_id,
        {{ pool_recon.value_at_earliest('orders.partner_order_id', 'orders.created_at', 'orders.partner_order_id') }} as partner_order_id
    from {{ pool_recon.at_hand('int_orders_in_force') }} as orders
    where
        orders.transact_id is not null
        and orders.transact_id in (
            select unordered_trades.transact_id from {{ pool_recon.at_hand('int_trades_in_force') }} as unordered_trades
            where not exists (
                select 1 from {{ pool_recon.at_hand('int_quotes_linked') }} as ordered_quotes
                where
                    unordered_trades.quote_id = ordered_quotes.quote_id
                    and ordered_quotes.partner_order_id is not null
            )
        )
    group by orders.transact_id

),

by_order as (

    select
        by_quote.*,
        coalesce(by_quote.quote_order_id, stated_orders.partner_order_id, naming_orders.partner_order_id) as joined_partner_order_id
    from by_quote
    left join {{ pool_recon.at_hand('int_orders_in_force') }} as stated_orders
        on case when by_quote.quote_order_id is null then by_quote.partner_order_id end = stated_orders.partner_order_id
    left join naming_orders
        on case when by_quote.quote_order_id is null then by_quote.transact_id end = naming_orders.transact_id

),

sided as (

    select
        by_order.*,
        coalesce(by_order.quote_side, by_order.side, orders.side, '{{ pool_recon.default_side() }}') as movement_side,
        orders.environment as order_environment,
        orders.partner_id as order_partner_id,
        orders.pool_id as order_pool_id,
        orders.side as order_side,
        orders.request_id as order_request_id,
        orders.idempotency_key as order_idempotency_key,
        orders.product_state,
        orders.state_class,
        orders.created_at as order_created_at
    from by_order
    left join {{ pool_recon.at_hand('int_orders_in_force') }} as orders on by_order.joined_partner_order_id = orders.partner_order_id

)

select
    transact_id,
    quote_id,
    known_quote_id,
    joined_partner_order_id as partner_order_id,
    partner_order_id as stated_partner_order_id,
    quote_order_id,
    coalesce(joined_partner_order_id, quote_stated_order_id, partner_order_id) as named_partner_order_id,
    idempotency_key,
    order_idempotency_key,
    coalesce(environment, quote_environment, order_environment) as stated_environment,
    coalesce(partner_id, quote_partner_id, order_partner_id) as stated_partner_id,
    coalesce(request_id, quote_request_id, order_request_id) as request_id,
    coalesce(quote_pool_id, pool_id, order_pool_id) as pool_id,
    movement_side as side,
    crypto_network,
    quote_crypto_network,
    quote_type,
    quote_status,
    product_state,
    state_class,
    status,
    {{ pool_recon.source_asset('stated_source_asset', 'quote_pool_id', 'movement_side') }} as source_asset,
    {{ pool_recon.target_asset('stated_target_asset', 'quote_pool_id', 'movement_side') }} as target_asset,
    coalesce({{ pool_recon.source_of('movement_side', 'fiat_amount', 'crypto_amount') }}, quote_source_amount) as source_amount,
    coalesce({{ pool_recon.target_of('movement_side', 'fiat_amount', 'crypto_amount') }}, quote_target_amount) as target_amount,
    fiat_amount,
    crypto_amount,
    {{ pool_recon.fiat_of('movement_side', 'quote_source_amount', 'quote_target_amount') }} as quote_fiat_amount,
    {{ pool_recon.crypto_of('movement_side', 'quote_source_amount', 'quote_target_amount') }} as quote_crypto_amount,
    -- what order, quote and trade state themselves: more than one value of any is a mismatch
    {{ pool_recon.differing_values({'order': 'order_pool_id', 'quote': 'quote_pool_id', 'trade': 'pool_id'}) }} as differing_pools,
    {{ pool_recon.differing_values({'order': 'order_side', 'quote': 'quote_side', 'trade': 'side'}) }} as differing_sides,
    {{ pool_recon.differing_values({'order': 'order_environment', 'quote': 'quote_environment', 'trade': 'environment'}) }} as differing_environments,
    {{ pool_recon.differing_values({'order': 'order_partner_id', 'quote': 'quote_partner_id', 'trade': 'partner_id'}) }} as differing_partners,
    {{ pool_recon.lowest_of(['order_environment', 'quote_environment', 'environment']) }} as lowest_environment,
    {{ pool_recon.highest_of(['order_environment', 'quote_environment', 'environment']) }} as highest_environment,
    {{ pool_recon.lowest_of(['order_partner_id', 'quote_partner_id', 'partner_id']) }} as lowest_partner_id,
    {{ pool_recon.highest_of(['order_partner_id', 'quote_partner_id', 'partner_id']) }} as highest_partner_id,
    has_settled_version,
    has_failed_version,
    has_released_version,
    has_returned_version,
    times_gone_back,
    order_created_at,
    quote_created_at,
    accepted_at,
    coalesce(accepted_at, quote_first_reserved_at) as quote_accepted_at,
    expires_at,
    reserved_at,
    terminal_at,
    row_order
from sided
