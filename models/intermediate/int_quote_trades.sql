-- Where one quote has several trades, a record that names only the quote belongs to the earliest.
with trades as (

    select * from {{ ref('int_trades_in_force') }}

),

ranked as (

    select
        quote_id,
        transact_id,
        reserved_at,
        row_number() over (partition by quote_id order by reserved_at nulls last, transact_id) as rank_of_quote
    from trades
    where quote_id is not null

)

select
    quote_id,
    transact_id,
    reserved_at
from ranked
where rank_of_quote = 1
