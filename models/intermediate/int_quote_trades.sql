-- Where one quote has several trades, a record that names only the quote belongs to the earliest.
with trades as (

    select * from {{ pool_recon.at_hand('int_trades_in_force') }}

)

select
    quote_id,
    count(*) as trade_count,
    {{ pool_recon.value_at_earliest('transact_id', pool_recon.absent_last('reserved_at'), 'transact_id') }} as transact_id,
    min(reserved_at) as reserved_at
from trades
where quote_id is not null
group by quote_id
