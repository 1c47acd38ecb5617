-- Question: whose desk is the close waiting for, and what has lain there longest?
-- How to read it: the ten oldest findings of every owner that no valid approval covers, blocking ones first.
-- open_count is how many the owner has in all. days_overdue above 0 means that the review date has passed, which by itself
-- fails a rule of the close.
with close as (

    select * from {{ ref('int_close') }}

),

open_exceptions as (

    select * from {{ ref('fct_exceptions') }}
    where approval <> 'approved'

),

ranked as (

    select
        *,
        row_number() over (
            partition by owner
            order by severity, opened_on, next_review_date, code, subject_id, exception_id
        ) as rank_of_owner,
        count(*) over (partition by owner) as open_count
    from open_exceptions

)

select
    ranked.owner,
    ranked.open_count,
    ranked.rank_of_owner,
    ranked.exception_id,
    ranked.code,
    ranked.severity,
    ranked.subject_type,
    ranked.subject_id,
    ranked.asset,
    ranked.amount_at_risk,
    ranked.approval,
    ranked.opened_on,
    ranked.age_days,
    ranked.next_review_date,
    {{ dbt.datediff('ranked.next_review_date', 'close.close_date', 'day') }} as days_overdue,
    ranked.first_action
from ranked
cross join close
where ranked.rank_of_owner <= 10
order by ranked.owner, ranked.rank_of_owner
