-- When each finding of this close was opened, and from when its review counts: the start of its unbroken run of closes.
with findings as (

    select * from {{ ref('findings_approved') }}

),

close as (

    select * from {{ ref('int_close') }}

),

runs as (

    select
        close_log.close_date,
        close_log.verdict_run_number,
        row_number() over (partition by close_log.close_date order by close_log.run_number desc) as recency
    from {{ ref('close_log') }} as close_log
    cross join close
    where close_log.close_date <= close.close_date

),

closes as (

    select
        close_date,
        verdict_run_number,
        row_number() over (order by close_date) as close_number
    from runs
    where recency = 1

),

appearances as (

    select
        verdicts.exception_id,
        closes.close_date,
        closes.close_number,
        closes.close_number - row_number() over (partition by verdicts.exception_id order by closes.close_number) as streak
    from {{ ref('close_verdicts') }} as verdicts
    inner join closes
        on
            verdicts.close_date = closes.close_date
            and verdicts.run_number = closes.verdict_run_number
    inner join findings on verdicts.exception_id = findings.exception_id

),

streaks as (

    select
        exception_id,
        streak,
        min(close_date) as began_on
    from appearances
    group by exception_id, streak

)

select
    exception_id,
    min(began_on) as opened_on,
    max(began_on) as reopened_on
from streaks
group by exception_id
