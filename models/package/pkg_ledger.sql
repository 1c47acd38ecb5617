-- ledger.csv: the ledger export as finance needs it, with the rule that joined each entry.
with typed as (

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
        entries.amount,
        entries.delta,
        entries.balance_after,
        entries.entry_seq,
        entries.related_entry_id,
        entries.funding_reference,
        entries.request_id,
        entries.effective_at,
        entries.row_checksum,
        assets.minor_unit
    from {{ ref('int_ledger_entries_joined') }} as entries
    left join {{ ref('int_assets') }} as assets on entries.asset = assets.asset

)

select
    ledger_entry_id,
    transact_id,
    quote_id,
    partner_order_id,
    join_rule,
    ledger_ref,
    environment,
    partner_id,
    entry_type,
    entry_class,
    asset,
    {{ pool_recon.amount_text('amount', 'minor_unit') }} as amount,
    {{ pool_recon.amount_text('delta', 'minor_unit') }} as delta,
    {{ pool_recon.amount_text('balance_after', 'minor_unit') }} as balance_after,
    cast(entry_seq as {{ dbt.type_string() }}) as entry_seq,
    related_entry_id,
    funding_reference,
    request_id,
    {{ pool_recon.timestamp_text('effective_at') }} as effective_at,
    effective_at as _moment,
    ledger_entry_id as _sort_1,
    {{ pool_recon.row_checksum(['row_checksum', 'minor_unit']) }} as _checksum
from typed
