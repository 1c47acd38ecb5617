{{ config(materialized='view') }}
-- Every ledger entry in force at the cut-off, with the trade that it joins to and the rule that joined it.
select
    entries.ledger_entry_id,
    entries.joined_transact_id,
    entries.joined_quote_id,
    entries.joined_partner_order_id,
    entries.join_rule,
    entries.transact_id,
    entries.quote_id,
    entries.ledger_ref,
    entries.related_entry_id,
    entries.funding_reference,
    entries.request_id,
    entries.environment,
    entries.partner_id,
    entries.entry_type,
    entries.entry_class,
    entries.asset,
    entries.amount,
    {{ pool_recon.amount_text('entries.amount', 'assets.minor_unit') }} as amount_text,
    entries.delta,
    {{ pool_recon.amount_text('entries.delta', 'assets.minor_unit') }} as delta_text,
    entries.balance_after,
    {{ pool_recon.amount_text('entries.balance_after', 'assets.minor_unit') }} as balance_after_text,
    entries.entry_seq,
    entries.touches_balance,
    entries.needs_trade,
    entries.effective_at
from {{ ref('int_ledger_entries_joined') }} as entries
left join {{ ref('ref_assets') }} as assets on entries.asset = assets.asset
