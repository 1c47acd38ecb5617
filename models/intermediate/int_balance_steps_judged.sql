{{ config(materialized='view') }}
-- The entry of each stated balance, with the balance that the chain carries to it.
select
    chain.ledger_entry_id,
    entries.joined_transact_id,
    entries.joined_quote_id,
    entries.joined_partner_order_id,
    entries.transact_id,
    entries.quote_id,
    entries.request_id,
    entries.pool_id,
    entries.environment,
    entries.partner_id,
    entries.asset,
    entries.delta,
    chain.is_chained,
    chain.expected_balance,
    chain.stated_balance,
    assets.minor_unit,
    entries.row_order
from {{ ref('int_balance_chain') }} as chain
inner join {{ ref('int_ledger_entries_joined') }} as entries on chain.ledger_entry_id = entries.ledger_entry_id
left join {{ ref('int_assets') }} as assets on entries.asset = assets.asset
