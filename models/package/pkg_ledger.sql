-- ledger.csv: the ledger export as finance needs it, with the rule that joined each entry.
select
    entries.ledger_entry_id,
    coalesce(entries.joined_transact_id, entries.transact_id) as transact_id,
    coalesce(entries.joined_quote_id, entries.quote_id) as quote_id,
    entries.joined_partner_order_id as partner_order_id,
    entries.join_rule,
    entries.ledger_ref,
    entries.environment,
    entries.partner_id,
    entries.entry_type,
    entries.entry_class,
    entries.asset,
    {{ pool_recon.amount_text('entries.amount', 'assets.minor_unit') }} as amount,
    {{ pool_recon.amount_text('entries.delta', 'assets.minor_unit') }} as delta,
    {{ pool_recon.amount_text('entries.balance_after', 'assets.minor_unit') }} as balance_after,
    cast(entries.entry_seq as {{ dbt.type_string() }}) as entry_seq,
    entries.related_entry_id,
    entries.funding_reference,
    entries.request_id,
    {{ pool_recon.timestamp_text('entries.effective_at') }} as effective_at,
    entries.ledger_entry_id as _sort_1
from {{ ref('fct_ledger_entries') }} as entries
left join {{ ref('int_assets') }} as assets on entries.asset = assets.asset
