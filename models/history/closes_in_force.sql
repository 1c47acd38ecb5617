-- The closes that count: of each date up to this close date the last one, numbered by date.
with close as (

    select * from {{ ref('int_close') }}

),

runs as (

    select
        close_log.close_date,
        close_log.run_number,
        close_log.verdict_run_number,
        row_number() over (partition by close_log.close_date order by close_log.run_number desc) as recency
    from {{ ref('close_log') }} as close_log
    cross join close
    where close_log.close_date <= close.close_date

)

select
    close_date,
    run_number,
    verdict_run_number,
    row_number() over (order by close_date) as close_number
from runs
where recency = 1
