-- The ledger entries with what the reference data says of their type.
select
    entries.ledger_entry_id,
    entries.joined_transact_id,
    entries.joined_quote_id,
    entries.environment,
    entries.partner_id,
    entries.asset,
    entries.delta,
    entries.effective_at,
    types.entry_class,
    classes.touches_balance,
    classes.needs_trade,
    classes.counts_in_source_net
from marts.fct_ledger_entries as entries
left join reference.ref_entry_types as types on entries.entry_type = types.entry_type
left join reference.ref_entry_classes as classes on types.entry_class = classes.entry_class
