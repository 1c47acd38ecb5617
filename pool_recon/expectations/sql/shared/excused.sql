-- Where a rule may stay broken: an approved finding says so, or a record that follows after the cut-off.
select distinct
    exceptions.code,
    exceptions.subject_type,
    exceptions.subject_id
from marts.fct_exceptions as exceptions
left join close_findings_approved as approvals on exceptions.exception_id = approvals.exception_id
where
    approvals.exception_id is not null
    or exceptions.code = 'cutoff_timing_difference'
