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
    environment,
    partner_id,
    asset,
    cast(entry_position as bigint) as entry_position,
    ledger_entry_id,
    joined_transact_id,
    joined_quote_id,
    joined_partner_order_id,
    funding_reference,
    entry_type,
    entry_class,
    ledger_balance - delta as balance_before,
    delta,
    ledger_balance,
    stated_balance,
    effective_at
from summed
