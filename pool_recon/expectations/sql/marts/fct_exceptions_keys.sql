-- One row per code and subject; its code, severity and owner are those of the reference data and the register.
select
    coalesce(exception_id, '') as exception,
    'stands ' || count(*) || ' times' as problem
from marts.fct_exceptions
group by exception_id
having
    count(*) > 1
    or exception_id is null
union all
select
    min(exception_id) as exception,
    min(code) || ' of ' || min(subject_type) || ' ' || min(subject_id) || ' stands ' || count(*) || ' times' as problem
from marts.fct_exceptions
group by code, subject_type, subject_id
having count(*) > 1
union all
select
    exceptions.exception_id as exception,
    exceptions.code || ' lacks a value, or is not as in the reference data' as problem
from marts.fct_exceptions as exceptions
cross join intermediate.int_close as close
left join reference.ref_findings as codes on exceptions.code = codes.code
where
    codes.code is null
    or exceptions.severity is distinct from codes.severity
    or exceptions.first_action is distinct from codes.first_action
    or exceptions.subject_type is null
    or exceptions.subject_id is null
    or exceptions.environment is null
    or exceptions.evidence_hash is null
    or exceptions.opened_on is null
    or exceptions.opened_on > close.close_date
    or exceptions.age_days < 0
union all
select
    exceptions.exception_id as exception,
    exceptions.code || ' is called ' || coalesce(exceptions.approval, 'nothing') || ', which the register does not bear out' as problem
from marts.fct_exceptions as exceptions
left join close_findings_approved as approvals on exceptions.exception_id = approvals.exception_id
where (coalesce(exceptions.approval, '') = 'approved') <> (approvals.exception_id is not null)
