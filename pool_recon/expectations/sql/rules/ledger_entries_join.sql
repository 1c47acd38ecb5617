-- Every ledger entry that needs a trade joins to one that has a quote and an order, or it is approved.
select
    subject_type,
    subject_id,
    code as problem
from standing_findings
where rule_name = 'ledger_entries_join'
union all
select
    'ledger_entry' as subject_type,
    entries.ledger_entry_id as subject_id,
    case when trades.transact_id is null then 'no trade' when quotes.quote_id is null then 'no quote' else 'no order' end as problem
from classed_entries as entries
left join marts.fct_reconciliation as trades
    on
        trades.movement_type = 'trade'
        and entries.joined_transact_id = trades.transact_id
left join intermediate.int_quotes_in_force as quotes on trades.quote_id = quotes.quote_id
left join intermediate.int_orders_in_force as orders on trades.partner_order_id = orders.partner_order_id
left join excused
    on
        excused.code = 'orphan_ledger_entry'
        and entries.ledger_entry_id = excused.subject_id
where
    entries.needs_trade
    and (quotes.quote_id is null or orders.partner_order_id is null)
    and excused.subject_id is null
