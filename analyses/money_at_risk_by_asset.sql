-- Question: how much money is behind the findings, asset by asset, and how much of it has been approved?
-- How to read it: one row per asset, severity and state of approval. A subject is the trade that findings are about, else the
-- quote, order, ledger entry or what else they name. It counts once per asset, where its worst finding stands: not approved
-- before approved, of these blocking before warning. amount_at_risk takes the largest of the amounts that its findings put at
-- risk: a trade with three findings does not risk its amount three times. finding_count, unquantified_count (findings that
-- state no amount) and summed_amount (the plain sum, for comparison with exceptions.csv) are of all findings of these
-- subjects. Amounts of different assets do not add up.
with exceptions as (

    select
        *,
        case
            when transact_id is not null then 'trade'
            when quote_id is not null then 'quote'
            when partner_order_id is not null then 'order'
            when ledger_entry_id is not null then 'ledger_entry'
            else subject_type
        end as risked_type,
        coalesce(transact_id, quote_id, partner_order_id, ledger_entry_id, subject_id) as risked_id,
        case when approval = 'approved' then 2 else 0 end + case when severity = 'blocking' then 0 else 1 end as mildness
    from {{ ref('fct_exceptions') }}

),

risked as (

    select
        asset,
        risked_type,
        risked_id,
        min(mildness) as mildness_of_worst,
        count(*) as finding_count,
        count(*) - count(amount_at_risk) as unquantified_count,
        max(amount_at_risk) as amount_at_risk,
        sum(amount_at_risk) as summed_amount
    from exceptions
    group by asset, risked_type, risked_id

),

placed as (

    select
        *,
        case when mildness_of_worst in (0, 2) then 'blocking' else 'warning' end as severity,
        case when mildness_of_worst >= 2 then 'approved' else 'not approved' end as approval_state
    from risked

)

select
    asset,
    severity,
    approval_state,
    sum(finding_count) as finding_count,
    count(*) as subject_count,
    sum(unquantified_count) as unquantified_count,
    sum(amount_at_risk) as amount_at_risk,
    sum(summed_amount) as summed_amount
from placed
group by asset, severity, approval_state
order by asset, severity, approval_state
