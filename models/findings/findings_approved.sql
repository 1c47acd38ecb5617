-- Every finding with what the exception register says of it.
with findings as (

    select * from {{ ref('findings_raised') }}

),

register as (

    select * from {{ ref('stg_exception_register') }}

),

close as (

    select * from {{ ref('int_close') }}

)

select
    findings.*,
    coalesce(register.owner, findings.default_owner) as owner,
    register.line_number as register_line_number,
    register.next_review_date as registered_review_date,
    register.approved_by,
    case
        when register.approved_by is null then 'none'
        when not findings.is_approvable or register.reason is null then 'rejected'
        when {{ pool_recon.lower_case('register.approved_by') }} = {{ pool_recon.lower_case('coalesce(register.owner, findings.default_owner)') }} then 'rejected'
        when register.expires_on < close.close_date then 'expired'
        when register.evidence_hash <> findings.evidence_hash then 'stale'
        else 'approved'
    end as approval
from findings
cross join close
left join register
    on
        findings.code = register.code
        and findings.subject_type = register.subject_type
        and findings.subject_id = register.subject_id
        and findings.environment = coalesce(register.environment, findings.environment)
