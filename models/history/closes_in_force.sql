{{ config(materialized='view') }}
-- The closes that count: of each date up to this close date the last whole one, numbered by date.
with close as (

    select * from {{ ref('int_close') }}

),

verdict_counts as (

    select
        close_date,
        run_number,
        count(*) as verdict_count
    from {{ ref('close_verdicts') }}
    group by close_date, run_number

),

-- A build that stopped between the log and the verdicts left a close of which nothing is known: it found neither nothing
-- nor what the one before it did.
runs as (

    select
        close_log.close_date,
        close_log.run_number,
        close_log.verdict_run_number,
        row_number() over (partition by close_log.close_date order by close_log.run_number desc) as recency
    from {{ ref('close_log') }} as close_log
    cross join close
    left join verdict_counts
        on
            close_log.close_date = verdict_counts.close_date
            and close_log.verdict_run_number = verdict_counts.run_number
    where
        close_log.close_date <= close.close_date
        and close_log.finding_count = coalesce(verdict_counts.verdict_count, 0)

)

select
    close_date,
    run_number,
    verdict_run_number,
    row_number() over (order by close_date) as close_number
from runs
where recency = 1
