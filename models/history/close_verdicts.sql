-- What each close found, kept as it was. A close refers to these by verdict_run_number; verdicts that are there already
-- are not written again, and those that a build which stopped half-way left out are written by the next.
with findings as (

    select * from {{ ref('findings_approved') }}

),

runs as (

    {{ pool_recon.runs_to_keep('verdict_run_number') }}

)

select
    runs.close_date,
    runs.run_number,
    findings.exception_id,
    findings.code,
    findings.severity,
    findings.environment,
    findings.subject_type,
    findings.subject_id,
    findings.owner,
    findings.approval,
    findings.evidence_hash
from findings
cross join runs
