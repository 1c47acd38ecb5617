with findings as (

    select * from {{ ref('findings_approved') }}

),

dates as (

    select * from {{ ref('findings_dated') }}

),

close as (

    select * from {{ ref('int_close') }}

)

select
    findings.exception_id,
    findings.code,
    findings.severity,
    findings.category,
    findings.rule_name,
    findings.environment,
    findings.partner_id,
    findings.subject_type,
    findings.subject_id,
    findings.partner_order_id,
    findings.pool_id,
    findings.quote_id,
    findings.transact_id,
    findings.event_id,
    findings.ledger_entry_id,
    findings.request_id,
    findings.asset,
    findings.expected,
    findings.actual,
    findings.first_action,
    findings.owner,
    findings.approval,
    findings.approved_by,
    findings.evidence_hash,
    findings.amount_at_risk,
    {{ pool_recon.amount_text('findings.amount_at_risk', 'assets.minor_unit') }} as amount_at_risk_text,
    cast({{ dbt.datediff('dates.opened_on', 'close.close_date', 'day') }} as bigint) as age_days,
    findings.is_blocking,
    findings.is_blocking and findings.approval <> 'approved' as is_open_blocking,
    dates.opened_on,
    coalesce(
        findings.registered_review_date,
        cast({{ dbt.dateadd('day', 'findings.days_to_review', 'dates.reviewed_from') }} as date)
    ) as next_review_date,
    findings.row_order
from findings
cross join close
inner join dates on findings.exception_id = dates.exception_id
left join {{ ref('ref_assets') }} as assets on findings.asset = assets.asset
