-- Trades that do not exist yet for this close, by each quote or order that they belong to: all that is known of
-- them lies at or after the cut-off.
with close as (

    select * from {{ ref('int_close') }}

),

trades_in_force as (

    select * from {{ ref('int_trades_in_force') }}

),

quotes as (

    select * from {{ ref('stg_quotes') }}

),

orders as (

    select * from {{ ref('int_orders_in_force') }}

),

later_trades as (

    select distinct
        trades.transact_id,
        trades.quote_id,
        trades.partner_order_id
    from {{ ref('stg_trades') }} as trades
    left join trades_in_force on trades.transact_id = trades_in_force.transact_id
    where
        trades.quarantine_reasons is null
        and trades.reserved_at >= (select close.cut_off_at from close)
        and trades_in_force.transact_id is null

)

select
    transact_id,
    quote_id,
    cast(null as varchar) as partner_order_id
from later_trades
where quote_id is not null
union
select
    later_trades.transact_id,
    cast(null as varchar) as quote_id,
    orders.partner_order_id
from later_trades
inner join orders on later_trades.partner_order_id = orders.partner_order_id
union
select
    later_trades.transact_id,
    cast(null as varchar) as quote_id,
    orders.partner_order_id
from later_trades
inner join orders on later_trades.transact_id = orders.transact_id
union
select
    later_trades.transact_id,
    cast(null as varchar) as quote_id,
    orders.partner_order_id
from later_trades
inner join orders on later_trades.quote_id = orders.quote_id
union
select
    later_trades.transact_id,
    cast(null as varchar) as quote_id,
    orders.partner_order_id
from later_trades
inner join quotes
    on
        later_trades.quote_id = quotes.quote_id
        and quotes.quarantine_reasons is null
inner join orders on quotes.partner_order_id = orders.partner_order_id
