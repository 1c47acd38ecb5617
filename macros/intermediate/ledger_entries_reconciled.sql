{#-
    Everything that is known about a ledger entry at the cut-off, on one row.

    Arguments:
        relation_of: what gives the relation of a model, `ref` for all rows.
-#}
{% macro ledger_entries_reconciled(relation_of) %}
with entries as (

    select * from {{ relation_of('int_ledger_entries_joined') }}

),

restored as (

    select * from {{ relation_of('int_ledger_entries_restored') }}

),

funded as (

    select * from {{ relation_of('int_ledger_entries_funded') }}

),

assets as (

    select * from {{ ref('int_assets') }}

)

select
    entries.ledger_entry_id,
    entries.joined_transact_id,
    entries.joined_quote_id,
    entries.joined_partner_order_id,
    entries.transact_id,
    entries.quote_id,
    entries.related_entry_id,
    entries.funding_reference,
    entries.request_id,
    entries.pool_id,
    entries.environment,
    entries.partner_id,
    entries.entry_type,
    entries.entry_class,
    entries.asset,
    entries.amount,
    entries.delta,
    entries.balance_after,
    entries.touches_balance,
    entries.needs_trade,
    entries.restores_debit,
    entries.balance_sign,
    entries.other_contents,
    assets.minor_unit,
    assets.smallest_amount,
    restored.debited_amount,
    restored.credited_so_far as restored_so_far,
    restored.has_earlier_debit,
    restored.names_its_debit,
    coalesce(funded.has_funding_export, false) as has_funding_export,
    coalesce(funded.is_attributed, false) as is_attributed,
    funded.confirmed_amount,
    funded.confirmed_by_then_amount,
    funded.credited_so_far as funded_so_far,
    entries.row_order
from entries
left join restored on entries.ledger_entry_id = restored.ledger_entry_id
left join funded on entries.ledger_entry_id = funded.ledger_entry_id
left join assets on entries.asset = assets.asset
{% endmacro %}
