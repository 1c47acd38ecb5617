-- The trades of each order, and the one that counts where it has several: the latest.
with trades as (

    select * from {{ pool_recon.at_hand('int_trades_linked') }}

)

select
    partner_order_id,
    count(*) as trade_count,
    {{ pool_recon.value_at_latest('transact_id', pool_recon.absent_first('reserved_at'), 'transact_id') }} as transact_id,
    max(reserved_at) as last_reserved_at,
    min(case when known_quote_id is null then transact_id end) as first_trade_without_quote
from trades
where partner_order_id is not null
group by partner_order_id
