-- Every finding with what the exception register says of it.
with findings as (

    select * from {{ ref('findings_raised') }}

),

register as (

    select * from {{ ref('stg_exception_register') }}

),

close as (

    select * from {{ ref('int_close') }}

),

-- A finding takes one row; several are a breach, and pool-recon refuses them before.
matches as (

    select
        findings.exception_id,
        min(register.line_number) as line_number
    from findings
    inner join register on {{ pool_recon.is_registered('findings', 'register') }}
    group by findings.exception_id

),

registered as (

    select
        findings.*,
        coalesce(register.owner, findings.default_owner) as owner,
        register.next_review_date as registered_review_date,
        register.approved_by,
        case
            when register.approved_by is null then null
            when not findings.is_approvable then 'nobody can approve this finding'
            when register.reason is null then 'the row gives no reason'
            when {{ pool_recon.person('register.approved_by') }} = {{ pool_recon.person('coalesce(register.owner, findings.default_owner)') }} then 'the owner cannot approve'
        end as rejected_for,
        coalesce(register.expires_on < close.close_date, false) as is_expired,
        coalesce(register.evidence_hash <> findings.evidence_hash, false) as is_stale
    from findings
    cross join close
    left join matches on findings.exception_id = matches.exception_id
    left join register on matches.line_number = register.line_number

)

select
    registered.*,
    case
        when approved_by is null then 'none'
        when rejected_for is not null then 'rejected'
        when is_expired then 'expired'
        when is_stale then 'stale'
        else 'approved'
    end as approval
from registered
