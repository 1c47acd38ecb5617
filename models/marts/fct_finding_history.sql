with closes as (

    select * from {{ ref('closes_in_force') }}

),

streaks as (

    select
        exception_id,
        streak,
        min(close_date) as began_on,
        max(close_date) as ended_on,
        max(close_number) as last_close_number,
        max(case when approval = 'approved' then close_number end) as last_approved_number,
        count(*) as close_count
    from {{ ref('verdicts_in_force') }}
    group by exception_id, streak

),

findings as (

    select
        exception_id,
        min(began_on) as opened_on,
        max(began_on) as last_began_on,
        max(ended_on) as last_seen_on,
        max(last_close_number) as last_close_number,
        max(last_approved_number) as last_approved_number,
        sum(close_count) as closes_seen,
        count(*) as times_opened
    from streaks
    group by exception_id

)

select
    findings.exception_id,
    verdicts.code,
    verdicts.severity,
    verdicts.environment,
    verdicts.subject_type,
    verdicts.subject_id,
    verdicts.owner,
    verdicts.approval as last_approval,
    verdicts.evidence_hash as last_evidence_hash,
    cast(findings.times_opened as integer) as times_opened,
    cast(findings.closes_seen as integer) as closes_seen,
    resolutions.close_date is null as is_open,
    findings.opened_on,
    case when findings.times_opened > 1 then findings.last_began_on end as reopened_on,
    findings.last_seen_on,
    resolutions.close_date as resolved_on,
    approvals_ended.close_date as approval_ended_on
from findings
inner join {{ ref('verdicts_in_force') }} as verdicts
    on
        findings.exception_id = verdicts.exception_id
        and findings.last_close_number = verdicts.close_number
left join closes as resolutions on findings.last_close_number + 1 = resolutions.close_number
left join closes as approvals_ended
    on
        findings.last_approved_number + 1 = approvals_ended.close_number
        and findings.last_approved_number < findings.last_close_number
