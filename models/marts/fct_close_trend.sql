with close as (

    select * from {{ ref('int_close') }}

),

results as (

    select
        close_results.*,
        row_number() over (partition by close_results.close_date order by close_results.run_number desc) as recency
    from {{ ref('close_results') }} as close_results
    cross join close
    where close_results.close_date <= close.close_date

),

-- Whole hundredths of a per cent, cut and not rounded: 100.00 means every movement.
rated as (

    select
        *,
        cast((matched_count * 10000 - mod(matched_count * 10000, nullif(movement_count, 0))) / nullif(movement_count, 0) as bigint) as match_rate_hundredths
    from results
    where recency = 1

)

select
    close_date,
    run_number,
    movement_count,
    matched_count,
    approved_count,
    exception_count,
    open_count,
    lapsed_count,
    blocking_finding_count,
    warning_finding_count,
    approved_finding_count,
    rule_count,
    holding_rule_count,
    cast((match_rate_hundredths - mod(match_rate_hundredths, 100)) / 100 as bigint) || '.' || lpad(cast(mod(match_rate_hundredths, 100) as {{ dbt.type_string() }}), 2, '0') as match_rate_percent
from rated
