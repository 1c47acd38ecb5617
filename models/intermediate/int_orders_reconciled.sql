-- Everything that is known about a partner order at the cut-off, on one row.
with close as (

    select * from {{ ref('int_close') }}

),

orders as (

    select
        orders.*,
        order_trades.transact_id as order_transact_id,
        coalesce(order_trades.trade_count, 0) as trade_count,
        order_trades.trades_without_quote,
        order_trades.last_reserved_at,
        trades_linked.known_quote_id as trade_quote_id,
        trades_linked.stated_environment as trade_environment,
        trades_linked.stated_partner_id as trade_partner_id,
        trades_linked.request_id as trade_request_id,
        trades_linked.pool_id as trade_pool_id,
        trades_linked.side as trade_side,
        trades.effective_status,
        trades_linked.source_asset as trade_source_asset,
        trades_linked.source_amount as trade_source_amount
    from {{ pool_recon.at_hand('int_orders_in_force') }} as orders
    left join {{ pool_recon.at_hand('int_order_trades') }} as order_trades on orders.partner_order_id = order_trades.partner_order_id
    left join {{ pool_recon.at_hand('int_trades_linked') }} as trades_linked on order_trades.transact_id = trades_linked.transact_id
    left join {{ pool_recon.at_hand('int_trades_reconciled') }} as trades on order_trades.transact_id = trades.transact_id

),

-- Only an order without a trade shows a quote: the one that it names, else its accepted one, else its newest.
tradeless_orders as (

    select
        orders_in_force.partner_order_id,
        orders_in_force.quote_id
    from {{ pool_recon.at_hand('int_orders_in_force') }} as orders_in_force
    where not exists (select 1 from {{ pool_recon.at_hand('int_order_trades') }} as order_trades where orders_in_force.partner_order_id = order_trades.partner_order_id)

),

quotes_of_tradeless_orders as (

    select
        quotes.partner_order_id,
        {{ pool_recon.text_list('case when quotes.accepted_at is not null then quotes.quote_id end') }} as accepted_quote_ids,
        {{ pool_recon.value_at_latest('quotes.quote_id', 'quotes.accepted_at', 'quotes.quote_id', 'quotes.accepted_at is not null') }} as accepted_quote_id,
        {{ pool_recon.value_at_latest('quotes.quote_id', pool_recon.absent_first('quotes.created_at'), 'quotes.quote_id') }} as newest_quote_id
    from {{ pool_recon.at_hand('int_quotes_linked') }} as quotes
    inner join tradeless_orders on quotes.partner_order_id = tradeless_orders.partner_order_id
    group by quotes.partner_order_id

),

shown as (

    select
        tradeless_orders.partner_order_id,
        quotes_of_tradeless_orders.accepted_quote_ids,
        coalesce(named_quotes.quote_id, quotes_of_tradeless_orders.accepted_quote_id, quotes_of_tradeless_orders.newest_quote_id) as quote_id
    from tradeless_orders
    left join {{ pool_recon.at_hand('int_quotes_linked') }} as named_quotes on tradeless_orders.quote_id = named_quotes.quote_id
    left join quotes_of_tradeless_orders on tradeless_orders.partner_order_id = quotes_of_tradeless_orders.partner_order_id

),

shown_quotes as (

    select
        shown.partner_order_id as showing_order_id,
        shown.accepted_quote_ids,
        quotes.*
    from shown
    left join {{ pool_recon.at_hand('int_quotes_linked') }} as quotes on shown.quote_id = quotes.quote_id

),

-- An order that names what its trade has is consistent; only the others are looked at.
orders_naming_quotes_of_others as (

    select
        orders_in_force.partner_order_id,
        orders_in_force.quote_id,
        quotes.stated_partner_order_id as other_partner_order_id
    from {{ pool_recon.at_hand('int_orders_in_force') }} as orders_in_force
    inner join {{ pool_recon.at_hand('int_quotes_linked') }} as quotes on orders_in_force.quote_id = quotes.quote_id
    where quotes.stated_partner_order_id <> orders_in_force.partner_order_id

),

orders_naming_other_quotes as (

    select
        naming_orders.partner_order_id,
        naming_orders.other_partner_order_id
    from orders_naming_quotes_of_others as naming_orders
    inner join {{ pool_recon.at_hand('int_orders_in_force') }} as other_orders on naming_orders.other_partner_order_id = other_orders.partner_order_id
    left join {{ pool_recon.at_hand('int_order_trades') }} as order_trades on naming_orders.partner_order_id = order_trades.partner_order_id
    left join {{ pool_recon.at_hand('int_trades_linked') }} as trades_linked on order_trades.transact_id = trades_linked.transact_id
    where naming_orders.quote_id is distinct from trades_linked.known_quote_id

),

orders_naming_other_trades as (

    select
        orders_in_force.partner_order_id,
        trades_linked.quote_order_id as other_partner_order_id
    from {{ pool_recon.at_hand('int_orders_in_force') }} as orders_in_force
    inner join {{ pool_recon.at_hand('int_trades_linked') }} as trades_linked on orders_in_force.transact_id = trades_linked.transact_id
    left join {{ pool_recon.at_hand('int_order_trades') }} as order_trades on orders_in_force.partner_order_id = order_trades.partner_order_id
    where
        trades_linked.quote_order_id <> orders_in_force.partner_order_id
        and orders_in_force.transact_id is distinct from order_trades.transact_id

),

orders_named_by_other_trades as (

    select
        stated_partner_order_id as partner_order_id,
        {{ pool_recon.id_list('transact_id') }} as transact_ids
    from {{ pool_recon.at_hand('int_trades_linked') }}
    where stated_partner_order_id <> quote_order_id
    group by stated_partner_order_id

),

later_trades_of_orders as (

    select distinct partner_order_id
    from {{ pool_recon.at_hand('int_trades_later') }}
    where partner_order_id is not null

),

later_trades_of_quotes as (

    select distinct quote_id
    from {{ pool_recon.at_hand('int_trades_later') }}
    where quote_id is not null

),

reconciled as (

    select
        orders.partner_order_id,
        orders.user_reference,
        orders.client_reference,
        coalesce(orders.environment, orders.trade_environment, shown_quotes.stated_environment, close.default_environment) as environment,
        coalesce(orders.partner_id, orders.trade_partner_id, shown_quotes.stated_partner_id, close.default_partner) as partner_id,
        orders.order_transact_id,
        shown_quotes.quote_id as shown_quote_id,
        coalesce(orders.trade_quote_id, shown_quotes.quote_id) as known_quote_id,
        orders.quote_id,
        orders.transact_id,
        orders.idempotency_key,
        coalesce(orders.trade_request_id, shown_quotes.stated_request_id, orders.request_id) as request_id,
        orders.request_id as stated_request_id,
        coalesce(shown_quotes.pool_id, orders.trade_pool_id, orders.pool_id) as pool_id,
        orders.pool_id as stated_pool_id,
        orders.product_state,
        orders.state_class,
        orders.times_regressed,
        orders.effective_status,
        coalesce(orders.trade_side, shown_quotes.stated_side, orders.side, '{{ pool_recon.default_side() }}') as side,
        orders.side as stated_side,
        shown_quotes.source_amount as shown_source_amount,
        shown_quotes.target_amount as shown_target_amount,
        {{ pool_recon.source_asset('shown_quotes.stated_source_asset', 'shown_quotes.pool_id', "coalesce(shown_quotes.stated_side, orders.side, '" ~ pool_recon.default_side() ~ "')") }} as shown_source_asset,
        {{ pool_recon.target_asset('shown_quotes.stated_target_asset', 'shown_quotes.pool_id', "coalesce(shown_quotes.stated_side, orders.side, '" ~ pool_recon.default_side() ~ "')") }} as shown_target_asset,
        orders.trade_source_asset,
        orders.trade_source_amount,
        orders.trade_count > 0 or shown_quotes.quote_id is not null as has_quote,
        -- a quote of another order that this one names is shown here too
        case
            when shown_quotes.accepted_at is not null and coalesce(shown_quotes.partner_order_id <> orders.partner_order_id, true)
                then {{ pool_recon.joined_texts(';', ['shown_quotes.accepted_quote_ids', 'shown_quotes.quote_id']) }}
            else shown_quotes.accepted_quote_ids
        end as accepted_quote_ids,
        orders.trades_without_quote,
        orders.trade_count = 0 as has_no_trade,
        later_trades_of_orders.partner_order_id is not null or later_trades_of_quotes.quote_id is not null as has_later_trade,
        shown_quotes.status as shown_quote_status,
        shown_quotes.first_transact_id is not null as has_shown_quote_trade,
        orders_naming_other_quotes.other_partner_order_id as order_of_named_quote,
        orders_naming_other_trades.other_partner_order_id as order_of_named_trade,
        orders_named_by_other_trades.transact_ids as trades_of_other_orders,
        {{ pool_recon.lowest_of(['orders.pool_id', 'shown_quotes.pool_id']) }} as lowest_pool_id,
        {{ pool_recon.highest_of(['orders.pool_id', 'shown_quotes.pool_id']) }} as highest_pool_id,
        {{ pool_recon.lowest_of(['orders.side', 'shown_quotes.stated_side']) }} as lowest_side,
        {{ pool_recon.highest_of(['orders.side', 'shown_quotes.stated_side']) }} as highest_side,
        {{ pool_recon.lowest_of(['orders.environment', 'shown_quotes.stated_environment']) }} as lowest_environment,
        {{ pool_recon.highest_of(['orders.environment', 'shown_quotes.stated_environment']) }} as highest_environment,
        {{ pool_recon.lowest_of(['orders.partner_id', 'shown_quotes.stated_partner_id']) }} as lowest_partner_id,
        {{ pool_recon.highest_of(['orders.partner_id', 'shown_quotes.stated_partner_id']) }} as highest_partner_id,
        orders.created_at,
        orders.updated_at,
        orders.last_final_at,
        orders.last_reserved_at,
        shown_quotes.created_at as shown_created_at,
        shown_quotes.accepted_at as shown_accepted_at,
        coalesce(shown_quotes.accepted_at, shown_quotes.first_reserved_at) as shown_quote_accepted_at,
        shown_quotes.expires_at as shown_expires_at,
        orders.row_order
    from orders
    cross join close
    left join shown_quotes on orders.partner_order_id = shown_quotes.showing_order_id
    left join orders_naming_other_quotes on orders.partner_order_id = orders_naming_other_quotes.partner_order_id
    left join orders_naming_other_trades on orders.partner_order_id = orders_naming_other_trades.partner_order_id
    left join orders_named_by_other_trades on orders.partner_order_id = orders_named_by_other_trades.partner_order_id
    left join later_trades_of_orders on orders.partner_order_id = later_trades_of_orders.partner_order_id
    left join later_trades_of_quotes on shown_quotes.quote_id = later_trades_of_quotes.quote_id

)

select
    reconciled.*,
    {{ pool_recon.row_checksum(['reconciled']) }} as row_checksum
from reconciled
