with quotes as (

    select * from {{ ref('int_quotes_in_force') }}

),

orders as (

    select * from {{ ref('int_orders_in_force') }}

),

quote_trades as (

    select * from {{ ref('int_quote_trades') }}

),

-- Of several orders that name one quote, the earliest.
naming_orders as (

    select
        quote_id,
        partner_order_id,
        row_number() over (partition by quote_id order by created_at, partner_order_id) as rank_of_quote
    from orders
    where quote_id is not null

)

select
    quotes.quote_id,
    coalesce(stated_orders.partner_order_id, naming_orders.partner_order_id) as partner_order_id,
    quote_trades.transact_id as first_transact_id,
    quote_trades.reserved_at as first_reserved_at,
    quotes.accepted_at,
    quotes.created_at
from quotes
left join orders as stated_orders on quotes.partner_order_id = stated_orders.partner_order_id
left join naming_orders
    on
        quotes.quote_id = naming_orders.quote_id
        and naming_orders.rank_of_quote = 1
left join quote_trades on quotes.quote_id = quote_trades.quote_id
