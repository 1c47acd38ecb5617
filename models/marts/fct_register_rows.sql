with register as (

    select * from {{ ref('stg_exception_register') }}

),

findings as (

    select * from {{ ref('findings_approved') }}

)

select
    register.line_number,
    findings.exception_id,
    register.code,
    register.subject_type,
    register.subject_id,
    register.environment,
    register.owner,
    register.approved_by,
    register.reason,
    register.evidence_hash,
    findings.approval,
    findings.rejected_for,
    findings.exception_id is not null as is_matched,
    register.next_review_date,
    register.approved_on,
    register.expires_on
from register
left join findings on {{ pool_recon.is_registered('findings', 'register') }}
