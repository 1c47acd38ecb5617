-- Question: how long do trades take from reservation to their outcome, and how slow are the slowest?
-- How to read it: one row per environment, pool, side and outcome, in seconds, all of them times that occurred. Half of the
-- trades were done within median_seconds, 99 of 100 within p99_seconds; what stays reserved longer than the settlement limit
-- is a finding (stuck_reserved) and is not among these rows, since its clock has not stopped. untimed_count trades lack one
-- of the two times.
with trades as (

    select * from {{ ref('fct_reconciliation') }}
    where
        movement_type = 'trade'
        and effective_status in (select states.status from {{ ref('ref_trade_states') }} as states where states.is_terminal)

)

select
    environment,
    pool_id,
    side,
    effective_status,
    count(*) as trade_count,
    count(*) - count(settlement_clock_seconds) as untimed_count,
    min(settlement_clock_seconds) as fastest_seconds,
    percentile_disc(0.50) within group (order by settlement_clock_seconds) as median_seconds,
    percentile_disc(0.90) within group (order by settlement_clock_seconds) as p90_seconds,
    percentile_disc(0.99) within group (order by settlement_clock_seconds) as p99_seconds,
    max(settlement_clock_seconds) as slowest_seconds
from trades
group by environment, pool_id, side, effective_status
order by environment, pool_id, side, effective_status
