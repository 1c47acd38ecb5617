-- Trades that do not exist yet for this close, because all that is known of them lies at or after the cut-off, with the
-- quote and the order that they will join to.
with trades_in_force as (

    select * from {{ pool_recon.at_hand('int_trades_in_force') }}

),

later_rows as (

    select
        trades.transact_id,
        trades.quote_id,
        trades.partner_order_id,
        row_number() over (
            partition by trades.transact_id
            order by trades.updated_at desc nulls last, trades.row_order desc
        ) as rank_in_force
    from {{ pool_recon.at_hand('stg_trades') }} as trades
    left join trades_in_force on trades.transact_id = trades_in_force.transact_id
    where
        trades.quarantine_reasons is null
        and coalesce(trades.reserved_at, trades.terminal_at) >= {{ pool_recon.cut_off_at() }}
        and trades_in_force.transact_id is null

),

later_trades as (

    select * from later_rows where rank_in_force = 1

),

-- The quote of a later trade may be later too.
later_quotes as (

    select
        stg_quotes.quote_id,
        stg_quotes.partner_order_id,
        row_number() over (partition by stg_quotes.quote_id order by stg_quotes.row_order) as rank_in_force
    from {{ pool_recon.at_hand('stg_quotes') }} as stg_quotes
    inner join later_trades on stg_quotes.quote_id = later_trades.quote_id
    left join {{ pool_recon.at_hand('int_quotes_linked') }} as quotes on stg_quotes.quote_id = quotes.quote_id
    where
        stg_quotes.quarantine_reasons is null
        and quotes.quote_id is null

),

-- Orders that come as late as the trades: what names one, or is named by one, is of no order that exists already.
orders_to_come as (

    select
        stg_orders.partner_order_id,
        stg_orders.quote_id
    from {{ pool_recon.at_hand('stg_orders') }} as stg_orders
    left join {{ pool_recon.at_hand('int_orders_in_force') }} as orders on stg_orders.partner_order_id = orders.partner_order_id
    where
        stg_orders.quarantine_reasons is null
        and stg_orders.created_at >= {{ pool_recon.cut_off_at() }}
        and orders.partner_order_id is null

),

ids_of_orders_to_come as (

    select distinct orders_to_come.partner_order_id from orders_to_come

),

quotes_of_orders_to_come as (

    select distinct orders_to_come.quote_id from orders_to_come

),

orders_naming_quotes as (

    select
        orders.quote_id,
        {{ pool_recon.value_at_earliest('orders.partner_order_id', 'orders.created_at', 'orders.partner_order_id') }} as partner_order_id
    from {{ pool_recon.at_hand('int_orders_in_force') }} as orders
    where orders.quote_id in (select later_quotes.quote_id from later_quotes)
    group by orders.quote_id

),

orders_naming_trades as (

    select
        orders.transact_id,
        {{ pool_recon.value_at_earliest('orders.partner_order_id', 'orders.created_at', 'orders.partner_order_id') }} as partner_order_id
    from {{ pool_recon.at_hand('int_orders_in_force') }} as orders
    where orders.transact_id in (select later_trades.transact_id from later_trades)
    group by orders.transact_id

)

select
    later_trades.transact_id,
    later_trades.quote_id,
    case
        when quotes.partner_order_id is not null then quotes.partner_order_id
        when orders_of_quotes_to_come.partner_order_id is not null then null
        when coalesce(orders_of_later_quotes.partner_order_id, orders_naming_quotes.partner_order_id) is not null
            then coalesce(orders_of_later_quotes.partner_order_id, orders_naming_quotes.partner_order_id)
        when
            quotes_of_orders_to_come.quote_id is null
            and orders_of_trades_to_come.partner_order_id is null
            then coalesce(stated_orders.partner_order_id, orders_naming_trades.partner_order_id)
    end as partner_order_id
from later_trades
left join {{ pool_recon.at_hand('int_quotes_linked') }} as quotes on later_trades.quote_id = quotes.quote_id
left join later_quotes
    on
        later_trades.quote_id = later_quotes.quote_id
        and later_quotes.rank_in_force = 1
left join {{ pool_recon.at_hand('int_orders_in_force') }} as orders_of_later_quotes on later_quotes.partner_order_id = orders_of_later_quotes.partner_order_id
left join orders_naming_quotes on later_quotes.quote_id = orders_naming_quotes.quote_id
left join {{ pool_recon.at_hand('int_orders_in_force') }} as stated_orders on later_trades.partner_order_id = stated_orders.partner_order_id
left join orders_naming_trades on later_trades.transact_id = orders_naming_trades.transact_id
left join ids_of_orders_to_come as orders_of_quotes_to_come
    on coalesce(later_quotes.partner_order_id, quotes.stated_partner_order_id) = orders_of_quotes_to_come.partner_order_id
left join quotes_of_orders_to_come on coalesce(later_quotes.quote_id, quotes.quote_id) = quotes_of_orders_to_come.quote_id
left join ids_of_orders_to_come as orders_of_trades_to_come on later_trades.partner_order_id = orders_of_trades_to_come.partner_order_id
