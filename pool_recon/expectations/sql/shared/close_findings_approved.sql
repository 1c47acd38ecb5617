-- The findings that a row of the exception register approves.
select distinct exceptions.exception_id
from marts.fct_exceptions as exceptions
cross join intermediate.int_close as close
inner join reference.ref_findings as codes on exceptions.code = codes.code
inner join staging.stg_exception_register as register
    on
        exceptions.code = register.code
        and exceptions.subject_type = register.subject_type
        and exceptions.subject_id = register.subject_id
where
    codes.is_approvable
    and register.approved_by is not null
    and register.reason is not null
    and replace(translate(lower(trim(regexp_replace(register.approved_by, '[\s\v\x1c-\x1f\x85\p{Z}]+', ' ', 'g'))), 'ς', 'σ'), 'ß', 'ss')
    <> replace(translate(lower(trim(regexp_replace(coalesce(register.owner, codes.owner), '[\s\v\x1c-\x1f\x85\p{Z}]+', ' ', 'g'))), 'ς', 'σ'), 'ß', 'ss')
    and coalesce(register.environment, exceptions.environment) = exceptions.environment
    and coalesce(register.expires_on, close.close_date) >= close.close_date
    and coalesce(register.evidence_hash, exceptions.evidence_hash) = exceptions.evidence_hash
