-- Question: in which pools do users see a price and then not take it?
-- How to read it: one row per environment, pool, side and source asset. A quote has lapsed when it was neither accepted
-- nor traded and has expired by the cut-off or was rejected; open_count may still be accepted. lapsed_percent is the share
-- of lapsed quotes, lapsed_source_amount what their users would have given. Indicative quotes are not meant to be accepted
-- and are left out.
with quotes as (

    select * from {{ ref('int_quotes_reconciled') }}
    where quote_type = 'firm'

),

close as (

    select * from {{ ref('int_close') }}

),

judged as (

    select
        quotes.environment,
        quotes.pool_id,
        quotes.side,
        quotes.source_asset,
        quotes.source_amount,
        quotes.has_trade or quotes.accepted_at is not null as is_taken,
        coalesce(quotes.status, '') = 'rejected' as is_rejected,
        quotes.expires_at <= close.cut_off_at as is_expired
    from quotes
    cross join close

),

counted as (

    select
        environment,
        pool_id,
        side,
        source_asset,
        count(*) as quote_count,
        sum(case when is_taken then 1 else 0 end) as taken_count,
        sum(case when not is_taken and is_rejected then 1 else 0 end) as rejected_count,
        sum(case when not is_taken and not is_rejected and is_expired then 1 else 0 end) as expired_count,
        sum(case when not is_taken and not is_rejected and not is_expired then 1 else 0 end) as open_count,
        sum(case when not is_taken and (is_rejected or is_expired) then source_amount end) as lapsed_source_amount
    from judged
    group by environment, pool_id, side, source_asset

)

select
    environment,
    pool_id,
    side,
    source_asset,
    quote_count,
    taken_count,
    rejected_count,
    expired_count,
    open_count,
    round(100.0 * (rejected_count + expired_count) / quote_count, 2) as lapsed_percent,
    lapsed_source_amount
from counted
order by environment, pool_id, side, source_asset
