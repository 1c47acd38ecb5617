with trades as (

    select * from {{ ref('int_trades_in_force') }}

),

quotes as (

    select * from {{ ref('int_quotes_linked') }}

),

orders as (

    select * from {{ ref('int_orders_in_force') }}

),

-- Of several orders that name one trade, the earliest.
naming_orders as (

    select
        transact_id,
        partner_order_id,
        row_number() over (partition by transact_id order by created_at, partner_order_id) as rank_of_trade
    from orders
    where transact_id is not null

),

linked as (

    select
        trades.transact_id,
        trades.quote_id,
        trades.reserved_at,
        quotes.quote_id as known_quote_id,
        coalesce(quotes.partner_order_id, stated_orders.partner_order_id, naming_orders.partner_order_id) as partner_order_id
    from trades
    left join quotes on trades.quote_id = quotes.quote_id
    left join orders as stated_orders on trades.partner_order_id = stated_orders.partner_order_id
    left join naming_orders
        on
            trades.transact_id = naming_orders.transact_id
            and naming_orders.rank_of_trade = 1

)

select
    transact_id,
    known_quote_id,
    partner_order_id,
    -- the trade of an order that has several: the latest
    partner_order_id is not null and row_number() over (
        partition by partner_order_id
        order by reserved_at desc nulls last, transact_id desc
    ) = 1 as is_trade_of_order,
    -- its place among the trades of the same quote, 1 being the earliest
    case
        when quote_id is not null
            then row_number() over (partition by quote_id order by reserved_at nulls last, transact_id)
    end as rank_of_quote
from linked
