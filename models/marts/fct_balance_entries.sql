{{ config(materialized='view') }}
-- Every entry that touches a prefunded balance, in the order in which it did, with the balance before and after it: what
-- made a balance what it is at any moment.
with entries as (

    select * from {{ ref('int_ledger_entries_joined') }}
    where touches_balance

),

summed as (

    select
        environment,
        partner_id,
        asset,
        row_number() over (
            partition by environment, partner_id, asset
            order by effective_at, entry_seq nulls last, ledger_entry_id
        ) as entry_position,
        ledger_entry_id,
        joined_transact_id,
        joined_quote_id,
        joined_partner_order_id,
        funding_reference,
        entry_type,
        entry_class,
        delta,
        sum(delta) over (
            partition by environment, partner_id, asset
            order by effective_at, entry_seq nulls last, ledger_entry_id
            rows between unbounded preceding and current row
        ) as ledger_balance,
        balance_after as stated_balance,
        effective_at
    from entries

)

select
    summed.environment,
    summed.partner_id,
    summed.asset,
    cast(summed.entry_position as bigint) as entry_position,
    summed.ledger_entry_id,
    summed.joined_transact_id,
    summed.joined_quote_id,
    summed.joined_partner_order_id,
    summed.funding_reference,
    summed.entry_type,
    summed.entry_class,
    summed.ledger_balance - summed.delta as balance_before,
    {{ pool_recon.amount_text('(summed.ledger_balance - summed.delta)', 'assets.minor_unit') }} as balance_before_text,
    summed.delta,
    {{ pool_recon.amount_text('summed.delta', 'assets.minor_unit') }} as delta_text,
    summed.ledger_balance,
    {{ pool_recon.amount_text('summed.ledger_balance', 'assets.minor_unit') }} as ledger_balance_text,
    summed.stated_balance,
    {{ pool_recon.amount_text('summed.stated_balance', 'assets.minor_unit') }} as stated_balance_text,
    summed.effective_at
from summed
left join {{ ref('ref_assets') }} as assets on summed.asset = assets.asset
