-- When each finding of this close was opened, and from when its review counts: the start of its unbroken run of closes.
-- Of the history only earlier close dates are read; what this close shows is known without it.
with close as (

    select * from {{ ref('int_close') }}

),

earlier_closes as (

    select closes.*
    from {{ ref('closes_in_force') }} as closes
    cross join close
    where closes.close_date < close.close_date

),

-- Closes are numbered without gaps, so that a streak goes on into this close where it reaches the one before it.
last_closes as (

    select coalesce(max(close_number), 0) as last_close_number from earlier_closes

),

earlier_streaks as (

    select
        verdicts.exception_id,
        verdicts.streak,
        min(verdicts.close_date) as began_on,
        max(verdicts.close_number) as last_close_number
    from {{ ref('verdicts_in_force') }} as verdicts
    inner join {{ ref('findings_approved') }} as findings on verdicts.exception_id = findings.exception_id
    inner join earlier_closes on verdicts.close_number = earlier_closes.close_number
    group by verdicts.exception_id, verdicts.streak

),

earlier as (

    select
        earlier_streaks.exception_id,
        min(earlier_streaks.began_on) as opened_on,
        max(case when earlier_streaks.last_close_number = last_closes.last_close_number then earlier_streaks.began_on end) as unbroken_from
    from earlier_streaks
    cross join last_closes
    group by earlier_streaks.exception_id

)

select
    findings.exception_id,
    coalesce(earlier.opened_on, close.close_date) as opened_on,
    coalesce(earlier.unbroken_from, close.close_date) as reviewed_from
from {{ ref('findings_approved') }} as findings
cross join close
left join earlier on findings.exception_id = earlier.exception_id
