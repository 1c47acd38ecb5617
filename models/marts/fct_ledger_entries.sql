{{ config(materialized='view') }}
-- Every ledger entry in force at the cut-off, with the trade that it joins to and the rule that joined it.
select
    ledger_entry_id,
    joined_transact_id,
    joined_quote_id,
    joined_partner_order_id,
    join_rule,
    transact_id,
    quote_id,
    ledger_ref,
    related_entry_id,
    funding_reference,
    request_id,
    environment,
    partner_id,
    entry_type,
    entry_class,
    asset,
    amount,
    delta,
    balance_after,
    entry_seq,
    touches_balance,
    needs_trade,
    effective_at
from {{ ref('int_ledger_entries_joined') }}
