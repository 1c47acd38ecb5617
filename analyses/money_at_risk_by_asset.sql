-- Question: how much money is behind the findings, asset by asset, and how much of it has been approved?
-- How to read it: one row per asset, severity and state of approval. amount_at_risk counts every movement once, with the
-- largest of the amounts that its findings put at risk: a trade with three findings does not risk its amount three times.
-- summed_amount is the plain sum over findings, for comparison with exceptions.csv. unquantified_count findings state no
-- amount. Amounts of different assets do not add up.
with exceptions as (

    select
        *,
        case when approval = 'approved' then 'approved' else 'not approved' end as approval_state,
        coalesce(transact_id, quote_id, partner_order_id, ledger_entry_id, subject_id) as risked_id
    from {{ ref('fct_exceptions') }}

),

risked as (

    select
        asset,
        severity,
        approval_state,
        risked_id,
        count(*) as finding_count,
        count(*) - count(amount_at_risk) as unquantified_count,
        max(amount_at_risk) as amount_at_risk,
        sum(amount_at_risk) as summed_amount
    from exceptions
    group by asset, severity, approval_state, risked_id

)

select
    asset,
    severity,
    approval_state,
    sum(finding_count) as finding_count,
    count(*) as movement_count,
    sum(unquantified_count) as unquantified_count,
    sum(amount_at_risk) as amount_at_risk,
    sum(summed_amount) as summed_amount
from risked
group by asset, severity, approval_state
order by asset, severity, approval_state
