-- Question: how much of each day's business is reconciled, partner by partner?
-- How to read it: one row per day on which movements began (in UTC), environment and partner. match_rate_percent is the
-- share of matched movements among all of them, demanded_match_rate_percent that among those which did not lapse: a quote
-- that nobody accepted has nothing to match. A low rate on the last day is often open business; on older days it is not.
-- The rates are rounded for reading; the counts beside them are what counts.
with movements as (

    select
        *,
        cast(coalesce(created_at, accepted_at, reserved_at, terminal_at) as date) as began_on
    from {{ ref('fct_reconciliation') }}

),

counted as (

    select
        began_on,
        environment,
        partner_id,
        count(*) as movement_count,
        sum(case when reconciliation_state = 'matched' then 1 else 0 end) as matched_count,
        sum(case when reconciliation_state = 'approved' then 1 else 0 end) as approved_count,
        sum(case when reconciliation_state = 'exception' then 1 else 0 end) as exception_count,
        sum(case when reconciliation_state = 'open' then 1 else 0 end) as open_count,
        sum(case when reconciliation_state = 'lapsed' then 1 else 0 end) as lapsed_count
    from movements
    group by began_on, environment, partner_id

)

select
    began_on,
    environment,
    partner_id,
    movement_count,
    matched_count,
    approved_count,
    exception_count,
    open_count,
    lapsed_count,
    round(100.0 * matched_count / movement_count, 2) as match_rate_percent,
    round(100.0 * matched_count / nullif(movement_count - lapsed_count, 0), 2) as demanded_match_rate_percent
from counted
order by began_on, environment, partner_id
