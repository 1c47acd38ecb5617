-- Every finding of this close with its reference data, one row per code and subject.
with findings as (
    {% for subjects in ['trades', 'orders', 'quotes', 'events', 'ledger_entries', 'balance_steps', 'funding', 'balances', 'rows', 'columns', 'exports'] %}
    select
        code,
        subject_type,
        subject_id,
        environment,
        partner_id,
        partner_order_id,
        pool_id,
        quote_id,
        transact_id,
        event_id,
        ledger_entry_id,
        request_id,
        asset,
        amount_at_risk,
        expected,
        actual,
        row_order
    from {{ ref('findings_of_' ~ subjects) }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

reference as (

    select * from {{ ref('ref_findings') }}

),

-- A payment reference in two assets is still one subject.
ranked as (

    select
        *,
        row_number() over (partition by code, subject_type, subject_id order by asset, row_order) as rank_of_subject
    from findings

)

select
    {{ pool_recon.text_hash("ranked.code || '|' || ranked.subject_type || '|' || ranked.subject_id") }} as exception_id,
    ranked.code,
    ranked.subject_type,
    ranked.subject_id,
    coalesce(reference.severity, 'blocking') as severity,
    reference.category,
    reference.rule_name,
    reference.owner as default_owner,
    reference.first_action,
    reference.days_to_review,
    coalesce(reference.is_approvable, false) as is_approvable,
    coalesce(reference.severity, 'blocking') = 'blocking' as is_blocking,
    ranked.environment,
    ranked.partner_id,
    ranked.partner_order_id,
    ranked.pool_id,
    ranked.quote_id,
    ranked.transact_id,
    ranked.event_id,
    ranked.ledger_entry_id,
    ranked.request_id,
    ranked.asset,
    ranked.amount_at_risk,
    ranked.expected,
    ranked.actual,
    -- what an approval was given for: the values, not only the subject
    {{ pool_recon.text_hash("ranked.code || '|' || ranked.subject_type || '|' || ranked.subject_id || '|' || coalesce(ranked.environment, '') || '|' || coalesce(ranked.asset, '') || '|' || coalesce(" ~ pool_recon.amount_text('ranked.amount_at_risk') ~ ", '') || '|' || coalesce(ranked.expected, '') || '|' || coalesce(ranked.actual, '')") }} as evidence_hash,
    ranked.row_order
from ranked
-- a code that the reference data lacks blocks, and is told as a breach of an invariant
left join reference on ranked.code = reference.code
where ranked.rank_of_subject = 1
