-- Every finding has an owner and a next review date that has not passed at the close date.
select
    exceptions.subject_type,
    exceptions.subject_id,
    exceptions.code || ', owner ' || coalesce(exceptions.owner, 'none') || ', next review ' || coalesce(cast(exceptions.next_review_date as varchar), 'none') as problem
from marts.fct_exceptions as exceptions
left join intermediate.int_close as close on exceptions.next_review_date >= close.close_date
where
    close.close_date is null
    or coalesce(exceptions.owner, '') = ''
