-- The trades of each order, and the one that counts where it has several: the latest.
with trades as (

    select * from {{ pool_recon.at_hand('int_trades_linked') }}
    where partner_order_id is not null

),

counted as (

    select
        partner_order_id,
        count(*) as trade_count,
        {{ pool_recon.value_at_latest('transact_id', pool_recon.absent_first('reserved_at'), 'transact_id') }} as transact_id,
        max(reserved_at) as last_reserved_at
    from trades
    group by partner_order_id

),

without_quote as (

    select
        partner_order_id,
        {{ pool_recon.id_list('transact_id') }} as trades_without_quote
    from trades
    where known_quote_id is null
    group by partner_order_id

)

select
    counted.*,
    without_quote.trades_without_quote
from counted
left join without_quote on counted.partner_order_id = without_quote.partner_order_id
