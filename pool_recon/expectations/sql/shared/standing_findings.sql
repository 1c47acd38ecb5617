-- The findings that no valid approval covers: the register is read again here, not the verdict in the exceptions.
select
    exceptions.subject_type,
    exceptions.subject_id,
    exceptions.code,
    codes.rule_name,
    codes.severity
from marts.fct_exceptions as exceptions
left join reference.ref_findings as codes on exceptions.code = codes.code
left join close_findings_approved as approvals on exceptions.exception_id = approvals.exception_id
where approvals.exception_id is null
